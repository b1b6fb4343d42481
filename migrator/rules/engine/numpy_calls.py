"""NumPy's functions of tensors: they give arrays in TensorFlow, and tensors where torch's tensors wrap the result."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.precedence import fit
from migrator.values import External, Tensor, Value

# Functions that end in the argument's own `__array_wrap__`.
_WRAPPED = frozenset({"around", "round", "round_"})


def as_arrays(original: cst.Call, updated: cst.Call, value: Callable[[cst.CSTNode], Value]) -> cst.Call:
    """The call with its tensors made arrays, so that it gives an array as before."""
    callee = value(original.func)
    if not isinstance(callee, External) or callee.name.removeprefix("numpy.") not in _WRAPPED:
        return updated
    pairs = zip(original.args, updated.args, strict=True)
    args = [new.with_changes(value=_array(new.value)) if _is_tensor(value(old.value)) else new for old, new in pairs]
    return updated.with_changes(args=args)


def _is_tensor(known: Value) -> bool:
    return isinstance(known, Tensor) and known.origin in ("tf", "variable") and known.dtype != "string"


def _array(node: cst.BaseExpression) -> cst.BaseExpression:
    made: cst.BaseExpression = fit(node, 100)
    for method in ("detach", "cpu", "numpy"):
        made = cst.Call(cst.Attribute(made, cst.Name(method)))
    return made
