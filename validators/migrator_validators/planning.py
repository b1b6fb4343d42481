"""Which cases a unit faces: recorded ones first, invented ones where nothing was recorded.

A case names the source's callable; here it learns of the target's side: the rules' weight records,
the documented gaps of everything it uses, and the arguments that an interface change adds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from migrator.model import InterfaceChange, UnitKind, UnitRewrite
from migrator.values import ClassFacts, Facts
from migrator_validators.cases import Arg, Array, Call, Case, Items, Lit, Made, RecordedMap, WeightMap
from migrator_validators.cases import Mapping as MappingArg
from migrator_validators.compared import parsed
from migrator_validators.constructions import Constructions, parameters, varied
from migrator_validators.drawing import drawing
from migrator_validators.guesses import other_makers
from migrator_validators.held import finds
from migrator_validators.hints import Definition, Modules, hinted
from migrator_validators.invent import NoInputs, invent
from migrator_validators.pieces import is_guard
from migrator_validators.trainings import other_owners, trainings

MAIN = "__main__"
MOST = 4
"""Recorded cases a unit; more of the same callable seldom tell more."""


@dataclass(frozen=True)
class Plan:
    """What to run for a unit.

    `cases` are all run; `alternatives` are tried in turn until the source accepts one. `varied`: by the id
    of a case what to run besides it, as far as the source accepts that. All empty: `reason` says why the
    unit cannot be checked by running it alone. `callers`: units whose recorded runs went through it, so that
    their checks may speak for it.
    """

    cases: tuple[Case, ...] = ()
    alternatives: tuple[Case, ...] = ()
    varied: Mapping[str, Constructions] = field(default_factory=dict)
    reason: str = ""
    callers: tuple[str, ...] = ()

    @property
    def effort(self) -> int:
        """Cheap ones first: what is checked last may be cut off, and what fails early saves the rest."""
        return max((EFFORT[case.kind] for case in (*self.cases, *self.alternatives)), default=0)


EFFORT = {"constant": 0, "function": 0, "data": 1, "layer": 2, "model": 3, "training": 4, "script": 5}


def plan(
    rewrites: Sequence[UnitRewrite],
    kinds: Mapping[str, UnitKind],
    modules: Mapping[str, str],
    recorded: Iterable[Case],
    facts: Facts,
    reachable: Callable[[str], frozenset[str]],
    inside: Mapping[str, Sequence[str]] | None = None,
    original: Modules = Modules({}),  # noqa: B008 - a frozen value
    texts: Mapping[str, str] | None = None,
) -> dict[str, Plan]:
    """The plan of every migrated unit, by unit id.

    `kinds`: what each unit turned out to be; `modules`: path → import name; `reachable`: a unit and
    all units that it refers to; `inside`: recorded name → names of what called it, nearest first;
    `original`: the source's modules, whose text says what is worth varying, as that of the migrated files does, which
    are `texts` by path.
    """
    planning = _Planning(tuple(rewrites), kinds, modules, facts, reachable, inside or {}, original, texts or {})
    by_unit = planning.by_unit(recorded)
    return {
        rewrite.unit.id: planning.plan(rewrite, by_unit)
        for rewrite in rewrites
        if rewrite.text is not None and rewrite.unit.kind is not UnitKind.IMPORTS and not _is_gone(rewrite, modules)
    }


@dataclass(frozen=True)
class _Planning:
    """What the plans of all units are made of; the fields are `plan`'s parameters."""

    rewrites: tuple[UnitRewrite, ...]
    kinds: Mapping[str, UnitKind]
    modules: Mapping[str, str]
    facts: Facts
    reachable: Callable[[str], frozenset[str]]
    inside: Mapping[str, Sequence[str]]
    original: Modules
    texts: Mapping[str, str]

    @cached_property
    def units(self) -> dict[tuple[str, str], UnitRewrite]:
        """The units by module and name."""
        return {(self.modules[r.unit.path], r.unit.name): r for r in self.rewrites}

    @cached_property
    def owners(self) -> dict[str, str]:
        """Unit ids by "module:name"."""
        return {f"{module}:{name}": r.unit.id for (module, name), r in self.units.items()}

    @cached_property
    def changes(self) -> dict[str, list[InterfaceChange]]:
        found: dict[str, list[InterfaceChange]] = {}
        for change in (change for rewrite in self.rewrites for change in rewrite.changes):
            found.setdefault(change.qualname, []).append(change)
        return found

    @cached_property
    def gaps(self) -> dict[str, tuple[str, ...]]:
        return {r.unit.id: r.gaps for r in self.rewrites}

    @cached_property
    def weights(self) -> WeightMap:
        return WeightMap(records=_records(self.rewrites))

    @cached_property
    def drawn(self) -> frozenset[str]:
        """Units that draw random numbers."""
        return frozenset(drawing(self.rewrites, self.original, self.modules))

    def used(self, case: Case, unit: str) -> frozenset[str]:
        """The unit, what makes its arguments, all that a program runs besides, and all that these refer to."""
        names = (":".join(_split(source)) for source in _sources(case.call))
        beside = [r.unit.id for r in _owners(case, self.units)] if _owner(case)[1] == MAIN else []
        made = [self.owners[name] for name in names if name in self.owners]
        return frozenset().union(*map(self.reachable, (unit, *beside, *made)))

    def finished(self, case: Case, unit: str) -> Case:
        """The case as it is run for a unit: arguments as both sides take them, weights, gaps, randomness."""
        others = self.used(case, unit)
        allowed = sorted({gap for other in others for gap in self.gaps.get(other, ())})
        adapted = _Adapter(self.changes, self.facts).case(case)
        update = {"unit": unit, "weights": self.weights, "gaps": tuple(allowed), "random": bool(others & self.drawn)}
        held, differentiates = finds(case, self.original)
        update |= {"held": held, "grad": case.grad and not (held and differentiates)}
        return adapted.model_copy(update=update)

    def written(self, rewrite: UnitRewrite) -> str:
        """The text of a unit as its file has it, which a person may have changed."""
        names = {rewrite.unit.name, *rewrite.defines}
        body = parsed(self.texts.get(rewrite.unit.path, "")).body
        own = [s for s in body if isinstance(s, Definition) and s.name in names]
        return "\n".join(map(ast.unparse, own)) or rewrite.text or ""

    def others(self, case: Case, unit: str) -> Constructions:
        """What is run besides a case."""
        if case.kind == "training":
            return Constructions(turned=trainings(case, self.original))
        if case.call.source == "__call__":
            return Constructions(turned=other_makers(case, self.original))
        return varied(case, self.facts, self.original).each(lambda made: self.finished(made, unit))

    def by_unit(self, recorded: Iterable[Case]) -> dict[str, list[Case]]:
        """Recorded cases of migrated units, by unit id."""
        found: dict[str, list[Case]] = {}
        for case in recorded:
            owners = [owner for owner in _owners(case, self.units) if owner.text is not None]
            for owner in owners or self.used_by(case):
                found.setdefault(owner.unit.id, []).append(self.finished(case, owner.unit.id))
        return found

    def used_by(self, case: Case) -> Iterator[UnitRewrite]:
        """Migrated definitions that a program uses of which nothing else is migrated: what it does with them is
        compared by its run alone."""
        if _owner(case)[1] == MAIN:
            used = frozenset().union(*(self.reachable(r.unit.id) for r in _owners(case, self.units)))
            defined = (r for r in self.units.values() if r.unit.kind not in (UnitKind.IMPORTS, UnitKind.CONSTANT))
            yield from (r for r in defined if r.unit.id in used and r.text is not None)

    def plan(self, rewrite: UnitRewrite, by_unit: Mapping[str, Sequence[Case]]) -> Plan:
        """The plan of one unit; `by_unit`: the recorded cases of all."""
        unit, module = rewrite.unit.id, self.modules[rewrite.unit.path]
        callers = _callers(rewrite, self.modules, self.units, self.inside, self.reachable)
        callers += tuple(u for u, found in by_unit.items() if any(unit in self.used(c, u) for c in found) and u != unit)
        if any(c.kind == "takes-model" for c in rewrite.changes):
            return Plan(reason="it takes a model now, which only its callers have", callers=callers)
        if rewrite.is_written_out:
            return Plan(reason="it is written out where it was called, which is run", callers=callers)
        if unit in by_unit:
            cases = _hinted(_some(by_unit[unit]), self.original, self.written(rewrite))
            first = self.others(cases[0], unit)
            more = replace(first, turned=(*first.turned, *other_owners(cases, self.original)))
            return Plan(cases=cases, varied={cases[0].id: more}, callers=callers)
        of_values = self.kinds[unit] in (UnitKind.CONSTANT, UnitKind.SCRIPT)
        if of_values and (names := _bound(rewrite, self.original, self.modules)):
            case = Case(id=f"{unit}#values", unit=unit, kind="constant", call=Call(source=module), names=names)
            whole = (_program(rewrite, module),) if _guarded(_statements(rewrite, self.original, module)) else ()
            return Plan(cases=(case, *whole), callers=callers)
        try:
            tries = invent(rewrite, self.kinds[unit], module, self.facts, self.original)
        except NoInputs as missing:
            if self.kinds[unit] is UnitKind.SCRIPT:
                return Plan(cases=(_program(rewrite, module),), callers=callers)
            return Plan(reason=missing.reason, callers=callers)
        finished = _different(self.finished(case, unit) for case in tries)
        invented = [hinted(case, self.original, self.written(rewrite)) for case in finished]
        ways = {case.id: self.others(case, unit) for case in invented}
        return Plan(alternatives=tuple(invented), varied=ways, callers=callers)


def _some(cases: Sequence[Case]) -> list[Case]:
    """The first recorded calls, and the programs as wholes."""
    programs = [case for case in cases if _owner(case)[1] == MAIN]
    return [*[case for case in cases if case not in programs][:MOST], *programs]


def _is_gone(rewrite: UnitRewrite, modules: Mapping[str, str]) -> bool:
    """Whether there is nothing to compare: a constant that a change of the interface leaves out, a mode of graphs."""
    if rewrite.only_set_a_mode:
        return True
    if rewrite.unit.kind is not UnitKind.CONSTANT or ast.parse(rewrite.text or "").body:
        return False
    name = f"{modules[rewrite.unit.path]}:{rewrite.unit.name.rpartition('@')[0]}"
    return any(change.qualname == name and change.kind == "drops-tuning" for change in rewrite.changes)


def _program(rewrite: UnitRewrite, module: str) -> Case:
    """The whole module run as a program: the only way to see statements that bind nothing."""
    unit = rewrite.unit.id
    return Case(id=f"{unit}#program", unit=unit, kind="script", call=Call(source=f"{module}:{MAIN}"))


def _bound(rewrite: UnitRewrite, original: Modules, modules: Mapping[str, str]) -> tuple[str, ...]:
    """Names that the statements of a unit bind on both sides; none where they run as a program only.

    What later lines of a script bind anew says nothing of the unit.
    """
    module = modules[rewrite.unit.path]
    here = _statements(rewrite, original, module)
    imported = [s for s in here if s not in _guarded(here)] if rewrite.unit.name != MAIN else []
    body = original.trees.get(module, ast.Module([], [])).body
    later = [s for s in body if s.lineno > rewrite.unit.end and not isinstance(s, Definition)]
    run = [s for s in later if s not in _guarded(later)] if rewrite.unit.kind is UnitKind.SCRIPT else []
    return tuple(sorted(_stored(imported) & set(rewrite.defines) - _stored(run)))


def _stored(statements: Iterable[ast.stmt]) -> set[str]:
    nodes = (n for s in statements for n in ast.walk(s))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _statements(rewrite: UnitRewrite, original: Modules, module: str) -> list[ast.stmt]:
    """The statements of a unit in its module."""
    body = original.trees.get(module, ast.Module([], [])).body
    return [s for s in body if rewrite.unit.start <= s.lineno <= rewrite.unit.end]


def _guarded(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Those that run only where the module is the program."""
    return [s for s in statements if isinstance(s, ast.If) and is_guard(s.test)]


def _hinted(cases: Sequence[Case], original: Modules, written: str) -> tuple[Case, ...]:
    """Hints for every call of a function; for the last one of a model or layer, whose sizes are free as a rule."""
    last = max((i for i, c in enumerate(cases) if c.kind in ("model", "layer")), default=-1)
    varying = [c.kind == "function" or i == last for i, c in enumerate(cases)]
    return tuple(hinted(c, original, written) if vary else c for c, vary in zip(cases, varying, strict=True))


def _different(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Each case once, whatever it is called."""
    return tuple({case.model_copy(update={"id": ""}).model_dump_json(): case for case in reversed([*cases])}.values())[
        ::-1
    ]


def _records(rewrites: Sequence[UnitRewrite]) -> tuple[RecordedMap, ...]:
    """The rules' records, those about one place as one."""
    found: dict[tuple[str, str, str], tuple[tuple[str, str, str], ...]] = {}
    for rewrite in rewrites:
        for record in rewrite.weights:
            key = (record.owner, record.path, record.keras)
            found[key] = (*found.get(key, ()), *(p for p in record.params if p not in found.get(key, ())))
    return tuple(RecordedMap(owner=o, path=p, keras=k, params=params) for (o, p, k), params in found.items())


def _sources(value: Call | Arg | None) -> Iterator[str]:
    """Everything that a call or an argument calls."""
    if isinstance(value, Call):
        yield value.source
        for part in (value.on, *value.args, *value.kwargs.values()):
            yield from _sources(part)
    elif isinstance(value, Made):
        yield from _sources(value.call)
    elif isinstance(value, Items):
        for part in value.items:
            yield from _sources(part)
    elif isinstance(value, MappingArg):
        for part in value.items.values():
            yield from _sources(part)


def _callers(
    rewrite: UnitRewrite,
    modules: Mapping[str, str],
    units: Mapping[tuple[str, str], UnitRewrite],
    inside: Mapping[str, Sequence[str]],
    reachable: Callable[[str], frozenset[str]],
) -> tuple[str, ...]:
    """Units that recorded runs came through on their way to this one, then those that refer to it."""
    names = inside.get(f"{modules[rewrite.unit.path]}:{rewrite.unit.name}", ())
    found = [units[key].unit.id for name in names if (key := _split(name)) in units]
    users = [r.unit.id for r in units.values() if r.text is not None and rewrite.unit.id in reachable(r.unit.id)]
    return tuple(unit for unit in dict.fromkeys([*found, *users]) if unit != rewrite.unit.id)


def _split(name: str) -> tuple[str, str]:
    module, _, attribute = name.partition(":")
    return module, attribute.split(".")[0]


def _owners(case: Case, units: Mapping[tuple[str, str], UnitRewrite]) -> list[UnitRewrite]:
    """The unit that a case calls; all top-level statements of a module where it runs that as a program."""
    module, name = _owner(case)
    if name != MAIN:
        return [units[module, name]] if (module, name) in units else []
    return [r for (m, _), r in units.items() if m == module and r.unit.kind is UnitKind.SCRIPT]


def _owner(case: Case) -> tuple[str, str]:
    """(module, top-level name) of what a case calls."""
    call = case.call
    if call.on is not None and isinstance(call.on, Made):
        call = call.on.call
    module, _, attribute = call.source.partition(":")
    return module, attribute.split(".")[0]


def _listed_sizes(cls: ClassFacts, inputs: Sequence[Arg]) -> dict[str, Arg]:
    """The sizes of a module, read off what it is called with: each where the facts say that it stands."""
    names = [name for name, _ in cls.call_inputs]
    found: dict[str, Arg] = {}
    for size in cls.sizes:
        parameter, index = size.place
        at = names.index(parameter) if parameter in names else 0
        given: Arg | None = inputs[at] if at < len(inputs) else None
        if size.axis == "count":
            found |= {size.name: Lit(value=len(given.items))} if isinstance(given, Items) else {}
            continue
        if index is not None:
            given = given.items[index] if isinstance(given, Items) and index < len(given.items) else None
        axis = size.axis if isinstance(size.axis, int) else -1
        if isinstance(given, Array) and len(given.shape) > axis and given.shape and isinstance(given.shape[axis], int):
            found[size.name] = Lit(value=given.shape[axis])
    return found


def _qualified(call: Call) -> str:
    """The qualified name of what is called; a method stands below the class of its object."""
    made = call.on.call.source if isinstance(call.on, Made) else ""
    return f"{made}.{call.source}" if ":" in made and ":" not in call.source else call.source


_HARMLESS = (("dtype", None), ("dtype", "float32"), ("trainable", True), ("dynamic", False))


@dataclass(frozen=True)
class _Adapter:
    """Gives the target's side of calls the arguments that interface changes ask for."""

    changes: Mapping[str, Sequence[InterfaceChange]]
    facts: Facts
    model: Arg | None = None  # the one model that the case's own call is given

    def case(self, case: Case) -> Case:
        adapter = replace(self, model=self._model_of(case.call))
        call = adapter._call(case.call, case.inputs)
        inputs = tuple(adapter._arg(a) for a in case.inputs)
        layouts = [c.detail for c in self.changes.get(case.call.source, ()) if c.kind == "takes-channels-first"]
        return case.model_copy(update={"call": call, "inputs": inputs, "layout": layouts[0] if layouts else "last"})

    def _call(self, call: Call, inputs: Sequence[Arg] = ()) -> Call:
        args = tuple(self._arg(a) for a in call.args)
        kwargs = {name: self._arg(a) for name, a in call.kwargs.items()}
        on = None if call.on is None else self._arg(call.on)
        update: dict[str, object] = {"args": args, "kwargs": kwargs, "on": on}
        source = _qualified(call)
        changes = self.changes.get(source, ())
        removed = {name for change in changes for name in change.removed} | self._of_keras(source, kwargs)
        if call.target_kwargs is None and (removed or any(change.added for change in changes)):
            named = {**dict(zip(self._params(source), args, strict=False)), **kwargs}
            kept = {name: a for name, a in named.items() if name not in removed}
            added = {name: size for change in changes for name, size in self._added(change, inputs).items()}
            update |= {"target_args": (), "target_kwargs": {**kept, **added}}
        return call.model_copy(update=update)

    def _of_keras(self, source: str, kwargs: Mapping[str, Arg]) -> set[str]:
        """Arguments that a layer or model hands on to Keras's own constructor, where they say nothing in torch."""
        cls = self.facts.cls(source)
        if cls is None or cls.kind not in ("layer", "model"):
            return set()
        own = set(self._params(source))
        harmless = {name for name, a in kwargs.items() if isinstance(a, Lit) and (name, a.value) in _HARMLESS}
        return ({"name"} & set(kwargs) | harmless) - own

    def _added(self, change: InterfaceChange, inputs: Sequence[Arg]) -> dict[str, Arg]:
        """Input sizes, read off the inputs of the case."""
        if change.kind == "takes-model" and self.model is not None:
            return dict.fromkeys(change.added, self.model)
        if change.kind != "adds-size":
            return {}
        cls = self.facts.cls(change.qualname)
        if cls is not None and (listed := _listed_sizes(cls, inputs)):
            return listed
        last = [a.shape[-1] for a in inputs if isinstance(a, Array) and a.shape]
        sizes = [size for size in last if isinstance(size, int)]
        return {name: Lit(value=sizes[min(i, len(sizes) - 1)]) for i, name in enumerate(change.added) if sizes}

    def _model_of(self, call: Call) -> Arg | None:
        """The argument of a call that is a model, where just one is; as the target's side makes it."""
        made = [arg for arg in (*call.args, *call.kwargs.values()) if isinstance(arg, Made) and self._is_model(arg)]
        return self._arg(made[0]) if len(made) == 1 else None

    def _is_model(self, arg: Made) -> bool:
        cls, function = self.facts.cls(arg.call.source), self.facts.function(arg.call.source)
        return (cls is not None and cls.kind == "model") or (function is not None and function.role == "model-factory")

    def _arg(self, arg: Arg) -> Arg:
        if isinstance(arg, Made):
            return arg.model_copy(update={"call": self._call(arg.call, arg.build.args if arg.build else ())})
        if isinstance(arg, Items):
            return arg.model_copy(update={"items": tuple(self._arg(a) for a in arg.items)})
        if isinstance(arg, MappingArg):
            return arg.model_copy(update={"items": {k: self._arg(a) for k, a in arg.items.items()}})
        return arg

    def _params(self, source: str) -> list[str]:
        return [name for name, _ in parameters(source, self.facts) if name != "self"]
