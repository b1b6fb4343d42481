"""Other constructions of a model, layer or pipeline: every number that makes it changed, its switches turned."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrator.values import Facts, Literal, ModelValue, Scalar, Sequence, Sym, Tensor, Value
from migrator_validators.cases import Arg, Call, Case, Lit
from migrator_validators.compared import compared_in
from migrator_validators.hints import Modules, other_values

SINGLES = 3
TURNED = 3


@dataclass(frozen=True)
class Constructions:
    """What a recorded call left at its default would else never be seen with another value, and a rewrite that
    froze it (16 for `width`) would pass.

    `together`: all numbers changed at once; where the source refuses that, `singles` change some alone.
    `turned`: one switch, option or missing argument each.
    """

    together: Case | None = None
    singles: tuple[Case, ...] = ()
    turned: tuple[Case, ...] = ()

    def each(self, change: Callable[[Case], Case]) -> Constructions:
        """The same with every case changed."""
        together = None if self.together is None else change(self.together)
        return Constructions(together, tuple(map(change, self.singles)), tuple(map(change, self.turned)))


def varied(case: Case, facts: Facts, original: Modules) -> Constructions:
    """Other constructions of what a case makes. A size of the inputs themselves stays as it is."""
    if case.kind not in ("model", "layer", "data") or case.call.on is not None:
        return Constructions()
    source = case.call.source
    params = parameters(source, facts)
    fixed = input_sizes(source, facts)
    given = {**dict(zip([name for name, _ in params], case.call.args, strict=False)), **case.call.kwargs}
    values = {name: _plain(given.get(name), value) for name, value in params if name not in fixed}
    numbers = {name: changed for name, value in values.items() if (changed := _other_number(value)) is not None}
    wholes = {name: value for name, value in numbers.items() if isinstance(value, int)}
    fractions = {name: value for name, value in numbers.items() if isinstance(value, float)}
    alone = [{name: value} for name, value in [*wholes.items()][:SINGLES]] + ([fractions] if fractions else [])
    single = [_constructed(case, given, "-".join(changes), changes) for changes in alone]
    together = single.pop(0) if len(single) == 1 else None
    if len(single) > 1:
        together = _constructed(case, given, "numbers", numbers)
    module, _, qualname = source.partition(":")
    definition = original.find(module, qualname)
    compared = (
        {**compared_in(definition, original.tables(module)), **_looked_up(definition)} if definition is not None else {}
    )
    turned = (
        _constructed(case, given, f"{name}-{other}", {name: other})
        for name, value in values.items()
        for other in _turned(value, compared.get(name, []))
    )
    return Constructions(together, tuple(single), tuple(case for case, _ in zip(turned, range(TURNED), strict=False)))


def _constructed(case: Case, given: Mapping[str, Arg], said: str, changes: Mapping[str, Any]) -> Case:
    kwargs = {**given, **{name: Lit(value=value) for name, value in changes.items()}}
    call = Call(source=case.call.source, kwargs=kwargs, source_result=case.call.source_result)
    call = call.model_copy(update={"target_result": case.call.target_result})
    update = {"id": f"{case.id}-{said}", "call": call, "inputs_from": "invented", "hints": None}
    return case.model_copy(update=update)


def _plain(given: Arg | None, value: Value) -> Any:
    """The constant that a parameter has; None where it is none."""
    if given is not None:
        return given.value if isinstance(given, Lit) else None
    default = value.default if isinstance(value, Scalar) else None
    return default.value if isinstance(default, Literal) else None


def _other_number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and value > 0:
        return value + max(value // 2, 1)
    return value * 0.5 or 0.125 if isinstance(value, float) else None


def _turned(value: Any, compared: list[Any]) -> Iterator[Any]:
    """The other state of a switch, the options that the code asks for."""
    if isinstance(value, bool | str) or (value is None and compared in _NAMES.values()):
        yield from other_values(value, compared)


_NAMES = {"regularizers": ["l2"], "activations": ["tanh"]}
"""Names that Keras knows, for what the code looks up in these of its modules."""


def _looked_up(node: ast.AST) -> dict[str, list[Any]]:
    """The names that may be given for a parameter that `regularizers.get(...)` looks up."""
    found: dict[str, list[Any]] = {}
    for call in ast.walk(node):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr != "get":
            continue
        kind = ast.unparse(call.func.value).rpartition(".")[2]
        if kind in _NAMES and len(call.args) == 1 and isinstance(call.args[0], ast.Name):
            found[call.args[0].id] = _NAMES[kind]
    return found


def input_sizes(source: str, facts: Facts) -> frozenset[str]:
    """Names that the shapes of the inputs are made of."""
    cls, known = facts.cls(source), facts.function(source)
    values: list[Value] = [value for _, value in cls.call_inputs] if cls is not None else []
    if known is not None and isinstance(known.returns, ModelValue):
        values += known.returns.inputs or ()
    values += [item for value in values if isinstance(value, Sequence) for item in (value.items or (value.element,))]
    dims = [dim for value in values if isinstance(value, Tensor) for dim in (*(value.shape or ()), value.last)]
    texts = " ".join(dim.text for dim in dims if isinstance(dim, Sym))
    return frozenset(re.findall(r"[A-Za-z_]\w*", texts))


def parameters(source: str, facts: Facts) -> tuple[tuple[str, Value], ...]:
    """The parameters of a function, or of a class's constructor."""
    cls = facts.cls(source)
    if cls is not None:
        return cls.init
    known = facts.function(source)
    return known.params if known is not None else ()
