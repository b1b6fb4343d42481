"""What a unit must go on defining, read off its original and the interface changes that are permitted to it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from migrator.codemods.files import FileDraft, Part
from migrator.codemods.units import bound_names
from migrator.llm.fragment import Contract, Definition, Parameter
from migrator.llm.gate_interface import parameters
from migrator.model import InterfaceChange, UnitKind

Function = ast.FunctionDef | ast.AsyncFunctionDef

DROPPED_METHODS = frozenset(
    {"build", "get_config", "from_config", "compute_output_shape", "compute_output_spec", "compute_mask", "summary"}
)
"""Keras's protocol, which a module has no use for."""


def contract(file: FileDraft, part: Part, changes: Sequence[InterfaceChange], repository: frozenset[str]) -> Contract:
    """The contract of a unit. `changes`: of the whole repository; `repository`: its top-level modules."""
    original = "".join(file.code(statement) for statement in part.segment.statements)
    kind = part.draft.kind if part.draft is not None else part.segment.unit.kind
    mine = {c.qualname: [d for d in changes if d.qualname == c.qualname] for c in changes}
    found = tuple(d for node in ast.parse(original).body for d in _definitions(node, file.module, mine, kind))
    own = {d.name for d in found} | {n for s in part.segment.statements for n in bound_names(s)}
    return Contract(
        original,
        definitions=found,
        taken=frozenset(_taken(file, part)) - own,
        imports=tuple(_imports(file, original)),
        tf_names=file.tf_bindings,
        repository=repository,
        statements=kind is UnitKind.SCRIPT or part.segment.unit.kind is UnitKind.SCRIPT,
    )


def _definitions(
    node: ast.stmt, module: str, changes: Mapping[str, Sequence[InterfaceChange]], kind: UnitKind
) -> Iterator[Definition]:
    if isinstance(node, Function):
        mine = changes.get(f"{module}:{node.name}", ())
        added, removed = _sizes(mine)
        replaced = next((c.detail.rpartition(" ")[2] for c in mine if c.kind == "factory-to-module"), "")
        given = parameters(node.args)
        yield Definition(replaced or node.name, "class" if replaced else "function", given, added, removed)
    elif isinstance(node, ast.ClassDef):
        yield _class(node, module, changes)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and kind is not UnitKind.SCRIPT:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (Definition(t.id, "value") for t in targets if isinstance(t, ast.Name))


def _class(node: ast.ClassDef, module: str, changes: Mapping[str, Sequence[InterfaceChange]]) -> Definition:
    qualname = f"{module}:{node.name}"
    is_module = any(c.kind == "call-to-forward" for c in changes.get(f"{qualname}.call", ()))
    inner = [c for name, found in changes.items() if name.startswith(f"{qualname}.") for c in found]
    added, removed = _sizes([*changes.get(qualname, ())])
    removed = (*removed, *(name for c in inner for name in c.removed))
    methods = {n.name: parameters(n.args) for n in node.body if isinstance(n, Function)}
    static = {n.name for n in node.body if isinstance(n, Function) and _is_static(n)}
    init = methods.pop("__init__", None)
    kept = []
    for name, found in methods.items():
        if is_module and name in DROPPED_METHODS:
            continue
        new = "forward" if is_module and name == "call" else name
        kept.append((new, found if name in static else found[1:]))
    return Definition(node.name, "class", None if init is None else init[1:], added, removed, tuple(kept))


def _is_static(node: Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)


def _sizes(changes: Sequence[InterfaceChange]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    added = tuple(name for c in changes for name in c.added)
    removed = tuple(name for c in changes for name in c.removed)
    return added, removed


def _taken(file: FileDraft, part: Part) -> Iterator[str]:
    """Names of the file that are not the unit's: other units', and what the imports bind."""
    for other in file.parts:
        if other is not part:
            for statement in other.segment.statements:
                yield from (n for n in bound_names(statement) if n not in file.tf_bindings)
            yield from (helper.name for helper in (other.draft.helpers if other.draft else ()))


def _imports(file: FileDraft, original: str) -> Iterator[str]:
    """Import statements of the file that bind something which the unit reads, one name each."""
    read = {n.id for n in ast.walk(ast.parse(original)) if isinstance(n, ast.Name)}
    for other in file.parts:
        if other.segment.unit.kind is not UnitKind.IMPORTS:
            continue
        text = "".join(file.code(statement) for statement in other.segment.statements)
        for node in ast.parse(text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name.split(".")[0]) in read:
                        yield _one(node, alias)


def _one(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    if isinstance(node, ast.Import):
        return ast.unparse(ast.Import([alias]))
    return ast.unparse(ast.ImportFrom(node.module, [alias], node.level))


__all__ = ["Parameter", "contract"]
