"""The body of a helper function in the place of a statement that calls it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.codemods.graphs.program import Program, first_line, key_of
from migrator.codemods.graphs.unfolding.functions import Helper, as_expression, outside_names
from migrator.codemods.graphs.unfolding.text import Text, edited, in_one_line, renames


def with_expressions(text: Text, program: Program, known: Mapping[str, Helper]) -> Text | None:
    """The text with one call of a maker of variables written out; None where there is none."""
    inside = {id(n) for helper in known.values() for n in ast.walk(helper.node)}
    for node in ast.walk(program.tree):
        helper = known.get(key_of(node.func)) if isinstance(node, ast.Call) and id(node) not in inside else None
        if helper is None or not helper.maker or not isinstance(node, ast.Call) or _hides(program, node, helper):
            continue
        given = helper.arguments(node)
        value = None if given is None else as_expression(helper.node, given)
        if value is not None:
            return _with_value(text, node, ast.unparse(value))
    return None


def _hides(program: Program, call: ast.Call, helper: Helper) -> bool:
    """Whether names that a helper has from outside mean something else where it is called."""
    bound: set[str] = set()
    for node in ast.walk(program.tree):
        if isinstance(node, ast.FunctionDef) and any(n is call for n in ast.walk(node)):
            bound |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            bound |= {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)} - {"self"}
    return bool(bound & outside_names(helper.node))


def _with_value(text: Text, node: ast.expr, source: str) -> Text:
    if in_one_line(node):
        return text.edited([(node.lineno, node.col_offset, node.end_col_offset or 0, source)])
    first, last = node.lineno, node.end_lineno or node.lineno
    head = text.lines[first - 1].encode()[: node.col_offset].decode()
    tail = text.lines[last - 1].encode()[node.end_col_offset or 0 :].decode()
    return text.replaced(first, last, [head + source + tail])


@dataclass(frozen=True)
class Site:
    """A statement that is nothing but the call of a helper, and what it binds."""

    statement: ast.Assign | ast.Expr
    call: ast.Call
    helper: Helper

    @property
    def targets(self) -> tuple[ast.expr, ...]:
        if isinstance(self.statement, ast.Expr):
            return ()
        target = self.statement.targets[0]
        return tuple(target.elts) if isinstance(target, ast.Tuple | ast.List) else (target,)


def with_statements(text: Text, program: Program, known: Mapping[str, Helper]) -> Text | None:
    """The text with one statement that calls a helper written out; None where there is none."""
    inside = {id(n) for helper in known.values() for n in ast.walk(helper.node)}
    for block in _blocks(program.tree):
        for statement in block:
            site = None if id(statement) in inside else _site(statement, known)
            lines = None if site is None or _hides(program, site.call, site.helper) else _Body(site, program).lines()
            if lines is not None:
                comments = _trailing(text, statement)
                return text.replaced(first_line(statement), statement.end_lineno or 0, [*comments, *lines])
    return None


def _blocks(node: ast.AST) -> Iterator[Sequence[ast.stmt]]:
    """Blocks of statements, those of loops and branches left out."""
    body = getattr(node, "body", [])
    yield body
    for statement in body:
        if isinstance(statement, ast.With | ast.FunctionDef | ast.ClassDef):
            yield from _blocks(statement)


def _site(statement: ast.stmt, known: Mapping[str, Helper]) -> Site | None:
    if not isinstance(statement, ast.Assign | ast.Expr) or not isinstance(statement.value, ast.Call):
        return None
    helper = known.get(key_of(statement.value.func))
    if helper is None or (isinstance(statement, ast.Assign) and len(statement.targets) > 1):
        return None
    return Site(statement, statement.value, helper)


def _trailing(text: Text, statement: ast.stmt) -> list[str]:
    """The comment at the end of a statement, on a line of its own."""
    rest = text.lines[(statement.end_lineno or 1) - 1].encode()[statement.end_col_offset or 0 :].decode().strip()
    return [" " * statement.col_offset + rest] if rest.startswith("#") else []


class _Body:
    """Writes the body of a helper for one site."""

    def __init__(self, site: Site, program: Program) -> None:
        self.site, self.program, self.node = site, program, site.helper.node
        self.inner = [n for statement in site.helper.body for n in ast.walk(statement)]
        self.stored = {n.id for n in self.inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.taken = self._outside()

    def _outside(self) -> set[str]:
        """Names that the file has outside of the helper."""
        own = {id(n) for n in ast.walk(self.node)}
        nodes = [n for n in ast.walk(self.program.tree) if id(n) not in own]
        found = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
        named = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef))
        return (
            found
            | {n.name for n in named}
            | {a.asname or a.name for n in nodes if isinstance(n, ast.alias) for a in [n]}
        )

    def lines(self) -> list[str] | None:
        """The statements; None where they cannot stand here."""
        given = self.site.helper.arguments(self.site.call)
        if given is None:
            return None
        returned = self._returned()
        if self.site.targets and (returned is None or len(returned) != len(self.site.targets)):
            return None
        names, first = self._parameters(given)
        names |= self._results(returned or (), given)
        names |= {name: self._free(name, names) for name in sorted(self.stored - names.keys()) if name in self.taken}
        return [*first, *self._written(names, returned or ())]

    def _returned(self) -> tuple[ast.expr, ...] | None:
        found = next((n for n in self.inner if isinstance(n, ast.Return)), None)
        if found is None or found.value is None:
            return None
        value = found.value
        many = isinstance(value, ast.Tuple | ast.List) and len(self.site.targets) != 1
        return tuple(value.elts) if many and isinstance(value, ast.Tuple | ast.List) else (value,)

    def _parameters(self, given: Mapping[str, ast.expr]) -> tuple[dict[str, str], list[str]]:
        """What stands for the parameters, and statements that give some of them a name first."""
        names, first = dict[str, str](), list[str]()
        for name, value in given.items():
            uses = sum(isinstance(n, ast.Name) and n.id == name for n in self.inner)
            plain = isinstance(value, ast.Name | ast.Constant | ast.Attribute)
            once = uses == 1 and not any(isinstance(n, ast.Call) for n in ast.walk(value))
            own = {key_of(n) for n in ast.walk(value)} & self.stored
            if name not in self.stored and (plain or once) and not own:
                source = ast.unparse(value)
                names[name] = source if plain or isinstance(value, ast.List | ast.Tuple) else f"({source})"
            else:
                names[name] = self._free(name, names) if name in self.taken else name
                first.append(f"{' ' * self.site.statement.col_offset}{names[name]} = {ast.unparse(value)}")
        return names, first

    def _results(self, returned: Sequence[ast.expr], given: Mapping[str, ast.expr]) -> dict[str, str]:
        """Names of the body that are called what the site calls them."""
        found: dict[str, str] = {}
        read = {key_of(n) for value in given.values() for n in ast.walk(value)}
        for value, target in zip(returned, self.site.targets, strict=False):
            name, wish = key_of(value), key_of(target)
            single = sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in self.inner)
            known = name in self.stored and name not in given and wish and wish not in read
            if known and (single == 1 or "." not in wish) and wish not in self.stored - {name} and name not in found:
                found[name] = wish
        return found

    def _free(self, name: str, names: Mapping[str, str]) -> str:
        wish = f"{self.node.name.strip('_')}_{name}"
        while wish in self.taken | self.stored or wish in names.values():
            wish += "_"
        return wish

    def _written(self, names: Mapping[str, str], returned: Sequence[ast.expr]) -> list[str]:
        edits = [edit for statement in self.site.helper.body for edit in renames(statement, names)]
        lines = edited(self.program.lines, edits)
        last = next((n for n in self.inner if isinstance(n, ast.Return)), None)
        body = self.site.helper.body
        start = self.program.lead(body[0], body[0].lineno - 1)
        while start - 1 > self.node.lineno and self.program.lines[start - 2].strip().startswith("#"):
            start -= 1
        end = body[-1].end_lineno or 0
        by = self.site.statement.col_offset - body[0].col_offset
        stop = end if last is None else last.lineno - 1
        out = _moved(lines[start - 1 : stop], by)
        if last is not None:
            out += self._end(last, names, returned, " " * (last.col_offset + by))
        return out

    def _end(self, last: ast.Return, names: Mapping[str, str], returned: Sequence[ast.expr], lead: str) -> list[str]:
        """What the site binds, where it has not its name already."""
        sources = [_renamed(value, names) for value in returned]
        targets = [ast.unparse(target) for target in self.site.targets]
        lines = [f"{lead}{t} = {s}" for t, s in zip(targets, sources, strict=False) if t != s]
        if not targets and any(isinstance(n, ast.Call) for value in returned for n in ast.walk(value)):
            lines = [f"{lead}{source}" for source in sources]
        alone = isinstance(self.site.helper.body[-1], ast.With) and self.site.helper.body[-1].body == [last]
        return lines or [f"{lead}pass"] * alone


def _moved(lines: Sequence[str], by: int) -> list[str]:
    if by >= 0:
        return [" " * by + line if line.strip() else line for line in lines]
    return [line[-by:] if not line[:-by].strip() else line.lstrip() for line in lines]


def _renamed(node: ast.expr, names: Mapping[str, str]) -> str:
    class Put(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return ast.parse(names[name.id], mode="eval").body if name.id in names else name

    return ast.unparse(Put().visit(ast.parse(ast.unparse(node), mode="eval").body))


def removed(text: Text, program: Program, names: Collection[str]) -> Text:
    """The text without some functions and methods."""
    nodes = [n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef)]
    for node in sorted(nodes, key=lambda n: -n.lineno):
        if node.name in names:
            first = program.lead(node, 0)
            last = node.end_lineno or node.lineno
            while last < len(text.lines) and not text.lines[last].strip():
                last += 1
            text = text.replaced(first, last, [])
    return text
