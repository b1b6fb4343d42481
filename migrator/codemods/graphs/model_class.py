"""A class that only builds a graph, which sessions elsewhere run: it becomes the module itself."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from migrator.codemods.graphs.answering import Writer
from migrator.codemods.graphs.container import Body, Container
from migrator.codemods.graphs.methods import Methods
from migrator.codemods.graphs.program import NotUnderstood, first_line, key_of
from migrator.codemods.graphs.reading import TAKEN
from migrator.codemods.graphs.sites import Names
from migrator.codemods.graphs.writing import Written, write_into


class ModelWriter(Writer):
    """Writes the class, with layers and variables in its constructor and a method for each tensor that is fetched."""

    def __init__(self, container: Container, made: Methods, cls: ast.ClassDef) -> None:
        init = next(s for s in cls.body if isinstance(s, ast.FunctionDef) and s.name == "__init__")
        self.init, self.cls = init, cls
        if cls.decorator_list or cls.keywords or [b for b in cls.bases if ast.unparse(b) != "object"]:
            raise NotUnderstood("a class with bases of its own")
        kept = _kept(init)
        self.lines_made, self.methods = write_into(container.graph, made, container.own, kept, container.program.tf)
        super().__init__(container, made, Written(cls.name, (), ()))
        _check_names(container, cls)

    def _names(self) -> Names:
        return Names("self", {}, frozenset())

    def _kept(self) -> tuple[str, ...]:
        return ()

    def _beginning(self, indent: int, gap: bool) -> list[str]:
        lines = [line for text in self.lines_made for line in text.splitlines()]
        return [""] * gap + [" " * indent + line for line in [*self.container.comments, *lines]]

    def lines(self, body: Body, indent: int, after: int) -> list[str]:
        if body is not self.init.body:
            return super().lines(body, indent, after)
        text = ast.get_docstring(self.init) is not None
        head = super().lines(body[:text], indent, after)
        end = body[0].end_lineno or 0 if text else after
        return [*head, " " * indent + "super().__init__()", *super().lines(body[text:], indent, end)]

    def _statement(self, statement: ast.stmt, indent: int, lead: int) -> list[str]:
        if statement is not self.cls:
            return super()._statement(statement, indent, lead)
        comments = self.program.block(lead, first_line(statement) - 1, 0)
        end = statement.lineno
        while not self.program.lines[end - 1].split("#")[0].rstrip().endswith(":"):
            end += 1
        inside = self.lines(self.cls.body, 4, end)
        head = f"class {self.cls.name}({self.program.tf}.keras.Model):"
        return [*comments, head, *inside, *self.methods]


def _kept(init: ast.FunctionDef) -> frozenset[str]:
    """Names that the constructor keeps as attributes of the same name, once."""
    stores = [key_of(n) for n in ast.walk(init) if isinstance(getattr(n, "ctx", None), ast.Store)]
    plain = [
        (key_of(s.targets[0]), key_of(s.value)) for s in init.body if isinstance(s, ast.Assign) and len(s.targets) == 1
    ]
    names = {value for target, value in plain if target == f"self.{value}" and value}
    return frozenset(n for n in names if stores.count(n) == 0 and stores.count(f"self.{n}") == 1)


def _check_names(container: Container, cls: ast.ClassDef) -> None:
    """Attributes and methods of the class must be none that a module has already."""
    main: Sequence[ast.stmt] = list(container._main())
    stored = {key_of(n).removeprefix("self.") for s in main for n in ast.walk(s) if isinstance(n, ast.Attribute)
              and isinstance(n.ctx, ast.Store)}  # fmt: skip
    names = stored | {s.name for s in cls.body if isinstance(s, ast.FunctionDef)}
    clash = sorted(names & (TAKEN | {"training"}))
    if clash:
        raise NotUnderstood(f"`{clash[0]}`, which a module has already")
    if any(isinstance(n, ast.Name) and n.id == "super" for n in ast.walk(cls)):
        raise NotUnderstood("a class with bases of its own")
