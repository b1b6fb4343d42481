"""Joining values: what holds whichever of two ways the program went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migrator.facts import dims
from migrator.values import (
    MIXED,
    Choice,
    Dataset,
    Dict,
    DType,
    Instance,
    LayerOf,
    LayerOutput,
    Literal,
    ModelValue,
    Repeated,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
    is_mixed,
)

MAX_OPTIONS = 8
UNKNOWN = Unknown()
NONE = Literal(None)


def join(a: Value, b: Value) -> Value:
    """The least that both values are.

    None joined with an object is the object: an optional tensor or layer is used only where it is there.
    """
    if a is b or (a == b and not isinstance(a, Tensor)):
        return a
    if a == NONE and _is_object(b):
        return b
    if b == NONE and _is_object(a):
        return a
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return _unknown(a, b)
    if isinstance(a, Literal | Scalar) and isinstance(b, Literal | Scalar):
        return _scalars(a, b)
    if _is_callable(a) and _is_callable(b) and not _same_site(a, b):
        return _choice(a, b)
    if _is_mixed(a, b) or _is_mixed(b, a):
        return Unknown(MIXED)
    return _same_type(a, b) if type(a) is type(b) else UNKNOWN


def _is_mixed(a: Value, b: Value) -> bool:
    """Whether one is a tensor of numbers and the other a number."""
    tensor = isinstance(a, Tensor) and a.origin != "numpy" and a.dtype != "string"
    return tensor and type_name(b) in ("int", "float")


def join_all(values: Iterable[Value]) -> Value:
    """All values joined; Unknown when there is none."""
    result: Value | None = None
    for value in values:
        result = value if result is None else join(result, value)
    return UNKNOWN if result is None else result


def sym_of(value: Value) -> Sym | None:
    """The expression that a value is known by, if any."""
    return value.sym if isinstance(value, Scalar | Unknown | Sequence) else None


def type_name(value: Value) -> str | None:
    """The Python type of a literal or scalar."""
    if isinstance(value, Literal):
        return type(value.value).__name__
    return value.type if isinstance(value, Scalar) else None


def _is_object(value: Value) -> bool:
    return isinstance(value, Tensor | Instance | RepoInstance | ModelValue | Dataset | Sequence | ShapeOf | Choice)


def _unknown(a: Value, b: Value) -> Value:
    if sym_of(a) is not None and sym_of(a) == sym_of(b):
        return Unknown(sym=sym_of(a))
    if is_mixed(a) or is_mixed(b):
        other = b if is_mixed(a) else a
        number = type_name(other) in ("int", "float")
        return Unknown(MIXED) if number or is_mixed(other) or _is_mixed(other, Literal(1)) else UNKNOWN
    return a if isinstance(a, Unknown) and a.sym is None else b if isinstance(b, Unknown) and b.sym is None else UNKNOWN


def _scalars(a: Value, b: Value) -> Value:
    kind = type_name(a) if type_name(a) == type_name(b) else None
    if "NoneType" in (type_name(a), type_name(b)):
        return Unknown("None or a number")
    if kind is None and {type_name(a), type_name(b)} <= {"int", "float", "bool"}:
        kind = "float" if "float" in (type_name(a), type_name(b)) else "int"
    sym = sym_of(a) if sym_of(a) == sym_of(b) else None
    return Scalar(kind, sym)


def _is_callable(value: Value) -> bool:
    if isinstance(value, Instance):
        return value.api.startswith("tf.keras.layers.")
    if isinstance(value, RepoInstance):
        return value.kind != "other"
    return isinstance(value, ModelValue | RepoFunction | Choice)


def _same_site(a: Value, b: Value) -> bool:
    if isinstance(a, RepoFunction | Choice) or isinstance(b, RepoFunction | Choice) or type(a) is not type(b):
        return False
    return (getattr(a, "module", ""), getattr(a, "site", None)) == (getattr(b, "module", ""), getattr(b, "site", None))


def _choice(a: Value, b: Value) -> Value:
    options = a.options if isinstance(a, Choice) else (a,)
    for option in b.options if isinstance(b, Choice) else (b,):
        same = next((i for i, known in enumerate(options) if known == option or _same_site(known, option)), None)
        if same is None:
            options = (*options, option)
        else:
            options = (*options[:same], join(options[same], option), *options[same + 1 :])
    return Choice(options) if len(options) <= MAX_OPTIONS else UNKNOWN


def _same_type(a: Value, b: Value) -> Value:
    if isinstance(a, LayerOutput) and isinstance(b, LayerOutput) and a.network == b.network:
        plain, layer = _tensors(a, b), a.layer if a.layer == b.layer else ""
        return LayerOutput(plain.shape, plain.dtype, plain.origin, network=a.network, layer=layer)
    if isinstance(a, LayerOf) and isinstance(b, LayerOf) and a.network == b.network:
        return LayerOf(a.network, "")
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return _tensors(a, b)
    if isinstance(a, Sequence) and isinstance(b, Sequence):
        return _sequences(a, b)
    if isinstance(a, ShapeOf) and isinstance(b, ShapeOf):
        return ShapeOf(dims.join_shapes(a.dims, b.dims), a.dynamic or b.dynamic, dims.join(a.last, b.last))
    if isinstance(a, Instance) and isinstance(b, Instance) and a.api == b.api:
        site, module = (a.site, a.module) if a.site == b.site and a.module == b.module else (None, "")
        return Instance(a.api, module, site, _arguments(a.args, b.args))
    if isinstance(a, RepoInstance) and isinstance(b, RepoInstance) and a.qualname == b.qualname:
        site, module = (a.site, a.module) if a.site == b.site and a.module == b.module else (None, "")
        return RepoInstance(a.qualname, a.kind, module, site, _arguments(a.args, b.args))
    if isinstance(a, ModelValue) and isinstance(b, ModelValue) and a.api == b.api:
        return _models(a, b)
    if isinstance(a, Dataset) and isinstance(b, Dataset):
        return Dataset(join(a.element, b.element), a.batched and b.batched)
    if isinstance(a, Dict) and isinstance(b, Dict):
        return _dicts(a, b)
    if isinstance(a, DType) and isinstance(b, DType) and a.name == b.name:
        return DType(a.name, a.numpy or b.numpy, a.passed or b.passed)
    return UNKNOWN


def _tensors(a: Tensor, b: Tensor) -> Tensor:
    shape = dims.join_shapes(a.shape, b.shape)
    return Tensor(
        shape,
        a.dtype if a.dtype == b.dtype else None,
        a.origin if a.origin == b.origin else "tf",
        a.layout if a.layout == b.layout else None,
        None if shape is not None else dims.join(a.channels, b.channels),
    )


def _sequences(a: Sequence, b: Sequence) -> Value:
    kind = a.kind if a.kind == b.kind else "list"
    sym = a.sym if a.sym == b.sym else None
    element = join(a.element, b.element) if a.items != () and b.items != () else a.element if a.items else b.element
    if a.items is not None and b.items is not None and len(a.items) == len(b.items):
        items = tuple(map(join, a.items, b.items))
        return Sequence(kind, items, join_all(items), sym)
    return Sequence(kind, None, element, sym)


def _models(a: ModelValue, b: ModelValue) -> Value:
    same_site = a.site == b.site and a.module == b.module
    if not same_site:
        return ModelValue(a.api)
    return replace(
        a,
        layers=a.layers if a.layers == b.layers else None,
        inputs=a.inputs if a.inputs == b.inputs else None,
        outputs=_joined(a.outputs, b.outputs),
        parts=_joined_parts(a.parts, b.parts),
    )


def _joined(a: tuple[Value, ...] | None, b: tuple[Value, ...] | None) -> tuple[Value, ...] | None:
    return None if a is None or b is None or len(a) != len(b) else tuple(map(join, a, b))


def _joined_parts(a: tuple[Value, ...], b: tuple[Value, ...]) -> tuple[Value, ...]:
    """A Sequential that one branch adds layers to."""
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if a == b or long[: len(short)] != short or not short:
        return a if a == b else ()
    return (*short, Repeated(long[len(short) :], optional=True))


def _dicts(a: Dict, b: Dict) -> Value:
    if a.items is None or b.items is None or [k for k, _ in a.items] != [k for k, _ in b.items]:
        return Dict(None, join(a.element, b.element)) if a.items is None is b.items else Dict(None)
    return Dict(tuple((key, join(x, y)) for (key, x), (_, y) in zip(a.items, b.items, strict=True)))


def _arguments(a: tuple[tuple[str, Value], ...], b: tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Value], ...]:
    other = dict(b)
    return tuple((name, join(value, other[name])) for name, value in a if name in other)
