"""Parameters of constructors and methods: which stay, and how they are written."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find

_KERAS = ("name", "dtype", "trainable", "dynamic")


def kept_params(init: cst.FunctionDef) -> set[str]:
    """The constructor's parameters without those that only Keras's own constructor reads."""
    params = [*init.params.params, *init.params.kwonly_params, *init.params.posonly_params]
    starred = [p for p in (init.params.star_arg, init.params.star_kwarg) if isinstance(p, cst.Param)]
    inside = base_arguments(init)
    kept = {
        p.name.value
        for p in params
        if p.name.value not in _KERAS or reads(init, p.name.value) > inside.get(p.name.value, 0)
    }
    kept |= {p.name.value for p in starred if reads(init, p.name.value) > inside.get(p.name.value, 0)}
    if (
        any(isinstance(p, cst.ParamStar) for p in [init.params.star_arg])
        and {p.name.value for p in init.params.kwonly_params} & kept
    ):
        kept.add("*")
    return kept - {"self"}


def base_arguments(init: cst.FunctionDef) -> dict[str, int]:
    """How often each name is read as an argument of the base class's constructor."""
    counts: dict[str, int] = {}
    for call in find(init, m.Call(func=m.Attribute(attr=m.Name("__init__")))):
        assert isinstance(call, cst.Call)
        for arg in call.args:
            for name in find(arg.value, m.Name()):
                assert isinstance(name, cst.Name)
                counts[name.value] = counts.get(name.value, 0) + 1
    return counts


def reads(function: cst.FunctionDef, name: str) -> int:
    """How often a function's body reads a name."""
    keywords = find(function.body, m.Arg(keyword=m.Name(name)))
    attributes = find(function.body, m.Attribute(attr=m.Name(name)))
    return len(find(function.body, m.Name(name))) - len(keywords) - len(attributes)


def unread(function: cst.FunctionDef, name: str, droppable: Collection[str]) -> bool:
    """Whether a parameter is one of those that may go and nothing reads it."""
    return name in droppable and reads(function, name) == 0


def param_text(param: cst.Param, star: str, ctx: Context) -> str:
    """A parameter as written, its default free of TensorFlow."""
    if star == "bare":
        return "*"
    text = f"{star}{param.name.value}"
    if param.annotation is not None:
        text += f": {ctx.code(param.annotation.annotation)}"
    if param.default is not None:
        spaced = " = " if param.annotation is not None else "="
        text += f"{spaced}{ctx.code(ctx.rewrite(param.default).node)}"
    return text
