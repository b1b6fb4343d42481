"""The data of `fit`: loaders for training and validation."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.training import epoch_code, steps
from migrator.codemods.training.calls import constant
from migrator.codemods.training.plan import Compiled
from migrator.codemods.training.scope import may_be_none
from migrator.codemods.training.writer import Bound, Unfit, Writer, configured
from migrator.model import Decline
from migrator.values import Dataset, Literal, Sequence, Tensor


def loader_text(writer: Writer, compiled: Compiled, x: str, y: str, *options: str) -> str:
    """A call of the file's `make_loader`, which is put into it."""
    if configured(compiled).steps:
        name = writer.plan.name("make_loader")
        writer.sink.help(steps.make_loader(name, bool(y)))
        return f"{name}({', '.join((x, *((y,) if y else ()), *options))})"
    alike = (c for c in writer.plan.compiled if c is compiled or _same_batches(c, compiled))
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


def training_data(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], str]:
    """Statements that make the loader of the training data, and its name."""
    if "x" not in bound:
        raise Unfit("without data")
    one_input(bound["x"])
    if "y" not in bound:
        if compiled.weighted or "validation_split" in bound:
            raise Unfit("weights or a split over batches that were made elsewhere")
        return _alone(bound, compiled, writer)
    if isinstance(writer.ctx.value(bound["x"]), Dataset):
        raise Unfit("a dataset together with targets")
    x, y, lines = writer.text(bound["x"]), writer.text(bound["y"]), list[str]()
    weight = _weight(bound, y, writer)
    if "validation_split" in bound:
        lines.append(f"{_split(writer)} = int(len({x}) * {_kept(bound['validation_split'], writer)})")
        x, y = f"{_index(x)}[:split]", f"{_index(y)}[:split]"
        weight = weight and f"{weight}[:split]"
    if weight and not weight.replace("[:split]", "").isidentifier():
        raise Unfit("sample weights that are not a plain name")
    options = [f"weight={weight}"] if weight else []
    options.append(f"batch_size={writer.size(bound.get('batch_size'))}")
    if _shuffles(bound.get("shuffle"), writer):
        options.append(f"shuffle={writer.text(bound['shuffle']) if 'shuffle' in bound else 'True'}")
    before = _class_weight(bound, y, writer)
    if before:
        options.insert(0, "weight=weight")
        lines += before
    loader = writer.names.fresh("loader", "train_loader")
    lines.append(f"{loader} = {loader_text(writer, compiled, x, y, *options)}")
    return lines, loader


def _alone(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], str]:
    """Data without targets: batches that were made elsewhere, or rows for a step of the model's own."""
    x = writer.text(bound["x"])
    value = writer.ctx.value(bound["x"])
    rows = "batch_size" in bound or isinstance(value, Tensor)  # Keras takes no batch size with a dataset
    if not rows or not configured(compiled).steps:
        return [], x
    options = [f"batch_size={writer.size(bound.get('batch_size'))}"]
    if _shuffles(bound.get("shuffle"), writer):
        options.append(f"shuffle={writer.text(bound['shuffle']) if 'shuffle' in bound else 'True'}")
    loader = writer.names.fresh("loader", "train_loader")
    return [f"{loader} = {loader_text(writer, compiled, x, '', *options)}"], loader


def _split(writer: Writer) -> str:
    if "split" in writer.names.taken:
        raise Unfit("the name `split` is taken")
    writer.names.taken.add("split")
    return "split"


def _index(text: str) -> str:
    if not text.replace(".", "").replace("_", "").isalnum():
        raise Unfit("a validation split of something that is not a plain name")
    return text


def _kept(node: cst.BaseExpression, writer: Writer) -> str:
    """The share that trains: the last part validates, taken before any shuffling."""
    known = constant(node, writer.ctx)
    if known is not None and isinstance(known.value, float):
        return repr(1.0 - known.value)
    return f"(1.0 - {writer.text(node)})"


def _weight(bound: Bound, y: str, writer: Writer) -> str | None:
    if "sample_weight" in bound and "class_weight" in bound:
        raise Unfit("class_weight together with sample_weight")
    return writer.text(bound["sample_weight"]) if "sample_weight" in bound else None


def _class_weight(bound: Bound, y: str, writer: Writer) -> list[str]:
    if "class_weight" not in bound:
        return []
    if {"weight", "class_weight"} & writer.names.taken - {writer.ctx.code(bound["class_weight"]).strip()}:
        raise Unfit("the names `weight` and `class_weight` are taken")
    writer.names.taken |= {"weight", "class_weight"}
    writer.sink.imports.add(epoch_code.TORCH)
    text = writer.text(bound["class_weight"])
    first = [] if text == "class_weight" else [f"class_weight = {text}"]
    return [*first, f"weight = torch.tensor([class_weight.get(int(label), 1.0) for label in {y}])"]


def _shuffles(node: cst.BaseExpression | None, writer: Writer) -> bool:
    known = constant(node, writer.ctx) if node is not None else Literal(True)
    if known is not None and isinstance(known.value, str):
        raise Unfit('shuffle="batch"')
    return known is None or bool(known.value)


def one_input(node: cst.BaseExpression) -> None:
    if isinstance(node, cst.List | cst.Tuple | cst.Dict):
        raise Unfit("several inputs")


def validation_data(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], Validation | None]:
    size = writer.size(bound.get("validation_batch_size") or bound.get("batch_size"))
    if "validation_data" not in bound:
        if "validation_split" not in bound:
            return [], None
        x, y = (writer.text(bound[name]) for name in ("x", "y"))
        return _val_loader(f"{x}[split:]", f"{y}[split:]", size, compiled, writer)
    node = bound["validation_data"]
    if isinstance(node, cst.Tuple | cst.List):
        if len(node.elements) != 2:
            raise Unfit("validation data with weights")
        one_input(node.elements[0].value)
        x, y = (writer.text(element.value) for element in node.elements)
        return _val_loader(x, y, size, compiled, writer)
    value = writer.ctx.value(node)
    if isinstance(value, Sequence) and value.items is not None and len(value.items) == 2:
        return _val_loader(f"*{writer.text(node)}", "", size, compiled, writer)
    if isinstance(value, Dataset) or "y" not in bound:
        return [], Validation(writer.text(node), may_be_none(node, writer.holder))
    raise Unfit("whether the validation data is a pair of arrays or a dataset is not known")


def _val_loader(x: str, y: str, size: str, compiled: Compiled, writer: Writer) -> tuple[list[str], Validation]:
    name = writer.names.fresh("val_loader", "validation_loader")
    options = (y, f"batch_size={size}") if y else (f"batch_size={size}",)
    return [f"{name} = {loader_text(writer, compiled, x, *options)}"], Validation(name)
