"""Small operations on expressions as text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

import libcst as cst

from migrator.syntax import walk

_HOLE = re.compile(r"\{(x\d*|self|given_\w+)\}")
_ATOMS = (
    cst.Name,
    cst.Attribute,
    cst.Call,
    cst.Subscript,
    cst.Integer,
    cst.Float,
    cst.SimpleString,
    cst.FormattedString,
    cst.List,
    cst.Dict,
    cst.ListComp,
)


def code(node: cst.CSTNode) -> str:
    """The source of a node that may be new."""
    return cst.Module([]).code_for_node(node)


@lru_cache(4096)
def is_atom(text: str) -> bool:
    """Whether an expression can stand before `.` or an operator without parentheses."""
    node = cst.parse_expression(text)
    return bool(getattr(node, "lpar", ())) or isinstance(node, _ATOMS)


def atom(text: str) -> str:
    """The expression, in parentheses where it would need them."""
    return text if is_atom(text) else f"({text})"


def fill(template: str, holes: Mapping[str, str]) -> str:
    """A layer's template with its holes (`{x}`, `{x0}`, `{self}`) filled by expressions."""

    def put(match: re.Match[str]) -> str:
        text = holes[match.group(1)]
        before, after = template[: match.start()].rstrip(), template[match.end() :].lstrip()
        argument = before[-1:] in ("(", ",", "[", "=") and after[:1] in (")", ",", "]")
        alone = not before and not after
        return text if argument or alone else atom(text)

    return _HOLE.sub(put, template)


def holes(template: str) -> list[str]:
    """The names of the holes of a template, in order of first appearance."""
    return list(dict.fromkeys(_HOLE.findall(template)))


class _Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, int] = {}

    def visit_Name(self, node: cst.Name) -> None:
        self.found[node.value] = self.found.get(node.value, 0) + 1

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        walk(node.value, self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        walk(node.value, self)
        return False


def names(node: cst.CSTNode | str) -> Mapping[str, int]:
    """The names read in an expression or statement, with how often; attributes and keywords are none."""
    if isinstance(node, str):
        return _names_of_text(node)
    visitor = _Names()
    walk(node, visitor)
    return visitor.found


@lru_cache(4096)
def _names_of_text(text: str) -> Mapping[str, int]:
    return names(cst.parse_module(_no_holes(text) + "\n"))


def _no_holes(text: str) -> str:
    return _HOLE.sub(lambda match: f"__hole_{match.group(1)}__", text)


class _Substitute(cst.CSTTransformer):
    def __init__(self, new: Mapping[str, str]) -> None:
        super().__init__()
        self.texts = new
        self.new = {name: cst.parse_expression(atom(text)) for name, text in new.items()}

    def _alone(self, value: cst.BaseExpression | None) -> cst.BaseExpression | None:
        """What takes the place of a name that stands alone and needs no parentheses."""
        text = self.texts.get(value.value) if isinstance(value, cst.Name) else None
        return None if text is None else cst.parse_expression(text)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        value = self._alone(original_node.value)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        value = self._alone(original_node.value)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.new.get(original_node.value, updated_node)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        value = self._alone(original_node.value) if not original_node.star else None
        changed = updated_node.with_changes(keyword=original_node.keyword)
        return changed if value is None else changed.with_changes(value=value)

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(name=original_node.name)


def substitute(text: str, new: Mapping[str, str]) -> str:
    """A piece of code with names replaced by expressions (in parentheses where needed)."""
    if not new or not set(new) & set(names(text)):
        return text
    marked = _no_holes(text)
    tree = cst.parse_module(marked)
    replaced = tree.visit(_Substitute(new))
    return re.sub(r"__hole_(x\d*|self|given_\w+?)__", r"{\1}", replaced.code)


def indent(lines: list[str]) -> list[str]:
    """One level deeper."""
    return [f"    {line}" if line.strip() else line for line in lines]


def otherwise(lines: list[str]) -> list[str]:
    """The other branch of an `if`; one that is an `if` itself becomes `elif`."""
    outer = [line for line in lines if not line.startswith(" ")]
    if outer and outer[0].startswith("if ") and all(o.startswith(("else:", "elif ")) for o in outer[1:]):
        return [f"el{lines[0]}", *lines[1:]]
    return ["else:", *indent(lines)]


def negated(test: str) -> str:
    """The opposite of a condition, in words as simple as its own."""
    node = cst.parse_expression(test)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        return code(node.expression)
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        operator = node.comparisons[0].operator
        for one, two in _OPPOSITES:
            if isinstance(operator, one | two):
                other = two() if isinstance(operator, one) else one()
                return code(node.with_changes(comparisons=[node.comparisons[0].with_changes(operator=other)]))
    return f"not {atom(test)}"


_OPPOSITES = ((cst.Is, cst.IsNot), (cst.Equal, cst.NotEqual))


def fresh(stem: str, taken: Collection[str]) -> str:
    """`stem`, or `stem` with the first free number behind it."""
    if stem not in taken:
        return stem
    number = 2
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
