"""`train_on_batch`, `test_on_batch`, `predict_on_batch`: the functions of `fit` on one batch."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from migrator.codemods.training import methods
from migrator.codemods.training.chosen import chosen_args
from migrator.codemods.training.fit import figures, run_epoch_name
from migrator.codemods.training.fit_data import compiled_model, loader_text
from migrator.codemods.training.given import Given, inputs, targets
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.writer import Code, Unfit, Writer, configured


def on_batch(call: cst.Call, name: str, model: str, compiled: Compiled | None, writer: Writer, alone: bool) -> Code:
    """One step, or its figures without training; `alone`: nothing reads them.

    Keras 3 averages what it returns over all batches since the last epoch, Keras 2 gives the batch's own figures.
    """
    config = configured(compiled)
    assert compiled is not None
    if config.steps:
        raise Unfit("a model that has its own steps")
    if writer.ctx.keras == 3 and not alone:
        raise Unfit("figures that Keras 3 averages over all batches so far")
    bound = writer.bound(call, name, frozenset({"x", "y", "sample_weight"}))
    if not {"x", "y"} <= set(bound):
        raise Unfit("without data or targets")
    value, lines = compiled_model(compiled, writer), list[str]()
    x, y = inputs(bound["x"], config.traits, value, writer), targets(bound["y"], config, value, writer)
    if not x.several and not x.text.isidentifier():
        lines, x = [f"{(named := writer.names.again('inputs', 'batch_inputs'))} = {x.text}"], Given(named)
    elif x.several:
        x = x.named("inputs", lines, writer)
    options = [f"weight={writer.text(bound['sample_weight'])}"] if "sample_weight" in bound else []
    batch = loader_text(writer, compiled, x.text, y.text, *options, f"batch_size=len({x.first})")
    loss = chosen_args(compiled, writer)
    step = [compiled.optimizer_of(model)] if name == "train_on_batch" else []
    step += [compiled.scheduler_of(model)] if step and config.optimizer.schedule is not None else []
    logs = f"{run_epoch_name(writer, compiled)}({', '.join([model, batch, *loss, *step])})"
    return Code("\n".join(lines), logs if alone else figures(logs, config))


def predict_on_batch(call: cst.Call, model: str, writer: Writer) -> Code:
    """The outputs for a batch, as an array."""
    bound = writer.bound(call, "predict_on_batch", frozenset({"x"}))
    if "x" not in bound:
        raise Unfit("without data")
    x, lines = writer.text(bound["x"]), ""
    if isinstance(bound["x"], cst.List | cst.Tuple | cst.Dict):
        raise Unfit("several inputs of one batch")
    if not x.isidentifier():
        lines, x = f"{(named := writer.names.again('inputs', 'batch_inputs'))} = {x}", named
    made = methods.predict_arrays(bound["x"], model, f"len({x})", call, writer, x)
    return replace(made, before=lines)
