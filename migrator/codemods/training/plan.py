"""Which `compile` a `fit` belongs to, and what the shared functions of a file are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import DataPlan, plan_data
from migrator.codemods.models.modes import frozen_part
from migrator.codemods.nodes import find
from migrator.codemods.training.batch_hooks import batch_hooks
from migrator.codemods.training.callback_classes import is_callback_class
from migrator.codemods.training.calls import OLDER, arguments, calls_in, is_model, model_call, receiver
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.definitions import Definition
from migrator.codemods.training.freezing import freezes
from migrator.codemods.training.models import model_text, used_as_models
from migrator.codemods.training.owners import TRAINS, Compiled, compiled_by, receiver_text, resolve
from migrator.codemods.training.scope import Holder, bound_at_top, enclosing, names_in, names_taken
from migrator.codemods.training.several import batches_value, forms_of, is_several
from migrator.codemods.training.tape import TapePlan, plan_tapes
from migrator.model import Decline
from migrator.values import Dataset, Sequence, Value

_LINE = m.SimpleStatementLine(body=[m.Assign()])


@dataclass(frozen=True)
class Scope:
    """What one function, or a module's top level, does with tapes and datasets; `names`: its variables."""

    tapes: TapePlan
    data: DataPlan
    names: frozenset[str]


@dataclass(frozen=True)
class FilePlan:
    """The training calls of a file.

    `models`: texts of what it compiles; `known_models`: of all that only a Keras model is used like.
    `taken`: names of the top level; `everywhere`: of any scope; `own`: that the file binds at the top
    level, not to TensorFlow. `frozen`: it freezes layers. `histories`: names that hold what `fit` returned, by scope.
    `placed`: models are made or called at the top level, so that its tensors are where these are.
    """

    holders: Mapping[cst.CSTNode, Holder]
    models: frozenset[str]
    compiled: tuple[Compiled, ...]
    of_call: Mapping[cst.Call, Compiled] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    everywhere: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    known_models: frozenset[str] = frozenset()
    histories: frozenset[tuple[Holder, str]] = frozenset()
    frozen: bool = False
    placed: bool = False
    scopes: dict[Holder, Scope] = field(default_factory=dict)  # those met so far
    late: dict[Holder, Mapping[cst.BaseStatement, tuple[Definition, ...]]] = field(default_factory=dict)  # likewise

    @property
    def used(self) -> Iterator[Compiled]:
        """The `compile` calls of the file, and those of other files that its calls belong to."""
        yield from self.compiled
        yield from (c for c in self.of_call.values() if c.home is not None)

    def name(self, wish: str, compiled: Compiled | None = None) -> str:
        """The name of a shared function, not one that the file has already."""
        name = wish + (compiled.suffix if compiled else "")
        while name in self.everywhere:
            name += "_"
        return name


def plan_file(ctx: Context) -> FilePlan:
    """The plan of a file; the same for each of its units."""
    cached = _CACHE.get("plan")
    if cached is not None and cached[0] is ctx.tree and cached[1] is ctx.facts and cached[2] is ctx.models:
        return cached[3]
    plan = _plan(ctx)
    _CACHE["plan"] = (ctx.tree, ctx.facts, ctx.models, plan)
    return plan


_CACHE: dict[str, tuple[cst.Module, object, object, FilePlan]] = {}  # the file at hand only


def plan_scope(holder: Holder, plan: FilePlan, ctx: Context) -> Scope:
    """The plan of a function, or of the top level that all units of a file share."""
    if holder not in plan.scopes:
        names = frozenset(names_taken(holder))
        plan.scopes[holder] = Scope(plan_tapes(holder, ctx, plan.known_models), plan_data(holder, ctx), names)
    return plan.scopes[holder]


def _plan(ctx: Context) -> FilePlan:
    holders = enclosing(ctx.tree)
    calls = calls_in(ctx.tree)
    compiles = [call for call in calls if model_call(call, ctx, frozenset()) == "compile"]
    models = frozenset(receiver_text(call, ctx) for call in compiles)
    if has_callbacks(ctx):
        models |= {"self.model"}
    compiled = tuple(compiled_by(call, holders, ctx) for call in compiles)
    of_call = resolve(calls, compiled, models, holders, ctx)
    abroad = {id(c): c for c in of_call.values() if c.home is not None}
    _settle((*compiled, *abroad.values()), of_call, holders, ctx)
    known = used_as_models(ctx.tree, models)
    histories = frozenset(_histories(holders, models, ctx))
    return FilePlan(
        holders,
        models,
        compiled,
        of_call,
        frozenset(_top_level(ctx)),
        frozenset(names_in(ctx.tree)),
        frozenset(own_names(ctx)),
        known,
        histories,
        any(freezes(line, ctx) and frozen_part(line, ctx) is None for line in find(ctx.tree, _LINE)),
        any(holders.get(call) is ctx.tree and _has_model(call, known, ctx) for call in calls),
    )


def _has_model(call: cst.Call, known: frozenset[str], ctx: Context) -> bool:
    """Whether a call makes a model, or is one of a model."""
    return is_model(ctx.value(call)) or model_text(call.func, ctx, known) is not None


def has_callbacks(ctx: Context) -> bool:
    """Whether `self.model` of the file is the model that a callback is given."""
    classes = [s for s in ctx.tree.body if isinstance(s, cst.ClassDef)]
    using = [s for s in classes if find(s, m.Attribute(value=m.Name("self"), attr=m.Name("model")))]
    return bool(using) and all(is_callback_class(s, ctx) for s in using)


def _histories(
    holders: Mapping[cst.CSTNode, Holder], models: frozenset[str], ctx: Context
) -> Iterator[tuple[Holder, str]]:
    """Names that a scope binds to nothing but what `fit` returns."""
    for line, holder in holders.items():
        part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(part, cst.Assign) or not isinstance(part.value, cst.Call):
            continue
        target = part.targets[0].target
        if isinstance(target, cst.Name) and model_call(part.value, ctx, models) == "fit":
            bound = find(holder, m.AssignTarget(target=m.Name(target.value)))
            if len(bound) == 1:
                yield holder, target.value


def _settle(
    compiled: tuple[Compiled, ...],
    of_call: Mapping[cst.Call, Compiled],
    holders: Mapping[cst.CSTNode, Holder],
    ctx: Context,
) -> None:
    """Decide per configuration where its optimizer lives and what its batches look like."""
    for index, own in enumerate(compiled):
        users = [call for call, owner in of_call.items() if owner is own and call is not own.call]
        fits = [call for call in users if _method(call) in TRAINS]
        handed_on = not users and isinstance(own.holder, cst.FunctionDef)
        near = all(holders[call] is own.holder for call in fits) and not handed_on
        steps = not isinstance(own.config, Decline) and own.config.steps
        own.local = own.home is None and near and _attribute_free(own, ctx) and _name_is_free(own) and not steps
        own.weighted = any(has_argument(call, "class_weight", "sample_weight") or _weighs_rest(call) for call in users)
        own.streamed = any(_streams(call, ctx) for call in users)
        if not isinstance(own.config, Decline) and is_several(own.config):
            own.forms = forms_of([value for call in users for value in _streams_of(call, ctx)], own.config.traits)
        called_back = [call for call in fits if has_argument(call, "callbacks")]
        own.hooks = frozenset().union(*(batch_hooks(holders[call], ctx) for call in called_back))
        twin = next((c for c in compiled[:index] if _twins(c, own)), None)
        holder = own.holder.name.value if isinstance(own.holder, cst.FunctionDef) else str(index + 1)
        holder = own.model.rpartition(".")[2] if holder.startswith("__") else holder
        own.suffix = twin.suffix if twin else ("" if index == 0 else f"_{holder}")


def _twins(one: Compiled, other: Compiled) -> bool:
    """Whether two configurations have the same pass over the data: a rate alone makes no other one."""
    if isinstance(one.config, Decline) or isinstance(other.config, Decline):
        return False
    same = _pass_of(one.config) == _pass_of(other.config)
    return same and all(
        getattr(one, name) == getattr(other, name) for name in ("weighted", "streamed", "hooks", "forms")
    )


def _pass_of(config: Configuration) -> object:
    """What the pass over the data depends on."""
    optimizer = config.optimizer
    loss = replace(config.loss, chosen="loss" if config.loss.chosen else "")
    return loss, config.heads, config.metrics, config.traits, optimizer.clip, optimizer.schedule is None


def _attribute_free(own: Compiled, ctx: Context) -> bool:
    """Whether no code reads the optimizer off a model."""
    return not find(ctx.tree, m.Attribute(attr=m.Name("optimizer")))


def _name_is_free(own: Compiled) -> bool:
    """Whether `optimizer` is no variable of the scope, or the one that `compile` is given."""
    body = own.holder.body.body if isinstance(own.holder, cst.FunctionDef) else own.holder.body
    there = {name for s in body if not isinstance(s, cst.FunctionDef | cst.ClassDef) for name in names_in(s)}
    given = find(own.call, m.Arg(value=m.Name("optimizer")))
    parameters = names_in(own.holder.params) if isinstance(own.holder, cst.FunctionDef) else set()
    return bool(given) or ("optimizer" not in parameters and "optimizer" not in there)


def _method(call: cst.Call) -> str:
    found = receiver(call)
    return OLDER.get(found[1], found[1]) if found else ""


def has_argument(call: cst.Call, *names: str) -> bool:
    """Whether a call is given an argument by one of these names."""
    return any(arg.keyword is not None and arg.keyword.value in names for arg in call.args)


def _weighs_rest(call: cst.Call) -> bool:
    """Whether a `fit` is given weights of the rows that it validates with."""
    given = (arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "validation_data")
    return any(isinstance(node, cst.Tuple | cst.List) and len(node.elements) == 3 for node in given)


def _streams(call: cst.Call, ctx: Context) -> bool:
    """Whether a `fit` or `evaluate` is given batches instead of arrays."""
    positional = [arg for arg in call.args if arg.keyword is None and not arg.star]
    found = receiver(call)
    given_y = (len(positional) > 1 or has_argument(call, "y")) and found is not None and found[1] not in OLDER
    data = next((a.value for a in call.args if a.keyword is not None and a.keyword.value == "validation_data"), None)
    validation = data is not None and (isinstance(ctx.value(data), Dataset) or isinstance(data, cst.Name))
    return not given_y or validation


def _streams_of(call: cst.Call, ctx: Context) -> Iterator[Value]:
    """The batches that a `fit` or `evaluate` is given, of training and of validation."""
    bound = arguments(call, _method(call))
    if isinstance(bound, Decline):
        return
    if "x" in bound and "y" not in bound:
        yield batches_value(bound["x"], ctx)
    data = bound.get("validation_data")
    if data is not None and not isinstance(data, cst.Tuple | cst.List):
        value = batches_value(data, ctx)
        if isinstance(value, Dataset) or "y" not in bound:
            yield value


def given_batches(call: cst.Call, ctx: Context) -> bool:
    """Whether a `fit` or `evaluate` is certainly given batches of inputs and targets, without weights."""
    found = [value.element for value in _streams_of(call, ctx) if isinstance(value, Dataset)]
    return any(isinstance(e, Sequence) and e.items is not None and len(e.items) < 3 for e in found)


def own_names(ctx: Context) -> set[str]:
    """Names that the file defines or imports, other than those of TensorFlow."""
    found = set(bound_at_top(ctx.tree))
    return {name for name in found if ctx.here.canonical(name) is None}


def _top_level(ctx: Context) -> set[str]:
    """Names bound at the top of the file, and any that a function there could hide."""
    found: set[str] = set()
    for statement in ctx.tree.body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            found.add(statement.name.value)
        else:
            found |= names_in(statement)
    return found
