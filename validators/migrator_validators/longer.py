"""Both programs with another number of epochs, where that stands in their texts and nobody can give it."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from migrator_validators.recorded_cases import EPOCHS
from migrator_validators.workers import Tree


def longer(source: Tree, target: Tree, epochs: int) -> tuple[Tree, Tree] | None:
    """Both trees with `epochs` in the place of every smaller number of epochs; lines stay where they are.

    A file is changed where both sides have the same numbers in it. None: there is no such file.
    """
    ours, theirs = _files(source), _files(target)
    changed: dict[str, tuple[bytes, bytes]] = {}
    for path in ours.keys() & theirs.keys():
        one, other = _stated(path, ours[path]), _stated(path, theirs[path])
        if one and sorted(n.value for n in one) == sorted(n.value for n in other):
            changed[path] = _with(ours[path], one, epochs), _with(theirs[path], other, epochs)
    if not changed:
        return None
    return (
        _packed(source, ours | {path: texts[0] for path, texts in changed.items()}),
        _packed(target, theirs | {path: texts[1] for path, texts in changed.items()}),
    )


def _files(tree: Tree) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(tree.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(tree: Tree, files: Mapping[str, bytes]) -> Tree:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return replace(tree, data=buffer.getvalue())


@dataclass(frozen=True)
class _Stated:
    """A number of epochs and its place: line, first and last column."""

    value: int
    line: int
    start: int
    end: int


def _stated(path: str, content: bytes) -> list[_Stated]:
    """The numbers of epochs in a file."""
    if not path.endswith(".py"):
        return []
    try:
        found = [value for node in ast.walk(ast.parse(content)) for value in _of(node)]
    except (SyntaxError, ValueError):
        return []
    numbers = (v for v in found if isinstance(v, ast.Constant))
    return [
        _Stated(n.value, n.lineno, n.col_offset, n.end_col_offset or 0) for n in numbers if isinstance(n.value, int)
    ]


def _of(node: ast.AST) -> Iterator[ast.expr | None]:
    """What a node says to be a number of epochs."""
    if isinstance(node, ast.Call):
        yield from (k.value for k in node.keywords if _means(k.arg))
        yield from _option(node)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_means(_name(target)) for target in targets):
            yield node.value
    elif isinstance(node, ast.FunctionDef):
        named = [*node.args.posonlyargs, *node.args.args]
        defaults = zip(named[len(named) - len(node.args.defaults) :], node.args.defaults, strict=True)
        yield from (value for arg, value in defaults if _means(arg.arg))
        yield from (v for a, v in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if _means(a.arg))
    elif isinstance(node, ast.For) and "epoch" in _name(node.target):
        yield from (c.args[0] for c in ast.walk(node.iter) if isinstance(c, ast.Call) and _is_range(c))


def _option(call: ast.Call) -> Iterator[ast.expr]:
    """The default of an option: `add_argument("--epochs", default=3)`, `DEFINE_integer("epochs", 3)`."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and _means(first.value.lstrip("-")):
        yield from (k.value for k in call.keywords if k.arg == "default")
        yield from call.args[1:2]


def _is_range(call: ast.Call) -> bool:
    return _name(call.func) in ("range", "trange") and len(call.args) == 1


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _means(name: str | None) -> bool:
    return name is not None and name.lower().replace("-", "_") in EPOCHS


def _with(content: bytes, places: list[_Stated], epochs: int) -> bytes:
    lines = content.splitlines(keepends=True)
    for place in sorted(places, key=lambda p: (p.line, p.start), reverse=True):
        line, larger = lines[place.line - 1], max(epochs, place.value)
        lines[place.line - 1] = b"%s%d%s" % (line[: place.start], larger, line[place.end :])
    return b"".join(lines)
