"""What a model was compiled with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_classes import LOSS, SCHEDULE, base_of
from migrator.codemods.training.calls import METHODS, api_of, bind, constant, is_none
from migrator.codemods.training.factories import from_factory, is_given
from migrator.codemods.training.scope import bound_at_top
from migrator.codemods.training.traits import Traits
from migrator.model import Decline, Helper, LossCode, MetricCode, OptimizerCode
from migrator.values import Api, Instance, Literal, RepoFunction, Sequence, Tensor, Unknown, Value

Texts = dict[str, str]


@dataclass(frozen=True)
class Made:
    """A Keras object as it was made: its name for the records, arguments as text and as known."""

    name: str
    texts: Mapping[str, str]
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Configuration:
    """Loss, metrics and optimizer of a `compile` call, in torch."""

    loss: LossCode
    metrics: tuple[MetricCode, ...]
    optimizer: OptimizerCode
    traits: Traits

    @property
    def steps(self) -> bool:
        """Whether the model trains itself, batch by batch: loss and metrics are its own business."""
        return bool(self.traits.steps)


ALIGNED = Helper(
    "aligned",
    '''def aligned(y, pred):
    """Both with as many axes, where the last one of the other has a single entry; Keras does so before any loss."""
    if y.dim() == pred.dim() + 1 and y.shape[-1] == 1:
        return (y, pred.unsqueeze(-1)) if pred.dim() == 1 else (y.squeeze(-1), pred)
    if pred.dim() == y.dim() + 1 and pred.shape[-1] == 1:
        return (y.unsqueeze(-1), pred) if y.dim() == 1 else (y, pred.squeeze(-1))
    return y, pred
''',
)
_NO_LOSS = LossCode("", "", None, "float")
_REDUCTIONS = {"SUM": "sum", "NONE": "none", "AUTO": "sum_over_batch_size"} | {
    "SUM_OVER_BATCH_SIZE": "sum_over_batch_size"
}


def _reduction(value: Value) -> Literal | None:
    """The constants by which older code names what a loss does with its values."""
    name = value.name if isinstance(value, Api) else ""
    word = _REDUCTIONS.get(name.removeprefix("tf.keras.losses.Reduction.")) if ".Reduction." in name else None
    return Literal(word) if word is not None else None


class _Stop(Exception):
    """Carries a decline out of a nested step; never leaves this module."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.reason)
        self.decline = decline


_KNOWN = ("optimizer", "loss", "metrics", "weighted_metrics")
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
    except _Stop as stop:
        return Decline(f"compile: {stop.decline.reason}", api=stop.decline.api)


def _configure(bound: dict[str, cst.BaseExpression], traits: Traits, ctx: Context) -> Configuration:
    if ctx.objects is None:
        raise _Stop(Decline("no records of losses, metrics and optimizers"))
    for name in bound:
        if name not in ("optimizer", "loss", "metrics", "weighted_metrics", *_IGNORED) and not is_none(
            bound[name], ctx
        ):
            raise _Stop(Decline(f"argument `{name}` has no rule"))
    if traits.own_step:
        raise _Stop(Decline(f"the model has its own `{traits.own_step}`"))
    if not traits.single and not traits.steps:
        raise _Stop(Decline("a model with several inputs or outputs"))
    if traits.steps:
        return Configuration(_NO_LOSS, (), _own_steps(bound, traits, ctx), traits)
    if traits.masked:
        raise _Stop(Decline("a loss over a masked sequence"))
    if is_none(bound.get("loss"), ctx):
        raise _Stop(Decline("without a loss"))
    loss = _loss(bound["loss"], traits, ctx)
    metrics = tuple(_metric(node, loss, traits, ctx) for node in _metric_nodes(bound.get("metrics"), ctx))
    metrics += tuple(_weighted(node, loss, traits, ctx) for node in _metric_nodes(bound.get("weighted_metrics"), ctx))
    if len({metric.name for metric in metrics}) < len(metrics):
        raise _Stop(Decline("two metrics of one name"))
    optimizer = _optimizer(bound.get("optimizer"), ctx)
    for text in (loss.mean, *(line.strip().removeprefix("for ") for line in optimizer.clip)):
        _only_globals(text, ctx)
    return Configuration(loss, metrics, optimizer, traits)


def _own_steps(bound: dict[str, cst.BaseExpression], traits: Traits, ctx: Context) -> OptimizerCode:
    """The optimizer of a model that trains itself, where `compile` says nothing else."""
    for name in ("loss", "metrics", "weighted_metrics"):
        if not is_none(bound.get(name), ctx):
            raise _Stop(Decline(f"`{name}` of a model that has its own {' and '.join(sorted(traits.steps))}"))
    optimizer = _optimizer(bound.get("optimizer"), ctx)
    if optimizer.clip or optimizer.schedule:
        raise _Stop(Decline("clipping or a schedule of a model that has its own steps"))
    return optimizer


def _only_globals(text: str, ctx: Context) -> None:
    """Raises for code of the shared function that needs a variable of the function that compiles."""
    known = {*bound_at_top(ctx.tree), "signed_labels", "log_probabilities"}
    if "{p}" in text and text.split("(")[0] not in known and not text.startswith(("F.", "(", "-", "{")):
        raise _Stop(Decline(f"`{text.split('(')[0]}` is not a function of the file"))
    limit = re.search(r"(?:max_norm|clip_value)=([\w.]+)\)", text)
    if limit and not re.fullmatch(r"[\d.e+-]+", limit.group(1)) and limit.group(1) not in known:
        raise _Stop(Decline(f"clipping to `{limit.group(1)}`, which is not a constant of the file"))


def _loss(node: cst.BaseExpression, traits: Traits, ctx: Context) -> LossCode:
    assert ctx.objects is not None
    value = ctx.value(node)
    if isinstance(value, RepoFunction) and isinstance(node, cst.Name):
        return _own_loss(node.value, traits)
    if base_of(value, ctx) == LOSS:
        return _own_class(node, traits, ctx)
    made = _made(node, ctx)
    if made.values.get("reduction") == Literal("none"):
        raise _Stop(Decline("a loss without a reduction", made.name))
    code = ctx.objects.loss(made.name, made.texts, made.values, traits.output)
    if isinstance(code, Decline):
        raise _Stop(code)
    return code


def _own_loss(name: str, traits: Traits) -> LossCode:
    """A loss function of the repository: Keras gives it float targets and takes the mean."""
    output = traits.output
    if output.width is None or output.rank is None:
        return LossCode(name, f"{name}(*aligned({{y}}, {{p}})).mean()", None, "output", helpers=(ALIGNED,))
    target = "column" if output.width == 1 and output.rank == 2 else "output"
    return LossCode(name, f"{name}({{y}}, {{p}}).mean()", None, target)


def _own_class(node: cst.BaseExpression, traits: Traits, ctx: Context) -> LossCode:
    """An object of a loss class of the repository, or a call that makes one of constants."""
    names = {n.value for n in find(node, m.Name()) if isinstance(n, cst.Name)}
    if not names <= set(bound_at_top(ctx.tree)):
        raise _Stop(Decline("a loss object that is no constant of the file"))
    if traits.output.width is None or traits.output.rank is None:
        raise _Stop(Decline("the shape of what a loss of its own class compares is not known"))
    code = _own_loss(ctx.code(node).strip(), traits)
    return replace(code, mean=code.mean.removesuffix(".mean()"))


def _metric_nodes(node: cst.BaseExpression | None, ctx: Context) -> list[cst.BaseExpression]:
    if node is None or is_none(node, ctx):
        return []
    if isinstance(node, cst.List | cst.Tuple):
        return [element.value for element in node.elements]
    value = ctx.value(node)
    if isinstance(value, Sequence):
        found = _assigned_list(node, ctx)
        if found is not None:
            return found
        raise _Stop(Decline("metrics that are not listed where the model is compiled"))
    return [node]


def _assigned_list(node: cst.BaseExpression, ctx: Context) -> list[cst.BaseExpression] | None:
    """The elements of the one list that a name is bound to in the file."""
    if not isinstance(node, cst.Name):
        return None
    bound = [
        part.value
        for part in _assignments(ctx.tree)
        if any(isinstance(t.target, cst.Name) and t.target.value == node.value for t in part.targets)
    ]
    if len(bound) == 1 and isinstance(bound[0], cst.List | cst.Tuple):
        return [element.value for element in bound[0].elements]
    return None


def _assignments(tree: cst.Module) -> list[cst.Assign]:
    return [node for node in find(tree, m.Assign()) if isinstance(node, cst.Assign)]


def _metric(node: cst.BaseExpression, loss: LossCode, traits: Traits, ctx: Context) -> MetricCode:
    assert ctx.objects is not None
    value = ctx.value(node)
    if isinstance(value, RepoFunction) and isinstance(node, cst.Name):
        facts = ctx.facts.function(value.qualname)
        return _own_metric(node.value, facts.returns if facts is not None else value, traits)
    made = _made(node, ctx)
    code = ctx.objects.metric(made.name, made.texts, made.values, traits.output, loss)
    if isinstance(code, Decline):
        raise _Stop(code)
    return code


def _weighted(node: cst.BaseExpression, loss: LossCode, traits: Traits, ctx: Context) -> MetricCode:
    """A metric that weighs rows as the loss does."""
    code = _metric(node, loss, traits, ctx)
    if not code.rows or code.result != "{mean}":
        raise _Stop(Decline(f"the metric `{code.name}` with weights"))
    return replace(code, weighted=True)


def _own_metric(name: str, returns: Value, traits: Traits) -> MetricCode:
    """A metric function of the repository: one value a row, or one a batch, as Keras averages them."""
    rank = returns.rank if isinstance(returns, Tensor) else None
    if rank is None or traits.output.activation or traits.output.rank is None:
        raise _Stop(Decline(f"whether `{name}` gives a value for each row is not known"))
    if rank == 0:
        return MetricCode(name, f"{name}({{y}}, {{p}})", by_batch=True)
    rows = f"{name}({{y}}, {{p}})" + ("" if rank == 1 else ".flatten(1).mean(dim=1)")
    return MetricCode(name, f"{rows}.sum()", rows=rows)


def _optimizer(node: cst.BaseExpression | None, ctx: Context) -> OptimizerCode:
    assert ctx.objects is not None
    if node is not None and is_given(node, ctx):
        return OptimizerCode(ctx.code(node).strip())
    if node is not None and (factory := from_factory(node, ctx)) is not None:
        return factory
    made = Made("rmsprop", {}, {}) if node is None else _made(node, ctx)
    code = optimizer_code(made, ctx)
    if isinstance(code, Decline):
        raise _Stop(code)
    return code


def optimizer_code(made: Made, ctx: Context) -> OptimizerCode | Decline:
    """An optimizer by its record; its rate may be a schedule of a class of the repository."""
    assert ctx.objects is not None
    rates = [key for key in ("learning_rate", "lr") if base_of(made.values.get(key, Unknown()), ctx) == SCHEDULE]
    if not rates:
        return ctx.objects.optimizer(made.name, made.texts, made.values)
    key = rates[0]
    schedule = made.texts[key]
    if not schedule.isidentifier():
        return Decline("a schedule of a class of the repository that has no name", made.name)
    code = ctx.objects.optimizer(made.name, {**made.texts, key: "1.0"}, {**made.values, key: Literal(1.0)})
    return code if isinstance(code, Decline) else replace(code, schedule=f"lambda step: float({schedule}(step))")


def _made(node: cst.BaseExpression, ctx: Context) -> Made:
    made = made_of(node, ctx)
    if isinstance(made, Decline):
        raise _Stop(made)
    return made


def made_of(node: cst.BaseExpression, ctx: Context) -> Made | Decline:
    """The object that an expression makes or refers to: a Keras string, a call, or a name bound to one."""
    text = constant(node, ctx)
    if text is not None and isinstance(text.value, str):
        return Made(text.value, {}, {})
    value = ctx.value(node)
    if isinstance(value, Api):
        return Made(value.name, {}, {})
    if isinstance(node, cst.Call):
        return _called(node, value, ctx)
    if isinstance(value, Instance):
        site = _site(value, ctx)
        return _called(site, value, ctx) if site is not None else _from_values(value)
    return Decline(f"`{ctx.code(node).strip()}` is not known")


def _called(call: cst.Call, value: Value, ctx: Context) -> Made | Decline:
    assert ctx.objects is not None
    name = api_of(value) or api_of(ctx.value(call.func))
    parameters = None if name is None else ctx.objects.parameters(name)
    if name is None or parameters is None:
        return Decline(f"no rule for {name or ctx.code(call.func)}", name or "")
    bound = bind(call, parameters)
    if isinstance(bound, Decline):
        return Decline(f"{name}: {bound.reason}", name)
    texts: Texts = {}
    values: dict[str, Value] = {}
    for key, node in bound.items():
        values[key] = constant(node, ctx) or ctx.value(node)
        reduction = _reduction(values[key])
        if reduction is not None:
            values[key], texts[key] = reduction, repr(reduction.value)
            continue
        rewritten = ctx.rewrite(node)
        if rewritten.declines and not isinstance(values[key], Instance):
            first: Decline = rewritten.declines[0]
            return first
        texts[key] = cst.Module([]).code_for_node(rewritten.node).strip()
    return Made(name, texts, values)


def _site(value: Instance, ctx: Context) -> cst.Call | None:
    """The call in this file that made an instance."""
    if value.site is None or value.module not in ("", ctx.module):
        return None
    return next((n for n, span in ctx.spans.items() if span == value.site and isinstance(n, cst.Call)), None)


def _from_values(value: Instance) -> Made | Decline:
    """An object made in another file, when all its arguments are constants."""
    if not all(isinstance(v, Literal) for _, v in value.args):
        return Decline(f"{value.api} was made in another file with arguments that are not constants", value.api)
    texts = {name: repr(v.value) for name, v in value.args if isinstance(v, Literal)}
    return Made(value.api, texts, dict(value.args))
