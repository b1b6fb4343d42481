"""New imports in the groups of a file: the standard library's first, the repository's own last."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Collection, Iterable


def in_groups(statements: Iterable[str], own: Collection[str] = ()) -> tuple[list[str], list[str], list[str]]:
    """Statements of the standard library, of other packages, and of the modules that are `own` by their last name."""
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for statement in statements:
        module = _order(statement)[1]
        ours = module.rpartition(".")[2] in own
        groups[2 if ours else 0 if _is_standard(module) else 1].append(statement)
    return groups


def block(*groups: Collection[str]) -> str:
    """Groups of statements, one a line, with blank lines between the groups."""
    return "\n".join("".join(line + "\n" for line in group) for group in groups if group)


def with_groups(text: str, standard: Collection[str], own: Collection[str]) -> str:
    """A run of imports with more of the standard library, among those that are there, and of its own at the end."""
    for statement in standard:
        text = _with_standard(text, statement)
    if not own:
        return text
    last = ast.parse(text).body[-1:]
    relative = any(isinstance(node, ast.ImportFrom) and node.level > 0 for node in last)
    gap = "\n" if last and not relative else ""
    return (text.rstrip("\n") + "\n" if last else text) + gap + block(own)


def joined(text: str, module: str, names: Collection[str], absolute: Callable[[ast.ImportFrom], str]) -> str | None:
    """A run of imports with more names in its plain line for a module; None where it has no such line.

    `absolute`: the full name of the module of a statement, which may be relative.
    """
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if not isinstance(node, ast.ImportFrom) or absolute(node) != module or node.end_lineno != node.lineno:
            continue
        line = re.fullmatch(r"(from \S+ import )([\w, ]*\w)(\s.*)", lines[node.lineno - 1], re.DOTALL)
        if line is None:
            continue
        every = dict.fromkeys([*line[2].split(", "), *names])
        lines[node.lineno - 1] = line[1] + ", ".join(every) + line[3]
        return "".join(lines)
    return None


def _with_standard(text: str, statement: str) -> str:
    lines = text.splitlines(keepends=True)
    group = _standard(text)
    if not group:
        body = [node for node in ast.parse(text).body if not _is_future(node)]
        if not body:
            return text + ("\n" if text.strip() else "") + statement + "\n"
        at = _above_comments(lines, body[0].lineno - 1)
        return "".join([*lines[:at], statement + "\n\n", *lines[at:]])
    after = [node for node in group if _order(ast.unparse(node)) > _order(statement)]
    at = after[0].lineno - 1 if after else group[-1].end_lineno or group[-1].lineno
    if after and at and lines[at - 1].lstrip().startswith("#"):
        at = group[-1].end_lineno or group[-1].lineno
    return "".join([*lines[:at], statement + "\n", *lines[at:]])


def _above_comments(lines: list[str], at: int) -> int:
    while at and lines[at - 1].startswith("#"):
        at -= 1
    return at


def _standard(text: str) -> list[ast.stmt]:
    """The first statements of the standard library that stand together."""
    group: list[ast.stmt] = []
    for node in ast.parse(text).body:
        standard = isinstance(node, ast.Import | ast.ImportFrom) and not _is_future(node)
        standard = standard and _is_standard(_order(ast.unparse(node))[1])
        if group and (not standard or node.lineno != (group[-1].end_lineno or 0) + 1):
            return group
        if standard:
            group.append(node)
    return group


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def _order(statement: str) -> tuple[bool, str]:
    """What sorts the statements of a group: plain imports, then `from` ones, by module ("" for a relative one)."""
    found = re.match(r"(from|import)\s+([\w.]+)", statement)
    return (False, "") if found is None or found[2].startswith(".") else (found[1] == "from", found[2])
