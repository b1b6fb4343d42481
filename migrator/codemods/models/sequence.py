"""A Sequential model as the calls on one variable that it stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models.forward import Line, body_of
from migrator.codemods.models.term import Term
from migrator.codemods.models.text import names, substitute
from migrator.values import Span

INPUT = "x"
Spans = dict[cst.CSTNode, Span]


def is_sequential(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression is a call of `Sequential`."""
    if not isinstance(node, cst.Call):
        return False
    name = getattr(ctx.value(node.func), "name", "")
    return bool(name == "tf.keras.Sequential" or name == "tf.keras.models.Sequential")


def layers_of(node: cst.Call) -> list[cst.Element] | None:
    """The entries listed in `Sequential([...])`; None when they are not listed."""
    args = [a for a in node.args if not (a.keyword and a.keyword.value == "name")]
    if not args:
        return []
    first = args[0].value
    if isinstance(first, cst.List | cst.Tuple) and all(isinstance(e, cst.Element) for e in first.elements):
        return [e for e in first.elements if isinstance(e, cst.Element)]
    return None


def calls(node: cst.Call, ctx: Context) -> list[cst.BaseStatement] | None:
    """`Sequential([a, b])` as `x = a(x)`, `x = b(x)`, with the comments of the list."""
    entries = layers_of(node)
    if entries is None:
        return None
    first = next((a.value for a in node.args if isinstance(a.value, cst.List)), None)
    found: list[cst.BaseStatement] = []
    above = _comment_lines(first.lbracket.whitespace_after if first is not None else None)
    for entry in entries:
        made = call_of(entry.value, above, ctx)
        above = above if made is None else []
        found += [made] if made is not None else []
        if isinstance(entry.comma, cst.Comma):
            above = [*above, *_comment_lines(entry.comma.whitespace_after)]
    return found


def _comment_lines(white: object) -> list[cst.EmptyLine]:
    lines: list[cst.EmptyLine] = []
    if isinstance(white, cst.ParenthesizedWhitespace):
        if white.first_line.comment:
            lines.append(cst.EmptyLine(comment=white.first_line.comment))
        lines += [cst.EmptyLine(comment=line.comment) for line in white.empty_lines if line.comment]
    return lines


def call_of(layer: cst.BaseExpression, above: Sequence[cst.EmptyLine], ctx: Context) -> cst.SimpleStatementLine | None:
    """`x = layer(x)`; None for an input, which is no layer."""
    value = ctx.value(layer)
    callee = getattr(ctx.value(layer.func), "name", "") if isinstance(layer, cst.Call) else ""
    if f"{getattr(value, 'api', '')} {callee}".rpartition(".")[2] in ("Input", "InputLayer"):
        return None
    call = cst.Call(layer, [cst.Arg(cst.Name(INPUT))])
    assign = cst.Assign([cst.AssignTarget(cst.Name(INPUT))], call)
    return cst.SimpleStatementLine([assign], leading_lines=list(above))


def additions(statement: cst.BaseStatement, model: str, ctx: Context, spans: Spans) -> cst.BaseStatement | None:
    """A statement that adds layers to `model` (`model.add(...)`, alone, in a loop, under a condition) as calls.

    None when the statement does nothing of the kind, or does something else as well. `spans` receives the
    positions of compound statements that had to be made again.
    """
    if isinstance(statement, cst.SimpleStatementLine):
        layer = added(statement, model)
        if layer is None:
            return None
        return call_of(layer, statement.leading_lines, ctx) or cst.SimpleStatementLine([cst.Pass()])
    if isinstance(statement, cst.For | cst.If) and mentions(statement, model):
        orelse = statement.orelse
        if isinstance(orelse, cst.Else | cst.If):
            orelse = _otherwise(orelse, model, ctx, spans)
            if orelse is None:
                return None
        block = _block(body_of(statement), model, ctx, spans)
        if block is None:
            return None
        made = statement.with_changes(body=block, orelse=orelse)
        spans[made] = ctx.spans[statement]
        return made
    return None


def shows(statement: cst.BaseStatement, model: str) -> bool:
    """Whether a line does nothing but print a model: `model.summary()`."""
    summary = m.Call(func=m.Attribute(value=m.Name(model), attr=m.Name("summary")))
    return m.matches(statement, m.SimpleStatementLine([m.Expr(summary)]))


def _otherwise(node: cst.Else | cst.If, model: str, ctx: Context, spans: Spans) -> cst.Else | cst.If | None:
    if isinstance(node, cst.If):
        found = additions(node, model, ctx, spans)
        return found if isinstance(found, cst.If) else None
    block = _block(body_of(node), model, ctx, spans)
    return None if block is None else node.with_changes(body=block)


def _block(statements: Sequence[cst.BaseStatement], model: str, ctx: Context, spans: Spans) -> cst.IndentedBlock | None:
    found: list[cst.BaseStatement] = []
    for statement in statements:
        made = additions(statement, model, ctx, spans)
        if made is None and mentions(statement, model):
            return None
        found.append(made if made is not None else statement)
    return cst.IndentedBlock(found)


def added(statement: cst.BaseStatement, model: str) -> cst.BaseExpression | None:
    """The layer of `model.add(layer)`."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    if not isinstance(small, cst.Expr) or not isinstance(small.value, cst.Call):
        return None
    func = small.value.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "add" or len(small.value.args) != 1:
        return None
    return small.value.args[0].value if get_full_name_for_node(func.value) == model else None


def mentions(node: cst.CSTNode, name: str) -> bool:
    """Whether a plain name is read or written below a node."""
    return name in names(node)


def merged(lines: Sequence[Line], main: Sequence[str]) -> list[Line]:
    """Lines of a chain with what follows a layer (normalisation, activation, pooling) put around it.

    `main`: attributes that begin a line of their own.
    """
    found: list[Line] = []
    for line in lines:
        last = found[-1] if found else None
        if last is not None and _merges(last, line, main):
            value = last.text[0].partition(" = ")[2]
            text = substitute(line.text[0].partition(" = ")[2], {INPUT: value})
            term = line.term
            found[-1] = Line([f"{INPUT} = {text}"], INPUT, None if term is None else _around(term, value))
        else:
            found.append(line)
    return found


def _around(term: Term, value: str) -> Term:
    before = None if term.before is None else substitute(term.before, {INPUT: value})
    return replace(term, text=substitute(term.text, {INPUT: value}), before=before)


def _merges(last: Line, line: Line, main: Sequence[str]) -> bool:
    if len(last.text) != 1 or len(line.text) != 1 or line.name != INPUT or last.name != INPUT:
        return False
    one, two = last.text[0], line.text[0].partition(" = ")[2]
    if "#" in one or "#" in line.text[0] or names(two).get(INPUT) != 1:
        return False
    if any(re.search(rf"self\.{re.escape(attr)}\(", two) for attr in main):
        return False
    depth = one.count("(") + two.count("(")
    return depth <= 3 and len(one) + len(two) <= 80
