"""What a model was compiled with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.callback_classes import SCHEDULE, base_of
from migrator.codemods.training.calls import METHODS, bind, is_none
from migrator.codemods.training.factories import from_factory, is_given
from migrator.codemods.training.heads import HeadCode, heads_metrics, heads_of
from migrator.codemods.training.made import Made
from migrator.codemods.training.objectives import (
    Stop,
    counted_code,
    loss_code,
    made_or_stop,
    metric_code,
    metric_nodes,
    only_globals,
    weighted_code,
)
from migrator.codemods.training.own_optimizers import own_code
from migrator.codemods.training.scope import count
from migrator.codemods.training.traits import Traits
from migrator.model import Decline, LossCode, MetricCode, OptimizerCode
from migrator.values import Literal, Unknown


@dataclass(frozen=True)
class Configuration:
    """Loss, metrics and optimizer of a `compile` call, in torch.

    `heads`: losses and metrics of a model with several outputs, in place of the one loss.
    """

    loss: LossCode
    metrics: tuple[MetricCode, ...]
    optimizer: OptimizerCode
    traits: Traits
    heads: tuple[HeadCode, ...] = ()

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of what a pass over the data measures, in the order in which `evaluate` lists them."""
        return ("loss", *(f"{head.name}_loss" for head in self.heads), *(metric.name for metric in self.metrics))

    @property
    def losses(self) -> tuple[LossCode, ...]:
        return tuple(head.loss for head in self.heads) or (self.loss,)

    @property
    def steps(self) -> bool:
        """Whether the model trains itself, batch by batch: loss and metrics are its own business."""
        return bool(self.traits.steps)


_NO_LOSS = LossCode("", "", None, "float")
_KNOWN = ("optimizer", "loss", "metrics", "weighted_metrics", "loss_weights")
_IGNORED = ("run_eagerly", "jit_compile", "steps_per_execution", "auto_scale_loss")


def configure(call: cst.Call, traits: Traits, ctx: Context) -> Configuration | Decline:
    """The configuration of one `compile` call; what is not certainly known is declined."""
    if traits.compiles and not traits.own_step:
        return Configuration(_NO_LOSS, (), OptimizerCode(""), traits)
    bound = bind(call, METHODS["compile"], positional=2)
    if isinstance(bound, Decline):
        return Decline(f"compile: {bound.reason}")
    try:
        return _configure(bound, traits, ctx)
    except Stop as stop:
        return Decline(f"compile: {stop.decline.reason}", api=stop.decline.api)


def _configure(bound: dict[str, cst.BaseExpression], traits: Traits, ctx: Context) -> Configuration:
    if ctx.objects is None:
        raise Stop(Decline("no records of losses, metrics and optimizers"))
    for name in bound:
        if name not in (*_KNOWN, *_IGNORED) and not is_none(bound[name], ctx):
            raise Stop(Decline(f"argument `{name}` has no rule"))
    if traits.own_step:
        raise Stop(Decline(f"the model has its own `{traits.own_step}`"))
    if not traits.single and not traits.steps:
        raise Stop(Decline("a model with several inputs or outputs"))
    if traits.steps:
        return Configuration(_NO_LOSS, (), _own_steps(bound, traits, ctx), traits)
    if traits.masked:
        raise Stop(Decline("a loss over a masked sequence"))
    if is_none(bound.get("loss"), ctx):
        raise Stop(Decline("without a loss"))
    optimizer = _optimizer(bound.get("optimizer"), ctx)
    if traits.heads:
        heads = heads_of(bound, traits, ctx)
        made = Configuration(_NO_LOSS, heads_metrics(heads, ctx.keras), optimizer, traits, heads)
    else:
        made = _one_output(bound, optimizer, traits, ctx)
    if len(set(made.figures)) < len(made.figures):
        raise Stop(Decline("two metrics of one name"))
    losses = [loss.mean for loss in made.losses]
    for text in (*losses, *(line.strip().removeprefix("for ") for line in optimizer.clip)):
        only_globals(text, ctx)
    return made


def _one_output(
    bound: dict[str, cst.BaseExpression], optimizer: OptimizerCode, traits: Traits, ctx: Context
) -> Configuration:
    if not is_none(bound.get("loss_weights"), ctx):
        raise Stop(Decline("argument `loss_weights` of a model with one output has no rule"))
    if traits.counts:
        loss, metrics = counted_code(_only(bound["loss"]), metric_nodes(bound.get("metrics"), ctx), traits, ctx)
        if metric_nodes(bound.get("weighted_metrics"), ctx):
            raise Stop(Decline("weighted metrics over a masked sequence"))
        return Configuration(loss, metrics, optimizer, traits)
    loss = loss_code(_only(bound["loss"]), traits, ctx)
    metrics = tuple(metric_code(node, loss, traits, ctx) for node in metric_nodes(bound.get("metrics"), ctx))
    metrics += tuple(
        weighted_code(node, loss, traits, ctx) for node in metric_nodes(bound.get("weighted_metrics"), ctx)
    )
    return Configuration(loss, metrics, optimizer, traits)


def _only(node: cst.BaseExpression) -> cst.BaseExpression:
    """The loss in a list of one."""
    if isinstance(node, cst.List | cst.Tuple) and len(node.elements) == 1:
        return node.elements[0].value
    return node


def _own_steps(bound: dict[str, cst.BaseExpression], traits: Traits, ctx: Context) -> OptimizerCode:
    """The optimizer of a model that trains itself, where `compile` says nothing else."""
    for name in ("loss", "metrics", "weighted_metrics"):
        if not is_none(bound.get(name), ctx):
            raise Stop(Decline(f"`{name}` of a model that has its own {' and '.join(sorted(traits.steps))}"))
    optimizer = _optimizer(bound.get("optimizer"), ctx)
    if optimizer.clip or optimizer.schedule or optimizer.finish:
        raise Stop(Decline("clipping, a schedule or averages of a model that has its own steps"))
    return optimizer


def _optimizer(node: cst.BaseExpression | None, ctx: Context) -> OptimizerCode:
    assert ctx.objects is not None
    if node is not None and is_given(node, ctx):
        return OptimizerCode(ctx.code(node).strip())
    if node is not None and (factory := from_factory(node, ctx)) is not None:
        return factory
    made = Made("rmsprop", {}, {}) if node is None else made_or_stop(node, ctx)
    code = optimizer_code(made, ctx)
    if isinstance(code, Decline):
        raise Stop(code)
    return code


def optimizer_code(made: Made, ctx: Context) -> OptimizerCode | Decline:
    """An optimizer by its record; its rate may be a schedule of a class of the repository."""
    assert ctx.objects is not None
    if ctx.keras == 2 and made.values.get("use_ema", Literal(False)) != Literal(False):
        return Decline("averages of weights of Keras 2, which begin with the first weights", made.name)
    rates = [key for key in ("learning_rate", "lr") if base_of(made.values.get(key, Unknown()), ctx) == SCHEDULE]
    if not rates:
        return _record(made, ctx)
    key = rates[0]
    schedule = made.texts[key]
    before = () if schedule.isidentifier() else (f"schedule = {schedule}",)
    if before and count(ctx.tree, "schedule"):
        return Decline("a schedule of a class of the repository that has no name", made.name)
    schedule = "schedule" if before else schedule
    plain = replace(made, texts={**made.texts, key: "1.0"}, values={**made.values, key: Literal(1.0)})
    code = _record(plain, ctx)
    if isinstance(code, Decline):
        return code
    return replace(code, schedule=f"lambda step: float({schedule}(step))", before=before)


def _record(made: Made, ctx: Context) -> OptimizerCode | Decline:
    assert ctx.objects is not None
    return own_code(made, ctx) if made.own else ctx.objects.optimizer(made.name, made.texts, made.values)
