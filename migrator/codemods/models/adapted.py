"""Layers that learn from data before a model is trained: where the object that learns is the one that a module has."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors

_LEARNT = {"tf.keras.layers.Normalization": "mean"}


def is_copied(node: cst.Call, api: str, given: Collection[str], ctx: Context) -> bool:
    """Whether a layer that may be adapted under its own name is made for a module, which would make another one."""
    if api not in _LEARNT or _LEARNT[api] in given:
        return False
    part = next((n for n in ancestors(node, ctx.tree)[:2] if isinstance(n, cst.Assign)), None)
    if part is None or len(part.targets) > 1:
        return True
    target = part.targets[0].target
    return not (
        isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name) and target.value.value == "self"
    )
