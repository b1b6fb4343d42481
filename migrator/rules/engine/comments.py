"""Comments inside rewritten expressions: none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import libcst as cst


class _Collect(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: list[cst.Comment] = []

    def visit_Comment(self, node: cst.Comment) -> None:
        self.found.append(node)


def inside(node: cst.CSTNode) -> list[cst.Comment]:
    """The comments below a node, in order."""
    collect = _Collect()
    node.visit(collect)
    return collect.found


def lost(before: cst.CSTNode, after: cst.CSTNode) -> list[cst.Comment]:
    """The comments of `before` that are not in `after`."""
    if not _multi_line(before):
        return []
    left = Counter(c.value for c in inside(after))
    missing = []
    for comment in inside(before):
        if left[comment.value]:
            left[comment.value] -= 1
        else:
            missing.append(comment)
    return missing


def _multi_line(node: cst.CSTNode) -> bool:
    """Whether a node can hold a comment at all, asked cheaply: only a bracket over lines can."""
    return any(isinstance(n, cst.ParenthesizedWhitespace) for n in _spaces(node))


def _spaces(node: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.ParenthesizedWhitespace):
            return [current]
        stack.extend(current.children)
    return found


def above(line: cst.SimpleStatementLine, comments: Sequence[cst.Comment]) -> cst.SimpleStatementLine:
    """The statement with the comments on lines of their own above it."""
    if not comments:
        return line
    lines = [cst.EmptyLine(comment=c) for c in comments]
    return line.with_changes(leading_lines=[*line.leading_lines, *lines])
