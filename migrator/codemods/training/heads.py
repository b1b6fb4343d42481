"""Losses and metrics of a model with several outputs: which belong to which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import constant, is_none
from migrator.codemods.training.objectives import Stop, loss_code, metric_code, metric_nodes, written
from migrator.codemods.training.traits import Traits
from migrator.model import Decline, LossCode, MetricCode, OutputFacts
from migrator.values import Literal, Sequence

Bound = Mapping[str, cst.BaseExpression]


@dataclass(frozen=True)
class HeadCode:
    """What is asked of one output. `name`: Keras's; `weight`: of its loss in the sum, "" for none.

    The names of `metrics` begin with the output's, and their code is over its own variables.
    """

    name: str
    output: OutputFacts
    loss: LossCode
    weight: str = ""
    by_batch: bool = False  # its loss is averaged over batches, whatever their size, as Keras 3 does
    metrics: tuple[MetricCode, ...] = ()

    @property
    def variable(self) -> str:
        return re.sub(r"\W", "_", self.name)

    @property
    def pred(self) -> str:
        return f"{self.variable}_logits" if self.loss.on_logits else f"{self.variable}_pred"

    @property
    def target(self) -> str:
        return f"{self.variable}_y"


def heads_of(bound: Bound, traits: Traits, ctx: Context) -> tuple[HeadCode, ...]:
    """The losses and metrics by output, in the order of the outputs; raises `Stop` for what has no rule."""
    names = [head.name for head in traits.heads]
    variables = [re.sub(r"\W", "_", name) for name in names]
    if not all(name.isidentifier() for name in variables) or len(set(variables)) < len(names):
        raise Stop(Decline("several outputs of which not each has a name of its own"))
    if not is_none(bound.get("weighted_metrics"), ctx):
        raise Stop(Decline("weighted metrics of a model with several outputs"))
    bound = {key: written(node, ctx) for key, node in bound.items()}
    losses = _losses(bound["loss"], names, ctx)
    weights = _weights(bound.get("loss_weights"), bound["loss"], names, ctx)
    metrics = _metrics(bound.get("metrics"), names, ctx)
    made, by_batch = [], ctx.keras == 3 and not _runs_eagerly(bound.get("run_eagerly"), ctx)
    for index, head in enumerate(traits.heads):
        own = replace(traits, output=head.output)
        loss = loss_code(losses[index], own, ctx)
        code = HeadCode(head.name, head.output, loss, weights[index], by_batch)
        found = tuple(_metric(node, code, own, ctx) for node in metrics.get(head.name, ()))
        made.append(replace(code, metrics=found))
    return tuple(made)


def _runs_eagerly(node: cst.BaseExpression | None, ctx: Context) -> bool:
    """Whether Keras knows how many rows a batch has: only then does it weigh the losses by them."""
    known = constant(node, ctx) if node is not None else Literal(False)
    if known is None:
        raise Stop(Decline("`run_eagerly` of a model with several outputs is not a constant"))
    return bool(known.value)


def heads_metrics(heads: tuple[HeadCode, ...], keras: int) -> tuple[MetricCode, ...]:
    """The metrics of all outputs in the order in which `evaluate` lists them: Keras 3 sorts them by name."""
    found = [metric for head in heads for metric in head.metrics]
    return tuple(sorted(found, key=lambda metric: metric.name) if keras == 3 else found)


def _losses(node: cst.BaseExpression, names: list[str], ctx: Context) -> list[cst.BaseExpression]:
    if isinstance(node, cst.Dict):
        return list(_by_name(node, names, ctx, "losses").values())
    if isinstance(node, cst.List | cst.Tuple):
        found = [element.value for element in node.elements]
        if len(found) != len(names):
            raise Stop(Decline("not as many losses as the model has outputs"))
    elif isinstance(ctx.value(node), Sequence):
        raise Stop(Decline("losses that are not listed where the model is compiled"))
    else:
        found = [node] * len(names)
    if any(is_none(loss, ctx) for loss in found):
        raise Stop(Decline("an output without a loss"))
    return found


def _by_name(node: cst.Dict, names: list[str], ctx: Context, what: str) -> dict[str, cst.BaseExpression]:
    """A dict's values in the order of the outputs, each of which it has."""
    pairs = _pairs(node, ctx)
    if pairs is None or set(pairs) != set(names) or any(is_none(value, ctx) for value in pairs.values()):
        raise Stop(Decline(f"{what} by names that are not those of the model's outputs"))
    return {name: pairs[name] for name in names}


def _pairs(node: cst.Dict, ctx: Context) -> dict[str, cst.BaseExpression] | None:
    found: dict[str, cst.BaseExpression] = {}
    for element in node.elements:
        key = constant(element.key, ctx) if isinstance(element, cst.DictElement) else None
        if key is None or not isinstance(key.value, str) or key.value in found:
            return None
        found[key.value] = element.value
    return found


def _weights(node: cst.BaseExpression | None, loss: cst.BaseExpression, names: list[str], ctx: Context) -> list[str]:
    if node is None or is_none(node, ctx):
        return [""] * len(names)
    if isinstance(node, cst.Dict) and isinstance(loss, cst.Dict):
        values = list(_by_name(node, names, ctx, "weights of losses").values())
    elif isinstance(node, cst.List | cst.Tuple) and isinstance(loss, cst.List | cst.Tuple | cst.Dict):
        values = [element.value for element in node.elements]
    else:
        raise Stop(Decline("weights of losses in another form than the losses"))
    if len(values) != len(names):
        raise Stop(Decline("not as many weights of losses as the model has outputs"))
    return [_weight(value, ctx) for value in values]


def _weight(node: cst.BaseExpression, ctx: Context) -> str:
    known = constant(node, ctx)
    if known is None or isinstance(known.value, bool) or not isinstance(known.value, int | float):
        raise Stop(Decline("a weight of a loss that is not a constant"))
    return "" if known.value == 1 else repr(known.value)


def _metrics(node: cst.BaseExpression | None, names: list[str], ctx: Context) -> dict[str, list[cst.BaseExpression]]:
    if node is None or is_none(node, ctx):
        return {}
    if isinstance(node, cst.Dict):
        pairs = _pairs(node, ctx)
        if pairs is None or not set(pairs) <= set(names):
            raise Stop(Decline("metrics by names that are not those of the model's outputs"))
        return {name: metric_nodes(value, ctx) for name, value in pairs.items()}
    listed = metric_nodes(node, ctx)
    nested = any(isinstance(each, cst.List | cst.Tuple) for each in listed)
    if ctx.keras != 3 and not nested:
        return dict.fromkeys(names, listed)  # Keras 2 measures all of them for each output
    if len(listed) != len(names):
        raise Stop(Decline("not as many metrics as the model has outputs"))
    return {name: metric_nodes(each, ctx) for name, each in zip(names, listed, strict=True)}


def _metric(node: cst.BaseExpression, head: HeadCode, traits: Traits, ctx: Context) -> MetricCode:
    code = metric_code(node, head.loss, traits, ctx)
    if code.gathered or code.by_batch or code.kept:
        raise Stop(Decline(f"the metric `{code.name}` of a model with several outputs"))
    seen = head.pred if code.on_logits or not head.output.activation else f"{head.variable}_pred"
    total = code.total.replace("{p}", seen).replace("{y}", head.target)
    return replace(code, name=f"{head.name}_{code.name}", total=total, rows="")
