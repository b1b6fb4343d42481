"""Comparison of two results, outside the sandbox: structure, shapes, dtypes, then values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from migrator_validators.tolerances import FLOOR, Tolerance

Tree = Mapping[str, Any]
Arrays = Mapping[str, npt.NDArray[Any]]
Kind = Literal["structure", "shape", "dtype", "value", "other"]
VALUES = frozenset(("value", "other"))
"""Kinds of differences between numbers, and between texts and truths, which no rounding explains."""
WIDENED = {("int32", "int64"), ("uint8", "int64"), ("int16", "int64"), ("int8", "int64")}


@dataclass(frozen=True)
class Difference:
    """One thing that is not equal, at a path such as ".loss[0]"."""

    path: str
    kind: Kind
    detail: str


@dataclass
class Comparison:
    """What a comparison found: the worst figure with what was allowed there, and every difference."""

    measured: float = 0.0
    allowed: float = 0.0
    relative: float = 0.0
    leaves: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)

    @property
    def shapes_differ(self) -> bool:
        return any(d.kind not in VALUES for d in self.differences)

    def first(self, structural: bool | None = None) -> str:
        """The first difference in words; only structural ones or only values where asked."""
        for d in self.differences:
            if structural is None or structural == (d.kind not in VALUES):
                return f"result{d.path}: {d.detail}" if d.path else d.detail
        return ""

    def add(self, other: Comparison) -> None:
        """Take in the findings of another batch."""
        if other.relative >= self.relative:
            self.measured, self.allowed, self.relative = other.measured, other.allowed, other.relative
        self.leaves += other.leaves
        self.differences += other.differences
        self.notes |= other.notes


def compare_trees(source: Tree, a: Arrays, target: Tree, b: Arrays, tolerance: Tolerance, path: str = "") -> Comparison:
    """Compare an encoded result of the source with the target's."""
    out = Comparison()
    _compare(source, a, target, b, tolerance, path, out)
    return out


def _compare(s: Tree, a: Arrays, t: Tree, b: Arrays, tol: Tolerance, path: str, out: Comparison) -> None:
    if s["t"] in ("array", "strings") or t["t"] in ("array", "strings"):
        _compare_leaf(s, a, t, b, tol, path, out)
    elif s["t"] == "scalar" or t["t"] == "scalar":
        _compare_scalar(s, t, tol, path, out)
    elif s["t"] == "dict" or t["t"] == "dict":
        _compare_dict(s, a, t, b, tol, path, out)
    elif s["t"] in ("list", "tuple", "namedtuple"):
        _compare_items(s, a, t, b, tol, path, out)
    elif s["t"] != t["t"]:
        out.differences.append(Difference(path, "structure", f"{_name(t)} instead of {_name(s)}"))
    else:
        out.notes.add(f"{_name(s)} is not compared")


def _name(tree: Tree) -> str:
    if tree["t"] == "array":
        where = "NumPy array" if tree["as"] == "numpy" else "tensor"
        return f"{where} {tree['dtype']}{tree['shape']}"
    if tree["t"] == "scalar":
        return f"{tree['type']} {tree['v']!r}"
    return str(tree.get("type", tree["t"]))


def _compare_items(s: Tree, a: Arrays, t: Tree, b: Arrays, tol: Tolerance, path: str, out: Comparison) -> None:
    if t["t"] not in ("list", "tuple", "namedtuple"):
        out.differences.append(Difference(path, "structure", f"{_name(t)} instead of {_name(s)}"))
        return
    if t["t"] == "tuple" and s.get("owner") in ("tensorflow", "keras", "tf_keras"):
        out.notes.add("access by field name")
    elif s["t"] == "namedtuple" and s.get("fields") != t.get("fields"):
        out.differences.append(Difference(path, "structure", f"fields {t.get('fields')} instead of {s['fields']}"))
        return
    if len(s["items"]) != len(t["items"]):
        out.differences.append(Difference(path, "structure", f"{len(t['items'])} items instead of {len(s['items'])}"))
        return
    for index, (x, y) in enumerate(zip(s["items"], t["items"], strict=True)):
        _compare(x, a, y, b, tol, f"{path}[{index}]", out)


def _compare_dict(s: Tree, a: Arrays, t: Tree, b: Arrays, tol: Tolerance, path: str, out: Comparison) -> None:
    if s["t"] != t["t"]:
        out.differences.append(Difference(path, "structure", f"{_name(t)} instead of {_name(s)}"))
        return
    if set(s["items"]) != set(t["items"]):
        out.differences.append(
            Difference(path, "structure", f"keys {sorted(t['items'])} instead of {sorted(s['items'])}")
        )
        return
    for name in s["items"]:
        _compare(s["items"][name], a, t["items"][name], b, tol, f"{path}.{name}", out)


def _compare_scalar(s: Tree, t: Tree, tol: Tolerance, path: str, out: Comparison) -> None:
    out.leaves += s.get("v", 0) is not None  # that both give None says nothing of what was done
    kinds = {s.get("type"), t.get("type")}
    if s["t"] != t["t"] or (s["type"] != t["type"] and not kinds <= {"int", "float"}):
        out.differences.append(Difference(path, "structure", f"{_name(t)} instead of {_name(s)}"))
    elif kinds <= {"int", "float"}:
        _compare_values(np.float64(s["v"]), np.float64(t["v"]), tol if "float" in kinds else EXACT, path, out)
    elif s["v"] != t["v"]:
        out.differences.append(Difference(path, "other", f"{t['v']!r} instead of {s['v']!r}"))


def _compare_leaf(s: Tree, a: Arrays, t: Tree, b: Arrays, tol: Tolerance, path: str, out: Comparison) -> None:
    out.leaves += 1
    if s["t"] == "array" and s["as"] == "tensor" and not s["shape"] and t["t"] == "scalar":
        out.notes.add("a scalar tensor became a Python number")
        s = {**s, "as": "scalar"}
    s, a = _as_array(s, a)
    t, b = _as_array(t, b)
    if s["t"] != t["t"] or (
        s["as"] != t["as"]
        and s["t"] != "strings"  # torch has no tensors of text: arrays and plain bytes stand for them
        and not ((s["as"] == "scalar" and t["as"] == "numpy") or (s["as"] == "numpy" and t["as"] == "scalar"))
    ):
        out.differences.append(Difference(path, "structure", f"{_name(t)} instead of {_name(s)}"))
    elif list(s["shape"]) != list(t["shape"]):
        out.differences.append(Difference(path, "shape", f"shape {t['shape']} instead of {s['shape']}"))
    elif s["t"] == "strings":
        if s["v"] != t["v"]:
            out.differences.append(Difference(path, "other", "text differs"))
    elif _dtype_differs(s, t, out):
        out.differences.append(Difference(path, "dtype", f"dtype {t['dtype']} instead of {s['dtype']}"))
    else:
        _compare_values(a[s["key"]], b[t["key"]], tol, path, out)


def _as_array(tree: Tree, arrays: Arrays) -> tuple[Tree, Arrays]:
    """A Python number or text where the other side has a NumPy scalar or a tensor of text: the same to a caller."""
    if tree["t"] == "scalar" and tree["type"] in ("str", "bytes"):
        return {"t": "strings", "as": "scalar", "v": [tree["v"]], "shape": []}, {}
    if tree["t"] == "scalar" and tree["type"] in ("int", "float", "bool"):
        value = np.asarray(float(tree["v"]) if tree["type"] == "float" else tree["v"])
        return {"t": "array", "as": "scalar", "key": "", "dtype": "", "shape": []}, {"": value}
    return tree, arrays


def _dtype_differs(s: Tree, t: Tree, out: Comparison) -> bool:
    x, y = s["dtype"], t["dtype"]
    if not x or not y or x == y:
        return False
    if (x, y) in WIDENED:
        out.notes.add(f"{x} became {y}")
        return False
    return True


EXACT = Tolerance(0.0, 0.0, "")


def _compare_values(x: npt.ArrayLike, y: npt.ArrayLike, tol: Tolerance, path: str, out: Comparison) -> None:
    found = compare_arrays(x, y, tol)
    if found.differences:
        found.differences = [Difference(path, "value", d.detail) for d in found.differences]
    out.add(found)


def compare_arrays(expected: npt.ArrayLike, actual: npt.ArrayLike, tol: Tolerance, floor: float = FLOOR) -> Comparison:
    """Compare two arrays of the same shape; NaN and infinities by position. Whole numbers and booleans exactly."""
    x, y = np.asarray(expected), np.asarray(actual)
    if x.shape != y.shape:
        return Comparison(differences=[Difference("", "shape", f"shape {list(y.shape)} instead of {list(x.shape)}")])
    if x.size == 0:
        return Comparison()
    wide = np.complex128 if "c" in (x.dtype.kind, y.dtype.kind) else np.float64
    inexact = x.dtype.kind in "fc" or y.dtype.kind in "fc"
    u, v = x.astype(wide), y.astype(wide)
    finite = np.isfinite(u)
    if not np.array_equal(finite, np.isfinite(v)) or not np.array_equal(u[~finite], v[~finite], equal_nan=True):
        where = int(np.sum(finite != np.isfinite(v)))
        return Comparison(
            np.inf,
            0.0,
            np.inf,
            differences=[Difference("", "value", f"NaN or infinity at other places ({where} of {x.size})")],
        )
    scale = max(float(np.max(np.abs(u[finite]), initial=0.0)), floor)
    allowed = tol.absolute * scale + tol.relative * np.abs(u) if inexact else np.zeros(u.shape)
    return _worst(u, v, allowed, finite)


def _worst(u: npt.NDArray[Any], v: npt.NDArray[Any], allowed: npt.NDArray[Any], finite: npt.NDArray[Any]) -> Comparison:
    gap = np.where(finite, np.abs(np.where(finite, u, 0) - np.where(finite, v, 0)), 0.0)
    limit = np.where(finite, allowed, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(gap > 0, gap / limit, 0.0)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    out = Comparison(float(gap[at]), float(limit[at]), float(ratio[at]))
    if ratio[at] > 1:
        place = [int(i) for i in at]
        out.differences.append(
            Difference(
                "",
                "value",
                f"{_show(v[at])} instead of {_show(u[at])} at {place}, {int((ratio > 1).sum())} of {u.size} differ",
            )
        )
    elif gap[at] == 0:
        out.allowed = float(np.max(limit))
    return out


def _show(value: Any) -> str:
    return f"{value:.6g}" if not isinstance(value, complex | np.complexfloating) else f"{value:.4g}"


# --- evidence -----------------------------------------------------------------------------------------


def leaves(tree: Tree, arrays: Arrays, path: str = "") -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """(path, array) of every number in an encoded result."""
    if tree["t"] == "array":
        yield path, arrays[tree["key"]]
    elif tree["t"] == "scalar" and tree["type"] in ("int", "float", "bool"):
        yield path, np.asarray(float(tree["v"]))
    elif tree["t"] == "strings":
        yield path, np.asarray([len(set(tree["v"]))])
    elif tree["t"] == "dict":
        for name, item in tree["items"].items():
            yield from leaves(item, arrays, f"{path}.{name}")
    elif tree["t"] in ("list", "tuple", "namedtuple"):
        for index, item in enumerate(tree["items"]):
            yield from leaves(item, arrays, f"{path}[{index}]")


def says_something(batches: Sequence[tuple[Tree, Arrays]], inputs_vary: bool = True) -> bool:
    """Whether equality of these results proves anything: some number varies, within a batch or over the batches.

    Where the inputs are the same in every batch, a single number that is neither zero nor NaN has to do.
    """
    seen: set[float] = set()
    for tree, arrays in batches:
        for _, array in leaves(tree, arrays):
            if array.size == 0 or array.dtype.kind not in "fiubc":
                continue
            values = np.unique(np.abs(array)) if array.dtype.kind == "c" else np.unique(array)
            finite = values[np.isfinite(values.astype("float64"))]
            seen.update(float(value) for value in finite[:3])
            if len(seen) > 1:
                return True
    return not inputs_vary and bool(seen - {0.0})
