"""Optimizers, losses and metrics that a program makes and uses by itself."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_classes import SCHEDULE, base_of
from migrator.codemods.training.calls import calls_in
from migrator.codemods.training.checkpoints import is_saved, scheduler_of
from migrator.codemods.training.configuration import optimizer_code
from migrator.codemods.training.constraints import hooks
from migrator.codemods.training.decay import DECAY_GROUPS, excludes
from migrator.codemods.training.definitions import Definition
from migrator.codemods.training.factories import MODEL, makes_optimizer, takes_model
from migrator.codemods.training.made import LOSS_SCALE, Made, made_of
from migrator.codemods.training.models import Trained, parameters
from migrator.codemods.training.optimizer_uses import Uses
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.scope import Holder, Names, count
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.step_counts import COUNT_STEPS, counts_steps
from migrator.codemods.training.weighing import weighs
from migrator.model import Decline, Helper, LossCode, OutputFacts
from migrator.values import Instance, Literal, Sequence, Tensor, Unknown


def define(
    found: Definition, holder: Holder, names: Names, plan: FilePlan, ctx: Context, sink: Sink, late: bool = False
) -> str:
    """The torch statements for a definition; "" when `compile` has taken it over; declines go to the sink.

    `late`: they stand behind what makes the models that an optimizer trains.
    """
    if _only_compiled(found, plan, ctx):
        return ""
    if found.kind == "schedule":
        sink.decline("a schedule that is used outside of an optimizer", found.api)
        return ""
    if found.kind == "optimizer":
        return _optimizer(found, holder, names, plan, ctx, sink, late)
    if found.kind == "loss":
        return _loss(found, plan, ctx, sink)
    return _by_rules(found, ctx, sink)


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


def only_compiled_list(line: cst.SimpleStatementLine, plan: FilePlan, ctx: Context) -> bool:
    """`METRICS = ["accuracy", AUC()]`, which `compile` calls alone read."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return False
    name, listed = part.targets[0].target, part.value
    if not isinstance(name, cst.Name) or not isinstance(listed, cst.List | cst.Tuple) or not listed.elements:
        return False
    values = [ctx.value(element.value) for element in listed.elements]
    if not any(isinstance(value, Instance) and value.api.startswith("tf.keras.metrics.") for value in values):
        return False
    inside = sum(count(compiled.call, name.value) for compiled in plan.compiled)
    return inside > 0 and count(ctx.tree, name.value) == inside + 1


def _is_optimizer(call: cst.Call, ctx: Context) -> bool:
    value = ctx.value(call)
    return (
        isinstance(value, Instance) and value.api.startswith("tf.keras.optimizers.") and ".schedules." not in value.api
    )


def _bindings(tree: cst.Module, name: str) -> int:
    return len(find(tree, m.AssignTarget(target=m.Name(name))))


# --- optimizers -----------------------------------------------------------------------------------------


def _optimizer(
    found: Definition, holder: Holder, names: Names, plan: FilePlan, ctx: Context, sink: Sink, late: bool
) -> str:
    assert ctx.objects is not None
    if found.api == LOSS_SCALE:
        sink.decline("a scaled loss of which `compile` does not know", found.api)
        return ""
    made = made_of(found.call, ctx)
    made, lines = (made, []) if isinstance(made, Decline) else _named_schedule(made, names, ctx)
    code = made if isinstance(made, Decline) else optimizer_code(made, ctx)
    if isinstance(code, Decline):
        sink.declines.append(code)
        return ""
    if code.finish and plan.compiled:
        sink.decline("averages of weights by an optimizer that is more than an argument of `compile`", found.api)
        return ""
    uses = Uses(found, holder, plan, ctx)
    parts = uses.trained() if late else uses.parts()
    handed = isinstance(parts, str) and makes_optimizer(holder, ctx, ctx.code(found.target).strip())
    if handed:  # `compile` says what is done with the model that it hands over
        assert isinstance(holder, cst.FunctionDef)
        sink.changes.append(takes_model(holder, ctx))
        parts = (Trained(MODEL),)
    if isinstance(parts, str):
        sink.decline(f"`{ctx.code(found.target)}`: {parts}", found.api)
        return ""
    sink.imports |= set(code.imports)
    sink.gaps |= set(code.gaps)
    sink.help(code.helpers)
    target, params = ctx.code(found.target).strip(), parameters(parts)
    excluded = excludes(target, holder)
    if excluded and len(parts) == 1 and parts[0].kind == "module" and not code.clip:
        sink.help((DECAY_GROUPS,))
        params = f"decay_groups({parts[0].owner})"
    elif excluded:
        sink.decline("parameters that do not decay, of several models or together with clipping", found.api)
    optimizer = code.call.replace("{params}", params)
    if counts_steps(found, ctx):
        sink.help((COUNT_STEPS,))
        optimizer = f"count_steps({optimizer})"
    lines += [f"{target} = {optimizer}"]
    lines += _clips(target, code.clip, params, names)
    kept = scheduler_of(target) if is_saved(target, ctx) else ""
    lines += _scheduled(target, code.schedule, kept or names.fresh("scheduler"), sink)
    constrained = hooks(target, parts, holder, ctx) if not handed else []
    if isinstance(constrained, str):
        sink.decline(constrained, found.api)
        return ""
    lines += constrained
    return "\n".join(lines)


def _named_schedule(made: Made, names: Names, ctx: Context) -> tuple[Made, list[str]]:
    """A schedule of the repository that is made in place gets a name, for it is asked in every step."""
    key = next((k for k in ("learning_rate", "lr") if base_of(made.values.get(k, Unknown()), ctx) == SCHEDULE), "")
    if not key or made.texts[key].isidentifier():
        return made, []
    name = names.fresh("schedule")
    return replace(made, texts={**made.texts, key: name}), [f"{name} = {made.texts[key]}"]


def _clips(target: str, clip: tuple[str, ...], params: str, names: Names) -> list[str]:
    """Clipping before each step, wherever the step is."""
    if not clip:
        return []
    name = names.fresh("clip_gradients")
    body = ["    " + line.replace("{params}", params) for line in clip]
    return [f"def {name}(*_):", *body, "", f"{target}.register_step_pre_hook({name})"]


def _scheduled(target: str, schedule: str | None, name: str, sink: Sink) -> list[str]:
    """A rate that follows the optimizer's own steps, wherever they are."""
    if schedule is None:
        return []
    sink.imports |= {f"import {module}" for module in ("math", "bisect") if f"{module}." in schedule}
    sink.imports.add("from torch.optim.lr_scheduler import LambdaLR")
    return [
        f"{name} = LambdaLR({target}, {schedule})",
        f"{target}.register_step_post_hook(lambda *_: {name}.step())",
    ]


# --- losses ---------------------------------------------------------------------------------------------


def _loss(found: Definition, plan: FilePlan, ctx: Context, sink: Sink) -> str:
    """A plain function of (y_true, y_pred) under the object's name, or beside it for an attribute."""
    made = made_of(found.call, ctx)
    target = ctx.code(found.target).strip()
    calls = [c for c in calls_in(ctx.tree) if ctx.code(c.func).strip() == target]
    plain = not isinstance(made, Decline) and all(len(c.args) == 2 and not not_tensors(c, ctx) for c in calls)
    written = _loss_body(found, made, calls, ctx, sink) if plain and isinstance(made, Made) else None
    if written is None or isinstance(written, Decline):  # weights, arrays, or more than an expression says
        return _by_rules(found, ctx, sink)
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


def _by_rules(found: Definition, ctx: Context, sink: Sink) -> str:
    """The line as the rules write it: an object with the methods that Keras's has."""
    rewritten = ctx.rewrite(found.line)
    helpers = rewritten.helpers
    if not weighs(ctx):
        helpers = _needed(tuple(h.plain or h for h in helpers), ctx.code(rewritten.node))
    sink.take(replace(rewritten, helpers=_with_older_names(helpers, ctx)))
    return ctx.code(rewritten.node).strip() if not rewritten.declines else ""


def _needed(helpers: tuple[Helper, ...], text: str) -> tuple[Helper, ...]:
    """The helpers that the text or a needed helper behind them mentions."""
    kept: list[Helper] = []
    for helper in reversed(helpers):
        if any(re.search(rf"\b{helper.name}\b", source) for source in (text, *(h.source for h in kept))):
            kept.insert(0, helper)
    return tuple(kept)


def _with_older_names(helpers: tuple[Helper, ...], ctx: Context) -> tuple[Helper, ...]:
    """Metrics have `reset_states` too where the file calls it."""
    if not find(ctx.tree, m.Attribute(attr=m.Name("reset_states"))):
        return helpers
    return tuple(replace(h, source=h.source + _OLDER) if "    def reset_state(" in h.source else h for h in helpers)


_OLDER = "\n    def reset_states(self):\n        self.reset_state()\n"


def not_tensors(call: cst.Call, ctx: Context) -> bool:
    """Whether an argument is known to be something that TF makes a tensor of, and torch does not."""
    values = ((a.value, ctx.value(a.value)) for a in call.args)
    return any(
        isinstance(node, cst.List | cst.Tuple)
        or isinstance(value, Sequence | Literal)
        or (isinstance(value, Tensor) and value.origin == "numpy")
        for node, value in values
    )
