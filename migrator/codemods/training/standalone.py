"""Optimizers, losses and metrics that a program makes and uses by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import api_of, calls_in, receiver
from migrator.codemods.training.configuration import Made, made_of
from migrator.codemods.training.metric_classes import metric_class
from migrator.codemods.training.models import parameters, variables_of
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.scope import Holder, count
from migrator.codemods.training.sink import Sink
from migrator.model import Decline, Helper, LossCode, OptimizerCode, OutputFacts
from migrator.values import Instance, Literal, Tensor


@dataclass(frozen=True)
class Definition:
    """An assignment `target = Class(...)` of a Keras object. `kind`: optimizer, schedule, loss
    or metric."""

    line: cst.SimpleStatementLine
    target: cst.BaseExpression
    call: cst.Call
    api: str
    kind: str


def definition(line: cst.SimpleStatementLine, ctx: Context) -> Definition | None:
    """The Keras object that a line makes and names, if it does only that."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return None
    target, call = part.targets[0].target, part.value
    if not isinstance(call, cst.Call) or not isinstance(target, cst.Name | cst.Attribute):
        return None
    value = ctx.value(call)
    api = api_of(value) if isinstance(value, Instance) else None
    if api is not None and api.startswith("tf.keras.optimizers.schedules."):
        return Definition(line, target, call, api, "schedule")
    for kind in ("optimizer", "loss", "metric"):
        room = {"optimizer": "optimizers", "loss": "losses", "metric": "metrics"}[kind]
        if api is not None and api.startswith(f"tf.keras.{room}."):
            return Definition(line, target, call, api, kind)
    return None


def define(found: Definition, holder: Holder, plan: FilePlan, ctx: Context, sink: Sink) -> str:
    """The torch statements for a definition; "" when `compile` has taken it over; declines go to the sink."""
    if _only_compiled(found, plan, ctx):
        return ""
    if found.kind == "schedule":
        sink.decline("a schedule that is used outside of an optimizer", found.api)
        return ""
    if found.kind == "optimizer":
        return _optimizer(found, holder, plan, ctx, sink)
    if found.kind == "loss":
        return _loss(found, plan, ctx, sink)
    return _metric(found, ctx, sink)


def _only_compiled(found: Definition, plan: FilePlan, ctx: Context) -> bool:
    """Whether the object is read by `compile` calls alone."""
    name = found.target
    if not isinstance(name, cst.Name):
        return False
    readers: list[cst.CSTNode] = [c.call for c in plan.compiled]
    if found.kind == "schedule":
        readers = [n for n in ctx.spans if isinstance(n, cst.Call) and _is_optimizer(n, ctx)]
    inside = sum(count(reader, name.value) for reader in readers)
    return inside > 0 and count(ctx.tree, name.value) == inside + _bindings(ctx.tree, name.value)


def _is_optimizer(call: cst.Call, ctx: Context) -> bool:
    value = ctx.value(call)
    return (
        isinstance(value, Instance) and value.api.startswith("tf.keras.optimizers.") and ".schedules." not in value.api
    )


def _bindings(tree: cst.Module, name: str) -> int:
    return len(find(tree, m.AssignTarget(target=m.Name(name))))


# --- optimizers -----------------------------------------------------------------------------------------


def _optimizer(found: Definition, holder: Holder, plan: FilePlan, ctx: Context, sink: Sink) -> str:
    assert ctx.objects is not None
    made = made_of(found.call, ctx)
    code = made if isinstance(made, Decline) else ctx.objects.optimizer(made.name, made.texts, made.values)
    if isinstance(code, Decline):
        sink.declines.append(code)
        return ""
    models = Trained(found, holder, plan, ctx).models()
    if isinstance(models, str):
        sink.decline(f"`{ctx.code(found.target)}`: {models}", found.api)
        return ""
    problem = _unsupported(code)
    if problem:
        sink.decline(problem, found.api)
    sink.imports |= set(code.imports)
    sink.gaps |= set(code.gaps)
    sink.help(code.helpers)
    return f"{ctx.code(found.target).strip()} = {code.call.replace('{params}', parameters(models))}"


def _unsupported(code: OptimizerCode) -> str:
    if code.clip:
        return "an optimizer that clips, in a loop of one's own, has no rule"
    return "an optimizer with a schedule, in a loop of one's own, has no rule" if code.schedule else ""


@dataclass(frozen=True)
class Trained:
    """Finds the models whose parameters an optimizer trains, as texts valid where it is made."""

    found: Definition
    holder: Holder
    plan: FilePlan
    ctx: Context

    def models(self) -> list[str] | str:
        """The models, or why they are not known."""
        seen = [*self.direct(), *self.passed()]
        if not seen:
            return "which parameters it trains is not known"
        if any(models != seen[0] for models in seen) or seen[0] is None:
            return "it trains different models in different places, or ones that are not known"
        late = [model for model in seen[0] if not self.bound_before(model)]
        return f"it is made before `{late[0]}`" if late else seen[0]

    @property
    def name(self) -> str:
        return self.ctx.code(self.found.target).strip()

    def direct(self) -> Iterator[list[str] | None]:
        """Uses under the same name: in this scope, as an attribute of `self`, or of a global."""
        for call in self.applies(self.name):
            user = self.plan.holders[call]
            models = self.variables(call, user)
            if user is self.holder or self.name.startswith("self."):
                yield models
            elif isinstance(self.holder, cst.Module) and self.name not in _parameters(user):
                local = {m for m in models or [] if m.split(".")[0] in _parameters(user)}
                yield None if local or models is None else models

    def passed(self) -> Iterator[list[str] | None]:
        """Uses in functions of the file that are given the optimizer and the models."""
        for call in calls_in(self.holder):
            if self.plan.holders.get(call) is not self.holder or not isinstance(call.func, cst.Name):
                continue
            function = self.function(call.func.value)
            given = _given(call, function) if function is not None else {}
            inner = next((p for p, a in given.items() if self.ctx.code(a).strip() == self.name), None)
            if function is None or inner is None:
                continue
            for use in self.applies(inner):
                if self.plan.holders[use] is function:
                    yield self.through(self.variables(use, function), given)

    def through(self, models: list[str] | None, given: dict[str, cst.BaseExpression]) -> list[str] | None:
        if models is None or any(model not in given for model in models):
            return None
        return [self.ctx.code(given[model]).strip() for model in models]

    def applies(self, name: str) -> Iterator[cst.Call]:
        for call in self.plan.holders:
            owner = receiver(call) if isinstance(call, cst.Call) else None
            if owner and owner[1] == "apply_gradients" and self.ctx.code(owner[0]).strip() == name:
                assert isinstance(call, cst.Call)
                yield call

    def variables(self, call: cst.Call, user: Holder) -> list[str] | None:
        """The models in `zip(gradients, variables)`."""
        zipped = call.args[0].value if call.args else None
        if zipped is None or not m.matches(zipped, m.Call(func=m.Name("zip"), args=[m.Arg(), m.Arg()])):
            return None
        assert isinstance(zipped, cst.Call)
        node = zipped.args[1].value
        if isinstance(node, cst.Name):
            bound = [
                a.value
                for a in find(user, m.Assign(targets=[m.AssignTarget(target=m.Name(node.value))]))
                if isinstance(a, cst.Assign)
            ]
            node = bound[0] if len(bound) == 1 else node
        return variables_of(node, self.ctx, self.plan.known_models)

    def function(self, name: str) -> cst.FunctionDef | None:
        return next((s for s in self.ctx.tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name), None)

    def bound_before(self, model: str) -> bool:
        """Whether the model's name has a value where the optimizer is made."""
        if not isinstance(self.holder, cst.Module) and model.split(".")[0] in _parameters(self.holder) - {"self"}:
            return True
        start = self.ctx.spans[self.found.line]
        for target in find(self.holder, m.AssignTarget()):
            assert isinstance(target, cst.AssignTarget)
            if self.ctx.code(target.target).strip() == model and self.ctx.spans[target] < start:
                return True
        return False


def _parameters(holder: Holder) -> set[str]:
    if isinstance(holder, cst.Module):
        return set()
    params = holder.params
    return {p.name.value for p in (*params.posonly_params, *params.params, *params.kwonly_params)}


def _given(call: cst.Call, function: cst.FunctionDef) -> dict[str, cst.BaseExpression]:
    """Arguments of a call by the function's parameters; empty when there are stars."""
    names = [p.name.value for p in function.params.params]
    if any(arg.star for arg in call.args):
        return {}
    positional = [arg.value for arg in call.args if arg.keyword is None]
    return dict(zip(names, positional, strict=False)) | {
        arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None
    }


# --- losses ---------------------------------------------------------------------------------------------


def _loss(found: Definition, plan: FilePlan, ctx: Context, sink: Sink) -> str:
    """A plain function of (y_true, y_pred) under the object's name, or beside it for an attribute."""
    made = made_of(found.call, ctx)
    target = ctx.code(found.target).strip()
    calls = [c for c in calls_in(ctx.tree) if ctx.code(c.func).strip() == target]
    body = Decline("it is called with sample weights", found.api)
    if not isinstance(made, Decline) and all(len(call.args) == 2 for call in calls):
        written = _loss_body(found, made, calls, ctx, sink)
    else:
        written = made if isinstance(made, Decline) else body
    if isinstance(written, Decline):
        sink.decline(f"`{target}`: {written.reason}", found.api)
        return ""
    assert isinstance(made, Made)
    if isinstance(found.target, cst.Name):
        return f"def {target}(y_true, y_pred):\n    return {written}"
    name = plan.name(_function_name(made))
    sink.help((Helper(name, f"def {name}(y_true, y_pred):\n    return {written}\n"),))
    return f"{target} = {name}"


def _function_name(made: Made) -> str:
    """A name that says which loss, so that two different ones never share it."""
    words = [re.sub(r"(?<!^)(?=[A-Z])", "_", made.name.rpartition(".")[2]).lower()]
    words += [re.sub(r"\W+", "", f"{key}_{text}") for key, text in made.texts.items() if key != "name"]
    return "_".join(words).replace("_true", "").lower()


def _loss_body(found: Definition, made: Made, calls: list[cst.Call], ctx: Context, sink: Sink) -> str | Decline:
    assert ctx.objects is not None
    ranks = {_rank(call.args[1].value, ctx) for call in calls}
    rank = ranks.pop() if len(ranks) == 1 else None
    categorical = "ategorical" in found.api
    code = ctx.objects.loss(made.name, made.texts, made.values, OutputFacts(rank=rank if categorical else 2))
    if isinstance(code, Decline):
        return code
    reduction = made.values.get("reduction")
    each = isinstance(reduction, Literal) and reduction.value == "none"
    sink.imports |= set(code.imports)
    sink.help(code.helpers)
    text = _each(code, categorical and rank != 2) if each else code.mean
    return text.replace("{p}", "y_pred").replace("{y}", _target(code, calls, ctx))


def _each(code: LossCode, any_rank: bool) -> str:
    """One value a row; classes are on the last axis, torch wants them on axis 1."""
    if not any_rank:
        return code.rows or code.mean
    p = "{p}.movedim(-1, 1)" if code.on_logits else "log_probabilities({p}).movedim(-1, 1)"
    kind = "F.cross_entropy" if code.on_logits else "F.nll_loss"
    return f'{kind}({p}, {{y}}, reduction="none")'


def _rank(node: cst.BaseExpression, ctx: Context) -> int | None:
    value = ctx.value(node)
    return value.rank if isinstance(value, Tensor) else None


def _target(code: LossCode, calls: list[cst.Call], ctx: Context) -> str:
    """`y_true` in the type and shape that torch wants, adapted only where it may not have them."""
    pairs = [(ctx.value(call.args[0].value), ctx.value(call.args[1].value)) for call in calls]
    if code.target == "ids":
        known = all(isinstance(y, Tensor) and y.dtype == "int64" for y, _ in pairs)
        return "y_true" if known and pairs else "y_true.long()"
    text = "y_true"
    if not pairs or not all(isinstance(y, Tensor) and y.dtype == "float32" for y, _ in pairs):
        text = "y_true.to(y_pred.dtype)"
    if not pairs or not all(_same_rank(y, p) for y, p in pairs):
        text += ".view_as(y_pred)"
    return text


def _same_rank(y: object, p: object) -> bool:
    return isinstance(y, Tensor) and isinstance(p, Tensor) and y.rank is not None and y.rank == p.rank


# --- metrics --------------------------------------------------------------------------------------------


def _metric(found: Definition, ctx: Context, sink: Sink) -> str:
    name = found.api.rpartition(".")[2]
    older = bool(find(ctx.tree, m.Attribute(attr=m.Name("reset_states"))))
    helpers = metric_class(name, older)
    made = made_of(found.call, ctx) if name not in ("Mean", "Sum") else None
    if not helpers or isinstance(made, Decline):
        sink.declines.append(made if isinstance(made, Decline) else Decline(f"no rule for {found.api}", found.api))
        return ""
    sink.help(helpers)
    given = made.texts if made is not None else {}
    arguments = ", ".join(f"{key}={text}" for key, text in given.items() if key in ("k", "threshold"))
    return f"{ctx.code(found.target).strip()} = {name}({arguments})"
