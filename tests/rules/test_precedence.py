"""Parentheses: what is put into another expression keeps its meaning."""

from __future__ import annotations

import ast

import libcst as cst
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.rules.engine.args import Arg
from migrator.rules.engine.build import filled
from migrator.rules.engine.template import Template

_BINARY = ["+", "-", "*", "/", "//", "%", "**", "@", "<<", "&", "|", "^", "<", "==", "and", "or"]
atoms = st.sampled_from(["a", "b.c", "f(x)", "-d", "x[0]", "(p, q)", "not e", "u if v else w", "lambda: z"])


def pair(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda op, x, y: f"({x}) {op} ({y})", st.sampled_from(_BINARY), inner, inner)


expressions = st.recursive(atoms, pair, max_leaves=5).map(lambda t: ast.unparse(ast.parse(t, mode="eval")))
_TEMPLATES = """
-x;x.T;x[y];x @ y;x - y;x ** y;y ** x;f(x, k=y);x == y;(x, y);[y, x];not x
x - (y - x);f(*x);x and y;y[:, x];x * (y + 1);(x < y).sum()
"""
templates = st.sampled_from(_TEMPLATES.strip().replace("\n", ";").split(";"))


class _Substitute(ast.NodeTransformer):
    def __init__(self, x: str, y: str) -> None:
        self.parts = {"x": x, "y": y}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.parts.get(node.id)
        return node if text is None else ast.parse(text, mode="eval").body

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`f(*(p, q))` is written `f(p, q)`."""
        self.generic_visit(node)
        args = [
            part
            for arg in node.args
            for part in (
                arg.value.elts
                if isinstance(arg, ast.Starred) and isinstance(arg.value, ast.Tuple | ast.List)
                else [arg]
            )
        ]
        return ast.Call(node.func, args, node.keywords)


class _Flat(ast.NodeTransformer):
    """`(a and b) and c` is `a and b and c`."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        same = [isinstance(v, ast.BoolOp) and type(v.op) is type(node.op) for v in node.values]
        values = [p for v, flat in zip(node.values, same, strict=True) for p in (v.values if flat else [v])]
        return ast.BoolOp(node.op, values)


def _meaning(tree: ast.expr) -> str:
    return ast.dump(_Flat().visit(tree))


@settings(max_examples=150, deadline=None)
@given(templates, expressions, expressions)
def test_substitution_means_the_same(template: str, x: str, y: str) -> None:
    tree = ast.parse(template, mode="eval").body
    expected = _meaning(_Substitute(x, y).visit(ast.parse(template, mode="eval").body))
    args = {n: Arg(n, cst.parse_expression(t)) for n, t in (("x", x), ("y", y))}
    output = Template([ast.Return(tree)], {}).run(args)
    made = cst.Module([]).code_for_node(filled(output))
    assert _meaning(ast.parse(made, mode="eval").body) == expected, made
