"""From a repository and its facts to drafts of every file."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import libcst as cst

from migrator.codemods.beside import with_modules
from migrator.codemods.clashes import without_clash
from migrator.codemods.context import Context, Draft, ModelTraits, Objects, Rules
from migrator.codemods.dispatch import draft_unit, is_model_unit
from migrator.codemods.edges import Edges, edges_of
from migrator.codemods.files import FileDraft, Part, defined, migrated, render
from migrator.codemods.graph import dependents, imported_names
from migrator.codemods.image_format import without_format
from migrator.codemods.imports import bound_by
from migrator.codemods.leftovers import handed_to_protobuf, hidden_builtins, tidy
from migrator.codemods.models import ModelPlan, keeps_data, plan_models, shapes_asked
from migrator.codemods.positions import Positions
from migrator.codemods.splitting import split
from migrator.codemods.tf_imports import alias_of, global_reads
from migrator.codemods.units import MAIN, Segment, bound_names, segment
from migrator.model import Decline, FileRewrite, InterfaceChange, SourceFile, UnitKind
from migrator.values import Facts

INERT = frozenset({UnitKind.IMPORTS, UnitKind.CONSTANT})


@dataclass(frozen=True)
class RepositoryDraft:
    """The drafts of all files that TensorFlow touches, and which unit refers to which."""

    files: Mapping[str, FileDraft]
    edges: Edges

    def closure(self, reverted: Mapping[str, str]) -> dict[str, str]:
        """`reverted` with everything that stays TensorFlow because of it: unit id → reason."""
        parts = self._parts()
        left = {
            uid: "; ".join(d.reason for d in p.draft.declines)
            for uid, p in parts.items()
            if p.draft and p.draft.declines
        }
        left.update(reverted)
        needed = self._needed(left)
        left.update(needed)
        reached = dependents(self.edges, list(left), blocked=lambda unit: unit in left)
        users = {
            unit: f"it uses {_named(root)}, which stays TensorFlow"
            for unit, root in reached.items()
            if parts[unit].draft is not None
        }
        return {**users, **needed, **reverted}

    def _needed(self, left: Mapping[str, str]) -> dict[str, str]:
        """Units whose name would be gone, although something that stays TensorFlow refers to it."""
        parts, found = self._parts(), dict[str, str]()
        while True:
            stays = {**left, **found}
            users = {**stays, **dependents(self.edges, list(stays), blocked=stays.__contains__)}
            gone = [u for u, p in parts.items() if p.draft and u not in stays and self._takes_names_away(p)]
            more = {
                u: user
                for u in gone
                for user in users
                if u in self.edges.get(user, frozenset()) and user != u and self._misses(user, u)
            }
            more |= self._shadowing(stays)
            if not more:
                return found
            found |= {u: f"{_named(user)}, which stays TensorFlow, needs it" for u, user in more.items()}

    def _takes_names_away(self, part: Part) -> bool:
        draft = part.draft
        changed = draft is not None and any(c.kind in ("factory-to-module", "drops-callbacks") for c in draft.changes)
        return changed or bool(self._unbound(part))

    def _unbound(self, part: Part) -> frozenset[str]:
        """Names that a unit binds and its draft does not: a strategy of distribution, say."""
        if part.draft is None or part.segment.unit.kind is UnitKind.IMPORTS:
            return frozenset()
        file, _ = self.part(part.segment.unit.id)
        before = defined("".join(map(file.code, part.segment.statements)))
        return before - defined(part.draft.text) - defined(part.draft.hoisted)

    def _misses(self, user: str, unit: str) -> bool:
        """Whether a unit that stays refers to what would be gone; one of another file, that refers to it at all."""
        (file, part), (other, gone) = self.part(user), self.part(unit)
        names = self._unbound(gone)
        if file is not other or not names:
            return True
        return bool(names & global_reads("".join(map(file.code, part.segment.statements))))

    def _shadowing(self, stays: Mapping[str, str]) -> dict[str, str]:
        """Units whose helpers or imports take a name for which a unit that stays TensorFlow has TensorFlow's own."""
        found: dict[str, str] = {}
        for file in self.files.values():
            own = {p.segment.unit.id: _brought(p.draft) & file.tf_bindings
                   for p in file.parts if p.draft and p.segment.unit.id not in stays}  # fmt: skip
            if not any(own.values()):
                continue
            readers = [p for p in file.parts if p.segment.unit.id in stays]
            reads = {p.segment.unit.id: global_reads("".join(map(file.code, p.segment.statements))) for p in readers}
            found |= {u: user for u, names in own.items() for user, read in reads.items() if names & read}
        return found

    def render(self, reverted: Mapping[str, str]) -> dict[str, FileRewrite]:
        """The text of every file with these units, and all that needs them, left as they were."""
        left = self.closure(reverted)
        moved = self.moved(left)
        files = {path: render(file, left, moved) for path, file in self.files.items()}
        live = {
            path: [h for part in file.parts if part.draft and migrated(part, left) for h in part.draft.helpers]
            for path, file in self.files.items()
        }
        return with_modules(files, live)

    def moved(self, left: Mapping[str, str]) -> dict[str, str]:
        """Units that stay TensorFlow although something that they use is PyTorch now: unit id → what."""
        parts = self._parts()
        new = {unit for unit, part in parts.items() if migrated(part, left) and self.kind(unit) not in INERT}
        stays = (unit for unit, part in parts.items() if part.draft is not None and not migrated(part, left))
        used = {unit: [t for t in parts if t in new and t in self.edges.get(unit, frozenset())] for unit in stays}
        return {unit: ", ".join(map(_named, targets)) for unit, targets in used.items() if targets}

    def kind(self, unit: str) -> UnitKind:
        """What a unit turned out to be: the codemod's word, or how it was cut."""
        part = self._parts()[unit]
        return part.segment.unit.kind if part.draft is None else part.draft.kind

    def part(self, unit: str) -> tuple[FileDraft, Part]:
        """A unit's file and its place there; raises KeyError where there is none of that id."""
        file = self.files[unit.partition("::")[0]]
        return file, {part.segment.unit.id: part for part in file.parts}[unit]

    def with_draft(self, unit: str, draft: Draft) -> RepositoryDraft:
        """The same with another draft of one unit."""
        file, old = self.part(unit)
        parts = tuple(replace(part, draft=draft) if part is old else part for part in file.parts)
        return replace(self, files={**self.files, file.path: replace(file, parts=parts)})

    def islands(self) -> tuple[tuple[str, ...], ...]:
        """Sets of units that TensorFlow ties together: each the smallest part that moves as a whole."""
        parts = self._parts()
        tied = {unit for unit, part in parts.items() if part.draft is not None}
        links = {unit: {t for t in self.reachable(unit) if t in tied} for unit in tied}
        found: list[set[str]] = []
        for unit, others in links.items():
            joined = {unit, *others}.union(*(i for i in found if i & others or unit in i))
            found = [i for i in found if not i & joined] + [joined]
        return tuple(tuple(unit for unit in parts if unit in island) for island in found)

    def _parts(self) -> dict[str, Part]:
        return {part.segment.unit.id: part for file in self.files.values() for part in file.parts}

    def reachable(self, unit: str) -> frozenset[str]:
        """The unit and every unit it refers to, directly or not."""
        seen: set[str] = set()
        queue = [unit]
        while queue:
            current = queue.pop()
            if current not in seen:
                seen.add(current)
                queue += self.edges.get(current, frozenset())
        return frozenset(seen)


def _named(unit: str) -> str:
    path, _, name = unit.partition("::")
    return f"{name} ({path})"


def migrate(
    files: Sequence[SourceFile],
    packages: Iterable[str],
    facts: Facts,
    rules: Rules,
    objects: Objects,
    keras: int = 3,
    fidelity: str = "idiomatic",
    progress: Callable[[str], None] = lambda path: None,
    cuts: Mapping[str, frozenset[int]] = MappingProxyType({}),
) -> RepositoryDraft:
    """Draft every file that uses TensorFlow, itself or through what it imports of the repository.

    `cuts`: by path of files whose graphs were put in other words, lines at which a unit begins in any case.
    """
    trees = {file.module: ast.parse(file.text) for file in files if file.text is not None and file.module is not None}
    models = plan_models(facts, trees)
    package_names = frozenset(packages)
    imported = {module: imported_names(tree, module, module in package_names) for module, tree in trees.items()}
    using = [f for f in files if f.uses_tf and f.text is not None and f.module is not None]
    asked = shapes_asked(trees, facts)
    siblings: dict[str, Context] = {}
    contexts = [
        (file, replace(_context(file, facts, rules, objects, keras, fidelity, models, siblings), shapes_asked=asked))
        for file in using
    ]
    contexts = [(file, replace(c, cuts=cuts[c.path], device="device") if c.path in cuts else c) for file, c in contexts]
    contexts = _without_trainers(contexts)
    siblings.update({context.module: context for _, context in contexts})
    made, traits = _model_drafts([context for _, context in contexts])
    drafts: dict[str, FileDraft] = {}
    for file, context in contexts:
        progress(str(file.path))
        context = replace(context, models=traits)
        drafts[str(file.path)] = _draft_file(file, context, imported[file.module or ""], made)
    return RepositoryDraft(drafts, edges_of(drafts, imported))


def _without_trainers(contexts: list[tuple[SourceFile, Context]]) -> list[tuple[SourceFile, Context]]:
    """The contexts without the classes of functions that are no builders: their models are made by statements."""
    gone = set()
    for _, ctx in contexts:
        ctx.begin()
        functions = (s for s in ctx.tree.body if isinstance(s, cst.FunctionDef))
        named = ((f"{ctx.module}:{f.name.value}", f) for f in functions)
        gone |= {name for name, f in named if name in ctx.class_names and keeps_data(f, ctx)}
    if not gone:
        return contexts
    names = {name: made for name, made in contexts[0][1].class_names.items() if name not in gone}
    return [(file, replace(ctx, class_names=names)) for file, ctx in contexts]


def _model_drafts(contexts: Sequence[Context]) -> tuple[dict[str, Draft], dict[str, ModelTraits]]:
    """The drafts of all model classes and factories by unit, and what training must know of them by qualname."""
    drafts: dict[str, Draft] = {}
    traits: dict[str, ModelTraits] = {}
    for ctx in contexts:
        ctx.begin()
        for seg in segment(ctx.path, ctx.tree, ctx.spans, ctx.here, ctx.cuts):
            draft = _drafted(seg, ctx) if is_model_unit(seg, ctx) else None
            if draft is None:
                continue
            drafts[seg.unit.id] = draft
            qualname = f"{ctx.module}:{seg.unit.name}"
            name = ctx.class_names.get(qualname, seg.unit.name)
            if name == seg.unit.name and not isinstance(seg.statements[0], cst.ClassDef):
                continue  # it hands on what another factory makes
            traits[qualname] = ModelTraits(
                draft.has_logits.get(name, ""),
                name in draft.has_penalty,
                name in draft.has_shapes,
                name in draft.has_constraints,
                name in draft.has_additions,
                draft.has_ends.get(name),
                draft.has_parts.get(name, ()),
                name in draft.has_mask,
            )
    return drafts, traits


def _context(
    file: SourceFile,
    facts: Facts,
    rules: Rules,
    objects: Objects,
    keras: int,
    fidelity: str,
    models: ModelPlan,
    siblings: Mapping[str, Context],
) -> Context:
    tree = cst.parse_module(file.text or "")
    positions = Positions(tree)
    return Context(
        path=str(file.path),
        module=file.module or "",
        tree=tree,
        spans=positions.spans,
        facts=facts,
        rules=rules,
        keras=keras,
        fidelity=fidelity,
        changes=models.changes,
        class_names=models.class_names,
        objects=objects,
        layouts=models.layouts,
        penalised=models.penalised,
        constrained=models.constrained,
        adding=models.adding,
        positions=positions,
        siblings=siblings,
        below=models.below,
    )


def _draft_file(
    file: SourceFile, ctx: Context, imported: Mapping[str, tuple[str, str | None]], made: Mapping[str, Draft]
) -> FileDraft:
    ctx.begin()
    whole = segment(str(file.path), ctx.tree, ctx.spans, ctx.here, ctx.cuts)
    drafts = [piece for s in whole for piece in _pieces(s, made.get(s.unit.id) or _drafted(s, ctx), ctx)]
    segments = [s for s, _ in drafts]
    bindings = frozenset(name for name, (target, _) in imported.items() if _is_tf(target)) | _aliases(segments)
    bound = frozenset(name for s in segments if s.unit.kind is not UnitKind.IMPORTS for name in _bound(s))
    parts = tuple(Part(s, _tidied(s, _changed(s, draft, ctx, bindings), ctx, bindings, bound)) for s, draft in drafts)
    replaced = {name for name, changes in ctx.changes.items() if any(c.kind == "factory-to-module" for c in changes)}
    renames = {
        binding: (ctx.class_names[f"{target}:{attribute}"],)
        for binding, (target, attribute) in imported.items()
        if f"{target}:{attribute}" in replaced
    }
    return FileDraft(str(file.path), file.module or "", ctx.tree, parts, bindings, renames, ctx.positions)


def _aliases(segments: Sequence[Segment]) -> frozenset[str]:
    """Names that module aliases and conditional imports bind to TensorFlow."""
    statements = (s for seg in segments if seg.unit.kind is UnitKind.IMPORTS for s in seg.statements)
    return frozenset(
        name
        for s in statements
        if not isinstance(s, cst.SimpleStatementLine) or any(map(alias_of, s.body))
        for name in bound_names(s)
    )


def _bound(seg: Segment) -> Iterable[str]:
    return (name for statement in seg.statements for name in bound_names(statement))


def _tidied(
    seg: Segment, draft: Draft | None, ctx: Context, bindings: frozenset[str], bound: frozenset[str]
) -> Draft | None:
    """The draft without what else of its text names TensorFlow; one that declines where there was nothing to do."""
    if seg.unit.kind is UnitKind.IMPORTS or (draft is not None and draft.declines):
        return draft
    text = draft.text if draft is not None else "".join(ctx.code(statement) for statement in seg.statements)
    found = tidy(text, seg.unit.kind, seg.unit.name == MAIN, bindings)
    base = draft or Draft(text, seg.unit.kind)
    taken = hidden_builtins([helper.source for helper in base.helpers], bound)
    taken += handed_to_protobuf([helper.name for helper in base.helpers], ctx.tree)
    if not found.declines and not taken and found.text == text:
        return draft
    return replace(base, text=found.text, declines=(*found.declines, *taken), imports=base.imports | found.imports)


def _drafted(seg: Segment, ctx: Context) -> Draft | None:
    """The unit boundary: a mistake of ours leaves this unit as it was and no other, and is reported."""
    try:
        return without_format(without_clash(_with_layout(draft_unit(seg, ctx), seg, ctx), seg, ctx))
    except Exception as error:
        text = "".join(ctx.code(statement) for statement in seg.statements)
        reason = f"a mistake of the migrator ({type(error).__name__}: {error}); please report it"
        return Draft(text, seg.unit.kind, declines=(Decline(reason),), notes=(traceback.format_exc(),))


def _pieces(seg: Segment, draft: Draft | None, ctx: Context) -> list[tuple[Segment, Draft | None]]:
    """The unit and its draft; in pieces where some of its statements can move although others cannot."""
    pieces = split(seg, draft, ctx)
    if len(pieces) == 1:
        return [(seg, draft)]
    found = [(piece, _drafted(piece, ctx)) for piece in pieces]
    moves = any(piece.unit.uses and made is not None and not made.declines for piece, made in found)
    return found if moves else [(seg, draft)]


def _with_layout(draft: Draft | None, seg: Segment, ctx: Context) -> Draft | None:
    """A module that only other modules use works on what they work on; that is a change of its interface."""
    qualname = f"{ctx.module}:{seg.unit.name}"
    if draft is None or qualname not in ctx.layouts:
        return draft
    change = InterfaceChange(qualname, "takes-channels-first", ctx.layouts[qualname])
    return replace(draft, changes=(*draft.changes, change))


def _is_tf(target: str) -> bool:
    return target.split(".")[0] in {"tensorflow", "keras", "tf_keras", "tensorflow_addons"}


def _changed(seg: Segment, draft: Draft | None, ctx: Context, bindings: frozenset[str]) -> Draft | None:
    """None for a draft that says what the original says; the same words with another meaning are a change."""
    if draft is None or draft.declines:
        return draft
    if draft.changes or bindings & _brought(draft) & global_reads(draft.text):
        return draft
    original = "".join(ctx.code(statement) for statement in seg.statements)
    try:
        same = original == draft.text or _alike(ast.parse(original), ast.parse(draft.text))
    except SyntaxError:
        same = False
    return None if same else draft


def _brought(draft: Draft) -> set[str]:
    """Names that the helpers and imports of a draft bind."""
    return {helper.name for helper in draft.helpers} | {n for line in draft.imports for n in bound_by(line)}


def _alike(one: object, other: object) -> bool:
    """Whether two trees say the same; positions do not count."""
    if isinstance(one, ast.AST):
        return type(one) is type(other) and all(_alike(getattr(one, f), getattr(other, f)) for f in one._fields)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return type(one) is type(other) and one == other


def with_files(
    drafts: Mapping[str, FileDraft], trees: Mapping[str, ast.Module], packages: Collection[str], more: Edges
) -> RepositoryDraft:
    """The same files with other drafts; what refers to what is found anew.

    `trees`: the originals, by module. `more`: what units depend on besides what they name.
    """
    imported = {module: imported_names(tree, module, module in packages) for module, tree in trees.items()}
    found = edges_of(drafts, imported)
    return RepositoryDraft(drafts, {unit: targets | more.get(unit, frozenset()) for unit, targets in found.items()})


__all__ = ["RepositoryDraft", "migrate", "migrated"]
