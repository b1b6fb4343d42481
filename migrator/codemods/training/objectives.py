"""Losses and metrics that a `compile` call names, in torch."""

from __future__ import annotations

import re
from collections.abc import Sequence as Seq
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_classes import LOSS, base_of
from migrator.codemods.training.calls import is_none
from migrator.codemods.training.made import Made, made_of
from migrator.codemods.training.scope import bound_at_top, names_in
from migrator.codemods.training.streamed_metrics import streamed
from migrator.codemods.training.traits import Traits
from migrator.model import Decline, Helper, LossCode, MetricCode
from migrator.values import Choice, Literal, RepoFunction, Sequence, Tensor, Value

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


BY_ROW = Helper(
    "by_row",
    '''def by_row(values):
    """A value for each row of a batch, the mean of the row's; a number is the only value of its batch."""
    return values.flatten(1).mean(dim=1) if values.dim() > 1 else values.flatten()
''',
)


CHOSEN = "loss_fn"
"""The parameter of the pass over the data that is a loss which only the run tells."""


class Stop(Exception):
    """Carries a decline out of a nested step; becomes a decline of the call."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(decline.reason)
        self.decline = decline


def only_globals(text: str, ctx: Context) -> None:
    """Raises for code of the shared function that needs a variable of the function that compiles."""
    known = {*bound_at_top(ctx.tree), "signed_labels", "log_probabilities", CHOSEN}
    if "{p}" in text and text.split("(")[0] not in known and not text.startswith(("F.", "(", "-", "{")):
        raise Stop(Decline(f"`{text.split('(')[0]}` is not a function of the file"))
    limit = re.search(r"(?:max_norm|clip_value)=([\w.]+)\)", text)
    if limit and not re.fullmatch(r"[\d.e+-]+", limit.group(1)) and limit.group(1) not in known:
        raise Stop(Decline(f"clipping to `{limit.group(1)}`, which is not a constant of the file"))


def loss_code(node: cst.BaseExpression, traits: Traits, ctx: Context) -> LossCode:
    assert ctx.objects is not None
    value = ctx.value(node)
    if isinstance(value, RepoFunction) and isinstance(node, cst.Name) and node.value in bound_at_top(ctx.tree):
        return _own_loss(node.value, traits)
    if isinstance(node, cst.Call) and _makes_function(node, ctx):
        return _own_loss(ctx.code(node).strip(), traits)
    if isinstance(node, cst.Call | cst.Name) and is_chosen(value, ctx):
        return replace(_own_loss(CHOSEN, traits), chosen=ctx.code(node).strip())
    if base_of(value, ctx) == LOSS:
        return _own_class(node, traits, ctx)
    made = made_or_stop(node, ctx)
    if made.values.get("reduction") == Literal("none"):
        raise Stop(Decline("a loss without a reduction", made.name))
    code = ctx.objects.loss(made.name, made.texts, made.values, traits.output)
    if isinstance(code, Decline):
        raise Stop(code)
    return code


def _makes_function(call: cst.Call, ctx: Context) -> bool:
    """Whether a call is of a function of the file that returns one it defines, and is given constants of the file."""
    if not isinstance(call.func, cst.Name) or not names_in(call) <= {*bound_at_top(ctx.tree), "True", "False", "None"}:
        return False
    makers = [s for s in ctx.tree.body if isinstance(s, cst.FunctionDef) and s.name.value == call.func.value]
    body = list(makers[0].body.body) if len(makers) == 1 else []
    inner = [s.name.value for s in body if isinstance(s, cst.FunctionDef)]
    returns = [m.SimpleStatementLine(body=[m.Return(value=m.Name(name))]) for name in inner]
    return bool(body) and any(m.matches(body[-1], each) for each in returns)


def is_chosen(value: Value, ctx: Context) -> bool:
    """Whether a value is a plain function of the repository, or one of several."""
    options = value.options if isinstance(value, Choice) else (value,)
    known = [ctx.facts.function(f.qualname) for f in options if isinstance(f, RepoFunction)]
    return len(known) == len(options) and all(facts is None or facts.role == "plain" for facts in known)


def _own_loss(name: str, traits: Traits) -> LossCode:
    """A loss function of the repository: Keras gives it float targets and takes the mean."""
    output = traits.output
    if output.width is None or output.rank is None:
        return LossCode(name, f"{name}(*aligned({{y}}, {{p}})).mean()", None, "output", helpers=(ALIGNED,))
    target = "column" if output.width == 1 and output.rank == 2 else "output"
    return LossCode(name, f"{name}({{y}}, {{p}}).mean()", None, target)


def _own_class(node: cst.BaseExpression, traits: Traits, ctx: Context) -> LossCode:
    """An object of a loss class of the repository, or a call that makes one of constants."""
    if not names_in(node) <= {*bound_at_top(ctx.tree), "True", "False", "None"}:
        raise Stop(Decline("a loss object that is no constant of the file"))
    name = ctx.code(node).strip()
    if traits.output.width is None and traits.output.rank not in (None, 2):
        return LossCode(name, f"{name}({{y}}, {{p}})", None, "float")  # Keras gives it the targets as they are
    if traits.output.width is None or traits.output.rank is None:
        raise Stop(Decline("the shape of what a loss of its own class compares is not known"))
    code = _own_loss(name, traits)
    return replace(code, mean=code.mean.removesuffix(".mean()"))


def metric_nodes(node: cst.BaseExpression | None, ctx: Context) -> list[cst.BaseExpression]:
    if node is None or is_none(node, ctx):
        return []
    if isinstance(node, cst.List | cst.Tuple):
        return [element.value for element in node.elements]
    value = ctx.value(node)
    if isinstance(value, Sequence):
        found = _assigned_list(node, ctx)
        if found is not None:
            return found
        raise Stop(Decline("metrics that are not listed where the model is compiled"))
    return [node]


def _assigned_list(node: cst.BaseExpression, ctx: Context) -> list[cst.BaseExpression] | None:
    """The elements of the one list that a name is bound to in the file."""
    made = written(node, ctx)
    return [element.value for element in made.elements] if isinstance(made, cst.List | cst.Tuple) else None


def written(node: cst.BaseExpression, ctx: Context) -> cst.BaseExpression:
    """The list or dict that a name stands for, where the file binds it once and puts nothing into it."""
    if not isinstance(node, cst.Name):
        return node
    name = m.Name(node.value)
    bound = [part.value for part in _assignments(ctx.tree) if any(m.matches(t.target, name) for t in part.targets)]
    changed = find(ctx.tree, m.Subscript(value=name) | m.Attribute(value=name) | m.AugAssign(target=name))
    params = find(ctx.tree, m.Param(name=name))
    alone = len(bound) == 1 and not changed and not params
    return bound[0] if alone and isinstance(bound[0], cst.List | cst.Tuple | cst.Dict) else node


def _assignments(tree: cst.Module) -> list[cst.Assign]:
    return [node for node in find(tree, m.Assign()) if isinstance(node, cst.Assign)]


def metric_code(node: cst.BaseExpression, loss: LossCode, traits: Traits, ctx: Context) -> MetricCode:
    assert ctx.objects is not None
    value = ctx.value(node)
    if isinstance(value, RepoFunction) and isinstance(node, cst.Name):
        facts = ctx.facts.function(value.qualname)
        return _own_metric_code(node.value, facts.returns if facts is not None else value, loss, traits)
    made = made_of(node, ctx)
    code: MetricCode | Decline
    if isinstance(made, Decline):
        code = made
    else:
        code = ctx.objects.metric(made.name, made.texts, made.values, traits.output, loss)
    if isinstance(code, Decline) and isinstance(node, cst.Call):
        code = streamed(node, ctx)
    if isinstance(code, Decline):
        raise Stop(code)
    return code


def weighted_code(node: cst.BaseExpression, loss: LossCode, traits: Traits, ctx: Context) -> MetricCode:
    """A metric that weighs rows as the loss does."""
    code = metric_code(node, loss, traits, ctx)
    if not code.rows or code.result != "{mean}":
        raise Stop(Decline(f"the metric `{code.name}` with weights"))
    return replace(code, weighted=True)


def counted_code(
    loss: cst.BaseExpression, metrics: Seq[cst.BaseExpression], traits: Traits, ctx: Context
) -> tuple[LossCode, tuple[MetricCode, ...]]:
    """The loss and the metrics over the steps that count, which are rows by then."""
    if traits.output.rank != 3:
        raise Stop(Decline("a loss over a mask of what is no sequence"))
    if any(isinstance(ctx.value(n), RepoFunction) or base_of(ctx.value(n), ctx) for n in (loss, *metrics)):
        raise Stop(Decline("a loss or metric of the repository over a masked sequence"))
    rows = replace(traits, output=replace(traits.output, rank=2))
    made = loss_code(loss, rows, ctx)
    measured = tuple(metric_code(node, made, rows, ctx) for node in metrics)
    for metric in measured:
        if metric.gathered or metric.kept or metric.by_batch or metric.result != "{mean}":
            raise Stop(Decline(f"the metric `{metric.name}` over a masked sequence"))
    return made, measured


def _own_metric_code(name: str, returns: Value, loss: LossCode, traits: Traits) -> MetricCode:
    """A metric function of the repository: one value a row, or one a batch, as Keras averages them.

    Of a final softmax or sigmoid it sees the probabilities, beside targets of their shape; ids of classes are left out.
    """
    rank = returns.rank if isinstance(returns, Tensor) else None
    ids = traits.output.activation and loss.target == "ids"
    if ids or traits.output.rank is None:
        raise Stop(Decline(f"whether `{name}` gives a value for each row is not known"))
    if rank is None:
        return MetricCode(name, f"by_row({name}({{y}}, {{p}}))", listed=True, helpers=(BY_ROW,))
    if rank == 0:
        return MetricCode(name, f"{name}({{y}}, {{p}})", by_batch=True)
    rows = f"{name}({{y}}, {{p}})" + ("" if rank == 1 else ".flatten(1).mean(dim=1)")
    return MetricCode(name, f"{rows}.sum()", rows=rows)


def made_or_stop(node: cst.BaseExpression, ctx: Context) -> Made:
    made = made_of(node, ctx)
    if isinstance(made, Decline):
        raise Stop(made)
    return made
