"""Compares the traces of two training runs: gradients, parameters step by step, rates, data order, results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator.model import Rung
from migrator_validators.matching import Matching, Pair
from migrator_validators.training_alone import alone, keys
from migrator_validators.training_order import order_differs
from migrator_validators.training_program import see_program
from migrator_validators.workers import Arrays

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """Allowed differences, as a share of the largest number of a tensor, and of all tensors together.

    Gradients: two float32 backward passes of small models agree to about 1e-6 of their scale; wrong
    ones differ by per cents. Steps and results: the same, grown over some tens of steps. `noise`: a
    tensor whose gradient is a smaller share of the largest one has none but rounding (the key bias of
    attention, a bias before a softmax); Adam makes whole steps of it. `least`: of what a tensor is at the end,
    which may be nothing but rounding (the moving mean of what another normalisation has centred).
    """

    gradient: float = 1e-4
    step: float = 1e-3
    result: float = 1e-3
    floor: float = 2e-6
    noise: float = 2e-5
    least: float = 0.0


FLOAT32 = Limits()
FLOAT64 = Limits(
    gradient=2e-6, step=5e-4, result=5e-4, floor=1e-10, noise=1e-7, least=1e-9
)  # Keras rounds its constants to float32 even then


@dataclass(frozen=True)
class Difference:
    """The worst difference of one rung, `measured` against `allowed`, both relative to the size of what is compared."""

    rung: Rung
    measured: float
    allowed: float
    detail: str
    equal: bool
    rounding: float | None = None


@dataclass(frozen=True)
class Trace:
    """What a training probe reported."""

    result: dict[str, Any]
    arrays: Arrays

    @property
    def optimizers(self) -> list[dict[str, Any]]:
        """Optimizers that made a step, in the order of their first one."""
        return [o for o in self.result["optimizers"] if o["rates"]]


@dataclass(frozen=True)
class _Tensor:
    """One compared tensor: its name in the target, both values."""

    name: str
    expected: FloatArray
    actual: FloatArray | None


def compare(
    source: Trace, target: Trace, maps: list[Matching], floatx: str, history: bool
) -> tuple[tuple[Difference, ...], tuple[str, ...]]:
    """Differences of the rungs gradients, steps and training, and what was not compared, in words."""
    limits = FLOAT64 if floatx == "float64" else FLOAT32
    view = _View(source, target, maps)
    unchecked: list[str] = [*source.result["streams"]["notes"], *target.result["streams"]["notes"]]
    gradients = _gradients(view, limits, unchecked)
    steps = _steps(view, limits, unchecked)
    training = _training(view, limits, unchecked, history)
    return (gradients, steps, training), tuple(dict.fromkeys(unchecked))


class _View:
    """Both traces with the source's tensors brought into the target's names and layouts."""

    def __init__(self, source: Trace, target: Trace, maps: list[Matching]) -> None:
        self.source, self.target = source, target
        self.roots = source.result["roots"]
        self.maps = maps
        owned = frozenset(name for root in self.roots for name in root["weights"])
        found = alone(source.optimizers, owned, target.optimizers, target.arrays)
        self.problem = found if isinstance(found, str) else ""
        self.alone = () if isinstance(found, str) else tuple(found)

    def tensors(self, prefix: str, gradient: bool) -> list[_Tensor]:
        """Mapped tensors that the source has under `prefix`, beside the target's, named with their root."""
        found = []
        for number, (matching, root) in enumerate(zip(self.maps, self.roots, strict=True)):
            known = [self.source.arrays.get(prefix + name) for name in root["weights"]]
            for pair in matching.pairs:
                expected = in_target(pair, known, gradient)
                if expected is not None:
                    name = f"r{number}:{pair.target}"
                    actual = self.target.arrays.get(prefix + name)
                    found.append(_Tensor(name, expected, None if actual is None else actual.astype(float)))
        return found + self.outside(prefix)

    def outside(self, prefix: str) -> list[_Tensor]:
        """The same of variables that belong to no model."""
        found = []
        for key, other in keys(prefix, self.alone):
            expected, actual = self.source.arrays.get(key), self.target.arrays.get(other)
            if expected is not None:
                value = None if actual is None else actual.astype(float)
                found.append(_Tensor(other.rpartition("/")[2], expected.astype(float), value))
        return found

    def starts(self) -> dict[str, FloatArray]:
        """The common first values, in the target's layout."""
        return {t.name: t.expected for t in self.tensors("start/", False)}


def in_target(pair: Pair, arrays: Sequence[npt.NDArray[Any] | None], gradient: bool) -> FloatArray | None:
    """A source tensor in the target's layout, or None where there is none or its gradient cannot be said."""
    known = [np.zeros(0) if a is None else a for a in arrays]
    if any(arrays[i] is None for i in pair.source):
        return None
    try:
        return np.asarray(pair.array(known, gradient), dtype=float)
    except ValueError:
        return None


@dataclass
class _Worst:
    """The worst of many comparisons, and the first that is too large."""

    allowed: float
    measured: float = 0.0
    detail: str = ""
    count: int = 0

    def see(self, measured: float, detail: str) -> None:
        self.count += 1
        measured = math.inf if math.isnan(measured) else measured
        if measured > self.allowed and not self.detail:
            self.detail = detail
        self.measured = max(self.measured, measured)

    def difference(self, rung: Rung, what: str) -> Difference:
        equal = self.measured <= self.allowed
        return Difference(rung, self.measured, self.allowed, what if equal else self.detail, equal)


def _fail(rung: Rung, detail: str) -> Difference:
    return Difference(rung, math.inf, 0.0, detail, False)


def _relative(tensor: _Tensor, scale: float, floor: float) -> float:
    """The largest difference over the tensor's own scale, which is at least a floor of the common scale."""
    if tensor.actual is None or tensor.actual.shape != tensor.expected.shape:
        return math.inf
    if not tensor.expected.size:
        return 0.0
    with np.errstate(invalid="ignore"):
        gap = np.abs(tensor.actual - tensor.expected)
    both_nan = np.isnan(tensor.actual) & np.isnan(tensor.expected)
    gap = np.where(both_nan | (tensor.actual == tensor.expected), 0.0, gap)
    own = _largest(tensor.expected)
    return float(gap.max()) / max(own, scale * floor, 1e-30)


def _largest(array: FloatArray) -> float:
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0


# --- the rungs ------------------------------------------------------------------------------------------


def _gradients(view: _View, limits: Limits, unchecked: list[str]) -> Difference:
    """Gradients at the first step of each optimizer, after its own clipping."""
    if not view.target.optimizers:
        return _fail(Rung.GRADIENTS, "the target made no optimizer step")
    if view.problem:
        return _fail(Rung.GRADIENTS, view.problem)
    worst = _Worst(limits.gradient)
    for tensor in view.outside("start/"):
        worst.see(_relative(tensor, 0.0, 0.0), f"a variable begins as {_figures(tensor)}")
    for number in range(min(len(view.source.optimizers), len(view.target.optimizers))):
        _see_gradients(view, number, 0, worst, limits, 0.01)
    if worst.count == len(view.outside("start/")):
        return _fail(Rung.GRADIENTS, "no gradient of the source belongs to a mapped weight")
    return worst.difference(Rung.GRADIENTS, f"{worst.count} gradients at the first step agree")


def _see_gradients(view: _View, number: int, step: int, worst: _Worst, limits: Limits, floor: float) -> None:
    tensors = view.tensors(f"step/{number}/{step}/grad/", True)
    scale = max((_largest(t.expected) for t in tensors), default=0.0)
    for tensor in tensors:
        if tensor.actual is None and _largest(tensor.expected) == 0:
            continue  # no gradient and a zero gradient are the same
        detail = f"gradient of {_bare(tensor.name)} at step {step + 1}"
        if tensor.actual is None:
            worst.see(math.inf, f"{detail}: the target's optimizer has none")
            continue
        worst.see(_relative(tensor, scale, floor), f"{detail}: {_figures(tensor)}")


def _bare(name: str) -> str:
    return name.partition(":")[2]


def _figures(tensor: _Tensor) -> str:
    if tensor.actual is None or tensor.actual.shape != tensor.expected.shape:
        return "missing or of another shape"
    at = np.unravel_index(int(np.argmax(np.abs(tensor.actual - tensor.expected))), tensor.expected.shape)
    ratio = _ratio(tensor)
    return f"{tensor.actual[at]:.6g}, the source's is {tensor.expected[at]:.6g}{ratio}"


def _ratio(tensor: _Tensor) -> str:
    """A constant factor between the two, which tells sums from means and wrong rates."""
    assert tensor.actual is not None
    norm = float(np.sum(tensor.expected**2))
    if norm == 0:
        return ""
    factor = float(np.sum(tensor.actual * tensor.expected)) / norm
    rest = _largest(tensor.actual - factor * tensor.expected)
    constant = abs(factor) > 1e-6 and rest < 1e-3 * abs(factor) * _largest(tensor.expected)
    return f" (all {factor:.4g} times as large)" if constant else ""


def _steps(view: _View, limits: Limits, unchecked: list[str]) -> Difference:
    """Optimizers, their rates, the number of steps, and parameters after each step."""
    ours, theirs = view.source.optimizers, view.target.optimizers
    if len(ours) != len(theirs):
        return _fail(Rung.STEPS, f"{len(theirs)} optimizer(s) made steps, the source has {len(ours)}")
    worst = _Worst(limits.step)
    steps = 0
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        wrong = _rates(one["rates"], other["rates"], view) or _epsilons(one, other) or _far(one, other, unchecked)
        if wrong:
            return _fail(Rung.STEPS, wrong)
        for step in range(len(one["rates"])):
            steps += _see_step(view, number, step, worst, limits, unchecked)
    changed = [o["changed"] for o in ours if o["changed"]]
    rate = f", across a change of the learning rate after step {changed[0]}" if changed else ""
    return worst.difference(Rung.STEPS, f"parameters agree after each of {steps} steps{rate}")


def _rates(one: list[float], other: list[float], view: _View) -> str:
    """What differs in the learning rates or in the number of steps, or nothing."""
    for step, (a, b) in enumerate(zip(one, other, strict=False)):
        if not math.isnan(a) and abs(a - b) > 1e-5 * max(abs(a), abs(b)):
            return f"the learning rate at step {step + 1} is {b:.6g}, the source's is {a:.6g}"
    both = view.source.result["finished"] and view.target.result["finished"]
    if (both or view.source.result["finished"] != view.target.result["finished"]) and len(one) != len(other):
        return f"{len(other)} optimizer steps, the source makes {len(one)}"
    return ""


def _far(one: dict[str, Any], other: dict[str, Any], unchecked: list[str]) -> str:
    """What differs in the rates of a schedule far beyond the steps that were made."""
    ours, theirs = one.get("far") or {}, other.get("far") or {}
    if ours and not theirs:
        unchecked.append("the learning rate beyond the steps that were made")
    for step in sorted(ours.keys() & theirs.keys(), key=int):
        a, b = ours[step], theirs[step]
        if abs(a - b) > max(1e-4 * max(abs(a), abs(b)), 1e-12):
            return f"the learning rate at step {step} would be {b:.6g}, the source's {a:.6g}"
    return ""


def _epsilons(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Epsilons of the Adam family: they act on tiny gradients alone, so they are compared as numbers."""
    a, b = one["epsilon"], other["epsilon"]
    if a is None or b is None or math.isclose(a, b, rel_tol=1e-3):
        return ""
    return f"the optimizer's epsilon is {b:.3g}, the source's is {a:.3g}"


def _see_step(view: _View, number: int, step: int, worst: _Worst, limits: Limits, unchecked: list[str]) -> int:
    """Gradients and updates of one step; whether there was anything to compare."""
    if step:
        _see_gradients(view, number, step, worst, limits, 0.05)
    known = _determined(view, number, step, limits)
    scale = max((largest for largest, _ in known.values()), default=0.0)
    starts = view.starts()
    after = view.tensors(f"step/{number}/{step}/after/", False)
    for tensor in after:
        largest, sure = known.get(tensor.name, (0.0, None))
        if largest < limits.noise * scale:
            unchecked.append(f"updates of {_bare(tensor.name)}: its true gradient is zero")
            continue
        moved = _Tensor(tensor.name, tensor.expected - starts[tensor.name], None)
        if tensor.actual is not None and tensor.actual.shape == tensor.expected.shape:
            moved = _Tensor(tensor.name, moved.expected, tensor.actual - starts[tensor.name])
        # rounding of the parameter itself limits how well an update is known
        floor = limits.floor * _largest(tensor.expected) / limits.step
        detail = f"update of {_bare(tensor.name)} after step {step + 1}: "
        worst.see(_relative(_where(moved, sure), floor, 1.0), detail + _figures(moved))
    return int(bool(after))


FAINT = 1e-3
"""Share of its tensor's largest gradient below which rounding rules an element whose size Adam divides by."""


def _determined(
    view: _View, number: int, step: int, limits: Limits
) -> dict[str, tuple[float, npt.NDArray[np.bool_] | None]]:
    """For each tensor its largest gradient so far, and the elements that had a large or no gradient in every step."""
    found: dict[str, tuple[float, npt.NDArray[np.bool_] | None]] = {}
    for one in range(step + 1):
        for tensor in view.tensors(f"step/{number}/{one}/grad/", True):
            size = np.abs(tensor.expected)
            sure = (size >= FAINT * _largest(tensor.expected)) | ((size == 0) & ~_is_noise(tensor, limits))
            largest, before = found.get(tensor.name, (0.0, None))
            found[tensor.name] = (max(largest, _largest(tensor.expected)), sure if before is None else sure & before)
    return found


def _is_noise(tensor: _Tensor, limits: Limits) -> npt.NDArray[np.bool_]:
    """Elements whose gradient is rounding on one side and no more on the other (a key bias in a joint one)."""
    larger = _larger(tensor)
    return (larger > 0) & (larger <= limits.noise * _largest(tensor.expected))


def _larger(tensor: _Tensor) -> FloatArray:
    """The larger gradient of both sides; infinite where the target's is missing or of another shape."""
    if tensor.actual is None or tensor.actual.shape != tensor.expected.shape:
        return np.full(tensor.expected.shape, np.inf)
    return np.maximum(np.abs(tensor.expected), np.abs(tensor.actual))


def _where(tensor: _Tensor, sure: npt.NDArray[np.bool_] | None) -> _Tensor:
    """The elements that are sure, or all where none is."""
    if sure is None or tensor.actual is None or sure.shape != tensor.expected.shape or not sure.any():
        return tensor
    if tensor.actual.shape != tensor.expected.shape:
        return tensor
    return _Tensor(tensor.name, tensor.expected[sure], tensor.actual[sure])


def _training(view: _View, limits: Limits, unchecked: list[str], history: bool) -> Difference:
    """Order of the data, last weights and buffers, and what the function returned."""
    wrong = order_differs(view.source.result["streams"], view.target.result["streams"])
    if wrong:
        return _fail(Rung.TRAINING, wrong)
    if view.source.result["finished"] != view.target.result["finished"]:
        return _fail(Rung.TRAINING, "only one side came to an end within the steps allowed")
    worst = _Worst(limits.result)
    _see_ends(view, worst, limits)
    see_program(view.source, view.target, worst.see, unchecked)
    if not view.source.result["finished"]:
        unchecked.append("what the function returns: the run was stopped")
    elif history:
        wrong = _see_result(view.source, view.target, worst, unchecked)
        if wrong:
            return _fail(Rung.TRAINING, wrong)
    wrong = _see_outputs(view.source, view.target, worst)
    if wrong:
        return _fail(Rung.TRAINING, wrong)
    return worst.difference(
        Rung.TRAINING, f"last weights, buffers and results agree ({worst.count} values and tensors)"
    )


def _see_ends(view: _View, worst: _Worst, limits: Limits) -> None:
    starts = view.starts()
    faint = _faint(view, limits)
    noise = _noise(view, limits)
    for whole in view.tensors("end/", False):
        if whole.name in faint:
            continue
        tensor = _where(whole, ~noise[whole.name]) if whole.name in noise else whole
        before = starts.get(tensor.name)
        known = before is not None and before.shape == whole.expected.shape
        moved = _largest(whole.expected - before) if before is not None and known else 0.0
        scale = max(moved, 1e-3 * _largest(tensor.expected), limits.least)
        own = _Tensor(tensor.name, tensor.expected, tensor.actual)
        gap = _relative(own, 1.0, 1.0) * max(_largest(tensor.expected), 1.0) / max(scale, 1e-30)
        worst.see(gap, f"{_bare(tensor.name)} at the end: {_figures(tensor)}")


def _noise(view: _View, limits: Limits) -> dict[str, npt.NDArray[np.bool_]]:
    """For each trained tensor the elements whose gradient was rounding in every step that was recorded."""
    quiet: dict[str, npt.NDArray[np.bool_]] = {}
    moved: dict[str, npt.NDArray[np.bool_]] = {}
    for number, optimizer in enumerate(view.source.optimizers):
        for step in range(len(optimizer["rates"])):
            for tensor in view.tensors(f"step/{number}/{step}/grad/", True):
                larger = _larger(tensor)
                nothing = larger <= limits.noise * _largest(tensor.expected)
                quiet[tensor.name] = quiet.get(tensor.name, np.ones_like(nothing)) & nothing
                moved[tensor.name] = moved.get(tensor.name, np.zeros_like(nothing)) | (larger > 0)
    return {name: quiet[name] & moved[name] for name in quiet}


def _faint(view: _View, limits: Limits) -> frozenset[str]:
    """Trained tensors whose gradients are rounding alone in every step that was recorded."""
    largest: dict[str, float] = {}
    for number, optimizer in enumerate(view.source.optimizers):
        for step in range(len(optimizer["rates"])):
            for tensor in view.tensors(f"step/{number}/{step}/grad/", True):
                largest[tensor.name] = max(largest.get(tensor.name, 0.0), _largest(tensor.expected))
    scale = max(largest.values(), default=0.0)
    return frozenset(name for name, size in largest.items() if size < limits.noise * scale)


# --- results ----------------------------------------------------------------------------------------------


def _see_result(source: Trace, target: Trace, worst: _Worst, unchecked: list[str]) -> str:
    """Walk both results; what differs in structure, or nothing."""
    return _walk(
        source.result["result"], target.result["result"], source.arrays, target.arrays, "result", worst, unchecked
    )


def _see_outputs(source: Trace, target: Trace, worst: _Worst) -> str:
    """What the trained models give for the first batch, where the target's training calls `logits` alone."""
    ours, theirs = source.result.get("outputs", []), target.result.get("outputs", [])
    path = "what the trained model gives"
    pairs = ((a, b) for a, b in zip(ours, theirs, strict=False) if a is not None and b is not None)
    found = (_walk(a["gives"], b["gives"], source.arrays, target.arrays, path, worst, []) for a, b in pairs)
    return next(filter(None, found), "")


def _walk(one: Any, other: Any, ours: Arrays, theirs: Arrays, path: str, worst: _Worst, unchecked: list[str]) -> str:
    if one["t"] == "opaque" or (one["t"] == "scalar" and one["v"] is None):
        if one["t"] == "opaque":
            unchecked.append(f"{path}: {one['type']}")
        return ""
    number, same = _numbers(one, ours), _numbers(other, theirs)
    if number is not None:
        if same is None or same.shape != number.shape:
            return f"{path} is {_say(other)}, the source's is {_say(one)}"
        if _is_tensor(other) and not _is_tensor(one):
            return f"{path} is a tensor, the source's is {_say(one)}"
        scale = max(_largest(number), 1e-3)
        worst.see(
            _relative(_Tensor(path, number, same), scale, 1.0), f"{path}: {_figures(_Tensor(path, number, same))}"
        )
        return ""
    if one["t"] == "dict":
        return _walk_dict(one, other, ours, theirs, path, worst, unchecked)
    if one["t"] in ("list", "tuple", "namedtuple"):
        if other["t"] not in ("list", "tuple", "namedtuple") or len(other["items"]) != len(one["items"]):
            return f"{path} is {_say(other)}, the source's is {_say(one)}"
        for i, (a, b) in enumerate(zip(one["items"], other["items"], strict=True)):
            wrong = _walk(a, b, ours, theirs, f"{path}[{i}]", worst, unchecked)
            if wrong:
                return wrong
        return ""
    equal = one == other or (one["t"] == "strings" and other["t"] in ("strings", "scalar"))
    return "" if equal else f"{path} is {_say(other)}, the source's is {_say(one)}"


def _walk_dict(
    one: Any, other: Any, ours: Arrays, theirs: Arrays, path: str, worst: _Worst, unchecked: list[str]
) -> str:
    if other["t"] != "dict" or set(other["items"]) != set(one["items"]):
        have = sorted(other["items"]) if other["t"] == "dict" else _say(other)
        return f"{path} has keys {have}, the source's {sorted(one['items'])}"
    for name, value in one["items"].items():
        wrong = _walk(value, other["items"][name], ours, theirs, f"{path}[{name!r}]", worst, unchecked)
        if wrong:
            return wrong
    return ""


def _numbers(tree: Any, arrays: Arrays) -> FloatArray | None:
    """A number or array of numbers, or None."""
    if tree["t"] == "array":
        array = arrays[tree["key"]]
        return array.astype(float) if array.dtype.kind in "fiub" else None
    if tree["t"] == "scalar" and tree["type"] in ("float", "int"):
        return np.asarray(float(tree["v"]))
    return None


def _is_tensor(tree: Any) -> bool:
    return bool(tree["t"] == "array" and tree["as"] == "tensor")


def _say(tree: Any) -> str:
    if tree["t"] in ("list", "tuple"):
        return f"a {tree['t']} of {len(tree['items'])}"
    if tree["t"] == "array":
        return f"an array {tree['shape']}"
    return str(tree.get("v", tree.get("type", tree["t"])))
