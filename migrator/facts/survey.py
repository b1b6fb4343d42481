"""The nodes below a node by kind, collected in one walk that all static questions share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Survey:
    """Nodes below one node, nested definitions included."""

    names: list[ast.Name] = field(default_factory=list)
    attributes: list[ast.Attribute] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    keywords: list[ast.keyword] = field(default_factory=list)
    args: list[ast.arg] = field(default_factory=list)
    loops: list[ast.For | ast.AsyncFor | ast.comprehension] = field(default_factory=list)
    subscripts: list[ast.Subscript] = field(default_factory=list)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    globals: list[ast.Global] = field(default_factory=list)

    def include(self, other: Survey) -> None:
        """Add what a nested definition holds."""
        for name in _LISTS:
            getattr(self, name).extend(getattr(other, name))


_LISTS = tuple(Survey.__dataclass_fields__)
_KINDS: dict[type, str] = {
    ast.Name: "names",
    ast.Attribute: "attributes",
    ast.Call: "calls",
    ast.keyword: "keywords",
    ast.arg: "args",
    ast.For: "loops",
    ast.AsyncFor: "loops",
    ast.comprehension: "loops",
    ast.Subscript: "subscripts",
    ast.Import: "imports",
    ast.ImportFrom: "imports",
    ast.Global: "globals",
}


def survey(node: ast.AST) -> Survey:
    """The survey of a node, made once and kept on it."""
    known: Survey | None = getattr(node, "_survey", None)
    if known is None:
        known = _made(node)
        node._survey = known  # type: ignore[attr-defined]
    return known


def _made(root: ast.AST) -> Survey:
    found = Survey()
    lists: dict[type, list[Any]] = {kind: getattr(found, name) for kind, name in _KINDS.items()}
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if node is not root and isinstance(node, _Definition):
            found.include(survey(node))
            continue
        kind = lists.get(type(node))
        if kind is not None:
            kind.append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                stack.append(value)
            elif isinstance(value, list):
                stack.extend(item for item in value if isinstance(item, ast.AST))
    return found
