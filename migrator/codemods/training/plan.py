"""Which `compile` a `fit` belongs to, and what the shared functions of a file are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import DataPlan, plan_data
from migrator.codemods.nodes import find
from migrator.codemods.training.batch_hooks import batch_hooks
from migrator.codemods.training.callback_classes import is_callback_class
from migrator.codemods.training.calls import OLDER, arguments, calls_in, is_model, model_call, receiver
from migrator.codemods.training.configuration import Configuration, configure
from migrator.codemods.training.freezing import freezes
from migrator.codemods.training.models import model_text, used_as_models
from migrator.codemods.training.rebinding import rebound
from migrator.codemods.training.scope import Holder, bound_at_top, conditional, enclosing, names_in, names_taken
from migrator.codemods.training.several import Forms, batches_value, forms_of, is_several
from migrator.codemods.training.tape import TapePlan, plan_tapes
from migrator.codemods.training.traits import traits_of
from migrator.model import Decline
from migrator.values import Dataset, ModelValue, Unknown, Value

TRAINS = ("fit", "train_on_batch")
USES = (*TRAINS, "evaluate", "test_on_batch")
"""Methods that need what a model was compiled with."""


@dataclass
class Compiled:
    """One `compile` call of the file and what uses it.

    `local`: the optimizer is a variable of the scope that both call stand in; otherwise it is
    the model's attribute. `weighted`, `streamed`, `hooks`, `forms`: see `epoch_code.run_epoch`.
    """

    call: cst.Call
    model: str
    holder: Holder
    config: Configuration | Decline
    local: bool = True
    weighted: bool = False
    streamed: bool = False
    hooks: frozenset[str] = frozenset()
    suffix: str = ""
    forms: Forms = field(default_factory=Forms)

    @property
    def optimizer(self) -> str:
        return "optimizer" if self.local else f"{self.model}.optimizer"

    def optimizer_of(self, model: str) -> str:
        return "optimizer" if self.local else f"{model}.optimizer"


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
    models = frozenset(_receiver_text(call, ctx) for call in compiles)
    if has_callbacks(ctx):
        models |= {"self.model"}
    compiled = tuple(_compiled(call, holders, ctx) for call in compiles)
    of_call = _resolve(calls, compiled, models, holders, ctx)
    _settle(compiled, of_call, holders, ctx)
    known = used_as_models(ctx.tree, models)
    histories = frozenset(_histories(holders, models, ctx))
    return FilePlan(
        holders,
        models,
        compiled,
        of_call,
        frozenset(_top_level(ctx)),
        frozenset(names_in(ctx.tree)),
        frozenset(_own(ctx)),
        known,
        histories,
        freezes(ctx.tree, ctx),
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


def _compiled(call: cst.Call, holders: Mapping[cst.CSTNode, Holder], ctx: Context) -> Compiled:
    found = receiver(call)
    assert found is not None
    without_loss = not any(arg.keyword is not None and arg.keyword.value == "loss" for arg in call.args)
    traits = traits_of(ctx.value(found[0]), ctx, trains_itself=without_loss and len(call.args) < 2)
    text = ctx.code(found[0]).strip()
    config = Decline(f"nothing is known of the model `{text}`") if traits is None else configure(call, traits, ctx)
    return Compiled(call, text, holders[call], config)


def _receiver_text(call: cst.Call, ctx: Context) -> str:
    found = receiver(call)
    return ctx.code(found[0]).strip() if found else ""


def _resolve(
    calls: list[cst.Call],
    compiled: tuple[Compiled, ...],
    models: frozenset[str],
    holders: Mapping[cst.CSTNode, Holder],
    ctx: Context,
) -> dict[cst.Call, Compiled]:
    found: dict[cst.Call, Compiled] = {}
    for call in calls:
        if model_call(call, ctx, models) in USES:
            owner = _owner(call, compiled, holders, ctx)
            if owner is not None:
                found[call] = owner
    return found | {c.call: c for c in compiled}


def _owner(
    call: cst.Call, compiled: tuple[Compiled, ...], holders: Mapping[cst.CSTNode, Holder], ctx: Context
) -> Compiled | None:
    """The `compile` before the call in its scope; else the one on the same model; else the only one."""
    found = receiver(call)
    assert found is not None
    text, value = ctx.code(found[0]).strip(), ctx.value(found[0])
    start = ctx.spans[call]
    holder = holders[call]
    before = [c for c in compiled if c.holder is holder and c.model == text and ctx.spans[c.call] < start]
    name = text.split(".")[0]
    near = [c for c in before if name == "self" or not rebound(name, c.call, call, holder, ctx)]
    if len(near) > 1 and any(c.call in conditional(ctx.tree) for c in near):
        return None  # which of them was run is not certain
    if near:
        return near[-1]
    same = [c for c in compiled if is_model(value) and _is_same(_model_value(c, ctx), value, ctx)]
    if len(same) == 1:
        return same[0]
    if not same and not before and len(compiled) == 1 and (isinstance(value, Unknown) or _open(compiled[0], ctx)):
        return compiled[0]
    return None


def _is_same(compiled: object, value: Value, ctx: Context) -> bool:
    """Whether a value is the model that was compiled; the caller of a function knows it as what the call made."""
    if not isinstance(compiled, ModelValue) or not isinstance(value, ModelValue) or compiled.site is None:
        return compiled == value
    if (compiled.module, compiled.site) == (value.module, value.site):
        return True
    functions = [s.name.value for s in ctx.tree.body if isinstance(s, cst.FunctionDef)]
    makers = (facts for name in functions if (facts := ctx.facts.function(f"{ctx.module}:{name}")) is not None)
    return any(
        (value.module, value.site) in maker.callers
        and isinstance(maker.returns, ModelValue)
        and (maker.returns.module, maker.returns.site) == (compiled.module, compiled.site)
        for maker in makers
    )


def _model_value(compiled: Compiled, ctx: Context) -> object:
    found = receiver(compiled.call)
    return ctx.value(found[0]) if found else None


def _open(compiled: Compiled, ctx: Context) -> bool:
    return isinstance(_model_value(compiled, ctx), Unknown)


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
        near = all(holders[call] is own.holder for call in fits)
        steps = not isinstance(own.config, Decline) and own.config.steps
        own.local = near and _attribute_free(own, ctx) and _name_is_free(own) and not steps
        own.weighted = any(has_argument(call, "class_weight", "sample_weight") for call in fits)
        own.streamed = any(_streams(call, ctx) for call in users)
        if not isinstance(own.config, Decline) and is_several(own.config):
            own.forms = forms_of([value for call in users for value in _streams_of(call, ctx)], own.config.traits)
        called_back = [call for call in fits if has_argument(call, "callbacks")]
        own.hooks = frozenset().union(*(batch_hooks(holders[call], ctx) for call in called_back))
        twin = next((c for c in compiled[:index] if _twins(c, own)), None)
        holder = own.holder.name.value if isinstance(own.holder, cst.FunctionDef) else str(index + 1)
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
    return config.loss, config.heads, config.metrics, config.traits, optimizer.clip, optimizer.schedule is None


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


def _own(ctx: Context) -> set[str]:
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
