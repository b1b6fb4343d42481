"""Values and cases in words, for people and models who know neither of our types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator_validators.cases import Arg, Array, Batches, Call, Case, Items, Lit, Made, Name
from migrator_validators.cases import Mapping as MappingArg

from migrator.values import (
    Choice,
    Dataset,
    Dict,
    Dim,
    Facts,
    FunctionFacts,
    Instance,
    Literal,
    ModelValue,
    RepoInstance,
    Scalar,
    Sequence,
    Shape,
    Sym,
    Tensor,
    Value,
)

LONGEST_LITERAL = 40
"""Characters of a constant in a prompt; values are no facts of a shape."""


def of_value(value: Value) -> str:
    """What is known of a value, "" where it is nothing worth saying."""
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, Literal):
        return _literal(value.value)
    if isinstance(value, Scalar):
        default = f", by default {of_value(value.default)}" if value.default is not None else ""
        return f"{value.type or 'a number'}{default}" if value.type or default else ""
    if isinstance(value, Sequence) and value.items is not None:
        items = [of_value(item) or "?" for item in value.items]
        return f"{value.kind} of ({', '.join(items)})" if len(items) <= 8 else f"{value.kind} of {len(items)}"
    if isinstance(value, Dict) and value.items is not None:
        return "dict with " + ", ".join(f"{key!r}: {of_value(item) or '?'}" for key, item in value.items[:8])
    if isinstance(value, Dataset):
        return f"dataset of {of_value(value.element) or 'elements'}" + (", batched" if value.batched else "")
    return _object(value)


def _object(value: Value) -> str:
    if isinstance(value, Instance):
        args = ", ".join(f"{name}={of_value(item) or '?'}" for name, item in value.args[:8])
        return f"{value.api.rpartition('.')[2]}({args})"
    if isinstance(value, RepoInstance):
        return f"a {value.qualname.rpartition(':')[2]} of the repository"
    if isinstance(value, ModelValue):
        return f"model from {_several(value.inputs)} to {_several(value.outputs)}"
    if isinstance(value, Choice):
        return " or ".join(filter(None, map(of_value, value.options)))
    return ""


def _several(values: tuple[Value, ...] | None) -> str:
    return ", ".join(of_value(v) or "?" for v in values) if values else "unknown inputs"


def _tensor(value: Tensor) -> str:
    kind = {"numpy": "NumPy array", "variable": "variable"}.get(value.origin, "tensor")
    if value.shape is None:
        known = f" with last axis {dim(value.last)}" if value.last is not None else " of unknown rank"
        return f"{value.dtype or ''} {kind}{known}".strip()
    layout = ", channels last" if value.layout == "channels_last" and len(value.shape) > 2 else ""
    return f"{value.dtype or ''} {kind} {shape(value.shape)}{layout}".strip()


def shape(dims: Shape) -> str:
    """`[N, 28, 28, in_channels]`: the batch is N, what is not known `?`."""
    names = ["N" if axis == 0 and d is None else dim(d) for axis, d in enumerate(dims)]
    return f"[{', '.join(names)}]"


def dim(value: Dim) -> str:
    return value.text if isinstance(value, Sym) else "?" if value is None else str(value)


def _literal(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_LITERAL else f"a {type(value).__name__} of {len(text)} characters"


def of_function(known: FunctionFacts) -> Iterator[str]:
    """One line for each parameter that something is known of, and one for the result."""
    for name, value in known.params:
        text = of_value(value)
        if text:
            yield f"`{name}`: {text}"
    result = of_value(known.returns)
    if result:
        yield f"it returns {result}"


def of_class(qualname: str, facts: Facts) -> Iterator[str]:
    """What its constructor, attributes and call are known to be."""
    known = facts.cls(qualname)
    if known is None:
        return
    for name, value in known.init:
        if text := of_value(value):
            yield f"constructor parameter `{name}`: {text}"
    for name, value in known.attrs:
        if isinstance(value, Instance | RepoInstance | ModelValue):
            yield f"`self.{name}`: {of_value(value)}{_used(value, facts)}"
    for name, value in known.call_inputs:
        if text := of_value(value):
            yield f"called with `{name}`: {text}"
    if text := of_value(known.call_output):
        yield f"the call returns {text}"


def _used(value: Value, facts: Facts) -> str:
    """What a layer is applied to, where the analysis saw it."""
    site, module = getattr(value, "site", None), getattr(value, "module", "")
    use = facts.layer(module, site) if site is not None and module else None
    if use is None:
        return ""
    inputs, output = [of_value(v) for v in use.inputs], of_value(use.output)
    given = f", applied to {', '.join(inputs)}" if inputs and all(inputs) else ""
    return given + (f", gives {output}" if output else "")


# --- cases -----------------------------------------------------------------------------------------------


def of_case(case: Case, values: bool = False) -> str:
    """How a case calls the unit: arrays as shapes and dtypes, numbers as they are; recorded text only with `values`."""
    said = _Words(values or case.inputs_from != "recorded")
    inputs = [said.arg(a) for a in case.inputs]
    inputs += [f"{name}={said.arg(a)}" for name, a in case.input_kwargs.items()]
    return f"`{said.call(case.call)}`" + (f", then called with {', '.join(inputs)}" if inputs else "")


@dataclass(frozen=True)
class _Words:
    """`texts`: strings may be repeated."""

    texts: bool

    def call(self, call: Call) -> str:
        args = call.args if call.target_args is None else call.target_args
        kwargs = call.kwargs if call.target_kwargs is None else call.target_kwargs
        name = call.source.rpartition(":")[2]
        inner = ", ".join([*map(self.arg, args), *(f"{key}={self.arg(value)}" for key, value in kwargs.items())])
        return f"{self.arg(call.on)}.{name}({inner})" if call.on is not None else f"{name}({inner})"

    def arg(self, arg: Arg) -> str:
        if isinstance(arg, Lit):
            return _literal(arg.value) if self.texts or not isinstance(arg.value, str) else "a string"
        if isinstance(arg, Array):
            dims = ", ".join(map(str, arg.shape or _stored(arg.values)))
            return f"{arg.dtype}[{dims}]"
        if isinstance(arg, Items):
            inner = ", ".join(map(self.arg, arg.items[:8])) + (", …" if len(arg.items) > 8 else "")
            return f"[{inner}]" if arg.kind == "list" else f"({inner})"
        if isinstance(arg, MappingArg):
            return "{" + ", ".join(f"{key!r}: {self.arg(value)}" for key, value in arg.items.items()) + "}"
        if isinstance(arg, Batches):
            return f"batches of {self.arg(arg.element)}"
        if isinstance(arg, Made):
            return self.call(arg.call)
        return arg.source.rpartition(":")[2] if isinstance(arg, Name) else "?"


def _stored(values: object) -> tuple[int, ...]:
    sizes: list[int] = []
    while isinstance(values, list | tuple):
        sizes.append(len(values))
        values = values[0] if values else None
    return tuple(sizes)
