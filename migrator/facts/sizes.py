"""Which input sizes a class or factory must gain, and what they are at its call sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from migrator.facts import dims, slots
from migrator.facts.interpreter import Interpreter, Site, Use
from migrator.facts.sized import SIZED
from migrator.values import (
    RESERVED,
    ClassFacts,
    Dim,
    FunctionFacts,
    Instance,
    RepoInstance,
    Sequence,
    SizeParam,
    Span,
    Sym,
    Tensor,
    Value,
)


@dataclass
class Needs:
    """What one scope asks of its input sizes, until all scopes are known."""

    reserved: dict[str, str]  # symbol → the parameter whose last axis it is
    direct: set[str] = field(default_factory=set)  # symbols that layers and weights of its own depend on
    handed: list[tuple[str, tuple[tuple[str, Value], ...]]] = field(default_factory=list)  # callee, its tensors


def collect(it: Interpreter, qualname: str, reserved: Mapping[str, str]) -> Needs:
    """The needs of the scope that has just been summed up."""
    needs = Needs(dict(reserved))
    for site, use in it.uses.items():
        if it.site_scope.get(site) == qualname:
            _of_use(it, needs, site, use)
    for callee, calls in it.observed.items():
        needs.handed += [(callee, call.args) for call in calls if call.root == qualname]
    for _, shape in it.weights:
        needs.direct |= {name for dim in shape or () for name in dims.names(dim)}
    for carried in it.carried.values():
        needs.direct |= dims.names(dims.symbol(carried.init))
    return needs


def _of_use(it: Interpreter, needs: Needs, site: Site, use: Use) -> None:
    layer, inputs = use.layer, use.inputs or ()
    if isinstance(layer, Instance) and layer.api in SIZED:
        needs.direct |= _names(inputs)
    elif isinstance(layer, RepoInstance):
        needs.handed.append((layer.qualname, tuple((f"#{i}", value) for i, value in enumerate(inputs))))
    origin = it.origins.get(site)
    if origin is not None:
        needs.handed.append((it.site_scope.get(origin, ""), tuple(("", value) for value in inputs[:1])))


def settle(
    it: Interpreter, needs: Mapping[str, Needs], classes: dict[str, ClassFacts], functions: dict[str, FunctionFacts]
) -> None:
    """Give every class and factory the sizes that it needs, itself or through what it makes."""
    _lend(needs, classes)
    wanted = {name: need.direct & set(need.reserved) for name, need in needs.items()}
    changed = True
    while changed:
        changed = False
        for name, need in needs.items():
            found = _passed_on(need, needs, wanted, classes) | _inherited(name, wanted, classes)
            found &= set(need.reserved)
            if not found <= wanted[name]:
                wanted[name] |= found
                changed = True
    derived = {parent for known in classes.values() for parent in known.parents}
    related = derived | {name for name, known in classes.items() if known.parents}
    for name, need in needs.items():
        sizes = tuple(
            SizeParam(symbol, parameter, None if name in related else _default(it, name, parameter))
            for symbol, parameter in need.reserved.items()
            if symbol in wanted[name]
        )
        if name in classes:
            classes[name] = replace(classes[name], sizes=sizes, derived=name in derived)
        else:
            functions[name] = replace(functions[name], sizes=sizes)
    while _dropped(it, classes, functions):
        pass


def _lend(needs: Mapping[str, Needs], classes: Mapping[str, ClassFacts]) -> None:
    """A class without `call` has the input that a class derived from it has."""
    for name, known in classes.items():
        for parent in known.parents:
            if parent in needs and name in needs and not classes[parent].call_inputs:
                for symbol, parameter in needs[name].reserved.items():
                    needs[parent].reserved.setdefault(symbol, parameter)


def _inherited(name: str, wanted: Mapping[str, set[str]], classes: Mapping[str, ClassFacts]) -> set[str]:
    """The sizes that the classes above one take."""
    parents = classes[name].parents if name in classes else ()
    return {symbol for parent in parents for symbol in wanted.get(parent, ())}


def _dropped(it: Interpreter, classes: dict[str, ClassFacts], functions: Mapping[str, FunctionFacts]) -> bool:
    """Take from the models the sizes that some construction cannot tell; whether there were any."""
    changed = False
    for name, known in classes.items():
        told = [_told(it, known, site, classes, functions) for site in known.sites] if known.kind == "model" else []
        kept = tuple(s for s in known.sizes if s.default is not None or all(s.name in names for names in told))
        if kept != known.sizes:
            classes[name] = replace(known, sizes=kept)
            changed = True
    return changed


def _told(
    it: Interpreter,
    known: ClassFacts,
    site: tuple[str, Span],
    classes: Mapping[str, ClassFacts],
    functions: Mapping[str, FunctionFacts],
) -> set[str]:
    """The sizes of a class that a construction knows."""
    owner = it.site_scope.get(site, "")
    scope = classes.get(owner) or functions.get(owner)
    taken = {s.name for s in scope.sizes} if scope is not None else set()
    found = input_sizes(it.uses.get(site), known.sizes, known.call_inputs)
    return {name for name, dim in found if dim is not None and {n for n in dims.names(dim) if _reserved(n)} <= taken}


def _reserved(name: str) -> bool:
    return name.startswith(RESERVED)


def _passed_on(
    need: Needs, needs: Mapping[str, Needs], wanted: Mapping[str, set[str]], classes: Mapping[str, ClassFacts]
) -> set[str]:
    found: set[str] = set()
    for callee, given in need.handed:
        for symbol in wanted.get(callee, ()):
            slot = slots.parse(needs[callee].reserved[symbol])
            names = [name for name, _ in classes[callee].call_inputs] if callee in classes else []
            position = f"#{names.index(slot.parameter)}" if slot.parameter in names else slot.parameter
            values = [value for name, value in given if name in (slot.parameter, position)]
            if slot.axis is not None:
                found |= {name for value in values for name in dims.names(slots.channels(value, slot))}
                continue
            found |= _names(tuple(v for value in values if (v := slots.get({"": value}, replace(slot, parameter="")))))
    return found


def _names(values: tuple[Value, ...]) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, Tensor):
            for dim in (*(value.shape or ())[1:], value.last):
                found |= dims.names(dim)
        elif isinstance(value, Sequence) and value.items is not None:
            found |= _names(value.items)
    return found


def _default(it: Interpreter, qualname: str, parameter: str) -> int | None:
    """The literal size when every observed use agrees on one."""
    seen = _seen(it, qualname, parameter)
    # a size that a factory only hands on says nothing where another use is definite
    definite = [dim for dim in seen if not (isinstance(dim, Sym) and dim.text.startswith(RESERVED))]
    seen = definite or seen
    first = seen[0] if seen else None
    return first if isinstance(first, int) and all(dim == first for dim in seen) else None


def _is_handed_on(dim: Dim) -> bool:
    return isinstance(dim, Sym) and dim.text.startswith(RESERVED)


def _seen(it: Interpreter, qualname: str, parameter: str) -> list[Dim]:
    """The sizes with which a class or factory is used; None for a use that does not tell."""
    if not parameter:
        sites = [site for site, origin in it.origins.items() if it.site_scope.get(origin) == qualname]
        return [_first(it.uses[site]) if site in it.uses else None for site in sites]
    calls = it.applied.get(qualname) or it.observed.get(qualname) or []
    slot = slots.parse(parameter)
    values = [dict(call.args).get(slot.parameter) for call in calls]
    return [slots.channels(value, slot) for value in values if isinstance(value, Tensor | Sequence)]


def _first(use: Use) -> Dim:
    value = use.inputs[0] if use.inputs else None
    return value.channels if isinstance(value, Tensor) else None


def input_sizes(
    use: Use | None, sizes: tuple[SizeParam, ...], parameters: tuple[tuple[str, Value], ...]
) -> tuple[tuple[str, Dim], ...]:
    """The value of each size at a construction, in the symbols of the scope it stands in.

    `parameters`: those of `call`, with what is known of them.
    """
    found = []
    names = [name for name, _ in parameters]
    for size in sizes:
        slot = slots.parse(size.of)
        position = names.index(slot.parameter) if slot.parameter in names else 0
        inputs = use.inputs if use is not None and use.inputs is not None else ()
        value = inputs[position] if position < len(inputs) else None
        taken = dict(parameters).get(slot.parameter)
        open_ = isinstance(taken, Sequence) and taken.items is None
        alone = slot.index is None and slot.axis != slots.COUNT
        known = isinstance(value, Tensor) if alone else isinstance(value, Sequence)
        found.append((size.name, slots.channels(value, slot, open_) if known else size.default))
    return tuple(found)
