"""The import block: TensorFlow's names go when nothing uses them, torch's come where they were."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import libcst as cst
from libcst.helpers import get_full_name_for_node

from migrator.codemods.tf_imports import alias_of
from migrator.codemods.units import bound_names

_FROM = re.compile(r"from (\S+) import (.+)")


def bound_by(statement: str) -> tuple[str, ...]:
    """The names that an import statement (as text, one line) binds."""
    found = _FROM.fullmatch(statement)
    parts = (found[2] if found else statement.removeprefix("import ")).split(", ")
    return tuple(part.split(" as ")[-1].split(".")[0] for part in parts)


def merged(statements: Iterable[str]) -> tuple[str, ...]:
    """Import statements without repeats: plain ones first, then `from` ones, one line a module, sorted."""
    plain: set[str] = set()
    names: dict[str, set[str]] = defaultdict(set)
    for statement in statements:
        found = _FROM.fullmatch(statement)
        if found:
            names[found[1]].update(found[2].split(", "))
        else:
            plain.add(statement)
    froms = [f"from {module} import {', '.join(sorted(members))}" for module, members in sorted(names.items())]
    return (*sorted(plain), *froms)


def rewrite_imports(
    statements: Sequence[cst.BaseStatement],
    code: Callable[[cst.CSTNode], str],
    keep: Callable[[str, str], bool],
    renames: Mapping[str, Sequence[str]],
    added: Sequence[str],
    beside: Callable[[cst.BaseStatement], bool] = lambda statement: False,
) -> str:
    """The text of one run of import statements.

    `keep(binding, dotted source)` says whether a bound name stays; `renames` gives for an imported
    name the names that replace it; `added` are statements to put where the first removed import
    was, else behind the first statement that `beside` holds of, else at the end.
    """
    out: list[str] = []
    new = "".join(line + "\n" for line in added)
    nothing_goes = all(_statement(statement, code, keep, renames)[1] for statement in statements)
    carried = ""  # comments of removed imports go to the next statement
    for statement in statements:
        lead = "".join(_lead(statement))
        text, whole = _statement(statement, code, keep, renames)
        if not whole and new:
            lead, new = "", _put(out, carried + lead, new)
        if text:
            out.append(carried + lead + text)
            carried = ""
            if new and nothing_goes and beside(statement):
                new = _put(out, "", new)
        else:
            carried += _comments(lead)
    return "".join(out) + carried + new


def _put(out: list[str], lead: str, text: str) -> str:
    """Append the new imports with the lines that stood before the first removed one."""
    out.append(lead + text)
    return ""


def _comments(lead: str) -> str:
    return "".join(line + "\n" for line in lead.splitlines() if line.strip())


def _lead(statement: cst.BaseStatement) -> list[str]:
    lines: Collection[cst.EmptyLine] = getattr(statement, "leading_lines", ())
    return [(line.comment.value if line.comment else "") + "\n" for line in lines]


def _statement(
    statement: cst.BaseStatement,
    code: Callable[[cst.CSTNode], str],
    keep: Callable[[str, str], bool],
    renames: Mapping[str, Sequence[str]],
) -> tuple[str, bool]:
    """(text without leading lines, whether nothing was removed)."""
    if not isinstance(statement, cst.SimpleStatementLine):  # an import under a condition goes as a whole
        stays = any(keep(name, "") for name in bound_names(statement))
        return (code(statement.with_changes(leading_lines=())), True) if stays else ("", False)
    parts: list[str] = []
    whole = True
    for part in statement.body:
        new, same = _import(part, code, keep, renames)
        whole = whole and same
        if new:
            parts.append(new)
    if whole and not renames:
        return code(statement.with_changes(leading_lines=())), True
    if not parts:
        return "", False
    comment = statement.trailing_whitespace.comment
    return "; ".join(parts) + (f"  {comment.value}" if comment else "") + "\n", whole


def _import(
    part: cst.BaseSmallStatement,
    code: Callable[[cst.CSTNode], str],
    keep: Callable[[str, str], bool],
    renames: Mapping[str, Sequence[str]],
) -> tuple[str, bool]:
    if isinstance(part, cst.Import):
        kept = [alias for alias in part.names if keep(*_binding(alias, ""))]
        text = "import " + ", ".join(code(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in kept)
        return (text if kept else ""), len(kept) == len(part.names)
    if isinstance(part, cst.ImportFrom) and not isinstance(part.names, cst.ImportStar):
        return _from(part, part.names, code, keep, renames)
    name = "*" if isinstance(part, cst.ImportFrom) else alias_of(part)
    module = get_full_name_for_node(part.module) if isinstance(part, cst.ImportFrom) and part.module else ""
    stays = name is None or keep(name, module or "")
    return (code(part), True) if stays else ("", False)


def _from(
    part: cst.ImportFrom,
    aliases: Sequence[cst.ImportAlias],
    code: Callable[[cst.CSTNode], str],
    keep: Callable[[str, str], bool],
    renames: Mapping[str, Sequence[str]],
) -> tuple[str, bool]:
    module = "." * len(part.relative) + (get_full_name_for_node(part.module) if part.module else "")  # type: ignore[operator]
    names: list[str] = []
    touched = False
    removed = False
    for alias in aliases:
        binding, dotted = _binding(alias, module)
        if binding in renames:
            names += [name for name in renames[binding] if name not in names]
            touched = True
        elif keep(binding, dotted):
            names.append(code(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)))
        else:
            removed = True
    if not touched and not removed:
        return code(part), True
    if not names:
        return "", False
    line = f"from {module} import {', '.join(names)}"
    if len(line) > 100:
        line = f"from {module} import (\n    " + ",\n    ".join(names) + ",\n)"
    return line, not removed


def _binding(alias: cst.ImportAlias, module: str) -> tuple[str, str]:
    """(the name bound in the file, the dotted name it stands for)."""
    dotted = get_full_name_for_node(alias.name) or ""
    full = f"{module}.{dotted}" if module and not module.endswith(".") else module + dotted
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value, full
    return (dotted if module else dotted.split(".")[0]), full
