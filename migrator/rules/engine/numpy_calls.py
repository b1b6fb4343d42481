"""NumPy's functions of tensors: they give arrays in TensorFlow, and tensors where torch's tensors wrap the result."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.precedence import fit
from migrator.values import External, Tensor, Value

# Functions that give what their tensor makes of the result, or that ask the tensor for a method of NumPy's.
_NAMES = """around round round_ abs absolute add ceil cos divide exp expm1 floor fabs isfinite isinf isnan log log10
log1p log2 maximum minimum multiply negative power rint sign sin sqrt square subtract tan tanh sinh cosh clip
mean std var sum prod max min amax amin argmax argmin any all median cumsum cumprod argsort sort squeeze reshape
ravel transpose swapaxes repeat take diagonal trace nonzero dot searchsorted allclose isclose array_equal
random.choice"""
_WRAPPED = frozenset(_NAMES.split())


def as_arrays(original: cst.Call, updated: cst.Call, value: Callable[[cst.CSTNode], Value]) -> cst.Call:
    """The call with its tensors made arrays, so that it gives an array as before."""
    if _function(original, value) not in _WRAPPED:
        return updated
    pairs = zip(original.args, updated.args, strict=True)
    args = [new.with_changes(value=_array(new.value)) if _is_tensor(value(old.value)) else new for old, new in pairs]
    return updated.with_changes(args=args)


def rounds_the_unknown(original: cst.Call, value: Callable[[cst.CSTNode], Value]) -> bool:
    """Whether NumPy rounds what may be a tensor or an array: torch's tensors wrap the result, silently."""
    given = value(original.args[0].value) if original.args else None
    open_tensor = isinstance(given, Tensor) and given.origin == "tf" and not _is_tensor(given)
    return open_tensor and _function(original, value) in ("around", "round", "round_")


def _function(call: cst.Call, value: Callable[[cst.CSTNode], Value]) -> str:
    """The function of NumPy that is called; Python's own of the same name are none."""
    callee = value(call.func)
    name = callee.name if isinstance(callee, External) else ""
    return name.removeprefix("numpy.") if name.startswith("numpy.") else ""


def _is_tensor(known: Value) -> bool:
    if not isinstance(known, Tensor) or known.origin not in ("tf", "variable") or known.dtype == "string":
        return False
    return known not in (Tensor(), Tensor(origin=known.origin))  # of those nothing is known: it may be an array


def _array(node: cst.BaseExpression) -> cst.BaseExpression:
    made: cst.BaseExpression = fit(node, 100)
    for method in ("detach", "cpu", "numpy"):
        made = cst.Call(cst.Attribute(made, cst.Name(method)))
    return made
