"""Lists that a graph puts tensors into."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence

from migrator.codemods.graphs.program import Program, key_of


def is_empty(node: ast.expr) -> bool:
    """Whether an expression is a new list."""
    return ast.unparse(node) in ("[]", "list()")


def appends_to(statement: ast.stmt) -> str:
    """The list that a statement puts one thing into; "" for other statements."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    func = call.func if isinstance(call, ast.Call) else None
    single = isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords
    return key_of(func.value) if single and isinstance(func, ast.Attribute) and func.attr == "append" else ""


def tensor_lists(bodies: Iterable[Sequence[ast.stmt]], program: Program, makers: Collection[str]) -> frozenset[str]:
    """Names of lists that start empty and get tensors, as far as that is seen. `makers`: functions that give these."""
    statements = [n for body in bodies for s in body for n in ast.walk(s) if isinstance(n, ast.stmt)]
    assigned = [s for s in statements if isinstance(s, ast.Assign)]
    empty = {key_of(s.targets[0]) for s in assigned if is_empty(s.value)}
    tensors = {key_of(t) for s in assigned if _computes(s.value, program, makers) for t in s.targets}
    found = set()
    for statement in statements:
        key = appends_to(statement)
        given = (
            statement.value.args[0]
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and key
            else None
        )
        if key in empty and given is not None and (key_of(given) in tensors or _computes(given, program, makers)):
            found.add(key)
    return frozenset(found - {""})


def _computes(node: ast.expr, program: Program, makers: Collection[str]) -> bool:
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    return any(program.api(c).startswith("tf.") or key_of(c.func) in makers for c in calls)
