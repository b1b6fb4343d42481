"""`with` blocks of TensorFlow: those that mean nothing in torch go, their statements stay."""

from __future__ import annotations

import re
from collections.abc import Callable

import libcst as cst

from migrator.rules.engine.build import is_plain
from migrator.rules.engine.template import OUTPUT_NAMES

Canonical = Callable[[cst.BaseExpression], str | None]
NAMING = frozenset(
    {
        "tf.name_scope",
        "tf.compat.v1.name_scope",
        "tf.keras.backend.name_scope",
        "tf.init_scope",
        "tf.compat.v1.colocate_with",
    }
)
ORDERING = frozenset({"tf.control_dependencies", "tf.compat.v1.control_dependencies"})
PLACING = frozenset({"tf.device", "tf.compat.v1.device"})
_DEVICE = re.compile(r"^(?:/job:\w+)?(?:/replica:\d+)?(?:/task:\d+)?/?(?:device:)?(cpu|gpu)(?::(\d+))?$", re.IGNORECASE)


def rewritten(
    original: cst.With, updated: cst.With, canonical: Canonical
) -> tuple[cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement], frozenset[str], list[cst.CSTNode]]:
    """The block in torch, the imports that takes, and the calls of TensorFlow that are done with."""
    items, done, imports = [], [], set()
    for old, new in zip(original.items, updated.items, strict=True):
        api = canonical(old.item.func) if isinstance(old.item, cst.Call) else None
        if goes(old, api):
            done.append(old.item)
        elif api in PLACING and isinstance(new.item, cst.Call) and (device := _device(new.item)) is not None:
            items.append(new.with_changes(item=device))
            imports.add(OUTPUT_NAMES["torch"])
            done.append(old.item)
        else:
            items.append(new)
    if not done:
        return updated, frozenset(), []
    if items:
        last = items[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated.with_changes(items=[*items[:-1], last]), frozenset(imports), [*done]
    made = inlined(updated)
    return made, frozenset(imports), [*done] if made is not updated else []


def goes(item: cst.WithItem, api: str | None) -> bool:
    """Whether a context has no effect in torch: it names operations, or orders what Python orders already."""
    call = item.item
    if api is None or item.asname is not None or not isinstance(call, cst.Call):
        return False
    return api in NAMING or (api in ORDERING and len(call.args) == 1 and _evaluated(call.args[0].value))


def _evaluated(node: cst.BaseExpression) -> bool:
    """Whether dropping an expression drops no work: names, and lists of them."""
    return is_plain(node) or (isinstance(node, cst.List) and not node.elements)


def _device(call: cst.Call) -> cst.BaseExpression | None:
    """`torch.device("cuda:1")` for a device that is written out; without a GPU TensorFlow takes the CPU."""
    node = call.args[0].value if len(call.args) == 1 else None
    found = _DEVICE.match(str(node.evaluated_value)) if isinstance(node, cst.SimpleString) else None
    if found is None:
        return None
    if found[1].lower() == "cpu":
        return cst.parse_expression('torch.device("cpu")')
    name = "cuda" if found[2] is None else f"cuda:{found[2]}"
    return cst.parse_expression(f'torch.device("{name}" if torch.cuda.is_available() else "cpu")')


def inlined(block: cst.With) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
    """The statements of a block without its header; the block itself where a comment would be lost."""
    body = block.body
    if not isinstance(body, cst.IndentedBlock) or any(line.comment for line in body.footer) or not body.body:
        return block
    first = body.body[0]
    header = [] if body.header.comment is None else [cst.EmptyLine(comment=body.header.comment)]
    lines = [*block.leading_lines, *header, *getattr(first, "leading_lines", ())]
    return cst.FlattenSentinel([first.with_changes(leading_lines=lines), *body.body[1:]])
