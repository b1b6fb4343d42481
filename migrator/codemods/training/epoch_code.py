"""The plain functions that training code shares: one pass over the data, batches, predictions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import indent

from migrator.codemods.context import Entry
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.objectives import CHOSEN
from migrator.codemods.training.several import (
    STACK,
    Forms,
    batch_lines,
    figures_of,
    forward_lines,
    is_several,
    penalties,
    tally_lines,
    variables,
)
from migrator.codemods.training.traits import Traits
from migrator.model import Helper, LossCode, MetricCode

TORCH = "import torch"
FUNCTIONAL = "import torch.nn.functional as F"
LOADERS = "from torch.utils.data import DataLoader, TensorDataset"


def run_epoch(
    name: str,
    config: Configuration,
    *,
    weighted: bool,
    streamed: bool,
    keeps_frozen: bool = False,
    hooks: frozenset[str] = frozenset(),
    forms: Forms | None = None,
) -> Helper:
    """`run_epoch(model, loader, optimizer=None)`: the figures of one pass, training when it may.

    `weighted`: batches have a third element, the weight of each row. `streamed`: batches may come
    from elsewhere than `make_loader`, so that their types are adapted here. `hooks`: at the "begin" and
    the "end" of batches functions are called, and whether one of them "stops" the training. `forms`: of
    several inputs and outputs.
    """
    scheduled = config.optimizer.schedule is not None
    measured = figures_of(config)
    figures = ["loss", *(metric.name for metric in measured if not metric.gathered and not metric.kept)]
    totals = ", ".join(f'"{figure}": 0.0' for figure in figures)
    body = [
        "training = optimizer is not None",
        "model.train(training)",
        *(["keep_frozen(model)"] if keeps_frozen else []),
        f"totals, count = {{{totals}}}, 0",
        *(["weights = 0.0"] if weighted and _weighs(config) else []),
        *(["batches = 0"] if any(metric.by_batch for metric in figures_of(config)) else []),
        *(["preds, targets = [], []"] if _gathers(config) else []),
        *(f"{_variable(metric)} = {metric.made or '[]'}" for metric in config.metrics if metric.kept),
        *(["steps = 0"] if _counts(config) else []),
        "with torch.set_grad_enabled(training):",
        indent("\n".join(_loop(config, weighted, streamed, hooks, forms or Forms())), "    "),
        _result(measured, weighted, _counts(config)),
    ]
    pairs = "(x, y, weight)" if weighted else "(x, y)"
    given = ["loader", *([CHOSEN] if config.loss.chosen else [])]
    extra_args = ["scheduler=None"] if scheduled else []
    extra_args += [f"on_batch_{kind}=()" for kind in ("begin", "end") if kind in hooks]
    head = f"def {name}({', '.join(('model', *given, 'optimizer=None', *extra_args))}):\n"
    doc = f'    """One pass over {pairs} batches; trains when an optimizer is given."""\n'
    losses = [head.loss for head in config.heads] or [config.loss]
    imports = (
        TORCH,
        *(i for loss in losses for i in loss.imports),
        *(i for metric in config.metrics for i in metric.imports),
    )
    extra = (FUNCTIONAL,) if any("F." in line for line in body) else ()
    source = head + doc + indent("\n".join(body), "    ") + "\n"
    return Helper(name, _apart(source), (*imports, *extra))


_CALLED = re.compile(r"(?<![\w.\"])loss\(")
_VARIABLE = re.compile(r"(?<![\w.\"])loss(?![\w(\"])")


def _apart(source: str) -> str:
    """The function with another name for the loss of a batch, where `loss` is a function that it calls."""
    return _VARIABLE.sub("batch_loss", source) if _CALLED.search(source) else source


def _loop(config: Configuration, weighted: bool, streamed: bool, hooks: frozenset[str], forms: Forms) -> list[str]:
    names = "x, y, weight" if weighted else "x, y"
    return [
        f"for batch, ({names}) in enumerate(loader):" if hooks else f"for {names} in loader:",
        *(["    for hook in on_batch_begin:", "        hook(batch, {})"] if "begin" in hooks else []),
        *("    " + line for line in batch_lines(config, streamed, forms, weighted)),
        *("    " + line for line in _forward(config, weighted)),
        "    if training:",
        *("        " + line for line in step_lines(config)),
        *("    " + line for line in _tally(config, weighted)),
        *(["    weights += weight.sum().item()"] if weighted and _weighs(config) else []),
        *(["    steps += len(y)"] if _counts(config) else []),
        *(["    batches += 1"] if any(metric.by_batch for metric in figures_of(config)) else []),
        *("    " + line for line in _after_batch(hooks)),
    ]


def _after_batch(hooks: frozenset[str]) -> list[str]:
    """Functions see the figures of the epoch so far, as Keras's callbacks do."""
    figures = "{name: total / count for name, total in totals.items()}"
    lines = ["for hook in on_batch_end:", f"    hook(batch, {figures})"] if "end" in hooks else []
    return lines + (["if training and model.stop_training:", "    break"] if "stops" in hooks else [])


def forward_name(config: Configuration) -> str:
    return "logits" if config.loss.on_logits else "pred"


def _forward(config: Configuration, weighted: bool) -> list[str]:
    if config.heads:
        return forward_lines(config)
    p = forward_name(config)
    method = "model.logits(x)" if config.loss.on_logits and config.traits.output.activation else "model(x)"
    if config.traits.counts:
        lines = ["mask = model.mask(x)", f"{p}, y = {method}[mask], y[mask]"]
    else:
        lines = [f"{p} = {method}", *([f"y = y.reshape({p}.shape)"] if _may_lack_axis(config) else [])]
    if weighted:
        lines.append("# the weighted sum is divided by the size of the batch, not by the sum of the weights")
    lines.append(f"loss = {loss_text(config, weighted)}")
    return lines


def _may_lack_axis(config: Configuration) -> bool:
    """Whether targets may come without the last axis of an output of width one: Keras lines both up."""
    output = config.traits.output
    elementwise = config.loss.target == "output" and "aligned(" not in config.loss.mean
    return elementwise and output.width == 1 and output.rank is None


def loss_text(config: Configuration, weighted: bool) -> str:
    p = forward_name(config)
    text = fill(config.loss.mean, p)
    if weighted:
        text = f"({fill(config.loss.rows or '', p)} * weight).mean()"
    return text + penalties(config)


def step_lines(config: Configuration, params: str = "model.parameters()") -> list[str]:
    clip = [line.replace("{params}", params) for line in config.optimizer.clip]
    lines = ["optimizer.zero_grad()", "loss.backward()", *clip, "optimizer.step()"]
    return lines + (["scheduler.step()"] if config.optimizer.schedule is not None else [])


def _counts(config: Configuration) -> bool:
    """Whether metrics are means over the steps that a mask leaves."""
    return config.traits.counts and bool(config.metrics)


def _weighs(config: Configuration) -> bool:
    return any(metric.weighted for metric in config.metrics)


def _tally(config: Configuration, weighted: bool) -> list[str]:
    if config.heads:
        return tally_lines(config)
    rows = ("len(mask)" if config.traits.counts else "len(y)") if config.traits.entries else "len(x)"
    p = forward_name(config)
    activation = config.traits.output.activation
    lines = []
    if p == "logits" and activation and not all(metric.on_logits for metric in config.metrics):
        lines.append("pred = torch.sigmoid(logits)" if activation == "sigmoid" else "pred = F.softmax(logits, dim=-1)")
    lines.append(f'totals["loss"] += loss.item() * {rows}')
    if _gathers(config):
        seen = "pred" if activation else p
        lines += [f"preds.append({seen}.detach().cpu())", "targets.append(y.cpu())"]
    for metric in config.metrics:
        if metric.gathered:
            continue
        if metric.kept:
            lines.append(_keep(metric, "pred" if activation else p))
            continue
        seen = p if metric.on_logits or not activation else "pred"
        total = f"({metric.rows} * weight).sum()" if weighted and metric.weighted else metric.total
        lines.append(f'totals["{metric.name}"] += {fill(total, seen)}.item()')
    return [*lines, f"count += {rows}"]


def _variable(metric: MetricCode) -> str:
    """The object of a metric in the pass over the data."""
    return re.sub(r"\W", "_", metric.name) + ("_metric" if metric.made else "_values")


def _keep(metric: MetricCode, p: str) -> str:
    """What a metric keeps of a batch."""
    if metric.made:
        return f"{_variable(metric)}.update_state(y, {p}.detach())"
    return f"{_variable(metric)}.append({fill(metric.total, p)}.detach())"


def _gathers(config: Configuration) -> bool:
    return any(metric.gathered for metric in config.metrics)


def _result(metrics: Sequence[MetricCode], weighted: bool, counts_steps: bool = False) -> str:
    plain = "{name: total / count for name, total in totals.items()}"
    counts = {m.name: "weights" for m in metrics if weighted and m.weighted}
    counts |= {m.name: "batches" for m in metrics if m.by_batch}
    counts |= {m.name: "steps" for m in metrics if counts_steps}
    special = [m for m in metrics if m.result != "{mean}" or m.gathered or m.kept or m.name in counts]
    if not special:
        return f"return {plain}"
    lines = [f"logs = {plain}"]
    if any(metric.gathered for metric in special):
        lines.append("p, y = torch.cat(preds), torch.cat(targets)")
    for metric in special:
        if metric.gathered:
            lines.append(f'logs["{metric.name}"] = {fill(metric.gathered, "p")}')
            continue
        if metric.kept:
            kept = _variable(metric)
            figure = f"float({kept}.result())" if metric.made else f"torch.cat({kept}).mean().item()"
            lines.append(f'logs["{metric.name}"] = {figure}')
            continue
        if metric.name in counts:
            lines.append(f'logs["{metric.name}"] = totals["{metric.name}"] / {counts[metric.name]}')
            continue
        lines.append(
            f'logs["{metric.name}"] = ' + _unwrapped(metric.result).replace("{mean}", f'logs["{metric.name}"]')
        )
    order = ["loss", *(metric.name for metric in metrics)]
    late = [x.name for x in metrics if x.gathered or x.kept]
    written = ["loss", *(x.name for x in metrics if x.name not in late), *late]
    if order == written:
        return "\n".join([*lines, "return logs"])
    names = ", ".join(f'"{name}"' for name in order)
    return "\n".join([*lines, f"return {{name: logs[name] for name in ({names})}}"])


def _unwrapped(result: str) -> str:
    return result.replace("({mean})", "{mean}")


def fill(template: str, p: str, y: str = "y") -> str:
    return template.replace("{p}", p).replace("{y}", y)


def input_text(kind: str | None, x: str, exact: bool = False) -> tuple[str, tuple[Helper, ...]]:
    """`x` as a tensor of the type that the model takes; Keras casts floats to float32."""
    if exact:
        return f"torch.as_tensor({x})", ()
    if kind == "float":
        return f"torch.as_tensor({x}, dtype=torch.float32)", ()
    if kind == "ids":
        return f"torch.as_tensor({x}).long()", ()
    return f"as_tensor({x})", (AS_TENSOR,)


AS_TENSOR = Helper(
    "as_tensor",
    '''def as_tensor(x):
    """A tensor of `x`; float64 becomes float32, the type of the model."""
    x = torch.as_tensor(x)
    return x.float() if x.dtype == torch.float64 else x
''',
    (TORCH,),
)


def target_text(loss: LossCode, rank: int | None, y: str = "y") -> str:
    if loss.target == "ids":
        return f"torch.as_tensor({y}).long()" + (".flatten()" if rank == 2 else "")
    text = f"torch.as_tensor({y}, dtype=torch.float32)"
    return text + (".reshape(-1, 1)" if loss.target == "column" and rank == 2 else "")


def make_loader(name: str, config: Configuration, weighted: bool) -> tuple[Helper, ...]:
    """`make_loader(x, y, batch_size=32, shuffle=False)`: batches of arrays as tensors."""
    x, helpers = _input_lines(config)
    y = _target_lines(config)
    lines = [*x, *y]
    if weighted:
        lines.append("weight = torch.ones(len(x)) if weight is None else torch.as_tensor(weight, dtype=torch.float32)")
    tensors = "x, y, weight" if weighted else "x, y"
    kind = "StackDataset" if is_several(config) else "TensorDataset"
    lines.append(f"return DataLoader({kind}({tensors}), batch_size=batch_size, shuffle=shuffle)")
    head = f"def {name}(x, y, {'weight=None, ' if weighted else ''}batch_size=32, shuffle=False):\n"
    source = head + f'    """{_loader_doc(config)}"""\n' + indent("\n".join(lines), "    ")
    return (*helpers, Helper(name, source + "\n", (TORCH, STACK if is_several(config) else LOADERS)))


def _loader_doc(config: Configuration) -> str:
    x = "the arrays in `x`" if config.traits.entries else "`x`"
    y = "`y`" if not config.heads or config.traits.entries else "the arrays in `y`"
    return f"Batches of the rows of {x} and {y}, on the CPU."


def _input_lines(config: Configuration) -> tuple[list[str], tuple[Helper, ...]]:
    entries = config.traits.entries
    if not entries:
        text, helpers = input_text(config.traits.inputs, "x")
        return [f"x = {text}"], helpers
    parts, before, helpers = inputs_text(entries)
    return [*before, f"x = TensorDataset({parts})"], helpers


def inputs_text(entries: Sequence[Entry]) -> tuple[str, list[str], tuple[Helper, ...]]:
    """(the inputs in `x` as tensors, behind each other; lines before; helpers)."""
    kinds = {entry.kind for entry in entries}
    if len(kinds) == 1:
        text, helpers = input_text(kinds.pop(), "part")
        return f"*({text} for part in x)", [], helpers
    names = variables(entries)
    made = [input_text(entry.kind, name) for entry, name in zip(entries, names, strict=True)]
    helpers = tuple(dict.fromkeys(helper for _, each in made for helper in each))
    return ", ".join(text for text, _ in made), [f"{', '.join(names)} = x"], helpers


def _target_lines(config: Configuration) -> list[str]:
    if not config.heads:
        return [f"y = {target_text(config.loss, config.traits.output.rank)}"]
    made = [target_text(head.loss, head.output.rank, "part") for head in config.heads]
    if len(set(made)) == 1:
        return [f"y = TensorDataset(*({made[0]} for part in y))"]
    names = [head.target for head in config.heads]
    made = [target_text(h.loss, h.output.rank, h.target) for h in config.heads]
    return [f"{', '.join(names)} = y", f"y = TensorDataset({', '.join(made)})"]


def predict(name: str, kind: str | None) -> tuple[Helper, ...]:
    """`predict(model, x, batch_size=32)`: outputs as a NumPy array."""
    x, helpers = input_text(kind, "x")
    source = f'''@torch.inference_mode()
def {name}(model, x, batch_size=32):
    """The model's outputs for all rows of `x`, as a NumPy array."""
    model.eval()
    batches = {x}.split(batch_size)
    return torch.cat([model(batch.to(device)) for batch in batches]).cpu().numpy()
'''
    return (*helpers, Helper(name, source, (TORCH,)))


def predict_several(name: str, traits: Traits) -> tuple[Helper, ...]:
    """`predict(model, x, batch_size=32)` of a model with several inputs or outputs."""
    if traits.entries:
        parts, before, helpers = inputs_text(traits.entries)
        before = [*before, f"batches = DataLoader(TensorDataset({parts}), batch_size=batch_size)"]
        call = "model([part.to(device) for part in batch])"
    else:
        text, helpers = input_text(traits.inputs, "x")
        before, call = [f"batches = {text}.split(batch_size)"], "model(batch.to(device))"
    if traits.heads:
        body = [
            f"outputs = zip(*({call} for batch in batches), strict=True)",
            "return [torch.cat(output).cpu().numpy() for output in outputs]",
        ]
    else:
        body = [f"return torch.cat([{call} for batch in batches]).cpu().numpy()"]
    rows = "the arrays in `x`" if traits.entries else "`x`"
    doc = f"The model's outputs for all rows of {rows}, as {'NumPy arrays' if traits.heads else 'a NumPy array'}."
    lines = [f'"""{doc}"""', "model.eval()", *before, *body]
    source = (
        f"@torch.inference_mode()\ndef {name}(model, x, batch_size=32):\n" + indent("\n".join(lines), "    ") + "\n"
    )
    return (*helpers, Helper(name, source, (TORCH, *((LOADERS,) if traits.entries else ()))))


def predict_batches(name: str, kind: str | None, several: bool) -> tuple[Helper, ...]:
    """`predict_batches(model, loader)`: outputs for batches of inputs, which other parts may follow."""
    x = "x.to(device)" + (".float()" if kind == "float" else "")
    source = f'''@torch.inference_mode()
def {name}(model, loader):
    """The model's outputs for all batches, as a NumPy array."""
    model.eval()
    return torch.cat([model({x}) for {"x, *_" if several else "x"} in loader]).cpu().numpy()
'''
    return (Helper(name, source, (TORCH,)),)
