"""The arrays that `fit`, `evaluate` and `predict` are given, in the order in which the model takes them."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass

import libcst as cst

from migrator.codemods.training.calls import constant
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.traits import Traits
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import Dict, ModelValue, Sequence, Value


@dataclass(frozen=True)
class Given:
    """Arrays of as many rows: one, or several in a list. `parts`: the texts of several, where they are told apart."""

    text: str
    several: bool = False
    parts: tuple[str, ...] = ()

    def rows(self, bounds: str) -> str:
        """The same with some of the rows."""
        if not self.several:
            return f"{self.text}[{bounds}]"
        if self.parts:
            return f"[{', '.join(f'{part}[{bounds}]' for part in self.parts)}]"
        return f"[part[{bounds}] for part in {self.text}]"

    def named(self, wish: str, lines: list[str], writer: Writer) -> Given:
        """The same under names, where an expression would be evaluated more than once."""
        if self.parts:
            return several([_named(part, wish, lines, writer) for part in self.parts])
        return Given(_named(self.text, wish, lines, writer), self.several)

    @property
    def first(self) -> str:
        """An array of as many rows as there are."""
        return self.parts[0] if self.parts else f"{self.text}[0]" if self.several else self.text


def several(parts: Seq[str]) -> Given:
    return Given(f"[{', '.join(parts)}]", True, tuple(parts))


def _named(text: str, wish: str, lines: list[str], writer: Writer) -> str:
    """A name for an expression that is read more than once."""
    if text.replace(".", "").replace("_", "").isalnum():
        return text
    name = writer.names.fresh(wish)
    lines.append(f"{name} = {text}")
    return name


def inputs(node: cst.BaseExpression, traits: Traits, model: Value, writer: Writer) -> Given:
    """What a model is given as `x`."""
    names = [entry.name for entry in traits.entries]
    if names:
        return _each(node, names, "inputs", writer)
    return _single(node, "several inputs", isinstance(model, ModelValue), writer)


def targets(node: cst.BaseExpression, config: Configuration, model: Value, writer: Writer) -> Given:
    """What a model is given as `y`."""
    if config.heads:
        return _each(node, [head.name for head in config.heads], "targets", writer)
    if config.steps or not isinstance(node, cst.List | cst.Tuple):
        return Given(writer.text(node))
    if len(node.elements) != 1 or not isinstance(node.elements[0].value, cst.Name | cst.Attribute | cst.Subscript):
        return Given(writer.text(node))
    return _single(node, "several targets", True, writer)


def _single(node: cst.BaseExpression, what: str, graph: bool, writer: Writer) -> Given:
    """The one array of a graph, which may come in a list."""
    if not isinstance(node, cst.List | cst.Tuple | cst.Dict):
        return Given(writer.text(node))
    if not graph or isinstance(node, cst.Dict) or len(node.elements) != 1:
        raise Unfit(what)
    return Given(writer.text(node.elements[0].value))


def _each(node: cst.BaseExpression, names: Seq[str], what: str, writer: Writer) -> Given:
    value = writer.ctx.value(node)
    if isinstance(node, cst.List | cst.Tuple):
        if len(node.elements) != len(names) or any(isinstance(e, cst.StarredElement) for e in node.elements):
            raise Unfit(f"not as many {what} as the model has")
        return several([writer.text(element.value) for element in node.elements])
    if isinstance(node, cst.Dict):
        return several([writer.text(part) for part in _in_order(node, names, what, writer)])
    if isinstance(value, Sequence) and value.items is not None and len(value.items) == len(names):
        return Given(writer.text(node), True)
    if isinstance(value, Dict) and value.items is not None and {key for key, _ in value.items} == set(names):
        text = writer.text(node)
        if text.isidentifier():
            return several([f'{text}["{name}"]' for name in names])
    raise Unfit(f"whether the {what} of the model come in a list or by name is not known")


def _in_order(node: cst.Dict, names: Seq[str], what: str, writer: Writer) -> list[cst.BaseExpression]:
    found: dict[object, cst.BaseExpression] = {}
    for element in node.elements:
        key = constant(element.key, writer.ctx) if isinstance(element, cst.DictElement) else None
        if key is None or key.value in found:
            raise Unfit(f"{what} by names that are not known")
        found[key.value] = element.value
    if set(found) != set(names) or "" in names:
        raise Unfit(f"{what} by names that are not those of the model")
    return [found[name] for name in names]
