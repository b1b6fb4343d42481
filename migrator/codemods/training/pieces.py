"""Parts of statements: comments, heads of blocks, names that loops bind."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def comments_of(statement: Statement) -> list[cst.EmptyLine]:
    """The comment lines above a statement and inside it."""
    lines = find(statement, m.EmptyLine(comment=m.Comment()))
    return [line for line in lines if isinstance(line, cst.EmptyLine)]


def cut(node: Statement, bare: Statement) -> list[cst.CSTNode]:
    """The parts of a block that its head does not have."""
    parts = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    kept = set(getattr(bare, "decorators", ()))
    parts += [d for d in getattr(node, "decorators", ()) if d not in kept]
    parts += [base for base in getattr(node, "bases", ()) if base not in getattr(bare, "bases", ())]
    parts += [handler.body for handler in getattr(node, "handlers", ())]
    return [part for part in parts if part is not None]


def target_names(target: cst.BaseExpression) -> list[str]:
    """The names that a loop binds, where they are plain."""
    if isinstance(target, cst.Name):
        return [target.value]
    if isinstance(target, cst.Tuple) and all(isinstance(e.value, cst.Name) for e in target.elements):
        return [e.value.value for e in target.elements if isinstance(e.value, cst.Name) and e.value.value != "_"]
    return []


EMPTY = cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Pass()])])


def is_echo(line: cst.SimpleStatementLine, decided: dict[cst.CSTNode, str]) -> bool:
    """A line that would say no more than `history` or `history = history`."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Expr | cst.Assign) or part.value not in decided:
        return False
    text = decided[part.value]
    if isinstance(part, cst.Expr):
        return text.isidentifier()
    target = part.targets[0].target
    return len(part.targets) == 1 and isinstance(target, cst.Name) and target.value == text


def with_lead(line: Statement, new: list[Statement]) -> list[Statement]:
    """The new statements under the comments of the old line."""
    if new:
        new[0] = new[0].with_changes(leading_lines=[*line.leading_lines, *new[0].leading_lines])
    return new
