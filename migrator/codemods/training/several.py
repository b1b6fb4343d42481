"""Several inputs and outputs in the shared functions: how batches hold them, and the lines that take them apart."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context, Entry
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.heads import HeadCode
from migrator.codemods.training.traits import Traits
from migrator.model import LossCode, MetricCode
from migrator.values import IMAGE_BATCHES, Dataset, Dict, Instance, RepoInstance, Unknown, Value
from migrator.values import Sequence as Several

STACK = "from torch.utils.data import DataLoader, StackDataset, TensorDataset"
_TAKEN = frozenset({"x", "y", "weight", "batch_size", "shuffle", "torch", "model", "device", "part", "parts", "loader"})
_CASTS = {"ids": ".long()", "column": ".float().reshape(-1, 1)"}


@dataclass(frozen=True)
class Forms:
    """How batches hold several inputs (`x`) and targets (`y`): in a "list", a "dict", or "" when it is not known."""

    x: str = "list"
    y: str = "list"


def is_several(config: Configuration) -> bool:
    return bool(config.traits.entries or config.heads)


def variables(entries: Sequence[Entry]) -> list[str]:
    """A variable for each input: by its name in Keras where all have one that will do."""
    names = [entry.name for entry in entries]
    fit = all(name.isidentifier() and not keyword.iskeyword(name) and name not in _TAKEN for name in names)
    return names if fit and len(set(names)) == len(names) else [f"x{i + 1}" for i in range(len(names))]


# --- batches --------------------------------------------------------------------------------------------


def batch_lines(config: Configuration, streamed: bool, forms: Forms, weighted: bool) -> list[str]:
    """The lines that bring a batch to the device; what was made elsewhere gets its types here."""
    before, x = _inputs(config, streamed, forms)
    weight = [("weight", "weight.to(device)")] if weighted else []
    if config.heads:
        return [*before, *_assigned([("x", x), *weight]), *_targets(config.heads, streamed, forms)]
    y = "y.to(device)" + (_cast(config.loss, config.traits.counts) if streamed else "")
    return [*before, *_assigned([("x", x), ("y", y), *weight])]


def _assigned(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{', '.join(name for name, _ in pairs)} = {', '.join(text for _, text in pairs)}"]


def _cast(loss: LossCode, steps: bool = False) -> str:
    """`steps`: they become rows later."""
    return ".float()" if steps and loss.target == "column" else _CASTS.get(loss.target, ".float()")


def _inputs(config: Configuration, streamed: bool, forms: Forms) -> tuple[list[str], str]:
    """(lines before, the inputs on the device)."""
    entries = config.traits.entries
    if not entries:
        return [], "x.to(device)" + (".float()" if streamed and config.traits.inputs == "float" else "")
    casts = [".float()" if streamed and entry.kind == "float" else "" for entry in entries]
    names = [entry.name for entry in entries]
    if len(set(casts)) == 1:
        each = ("part", "x") if forms.x == "list" else ("x[name]", _tuple(names))
        return [], f"[{each[0]}.to(device){casts[0]} for {'part' if forms.x == 'list' else 'name'} in {each[1]}]"
    taken = variables(entries) if forms.x == "list" else [f'x["{name}"]' for name in names]
    before = [f"{', '.join(taken)} = x"] if forms.x == "list" else []
    return before, f"[{', '.join(f'{name}.to(device){cast}' for name, cast in zip(taken, casts, strict=True))}]"


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(repr(name).replace(chr(39), chr(34)) for name in names)})"


def _targets(heads: Sequence[HeadCode], streamed: bool, forms: Forms) -> list[str]:
    casts = [_cast(head.loss) if streamed else "" for head in heads]
    names = ", ".join(head.target for head in heads)
    if forms.y == "list" and len(set(casts)) == 1:
        return [f"{names} = (part.to(device){casts[0]} for part in y)"]
    taken = [head.target if forms.y == "list" else f'y["{head.name}"]' for head in heads]
    done = ", ".join(f"{name}.to(device){cast}" for name, cast in zip(taken, casts, strict=True))
    return [*([f"{names} = y"] if forms.y == "list" else []), f"{names} = {done}"]


# --- the pass over the data -------------------------------------------------------------------------------


def forward_lines(config: Configuration) -> list[str]:
    """The outputs, each loss, and their weighted sum."""
    heads, logits = config.heads, uses_logits(config)
    names = [f"{h.variable}_logits" if logits and h.output.activation else h.pred for h in heads]
    early = [head for head in heads if logits and head.output.activation and not head.loss.on_logits]
    total = " + ".join(
        f"{head.weight} * {head.variable}_loss" if head.weight else f"{head.variable}_loss" for head in heads
    )
    return [
        f"{', '.join(names)} = model{'.logits' if logits else ''}(x)",
        *(_activated(head) for head in early),
        *(f"{head.variable}_loss = {_filled(head.loss.mean, head)}" for head in heads),
        f"loss = {total}{penalties(config)}",
    ]


def uses_logits(config: Configuration) -> bool:
    return any(head.loss.on_logits and head.output.activation for head in config.heads)


def penalties(config: Configuration) -> str:
    """What the layers add to the loss."""
    text = " + model.regularization_loss()" if config.traits.penalty else ""
    return text + (" + added_losses(model)" if config.traits.adds else "")


def _activated(head: HeadCode) -> str:
    name = head.variable
    sigmoid = head.output.activation == "sigmoid"
    return f"{name}_pred = " + (f"torch.sigmoid({name}_logits)" if sigmoid else f"F.softmax({name}_logits, dim=-1)")


def _filled(template: str, head: HeadCode) -> str:
    return template.replace("{p}", head.pred).replace("{y}", head.target)


def tally_lines(config: Configuration) -> list[str]:
    """The sums of the losses and metrics over rows."""
    lines = [f"rows = len({config.heads[0].target})", 'totals["loss"] += loss.item() * rows']
    by_batch = any(head.by_batch for head in config.heads)
    lines += ["# Keras counts batches alike in the losses of the outputs, whatever their size"] if by_batch else []
    lines += [f'totals["{h.name}_loss"] += {h.variable}_loss.item()' + " * rows" * (not by_batch) for h in config.heads]
    late = [h for h in config.heads if h.output.activation and h.loss.on_logits]
    lines += [_activated(h) for h in late if any(f"{h.variable}_pred" in metric.total for metric in h.metrics)]
    lines += [f'totals["{metric.name}"] += {metric.total}.item()' for metric in config.metrics]
    return [*lines, "count += rows"]


def figures_of(config: Configuration) -> tuple[MetricCode, ...]:
    """All that is measured beside the loss, in the order of `evaluate`."""
    return (*(MetricCode(f"{h.name}_loss", "", by_batch=h.by_batch) for h in config.heads), *config.metrics)


# --- batches that were made elsewhere -----------------------------------------------------------------------


def forms_of(values: Sequence[Value], traits: Traits) -> Forms:
    """How batches that were made elsewhere hold the inputs and targets of a model; alike in all of them."""
    pairs = [_pair(value) for value in values]
    x = {_form(pair[0], [entry.name for entry in traits.entries]) for pair in pairs}
    y = {_form(pair[1], [head.name for head in traits.heads]) for pair in pairs}
    return Forms(x.pop() if len(x) == 1 else "" if x else "list", y.pop() if len(y) == 1 else "" if y else "list")


def _pair(value: Value) -> tuple[Value | None, Value | None]:
    made = isinstance(value, Dataset) or (isinstance(value, Several) and value.items is None)
    element = value.element if made and isinstance(value, Dataset | Several) else value
    parts = element.items if isinstance(element, Several) else None
    return (parts[0], parts[1]) if parts is not None and len(parts) > 1 else (None, None)


def _form(value: Value | None, names: Sequence[str]) -> str:
    if isinstance(value, Several) and value.items is not None and len(value.items) == len(names):
        return "list"
    known = isinstance(value, Dict) and value.items is not None and {key for key, _ in value.items} == set(names)
    return "dict" if known else ""


def batches_value(node: cst.BaseExpression, ctx: Context) -> Value:
    """What is known of batches: a dataset, a generator, or what a sequence of the repository gives for an index."""
    value = ctx.value(node)
    if isinstance(value, RepoInstance):
        facts = ctx.facts.function(f"{value.qualname}.__getitem__")
        return Several("list", None, facts.returns) if facts is not None else value
    if isinstance(value, Instance) and value.api == IMAGE_BATCHES:
        return Several("list", None, value.arg("element") or Unknown())
    return value
