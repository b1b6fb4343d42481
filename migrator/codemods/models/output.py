"""The output contract: a model that returns probabilities has `logits` for its loss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from migrator.codemods.models import layout as lay
from migrator.codemods.models.forward import Line
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.term import Term
from migrator.codemods.models.text import atom, fill


@dataclass(frozen=True)
class Output:
    """The lines of `logits`, and the activation (template, Keras's name) that `forward` adds."""

    lines: list[Line]
    template: str
    activation: str
    several: tuple[Part, ...] = ()  # of a model with several outputs, in place of the one activation

    def forward(self, logits: str) -> list[str]:
        """The lines of `forward`, where `logits` is the call of the other method."""
        if not self.several:
            return [f"return {fill(self.template, {'x': logits})}"]
        names = ", ".join(part.name for part in self.several)
        done = ", ".join(fill(part.template, {"x": part.name}) for part in self.several)
        return [f"{names} = {logits}", f"return [{done}]"]


@dataclass(frozen=True)
class Part:
    """One of several outputs: its variable, and the activation as in `Output`, "{x}" and "" where it has none."""

    name: str
    template: str = "{x}"
    activation: str = ""


def with_logits(lines: Sequence[Line]) -> Output | None:
    """The split of a method that ends in a softmax or sigmoid; None for any other."""
    lines = [line for i, line in enumerate(lines) if any(t.strip() for t in line.text) or i != len(lines) - 2]
    if not lines or lines[-1].returns is None:
        return None
    last = lines[-1]
    found = last.returns
    assert found is not None
    if found.activation is not None and found.before is not None:
        done = Line([*last.text[:-1], f"return {found.before}"])
        return Output([*lines[:-1], done], _along_last(found), found.activation[1])
    if len(lines) < 2:
        return None
    line = lines[-2]
    term = line.term
    if term is None or term.before is None or term.activation is None or not line.text or line.name is None:
        return None
    returned = last.text[-1].removeprefix("return ")
    if len(last.text) != 1 or not (returned == line.name or returned.startswith(f"{line.name}.")):
        return None
    before = term.before
    if term.layout != LAST and returned != line.name and isinstance(term.layout, str):
        before = lay.permute(atom(before), term.layout, LAST)[0]
    outward = term if term.layout == LAST or returned == line.name else Term(term.text, LAST, before, term.activation)
    comment = re.search(r"  (#.*)$", line.text[-1])
    head = [*line.text[:-1], f"return {before}" + (f"  {comment.group(1)}" if comment else "")]
    return Output([*lines[:-2], Line(head)], _along_last(outward), term.activation[1])


def with_several_logits(lines: Sequence[Line]) -> Output | None:
    """The split of a graph of which some outputs end in a softmax or sigmoid that nothing else reads."""
    listed = re.fullmatch(r"return \[(\w+(?:, \w+)+)\]", lines[-1].text[-1]) if lines and lines[-1].text else None
    names = listed.group(1).split(", ") if listed else []
    if not names or len(set(names)) < len(names) or len(lines[-1].text) > 1:
        return None
    found = {name: _ending(name, lines) for name in names}
    if not any(found.values()):
        return None
    plain, parts = list(lines), []
    for name, index in found.items():
        term = lines[index].term if index is not None else None
        if index is None or term is None or term.activation is None:
            parts.append(Part(name))
            continue
        plain[index] = replace(lines[index], text=[*lines[index].text[:-1], f"{name} = {term.before}"])
        parts.append(Part(name, _along_last(term), term.activation[1]))
    return Output(plain, "", "", tuple(parts))


def _ending(name: str, lines: Sequence[Line]) -> int | None:
    """The line that gives an output its activation, where nothing but the return reads it afterwards."""
    bound = [i for i, line in enumerate(lines) if line.name == name]
    word = re.compile(rf"\b{name}\b")
    if not bound or any(word.search(text) for line in lines[bound[-1] + 1 : -1] for text in line.text):
        return None
    line = lines[bound[-1]]
    plain = line.term is not None and line.term.before is not None and line.term.layout == LAST
    return bound[-1] if plain and "#" not in line.text[-1] else None


def _along_last(term: Term) -> str:
    """The activation for a tensor whose channels are last again."""
    assert term.activation is not None
    template, name = term.activation
    return re.sub(r"dim=1\b", "dim=-1", template) if name == "softmax" and term.layout == LAST else template
