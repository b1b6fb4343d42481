"""The test that a candidate faces, in words and figures."""

from __future__ import annotations

from collections.abc import Iterator

from migrator_validators.cases import Case
from migrator_validators.planning import Plan
from migrator_validators.tolerances import TABLE

from migrator.completion.wording import of_case

MOST_CASES = 3

_RUNGS: dict[str, tuple[str, ...]] = {
    "function": ("forward", "gradients"),
    "model": ("weights", "init", "forward", "train-forward", "gradients"),
    "layer": ("weights", "init", "forward", "train-forward", "gradients"),
    "training": ("weights", "steps", "training"),
    "data": ("batches",),
    "constant": ("constant",),
    "script": ("runs",),
}
"""What is compared, by the kind of a case."""


def acceptance(plan: Plan | None, values: bool = False) -> Iterator[str]:
    """One line each: what is compared and how closely, with which inputs; `values`: recorded text may be told."""
    cases = [*plan.cases, *plan.alternatives][:MOST_CASES] if plan is not None else []
    if not cases:
        yield "No inputs for it are known: it is checked through what calls it, or not at all."
        return
    yield f"It is run as a {cases[0].kind}, on both sides with the same weights and inputs:"
    called = {of_case(case, values): case for case in cases}
    yield from (f"{words} ({case.inputs_from} inputs{_sizes(case)})" for words, case in called.items())
    yield from (_RUNG[rung] for rung in _RUNGS[cases[0].kind])
    gaps = sorted({gap for case in cases for gap in case.gaps})
    if gaps:
        yield f"Known differences of the libraries are allowed for: {', '.join(gaps)}."


def _sizes(case: Case) -> str:
    free = {name: sizes for name, sizes in case.sizes.items() if f"'{name}'" in repr((case.inputs, case.call))}
    return "; " + ", ".join(f"{name} in {list(sizes)}" for name, sizes in free.items()) if free else ""


def _figures(row: str) -> str:
    tolerance = TABLE[row]
    return f"to {tolerance.absolute:g} of the largest value plus {tolerance.relative:g} of each"


_RUNG = {
    "weights": "Weights: every tensor of the original has its partner, with none left over on either side.",
    "init": "Initial values: each weight has the same distribution over several seeds.",
    "forward": f"Values, shapes and dtypes in evaluation mode, {_figures('forward')}; float64 decides on rounding.",
    "train-forward": f"Values and buffers in training mode, with the same dropout masks, {_figures('train-forward')}.",
    "gradients": f"Gradients of inputs and weights, {_figures('gradients')}.",
    "steps": "Weights after each of several optimizer steps, across a change of the learning rate.",
    "training": "Losses and history of a short training on the same batches.",
    "batches": f"Every batch, in order, with shapes and dtypes, {_figures('data')}.",
    "constant": f"The value, {_figures('constant')}.",
    "runs": "It runs to its end, and its variables are compared where they can be.",
}
