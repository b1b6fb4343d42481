"""Data that come as batches: datasets, Keras's sequences, generators, and passes of a certain number of steps."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.training.callback_classes import SEQUENCE, base_of
from migrator.codemods.training.calls import constant
from migrator.codemods.training.writer import Bound, Unfit, Writer
from migrator.model import Helper
from migrator.values import IMAGE_BATCHES, Instance, Literal, Sequence, Value

_CONVERT = "from torch.utils.data import default_convert"
STEPS = Helper(
    "Steps",
    '''class Steps:
    """Passes of `count` batches over `batches`, which begin again only when they are used up; arrays become tensors."""

    def __init__(self, batches, count):
        self.source, self.count = batches, count
        self.batches = iter(batches)

    def __iter__(self):
        for step in range(self.count):
            batch = next(self.batches, None)
            if batch is None:
                self.batches = iter(self.source)
                if step > 0:  # the data ended within the pass
                    return
                batch = next(self.batches)
            yield default_convert(batch)
''',
    (_CONVERT,),
)


def is_sequence(node: cst.BaseExpression, writer: Writer) -> bool:
    """Whether an expression is one of Keras's sequences: of a class of the repository, or batches of images."""
    return base_of(writer.ctx.value(node), writer.ctx) == SEQUENCE or is_images(writer.ctx.value(node))


def is_images(value: Value) -> bool:
    """Whether a value is the batches of an `ImageDataGenerator`."""
    return isinstance(value, Instance) and value.api == IMAGE_BATCHES


def is_generator(node: cst.BaseExpression, writer: Writer) -> bool:
    value = writer.ctx.value(node)
    return isinstance(value, Sequence) and value.kind == "generator"


def stream(node: cst.BaseExpression, steps: cst.BaseExpression | None, shuffle: str, writer: Writer) -> str:
    """An expression that is iterated over once an epoch; `shuffle` is what is said of a sequence's order, or ""."""
    text = writer.text(node)
    if is_sequence(node, writer):
        if not shuffle and has_end(node, writer):
            writer.sink.note("`on_epoch_end` of a sequence is called after epochs of training alone")
        writer.sink.imports.add("from torch.utils.data import DataLoader")
        text = f"DataLoader({text}, batch_size=None{f', shuffle={shuffle}' if shuffle else ''})"
    if steps is not None:
        return with_steps(text, steps, writer)
    if is_generator(node, writer):
        raise Unfit("a generator without a number of steps, which is used up in the first epoch")
    return text


def with_steps(text: str, steps: cst.BaseExpression, writer: Writer) -> str:
    """Passes of a number of steps over batches."""
    known = constant(steps, writer.ctx)
    if known is not None and not isinstance(known.value, int):
        raise Unfit("a number of steps that is no whole number")
    writer.sink.help((STEPS,))
    return f"Steps({text}, {writer.text(steps)})"


def shuffles_batches(bound: Bound, writer: Writer) -> str:
    """What `fit` says of the order of a sequence's batches; it shuffles them unless told otherwise."""
    known = constant(bound["shuffle"], writer.ctx) if "shuffle" in bound else Literal(True)
    if known is None:
        return writer.text(bound["shuffle"])
    return "True" if known.value else ""


def ends_of_epochs(node: cst.BaseExpression, name: str, writer: Writer) -> list[str]:
    """What is called on a sequence after each epoch."""
    return [f"{name}.on_epoch_end()"] if has_end(node, writer) else []


def has_end(node: cst.BaseExpression, writer: Writer) -> bool:
    """Whether an expression is a sequence with an `on_epoch_end` of its own."""
    if is_images(writer.ctx.value(node)):
        return True
    owner = getattr(writer.ctx.value(node), "qualname", "") if is_sequence(node, writer) else ""
    return bool(owner) and writer.ctx.facts.function(f"{owner}.on_epoch_end") is not None
