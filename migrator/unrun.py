"""Lines that no check ran: what is rewritten there was compared by nothing."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrator_validators.probes.branches import name, parts

from migrator.model import Outcome, Rung, UnitKind, UnitRewrite, Verdict

Function = ast.FunctionDef | ast.AsyncFunctionDef
Body = list[ast.stmt]


@dataclass(frozen=True)
class Ran:
    """Lines of both files that the checks of accepted units ran, 1-based; parts of the target's lines, as
    `branches.name` calls them, None where they are not known."""

    source: frozenset[int] = frozenset()
    target: frozenset[int] = frozenset()
    parts: frozenset[str] | None = None


@dataclass(frozen=True)
class _Line:
    """A statement, or the head of one: its text without layout, and the lines that it takes."""

    text: str
    start: int
    end: int
    raises: bool

    def is_in(self, lines: Collection[int]) -> bool:
        return any(line in lines for line in range(self.start, self.end + 1))


def of_path(reached: Iterable[Collection[str]], path: str) -> Ran:
    """The lines of a file among what checks reached: "path#line", with "source " before it for the original's."""
    names = list(itertools.chain.from_iterable(reached))
    source, target = ([n[len(start) :] for n in names if n.startswith(start)] for start in _starts(path))
    parts = frozenset(name for name in target if ":" in name)
    return Ran(_numbers(source), _numbers(target), parts or None)


def _numbers(names: Iterable[str]) -> frozenset[int]:
    return frozenset(int(name) for name in names if ":" not in name)


def _starts(path: str) -> tuple[str, str]:
    return f"source {path}#", f"{path}#"


def lines_verdict(rewrite: UnitRewrite, original: str, migrated: str, ran: Ran) -> Verdict | None:
    """Whether every rewritten line of the unit's functions ran, and every one of the original that is gone.

    `original`, `migrated`: the files' texts. A `raise` is no such line. Of a script what stands at the top level
    counts too. None: there is nothing that runs.
    """
    definitions = _unit_of_target(migrated, rewrite)
    if rewrite.unit.kind is UnitKind.SCRIPT:
        definitions = [d for d in definitions if not _is_formula(d)]
    ours, theirs = _bodies(_unit_of_original(original, rewrite)), _bodies(definitions)
    if rewrite.unit.kind is UnitKind.SCRIPT:
        ours.append(_top(_unit_of_original(original, rewrite)))
        theirs.append(_top(_written(migrated, rewrite)))
    if not theirs:
        return None
    same = {line.text for f in ours for line in _lines(f)}
    kept = {line.text for f in theirs for line in _lines(f)}
    every = [line for f in theirs for line in _lines(f) if not line.raises]
    missed = [line for line in every if not line.is_in(ran.target)]
    new = [line for line in missed if line.text not in same]
    new += _unrun_parts(ours, theirs, ran)
    used = [line for line in _unrun(ours, ran.source) if line.text not in kept]
    notes = (f"lines that never ran: {shown(missed)}",) if missed else ()
    figures = (("lines run", float(len(every) - len(missed))), ("lines", float(len(every))))
    if new or used:
        where = [f"lines {shown(new)}"] if new else []
        where += [f"lines {shown(used)} of the original"] if used else []
        detail = f"rewritten code never ran: {' and '.join(where)}"
        return Verdict(Rung.LINES, Outcome.UNVERIFIABLE, detail, figures, unchecked=notes)
    return Verdict(Rung.LINES, Outcome.PASS, "every rewritten line ran", figures, unchecked=notes)


def shown(lines: Sequence[_Line]) -> str:
    """Line numbers in words: "3, 7-9"."""
    numbers = sorted({n for line in lines for n in range(line.start, line.end + 1)})
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)


def _unrun(bodies: Iterable[Body], ran: Collection[int]) -> Iterator[_Line]:
    """Lines of the original that did not run, of functions that ran as they are written: what AutoGraph made of one
    runs under other line numbers."""
    for body in bodies:
        lines = list(_lines(body))
        if any(line.is_in(ran) for line in lines):
            yield from (line for line in lines if not line.is_in(ran) and not line.raises)


def _unrun_parts(ours: Iterable[Body], theirs: Iterable[Body], ran: Ran) -> list[_Line]:
    """Rewritten parts of lines that never ran, though their line may have: the other value of a condition."""
    if ran.parts is None:
        return []
    same = {ast.unparse(part) for f in ours for part in _parts(f)}
    found = {name(part): part for f in theirs for part in _parts(f)}
    missed = (part for called, part in found.items() if called not in ran.parts)
    texts = ((ast.unparse(part), part) for part in missed if not isinstance(part, ast.Name))
    return [_Line(text, p.lineno, p.lineno, False) for text, p in texts if text not in same and text != "None"]


def _parts(body: Body) -> Iterator[ast.expr]:
    """Parts of a function's lines that run or not while these do, of a `raise` none. Where a GPU is asked for there
    is none."""
    todo: list[ast.AST] = [*body]
    while todo:
        node = todo.pop()
        asked = isinstance(node, ast.IfExp) and "is_available" in ast.unparse(node.test)
        yield from () if asked else parts(node)
        todo += [] if isinstance(node, ast.Raise) else ast.iter_child_nodes(node)


def _unit_of_original(text: str, rewrite: UnitRewrite) -> list[ast.stmt]:
    unit = rewrite.unit
    return [s for s in _body(text) if s.lineno >= unit.start and (s.end_lineno or s.lineno) <= unit.end]


def _unit_of_target(text: str, rewrite: UnitRewrite) -> list[ast.stmt]:
    names = {rewrite.unit.name, *rewrite.defines}
    return [s for s in _body(text) if isinstance(s, Function | ast.ClassDef) and s.name in names]


def _body(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError:
        return []


def _written(text: str, rewrite: UnitRewrite) -> list[ast.stmt]:
    """The statements at the top level of a migrated file that are those of the unit."""
    own = {ast.unparse(statement) for statement in _body(rewrite.text or "")}
    return [s for s in _body(text) if ast.unparse(s) in own]


def _bodies(statements: Iterable[ast.stmt]) -> list[Body]:
    """Of functions and methods, those inside of others too."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    return [node.body for node in nodes if isinstance(node, Function)]


def _is_formula(node: ast.stmt) -> bool:
    """A class that a script's own lines became, which keeps nothing and computes straight on: what the script gets of
    it is compared, and no line of it can be left out."""
    if not isinstance(node, ast.ClassDef):
        return False
    methods = {s.name: s.body for s in node.body if isinstance(s, Function)}
    kept = [ast.unparse(s) for s in methods.get("__init__", []) if not _says_nothing(s)]
    straight = all(isinstance(s, ast.Assign | ast.Return) for s in methods.get("forward", []))
    branches = [p for s in methods.get("forward", []) for p in _parts([s])]
    return set(methods) == {"__init__", "forward"} and kept == ["super().__init__()"] and straight and not branches


def _top(statements: Iterable[ast.stmt]) -> Body:
    """What a script does itself."""
    return [s for s in statements if not isinstance(s, Function | ast.ClassDef)]


def _lines(body: Body) -> Iterator[_Line]:
    """The statements of a function, heads of compound ones alone; without definitions inside and docstrings."""
    todo: list[ast.stmt] = [*body]
    while todo:
        s = todo.pop(0)
        if isinstance(s, Function | ast.ClassDef) or _says_nothing(s):
            continue
        idle = isinstance(s, ast.If) and (_asks_for_channels_first(s.test) or _is_built_once(s))
        names = ("orelse",) if idle else _BLOCKS
        blocks = [block for name in names for block in getattr(s, name, [])]
        blocks += [inner for handler in getattr(s, "handlers", []) for inner in handler.body]
        blocks += [inner for case in getattr(s, "cases", []) for inner in case.body]
        todo = [*(b for b in blocks if isinstance(b, ast.stmt)), *todo]
        if not blocks:
            yield _Line(ast.unparse(s), s.lineno, s.end_lineno or s.lineno, isinstance(s, ast.Raise))
        elif not isinstance(s, ast.Try):
            yield _Line(_head(s), s.lineno, max(s.lineno, blocks[0].lineno - 1), False)


_BLOCKS = ("body", "orelse", "finalbody")


def _asks_for_channels_first(test: ast.expr) -> bool:
    """`K.image_data_format() == "channels_first"`: never so where the original runs with Keras's default, and nothing
    is rewritten there."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, test.comparators[0]]
    asked = any(isinstance(s, ast.Call) and ast.unparse(s.func).endswith("image_data_format") for s in sides)
    return asked and any(isinstance(s, ast.Constant) and s.value == "channels_first" for s in sides)


def _is_built_once(statement: ast.If) -> bool:
    """`if self.built: return` at the head of a `build`, which Keras calls once."""
    test = ast.unparse(statement.test)
    asked = test in ("self.built", "self._built", "hasattr(self, '_built') and self._built")
    return asked and [ast.unparse(s) for s in statement.body] == ["return"]


def _head(statement: ast.stmt) -> str:
    return ast.unparse(statement).splitlines()[0]


def _says_nothing(statement: ast.stmt) -> bool:
    """Docstrings, `pass` and declarations leave no trace when they run."""
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass | ast.Global | ast.Nonlocal | ast.Import | ast.ImportFrom)
