"""Classes that derive from a layer or model of the repository: what they have from it, and how they construct it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.constructor import KERAS_STATE, Constructor
from migrator.codemods.models.forward import body_of
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.params import kept_params, param_text
from migrator.codemods.models.part import Part
from migrator.codemods.models.sizes import required
from migrator.codemods.models.term import Bound
from migrator.codemods.models.text import names
from migrator.codemods.nodes import find
from migrator.model import LayerCode, WeightRecord
from migrator.values import SizeParam

_KERAS = ("name", "dtype", "trainable", "dynamic")


@dataclass(frozen=True)
class Inherited:
    """What a class has from the nearest class of the repository above it.

    `attributes`: all that `self` has then, methods among them. `set_by_init`: what the constructor and `build`
    above assign or read. `params`: the constructor's parameters as text; `takes`: their names.
    `records`: how the weights above are carried over, as of the class below.
    """

    qualname: str
    bound: Mapping[str, Bound]
    lists: Mapping[str, Bound]
    attributes: frozenset[str]
    touched: frozenset[str]
    calls: frozenset[str]
    params: tuple[str, ...]
    takes: tuple[str, ...]
    sizes: tuple[str, ...]
    records: tuple[WeightRecord, ...]
    has_build: bool
    penalised: bool
    constrained: bool
    resets: bool
    open: bool  # the constructor takes `**kwargs` and hands them on


def of(
    ctx: Context, qualname: str, node: cst.ClassDef, build: ModuleBuild, made: Constructor, above: Inherited | None
) -> Inherited:
    """What a class gives to those that derive from it, once its constructor is rewritten."""
    methods = {s.name.value: s for s in body_of(node) if isinstance(s, cst.FunctionDef)}
    makers = [methods[name] for name in ("__init__", "build") if name in methods]
    touched = {name for method in makers for name in _of_self(method)}
    called = {name for method in makers for name in _called(method)}
    init = methods.get("__init__")
    params, takes = _constructor(ctx, init) if init is not None else ((), ())
    if init is None and above is not None:
        params, takes = above.params, above.takes
    records = [replace(r, keras=qualname) if r.path == "" else r for r in build.records]
    return Inherited(
        qualname,
        {**(above.bound if above else {}), **made.bound},
        {**(above.lists if above else {}), **made.lists},
        frozenset(touched | build.taken | set(methods) | (above.attributes if above else frozenset())),
        frozenset(touched | (above.touched if above else frozenset())),
        frozenset(called | (above.calls if above else frozenset())),
        tuple(params),
        tuple(takes),
        tuple(required(ctx, qualname)),
        (*(above.records if above else ()), *records),
        "build" in methods or (above is not None and above.has_build),
        bool(build.penalties) or (above is not None and above.penalised),
        bool(build.constraints) or (above is not None and above.constrained),
        bool(build.resets) or (above is not None and above.resets),
        any(p.startswith("**") for p in build.params),
    )


def _of_self(node: cst.CSTNode) -> set[str]:
    """The attributes of `self` that a piece of code reads or sets."""
    found = find(node, m.Attribute(value=m.Name("self")))
    return {n.attr.value for n in found if isinstance(n, cst.Attribute)}


def _called(node: cst.CSTNode) -> set[str]:
    """The methods of `self` that a piece of code calls."""
    calls = find(node, m.Call(func=m.Attribute(value=m.Name("self"))))
    return {c.func.attr.value for c in calls if isinstance(c, cst.Call) and isinstance(c.func, cst.Attribute)}


def _constructor(ctx: Context, init: cst.FunctionDef) -> tuple[Sequence[str], Sequence[str]]:
    """The parameters that stay, as text and by name; those with stars are left out."""
    kept = kept_params(init)
    params = [p for p in [*init.params.params, *init.params.kwonly_params] if p.name.value in kept]
    return [param_text(p, "", ctx) for p in params], [p.name.value for p in params]


def records_of(inherited: Inherited, owner: str) -> list[WeightRecord]:
    """How the weights from above are carried over, in an object of the class below."""
    return [replace(r, owner=owner, keras=owner if r.path == "" else r.keras) for r in inherited.records]


def problem(methods: Mapping[str, cst.FunctionDef], above: Inherited) -> str:
    """Why a class cannot derive from the module above it; "" where it can."""
    anew = _assigned_anew(methods, above)
    if anew:
        return f"`{anew}` is set up by the base class as well"
    if hooks := sorted(set(methods) & above.calls):
        return f"the constructor of the base class calls `self.{hooks[0]}`, which is defined anew"
    build = methods.get("build")
    if build is not None and above.has_build and not _builds_above(build):
        return "a `build` in place of the base class's"
    return ""


def _builds_above(build: cst.FunctionDef) -> bool:
    calls = [c for c in find(build, m.Call(func=m.Attribute(attr=m.Name("build")))) if isinstance(c, cst.Call)]
    return any(m.matches(c.func, m.Attribute(value=m.Call(func=m.Name("super")))) for c in calls)


def sizes_differ(above: Inherited, sizes: Sequence[SizeParam], same: bool) -> str:
    """Why the sizes of a class do not do for the one above; `same`: its constructor is that one's."""
    ours = {size.name for size in sizes}
    if not set(above.sizes) <= ours:
        return f"the size `{min(set(above.sizes) - ours)}` that the base class needs is unknown here"
    if same and ours != set(above.sizes):
        return f"the size `{min(ours - set(above.sizes))}`, which the base class does not take"
    return ""


def forward_above(above: Inherited) -> Bound:
    """`super().call` as a part."""
    return Bound(
        Part(above.qualname, LayerCode("", "{self}({x})", ""), LAST, LAST, arguments=True), "super().forward", ""
    )


def _assigned_anew(methods: Mapping[str, cst.FunctionDef], above: Inherited) -> str:
    """An attribute that both the class and the one above set up; "" where there is none."""
    for name in ("__init__", "build"):
        for target in find(methods[name], m.AssignTarget()) if name in methods else ():
            assert isinstance(target, cst.AssignTarget)
            text = get_full_name_for_node(target.target) or ""
            if text in KERAS_STATE and not _is_read(text[5:], methods):
                continue
            if text.startswith("self.") and text[5:] in above.touched:
                return text
    return ""


def _is_read(name: str, methods: Mapping[str, cst.FunctionDef]) -> bool:
    """Whether a class does more with an attribute than to set it."""
    place = m.Attribute(m.Name("self"), m.Name(name))
    nodes = methods.values()
    stored = sum(len(find(method, m.AssignTarget(place))) for method in nodes)
    return sum(len(find(method, place)) for method in nodes) > stored


def base_init(init: cst.FunctionDef) -> cst.Call | None:
    """The one call of the base class's constructor among the statements of a constructor."""
    found = [c for c in find(init, m.Call(func=m.Attribute(attr=m.Name("__init__")))) if isinstance(c, cst.Call)]
    top = [
        s.body[0].value
        for s in body_of(init)
        if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 and isinstance(s.body[0], cst.Expr)
    ]
    return found[0] if len(found) == 1 and any(found[0] is value for value in top) else None


def base_arguments(call: cst.Call, above: Inherited, made: Constructor, open_: bool) -> list[str] | str:
    """What the constructor above is given, its sizes first; a reason where that cannot be said.

    `open_`: the constructor below takes `**kwargs` and hands them on.
    """
    texts: list[str] = list(above.sizes)
    names_self = isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name | cst.Attribute)
    for index, arg in enumerate(call.args):
        if index == 0 and names_self and arg.keyword is None:
            continue  # `Base.__init__(self, ...)`
        keyword = arg.keyword.value if arg.keyword else ""
        if keyword in _KERAS and keyword not in above.takes:
            continue
        if arg.star == "**":
            if open_:
                texts.append(f"**{made.ctx.code(arg.value)}")
            continue
        if arg.star or (keyword and keyword not in above.takes and not above.open):
            return f"argument `{keyword or arg.star}` of the base class's constructor"
        text = made.maker.static(arg.value)
        texts.append(f"{keyword}={text}" if keyword else text)
    return texts


def early_names(texts: Sequence[str]) -> set[str]:
    """The names that the arguments of the base class's constructor read."""
    return {name for text in texts for name in names(text.removeprefix("**").partition("=")[2] or text.strip("*"))}


def wants_more(call: cst.Call, above: Inherited) -> bool:
    """Whether the constructor above takes arguments that the call does not give by name or position."""
    given = sum(arg.keyword is None and not arg.star for arg in call.args)
    named = {arg.keyword.value for arg in call.args if arg.keyword}
    return above.open or bool(set(above.takes[given:]) - named)
