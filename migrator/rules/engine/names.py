"""Which TF name a dotted expression is."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import libcst as cst

from migrator.values import Api, ModuleFacts, ModuleRef, Span


class Uses:
    """The uses of TF names in one file, by where they stand."""

    def __init__(self, here: ModuleFacts) -> None:
        found = sorted(here.uses(), key=lambda use: use[1])
        self.by_span = {span: api for api, span in found}
        self.spans = [span for _, span in found]

    def within(self, whole: Span) -> Iterator[tuple[str, Span]]:
        """The uses inside of a span, in order."""
        first = bisect_left(self.spans, Span(whole.line, whole.column, 0, 0))
        for span in self.spans[first:]:
            if (span.line, span.column) >= (whole.end_line, whole.end_column):
                return
            yield self.by_span[span], span


_KEPT: OrderedDict[int, tuple[ModuleFacts, Uses]] = OrderedDict()


def uses_of(here: ModuleFacts) -> Uses:
    """The uses of a file; kept for the last few files, since codemods come back expression by expression."""
    kept = _KEPT.get(id(here))
    if kept is None or kept[0] is not here:
        kept = _KEPT[id(here)] = (here, Uses(here))
        while len(_KEPT) > 8:
            _KEPT.popitem(last=False)
    return kept[1]


class Names:
    """Canonical names of the expressions of one file; `met` holds where TF names were met."""

    def __init__(self, here: ModuleFacts, spans: Mapping[cst.CSTNode, Span]) -> None:
        self.here, self.spans = here, spans
        self.uses = uses_of(here)
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
        span = self.spans.get(node)
        if span is None:
            return None
        name = self.uses.by_span.get(span) or self._by_root(node, span)
        if name is not None:
            self.met.add((span.line, span.column))
        return name

    def _by_root(self, node: cst.Name | cst.Attribute, span: Span) -> str | None:
        """The name where the uses do not list it: through the module or API at its root.

        A function under another name alone is then a parameter, which other calls may bind to something else.
        """
        parts = _parts(node)
        if parts is None or not self._is_tf(parts[0]) or (parts[0] is node and isinstance(self._root(node), Api)):
            return None
        root, text = parts
        value = self.here.at(span)
        if isinstance(value, Api):
            return value.name
        if isinstance(value, ModuleRef):
            return value.name if is_tf_module(value) else None
        name = self.here.canonical(text, span)
        return text if name is None and root is not node and isinstance(self._root(root), ModuleRef) else name

    def _root(self, root: cst.Name) -> object:
        span = self.spans.get(root)
        return None if span is None else self.here.at(span)

    def _is_tf(self, root: cst.Name) -> bool:
        value = self._root(root)
        return isinstance(value, Api) or is_tf_module(value)


def is_tf_module(value: object) -> bool:
    """Whether a value is TensorFlow itself or one of its modules."""
    return isinstance(value, ModuleRef) and (value.name == "tf" or value.name.startswith("tf."))


def _parts(node: cst.BaseExpression) -> tuple[cst.Name, str] | None:
    names = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return node, ".".join([node.value, *reversed(names)])
