"""The part of the gate that sees what a candidate leaves out: placeholders in place of code."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from migrator.llm.candidate import Candidate
from migrator.llm.fragment import Contract

Function = ast.FunctionDef | ast.AsyncFunctionDef

_ELIDED = re.compile(
    r"\.\.\.|…"
    r"|\b(rest|remainder|remaining|other|existing|original|previous)\b.{0,30}\b(unchanged|code|same|here|as before)\b"
    r"|\b(unchanged|same as (before|above|the original)|omitted|elided|for brevity|not shown)\b"
    r"|\b(todo|fixme|implement (this|me|here)|your code|fill in|placeholder)\b",
    re.IGNORECASE,
)


def elisions(candidate: Candidate, tree: ast.Module, original: ast.Module, contract: Contract) -> Iterator[str]:
    """Places where code should be and is not, unless the original had the same."""
    bodies = _empty_bodies(original)
    for name, how in _empty_bodies(tree).items():
        # `call` may be `forward` now, but what had a body keeps one
        if name not in bodies:
            yield f"the body of `{name}` is {how}: write all of it"
    before = _placeholders(original)
    if _placeholders(tree) > before:
        yield "`...` stands where code should: write all of it"
    told = set(_comments(contract.original))
    for text in (candidate.code, *candidate.helpers):
        for comment in _comments(text):
            if comment not in told and _ELIDED.search(comment):
                yield f"a comment stands in for code ({comment[:60]!r}): write all of it"


def _empty_bodies(tree: ast.AST, prefix: str = "") -> dict[str, str]:
    """Functions and classes that do nothing, by dotted name: what they have instead of a body."""
    found: dict[str, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{prefix}{node.name}"
            how = _nothing(node.body) if isinstance(node, Function) else ""
            if how:
                found[name] = how
            found |= _empty_bodies(node, f"{name}.")
        else:
            found |= _empty_bodies(node, prefix)
    return found


def _nothing(body: list[ast.stmt]) -> str:
    rest = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if not rest:
        return "only `...` or a docstring"
    if len(rest) > 1:
        return ""
    if isinstance(rest[0], ast.Pass):
        return "`pass`"
    raised = rest[0].exc if isinstance(rest[0], ast.Raise) else None
    name = raised.func if isinstance(raised, ast.Call) else raised
    return "NotImplementedError" if isinstance(name, ast.Name) and name.id == "NotImplementedError" else ""


def _placeholders(tree: ast.AST) -> int:
    """`...` as a statement or as the value of an assignment or return; in a subscript it is an index."""
    values = [n.value for n in ast.walk(tree) if isinstance(n, ast.Expr | ast.Assign | ast.Return)]
    return sum(isinstance(v, ast.Constant) and v.value is Ellipsis for v in values)


def _comments(text: str) -> Iterator[str]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string.lstrip("# ").strip()
    except (tokenize.TokenError, SyntaxError):
        return
