"""A fragment cut to a token budget: the most useful first, what was left out noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from migrator.llm.fragment import Example, Fragment, Neighbour

BUDGET = 6000
"""Tokens of a fragment's prompt, the system prompt apart."""

BYTES_A_TOKEN = 3.5
"""Measured on Python code with the public tokenizers of 2024: 3.2 to 4.1."""


def tokens(text: str) -> int:
    """An estimate of the tokens of a text, on the high side for code."""
    return round(len(text.encode()) / BYTES_A_TOKEN)


@dataclass
class _Budget:
    left: int
    left_out: list[str] = field(default_factory=list)

    def take(self, cost: int, what: str) -> bool:
        """Whether it fits; noted where it does not."""
        if cost > self.left:
            self.left_out.append(what)
            return False
        self.left -= cost
        return True


def pack(fragment: Fragment, budget: int = BUDGET) -> Fragment:
    """The fragment with as much as fits.

    The original, the reasons, the interface and the acceptance test are always there. Then, in this
    order: facts, what it uses (whole, else by signature), the rules' draft, the differences of its
    APIs, what uses it, examples.
    """
    frame = fragment.frame
    unit = (fragment.original,) if frame is None else (frame.shown(), *frame.gone)
    fixed = (*unit, *fragment.reasons, *fragment.interface, *fragment.acceptance, *fragment.imports)
    space = _Budget(budget - tokens("\n".join(fixed)))
    facts = _lines(fragment.facts, space, "facts")
    uses = tuple(_neighbours(fragment.uses, space))
    draft = fragment.draft if space.take(tokens(fragment.draft), "the rules' draft") else ""
    differences = _lines(fragment.differences, space, "differences of its APIs")
    used_by = tuple(_neighbours(fragment.used_by, space))
    examples = tuple(_examples(fragment.examples, space))
    return replace(
        fragment,
        facts=facts,
        uses=uses,
        draft=draft,
        differences=differences,
        used_by=used_by,
        examples=examples,
        left_out=(*fragment.left_out, *space.left_out),
    )


def _lines(lines: tuple[str, ...], space: _Budget, what: str) -> tuple[str, ...]:
    kept = []
    for index, line in enumerate(lines):
        if tokens(line) > space.left:
            space.left_out.append(f"{len(lines) - index} of {len(lines)} {what}")
            break
        space.left -= tokens(line)
        kept.append(line)
    return tuple(kept)


def _neighbours(neighbours: tuple[Neighbour, ...], space: _Budget) -> Iterator[Neighbour]:
    for item in neighbours:
        if tokens(item.text) <= space.left:
            space.left -= tokens(item.text)
            yield item
        elif space.take(tokens(item.signature), item.name):
            space.left_out.append(f"the body of {item.name}")
            yield replace(item, text=item.signature)


def _examples(examples: tuple[Example, ...], space: _Budget) -> Iterator[Example]:
    for item in examples:
        if space.take(tokens(item.source + item.target), f"the example {item.name}"):
            yield item
