"""The batches of a loop over a dataset, which the device has to get."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.model import Helper
from migrator.values import ITERATOR, Dataset, Dict, Instance, Sequence, Tensor, Unknown, Value

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
TO_DEVICE = Helper(
    "to_device",
    '''def to_device(batch):
    """A batch on the device: its tensors, whatever holds them."""
    return tree_map(lambda part: part.to(device) if torch.is_tensor(part) else part, batch)
''',
    ("import torch", "from torch.utils._pytree import tree_map"),
)


def moves(node: cst.For, ctx: Context) -> tuple[str, tuple[Helper, ...]]:
    """The statement that moves what the loop binds, or "", and the helpers that it calls."""
    dataset, target = _looped(node, ctx)
    return ("", ()) if dataset is None else _moving(target, dataset.element)


def moves_next(line: cst.SimpleStatementLine, ctx: Context) -> tuple[str, tuple[Helper, ...]]:
    """The same of a line that takes the next batch of a dataset's iterator, or one by a method of it."""
    found = line.body[0] if len(line.body) == 1 else None
    if not isinstance(found, cst.Assign) or len(found.targets) != 1 or not isinstance(found.value, cst.Call):
        return "", ()
    iterator = _iterator(found.value)
    value = ctx.value(iterator) if iterator is not None else Unknown()
    taken = isinstance(value, Instance) and value.api == ITERATOR
    return _moving(found.targets[0].target, ctx.value(found.value)) if taken else ("", ())


def in_one(lines: Seq[Statement], moved: Seq[Statement]) -> list[Statement]:
    """`x = next(it)` and `x = x.to(device)` as one statement; several names stay two."""
    taken, move = (s.body[0] if isinstance(s, cst.SimpleStatementLine) else s for s in (lines[-1], moved[-1]))
    if (
        not isinstance(taken, cst.Assign)
        or not isinstance(move, cst.Assign)
        or not m.matches(move.targets[0].target, m.Name())
    ):
        return [*lines, *moved]
    name = move.targets[0].target
    value = move.value.deep_replace(next(n for n in _names(move.value) if n.deep_equals(name)), taken.value)
    assert isinstance(lines[-1], cst.SimpleStatementLine)
    return [*lines[:-1], lines[-1].with_changes(body=[taken.with_changes(value=value)])]


def _names(node: cst.BaseExpression) -> list[cst.Name]:
    return [n for n in m.findall(node, m.Name()) if isinstance(n, cst.Name)]


def _iterator(call: cst.Call) -> cst.BaseExpression | None:
    """The iterator that `next(it)` or `it.get_next()` goes on with."""
    if m.matches(call, m.Call(func=m.Name("next"), args=[m.Arg()])):
        return call.args[0].value
    asked = m.matches(call, m.Call(func=m.Attribute(attr=m.Name("get_next")), args=[]))
    return call.func.value if asked and isinstance(call.func, cst.Attribute) else None


def _moving(target: cst.BaseExpression, element: Value) -> tuple[str, tuple[Helper, ...]]:
    whole = isinstance(target, cst.Name)
    parts = [(name, _moved(name, value, whole)) for name, value in _bound(target, element)]
    moved = [(name, text) for name, text in parts if text]
    if not moved:
        return "", ()
    helpers = (TO_DEVICE,) if any("to_device(" in text for _, text in moved) else ()
    return f"{', '.join(name for name, _ in moved)} = {', '.join(text for _, text in moved)}", helpers


def _looped(node: cst.For, ctx: Context) -> tuple[Dataset | None, cst.BaseExpression]:
    """The dataset that a loop goes through, itself or with numbers, and what it binds the batches to."""
    value = ctx.value(node.iter)
    if isinstance(value, Dataset):
        return value, node.target
    numbered = m.matches(node.iter, m.Call(func=m.Name("enumerate"))) and isinstance(node.iter, cst.Call)
    if numbered and isinstance(node.iter, cst.Call) and isinstance(node.target, cst.Tuple):
        value = ctx.value(node.iter.args[0].value)
        if isinstance(value, Dataset) and len(node.target.elements) == 2:
            return value, node.target.elements[1].value
    return None, node.target


def _bound(target: cst.BaseExpression, value: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(target, cst.Name):
        yield target.value, value
    elif isinstance(target, cst.Tuple | cst.List):
        items = value.items if isinstance(value, Sequence) else None
        known = items if items is not None and len(items) == len(target.elements) else (Unknown(),) * 99
        for element, item in zip(target.elements, known, strict=False):
            yield from _bound(element.value, item)


def _moved(name: str, value: Value, whole: bool) -> str:
    """A part on the device; what nothing is known of is a tensor if it is one of several."""
    if name == "_" or (isinstance(value, Tensor) and value.dtype == "string"):
        return ""
    if isinstance(value, Tensor) or (isinstance(value, Unknown) and not whole):
        return f"{name}.to(device)"
    return f"to_device({name})" if isinstance(value, Unknown | Sequence | Dict) else ""
