"""A file under migration, and its text for any set of units that stay TensorFlow."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from types import MappingProxyType

import libcst as cst

from migrator.codemods.beside import DOCS, import_line, imported
from migrator.codemods.context import Draft
from migrator.codemods.graph import absolute
from migrator.codemods.import_groups import block, in_groups, joined, with_groups
from migrator.codemods.imports import bound_by, merged, rewrite_imports
from migrator.codemods.positions import Positions
from migrator.codemods.tf_imports import alias_of, global_reads, imports_tensorflow, is_tf_module, unbound
from migrator.codemods.units import Segment, bound_names
from migrator.model import Decline, FileRewrite, Helper, InterfaceChange, Origin, UnitKind, UnitRewrite

DEVICE = 'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'
_DOTTED = re.compile(r"\b([A-Za-z_]\w*)\.")
MARKER = "# TODO(migrator): "


@dataclass(frozen=True)
class Part:
    """A unit and what the codemods made of it; `draft` None means that nothing needed to change."""

    segment: Segment
    draft: Draft | None


@dataclass(frozen=True)
class FileDraft:
    """One file: its units in order. `tf_bindings`: names that imports bind to something of TensorFlow.

    `renames`: imported name → the names that take its place.
    """

    path: str
    module: str
    tree: cst.Module
    parts: tuple[Part, ...]
    tf_bindings: frozenset[str]
    renames: Mapping[str, Sequence[str]]
    positions: Positions | None = None

    def code(self, node: cst.CSTNode) -> str:
        """The original text of a node."""
        return self.tree.code_for_node(node) if self.positions is None else self.positions.code(node)


def migrated(part: Part, reverted: Mapping[str, str]) -> bool:
    """Whether the unit's new text is what goes on disk."""
    return part.draft is not None and not part.draft.declines and part.segment.unit.id not in reverted


def render(
    file: FileDraft, reverted: Mapping[str, str], moved: Mapping[str, str] = MappingProxyType({})
) -> FileRewrite:
    """The file's text with the given units (id → reason) left as TensorFlow.

    `moved`: of those, the ones that use something that is PyTorch now, and what that is.
    """
    texts = [_unit_text(file, part, reverted, moved) for part in file.parts]
    live = [part.draft for part in file.parts if part.draft and migrated(part, reverted)]
    every = _helpers(live)
    helpers = tuple(helper for helper in every if not helper.module)
    needs_device = any(draft.needs_device for draft in live)
    wanted = {name for draft in live for name in draft.imports} | {i for h in helpers for i in h.imports}
    wanted |= {import_line(helper, file.path, file.module) for helper in imported(every)}
    if needs_device:
        wanted.add("import torch")
    body = "\n".join(textwrap.dedent(t) for t in texts if t is not None) + "".join(h.source for h in helpers)
    used = _names(body) | ({"torch"} if needs_device else set())
    stay = [p for p in file.parts if p.draft is not None and not migrated(p, reverted)]
    brought = {name for line in wanted for name in bound_by(line)}
    kept = _tf_kept(file, body, stay, {"device"} | brought) - {helper.name for helper in every} - brought
    texts = _with_imports(file, texts, used, wanted, kept)
    text = _assemble(file, texts, helpers, needs_device)
    offset = len(texts) - len(file.parts)
    units = tuple(_rewrite(file, part, reverted, texts[i + offset] or "") for i, part in enumerate(file.parts))
    return FileRewrite(file.path, text, units, merged(wanted))


def _rewrite(file: FileDraft, part: Part, reverted: Mapping[str, str], text: str) -> UnitRewrite:
    draft, unit = part.draft, part.segment.unit
    if draft is not None:
        unit = replace(unit, kind=draft.kind)
    if unit.kind is UnitKind.IMPORTS:
        return _imports(file, part, text)
    if draft is None:
        return UnitRewrite(unit, None, Origin.UNTOUCHED)
    if not migrated(part, reverted):
        why = draft.declines or (Decline(reverted[unit.id]),)
        return UnitRewrite(unit, None, Origin.UNTOUCHED, declines=why, draft=draft.text, notes=draft.notes)
    return UnitRewrite(
        unit,
        draft.text,
        draft.origin,
        notes=draft.notes,
        changes=draft.changes,
        weights=draft.weights,
        gaps=tuple(sorted(draft.gaps | {gap for helper in draft.helpers for gap in helper.gaps})),
        defines=tuple(sorted(defined(draft.hoisted) | defined(draft.text))),
    )


def _imports(file: FileDraft, part: Part, text: str) -> UnitRewrite:
    """Imports change with what uses them; those of TensorFlow may have to stay for other units."""
    unit = part.segment.unit
    names = {name for statement in part.segment.statements for name in bound_names(statement)}
    original = "".join(file.code(statement) for statement in part.segment.statements)
    same = text == original
    left = imports_tensorflow(text) or (same and bool(names & file.tf_bindings))
    declines = (Decline("units of this file still need it"),) if left else ()
    changes = tuple(
        InterfaceChange(f"{file.module}:{name}", "renames", f"{name} named a module of TensorFlow")
        for name in _aliases(part)
        if name not in defined(text)
    )
    origin = Origin.UNTOUCHED if same else Origin.RULES
    return UnitRewrite(unit, None if same else text, origin, declines=declines, changes=changes)


def _aliases(part: Part) -> list[str]:
    """Names that assignments among imports (`K = keras.backend`) bind to modules."""
    lines = [s for s in part.segment.statements if isinstance(s, cst.SimpleStatementLine)]
    return [name for line in lines for small in line.body if (name := alias_of(small)) is not None]


def _unit_text(file: FileDraft, part: Part, reverted: Mapping[str, str], moved: Mapping[str, str]) -> str | None:
    """The unit's text with its leading comments; None for imports, which come last."""
    unit = part.segment.unit
    if unit.kind is UnitKind.IMPORTS:
        return None
    original = "".join(file.code(statement) for statement in part.segment.statements)
    if part.draft is None:
        return original
    lead, rest = split_lead(original)
    if migrated(part, reverted):
        text = part.draft.text.rstrip("\n") + "\n" if part.draft.text.strip() else ""
        hoisted = _hoisted(part.draft.hoisted)
        return hoisted + ((lead.lstrip("\n") if hoisted else lead) + text if text else "")
    reasons = [reason_of(d) for d in part.draft.declines] or [reverted[unit.id]]
    if unit.id in moved:
        reasons.append(f"it uses {moved[unit.id]}, PyTorch now, and does not run before it is migrated too")
    return lead + "".join(f"{MARKER}{_one_line(reason)}\n" for reason in dict.fromkeys(reasons)) + rest


def reason_of(decline: Decline) -> str:
    """The reason with the API that it is about."""
    return decline.reason if not decline.api or decline.api in decline.reason else f"{decline.api}: {decline.reason}"


def _hoisted(text: str) -> str:
    return "\n\n" + text.strip("\n") + "\n\n\n" if text.strip() else ""


def _one_line(reason: str) -> str:
    return " ".join(reason.split())[:160]


def split_lead(text: str) -> tuple[str, str]:
    """The blank and comment lines that a unit begins with, and the rest."""
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return "".join(lines[:index]), "".join(lines[index:])
    return text, ""


def _helpers(drafts: Sequence[Draft]) -> tuple[Helper, ...]:
    found: dict[str, Helper] = {}
    for draft in drafts:
        for helper in draft.helpers:
            found.setdefault(helper.name, helper)
    return tuple(found.values())


@lru_cache(4096)  # files are put together anew in every round, of much the same texts
def _names(body: str) -> frozenset[str]:
    try:
        tree = ast.parse(body)
    except SyntaxError:
        return frozenset()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(names | _exported(tree))


def _names_exported(body: str) -> set[str]:
    if "__all__" not in body:
        return set()
    try:
        return _exported(ast.parse(body))
    except SyntaxError:
        return set()


def _bound_by_imports(statements: Sequence[cst.BaseStatement]) -> frozenset[str]:
    return frozenset(name for statement in statements for name in bound_names(statement))


def _exported(tree: ast.Module) -> set[str]:
    """Names listed in `__all__`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    return set()


@lru_cache(4096)
def defined(text: str) -> frozenset[str]:
    """Names of the module that the statements of a text define or assign; none where it does not parse."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return frozenset()
    names: set[str] = set()
    todo: list[ast.AST] = [*tree.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, _SCOPES):
            todo += ast.iter_child_nodes(node)
    return frozenset(names)


_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _tf_kept(file: FileDraft, body: str, stay: Sequence[Part], added: set[str]) -> frozenset[str]:
    """Names for TensorFlow that are still read, be it in quotes of the units that stay; "*" for a star import.

    `added`: names that the migrated file binds besides those of its units.
    """
    quoted = "".join(file.code(s) for part in stay for s in part.segment.statements)
    kept = set(global_reads(body) | _names_exported(body) | set(_DOTTED.findall(quoted))) & file.tf_bindings
    aliases = [s for p in file.parts if p.segment.unit.kind is UnitKind.IMPORTS for s in p.segment.statements]
    while more := {
        name
        for statement in aliases
        if kept & set(bound_names(statement))
        for name in global_reads(textwrap.dedent(file.code(statement))) & file.tf_bindings - kept
    }:
        kept |= more
    if "*" in file.tf_bindings and (stay or unbound(body, _bound_by_imports(aliases) | added)):
        kept.add("*")
    return frozenset(kept)


def _with_imports(
    file: FileDraft, texts: list[str | None], used: frozenset[str], wanted: set[str], tf_kept: frozenset[str]
) -> list[str | None]:
    code = file.code
    bodies = [p.segment.statements for p in file.parts if p.segment.unit.kind is not UnitKind.IMPORTS]
    original = _names("".join(code(s) for statements in bodies for s in statements))
    runs = [i for i, part in enumerate(file.parts) if part.segment.unit.kind is UnitKind.IMPORTS]
    have = {line.strip() for i in runs for s in file.parts[i].segment.statements for line in code(s).splitlines()}
    added = [line for line in merged(wanted) if line not in have and set(bound_by(line)) & used]

    def keep(binding: str, dotted: str) -> bool:
        if binding == "*":
            return binding in tf_kept or not is_tf_module(dotted)
        if binding in file.tf_bindings:
            return binding in tf_kept
        if binding in used or dotted.startswith("__future__"):
            return True
        return binding not in original

    def beside(statement: cst.BaseStatement) -> bool:
        return bool(set(bound_names(statement)) & file.tf_bindings)

    target = next((i for i in runs if any(map(beside, file.parts[i].segment.statements))), runs[0] if runs else None)
    out = list(texts)
    renames = {name: new for name, new in file.renames.items() if name not in used or set(new) & used}
    homes = {
        line: i
        for line in added
        for i in runs
        if _joined(file, "".join(map(code, file.parts[i].segment.statements)), line)
    }
    standard, others, own = in_groups([line for line in added if line not in homes], DOCS)
    for i in runs:
        new = others if i == target else []
        text = rewrite_imports(file.parts[i].segment.statements, code, keep, renames, new, beside)
        for line in (line for line, home in homes.items() if home == i):
            text = _joined(file, text, line) or with_groups(text, (), (line,))
        out[i] = with_groups(text, standard, own) if i == target else text
    if target is None and added:
        at = 1 if file.parts and _is_docstring(file.parts[0].segment) else 0
        out.insert(at, block(standard, others, own))
    return out


def _joined(file: FileDraft, text: str, line: str) -> str | None:
    """A run of imports with one more, in the line that it has for the same module; None where it has none."""
    module, _, names = line.removeprefix("from ").partition(" import ")
    is_package = PurePosixPath(file.path).name == "__init__.py"
    return joined(
        text,
        module,
        names.split(", ") if names else [],
        lambda node: absolute(node.module or "", node.level, file.module, is_package),
    )


def _is_docstring(segment: Segment) -> bool:
    first = segment.statements[0]
    return (
        len(segment.statements) == 1
        and isinstance(first, cst.SimpleStatementLine)
        and isinstance(first.body[0], cst.Expr)
        and isinstance(first.body[0].value, cst.SimpleString)
    )


def _assemble(file: FileDraft, texts: Sequence[str | None], helpers: Sequence[Helper], needs_device: bool) -> str:
    """All texts in order, the device and the helpers before the first definition, blank lines tidied."""
    header = "".join(_header_lines(file.tree))
    extra = [DEVICE] if needs_device else []
    extra += [helper.source.rstrip("\n") + "\n" for helper in helpers]
    out: list[str] = []
    placed = not extra
    offset = len(texts) - len(file.parts)
    needed = _torch_import(file, texts, offset)
    for index, text in enumerate(texts):
        if text is None or not text:
            continue
        kind = file.parts[index - offset].segment.unit.kind if index >= offset else UnitKind.IMPORTS
        constant = kind is UnitKind.CONSTANT and not (needs_device and re.search(r"\bdevice\b", text))
        if not placed and index > needed and kind is not UnitKind.IMPORTS and not constant:
            out += _spaced(extra, needs_device)
            placed = True
            text = "\n\n" + text.lstrip("\n")
        if index > offset and _ends_in_definition(texts[index - 1], file.parts[index - offset - 1]):
            text = "\n\n" + text.lstrip("\n")
        out.append(text)
    if not placed:
        out += _spaced(extra, needs_device)
    footer = "".join(_footer_lines(file.tree))
    joined = header + "".join(out) + footer
    return joined if joined.endswith("\n") or not joined else joined + "\n"


def _ends_in_definition(text: str | None, part: Part) -> bool:
    """Whether a function or class stands last that the original does not have there."""
    last = part.segment.statements[-1]
    if not text or isinstance(last, cst.FunctionDef | cst.ClassDef):
        return False
    outer = [line for line in text.splitlines() if line and not line.startswith((" ", ")", "#"))]
    return bool(outer) and outer[-1].startswith(("def ", "class ")) and text.splitlines()[-1].startswith(" ")


def _torch_import(file: FileDraft, texts: Sequence[str | None], offset: int) -> int:
    """Where torch is imported first; -1 where it is not, or before all units."""
    runs = [i for i, part in enumerate(file.parts) if part.segment.unit.kind is UnitKind.IMPORTS]
    return next((i + offset for i in runs if re.search(r"^import torch$", texts[i + offset] or "", re.MULTILINE)), -1)


def _spaced(extra: Sequence[str], needs_device: bool) -> list[str]:
    return [("\n" if needs_device and i == 0 else "\n\n") + text for i, text in enumerate(extra)]


def _header_lines(tree: cst.Module) -> list[str]:
    return [(line.comment.value if line.comment else "") + "\n" for line in tree.header]


def _footer_lines(tree: cst.Module) -> list[str]:
    return [(line.comment.value if line.comment else "") + "\n" for line in tree.footer if line.comment]
