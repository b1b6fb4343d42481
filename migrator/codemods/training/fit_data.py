"""The data of `fit`: loaders for training and validation."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import libcst as cst

from migrator.codemods.training import epoch_code, steps
from migrator.codemods.training.batches import (
    ends_of_epochs,
    is_generator,
    is_sequence,
    shuffles_batches,
    stream,
    with_steps,
)
from migrator.codemods.training.calls import constant
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.given import inputs, targets
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.scope import may_be_none
from migrator.codemods.training.several import forms_of, is_several
from migrator.codemods.training.writer import Bound, Unfit, Writer, configured
from migrator.model import Decline
from migrator.values import Dataset, Literal, Sequence, Tensor, Value


def loader_text(writer: Writer, compiled: Compiled, x: str, y: str, *options: str) -> str:
    """A call of the file's `make_loader`, which is put into it."""
    if configured(compiled).steps:
        name = writer.plan.name("make_loader")
        writer.sink.help(steps.make_loader(name, bool(y)))
        return f"{name}({', '.join((x, *((y,) if y else ()), *options))})"
    alike = (c for c in writer.plan.used if c is compiled or _same_batches(c, compiled))
    name = writer.plan.name("make_loader", next(alike))
    writer.sink.help(epoch_code.make_loader(name, configured(compiled), compiled.weighted))
    return f"{name}({', '.join((x, y, *options))})"


def _same_batches(one: Compiled, other: Compiled) -> bool:
    """Whether two configurations take the same batches of arrays, so that one loader will do."""
    if isinstance(one.config, Decline) or isinstance(other.config, Decline) or one.weighted != other.weighted:
        return False
    made = [epoch_code.make_loader("make_loader", config, one.weighted) for config in (one.config, other.config)]
    return made[0] == made[1]


@dataclass(frozen=True)
class Validation:
    loader: str
    optional: bool = False  # may be None at run time


def training_data(
    bound: Bound, compiled: Compiled, writer: Writer
) -> tuple[list[str], str, tuple[str, str, str] | None]:
    """Statements that make the loader of the training data, its name, and what is split off for validation."""
    if "x" not in bound:
        raise Unfit("without data")
    config, model = configured(compiled), compiled_model(compiled, writer)
    if "y" not in bound:
        if compiled.weighted or "validation_split" in bound:
            raise Unfit("weights or a split over batches that were made elsewhere")
        return (*_alone(bound, compiled, writer), None)
    if isinstance(writer.ctx.value(bound["x"]), Dataset):
        raise Unfit("a dataset together with targets")
    x, y = inputs(bound["x"], config.traits, model, writer), targets(bound["y"], config, model, writer)
    lines: list[str] = []
    weight = _weight(bound, writer)
    rest: tuple[str, str, str] | None = None
    x_text, y_text = x.text, y.text
    if "validation_split" in bound:
        x, y = x.named("inputs", lines, writer), y.named("targets", lines, writer)
        split = writer.names.fresh("split", "split_at")
        lines.append(f"{split} = int(len({x.first}) * {_kept(bound['validation_split'], writer)})")
        weight = weight and _named(weight, "weights", lines, writer)
        rest = x.rows(f"{split}:"), y.rows(f"{split}:"), f"{weight}[{split}:]" if weight else ""
        x_text, y_text = x.rows(f":{split}"), y.rows(f":{split}")
        weight = weight and f"{weight}[:{split}]"
    options = [f"weight={weight}"] if weight else []
    options.append(f"batch_size={writer.size(bound.get('batch_size'))}")
    if _shuffles(bound.get("shuffle"), writer):
        options.append(f"shuffle={writer.text(bound['shuffle']) if 'shuffle' in bound else 'True'}")
    if "class_weight" in bound:
        weight, before = _class_weight(bound["class_weight"], y_text, config, writer)
        options.insert(0, f"weight={weight}")
        lines += before
    loader = writer.names.fresh("loader", "train_loader")
    lines.append(f"{loader} = {_stepped(loader_text(writer, compiled, x_text, y_text, *options), bound, writer)}")
    return lines, loader, rest


def _alone(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], str]:
    """Data without targets: batches that were made elsewhere, or rows for a step of the model's own."""
    value = writer.ctx.value(bound["x"])
    rows = "batch_size" in bound or isinstance(value, Tensor)  # Keras takes no batch size with a dataset
    if not rows or not configured(compiled).steps:
        return _streamed(bound, writer)
    options = [f"batch_size={writer.size(bound.get('batch_size'))}"]
    if _shuffles(bound.get("shuffle"), writer):
        options.append(f"shuffle={writer.text(bound['shuffle']) if 'shuffle' in bound else 'True'}")
    loader = writer.names.fresh("loader", "train_loader")
    made = loader_text(writer, compiled, writer.text(bound["x"]), "", *options)
    return [f"{loader} = {_stepped(made, bound, writer)}"], loader


def _streamed(bound: Bound, writer: Writer) -> tuple[list[str], str]:
    """Batches that were made elsewhere, under the name that they have unless something is done with them."""
    x = writer.text(bound["x"])
    text = stream(bound["x"], bound.get("steps_per_epoch"), shuffles_batches(bound, writer), writer)
    if text == x:
        return [], x
    if ends_of_epochs(bound["x"], x, writer) and not x.isidentifier():
        raise Unfit("a sequence with `on_epoch_end` that has no name")
    loader = writer.names.fresh("loader", "train_loader")
    return [f"{loader} = {text}"], loader


def _stepped(loader: str, bound: Bound, writer: Writer) -> str:
    return with_steps(loader, bound["steps_per_epoch"], writer) if "steps_per_epoch" in bound else loader


def _kept(node: cst.BaseExpression, writer: Writer) -> str:
    """The share that trains: the last part validates, taken before any shuffling."""
    known = constant(node, writer.ctx)
    if known is not None and isinstance(known.value, float):
        return repr(1.0 - known.value)
    return f"(1.0 - {writer.text(node)})"


def _weight(bound: Bound, writer: Writer) -> str | None:
    if "sample_weight" in bound and "class_weight" in bound:
        raise Unfit("class_weight together with sample_weight")
    return writer.text(bound["sample_weight"]) if "sample_weight" in bound else None


def _class_weight(node: cst.BaseExpression, y: str, config: Configuration, writer: Writer) -> tuple[str, list[str]]:
    """The name of the rows' weights by their classes, and the statements that make them."""
    if config.heads:
        raise Unfit("class_weight of a model with several outputs")
    lines: list[str] = []
    writer.sink.imports.add(epoch_code.TORCH)
    classes = _named(writer.text(node), "class_weight", lines, writer)
    weight = writer.names.fresh("weight", "row_weights")
    one_hot = config.loss.target == "output" and config.traits.output.width != 1
    labels = f"{y}.argmax(axis=-1)" if one_hot else y
    lines.append(f"{weight} = torch.tensor([{classes}.get(int(label), 1.0) for label in {labels}])")
    return weight, lines


def _named(text: str, wish: str, lines: list[str], writer: Writer) -> str:
    if text.isidentifier():
        return text
    name = writer.names.fresh(wish, f"{wish}s")
    lines.append(f"{name} = {text}")
    return name


def _shuffles(node: cst.BaseExpression | None, writer: Writer) -> bool:
    known = constant(node, writer.ctx) if node is not None else Literal(True)
    if known is not None and isinstance(known.value, str):
        raise Unfit('shuffle="batch"')
    return known is None or bool(known.value)


def compiled_model(compiled: Compiled, writer: Writer) -> Value:
    """The value of the model that was compiled."""
    func = compiled.call.func
    assert isinstance(func, cst.Attribute)
    return (compiled.home or writer.ctx).value(func.value)


def validation_data(
    bound: Bound, rest: tuple[str, str, str] | None, compiled: Compiled, writer: Writer
) -> tuple[list[str], Validation | None]:
    """Statements that make the loader of the validation data; `rest`: arrays that were split off for it."""
    size = writer.size(bound.get("validation_batch_size") or bound.get("batch_size"))
    if "validation_data" not in bound:
        return ([], None) if rest is None else _val_loader(rest[0], rest[1], size, compiled, writer, rest[2])
    node = bound["validation_data"]
    if isinstance(node, cst.Tuple | cst.List):
        if len(node.elements) not in (2, 3):
            raise Unfit("validation data of which the parts are not known")
        config, model = configured(compiled), compiled_model(compiled, writer)
        x = inputs(node.elements[0].value, config.traits, model, writer)
        y = targets(node.elements[1].value, config, model, writer)
        weight = writer.text(node.elements[2].value) if len(node.elements) == 3 else ""
        return _val_loader(x.text, y.text, size, compiled, writer, weight)
    value = writer.ctx.value(node)
    if isinstance(value, Sequence) and value.items is not None and len(value.items) == 2:
        if is_several(configured(compiled)) and "" in astuple(forms_of([value], configured(compiled).traits)):
            raise Unfit("how the validation data holds the inputs and targets of the model is not known")
        return _val_loader(f"*{writer.text(node)}", "", size, compiled, writer)
    if isinstance(value, Dataset) or "y" not in bound or is_sequence(node, writer) or is_generator(node, writer):
        return _validation_stream(node, bound, writer)
    raise Unfit("whether the validation data is a pair of arrays or a dataset is not known")


def _validation_stream(node: cst.BaseExpression, bound: Bound, writer: Writer) -> tuple[list[str], Validation]:
    text, optional = stream(node, bound.get("validation_steps"), "", writer), may_be_none(node, writer.holder)
    if optional and text != writer.text(node):
        raise Unfit("validation data that may be None, with a number of steps")
    return [], Validation(text, optional)  # each validation begins with the first batch


def _val_loader(
    x: str, y: str, size: str, compiled: Compiled, writer: Writer, weight: str = ""
) -> tuple[list[str], Validation]:
    name = writer.names.fresh("val_loader", "validation_loader")
    options = filter(None, (y, weight and f"weight={weight}", f"batch_size={size}"))
    return [f"{name} = {loader_text(writer, compiled, x, *options)}"], Validation(name)
