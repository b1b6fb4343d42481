"""The body of a rule, run as a template.

The grammar is small and pinned by tests: `if` on what is known when rewriting, `raise Decline`,
assignments, and `return` of an expression in torch. Names of arguments stand for the arguments;
whatever depends on literals alone is folded.
"""

from __future__ import annotations

import ast
import copy
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType

from migrator.model import Helper
from migrator.rules.engine import asked
from migrator.rules.engine.args import NOTHING, Arg, Code, Dynamic, from_facts, is_instance, is_none, literal
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.folding import folded
from migrator.rules.engine.torch_defaults import is_default
from migrator.values import Unknown

OUTPUT_NAMES = {
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "math": "import math",
    "functools": "import functools",
    "np": "import numpy as np",
    "os": "import os",
    "glob": "import glob",
    "shutil": "import shutil",
    "logging": "import logging",
    "time": "import time",
    "warnings": "import warnings",
    "re": "import re",
    "sys": "import sys",
    "flags": "from absl import flags",
    "app": "from absl import app",
    "Path": "from pathlib import Path",
    "tree_map": "from torch.utils._pytree import tree_map",
    "SummaryWriter": "from torch.utils.tensorboard import SummaryWriter",
}
_KEPT = frozenset(
    {"int", "float", "bool", "len", "tuple", "list", "range", "str", "print", "zip", "isinstance", "sum"}
    | {"open", "sorted", "bytes", "any", "all", "Exception"}
)
_MARK = "__arg_"
RAW = "__whole_"
device_here = "device_here"
"""In a template `device=device_here` is the device of the tensors at hand, or nothing."""


@dataclass(frozen=True)
class Piece:
    """A part of the output that a local name of the template holds."""

    expr: ast.expr

    def __bool__(self) -> bool:
        raise TypeError(f"a rule asks the value of its own output: {ast.unparse(self.expr)}")


@dataclass
class Output:
    """An expression of torch with `__arg_x` where argument `x` goes."""

    expr: ast.expr
    args: dict[str, Arg] = field(default_factory=dict)
    helpers: dict[str, Helper] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    covered: set[str] = field(default_factory=set)


class Template:
    """A function body that gives torch code for the arguments of one call."""

    def __init__(
        self, body: list[ast.stmt], names: Mapping[str, object], enclosed: Mapping[str, object] | None = None
    ) -> None:
        self.enclosed = dict(enclosed or {})
        self.names: Mapping[str, object] = ChainMap(self.enclosed, names)  # type: ignore[arg-type]
        self.body = [_Questions(self.names).visit(copy.deepcopy(s)) for s in body]
        for statement in self.body:
            ast.fix_missing_locations(statement)

    def run(
        self,
        args: Mapping[str, Arg],
        facts: tuple[str, ...] = (),
        device: str = "",
        writer: str = "",
        exact: bool = False,
    ) -> Output:
        """The output for these arguments; `device` and `writer` are source text or "". Raises `Decline`."""
        return _Run(self, args, facts, device, writer, exact).result()


def _compiled(expr: ast.expr) -> CodeType:
    """The code of an expression, kept on the node itself (copies keep it too)."""
    code: CodeType | None = getattr(expr, "compiled", None)
    if code is None:
        code = compile(ast.Expression(expr), "<rule>", "eval")
        expr.compiled = code  # type: ignore[attr-defined]
    return code


class _Questions(ast.NodeTransformer):
    """`x is None` asks the facts, which `is` itself cannot; some helpers take arguments whole."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and getattr(self.names.get(node.func.id), "wants_args", False):
            node.args = [ast.Name(RAW + a.id, ast.Load()) if isinstance(a, ast.Name) else a for a in node.args]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        op, right = node.ops[0], node.comparators[0]
        if not (isinstance(op, (ast.Is, ast.IsNot)) and isinstance(right, ast.Constant) and right.value is None):
            return node
        call: ast.expr = ast.Call(ast.Name("is_none", ast.Load()), [node.left], [])
        return ast.UnaryOp(ast.Not(), call) if isinstance(op, ast.IsNot) else call


class _Run:
    """One evaluation of a template."""

    def __init__(
        self,
        template: Template,
        args: Mapping[str, Arg],
        facts: tuple[str, ...],
        device: str,
        writer: str,
        exact: bool,
    ) -> None:
        self.template, self.args, self.device, self.writer, self.exact = template, args, device, writer, exact
        self.env: dict[str, object] = {}
        self.written: set[str] = set()
        for name, arg in args.items():
            value = literal(arg.node, arg.value)
            self.env[name] = Dynamic(arg) if value is NOTHING else value
            if value is not NOTHING and (
                from_facts(arg.value) is NOTHING or literal(arg.node, Unknown()) is not NOTHING
            ):
                self.written.add(name)
        for name in facts:
            self.env[name] = self._fact(name)
            self.written.add(name)
        self.output = Output(ast.Constant(None))

    def _fact(self, name: str) -> object:
        if name == "exact":
            return self.exact
        if name == "writer":
            if not self.writer:
                raise Decline("which summary writer it writes to is not known")
            return Code(self.writer)
        what, _, of = name.partition("_")
        return asked.fact(what, self.env[of or next(iter(self.args))])

    def result(self) -> Output:
        expr = self._block(self.template.body)
        if expr is None:
            raise Decline("the rule has no answer for these arguments")
        self.output.expr = expr
        return self.output

    def _block(self, statements: list[ast.stmt]) -> ast.expr | None:
        for statement in statements:
            if isinstance(statement, ast.Return):
                return self.residual(statement.value or ast.Constant(None))
            if isinstance(statement, ast.If):
                found = self._block(statement.body if self.evaluate(statement.test) else statement.orelse)
                if found is not None:
                    return found
            elif isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
                raise Decline(self.evaluate(statement.exc.args[0]))
            elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self._assign(statement.targets[0].id, statement.value)
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                self.evaluate(statement.value)  # a check that may decline
            elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                raise TypeError(f"not in the template language: {ast.unparse(statement)}")
        return None

    def _assign(self, name: str, value: ast.expr) -> None:
        known = not self._makes_output(value)
        self.env[name] = folded(value, self.evaluate) if known else Piece(self.residual(value))
        if known and not isinstance(self.env[name], (Dynamic, Code)):
            self.written.add(name)

    def evaluate(self, expr: ast.expr) -> object:
        """The Python value of an expression over what is known when rewriting."""
        known = {**self.template.enclosed, **self.env}
        whole = {RAW + name: self.args.get(name, value) for name, value in known.items()}
        scope = {**self.template.names, "is_none": is_none, "isinstance": is_instance, **self.env, **whole}
        return eval(_compiled(expr), scope)

    def residual(self, expr: ast.expr) -> ast.expr:
        made = _Residual(self).visit(copy.deepcopy(expr))
        assert isinstance(made, ast.expr)
        return made

    def _makes_output(self, expr: ast.expr) -> bool:
        """Whether an assigned expression is torch code, rather than a value known now."""
        if isinstance(expr, ast.Call) and self.is_rewrite_time(expr.func):
            return False
        if isinstance(expr, ast.Name):
            return isinstance(self.env.get(expr.id), Piece)
        if isinstance(expr, ast.IfExp):
            return self._makes_output(expr.body) or self._makes_output(expr.orelse)
        return not self.is_static(expr, anything_known=True)

    def is_rewrite_time(self, func: ast.expr) -> bool:
        """Whether a called name is a function of the rules themselves."""
        if not isinstance(func, ast.Name) or func.id in OUTPUT_NAMES:
            return False
        if func.id == "is_none":
            return True
        found = self.template.names.get(func.id)
        return callable(found) and not isinstance(found, Helper)

    def is_static(self, expr: ast.expr, anything_known: bool = False) -> bool:
        """Whether an expression depends on nothing but what is written as a literal."""
        for node in ast.walk(expr):
            if isinstance(node, ast.Name) and not self._is_static_name(node.id, anything_known):
                return False
            if isinstance(node, (ast.Starred, ast.Slice, ast.Lambda)):
                return False
        return True

    def _is_static_name(self, name: str, anything_known: bool) -> bool:
        if name in OUTPUT_NAMES:
            return False
        if name in self.env:
            if isinstance(self.env[name], (Dynamic, Code, Piece)):
                return False
            return anything_known or name in self.written
        return (
            name == "is_none"
            or name in _KEPT
            or (name in self.template.names and not isinstance(self.template.names[name], Helper))
        )


class _Residual(ast.NodeTransformer):
    """Folds what is known and marks where arguments go."""

    def __init__(self, run: _Run) -> None:
        self.run = run

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp)):
            if self.run.is_static(node):
                return _constant(folded(node, self.run.evaluate))
        elif isinstance(node, ast.IfExp):
            return self.visit(node.body if self.run.evaluate(node.test) else node.orelse)
        elif isinstance(node, ast.Call) and self.run.is_rewrite_time(node.func):
            return self._embed(self.run.evaluate(node))
        found: ast.AST = super().visit(node)
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.run.env:
            return self._bound(node.id)
        if node.id in OUTPUT_NAMES:
            self.run.output.imports.add(OUTPUT_NAMES[node.id])
            return node
        found = self.run.template.names.get(node.id)
        if isinstance(found, Helper):
            self.run.output.helpers |= {helper.name: helper for helper in _with_needs(found)}
            return ast.Name(found.name, ast.Load())
        if node.id == device_here and self.run.device:
            return ast.parse(self.run.device, mode="eval").body
        if found is None or node.id in _KEPT or node.id == device_here:
            return node
        return self._embed(found)

    def _bound(self, name: str) -> ast.expr:
        value, arg = self.run.env[name], self.run.args.get(name)
        if arg is not None and arg.given:
            return self._place(arg)
        return self._embed(value)

    def _place(self, arg: Arg) -> ast.expr:
        self.run.output.args[_MARK + arg.name] = arg
        return ast.Name(_MARK + arg.name, ast.Load())

    def _embed(self, value: object) -> ast.expr:
        if isinstance(value, Piece):
            return copy.deepcopy(value.expr)
        if isinstance(value, Dynamic):
            return self._place(value.arg)
        if isinstance(value, Code):
            self.run.output.covered |= set(value.covers)
            marks = {name: _MARK + arg.name for name, arg in value.args}
            self.run.output.args.update({_MARK + arg.name: arg for _, arg in value.args})
            parsed = ast.parse(value.text.format(**marks), mode="eval").body
            for node in ast.walk(parsed):
                if isinstance(node, ast.Name) and node.id in OUTPUT_NAMES:
                    self.run.output.imports.add(OUTPUT_NAMES[node.id])
            return parsed
        return _constant(value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        node.keywords = [k for k in node.keywords if not _is_open_device(k.value)]
        kept = [k for k in node.keywords if k.arg is None or not self._droppable(name, k.arg, k.value)]
        if any(k.arg == "keepdim" for k in kept):  # torch.sum(x, keepdim=True) needs its dim, even None
            kept = [k for k in node.keywords if k in kept or k.arg == "dim"]
        node.keywords = kept
        return node

    def _droppable(self, function: str, keyword: str, value: ast.expr) -> bool:
        helper = self.run.output.helpers.get(function)
        source = "" if helper is None else "\n".join(h.source for h in (helper, *helper.needs))
        if isinstance(value, ast.Name) and value.id in self.run.output.args:
            name = value.id.removeprefix(_MARK)
            return name in self.run.written and is_default(function, keyword, self.run.env[name], source)
        plain = isinstance(value, (ast.Constant, ast.UnaryOp))
        return plain and is_default(function, keyword, _number(value), source)


def _number(value: ast.expr) -> object:
    """The value of a literal, `-1` included; of anything else, the expression itself."""
    try:
        return ast.literal_eval(value)
    except ValueError:
        return value


def _with_needs(helper: Helper) -> Iterator[Helper]:
    """What a helper calls, directly or not, and then itself."""
    for needed in helper.needs:
        yield from _with_needs(needed)
    yield helper


def _is_open_device(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == device_here


def _constant(value: object) -> ast.expr:
    if isinstance(value, ast.expr):
        return value
    return ast.parse(repr(value), mode="eval").body
