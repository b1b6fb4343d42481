"""`model.fit` and `model.evaluate` as loops that can be read."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.models.losses import ADDED_LOSSES
from migrator.codemods.training import epoch_code
from migrator.codemods.training.batch_hooks import objection
from migrator.codemods.training.batches import ends_of_epochs, is_images, stream, with_steps
from migrator.codemods.training.callback_code import CallbackCode, Loop
from migrator.codemods.training.callback_lists import listed
from migrator.codemods.training.callbacks import callbacks
from migrator.codemods.training.calls import constant
from migrator.codemods.training.chosen import chosen_args
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.fit_data import Validation, compiled_model, loader_text, training_data, validation_data
from migrator.codemods.training.freezing import HELPER as KEEP_FROZEN
from migrator.codemods.training.given import inputs, targets
from migrator.codemods.training.home import imports_from_home
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.plan import given_batches
from migrator.codemods.training.steps import run_batches, run_steps
from migrator.codemods.training.writer import Bound, Code, Unfit, Writer, configured
from migrator.values import Literal

_FIT_KNOWN = frozenset(
    {"x", "y", "batch_size", "epochs", "verbose", "validation_split", "validation_data", "shuffle"}
    | {"class_weight", "sample_weight", "initial_epoch", "validation_batch_size", "callbacks"}
    | {"steps_per_epoch", "validation_steps", "validation_freq"}
)
_EVALUATE_KNOWN = frozenset({"x", "y", "batch_size", "verbose", "return_dict", "steps", "sample_weight", "callbacks"})


def run_epoch_name(writer: Writer, compiled: Compiled) -> str:
    """The name of the pass over the data of a configuration; the function is put into the file."""
    config = configured(compiled)
    if compiled.weighted and config.loss.rows is None:
        raise Unfit("weights on a loss of which the values per row are not known")
    if compiled.streamed and (
        (config.traits.entries and not compiled.forms.x) or (config.heads and not compiled.forms.y)
    ):
        raise Unfit("how batches hold the inputs and targets of the model is not known")
    if compiled.weighted and _is_given_batches(compiled, writer):
        raise Unfit("weights beside batches that were made elsewhere")
    if config.traits.counts and (compiled.weighted or compiled.hooks):
        raise Unfit("weights or callbacks of batches over a masked sequence")
    if why := objection(config, compiled.hooks):
        raise Unfit(why)
    name = writer.plan.name("run_epoch", compiled)
    frozen = writer.plan.frozen
    helper = epoch_code.run_epoch(
        name,
        config,
        weighted=compiled.weighted,
        streamed=compiled.streamed,
        keeps_frozen=frozen,
        hooks=compiled.hooks,
        forms=compiled.forms,
    )
    writer.sink.help(
        (
            *((KEEP_FROZEN,) if frozen else ()),
            *((ADDED_LOSSES,) if config.traits.adds else ()),
            helper,
            *(h for loss in config.losses for h in loss.helpers),
            *(h for metric in config.metrics for h in metric.helpers),
        )
    )
    writer.sink.imports |= imports_from_home(helper.source, compiled, writer)
    writer.sink.needs_device = True
    return name


def _is_given_batches(compiled: Compiled, writer: Writer) -> bool:
    """Whether a call that uses the configuration is certainly given batches, which hold no weights."""
    return any(owner is compiled and given_batches(call, writer.ctx) for call, owner in writer.plan.of_call.items())


def fit(call: cst.Call, model: str, compiled: Compiled | None, writer: Writer, wish: str | None = None) -> Code:
    """A loop over the epochs that fills a dict of Keras's keys and figures.

    `wish`: the dict's name; "" when nothing reads it, None when a new name is to be found.
    """
    config = configured(compiled)
    assert compiled is not None
    bound = writer.bound(call, "fit", _FIT_KNOWN)
    lines, loader, rest = training_data(bound, compiled, writer)
    checks, val_loader = validation_data(bound, rest, compiled, writer)
    history = writer.names.fresh("history") if wish is None else wish
    epoch, logs = writer.names.again("epoch"), writer.names.again("logs")
    optimizer = compiled.optimizer_of(model)
    first = writer.text(bound["initial_epoch"]) if "initial_epoch" in bound else "0"
    epochs = writer.text(bound["epochs"]) if "epochs" in bound else "1"
    counted = f"len({loader})" if "y" in bound else ""
    counted = writer.text(bound["steps_per_epoch"]) if "steps_per_epoch" in bound else counted
    every = _frequency(bound.get("validation_freq"), writer)
    keys = _keys(config, None if every else val_loader)
    scheduler = compiled.scheduler_of(model) if config.optimizer.schedule is not None else ""
    loop = Loop(model, optimizer, epoch, logs, keys, first, epochs, counted, scheduler=scheduler)
    extra = callbacks(bound["callbacks"], loop, writer) if "callbacks" in bound else []
    begun = next((code.start for code in extra if code.start), "")
    if begun and config.steps:
        raise Unfit("a backup of a model that has its own steps")
    passes = _passes(model, optimizer, compiled, writer, extra, validates=val_loader is not None)
    body = [f"{logs} = {passes.train(loader)}", *_now_and_then(_validate(passes, val_loader, logs), epoch, every)]
    ends = ends_of_epochs(bound["x"], writer.text(bound["x"]), writer)
    body = [*_part(extra, "begin"), *body, *ends, *_part(extra, "end"), *_record(history, logs, writer)]
    body += [*_progress(bound.get("verbose"), epoch, epochs, logs, writer), *_part(extra, "last")]
    start = f"{begun or first}, " if begun or "initial_epoch" in bound else ""
    lines += [*checks, *_part(extra, "before"), *([f"{history} = {{}}"] if history else [])]
    if ends and writer.ctx.keras == 3 and not is_images(writer.ctx.value(bound["x"])):
        lines += [f"{line}  # Keras calls it before the first epoch as well" for line in ends]
    lines += [f"for {epoch} in range({start}{epochs}):", *("    " + line for line in body)]
    lines += [line.replace("{optimizer}", optimizer) for line in config.optimizer.finish]
    lines += _part(extra, "after")
    return Code("\n".join(lines), history or "None")


def _part(extra: list[CallbackCode], name: str) -> list[str]:
    lines = [line for callback in extra for line in getattr(callback, name)]
    return [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]


def _keys(config: Configuration, validation: Validation | None) -> frozenset[str]:
    """The figures that an epoch certainly has."""
    keys = set(config.figures)
    if validation is not None and not validation.optional:
        keys |= {f"val_{key}" for key in keys}
    return frozenset(keys)


def _record(history: str, logs: str, writer: Writer) -> list[str]:
    if not history:
        return []
    name, value = writer.names.again("name", "key"), writer.names.again("value", "figure")
    return [f"for {name}, {value} in {logs}.items():", f"    {history}.setdefault({name}, []).append({value})"]


@dataclass(frozen=True)
class _Passes:
    """How one pass over batches is called, with training and without."""

    name: str
    model: str
    training: str
    testing: str = ""

    def train(self, loader: str) -> str:
        return f"{self.name}({', '.join(filter(None, (self.model, loader, self.training)))})"

    def test(self, loader: str) -> str:
        return f"{self.name}({', '.join(filter(None, (self.model, loader, self.testing)))})"


def _passes(
    model: str, optimizer: str, compiled: Compiled, writer: Writer, extra: list[CallbackCode], *, validates: bool
) -> _Passes:
    config = configured(compiled)
    if not config.steps:
        scheduled = config.optimizer.schedule is not None
        loss = chosen_args(compiled, writer)
        step = [*loss, optimizer, *([compiled.scheduler_of(model)] if scheduled else []), *_hooks(extra)]
        return _Passes(run_epoch_name(writer, compiled), model, ", ".join(step), ", ".join(loss))
    if _hooks(extra):
        raise Unfit("a callback that runs within an epoch, of a model that has its own steps")
    if "train_step" not in config.traits.steps or (validates and "test_step" not in config.traits.steps):
        raise Unfit("a model with one of `train_step` and `test_step` only")
    name, given = run_steps_name(writer, config), model if config.traits.lists_metrics else ""
    return _Passes(name, given, f"{model}.train_step", f"{model}.test_step")


def _hooks(extra: list[CallbackCode]) -> list[str]:
    """The functions that a pass over the data calls around each batch."""
    begin = [function for code in extra for function in code.batch_begin]
    end = [function for code in extra for function in code.batch_end]
    named = {"on_batch_begin": begin, "on_batch_end": end}
    return [f"{name}=[{', '.join(functions)}]" for name, functions in named.items() if functions]


def run_steps_name(writer: Writer, config: Configuration) -> str:
    """The name of the pass over the data by the model's own steps; the function is put into the file."""
    lists = config.traits.lists_metrics
    name = writer.plan.name("run_steps" if lists else "run_batches")
    writer.sink.help(run_steps(name) if lists else run_batches(name))
    writer.sink.needs_device = True
    return name


def _validate(passes: _Passes, validation: Validation | None, logs: str) -> list[str]:
    if validation is None:
        return []
    figures = passes.test(validation.loader)
    line = f'{logs} |= {{f"val_{{name}}": value for name, value in {figures}.items()}}'
    return [f"if {validation.loader} is not None:", "    " + line] if validation.optional else [line]


def _frequency(node: cst.BaseExpression | None, writer: Writer) -> str:
    """After how many epochs each the model is validated; "" for every one."""
    known = constant(node, writer.ctx)
    if node is None or known == Literal(1):
        return ""
    if known is None or not isinstance(known.value, int):
        raise Unfit("validation in epochs that are not a constant number apart")
    return writer.text(node)


def _now_and_then(lines: list[str], epoch: str, every: str) -> list[str]:
    if not lines or not every:
        return lines
    return [f"if ({epoch} + 1) % {every} == 0:", *("    " + line for line in lines)]


def _progress(node: cst.BaseExpression | None, epoch: str, epochs: str, logs: str, writer: Writer) -> list[str]:
    known = constant(node, writer.ctx) if node is not None else Literal("auto")
    if known is not None and not known.value:
        return []
    parts = f'" - ".join(f"{{name}}: {{value:.4f}}" for name, value in {logs}.items())'
    total = epochs if epochs.isdigit() else "{" + epochs.replace('"', "'") + "}"
    line = f'print(f"Epoch {{{epoch} + 1}}/{total} - " + {parts})'
    if known is not None:
        return [line]
    assert node is not None
    return [f"if {writer.text(node)}:", "    " + line]


def evaluate(call: cst.Call, model: str, compiled: Compiled | None, writer: Writer, alone: bool = False) -> Code:
    """The figures of one pass without training, in the form that Keras returns them.

    `alone`: nothing reads them, so that they are printed, as Keras does.
    """
    config = configured(compiled)
    assert compiled is not None
    bound = writer.bound(call, "evaluate", _EVALUATE_KNOWN)
    if "x" not in bound:
        raise Unfit("without data")
    without_callbacks(bound, writer)
    if "sample_weight" in bound and "y" not in bound:
        raise Unfit("weights beside batches that were made elsewhere")
    if "y" in bound:
        options, value = _evaluation_options(bound, writer), compiled_model(compiled, writer)
        x, y = inputs(bound["x"], config.traits, value, writer), targets(bound["y"], config, value, writer)
        data = loader_text(writer, compiled, x.text, y.text, *options)
        data = with_steps(data, bound["steps"], writer) if "steps" in bound else data
    else:
        data = stream(bound["x"], bound.get("steps"), "", writer)
    if config.steps:
        return _own_evaluation(model, data, config, bound, writer)
    logs = f"{run_epoch_name(writer, compiled)}({', '.join([model, data, *chosen_args(compiled, writer)])})"
    if alone and not _silent(bound.get("verbose"), writer):
        return Code("", f'print(" - ".join(f"{{name}}: {{value:.4f}}" for name, value in {logs}.items()))')
    as_dict = constant(bound.get("return_dict"), writer.ctx)
    if "return_dict" in bound and (as_dict is None or as_dict.value):
        if as_dict is None:
            raise Unfit("`return_dict` is not a constant")
        return Code("", logs)
    return Code("", figures(logs, config))


def without_callbacks(bound: Bound, writer: Writer) -> None:
    """Raises `Unfit` where a call without training is given callbacks."""
    if "callbacks" in bound and listed(bound["callbacks"], writer):
        raise Unfit("callbacks of a pass without training")


def _evaluation_options(bound: Bound, writer: Writer) -> list[str]:
    options = [f"weight={writer.text(bound['sample_weight'])}"] if "sample_weight" in bound else []
    return options + ([f"batch_size={writer.size(bound['batch_size'])}"] if "batch_size" in bound else [])


def figures(logs: str, config: Configuration) -> str:
    """What Keras returns of the figures of a pass: a list, or the loss alone."""
    return f"list({logs}.values())" if len(config.figures) > 1 else f'{logs}["loss"]'


def _silent(verbose: cst.BaseExpression | None, writer: Writer) -> bool:
    """Whether `verbose` says that nothing is printed, or may say so."""
    known = constant(verbose, writer.ctx) if verbose is not None else Literal("auto")
    return known is None or not known.value


def _own_evaluation(model: str, data: str, config: Configuration, bound: Bound, writer: Writer) -> Code:
    """The figures of a model's own `test_step`, by name: their order as a list is that of its metrics."""
    if "test_step" not in config.traits.steps:
        raise Unfit("a model with a `train_step` of its own and no `test_step`")
    as_dict = constant(bound.get("return_dict"), writer.ctx)
    if as_dict is None or not as_dict.value:
        raise Unfit("without `return_dict=True`, of a model that has its own steps")
    given = [*([model] if config.traits.lists_metrics else []), data, f"{model}.test_step"]
    return Code("", f"{run_steps_name(writer, config)}({', '.join(given)})")
