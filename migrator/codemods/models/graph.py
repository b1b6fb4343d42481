"""Code that builds a graph by calls, cut in two: what the constructor does and what `forward` does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
from libcst.helpers import get_full_name_for_node

from migrator.codemods.models import own_cells
from migrator.codemods.models.create import application_part, reads_shape
from migrator.codemods.models.ends import are_inputs, is_input
from migrator.codemods.models.factory_calls import factory_part
from migrator.codemods.models.forward import Body, Line, body_of, comments
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.lower import Lowerer
from migrator.codemods.models.modes import frozen_part, keep_part, may_be_penalised, set_trainable
from migrator.codemods.models.naming import plural
from migrator.codemods.models.part import Part, chain, is_application
from migrator.codemods.models.sizes import kept_before
from migrator.codemods.models.spread import only_spread
from migrator.codemods.models.term import Bound, Term
from migrator.codemods.models.text import indent, negated, otherwise
from migrator.model import Decline
from migrator.syntax import walk
from migrator.values import Carried, Instance, ModelValue, RepoFunction, RepoInstance, Tensor, Value


@dataclass
class GraphLowerer(Lowerer):
    """Lowers expressions in which layers are made where they are called.

    `init`: constructor lines of the statement being lowered. `inside`: the module lists of the
    loop around it, attribute of the list by the loop's variable; None outside of loops.
    """

    init: list[str] = field(default_factory=list)
    inside: dict[str, str] | None = None
    series: dict[object, str] | None = None  # of loops in loops: the list that parts of one kind are taken from
    guards: list[str] = field(default_factory=list)
    known: dict[cst.Call, Bound | None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    guarded: list[str] = field(default_factory=list)
    carried: tuple[Carried, ...] = ()
    shared: dict[str, Bound] = field(default_factory=dict)
    collects: set[str] = field(default_factory=set)  # lists that tensors are appended to
    taps: Mapping[str, str] = field(default_factory=dict)  # `base.output` → what goes into the network `base`

    def term(self, node: cst.BaseExpression) -> Term:
        tensor = self.taps.get(get_full_name_for_node(node) or "") if isinstance(node, cst.Attribute) else None
        if tensor is None or not isinstance(node, cst.Attribute):
            return super().term(node)
        call = cst.Call(node.value, [cst.Arg(cst.Name(tensor))])
        bound = self.callee(node.value)
        return Term(self.ctx.code(node)) if bound is None else self.apply(bound, call)

    @property
    def overrides_training(self) -> bool:
        """Keras 3 runs the calls of a graph with the mode of the whole model, whatever they were told."""
        return self.ctx.keras == 3

    @property
    def made_lines(self) -> list[str]:
        return self.init

    def makes(self, node: cst.Call) -> bool:
        """A layer made and called at once, or a factory called on a tensor."""
        if isinstance(node.func, cst.Call) and self.maker.is_layer(node.func):
            return True
        return self.factory(node) is not None

    def factory(self, node: cst.Call) -> str | None:
        """The qualified name of the tensor-in, tensor-out factory that is called, `conv(x, 64)` or `conv(64)(x)`."""
        callee = self.ctx.value(node.func)
        facts = self.ctx.facts.function(callee.qualname) if isinstance(callee, RepoFunction) else None
        if facts is None or facts.role != "layer-factory" or bool(facts.inner) != isinstance(node.func, cst.Call):
            return None
        return facts.qualname

    def made(self, node: cst.Call) -> Bound | None:
        if node not in self.known:
            self.known[node] = self._make(node)
        return self.known[node]

    def _make(self, node: cst.Call) -> Bound | None:
        for arg in node.args:  # what is made in them has its weights first, as in Keras
            self._make_inside(arg.value)
        part = self.fresh_part(node)
        bound = None if part is None else self.place(part)
        if bound is not None:
            self.made_at(node.func, bound)
        return bound

    def made_at(self, node: cst.BaseExpression, bound: Bound) -> None:
        """Take note of the call that makes a layer, by which a model's own list of layers knows it."""
        site = self.ctx.spans.get(node)
        if site is not None and bound.path:
            self.build.sites[site] = bound.path

    def _make_inside(self, node: cst.CSTNode) -> None:
        """Make what is made below a node, the outermost calls of it, which see to their own arguments."""
        if isinstance(node, cst.Lambda):
            return
        if isinstance(node, cst.Call) and self.makes(node):
            self.made(node)
            return
        for child in node.children:
            self._make_inside(child)

    def fresh_part(self, node: cst.Call) -> Part | None:
        """The part that a call makes, without a place yet."""
        qualname = self.factory(node)
        if qualname is not None:
            return self._factory_part(node, qualname)
        assert isinstance(node.func, cst.Call)
        return self.maker.part(node.func)

    def call(self, node: cst.Call) -> Term:
        """A call; a factory's module is called with the tensors alone."""
        if self.factory(node) is not None:
            bound = self.made(node)
            tensors = [a for a in node.args if self.dynamic(a.value)]
            if len(tensors) == 1:  # `forward` has a name of its own for it
                tensors = [cst.Arg(tensors[0].value)]
            return Term(self.ctx.code(node)) if bound is None else self.apply(bound, node.with_changes(args=tensors))
        return self._owning(node, super().call(node))

    def callee(self, func: cst.BaseExpression) -> Bound | None:
        """The part that is called; a network of Keras that the file made before becomes one."""
        found = super().callee(func)
        value = self.ctx.value(func)
        if found is not None or not isinstance(func, cst.Name) or not is_application(value):
            return found
        assert isinstance(value, ModelValue)
        output = value.outputs[0] if value.outputs else None
        attr = self.build.capture(func.value)
        self.bound[func.value] = Bound(application_part(value, func.value, output), f"self.{attr}", attr)
        return self.bound[func.value]

    def special(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Attribute) and get_full_name_for_node(node) in self.taps:
            return True
        return super().special(node) or (isinstance(node, cst.Call) and self._names_module(node))

    def _names_module(self, node: cst.Call) -> bool:
        return isinstance(node.func, cst.Name) and _is_module(self.ctx.value(node.func))

    def _owning(self, node: cst.Call, made: Term) -> Term:
        """A module of the file that a call names becomes a part of this one: it moves and changes mode with it."""
        name = node.func.value if isinstance(node.func, cst.Name) else ""
        if name in self.bound or not made.text.startswith(f"{name}(") or not self._names_module(node):
            return made
        model = self.ctx.value(node.func)
        if isinstance(model, ModelValue) and may_be_penalised(model, self.ctx):
            self.build.needs.decline("a model inside another whose regularisers or constraints it has", self.ctx, node)
        return replace(made, text=f"self.{self.build.capture(name)}{made.text.removeprefix(name)}")

    def place(self, part: Part, name: str | None = None) -> Bound:
        """Give a part its place in the constructor: an attribute, or an entry of a list inside a loop."""
        if not part.stateful:
            return Bound(part, "", "")
        if self.series is not None:
            return self._in_series(part, name)
        if self.inside is not None:
            return self._listed(part)
        shared = self._shared(part)
        if shared is not None:
            return shared
        attr = self.build.attribute(name or part.code.stem)
        if name is not None:
            self.named.add(attr)
        self.init.append(f"self.{attr} = {part.code.module}")
        self.guarded.append(attr)
        frames = [f"if self.{attr} is not None:"] if self.guards else []
        self.build.own(attr, part, f"self.{attr}", frames)
        bound = Bound(part, f"self.{attr}", attr)
        if not self.guards and _weightless(part):
            self.shared[part.code.module or ""] = bound
        return bound

    def _shared(self, part: Part) -> Bound | None:
        """The module that does the same and has no weights, such as a pooling made before."""
        if not _weightless(part):
            return None
        known = self.shared.get(part.code.module or "")
        return None if known is None else Bound(part, known.target, known.path)

    def _in_series(self, part: Part, name: str | None) -> Bound:
        """The next of a list: the constructor appends in the order in which `forward` takes."""
        assert self.series is not None
        code = part.code
        if name is not None or code.forward.count("{self}") != 1 or code.form is not None or code.masked is not None:
            self.build.needs.decline("a layer of loops in loops that is used more than once", self.ctx)
        kind = (code.stem, code.init, code.penalty, code.constraint, code.params)
        if kind not in self.series:
            self.series[kind] = attr = self.build.attribute(plural(code.stem))
            variable = code.stem if code.stem not in self.maker.scope else f"each_{code.stem}"
            self.build.own(f"{attr}.*", part, variable, [f"for {variable} in self.{attr}:"])
        attr = self.series[kind]
        self.init.append(f"self.{attr}.append({code.module})")
        return Bound(part, f"next({attr})", f"{attr}.*")

    def _listed(self, part: Part) -> Bound:
        assert self.inside is not None
        variable = part.code.stem
        while variable in self.inside or variable in self.maker.scope or variable in self.layouts:
            variable = _next(variable)
        base = variable.rstrip("0123456789")
        attr = self.build.attribute(f"{plural(base)}{variable.removeprefix(base)}")
        self.inside[variable] = attr
        self.init.append(f"self.{attr}.append({part.code.module})")
        self.build.own(f"{attr}.*", part, variable, [f"for {variable} in self.{attr}:"])
        return Bound(part, variable, f"{attr}.*")

    def _factory_part(self, node: cst.Call, qualname: str) -> Part | None:
        made = factory_part(self, node, qualname)
        if isinstance(made, Decline):
            self.build.needs.declines.append(replace(made, span=made.span or self.ctx.spans.get(node)))
            return None
        return made

    def dynamic(self, node: cst.CSTNode) -> bool:
        """Whether a piece of code works on tensors, not only on their shapes."""
        finder = _Dynamic(self)
        walk(node, finder)
        return finder.found


def _is_module(value: Value) -> bool:
    """Whether a value is a model or layer, which is a module in torch."""
    if isinstance(value, RepoInstance):
        return value.kind in ("layer", "model")
    return isinstance(value, ModelValue) or (isinstance(value, Instance) and value.api.startswith("tf.keras.layers."))


def _weightless(part: Part) -> bool:
    code = part.code
    return (
        bool(code.module)
        and not code.params
        and not code.init
        and not code.penalty
        and not code.constraint
        and (code.module or "").startswith("nn.")
    )


class _Dynamic(cst.CSTVisitor):
    def __init__(self, lower: GraphLowerer) -> None:
        super().__init__()
        self.lower = lower
        self.found = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Subscript | cst.Call) and reads_shape(node):
            value = self.lower.ctx.value(node)
            if not isinstance(value, Tensor):
                return False
        if isinstance(node, cst.Arg):
            walk(node.value, self)
            return False
        if isinstance(node, cst.Attribute):
            self.found = self.found or get_full_name_for_node(node) in self.lower.taps
            walk(node.value, self)
            return False
        if isinstance(node, cst.Name) and node.value in self.lower.layouts:
            self.found = True
        if isinstance(node, cst.Call) and self.lower.makes(node):
            self.found = True
        return not self.found


def _next(name: str) -> str:
    found = re.fullmatch(r"(.*?)(\d*)", name)
    assert found is not None
    return f"{found.group(1)}{int(found.group(2) or 1) + 1}"


@dataclass
class Split:
    """Cuts the statements of a graph-building function in two."""

    lower: GraphLowerer
    body: Body

    def block(self, statements: Sequence[cst.BaseStatement]) -> tuple[list[str], list[Line]]:
        """(constructor lines, lines of `forward`)."""
        init: list[str] = []
        forward: list[Line] = []
        for statement in statements:
            first, second = self.statement(statement)
            init += first
            forward += second
        return init, forward

    def statement(self, node: cst.BaseStatement) -> tuple[list[str], list[Line]]:
        from migrator.codemods.models import listed

        if isinstance(node, cst.If):
            return self.branch(node)
        if (owner := frozen_part(node, self.lower.ctx)) is not None:
            keep_part(owner, self.lower.build, self.lower.ctx)
            return [], []
        froze = self._trainable(node)
        if froze is not None:
            return [*comments(node), *froze], []
        if isinstance(node, cst.For) and node.orelse is None:
            return self.loop(node)
        if not isinstance(node, cst.SimpleStatementLine):
            if self.lower.dynamic(node):
                self.lower.build.needs.decline(f"statement {type(node).__name__} around layers", self.lower.ctx, node)
            return self.static(node), []
        small = node.body[0]
        if isinstance(small, cst.Assign) and is_input(small.value, self.lower.ctx):
            return [], self._other_names(small)
        if isinstance(small, cst.Assign) and are_inputs(small, self.lower.ctx):
            return [], []
        if own_cells.handed_over(small, self.lower.maker):
            return comments(node), []
        if self._is_layers(small):
            return self.layers(node), []
        if listed.is_list_of_layers(small, self.lower):
            return listed.listed(node, self.lower), []
        if only_spread(small, self.lower.ctx):
            return comments(node), []
        if self.lower.dynamic(small) or isinstance(small, cst.Return) or self._tensor_list(small):
            kept, self.lower.init = self.lower.init, []
            lines = self.body.statement(node)
            init, self.lower.init = self.lower.init, kept
            return init, lines
        return self.static(node), []

    def _trainable(self, node: cst.BaseStatement) -> list[str] | None:
        lower = self.lower
        single = isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1
        if lower.inside is not None or lower.guards or not (single or isinstance(node, cst.For)):
            return None
        part = node.body[0] if isinstance(node, cst.SimpleStatementLine) else node
        return set_trainable(part, lower.bound, lower.build, lower.ctx)

    def _other_names(self, node: cst.Assign) -> list[Line]:
        """`x = inputs = Input(...)`: the further names of an input that `forward` is given."""
        names = [t.target.value for t in node.targets if isinstance(t.target, cst.Name)]
        given = next((name for name in names if name in self.lower.layouts), None)
        others = [name for name in names if name != given]
        if given is None or not others:
            return []
        self.lower.layouts.update(dict.fromkeys(others, self.lower.layouts[given]))
        return [Line([f"{' = '.join(others)} = {given}"])]

    def _tensor_list(self, small: cst.BaseSmallStatement) -> bool:
        """`skips = []`, filled with tensors later."""
        if not isinstance(small, cst.Assign) or not isinstance(small.value, cst.List) or small.value.elements:
            return False
        name = small.targets[0].target
        if not isinstance(name, cst.Name):
            return False
        return name.value in self.lower.collects

    def _is_layers(self, small: cst.BaseSmallStatement) -> bool:
        if not isinstance(small, cst.Assign) or not isinstance(small.value, cst.Call):
            return False
        return self.lower.maker.is_layer(small.value) and isinstance(small.targets[0].target, cst.Name)

    def layers(self, node: cst.SimpleStatementLine) -> list[str]:
        """`dense = layers.Dense(4)`: a layer that is called later, maybe more than once."""
        small = node.body[0]
        assert isinstance(small, cst.Assign)
        target = small.targets[0].target
        assert isinstance(target, cst.Name)
        assert isinstance(small.value, cst.Call)
        part = self.lower.maker.part(small.value)
        if part is None:
            return []
        kept, self.lower.init = self.lower.init, []
        self.lower.bound[target.value] = bound = self.lower.place(part, target.value)
        self.lower.made_at(small.value, bound)
        lines, self.lower.init = self.lower.init, kept
        return [*comments(node), *lines]

    def static(self, node: cst.BaseStatement) -> list[str]:
        """A statement about sizes and options only belongs to the constructor."""
        for name in assigned(node):
            if self.lower.inside is not None:
                self.lower.maker.loops.add(name)
            else:
                self.lower.maker.scope.add(name)
        made = self.lower.maker.static(node.with_changes(leading_lines=())).splitlines()
        kept = kept_before(node, self.lower.carried, self.lower.ctx.spans)
        return [*comments(node), *kept, *(line for line in made if line.strip() != "pass")]

    # --- conditions ---

    def branch(self, node: cst.If) -> tuple[list[str], list[Line]]:
        """A condition that is known when the graph is built."""
        lower = self.lower
        if lower.dynamic(node.test):
            lower.build.needs.decline("a condition on a tensor", lower.ctx, node.test)
            return [], []
        test = lower.maker.static(node.test)
        said = _header_comment(node)
        before = dict(lower.layouts)
        (init_then, then), made_then = self._guarded(body_of(node))
        after_then, lower.layouts = lower.layouts, dict(before)
        orelse = node.orelse
        rest: Sequence[cst.BaseStatement] = (
            [orelse] if isinstance(orelse, cst.If) else body_of(orelse) if orelse else []
        )
        (init_other, other), made_other = self._guarded(rest)
        after_other = lower.layouts
        texts, more = _texts(then), _texts(other)
        extra_then, extra_other = self.body._join(node, before, after_then, after_other, _returns(texts))
        texts += extra_then
        more += extra_other
        head = [f"self.{name} = None" for name in [*made_then, *made_other]]
        init = _if(test, init_then, init_other, said)
        if lower.series is not None:
            asked = lower.maker.keep(test) if texts or more else test
            body = [Line([*comments(node), *_if(asked, texts, more, "" if init else said)])] if texts or more else []
            return ([*comments(node), *init] if init else []), body
        if lower.inside is not None and (made_then or made_other):
            lower.build.needs.decline("a layer made under a condition in a loop", lower.ctx, node)
        if not texts and not more:
            return ([*comments(node), *head, *init] if init else []), []
        if made_then:
            asked = f"self.{made_then[0]} is not None"
        elif made_other:
            asked = f"self.{made_other[0]} is None"
        else:
            asked = lower.maker.keep(test)
        if init:
            return [*comments(node), *head, *init], [Line(_if(asked, texts, more))]
        return [], [Line([*comments(node), *_if(asked, texts, more, said)])]

    def _guarded(self, statements: Sequence[cst.BaseStatement]) -> tuple[tuple[list[str], list[Line]], list[str]]:
        """The two halves of a branch, and the attributes that exist only there."""
        lower = self.lower
        kept, lower.guarded = lower.guarded, []
        lower.guards.append("")
        halves = self.block(statements)
        lower.guards.pop()
        made, lower.guarded = lower.guarded, kept
        if lower.guards:
            lower.guarded += made
            return halves, []
        return halves, made

    # --- loops ---

    def loop(self, node: cst.For) -> tuple[list[str], list[Line]]:
        """A loop over sizes: modules in a list, applied one after the other."""
        from migrator.codemods.models.loops import loop

        return loop(self, node)


def _texts(lines: Sequence[Line]) -> list[str]:
    return [text for line in lines for text in line.text]


def _returns(lines: Sequence[str]) -> bool:
    return bool(lines) and lines[-1].startswith("return ")


def _header_comment(node: cst.If) -> str:
    """The comment behind the colon of an `if`."""
    header = node.body.header if isinstance(node.body, cst.IndentedBlock) else None
    return f"  {header.comment.value}" if header is not None and header.comment is not None else ""


def _if(test: str, then: list[str], other: list[str], said: str = "") -> list[str]:
    """An `if` with what there is to do; turned round when only the other branch does something."""
    if not then and not other:
        return []
    if not then:
        return [f"if {negated(test)}:{said}", *indent(other)]
    tail = otherwise(other) if other else []
    return [f"if {test}:{said}", *indent(then), *tail]


def assigned(node: cst.CSTNode) -> list[str]:
    """Plain names that a statement assigns, in loops and branches below as well."""
    finder = _Assigned()
    walk(node, finder)
    return list(finder.names)


class _Assigned(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, None] = {}

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._target(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._target(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._target(node.target)

    def _target(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Name):
            self.names.setdefault(node.value)
        elif isinstance(node, cst.Tuple | cst.List):
            for element in node.elements:
                self._target(element.value)


def entries(part: Part, layout: object) -> list[str] | None:
    """The entries that a part is in an `nn.Sequential`."""
    return chain(part, LAST if layout is None else layout)  # type: ignore[arg-type]
