"""Which TF name a dotted expression is."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from migrator.values import Api, ModuleFacts, ModuleRef, Span


class Names:
    """Canonical names of the expressions of one file; `met` holds where TF names were met."""

    def __init__(self, here: ModuleFacts, spans: Mapping[cst.CSTNode, Span]) -> None:
        self.here, self.spans = here, spans
        self.found: dict[cst.CSTNode, str | None] = {}
        self.met: set[tuple[int, int]] = set()

    def canonical(self, node: cst.BaseExpression) -> str | None:
        """`tf.reduce_sum` for whatever the file calls it; the dotted text for an unknown TF name."""
        if not isinstance(node, (cst.Name, cst.Attribute)):
            return None
        if node not in self.found:
            self.found[node] = self._look_up(node)
        return self.found[node]

    def _look_up(self, node: cst.Name | cst.Attribute) -> str | None:
        parts = _parts(node)
        span = self.spans.get(node)
        if parts is None or span is None:
            return None
        root, text = parts
        if root is not node and not self._is_tf(root):
            return None
        name = self.here.canonical(text, span)
        if name is None:
            value = self.here.at(span)
            name = value.name if isinstance(value, Api) or _is_tf_module(value) else None  # type: ignore[attr-defined]
        if name is None and root is not node and isinstance(self._root(root), ModuleRef):
            name = text
        if name is not None:
            self.met.add((span.line, span.column))
        return name

    def _root(self, root: cst.Name) -> object:
        span = self.spans.get(root)
        return None if span is None else self.here.at(span)

    def _is_tf(self, root: cst.Name) -> bool:
        value = self._root(root)
        return isinstance(value, Api) or _is_tf_module(value)


def _is_tf_module(value: object) -> bool:
    return isinstance(value, ModuleRef) and (value.name == "tf" or value.name.startswith("tf."))


def _parts(node: cst.BaseExpression) -> tuple[cst.Name, str] | None:
    names = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return node, ".".join([node.value, *reversed(names)])
