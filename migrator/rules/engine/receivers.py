"""What kind of thing a method or attribute is asked of."""

from __future__ import annotations

import libcst as cst

from migrator.values import (
    Dataset,
    DType,
    History,
    Instance,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Tensor,
    Value,
)

# Methods that torch does not have under this name and meaning: declined when the receiver is unknown.
TF_ONLY = frozenset(
    {
        "assert_has_rank",
        "assert_is_compatible_with",
        "assign",
        "assign_add",
        "assign_sub",
        "as_list",
        "eval_tensor",
        "get_next",
        "get_next_as_optional",
        "get_shape",
        "is_fully_defined",
        "most_specific_compatible_shape",
        "numpy",
        "read_value",
        "set_shape",
        "with_rank",
        "with_rank_at_least",
    }
)


# Members of `tf.TensorShape` and of `@tf.function`s, which tuples and plain functions do not have.
SHAPE_ONLY = frozenset(
    {
        "assert_has_rank",
        "assert_is_compatible_with",
        "assert_is_fully_defined",
        "assert_same_rank",
        "as_proto",
        "concatenate",
        "dims",
        "experimental_as_proto",
        "is_compatible_with",
        "is_fully_defined",
        "is_subtype_of",
        "merge_with",
        "most_specific_common_supertype",
        "most_specific_compatible_shape",
        "num_elements",
        "with_rank",
        "with_rank_at_least",
        "with_rank_at_most",
    }
)
FUNCTION_ONLY = frozenset(
    {"get_concrete_function", "python_function", "experimental_get_compiler_ir", "experimental_get_tracing_count"}
)


def without_counterpart(value: Value, name: str) -> str | None:
    """Whose member it is that torch's side has no counterpart of, or None where it is ordinary Python."""
    if isinstance(value, ShapeOf) and name in SHAPE_ONLY:
        return "TensorShape"
    if name in FUNCTION_ONLY and not isinstance(value, RepoInstance):
        return "tf.function"
    return "Tensor" if isinstance(value, Sequence | Scalar) and name in TF_ONLY else None


def on_torch(node: cst.BaseExpression) -> bool:
    """Whether a receiver is torch's already, as in `x.detach().cpu().numpy()`."""
    func = node.func if isinstance(node, cst.Call) else None
    if not isinstance(func, cst.Attribute):
        return False
    return func.attr.value in ("cpu", "detach") or (isinstance(func.value, cst.Name) and func.value.value == "torch")


def kinds(value: Value) -> tuple[str, ...]:
    """The owners whose members a value has, the most special first."""
    if isinstance(value, Tensor):
        if value.origin == "numpy":
            return ()
        if value.dtype == "string":
            return ("String",)
        return ("Variable", "Tensor") if value.origin == "variable" else ("Tensor",)
    if isinstance(value, ShapeOf):
        return ("Shape",)
    if isinstance(value, Dataset):
        return ("tf.data.Dataset",)
    if isinstance(value, DType):
        return ("DType",)
    if isinstance(value, Instance):
        return (value.api,)
    if isinstance(value, ModelValue):
        return (value.api,)
    return ("Number",) if _is_integer(value) else ()


def _is_integer(value: Value) -> bool:
    """Whether a value is a plain number in torch, as sizes are that TensorFlow gives as tensors."""
    return value.type == "int" if isinstance(value, Scalar) else isinstance(value, Literal) and type(value.value) is int


def known_kind(value: Value) -> str | None:
    """The owner of members that must have a rule, or None where members are ordinary Python."""
    if isinstance(value, Dataset):
        return "tf.data.Dataset"
    if isinstance(value, History):
        return "tf.keras.callbacks.History"
    if isinstance(value, ShapeOf):
        return None
    found = kinds(value)
    return found[-1] if found and found[-1] != "Number" else None
