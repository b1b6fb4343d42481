"""Which summary writer a `tf.summary.scalar(…)` writes to: that of the block around it."""

from __future__ import annotations

import ast

from migrator.facts.calls import Where
from migrator.facts.interpreter import Frame
from migrator.values import Instance, Literal, Unknown, Value

WRITER = "tf.summary.SummaryWriter"
ENTERED = f"{WRITER}.as_default"
SCOPED = "tf.name_scope"
WRITES = frozenset({"tf.summary.scalar", "tf.summary.histogram", "tf.summary.image", "tf.summary.text"})


def enter(node: ast.expr, value: Value, frame: Frame) -> None:
    """Note that a block is entered: with a writer, or with a name that goes in front of the tags."""
    if not isinstance(value, Instance):
        return
    if value.api == SCOPED:
        frame.writers.append("")
    elif value.api == ENTERED and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        text = ast.unparse(node.func.value)
        plain = not (node.args or node.keywords) and text.replace(".", "").isidentifier()
        frame.writers.append(text if plain and frame.writers[-1:] != [""] else "")


def written(api: str, where: Where) -> Value:
    """A call that writes a summary, with the text of its writer where that is known."""
    writers = where.frame.writers
    if not writers or not writers[-1]:
        return Unknown("no summary writer")
    return Instance(api, where.module, where.span, (("writer", Literal(writers[-1])),))
