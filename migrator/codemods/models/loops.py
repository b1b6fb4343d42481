"""Loops that build layers: an `nn.Sequential` where they form a chain, `nn.ModuleList`s otherwise."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.models import layout as lay
from migrator.codemods.models.forward import Line, body_of, comments
from migrator.codemods.models.graph import GraphLowerer, Split, assigned, entries
from migrator.codemods.models.layout import LAST, Layout
from migrator.codemods.models.naming import plural
from migrator.codemods.models.owned import Owned
from migrator.codemods.models.part import Part
from migrator.codemods.models.sizes import carried_by, kept_before
from migrator.codemods.models.text import indent
from migrator.model import WeightRecord
from migrator.syntax import walk


def loop(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    """(constructor lines, lines of `forward`) of a loop whose iterations are known when the graph is built."""
    from migrator.codemods.models import iterated

    lower = split.lower
    if lower.dynamic(node.iter):
        return _over_tensors(split, node)
    if not creates(split, node):
        return _plain(split, node)
    if lower.series is not None:
        return iterated.inside(split, node)
    variable = _chained(split, body_of(node))
    if variable is not None:
        build = lower.build
        saved = copy.deepcopy((build.resets, build.records, build.penalties, build.constraints, build.taken))
        declines = list(lower.build.needs.declines)
        made = _Chain(split, variable).build(node)
        if made is not None:
            return made
        build.resets, build.records, build.penalties, build.constraints, build.taken = saved
        build.needs.declines = declines
    if iterated.is_nested(split, node):
        return iterated.outermost(split, node)
    return _either(split, node)


def _either(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    """A list for each layer of the loop; where `forward` needs what the loop counts, the loop itself."""
    from migrator.codemods.models import iterated

    lower = split.lower
    build, maker = lower.build, lower.maker
    declines, known = list(build.needs.declines), dict(lower.known)
    layouts, scopes = dict(lower.layouts), (set(maker.loops), set(maker.scope))
    saved = copy.deepcopy((build.resets, build.records, build.penalties, build.taken, build.captured))
    made = _lists(split, node)
    if build.needs.declines == declines:
        return made
    refused = build.needs.declines
    build.resets, build.records, build.penalties, build.taken, build.captured = saved
    build.needs.declines, lower.known, lower.layouts = list(declines), known, layouts
    maker.loops, maker.scope = scopes
    other = iterated.outermost(split, node)
    if build.needs.declines != declines:
        build.needs.declines = refused
    return other


def _plain(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    """A loop that makes no layers: all of it is in one half."""
    if split.lower.dynamic(node):
        return [], split.body.statement(node)
    return split.static(node), []


def _over_tensors(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    made = _Made(split)
    walk(node, made)
    if made.others or any(part is None or part.stateful for part in map(split.lower.maker.part, made.layers)):
        split.lower.build.needs.decline("layers made in a loop over tensors", split.lower.ctx, node)
    return [], [Line([*comments(node), *split.body.loop(node)])]


class _Creates(cst.CSTVisitor):
    def __init__(self, split: Split) -> None:
        super().__init__()
        self.split = split
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        self.found = self.found or self.split.lower.makes(node) or self.split.lower.maker.is_layer(node)


class _Made(cst.CSTVisitor):
    """The layers of Keras that are made below a node, and whether other models or functions make some."""

    def __init__(self, split: Split) -> None:
        super().__init__()
        self.split = split
        self.layers: list[cst.Call] = []
        self.others = False

    def visit_Call(self, node: cst.Call) -> None:
        kind = self.split.lower.maker.kind(node)
        if kind == "keras":
            self.layers.append(node)
        elif kind is not None or (self.split.lower.makes(node) and not isinstance(node.func, cst.Call)):
            self.others = True


def creates(split: Split, node: cst.CSTNode) -> bool:
    """Whether layers are made below a node."""
    finder = _Creates(split)
    walk(node, finder)
    return finder.found


# --- chains ---


def _chained(split: Split, statements: Sequence[cst.BaseStatement]) -> str | None:
    """The one variable that every layer of the loop is applied to, or None when it is no chain."""
    names = set()
    for statement in statements:
        if isinstance(statement, cst.For | cst.If) and split.lower.dynamic(statement):
            if isinstance(statement, cst.If) and statement.orelse is not None:
                return None
            names.add(_chained(split, body_of(statement)))
        elif split.lower.dynamic(statement):
            small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            names.add(_link(split, small))
    return names.pop() if len(names) == 1 else None


def _link(split: Split, small: object) -> str | None:
    """`x = layer(...)(x)`, possibly several deep: the variable."""
    if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Name):
        return None
    name = small.targets[0].target.value
    node: cst.BaseExpression = small.value
    while isinstance(node, cst.Call) and split.lower.makes(node):
        tensors = [a.value for a in node.args if split.lower.dynamic(a.value)]
        if len(tensors) != 1:
            return None
        node = tensors[0]
    return name if isinstance(node, cst.Name) and node.value == name and node is not small.value else None


_KINDS = frozenset({"block", "layer", "cell", "unit", "stage", "module", "step"})
"""Words that name a list of modules well enough without what stands before them."""


class _Broken(Exception):
    """The loop is no chain after all."""


@dataclass
class _Chain:
    """A chain of modules built by a loop, collected in one `nn.Sequential`."""

    split: Split
    variable: str
    stems: list[str] = field(default_factory=list)
    layout: Layout | None = None
    owned: list[tuple[Part, str]] = field(default_factory=list)

    def build(self, node: cst.For) -> tuple[list[str], list[Line]] | None:
        lower = self.split.lower
        loops = set(lower.maker.loops)
        try:
            body = self._for(node)
        except _Broken:
            return None
        finally:
            lower.maker.loops = loops
        attr = lower.build.attribute(self._name())
        text = "\n".join(body).replace("self.__chain__", f"self.{attr}")
        head = [f"self.{attr} = nn.Sequential()", *starts(lower, node)]
        self._own(attr)
        return [*comments(node), *head, *text.splitlines()], [self._forward(attr)]

    def _name(self) -> str:
        if len(set(self.stems)) == 1:
            stem = self.stems[0]
            last = stem.rpartition("_")[2]
            return plural(last if last in _KINDS else stem)
        return "layers"

    def _forward(self, attr: str) -> Line:
        lower = self.split.lower
        kept, lower.pre = lower.pre, []
        from migrator.codemods.models.term import Term

        held = lower.layouts.get(self.variable, LAST)
        wanted = self.layout if self.layout is not None else held
        text = lower.to(Term(self.variable, held), wanted)
        lower.layouts[self.variable] = wanted
        line = Line([*lower.pre, f"{self.variable} = self.{attr}({text})"])
        lower.pre = kept
        return line

    def _own(self, attr: str) -> None:
        build = self.split.lower.build
        for part, module in self.owned:
            kind = module.split("(")[0]
            frames: tuple[str, ...] = (f"for layer in self.{attr}:", f"if isinstance(layer, {kind}):")
            others = {p.code.init for p, m in self.owned if m.split("(")[0] == kind}
            more = {(p.code.penalty, p.code.constraint) for p, m in self.owned if m.split("(")[0] == kind}
            if len(others) > 1 or len(more) > 1:
                build.needs.decline(
                    f"layers of one kind in a loop with different initialisers: {kind}", self.split.lower.ctx
                )
            if self.kinds == {kind}:
                frames = frames[:1]
            code = part.code
            noted = ((code.init, build.resets), (code.penalty, build.penalties), (code.constraint, build.constraints))
            for templates, where in noted:
                new = Owned(templates, "layer", frames)
                if templates and new not in where:
                    where.append(new)
            if part.code.params:
                build.records.append(WeightRecord(build.owner, f"{attr}.*", part.api, part.code.params))

    kinds: set[str] = field(default_factory=set)

    # --- building ---

    def _for(self, node: cst.For) -> list[str]:
        lower = self.split.lower
        lower.maker.loops |= set(assigned(cst.For(node.target, node.iter, cst.IndentedBlock([]))))
        header = f"for {lower.ctx.code(node.target)} in {lower.maker.static(node.iter)}:"
        return [header, *indent([*self._block(body_of(node)), *updates(lower, node)])]

    def _block(self, statements: Sequence[cst.BaseStatement]) -> list[str]:
        lines: list[str] = []
        for number, node in enumerate(statements):
            head = comments(node) if number else [c for c in comments(node) if c]
            if not self.split.lower.dynamic(node):
                lines += self._static(node)
            elif isinstance(node, cst.For):
                lines += [*head, *self._for(node)]
            elif isinstance(node, cst.If):
                test = self.split.lower.maker.static(node.test)
                lines += [*head, f"if {test}:", *indent(self._block(body_of(node)))]
            else:
                assert isinstance(node, cst.SimpleStatementLine)
                assert isinstance(node.body[0], cst.Assign)
                lines += [*head, *self._append(node.body[0].value)]
        return lines

    def _static(self, node: cst.BaseStatement) -> list[str]:
        maker = self.split.lower.maker
        maker.loops |= set(assigned(node))
        kept = kept_before(node, self.split.lower.carried, self.split.lower.ctx.spans)
        return [*comments(node), *kept, *maker.static(node.with_changes(leading_lines=())).splitlines()]

    def _append(self, node: cst.BaseExpression) -> list[str]:
        lower = self.split.lower
        lines: list[str] = []
        for call in reversed(list(self._calls(node))):
            part = lower.fresh_part(call)
            if part is None:
                raise _Broken
            self._agree(part)
            modules = entries(part, self.layout)
            if modules is None or part.flattens or part.gives not in (None, part.takes):
                raise _Broken
            self.kinds |= {module.split("(")[0] for module in modules}
            self.stems.append(part.code.stem)
            if part.stateful:
                self.owned.append((part, part.code.module or ""))
            for module in modules:
                lines.append(f"self.__chain__.append({module})")
        return lines

    def _calls(self, node: cst.BaseExpression) -> Iterator[cst.Call]:
        while isinstance(node, cst.Call):
            yield node
            node = next(a.value for a in node.args if self.split.lower.dynamic(a.value))

    def _agree(self, part: Part) -> None:
        if part.takes is None:
            return
        if self.layout is not None and self.layout != part.takes:
            raise _Broken
        self.layout = part.takes


# --- lists ---


def _lists(split: Split, node: cst.For) -> tuple[list[str], list[Line]]:
    lower = split.lower
    loops = set(lower.maker.loops)
    lower.maker.loops |= set(assigned(cst.For(node.target, node.iter, cst.IndentedBlock([]))))
    lower.inside = {}
    before = dict(lower.layouts)
    init, forward = split.block(body_of(node))
    lists = lower.inside
    changed = {n: lower.layouts[n] for n in before if lower.layouts.get(n) != before[n]}
    enter: list[str] = []
    if changed:
        lower.layouts = {**before, **changed}
        for name, target in changed.items():
            if lay.rank(target) is None or before[name] != LAST:
                lower.build.needs.decline("layouts change over a loop", lower.ctx, node)
                continue
            text, note = lay.permute(name, LAST, target)
            enter.append(f"{name} = {text}  # {note}")
        _, forward = split.block(body_of(node))
    lower.inside = None
    lower.maker.loops = loops
    texts = [text for line in forward for text in line.text]
    header = f"for {lower.ctx.code(node.target)} in {lower.maker.static(node.iter)}:"
    made = [f"self.{attr} = nn.ModuleList()" for attr in lists.values()]
    update = updates(lower, node)
    tail = _listing(lists)
    return [*comments(node), *made, *starts(lower, node), header, *indent([*init, *update] or ["pass"])], [
        Line([*enter, tail, *indent(texts)])
    ]


def _listing(lists: dict[str, str]) -> str:
    attrs = [f"self.{attr}" for attr in lists.values()]
    over = attrs[0] if len(attrs) == 1 else f"zip({', '.join(attrs)})"
    return f"for {', '.join(lists)} in {over}:"


def starts(lower: GraphLowerer, node: cst.For) -> list[str]:
    """Sizes that the loop carries round, as they are before it."""
    first, _ = carried_by(node, lower.carried, lower.ctx.spans)
    lower.maker.scope |= {name for name, _ in first}
    return [f"{name} = {size}" for name, size in first]


def updates(lower: GraphLowerer, node: cst.For) -> list[str]:
    """Sizes that the loop carries round, as they are after one round."""
    _, after = carried_by(node, lower.carried, lower.ctx.spans)
    return [f"{name} = {size}" for name, size in after]
