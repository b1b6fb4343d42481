"""Units that refer to each other: none can be run before the others are written, so they are asked about at once."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from migrator.llm import semantics
from migrator.llm.candidate import Candidate
from migrator.llm.fragment import Contract, Fragment, Neighbour
from migrator.llm.gate_interface import bound
from migrator.llm.packing import tokens

MOST = 4
"""Units that are asked about at once."""

LARGEST = 2500
"""Tokens of their originals."""


def problem(members: Sequence[Fragment]) -> str:
    """Why units that refer to each other cannot be asked about at once; "" where they can."""
    if len(members) > MOST:
        return f"{len(members)} units are more than are written at once ({MOST})"
    if len({member.path for member in members}) > 1:
        return "they are in several files"
    if any(member.contract.statements or not member.contract.definitions for member in members):
        return "one of them is a script"
    size = sum(tokens(member.original) for member in members)
    return f"they are {size} tokens long, more than are written at once ({LARGEST})" if size > LARGEST else ""


def together(members: Sequence[Fragment]) -> Fragment:
    """One fragment for all of them, in the order of the file; its id is the first one's."""
    first = members[0]
    original = "\n\n".join(member.original for member in members)
    apis = _unique(api for member in members for api in member.apis)
    acceptance = [line for member in members for line in (f"`{member.name}`:", *member.acceptance)]
    return replace(
        first,
        name=", ".join(member.name for member in members),
        kind="units that refer to each other: write all of them",
        original=original,
        contract=_contract(members, original),
        apis=apis,
        frame=None,
        draft="",
        reasons=_unique(line for member in members for line in member.reasons),
        interface=_unique(line for member in members for line in member.interface),
        facts=_unique(f"{member.name}: {line}" for member in members for line in member.facts),
        uses=_others(members, [n for member in members for n in member.uses]),
        used_by=_others(members, [n for member in members for n in member.used_by]),
        differences=semantics.about(apis, original),
        acceptance=tuple(acceptance),
        examples=tuple(dict.fromkeys(e for member in members for e in member.examples))[:2],
        imports=_unique(line for member in members for line in member.imports),
    )


def _contract(members: Sequence[Fragment], original: str) -> Contract:
    own = {definition.name for member in members for definition in member.contract.definitions}
    held = [member.contract for member in members]
    return replace(
        held[0],
        original=original,
        definitions=tuple(d for contract in held for d in contract.definitions),
        taken=frozenset(name for contract in held for name in contract.taken) - own,
        imports=_unique(line for contract in held for line in contract.imports),
    )


def _others(members: Sequence[Fragment], found: Sequence[Neighbour]) -> tuple[Neighbour, ...]:
    names = {(member.path, member.name) for member in members}
    return tuple(dict.fromkeys(n for n in found if (n.path, n.name) not in names))


def _unique(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))


def apart(found: Candidate, members: Sequence[Fragment]) -> list[Candidate]:
    """What a candidate for all of them is for each, in their order; what belongs to none is the first one's helper."""
    owners = {d.name: number for number, member in enumerate(members) for d in member.contract.definitions}
    pieces: list[list[str]] = [[] for _ in members]
    helpers = list(found.helpers)
    lines, at = found.code.split("\n"), 0
    for node in ast.parse(found.code).body:
        text = "\n".join(lines[at : node.end_lineno]).strip("\n")
        at = node.end_lineno or at
        owner = next((owners[name] for name in bound(node) if name in owners), None)
        (helpers if owner is None else pieces[owner]).append(text)
    parts = [replace(found, code="\n\n\n".join(piece) + "\n", helpers=()) for piece in pieces]
    return [replace(parts[0], helpers=tuple(helpers)), *(_silent(part) for part in parts[1:])]


def _silent(part: Candidate) -> Candidate:
    """What the model said of all of them is said once."""
    return replace(part, assumptions=(), not_kept=())
