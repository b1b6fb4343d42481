"""Sizes of inputs as the layer before says them: `nn.Linear(UNITS, CLASSES)`, not `nn.Linear(32, CLASSES)`.

A name stands in place of its number only where it is the same at both layers: it is bound once, and both are made in
one function or the name is the module's.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from migrator.model import LayerCode
from migrator.values import Given, Span, Sym, Tensor, Value

ARGUMENTS = ("units", "filters", "output_dim")


def by_name(inputs: tuple[Value, ...], said: Mapping[tuple[str, Span], str]) -> tuple[Value, ...]:
    """The inputs, with sizes as the layers that gave them say them."""
    return tuple(_named(value, said) for value in inputs)


def _named(value: Value, said: Mapping[tuple[str, Span], str]) -> Value:
    last = value.channels if isinstance(value, Tensor) else None
    text = said.get(last.site) if isinstance(last, Given) else None
    if text is None or not isinstance(value, Tensor) or not value.shape:
        return value
    return replace(value, shape=(*value.shape[:-1], Sym(text)))


def same(code: LayerCode, named: LayerCode, inputs: tuple[Value, ...], by: tuple[Value, ...]) -> bool:
    """Whether the code with named sizes is the code with their numbers, written in another way."""
    pairs = {
        new.channels.text: str(old.channels)
        for old, new in zip(inputs, by, strict=True)
        if isinstance(old, Tensor) and isinstance(new, Tensor) and isinstance(new.channels, Sym)
    }

    def counted(made: LayerCode) -> str:
        text = repr(made)
        for name, number in pairs.items():
            text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.(])", number, text)
        return text

    return counted(code) == counted(named)


def constant(text: str, source: str) -> bool:
    """Whether an expression is made of constants of the file: names that it binds once, and numbers."""
    node = ast.parse(text, mode="eval").body
    roots = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return bool(roots) and all(isinstance(n, _SIMPLE) for n in ast.walk(node)) and roots <= _bindings(source).constants


_SIMPLE = (ast.Name, ast.Attribute, ast.BinOp, ast.Mult, ast.Constant, ast.Load)


def steady(text: str, producer: Span, consumer: Span, source: str) -> bool:
    """Whether an expression is the same at both places of a file, by its text."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return False
    if isinstance(node, ast.Constant) or not all(isinstance(n, _SIMPLE) for n in ast.walk(node)):
        return False
    bound = _bindings(source)
    roots = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    if any(bound.attributes[n.attr] > 1 for n in ast.walk(node) if isinstance(n, ast.Attribute)):
        return False
    if roots <= bound.constants:
        return True
    around = bound.function(producer)
    return around is not None and around == bound.function(consumer) and roots <= bound.constants | bound.settled


class _Bindings(ast.NodeVisitor):
    """How often a file binds its names and attributes, and where its functions are."""

    def __init__(self, tree: ast.Module) -> None:
        self.names: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.moving: set[str] = set()  # bound in a loop, in a comprehension or from elsewhere
        self.arguments: set[str] = set()
        self.functions: list[tuple[int, int]] = []
        self._of_module: set[str] = set()
        self._depth = self._loops = 0
        self.visit(tree)

    @property
    def constants(self) -> set[str]:
        """Names that the module binds, and nothing else."""
        once = {name for name in self._of_module if self.names[name] == 1}
        return once - self.moving - self.arguments

    @property
    def settled(self) -> set[str]:
        """Names that keep their value within a function."""
        once = {name for name, count in self.names.items() if count == 1} - self.arguments
        return (once | (self.arguments - set(self.names))) - self.moving

    def function(self, span: Span) -> tuple[int, int] | None:
        """The innermost function around a place."""
        around = [lines for lines in self.functions if lines[0] <= span.line and span.end_line <= lines[1]]
        return around[-1] if around else None

    def _bind(self, name: str) -> None:
        self.names[name] += 1
        if self._loops:
            self.moving.add(name)
        if not self._depth:
            self._of_module.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.attributes[node.attr] += 1 + bool(self._loops)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0])

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        self.functions.append((node.lineno, node.end_lineno or node.lineno))
        self.arguments |= {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
        self._inside(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self._inside(node)

    def _inside(self, node: ast.AST) -> None:
        self._depth += 1
        loops, self._loops = self._loops, 0
        self.generic_visit(node)
        self._depth, self._loops = self._depth - 1, loops

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.moving |= {n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)}
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.moving.update(node.names)

    visit_Nonlocal = visit_Global

    def _looped(self, node: ast.AST) -> None:
        self._loops += 1
        self.generic_visit(node)
        self._loops -= 1

    visit_For = visit_AsyncFor = visit_While = visit_comprehension = _looped
    visit_With = visit_AsyncWith = visit_NamedExpr = visit_AugAssign = visit_Match = visit_Try = _looped


@lru_cache(64)
def _bindings(source: str) -> _Bindings:
    return _Bindings(ast.parse(source))
