"""Which classes of a repository are Keras callbacks, and what is left of their heads."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.values import Api, RepoClass, RepoInstance, Value

BASE = "tf.keras.callbacks.Callback"


def is_own(value: Value, ctx: Context) -> bool:
    """Whether a value is an object of a class of the repository that derives from Keras's Callback alone."""
    if not isinstance(value, RepoInstance):
        return False
    facts = ctx.facts.cls(value.qualname)
    return facts is not None and facts.bases == (BASE,)


def is_callback_class(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a class of the file derives from Keras's Callback."""
    return isinstance(node, cst.ClassDef) and any(
        ctx.value(base.value) == Api(BASE) or _derives(ctx.value(base.value), ctx) for base in node.bases
    )


def _derives(value: Value, ctx: Context) -> bool:
    facts = ctx.facts.cls(value.qualname) if isinstance(value, RepoClass) else None
    return facts is not None and facts.bases == (BASE,)


def without_base(node: cst.ClassDef, ctx: Context) -> cst.ClassDef:
    """The head of a callback class without Keras's base."""
    kept = [base for base in node.bases if ctx.value(base.value) != Api(BASE)]
    paren = cst.MaybeSentinel.DEFAULT
    return node.with_changes(bases=kept, lpar=paren, rpar=paren) if not kept else node.with_changes(bases=kept)


def is_base_init(line: cst.SimpleStatementLine) -> bool:
    """`super().__init__()`, of which nothing is left."""
    init = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")), args=[])
    return len(line.body) == 1 and m.matches(line.body[0], m.Expr(value=init))


def problem(node: cst.ClassDef) -> str:
    """Why a callback class cannot be a plain object; "" when it can."""
    if find(node, m.Attribute(value=m.Name("self"), attr=m.Name("params"))):
        return "a callback that reads Keras's `params`"
    if find(node, m.Attribute(value=m.Name("self"), attr=m.Name("validation_data"))):
        return "a callback that reads Keras's `validation_data`"
    return ""
