"""The other methods of a Keras model: compile, predict, summary, saving and loading weights."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import libcst.matchers as m

from migrator.codemods.training import epoch_code
from migrator.codemods.training.assumed import value_of
from migrator.codemods.training.batches import is_generator, is_sequence, stream
from migrator.codemods.training.callback_lists import listed
from migrator.codemods.training.calls import METHODS, OLDER, bind, is_model, receiver
from migrator.codemods.training.chosen import chosen_before
from migrator.codemods.training.constraints import hook
from migrator.codemods.training.files import file_name
from migrator.codemods.training.frozen_parts import learning_parts
from migrator.codemods.training.given import inputs
from migrator.codemods.training.models import parameters
from migrator.codemods.training.own_compile import compile_itself
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.several import batches_value
from migrator.codemods.training.traits import Traits, traits_of
from migrator.codemods.training.writer import Code, Unfit, Writer, configured
from migrator.model import Decline
from migrator.values import Dataset, RepoInstance, Sequence, Tensor, Value


def compile_model(call: cst.Call, model: str, compiled: Compiled | None, writer: Writer) -> Code:
    """The optimizer; loss and metrics are in the pass over the data."""
    config = configured(compiled)
    assert compiled is not None
    value = writer.ctx.value(call.func.value) if isinstance(call.func, cst.Attribute) else None
    if config.traits.compiles:
        if not isinstance(value, RepoInstance):
            raise Unfit("a model with its own `compile`, of which the class is not certain")
        return compile_itself(call, model, value, writer)
    params = f"{model}.parameters()"
    sink, optimizer = writer.sink, config.optimizer
    sink.imports |= set(optimizer.imports)
    sink.gaps |= set(optimizer.gaps)
    sink.help(optimizer.helpers)
    if config.traits.assumed:
        sink.note(f"`{model}` is taken to be what {config.traits.assumed} makes, the only model that fits")
    lines = [] if config.traits.placed else [f"{model}.to(device)"]
    sink.needs_device = True
    parts = learning_parts(compiled, writer.plan, writer.ctx)
    if parts:
        together = any(line.startswith("torch.nn.utils.clip_grad_norm_") for line in optimizer.clip)
        if together or "{model}" in optimizer.call:  # the pass over the data would count the gradients of all parts
            raise Unfit("a norm over all gradients, or weights that decay, of a model with a frozen part")
        params = parameters(parts)
    made = optimizer.call.replace("{params}", params).replace("{model}", model)
    lines += [f"{compiled.optimizer_of(model)} = {made}"] if made != compiled.optimizer_of(model) else []
    lines += chosen_before(compiled, writer)
    if not compiled.local:
        rest = "" if config.steps else "; loss and metrics are in `run_epoch`"
        sink.note(f"`compile` became an assignment of `{model}.optimizer`{rest}")
    if config.traits.constrained:
        lines.append(hook(compiled.optimizer_of(model), model))
    if optimizer.schedule is not None:
        lines += [*optimizer.before, *_schedule(compiled, model, optimizer.schedule, writer)]
    return Code("\n".join(lines), "")


def _schedule(compiled: Compiled, model: str, schedule: str, writer: Writer) -> list[str]:
    for module in ("math", "bisect"):
        if f"{module}." in schedule:
            writer.sink.imports.add(f"import {module}")
    writer.sink.imports.add("from torch.optim.lr_scheduler import LambdaLR")
    return [f"{compiled.scheduler_of(model)} = LambdaLR({compiled.optimizer_of(model)}, {schedule})"]


def predict(call: cst.Call, model: str, writer: Writer) -> Code:
    """Outputs for all rows, in batches, as a NumPy array."""
    bound = writer.bound(call, "predict", frozenset({"x", "batch_size", "verbose", "steps", "callbacks"}))
    if "x" not in bound:
        raise Unfit("without data")
    if "callbacks" in bound and listed(bound["callbacks"], writer):
        raise Unfit("callbacks of a pass without training")
    batches = is_sequence(bound["x"], writer) or is_generator(bound["x"], writer)
    if batches or ("steps" in bound and isinstance(writer.ctx.value(bound["x"]), Dataset)):
        value = batches_value(bound["x"], writer.ctx)
        data = stream(bound["x"], bound.get("steps"), "", writer)
        return _predict_batches(data, value, model, _traits(call, writer), writer)
    if "steps" in bound:
        raise Unfit("argument `steps` has no rule")
    size = writer.size(bound["batch_size"]) if "batch_size" in bound else ""
    return predict_arrays(bound["x"], model, size, call, writer)


def predict_arrays(
    x: cst.BaseExpression, model: str, size: str, call: cst.Call, writer: Writer, named: str = ""
) -> Code:
    """Outputs for the rows of arrays, `size` at a time, or for the batches of a dataset; `named`: what holds them."""
    value, traits = writer.ctx.value(x), _traits(call, writer)
    if not traits.single:
        raise Unfit("a model with several inputs or outputs")
    writer.sink.needs_device = True
    if isinstance(value, Dataset):
        return _predict_batches(writer.text(x), value, model, traits, writer)
    assert isinstance(call.func, cst.Attribute)
    given = inputs(x, traits, value_of(call.func.value, writer.ctx, writer.plan.models), writer)
    name = writer.plan.name("predict" + _suffix(traits, writer))
    if traits.entries or traits.heads:
        writer.sink.help(epoch_code.predict_several(name, traits))
    else:
        writer.sink.help(epoch_code.predict(name, _one_kind(writer)))
    return Code("", f"{name}({model}, {named or given.text}{size and f', batch_size={size}'})")


def _predict_batches(data: str, value: Value, model: str, traits: Traits, writer: Writer) -> Code:
    """Predictions over batches that were made elsewhere; targets may follow the inputs."""
    if traits.entries or traits.heads or not traits.single:
        raise Unfit("batches for a model with several inputs or outputs")
    element = value.element if isinstance(value, Dataset | Sequence) else value
    several = isinstance(element, Sequence) and bool(element.items)
    if not several and not isinstance(element, Tensor):
        raise Unfit("predictions over batches of which the elements are not known")
    writer.sink.needs_device = True
    name = writer.plan.name("predict_batches" if several else "predict_inputs")
    writer.sink.help(epoch_code.predict_batches(name, _one_kind(writer), several))
    return Code("", f"{name}({model}, {data})")


def _traits(call: cst.Call, writer: Writer) -> Traits:
    assert isinstance(call.func, cst.Attribute)
    traits = traits_of(value_of(call.func.value, writer.ctx, writer.plan.models), writer.ctx)
    if traits is None:
        raise Unfit("nothing is known of the model")
    return traits


def _one_kind(writer: Writer) -> str | None:
    """What the models of the file take, where all that predict agree: the function is shared."""
    kinds = {traits.inputs if traits else None for traits in _predicting(writer)}
    return kinds.pop() if len(kinds) == 1 else None


def _predicting(writer: Writer) -> Iterator[Traits | None]:
    """The traits of each model of the file that predicts."""
    for node in writer.plan.holders:
        found = receiver(node) if isinstance(node, cst.Call) else None
        if found is not None and OLDER.get(found[1], found[1]) == "predict":
            value = value_of(found[0], writer.ctx, writer.plan.models)
            yield traits_of(value, writer.ctx) if is_model(value) or writer.plan.models else None


def _suffix(traits: Traits, writer: Writer) -> str:
    """What tells the function apart from those for models with other inputs and outputs in the same file."""
    forms = [_form(traits)]
    forms += [_form(other) for other in _predicting(writer) if other is not None]
    order = sorted(set(forms))
    index = order.index(_form(traits))
    return f"_{index + 1}" if index else ""


def _form(traits: Traits) -> tuple[tuple[str | None, ...], bool]:
    return tuple(entry.kind or "" for entry in traits.entries), bool(traits.heads)


def summary(call: cst.Call, model: str, writer: Writer) -> Code:
    writer.bound(call, "summary", frozenset({"line_length", "expand_nested", "show_trainable"}))
    return Code("", f"print({model})")


def build(call: cst.Call, where: cst.CSTNode, writer: Writer) -> Code:
    """Nothing: the sizes that it tells are given where the model is made."""
    writer.bound(call, "build", frozenset({"input_shape"}))
    if not m.matches(where, m.SimpleStatementLine([m.Expr(m.Call())])):
        raise Unfit("within an expression")
    return Code("", "")


def save_weights(call: cst.Call, model: str, writer: Writer, whole: bool = False) -> Code:
    """The state_dict under a file name that says so."""
    bound = bind(call, METHODS["save" if whole else "save_weights"])
    if isinstance(bound, Decline) or "filepath" not in bound:
        raise Unfit("its arguments are not certain")
    writer.sink.imports.add("import torch")
    if whole:
        writer.sink.note("the saved file holds the weights alone: the class has the architecture")
    return Code("", f"torch.save({model}.state_dict(), {file_name(bound['filepath'], writer)})")


def load_weights(call: cst.Call, model: str, writer: Writer) -> Code:
    bound = writer.bound(call, "load_weights", frozenset({"filepath"}))
    writer.sink.imports.add("import torch")
    writer.sink.needs_device = True
    name = file_name(bound["filepath"], writer)
    return Code("", f"{model}.load_state_dict(torch.load({name}, map_location=device))")
