"""Which unit refers to which, by the names that it reads where it stands."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from migrator.codemods.files import FileDraft, Part
from migrator.codemods.graph import Module, references, resolve
from migrator.codemods.splitting import reads_first
from migrator.codemods.tf_imports import global_reads
from migrator.codemods.units import MAIN, bound_names
from migrator.model import UnitKind

Edges = Mapping[str, frozenset[str]]
"""A unit's id → those of the units that it refers to."""


def edges_of(drafts: Mapping[str, FileDraft], imported: Mapping[str, Mapping[str, tuple[str, str | None]]]) -> Edges:
    """Which units each unit of the files refers to; `imported`: what imports bind, by module and name."""
    files = drafts.values()
    modules = {f.module: Module(f.module, _defined(f.parts), imported[f.module]) for f in files}
    return {
        part.segment.unit.id: _targets(part, file, modules)
        for file in files
        for part in file.parts
        if part.segment.unit.kind is not UnitKind.IMPORTS
    }


def _defined(parts: Sequence[Part]) -> dict[str, str]:
    """The unit that binds each name last."""
    return {
        name: part.segment.unit.id
        for part in parts
        if part.segment.unit.kind is not UnitKind.IMPORTS and part.segment.unit.name != MAIN
        for statement in part.segment.statements
        for name in bound_names(statement)
    }


def _declared_global(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


def _defined_there(part: Part, file: FileDraft, everywhere: Mapping[str, str]) -> dict[str, str]:
    """Which unit binds a name for a script's lines: they run where they stand, and read what was bound before."""
    before = _defined(file.parts[: file.parts.index(part)])
    own = _defined((part,))
    first = reads_first(part.segment.statements, file.code)
    return {**everywhere, **own, **{name: unit for name, unit in before.items() if name in first or name not in own}}


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None  # a draft that is no Python, which the verifier says


def _targets(part: Part, file: FileDraft, modules: Mapping[str, Module]) -> frozenset[str]:
    original = "".join(file.code(statement) for statement in part.segment.statements)
    here = modules[file.module]
    if part.segment.unit.kind is UnitKind.SCRIPT:
        here = replace(here, defined=_defined_there(part, file, here.defined))
    texts = [original] if part.draft is None or part.draft.declines else [original, part.draft.text]
    trees = [tree for text in texts if (tree := _parsed(text)) is not None]
    names = frozenset().union(here.imported, *map(global_reads, texts), *map(_declared_global, trees))
    found = {resolve(parts, here, modules) for parts in references(trees) if parts[0] in names}
    return frozenset(unit for unit in found if unit is not None and unit != part.segment.unit.id)
