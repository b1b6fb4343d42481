"""From a unit that the rules left to the fragment that a model is asked about."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator_validators.planning import Plan

from migrator.codemods.files import FileDraft, Part, reason_of
from migrator.codemods.repository import RepositoryDraft
from migrator.completion.acceptance import acceptance
from migrator.completion.contracts import contract
from migrator.completion.examples import chosen
from migrator.completion.holes import frame
from migrator.completion.wording import of_class, of_function
from migrator.llm import semantics
from migrator.llm.fragment import Contract, Example, Fragment, Neighbour
from migrator.llm.frame import Frame
from migrator.llm.packing import tokens
from migrator.model import Decline, FileRewrite, InterfaceChange, UnitKind
from migrator.values import Facts

LINES_OF_USE = 6
"""Lines of a caller that are shown."""

LONGEST_NEIGHBOUR = 120
"""Tokens of something used that is shown as it is; of what is longer the heads say how it is called."""

_CHANGES = {
    "adds-size": "its constructor gains {added}: sizes of its inputs, which the callers give",
    "drops-parameter": "it {detail}",
    "call-to-forward": "`call` is `forward`",
    "factory-to-module": "{detail}, an nn.Module of the same arguments plus {added}, without {removed}",
    "takes-channels-first": "it is used inside other modules only: its image inputs and outputs are {detail}, not NHWC",
}


@dataclass(frozen=True)
class Surroundings:
    """What a fragment is made from, the same for all units of a round.

    `files`: as they stand with what is accepted so far. `plans`: what the verifier will run, by unit.
    `examples`: accepted pairs to choose from.
    """

    draft: RepositoryDraft
    files: Mapping[str, FileRewrite]
    facts: Facts
    plans: Mapping[str, Plan] = field(default_factory=dict)
    examples: Sequence[Example] = ()
    values: bool = False  # recorded text may be told


def fragment(unit: str, around: Surroundings, rejected: str = "", whole: bool = False) -> Fragment:
    """All that a model is told of a unit. `rejected`: why the verifier refused what the rules wrote, if it did.

    `whole`: it will be written anew, not only where the rules stopped.
    """
    file, part = around.draft.part(unit)
    assert part.draft is not None
    changes = [c for f in around.draft.files.values() for p in f.parts if p.draft for c in p.draft.changes]
    held = contract(file, part, changes, frozenset(name.split(".")[0] for name in around.facts.modules))
    declined, near, apis = _apis(part)
    kind = around.draft.kind(unit)
    original = textwrap.dedent(held.original).strip("\n") + "\n"
    held_frame = None if rejected or whole else _frame(file, part, original)
    told = _Reasons(file, part, held_frame)
    return Fragment(
        id=unit,
        path=file.path,
        name=part.segment.unit.name,
        kind=_kind(kind),
        original=original,
        contract=held,
        apis=apis,
        reasons=tuple(told.lines(rejected)),
        draft=_draft(part, original) if rejected else "",
        frame=held_frame,
        interface=tuple(_interface(part.draft.changes)),
        facts=tuple(_needed(_facts(file, part, around.facts), held_frame)),
        uses=tuple(_uses(unit, around)),
        used_by=tuple(_used_by(unit, held, around)),
        differences=semantics.about(declined or near or apis, original, near if held_frame else apis),
        acceptance=tuple(acceptance(around.plans.get(unit), around.values)),
        examples=chosen(around.examples, declined or near or apis, original)[: 1 if held_frame else None],
        imports=tuple(_names(held, file)),
    )


def _kind(kind: UnitKind) -> str:
    return {UnitKind.DATA: "function that makes data", UnitKind.TRAINING: "training code"}.get(kind, str(kind))


def _apis(part: Part) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The APIs that were declined, those on lines that were, and all that the unit uses."""
    uses = part.segment.unit.uses
    declined = [d.api for d in declines(part) if d.api]
    spans = [d.span for d in declines(part) if d.span is not None]
    near = [name for name, use in uses if any(span.line <= use.line <= span.end_line for span in spans)]
    found = (declined, near, [*declined, *(name for name, _ in uses)])
    return tuple(dict.fromkeys(found[0])), tuple(dict.fromkeys(found[1])), tuple(dict.fromkeys(found[2]))


@dataclass(frozen=True)
class _Reasons:
    """Why the rules stopped: those that a hole says are not said again."""

    file: FileDraft
    part: Part
    frame: Frame | None

    def lines(self, rejected: str) -> Iterator[str]:
        """Each decline with the line that it is about; what only follows from others comes last."""
        if rejected:
            yield f"what the rules wrote failed its check: {rejected}"
        said = {reason for hole in self.frame.holes for reason in hole.why} if self.frame is not None else set()
        lines = self.file.tree.code.split("\n")
        for decline in sorted(declines(self.part), key=lambda d: d.span is None):
            line = lines[decline.span.line - 1].strip() if decline.span is not None else ""
            reason = reason_of(decline)
            if reason not in said:
                said.add(reason)
                yield f"`{line}`: {reason}" if line and self.frame is None else reason


def declines(part: Part) -> list[Decline]:
    """Why the rules stopped, mistakes of ours left out."""
    found = part.draft.declines if part.draft is not None else ()
    return [d for d in found if not d.reason.startswith("a mistake of the migrator")]


def _frame(file: FileDraft, part: Part, original: str) -> Frame | None:
    """The rules' text with holes, where they stopped at known places and wrote the rest."""
    assert part.draft is not None
    if len(declines(part)) < len(part.draft.declines):
        return None
    text = textwrap.dedent("\n\n".join(t.strip("\n") for t in (part.draft.hoisted, part.draft.text) if t.strip()))
    located, rest = _lines(file, part, original), [reason_of(d) for d in declines(part) if d.span is None]
    found = frame(original, text.strip("\n") + "\n", located, rest, {*file.tf_bindings, "tf", "keras"})
    if found is None:
        return None
    return replace(found, imports=tuple(sorted(part.draft.imports)))


def _lines(file: FileDraft, part: Part, original: str) -> dict[int, list[str]]:
    """Line of the original text (0-based) → why the rules stopped there. The unit's last lines are the text's."""
    text, found = original.rstrip("\n").split("\n"), dict[int, list[str]]()
    lines = file.tree.code.split("\n")
    for decline in declines(part):
        if decline.span is not None:
            at = len(text) - 1 - (part.segment.unit.end - decline.span.line)
            same = 0 <= at < len(text) and text[at].strip() == lines[decline.span.line - 1].strip()
            found.setdefault(at if same else -1, []).append(reason_of(decline))
    return found


def _needed(facts: Iterator[str], held: Frame | None) -> Iterator[str]:
    """Facts about what a hole mentions; without holes, all."""
    wanted = set(re.findall(r"\w+", " ".join(hole.was for hole in held.holes))) if held is not None else set()
    for line in facts:
        name = re.search(r"`(?:self\.)?(\w+)`", line)
        if held is None or name is None or name.group(1) in wanted:
            yield line


def _draft(part: Part, original: str) -> str:
    """What the rules wrote, where that is more than the original."""
    assert part.draft is not None
    if len(declines(part)) < len(part.draft.declines):
        return ""
    text = textwrap.dedent("\n\n".join(t.strip("\n") for t in (part.draft.hoisted, part.draft.text) if t.strip()))
    helpers = "\n\n".join(h.source.strip("\n") for h in part.draft.helpers)
    same = _squeezed(text) == _squeezed(original) or not text.strip()
    return "" if same else (f"{helpers}\n\n{text}" if helpers else text).strip("\n") + "\n"


def _squeezed(text: str) -> str:
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return text


def _interface(changes: Sequence[InterfaceChange]) -> Iterator[str]:
    for change in changes:
        words = _CHANGES.get(change.kind, "{kind}: {detail}")
        added, removed = ", ".join(change.added) or "nothing", ", ".join(change.removed) or "nothing"
        line = words.format(kind=change.kind, detail=change.detail, added=added, removed=removed)
        yield f"permitted change of `{change.qualname.rpartition(':')[2]}`: {line}"


def _facts(file: FileDraft, part: Part, facts: Facts) -> Iterator[str]:
    for node in ast.parse("".join(file.code(s) for s in part.segment.statements)).body:
        if isinstance(node, ast.ClassDef):
            yield from of_class(f"{file.module}:{node.name}", facts)
        elif isinstance(node, ast.FunctionDef):
            known = facts.function(f"{file.module}:{node.name}")
            yield from of_function(known) if known is not None else ()


# --- neighbours --------------------------------------------------------------------------------------------


def _uses(unit: str, around: Surroundings) -> Iterator[Neighbour]:
    rewrites = {u.unit.id: u for f in around.files.values() for u in f.units}
    for other in sorted(around.draft.edges.get(unit, ())):
        file, part = around.draft.part(other)
        rewrite = rewrites.get(other)
        migrated = rewrite is not None and rewrite.text is not None
        text = rewrite.text if migrated and rewrite is not None and rewrite.text else _original(file, part)
        text = textwrap.dedent(text).strip("\n") + "\n"
        text = signature(text) if tokens(text) > LONGEST_NEIGHBOUR else text
        state = "in PyTorch already" if migrated else "as it is" if part.draft is None else "still to be written"
        yield Neighbour(part.segment.unit.name.partition("@")[0], file.path, signature(text), text, state)


def _original(file: FileDraft, part: Part) -> str:
    return "".join(file.code(statement) for statement in part.segment.statements)


def signature(text: str) -> str:
    """The heads of the definitions in a text, with their docstrings' first lines and without bodies."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return text.partition("\n")[0] + "\n"
    return "\n".join(line for node in tree.body for line in _head(node, "")) + "\n"


def _head(node: ast.stmt, indent: str) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        yield f"{indent}def {node.name}({ast.unparse(node.args)}){returns}: ..."
    elif isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        yield f"{indent}class {node.name}({bases}):"
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef):
                yield from _head(inner, f"{indent}    ")
    elif not isinstance(node, ast.Expr):
        yield f"{indent}{ast.unparse(node)[:120]}"


def _used_by(unit: str, held: Contract, around: Surroundings) -> Iterator[Neighbour]:
    """The lines of other units that name what this one defines."""
    names = [d.name for d in held.definitions]
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b") if names else None
    if pattern is None:
        return
    for user, targets in around.draft.edges.items():
        if unit not in targets or user == unit:
            continue
        file, part = around.draft.part(user)
        text = part.draft.text if part.draft is not None else _original(file, part)
        lines = [line.strip() for line in text.splitlines() if pattern.search(line)][:LINES_OF_USE]
        if lines:
            shown = "\n".join(lines) + "\n"
            yield Neighbour(part.segment.unit.name.partition("@")[0], file.path, shown, shown)


def _names(held: Contract, file: FileDraft) -> Iterator[str]:
    """What the file's imports bind for the unit once TensorFlow is gone."""
    for line in held.imports:
        bound = line.rpartition(" as ")[2].rpartition("import ")[2].split(".")[0].strip()
        if bound in file.renames:
            module = line.partition(" import ")[0]
            yield f"{module} import {', '.join(file.renames[bound])}"
        elif bound not in held.tf_names:
            yield line
