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
        yield "No inputs for it are known: it is checked through what calls it."
        return
    yield f"Both sides are run as a {cases[0].kind}:"
    called = {of_case(case, values): case for case in cases}
    yield from (f"{words} ({case.inputs_from} inputs{_sizes(case)})" for words, case in called.items())
    yield "Compared: " + "; ".join(_RUNG[rung] for rung in _RUNGS[cases[0].kind]) + "."
    gaps = sorted({gap for case in cases for gap in case.gaps})
    if gaps:
        yield f"Known differences of the libraries are allowed for: {', '.join(gaps)}."


def _sizes(case: Case) -> str:
    free = {name: sizes for name, sizes in case.sizes.items() if f"'{name}'" in repr((case.inputs, case.call))}
    return "; " + ", ".join(f"{name} in {list(sizes)}" for name, sizes in free.items()) if free else ""


def _figures(row: str) -> str:
    tolerance = TABLE[row]
    return f"to {max(tolerance.absolute, tolerance.relative):g}"


_RUNG = {
    "weights": "weights one to one, none left over",
    "init": "their initial distributions",
    "forward": f"values, shapes and dtypes {_figures('forward')}",
    "train-forward": f"values and buffers in training mode {_figures('train-forward')}",
    "gradients": f"gradients {_figures('gradients')}",
    "steps": "weights after each of several optimizer steps",
    "training": "losses and history of a short training",
    "batches": f"every batch, in order, with shapes and dtypes, {_figures('data')}",
    "constant": f"the value {_figures('constant')}",
    "runs": "that it runs to its end, and the numbers that it prints",
}
