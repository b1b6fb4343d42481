"""Parts of a script that can move although others cannot: where a unit with declines is cut in two or more.

What is declined stays TensorFlow with every statement that uses what it made, and with every one that has to do with
what it may have changed. The statements between are units of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence

import libcst as cst

from migrator.codemods.context import Context, Draft
from migrator.codemods.tf_imports import global_reads
from migrator.codemods.units import MAIN, Segment, apart, bound_names
from migrator.model import Decline, UnitKind
from migrator.values import Span

_PURE = (
    *("audio", "bitwise", "debugging", "image", "io", "linalg", "math", "nn", "ragged", "saved_model", "sets"),
    *("signal", "sparse", "strings"),
)
"""Parts of TensorFlow whose functions set nothing that others read."""

_SHOWS = ("tf.keras.models.save_model", "tf.keras.utils.plot_model")
_LOOKS = ("evaluate", "get_config", "get_weights", "numpy", "predict", "save", "save_weights", "summary", "to_json")
"""Methods that leave their object as it was."""

_BUILTINS = (
    *("bool", "dict", "enumerate", "float", "int", "isinstance", "len", "list", "print", "repr", "set", "str"),
    *("tuple", "type", "zip"),
)
_SETS = ("set_", "enable_", "disable_")
_GRAPHS = ("tf.compat.v1.", "tf.Graph")


def split(seg: Segment, draft: Draft | None, ctx: Context) -> tuple[Segment, ...]:
    """The pieces of a script that was declined in some places; the segment itself where it is best left in one."""
    if draft is None or not _may_split(seg, draft, ctx):
        return (seg,)
    declined = _declined(seg, draft.declines, ctx)
    if declined is None or any(_sets_state(seg.statements[i], ctx) for i in declined):
        return (seg,)
    modules = _modules(ctx)
    stays = _stays([_Names(s, modules, ctx) for s in seg.statements], declined)
    if _is_hidden(seg, stays, ctx):
        return (seg,)
    return apart(seg, [i in stays for i in range(len(seg.statements))], ctx.spans)


def reads_first(statements: Iterable[cst.BaseStatement], code: Callable[[cst.CSTNode], str]) -> frozenset[str]:
    """Names that statements read before they bind them; `code`: the text of a node."""
    found: set[str] = set()
    bound: set[str] = set()
    for statement in statements:
        found |= global_reads(code(statement)) - bound
        bound |= {*bound_names(statement)} if _is_assignment(statement) else set()
    return frozenset(found)


def _is_assignment(statement: cst.BaseStatement) -> bool:
    parts = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return bool(parts) and all(isinstance(part, cst.Assign) for part in parts)


def _may_split(seg: Segment, draft: Draft, ctx: Context) -> bool:
    if seg.unit.kind is not UnitKind.SCRIPT or seg.unit.name == MAIN or len(seg.statements) < 2 or ctx.cuts:
        return False
    return bool(draft.declines) and not any(api.startswith(_GRAPHS) for api, _ in ctx.here.uses())


def _declined(seg: Segment, declines: Iterable[Decline], ctx: Context) -> set[int] | None:
    """The statements that are declined, by place; None where it is not known which."""
    found: set[int] = set()
    for decline in declines:
        at = [i for i, s in enumerate(seg.statements) if decline.span and _holds(ctx.spans[s], decline.span)]
        if not at:
            return None
        found |= {*at}
    return found


def _holds(outer: Span, inner: Span) -> bool:
    return outer.line <= inner.line and inner.end_line <= outer.end_line


def _sets_state(statement: cst.BaseStatement, ctx: Context) -> bool:
    """Whether it calls something of TensorFlow for what that does, unless it only computes or shows."""
    here = ctx.spans[statement]
    if any(_holds(here, span) and api.rpartition(".")[2].startswith(_SETS) for api, span in ctx.here.uses()):
        return True
    small = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    calls = [part.value for part in small if isinstance(part, cst.Expr) and isinstance(part.value, cst.Call)]
    apis = [ctx.here.canonical(ctx.code(call.func).strip(), ctx.spans.get(call.func)) or "" for call in calls]
    return any(api.startswith("tf.") and not _only_computes(api) for api in apis)


def _only_computes(api: str) -> bool:
    parts = api.split(".")
    return api in _SHOWS or len(parts) == 2 or parts[1] in _PURE


class _Names:
    """What a statement reads, binds and may change; `rebinds`: it is no more than an assignment."""

    def __init__(self, statement: cst.BaseStatement, modules: Collection[str], ctx: Context) -> None:
        text = ctx.code(statement)
        self.binds = frozenset(bound_names(statement))
        self.reads = global_reads(text)
        self.changes = frozenset(_changed(ast.parse(text), modules))
        self.rebinds = _is_assignment(statement)


def _modules(ctx: Context) -> frozenset[str]:
    """Names that imports bind to modules, and those of TensorFlow."""
    lines = [part for s in ctx.tree.body if isinstance(s, cst.SimpleStatementLine) for part in s.body]
    plain = {name for part in lines if isinstance(part, cst.Import) for name in bound_names(part)}
    named = {name for part in lines if isinstance(part, cst.ImportFrom) for name in bound_names(part)}
    return frozenset(plain | {name for name in named if ctx.here.canonical(name) is not None})


def _changed(tree: ast.AST, modules: Collection[str]) -> set[str]:
    """Names of what a statement may change: what methods are called on, parts of which are set, what is handed on."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(_root(node))
        elif isinstance(node, ast.AugAssign):
            found.add(_root(node.target))
        elif isinstance(node, ast.Call):
            found |= _handed(node, modules)
    return found - {*modules, ""}


def _handed(call: ast.Call, modules: Collection[str]) -> set[str]:
    """What a call may change: its object, and its arguments where the function may be anything."""
    root = _root(call.func)
    if root in modules or root in _BUILTINS:
        return set()
    if isinstance(call.func, ast.Attribute) and call.func.attr in _LOOKS:
        return set()
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    owner = {root} if isinstance(call.func, ast.Attribute) else set()
    return owner | {n.id for arg in given for n in ast.walk(arg) if isinstance(n, ast.Name)}


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _stays(statements: Sequence[_Names], declined: Collection[int]) -> set[int]:
    """The statements that stay with the declined ones, by place."""
    stays = {*declined}
    while True:
        tied = frozenset().union(*(statements[i].changes for i in stays))
        more = {i for i, s in enumerate(statements) if tied & (s.reads | s.binds)} | _after(statements, stays)
        if more <= stays:
            return stays
        stays |= more


def _after(statements: Sequence[_Names], stays: Collection[int]) -> set[int]:
    """The statements that read what one of these bound."""
    found: set[int] = set()
    left: frozenset[str] = frozenset()
    for i, s in enumerate(statements):
        if i in stays or left & s.reads:
            found.add(i)
            left |= s.binds
        elif s.rebinds:
            left -= s.binds
    return found


def _is_hidden(seg: Segment, stays: Collection[int], ctx: Context) -> bool:
    """Whether a function may read a name that stays in one place and moves in another."""
    bound = {True: set[str](), False: set[str]()}
    for i, statement in enumerate(seg.statements):
        bound[i in stays] |= {*bound_names(statement)}
    both = bound[True] & bound[False]
    definitions = (s for s in ctx.tree.body if isinstance(s, cst.FunctionDef | cst.ClassDef))
    return bool(both) and any(both & set(global_reads(ctx.code(s))) for s in definitions)
