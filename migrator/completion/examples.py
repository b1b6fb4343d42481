"""Few-shot examples: accepted pairs that share APIs with a fragment, bundled ones and the run's own."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

from migrator.codemods.repository import RepositoryDraft
from migrator.llm.fragment import Example
from migrator.model import Status, UnitResult

MOST = 2
LONGEST = 3000
"""Characters of a pair; a longer one shows too much else."""

LEAST = 0.5
"""The score below which a pair teaches nothing: what it shares is in most programs."""

PLAIN = frozenset({"tf.keras.Model", "tf.keras.layers.Layer", "tf.keras.Input", "tf.float32", "tf.int32", "tf.cast"})
"""APIs that make no pair alike."""


@cache
def bundled() -> tuple[Example, ...]:
    """Pairs of the evaluation programs, verified by their cases (`python -m migrator.completion.pairs`)."""
    text = resources.files("migrator.completion").joinpath("pairs.json").read_text(encoding="utf-8")
    return tuple(
        Example(pair["name"], pair["source"], pair["target"], frozenset(pair["apis"]))
        for pair in json.loads(text)["pairs"]
    )


def foreign(draft: RepositoryDraft) -> tuple[Example, ...]:
    """The bundled pairs of programs of which nothing occurs in this repository: they may not tell its own answers."""
    text = "\0".join(_squeezed(file.tree.code) for file in draft.files.values())
    known = {_program(pair) for pair in bundled() if _squeezed(pair.source) in text}
    return tuple(pair for pair in bundled() if _program(pair) not in known)


def _program(pair: Example) -> str:
    return pair.name.partition("/")[0]


def _squeezed(text: str) -> str:
    return "".join(text.split())


def own(draft: RepositoryDraft, results: Iterable[UnitResult]) -> Iterator[Example]:
    """Units of this run that were accepted with a change."""
    for result in results:
        rewrite = result.rewrite
        if result.status is Status.ACCEPTED and rewrite.text and rewrite.unit.uses:
            file, part = draft.part(rewrite.unit.id)
            source = "".join(file.code(statement) for statement in part.segment.statements)
            apis = frozenset(name for name, _ in rewrite.unit.uses)
            yield Example(rewrite.unit.id, source.strip("\n") + "\n", rewrite.text.strip("\n") + "\n", apis)


def chosen(examples: Sequence[Example], apis: Sequence[str], original: str) -> tuple[Example, ...]:
    """The pairs that share most with the fragment, rare APIs counting more; never the fragment itself."""
    common = Counter(api for example in examples for api in example.apis)
    plain = "".join(original.split())
    scored = [
        (_score(example, apis, common), -len(example.source + example.target), -position)
        for position, example in enumerate(examples)
    ]
    best = sorted(range(len(examples)), key=lambda i: scored[i], reverse=True)
    found = [(scored[i][0], examples[i]) for i in best if scored[i][0] >= LEAST and _fits(examples[i], plain)]
    return tuple(example for score, example in found[:MOST] if score >= found[0][0] / 2)


def _score(example: Example, apis: Sequence[str], common: Mapping[str, int]) -> float:
    shared = (set(apis) & example.apis) - PLAIN
    return sum(1 / math.sqrt(common[api]) for api in shared)


def _fits(example: Example, plain: str) -> bool:
    """Whether it is short enough and not what is asked for."""
    same = "".join(example.source.split()) in plain or plain in "".join(example.source.split())
    return len(example.source + example.target) <= LONGEST and not same
