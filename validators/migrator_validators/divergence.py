"""Where two programs first differ: the first layer or assigned name whose value has no equal on the other side.

It is evidence of a failure that was found already, for people and for whoever repairs it; it decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator_validators.bench import Bench, Mode, state_arrays
from migrator_validators.compare import Comparison, compare_arrays, leaves
from migrator_validators.matching import Matching
from migrator_validators.tolerances import TABLE, Tolerance
from migrator_validators.workers import Arrays, Reply

Array = npt.NDArray[Any]
Described = Mapping[str, Any]
ANOTHER_ORDER = "in another order"
RENAMED = {"call": "forward"}


@dataclass(frozen=True)
class Step:
    """One value of a program, under the same `key` on both sides. `words` say whose it is, `line` where."""

    key: tuple[str, ...]
    words: str
    gave: tuple[Array, ...]
    given: tuple[Array, ...] = ()
    before: tuple[Array, ...] = ()  # a layer's activation: there, its own module gives what went into it
    line: str = ""


@dataclass(frozen=True)
class Parting:
    """A step of the original, the nearest of the migrated program, and how far they are from each other."""

    source: Step
    target: Step
    found: Comparison | None  # None: their shapes differ
    agreed: int  # values before it that have an equal

    def __str__(self) -> str:
        by = f" by `{self.target.line}`" if self.target.line else ""
        before = f" ({self.agreed} values before it agree)" if self.agreed else ""
        return f"{self.source.words}{before}: {self.figures()}{by}{_input(self.source, self.target)}"

    def figures(self) -> str:
        """How far the two values are from each other."""
        if self.found is not None:
            return _figures(self.found)
        return f"shape {list(self.target.gave[0].shape)} instead of {list(self.source.gave[0].shape)}"


def first_divergence(
    bench: Bench, matchings: Mapping[str, Matching], mode: Mode, weights: Arrays, settings: Mapping[str, Any]
) -> str:
    """The first difference in words, in float32 and float64; "" where none is seen or either side cannot be watched.

    `mode`: as the rung that failed ran. `weights`: the source's, as `Bench.source` takes them. Runs each side at
    most twice, on one batch.
    """
    single = _sides(bench, matchings, mode, "float32", weights, settings)
    parting = _first(*single, TABLE["forward"]) if single is not None else None
    if parting is None:
        return ""
    double = _sides(bench, matchings, mode, "float64", weights, settings)
    wide = _first(*double, TABLE["float64"]) if double is not None else None
    if wide is None:
        return f"{parting}, in float32"
    shown = _same_place(wide, single) or parting
    if shown.source.key == wide.source.key:
        return f"{shown}; in float64: {wide.figures()}"
    return f"{shown}, in float32; in float64 first {wide}"


def _same_place(wide: Parting, single: tuple[list[Step], list[Step]] | None) -> Parting | None:
    """The float32 figures of the place that float64, where nothing is rounding, calls the first."""
    if single is None:
        return None
    source, target = ([s for s in steps if s.key == wide.source.key] for steps in single)
    found = _first(source, target, TABLE["forward"])
    return found and Parting(found.source, found.target, found.found, wide.agreed)


def _sides(
    bench: Bench,
    matchings: Mapping[str, Matching],
    mode: Mode,
    floatx: str,
    weights: Arrays,
    settings: Mapping[str, Any],
) -> tuple[list[Step], list[Step]] | None:
    source = bench.steps("source", mode, floatx, weights)
    target = bench.steps("target", mode, floatx, state_arrays(matchings, weights), **settings)
    if source.status != "ok" or target.status != "ok":
        return None
    ours, theirs = source.result["objects"], target.result["objects"]
    names = {n: _partners(m, ours[n]["layers"], theirs[n]["modules"]) for n, m in matchings.items() if n in ours}
    return list(_steps(source, names)), list(_steps(target, {}))


# --- which layer is which module -----------------------------------------------------------------------------


def _partners(
    matching: Matching, layers: Sequence[Described], modules: Sequence[Described]
) -> dict[int, tuple[str, str]]:
    """Index of a Keras layer → (name of the module that holds the same weights, its class in words).

    Of several that hold the same (a wrapper and what it wraps) the outermost counts. A layer without
    weights has the attribute path of its module, or its place among as many modules of its kind.
    """
    by_weights = _holders(matching)
    by_kind = _of_a_kind(layers, modules)
    known = {module["name"] for module in modules}
    found: dict[int, tuple[str, str]] = {}
    taken: set[str] = set()
    for index, layer in sorted(enumerate(layers), key=lambda item: -item[1]["holds"]):
        mine = frozenset(layer["weights"])
        path = layer["path"] if layer["path"] in known else by_kind.get(index)
        name = by_weights.get(mine) if mine else path
        if name is not None and name not in taken:
            taken.add(name)
            found[index] = (name, _class(layer["classes"][0]))
    return found


def _holders(matching: Matching) -> dict[frozenset[int], str]:
    """Weights of the source → the outermost module that holds just their counterparts."""
    held: dict[str, set[int]] = defaultdict(set)
    for pair in matching.pairs:
        parts = pair.target.split(".")[:-1]
        for count in range(len(parts) + 1):
            held[".".join(parts[:count])] |= set(pair.source)
    found: dict[frozenset[int], str] = {}
    for name in sorted(held, key=len):
        found.setdefault(frozenset(held[name]), name)
    return found


def _of_a_kind(layers: Sequence[Described], modules: Sequence[Described]) -> dict[int, str]:
    """Index of a layer without weights → the module of its kind (Dropout, MaxPool) at its place in their order."""
    ours: dict[str, list[int]] = defaultdict(list)
    theirs: dict[str, list[str]] = defaultdict(list)
    for index, layer in enumerate(layers):
        if not layer["weights"]:
            ours[_kind(_class(layer["classes"][0]))].append(index)
    for module in modules:
        theirs[_kind(module["type"])].append(module["name"])
    same = [kind for kind in ours if len(ours[kind]) == len(theirs.get(kind, ()))]
    return {index: name for kind in same for index, name in zip(ours[kind], theirs[kind], strict=True)}


def _kind(cls: str) -> str:
    """`MaxPooling2D` and `MaxPool2d` are one kind."""
    return cls.lower().replace("pooling", "pool")


def _class(name: str) -> str:
    return name.rpartition(".")[2].rpartition(":")[2]


# --- steps -----------------------------------------------------------------------------------------------------


def _steps(reply: Reply, partners: Mapping[str, Mapping[int, tuple[str, str]]]) -> Iterator[Step]:
    """What a side did, layers under the names of the target's modules."""
    for entry in reply.result["steps"]:
        gave, given, before = (_arrays(entry[name], reply) for name in ("gave", "given", "before"))
        if entry["what"] == "name":
            place, name = _place(entry["place"]), entry["name"]
            words = f"what `{place}` returns" if name == "return" else f"`{name}` in `{place}`"
            yield Step((entry["place"].partition(":")[0], place, name), words, gave, line=entry["line"])
        elif "name" in entry:
            yield Step(("layer", entry["label"], entry["name"]), "", gave, given)
        elif entry["index"] in partners.get(entry["label"], {}):
            name, cls = partners[entry["label"]][entry["index"]]
            words = f"the output of `{name}` ({cls})" if name else f"the output of the whole {cls}"
            yield Step(("layer", entry["label"], name), words, gave, given, before)


def _place(place: str) -> str:
    """The qualified name of a function, under its name in torch."""
    *owner, name = place.partition(":")[2].replace("<locals>.", "").split(".")
    return ".".join([*owner, RENAMED.get(name, name) if owner else name])


def _arrays(tree: Any, reply: Reply) -> tuple[Array, ...]:
    return tuple(array for _, array in leaves(tree, reply.arrays)) if tree is not None else ()


# --- the first that differs --------------------------------------------------------------------------------------


def _first(source: Sequence[Step], target: Sequence[Step], tolerance: Tolerance) -> Parting | None:
    """The first step of the source that has namesakes, none of which from where the last one stood has its value.

    A name may be used for something of another shape, so shapes count only where no values do.
    """
    namesakes: dict[tuple[str, ...], list[Step]] = defaultdict(list)
    for step in target:
        namesakes[step.key].append(step)
    reached: dict[tuple[str, ...], int] = defaultdict(int)
    shapes: Parting | None = None
    agreed = 0
    for step in source:
        left = namesakes.get(step.key, [])[reached[step.key] :]
        figures = [_output(step, other, tolerance) for other in left]
        equal = next((i for i, f in enumerate(figures) if f is not None and not f.differences), None)
        if equal is not None:
            reached[step.key] += equal + 1
            agreed += 1
        elif figures and figures[0] is not None:
            return Parting(step, left[0], figures[0], agreed)
        elif figures and shapes is None and len(step.gave) == len(left[0].gave) == 1:
            shapes = Parting(step, left[0], None, agreed)
    return shapes


def _output(step: Step, other: Step, tolerance: Tolerance) -> Comparison | None:
    """How far the values of two steps are from each other, before or after the activation."""
    found = [_compare(value, other.gave, tolerance) for value in (step.gave, step.before)]
    return min((f for f in found if f is not None), key=lambda f: f.relative, default=None)


def _compare(ours: tuple[Array, ...], theirs: tuple[Array, ...], tolerance: Tolerance) -> Comparison | None:
    """How far the numbers are from each other, axes and order of elements aside; None where they do not compare."""
    if not ours or not theirs:
        return None
    pairs = list(zip(ours, theirs, strict=False)) if len(ours) == len(theirs) else [(ours[0], theirs[0])]
    out = Comparison()
    for x, y in pairs:
        found = _nearest(x, y, tolerance)
        if found is None:
            return None
        out.add(found)
    return out


def _nearest(x: Array, y: Array, tolerance: Tolerance) -> Comparison | None:
    """The better of the readings of `y`: as it is, with its channels last, without axes of one, in any order."""
    if x.size != y.size or x.dtype.kind not in "fiubc" or y.dtype.kind not in "fiubc":
        return None
    readings = [y, np.moveaxis(y, 1, -1)] if y.ndim > 2 else [y]
    fitting = [r.reshape(x.shape) for r in readings if _squeezed(r) == _squeezed(x)]
    found = [compare_arrays(x, r, tolerance) for r in fitting]
    best = min(found, key=lambda f: f.relative, default=None)
    if best is not None and not best.differences:
        return best
    anyhow = compare_arrays(np.sort(x.ravel()), np.sort(y.ravel()), tolerance)
    if anyhow.differences and best is not None:
        return best
    anyhow.notes.add(ANOTHER_ORDER)
    return anyhow


def _squeezed(array: Array) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n != 1)


# --- words -----------------------------------------------------------------------------------------------------


def _figures(found: Comparison) -> str:
    return f"max difference {found.measured:.3g}, allowed {found.allowed:.3g}"


def _input(source: Step, target: Step) -> str:
    """Whether a layer was given the same, where both inputs can be compared."""
    found = _compare(source.given, target.given, TABLE["forward"])
    if found is None:
        return ""
    if found.differences:
        return f"; its input differs already ({_figures(found)})"
    order = " but for the order of its elements" if ANOTHER_ORDER in found.notes else ""
    return f"; its input agrees{order}"
