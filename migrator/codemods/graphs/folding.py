"""Drafts of a file in other words become drafts of the original's units."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Draft
from migrator.codemods.files import FileDraft, Part, split_lead
from migrator.codemods.graphs.modern import Modern, has_graph
from migrator.codemods.graphs.weights import graph_records
from migrator.codemods.positions import Positions
from migrator.codemods.repository import RepositoryDraft, with_files
from migrator.codemods.units import Segment, segment
from migrator.model import Decline, InterfaceChange, SourceFile, UnitKind
from migrator.values import Facts


def cuts(source: str, path: str, modern: Modern, facts: Facts, module: str) -> frozenset[int]:
    """Lines of the file in other words at which a unit of the original begins."""
    starts = _of_lines(modern, _segments(source, path, facts, module)[1])
    return frozenset(n + 1 for n, unit in enumerate(starts) if n and unit != starts[n - 1])


def folded(
    draft: RepositoryDraft,
    files: Sequence[SourceFile],
    modern: Mapping[str, Modern],
    facts: Facts,
    packages: Collection[str],
) -> RepositoryDraft:
    """The drafts of the whole repository in terms of the original `files`; `facts` are those of the originals."""
    trees = {f.module: ast.parse(f.text) for f in files if f.text is not None and f.module is not None}
    drafts = dict(draft.files)
    for file in files:
        path = str(file.path)
        if path in modern and path in drafts:
            drafts[path] = _file(drafts[path], file, modern[path], facts)
    ties = [_tied(drafts[path], one) for path, one in modern.items() if path in drafts]
    paths = {f.module: str(f.path) for f in files if f.module is not None}
    ties += [_grouped(drafts, paths, group) for one in modern.values() for group in one.groups]
    more: dict[str, frozenset[str]] = {}
    for unit, ids in (pair for tied in ties for pair in tied.items()):
        more[unit] = more.get(unit, frozenset()) | ids
    return with_files(drafts, trees, packages, more)


def _tied(file: FileDraft, modern: Modern) -> dict[str, frozenset[str]]:
    """What units depend on without naming it: those of one graph on each other, its end on all graphs."""
    graph = frozenset(p.segment.unit.id for p in file.parts if _is_within(p, modern.script))
    every = graph | {p.segment.unit.id for p in file.parts if has_graph(p.segment.unit.uses)}
    ends = {p.segment.unit.id: every for p in file.parts if _is_within(p, modern.ends)}
    return {**{unit: graph - {unit} for unit in graph}, **{unit: ids - {unit} for unit, ids in ends.items()}}


def _grouped(
    drafts: Mapping[str, FileDraft], paths: Mapping[str, str], group: Collection[tuple[str, int]]
) -> dict[str, frozenset[str]]:
    """What units of one graph in several files depend on: each other."""
    ids = {
        part.segment.unit.id
        for module, line in group
        for part in (drafts[paths[module]].parts if paths.get(module) in drafts else ())
        if _is_within(part, (line,))
    }
    return {unit: frozenset(ids - {unit}) for unit in ids}


def _is_within(part: Part, lines: Collection[int]) -> bool:
    return any(part.segment.unit.start <= line <= part.segment.unit.end for line in lines)


def _segments(source: str, path: str, facts: Facts, module: str) -> tuple[Positions, tuple[Segment, ...]]:
    tree = cst.parse_module(source)
    positions = Positions(tree)
    return positions, segment(path, tree, positions.spans, facts.modules[module])


def _of_lines(modern: Modern, segments: Sequence[Segment]) -> list[int]:
    """For each line of the file in other words the unit of the original, by position, that it stems from."""
    ends = [s.unit.end for s in segments]
    return [min((i for i, end in enumerate(ends) if line <= end), default=len(ends) - 1) for line in modern.lines]


def _file(made: FileDraft, file: SourceFile, modern: Modern, facts: Facts) -> FileDraft:
    source, module = file.text or "", file.module or ""
    positions, segments = _segments(source, str(file.path), facts, module)
    of_lines = _of_lines(modern, segments)
    parts = []
    for number, own in enumerate(segments):
        inside = [p for p in made.parts if of_lines[p.segment.unit.start - 1] == number]
        draft = _folded(own, inside, made, positions, _reasons(modern, own))
        draft = None if draft is None else _with_order(draft, modern, module)
        parts.append(Part(own, draft if draft is None else _as_module(draft, own, modern, module)))
    return replace(made, tree=positions.tree, parts=_together(tuple(parts), modern), positions=positions)


def _with_order(draft: Draft, modern: Modern, module: str) -> Draft:
    """The draft with the weights of its graphs in the order in which the original makes them."""
    nodes = tuple(
        InterfaceChange(f"{module}:{name}", "renames", f"{name} was a node of the graph")
        for name in sorted(modern.nodes)
    )
    sessions = tuple(
        InterfaceChange(f"{module}:{cls}", "drops-parameter", f"no longer takes {name}", removed=(name,))
        for cls, name in modern.dropped.items()
    )
    lines = "\n".join(line for line in draft.text.splitlines() if line.strip() not in modern.idle)
    return replace(
        draft,
        text=lines + "\n" if lines else "",
        imports=draft.imports | {line for cls, line in modern.layers.items() if re.search(rf"\b{cls}\b", lines)},
        weights=graph_records(draft.weights, modern.pieces, module),
        changes=(*draft.changes, *nodes, *sessions),
    )


def _as_module(draft: Draft, own: Segment, modern: Modern, module: str) -> Draft:
    """A function that is a layer now has another name, and is made before it is called; or it is there no more."""
    cls = modern.blocks.get(own.unit.name)
    if own.unit.name in modern.written_out:
        gone = InterfaceChange(f"{module}:{own.unit.name}", "written-out", "stands where it was called")
        return replace(draft, changes=(*draft.changes, gone))
    if cls is None:
        return draft
    change = InterfaceChange(f"{module}:{own.unit.name}", "factory-to-module", f"became the module {cls}")
    return replace(draft, changes=(*draft.changes, change))


def _reasons(modern: Modern, own: Segment) -> tuple[Decline, ...]:
    """Why a graph in a unit was not understood."""
    found = (why for line, why in modern.reasons.items() if own.unit.start <= line <= own.unit.end)
    return tuple(Decline(f"a graph of TensorFlow 1: {why}") for why in dict.fromkeys(found))


def _folded(
    own: Segment, inside: Sequence[Part], made: FileDraft, positions: Positions, reasons: tuple[Decline, ...]
) -> Draft | None:
    """What became of a unit, from all that stands in its place; None where that is the unit itself."""
    if own.unit.kind is UnitKind.IMPORTS:
        return None
    original = "".join(positions.code(statement) for statement in own.statements)
    texts = ["".join(made.code(s) for s in part.segment.statements) for part in inside]
    same = "".join(texts).strip() == original.strip()
    if same and not reasons and all(part.draft is None for part in inside):
        return None
    drafts = [part.draft for part in inside if part.draft is not None]
    text = _without(split_lead(original)[0], _text(inside, texts))
    kind = own.unit.kind if len(drafts) != 1 or len(inside) != 1 else drafts[0].kind
    declines = tuple(replace(d, span=None) for draft in drafts for d in draft.declines)
    return _joined(drafts, text, kind, (*reasons, *declines))


def _text(inside: Sequence[Part], texts: Sequence[str]) -> str:
    """The new text; the comments above the first statement stay with the file."""
    out = []
    for number, (part, text) in enumerate(zip(inside, texts, strict=True)):
        lead, rest = split_lead(text)
        body = rest if part.draft is None else _hoisted(part.draft) + part.draft.text.strip("\n") + "\n"
        out.append(body if not number else lead + body)
    return "".join(out)


def _without(lead: str, text: str) -> str:
    """The text without the comments that stay above the unit; a class that it begins with has blank lines before."""
    lines = text.splitlines()
    for comment in (line.strip() for line in lead.splitlines() if line.strip()):
        at = next((i for i, line in enumerate(lines) if line.strip() == comment), None)
        if at is not None:
            del lines[at]
    apart = not lead.endswith("\n\n")
    return "\n\n" * (apart and text.startswith("class ")) + "".join(f"{line}\n" for line in lines)


def _hoisted(draft: Draft) -> str:
    return draft.hoisted.strip("\n") + "\n\n\n" if draft.hoisted.strip() else ""


def _joined(drafts: Sequence[Draft], text: str, kind: UnitKind, declines: tuple[Decline, ...]) -> Draft:
    return Draft(
        text,
        kind,
        declines=tuple(dict.fromkeys(declines)),
        imports=frozenset(line for d in drafts for line in d.imports),
        helpers=tuple(dict.fromkeys(h for d in drafts for h in d.helpers)),
        changes=tuple(c for d in drafts for c in d.changes),
        weights=tuple(w for d in drafts for w in d.weights),
        gaps=frozenset(gap for d in drafts for gap in d.gaps),
        notes=tuple(dict.fromkeys(n for d in drafts for n in d.notes)),
        needs_device=any(d.needs_device for d in drafts),
        has_logits={k: v for d in drafts for k, v in d.has_logits.items()},
        has_penalty=frozenset(n for d in drafts for n in d.has_penalty),
        has_shapes=frozenset(n for d in drafts for n in d.has_shapes),
    )


def _together(parts: tuple[Part, ...], modern: Modern) -> tuple[Part, ...]:
    """A graph that several units build is migrated whole or not at all."""
    own = [p for p in parts if _is_within(p, modern.script)]
    why = next((d for p in own if p.draft for d in p.draft.declines), None)
    if why is None:
        return parts
    also = Decline(f"the graph of which it is part stays TensorFlow: {why.reason}")
    return tuple(
        replace(p, draft=replace(p.draft, declines=(also,))) if p in own and p.draft and not p.draft.declines else p
        for p in parts
    )
