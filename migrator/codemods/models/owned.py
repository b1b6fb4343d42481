"""What a class does with its submodules one by one: `reset_parameters`, `regularization_loss`, `constrain_weights`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from migrator.codemods.models.text import fill, indent, negated

_WIDTH = 106  # of a line that stands in a method

Framed = tuple[tuple[str, ...], list[str]]
"""Lines, and the heads of the loops and tests around them."""


@dataclass(frozen=True)
class Owned:
    """Statements or expressions about one submodule: `frames` are the loops and tests around them."""

    templates: tuple[str, ...]
    target: str
    frames: tuple[str, ...] = ()


def reset_lines(resets: Sequence[Owned]) -> list[str]:
    """The statements, submodules that are treated alike in one loop."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for reset in resets:
        targets = groups.setdefault((reset.frames, reset.templates), [])
        if reset.target not in targets:
            targets.append(reset.target)
    return nested([(frames, _each(templates, targets)) for (frames, templates), targets in groups.items()])


def _each(templates: Sequence[str], targets: Sequence[str]) -> list[str]:
    if len(targets) == 1:
        return [line for t in templates for line in fill(t, {"self": targets[0]}).splitlines()]
    name = "layer" if any("{self}." in t for t in templates) else "weight"
    header = [f"for {name} in ({', '.join(targets)}):"]
    if len(header[0]) > _WIDTH:
        header = [f"for {name} in (", *(f"    {t}," for t in targets), "):"]
    return [*header, *indent([line for t in templates for line in fill(t, {"self": name}).splitlines()])]


def nested(items: Iterable[Framed]) -> list[str]:
    """The lines in their frames; neighbours share what frames they have in common, opposite tests make an `else`."""
    lines: list[str] = []
    tested = ""
    for head, group in itertools.groupby(items, key=lambda item: item[0][:1]):
        if not head:
            lines += [line for _, part in group for line in part]
            tested = ""
            continue
        other = tested and head[0] == f"if {negated(tested)}:"
        lines += ["else:" if other else head[0], *indent(nested([(frames[1:], part) for frames, part in group]))]
        tested = head[0][3:-1] if head[0].startswith("if ") and not other else ""
    return lines


def penalty_lines(given: Sequence[Owned]) -> list[str]:
    """The body of `regularization_loss`: one sum where no test is in the way."""
    penalties = [one for owned in given for one in _tested(owned)]
    groups = itertools.groupby(penalties, key=lambda p: p.frames)
    terms = [term for frames, group in groups for term in _summed(frames, [_term(p) for p in group])]
    if all(not frames for frames, _ in terms):
        return _returned([text for _, text in terms])
    return [*_added(terms), "return loss"]


def _tested(penalty: Owned) -> list[Owned]:
    """The terms of a penalty, with the `if` that one stands under as its innermost frame."""
    found = []
    for template in penalty.templates:
        test, _, term = template.rpartition("\n")
        found.append(replace(penalty, templates=(term.strip(),), frames=(*penalty.frames, *([test] if test else []))))
    return found


def _term(penalty: Owned) -> str:
    return fill(penalty.templates[0], {"self": penalty.target})


Term = tuple[tuple[str, ...], str]


def _summed(frames: tuple[str, ...], terms: list[str]) -> list[Term]:
    """The terms, those of a loop as a sum: `sum(layer.regularization_loss() for layer in self.blocks)`."""
    clauses = [re.fullmatch(r"(for .+|if .+):", frame) for frame in frames]
    line = " ".join([" + ".join(terms), *(c[1] for c in clauses if c)])
    looped = bool(frames) and frames[0].startswith("for ") and all(clauses)
    if looped and len(line) + len("return sum()") <= _WIDTH:
        return [((), f"sum({line})")]
    return [(frames, term) for term in terms]


def _returned(terms: list[str]) -> list[str]:
    line = f"return {' + '.join(terms)}"
    if len(line) <= _WIDTH:
        return [line]
    return ["return (", f"    {terms[0]}", *(f"    + {term}" for term in terms[1:]), ")"]


def _added(terms: list[Term]) -> list[str]:
    """Statements that add the terms up in `loss`, which begins with those that nothing stands around."""
    first = list(itertools.takewhile(lambda term: not term[0], terms))
    start = " + ".join(text for _, text in first) or "0.0"
    if len(start) > _WIDTH - len("loss = "):
        first, start = [], "0.0"
    added: list[Framed] = [(frames, [f"loss = loss + {text}"]) for frames, text in terms[len(first) :]]
    return [f"loss = {start}", *nested(added)]
