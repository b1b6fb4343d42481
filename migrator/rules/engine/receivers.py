"""What kind of thing a method or attribute is asked of."""

from __future__ import annotations

import libcst as cst

from migrator.values import Dataset, DType, History, Instance, ModelValue, ShapeOf, Tensor, Value

# Methods that torch does not have under this name and meaning: declined when the receiver is unknown.
TF_ONLY = frozenset(
    {"numpy", "get_shape", "as_list", "set_shape", "assign", "assign_add", "assign_sub", "eval_tensor", "read_value"}
)


def on_torch(node: cst.BaseExpression) -> bool:
    """Whether a receiver is torch's already, as in `x.detach().cpu().numpy()`."""
    func = node.func if isinstance(node, cst.Call) else None
    return isinstance(func, cst.Attribute) and func.attr.value in ("cpu", "detach")


def kinds(value: Value) -> tuple[str, ...]:
    """The owners whose members a value has, the most special first."""
    if isinstance(value, Tensor):
        if value.origin == "numpy":
            return ()
        return ("Variable", "Tensor") if value.origin == "variable" else ("Tensor",)
    if isinstance(value, ShapeOf):
        return ("Shape",)
    if isinstance(value, DType):
        return ("DType",)
    if isinstance(value, Instance):
        return (value.api,)
    if isinstance(value, ModelValue):
        return (value.api,)
    return ()


def known_kind(value: Value) -> str | None:
    """The owner of members that must have a rule, or None where members are ordinary Python."""
    if isinstance(value, Dataset):
        return "tf.data.Dataset"
    if isinstance(value, History):
        return "tf.keras.callbacks.History"
    if isinstance(value, ShapeOf):
        return None
    found = kinds(value)
    return found[-1] if found else None
