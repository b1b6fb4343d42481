"""Statements that make layers and keep them: `__init__`, `build`, and functions that return layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models import own_cells, weight_lists
from migrator.codemods.models.as_class import as_class
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.chains import Entries
from migrator.codemods.models.create import Maker
from migrator.codemods.models.forward import body_of, comments
from migrator.codemods.models.layout import LAST
from migrator.codemods.models.modes import set_trainable
from migrator.codemods.models.owned import Owned
from migrator.codemods.models.part import Part, alike, chain
from migrator.codemods.models.sizes import carried_by
from migrator.codemods.models.term import Bound
from migrator.codemods.models.text import indent, negated, otherwise
from migrator.codemods.models.variables import is_fixed_tensor, is_variable, kept_variable
from migrator.codemods.models.weights import Weight, is_add_weight, weight
from migrator.codemods.nodes import find
from migrator.model import Decline, LayerCode, WeightRecord
from migrator.values import Carried, DType, Literal, ModelValue, ShapeOf, Span, Value

KERAS_STATE = frozenset(
    {
        "self.built",
        "self.supports_masking",
        "self.input_spec",
        "self._supports_ragged_inputs",
        "self.uses_learning_phase",
    }
)
"""Attributes that only Keras's base class reads."""
_IDENTITY = Part("identity", LayerCode("nn.Identity()", "{self}({x})", "identity"))


@dataclass
class Constructor:
    """Rewrites constructor statements and remembers what every name stands for afterwards.

    `often`: names that are assigned more than once, so that they must hold the same kind of thing.
    `local`: the parts belong to plain names, not to attributes (a function that returns layers).
    """

    ctx: Context
    build: ModuleBuild
    maker: Maker
    bound: dict[str, Bound] = field(default_factory=dict)
    lists: dict[str, Bound] = field(default_factory=dict)
    chains: dict[str, Entries] = field(default_factory=dict)
    often: set[str] = field(default_factory=set)
    frames: list[str] = field(default_factory=list)
    loops: int = 0
    local: bool = False
    walked: dict[str, list[Span]] = field(default_factory=dict)  # loops of other methods over a list of modules
    makers: dict[str, cst.FunctionDef] = field(default_factory=dict)  # methods that only make layers and weights
    pending: dict[str, cst.Call] = field(default_factory=dict)  # weights that a variable holds for a moment
    drops: set[str] = field(default_factory=set)  # attributes that are not needed any more
    once: frozenset[str] = frozenset()  # attributes that one statement of the class alone sets

    def block(self, statements: Sequence[cst.BaseStatement]) -> list[str]:
        lines: list[str] = []
        rest = list(statements)
        while rest:
            node = rest.pop(0)
            adds = self._following_adds(node, rest)
            rest = rest[len(adds) :]
            lines += self.statement(node, adds)
        return lines

    def statement(self, node: cst.BaseStatement, adds: Sequence[cst.Call] = ()) -> list[str]:
        if isinstance(node, cst.If):
            return [*comments(node), *self.branch(node)]
        if isinstance(node, cst.For) and node.orelse is None:
            return [*comments(node), *self.loop(node)]
        if not isinstance(node, cst.SimpleStatementLine):
            return self.plain(node)
        lines = self.small(node.body[0], adds) if len(node.body) == 1 else None
        if lines is None:
            return self.plain(node)
        comment = node.trailing_whitespace.comment
        if comment is not None and lines:
            lines = [*lines[:-1], f"{lines[-1]}  {comment.value}"]
        head = comments(node) if lines else [c for c in comments(node) if c]
        return [*head, *lines]

    def plain(self, node: cst.BaseStatement) -> list[str]:
        """A statement without layers."""
        if self._mentions_layers(node):
            self.build.needs.decline("a statement that makes layers in a way that is not known", self.ctx, node)
        if not self.local and any(
            is_variable(call, self.ctx) for call in find(node, m.Call()) if isinstance(call, cst.Call)
        ):
            self.build.needs.decline("a variable that is made in a way that is not known", self.ctx, node)
        text = self.maker.static(node.with_changes(leading_lines=()) if hasattr(node, "leading_lines") else node)
        return [*comments(node), *text.splitlines()]

    def _mentions_layers(self, node: cst.CSTNode) -> bool:
        return any(isinstance(c, cst.Call) and self.maker.is_layer(c) for c in find(node, m.Call()))

    def small(self, node: cst.BaseSmallStatement, adds: Sequence[cst.Call]) -> list[str] | None:
        """The lines of a simple statement about layers; None when it is about something else."""
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            froze = None if self.frames or self.local else set_trainable(node, self.bound, self.build, self.ctx)
            if froze is not None:
                return froze
            if own_cells.handed_over(node, self.maker):
                return []
            name = _name(node.targets[0].target)
            return None if name is None else self.assign(name, node.value, adds)
        if isinstance(node, cst.AnnAssign) and node.value is not None:
            name = _name(node.target)
            return None if name is None else self.assign(name, node.value, adds)
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            return self.method(node.value)
        return None

    # --- assignments ---

    def assign(self, name: str, value: cst.BaseExpression, adds: Sequence[cst.Call]) -> list[str] | None:
        if name in self.drops:
            return []
        if isinstance(self.ctx.value(value), ShapeOf) and "." not in name:
            self.shapes.add(name)
            return None
        if isinstance(value, cst.Call) and is_add_weight(value, self.ctx):
            if not name.startswith("self."):
                self.pending[name] = value
                return []
            return self._weight(name, value)
        if name.startswith("self.") and is_variable(value, self.ctx):
            return self._variable(name, value)
        if isinstance(value, cst.Name) and value.value in self.pending:
            return self.assign(name, self.pending.pop(value.value), adds)
        if weight_lists.makes_weights(value, self):
            return weight_lists.listed(name, value, self)
        if name in self.weights_to_be and isinstance(value, cst.List) and not value.elements:
            return [f"{name} = nn.ParameterList()"]
        if isinstance(value, cst.Call) and self._is_sequential(value):
            return self._sequential(name, value, adds)
        if name in self.often and isinstance(value, cst.Call) and self._is_identity_layer(value):
            return self.keep(name, _IDENTITY)
        if isinstance(value, cst.Call) and self.maker.is_layer(value):
            part = self.maker.part(value)
            return [] if part is None else self.keep(name, part)
        if isinstance(value, cst.Lambda) and name in self.often and _is_identity(value):
            return self.keep(name, _IDENTITY)
        if isinstance(value, cst.IfExp) and self._mentions_layers(value):
            return self._choice(name, value)
        if isinstance(value, cst.List) and (self._mentions_layers(value) or name in self.lists_to_be):
            return self._listed(name, value)
        if isinstance(value, cst.ListComp) and self._mentions_layers(value):
            return self._comprehension(name, value)
        if name in self.once and not self.loops and not self.local and is_fixed_tensor(value, self.ctx):
            return [
                f'self.register_buffer("{name.removeprefix("self.")}", {self.maker.static(value)}, persistent=False)'
            ]
        return None

    def _is_identity_layer(self, node: cst.Call) -> bool:
        """`Lambda(lambda x: x)`."""
        callee = getattr(self.ctx.value(node.func), "name", "")
        first = node.args[0].value if node.args else None
        return callee == "tf.keras.layers.Lambda" and isinstance(first, cst.Lambda) and _is_identity(first)

    lists_to_be: set[str] = field(default_factory=set)
    weights_to_be: set[str] = field(default_factory=set)  # lists to which weights are appended

    def keep(self, name: str, part: Part) -> list[str]:
        """Put a part where a name will find it."""
        attr = name.removeprefix("self.")
        if name in self.often or self.local:
            part = part.alone
            modules = chain(part, part.gives or part.takes or LAST)
            if modules is None:
                self.build.needs.decline(
                    f"`{name}` holds different kinds of layers, one of which is no module", self.ctx
                )
                return []
            self._merge(name, part)
            if len(modules) == 1:
                self.own(attr, part, name)
                return [f"{name} = {modules[0]}"]
            index = modules.index(part.code.module) if part.code.module in modules else 0
            self.own(f"{attr}.{index}", part, f"{name}[{index}]")
            return [f"{name} = nn.Sequential({', '.join(modules)})"]
        if not part.stateful:
            self.bound[name] = Bound(part, "", "")
            return []
        self.bound[name] = Bound(part, name, attr)
        self.own(attr, part, name)
        return [f"{name} = {part.code.module}"]

    def own(self, path: str, part: Part, target: str) -> None:
        frames = list(self.frames)
        penalised = set(part.code.penalty) - {"{self}.regularization_loss()"}  # a module has its own with it
        if self.local and (penalised or part.code.constraint):
            self.build.needs.decline("a penalty or constraint on a layer that a function returns", self.ctx)
        self.build.own(path, part, target, frames)

    def _merge(self, name: str, part: Part) -> None:
        """The part that a name stands for, when several are assigned to it."""
        plain = Part(
            part.api, LayerCode("", "{self}({x})", part.code.stem), part.takes, part.gives, arguments=part.arguments
        )
        old = self.bound.get(name)
        if old is not None:
            takes = _agree(old.part.takes, part.takes)
            gives = _agree(old.part.gives, part.gives)
            if takes is _NO or gives is _NO:
                self.build.needs.decline(f"`{name}` holds layers that work on different layouts", self.ctx)
                return
            plain = replace(plain, takes=takes, gives=gives)  # type: ignore[arg-type]
            if old.part.arguments != part.arguments:
                plain = replace(plain, arguments=False)
        self.bound[name] = Bound(plain, name, name.removeprefix("self."))

    def _weight(self, name: str, value: cst.Call) -> list[str]:
        made = weight(value, self.ctx, self.maker, name)
        if isinstance(made, Decline):
            self.build.needs.declines.append(made)
            return []
        self._own_weight(name, made)
        return made.lines

    def _variable(self, name: str, value: cst.BaseExpression) -> list[str]:
        lines = kept_variable(name, self.maker.static(value))
        if self.loops or (name in self.often and "register_buffer" in lines[0]):
            self.build.needs.decline("a variable that is made more than once", self.ctx, value)
        self.build.needs.imports.add("from torch import nn")
        attr = name.removeprefix("self.")
        self.build.records.append(WeightRecord(self.build.owner, "", self.build.source, ((attr, attr, ""),)))
        return lines

    def _own_weight(self, name: str, made: Weight) -> None:
        if made.init:
            self.build.resets.append(Owned(made.init, name, tuple(self.frames)))
        if made.penalty:
            self.build.penalties.append(Owned(made.penalty, name, tuple(self.frames)))
        if made.constraint:
            self.build.constraints.append(Owned(made.constraint, name, tuple(self.frames)))
        self.build.records.append(
            WeightRecord(self.build.owner, "", self.build.source, ((made.keras, name.removeprefix("self."), ""),))
        )

    # --- Sequential ---

    def _is_sequential(self, node: cst.Call) -> bool:
        value = self.ctx.value(node)
        callee = getattr(self.ctx.value(node.func), "name", "")
        return callee == "tf.keras.Sequential" or (isinstance(value, ModelValue) and callee.endswith(".Sequential"))

    def _following_adds(self, node: cst.BaseStatement, rest: Sequence[cst.BaseStatement]) -> list[cst.Call]:
        """`.add(...)` statements right behind the creation of a Sequential."""
        if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Assign):
            return []
        assign = node.body[0]
        name = _name(assign.targets[0].target)
        if name is None or not isinstance(assign.value, cst.Call) or not self._is_sequential(assign.value):
            return []
        found: list[cst.Call] = []
        for statement in rest:
            call = _method_call(statement, name, "add")
            if call is None or any(comments(statement)) or statement.trailing_whitespace.comment:  # type: ignore[attr-defined]
                break
            found.append(call)
        return found

    def _sequential(self, name: str, value: cst.Call, adds: Sequence[cst.Call]) -> list[str]:
        entries = Entries()
        attr = name.removeprefix("self.")
        layers = self._layers_of(value)
        if layers is None:
            return self._sequential_comprehension(name, value, entries)
        for node in [*layers, *(a.args[0].value for a in adds)]:
            part = self.element(node)
            if part is not None:
                entries.add(part)
        if entries.problem and not (self.local or self.frames or self.loops or name in self.often):
            own = as_class(attr, value, adds, self.build, self.maker, self.ctx)
            if own is not None:
                return self.keep(name, own)
        self._finish_chain(name, entries)
        for part, index in entries.parts:
            self.own(f"{attr}.{index}", part, f"{name}[{index}]")
        lines = entries.text()
        return [f"{name} = {lines[0]}", *lines[1:]]

    def _finish_chain(self, name: str, entries: Entries) -> None:
        if entries.problem:
            self.build.needs.decline(entries.problem, self.ctx)
        self.chains[name] = entries
        if name in self.often:
            self._merge(name, entries.part)
        else:
            self.bound[name] = Bound(entries.part, name, name.removeprefix("self."))

    def _layers_of(self, node: cst.Call) -> list[cst.BaseExpression] | None:
        args = [a for a in node.args if not (a.keyword and a.keyword.value == "name")]
        if not args:
            return []
        first = args[0].value
        if isinstance(first, cst.List | cst.Tuple) and all(isinstance(e, cst.Element) for e in first.elements):
            return [e.value for e in first.elements]
        return None

    def element(self, node: cst.BaseExpression) -> Part | None:
        """The part of an entry of a Sequential or list; None for an input or what is declined."""
        value = self.ctx.value(node)
        api = getattr(value, "api", "")
        callee = getattr(self.ctx.value(node.func), "name", "") if isinstance(node, cst.Call) else ""
        if api.endswith((".InputLayer", ".Input")) or callee.endswith((".InputLayer", ".Input")):
            return None
        if isinstance(node, cst.Call) and self._is_sequential(node):
            return self._nested(node)
        name = _name(node)
        if name is not None and name in self.bound:
            self.build.needs.decline("a layer that is in two places", self.ctx, node)
            return None
        if isinstance(node, cst.Call) and self.maker.is_layer(node):
            return self.maker.part(node)
        self.build.needs.decline(f"not a layer that can be made here: {self.ctx.code(node)}", self.ctx, node)
        return None

    def _nested(self, node: cst.Call) -> Part | None:
        entries = Entries()
        for item in self._layers_of(node) or []:
            part = self.element(item)
            if part is not None:
                entries.add(part)
        if entries.problem or any(p.code.init or p.code.params for p, _ in entries.parts):
            self.build.needs.decline(entries.problem or "a Sequential inside a Sequential", self.ctx, node)
            return None
        return replace(entries.part, code=LayerCode(" ".join(entries.text(10**6)), "{self}({x})", "layers"))

    def _sequential_comprehension(self, name: str, value: cst.Call, entries: Entries) -> list[str]:
        """`Sequential([Dense(u) for u in units])`: a loop that carries the size along."""
        first = value.args[0].value if value.args else None
        if not isinstance(first, cst.ListComp) or first.for_in.inner_for_in or first.for_in.ifs:
            self.build.needs.decline("the layers of a Sequential are not listed", self.ctx, value)
            return []
        assert isinstance(first.elt, cst.Call)
        target = self.ctx.code(first.for_in.target)
        self.maker.loops.add(target)
        part = self.element(first.elt)
        self.maker.loops.discard(target)
        if part is None:
            return []
        part = part.alone
        modules = entries.add(part)
        self._finish_chain(name, entries)
        self._own_loop(name, part, len(modules))
        here = {self.ctx.spans.get(n) for n in (value, first, first.elt)}
        sizes = [c for c in self.carried if c.loop in here]
        self.maker.scope |= {c.name for c in sizes}
        head = [f"{name} = nn.Sequential()", *(f"{c.name} = {c.init}" for c in sizes if c.init != c.name)]
        lines = [f"{name}.append({module})" for module in modules]
        lines += [f"{c.name} = {c.update}" for c in sizes if c.update != c.name]
        return [*head, f"for {target} in {self.maker.static(first.for_in.iter)}:", *indent(lines)]

    @property
    def carried(self) -> tuple[Carried, ...]:
        """Sizes that loops of this class or function carry round."""
        owner = self.build.owner
        known = self.ctx.facts.cls(owner) or self.ctx.facts.function(owner)
        return known.carried if known is not None else ()

    def _own_loop(self, name: str, part: Part, count: int) -> None:
        frames = [*self.frames, f"for layer in {name}:"]
        if count > 1 and part.code.module:
            frames.append(f"if isinstance(layer, {part.code.module.split('(')[0]}):")
        self.build.own(f"{name.removeprefix('self.')}.*", part, "layer", frames)

    # --- methods ---

    def method(self, node: cst.Call) -> list[str] | None:
        """`x.add(layer)`, `xs.append(layer)`, calls of the base class."""
        if not isinstance(node.func, cst.Attribute):
            return None
        name, method = _name(node.func.value), node.func.attr.value
        if name in self.chains and method == "add" and len(node.args) == 1:
            return self._add(name, node)
        if name in self.weights_to_be and method == "append" and weight_lists.appends_weight(node, self):
            item = node.args[0].value
            return weight_lists.appended(name, self.pending.pop(getattr(item, "value", ""), item), self)
        if (name in self.lists or name in self.lists_to_be) and method == "append" and self._mentions_layers(node):
            return self._append(name, node.args[0].value)
        if method == "build" and name in self.bound and _name(node.func.value) != "self":
            return []  # a module has its weights from the start
        inlined = self.makers.get(method) if name == "self" else None
        if inlined is not None:
            return self._inlined(node, inlined)
        if is_base_call(node.func, self.ctx):
            self._base_arguments(node)
            return []
        return None

    def _inlined(self, node: cst.Call, method: cst.FunctionDef) -> list[str] | None:
        """The statements of a method that only makes layers and weights, where the constructor calls it."""
        names = [p.name.value for p in method.params.params[1:]]
        if any(a.star for a in node.args) or len(node.args) > len(names):
            return None
        given = {a.keyword.value if a.keyword else names[i]: a.value for i, a in enumerate(node.args)}
        heads = [
            f"{name} = {self.maker.static(value)}"
            for name, value in given.items()
            if not (isinstance(value, cst.Name) and value.value == name)
        ]
        if set(names) - set(given):
            self.build.needs.decline("a method that makes layers is called without some arguments", self.ctx, node)
        body = body_of(method)
        text = isinstance(body[0], cst.SimpleStatementLine) and isinstance(body[0].body[0], cst.Expr)
        doc = text and isinstance(body[0].body[0].value, cst.SimpleString)  # type: ignore[attr-defined]
        return [*heads, *self.block(body[1:] if doc else body)]

    def _base_arguments(self, node: cst.Call) -> None:
        """Decline what Keras's own constructor is told and a module has no place for."""
        for arg in node.args:
            name = arg.keyword.value if arg.keyword else ""
            given = arg.value.args[0].value if isinstance(arg.value, cst.Call) and arg.value.args else arg.value
            if name == "activity_regularizer" and self.maker.value(given) != Literal(None):
                self.build.needs.decline("an activity_regularizer of the layer itself", self.ctx, node)
            if name == "trainable" and self.ctx.value(arg.value) == Literal(False):
                self.build.needs.decline("a layer that is made untrainable", self.ctx, node)
            if name == "dtype" and not _is_float32(self.ctx.value(arg.value)):
                self.build.needs.decline("layers of another dtype than float32", self.ctx, node)

    def _add(self, name: str, node: cst.Call) -> list[str]:
        entries = self.chains[name]
        part = self.element(node.args[0].value)
        if part is None:
            return []
        part = part.alone
        start = len(entries.modules)
        modules = entries.add(part)
        self._finish_chain(name, entries)
        attr = name.removeprefix("self.")
        if self.loops or (entries.parts and self._looped(name)):
            self._own_loop(name, part, 2)
            self.looped.add(name)
        elif part.stateful:
            index = start + modules.index(part.code.module) if part.code.module in modules else start
            self.own(f"{attr}.{index}", part, f"{name}[{index}]")
        return [f"{name}.append({module})" for module in modules]

    looped: set[str] = field(default_factory=set)

    def _looped(self, name: str) -> bool:
        return name in self.looped

    # --- lists ---

    def _listed(self, name: str, value: cst.List) -> list[str]:
        parts = [self.element(e.value) for e in value.elements]
        known = [p for p in parts if p is not None]
        attr = name.removeprefix("self.")
        if self._stateless(name, known):
            return []
        modules = self._elements(name, known)
        for index, part in enumerate(known):
            self.own(f"{attr}.{index}", part, f"{name}[{index}]")
        if not modules:
            return [f"{name} = nn.ModuleList()"]
        line = f"{name} = nn.ModuleList([{', '.join(modules)}])"
        if len(line) <= 100:
            return [line]
        return [f"{name} = nn.ModuleList([", *(f"    {module}," for module in modules), "])"]

    def _stateless(self, name: str, parts: Sequence[Part]) -> bool:
        """Whether the layers of a list are all one function, which is written where they are called."""
        same = bool(parts) and all(alike(parts[0], p) and not p.stateful for p in parts) and not self.local
        old = self.lists.get(name)
        same = same and (old is None or (not old.path and alike(old.part, parts[0])))
        if same:
            self.lists[name] = Bound(parts[0], name, "")
        return same

    shapes: set[str] = field(default_factory=set)  # names of shapes, of which the sizes are written out

    def without_leftovers(self, lines: list[str]) -> list[str]:
        """The lines without the lists that held nothing but functions, and names of shapes that nothing reads."""
        gone = {f"{name} = nn.ModuleList()" for name, held in self.lists.items() if not held.path}
        kept = [line for line in lines if line.strip() not in gone]
        for name in self.shapes:
            rest = [line for line in kept if not line.startswith(f"{name} = ")]
            if not any(re.search(rf"\b{name}\b", line) for line in rest):
                kept = rest
        return kept

    def _elements(self, name: str, parts: Sequence[Part]) -> list[str]:
        """The modules of a list, and the part that any of its elements is."""
        if not parts:
            return []
        first = parts[0]
        same = all(alike(first, p) for p in parts) and first.stateful
        old = self.lists.get(name)
        if old is not None and not alike(old.part, first):
            same = False
        if same:
            self.lists[name] = Bound(first, name, f"{name.removeprefix('self.')}.*")
            return [p.code.module or "" for p in parts]
        self.build.needs.decline(f"the layers in `{name}` are called in different ways", self.ctx)
        return []

    def _comprehension(self, name: str, value: cst.ListComp) -> list[str] | None:
        if not isinstance(value.elt, cst.Call) or value.for_in.inner_for_in is not None:
            self.build.needs.decline("layers in a nested comprehension", self.ctx, value)
            return []
        target = self.ctx.code(value.for_in.target)
        self.maker.loops.add(target)
        part = self.element(value.elt)
        self.maker.loops.discard(target)
        if part is None or self._stateless(name, [part]) or not self._elements(name, [part]):
            return []
        attr = name.removeprefix("self.")
        self.build.own(f"{attr}.*", part, "layer", [*self.frames, f"for layer in {name}:"])
        over = self.maker.static(value.for_in.iter)
        sizes = [c for c in self.carried if c.loop in self.walked.get(name, ())]
        if sizes:
            return self._carrying(name, part, f"for {target} in {over}:", sizes)
        tests = "".join(f" if {self.maker.static(i.test)}" for i in value.for_in.ifs)
        return [f"{name} = nn.ModuleList([{part.code.module} for {target} in {over}{tests}])"]

    def _carrying(self, name: str, part: Part, header: str, sizes: Sequence[Carried]) -> list[str]:
        """A list whose modules each take what the one before gives."""
        self.maker.scope |= {c.name for c in sizes}
        first = [f"{c.name} = {c.init}" for c in sizes if c.init != c.name]
        after = [f"{c.name} = {c.update}" for c in sizes if c.update != c.name]
        return [f"{name} = nn.ModuleList()", *first, header, *indent([f"{name}.append({part.code.module})", *after])]

    def _append(self, name: str, node: cst.BaseExpression) -> list[str] | None:
        part = self.element(node)
        if part is None or self._stateless(name, [part]):
            return []
        modules = self._elements(name, [part])
        if not modules:
            return []
        attr = name.removeprefix("self.")
        self.build.own(f"{attr}.*", part, "layer", [f"for layer in {name}:"])
        return [f"{name}.append({modules[0]})"]

    def _choice(self, name: str, value: cst.IfExp) -> list[str]:
        """`a if condition else b` as a branch."""
        test = self.maker.static(value.test)
        self.often.add(name)
        then = self._under(self.maker.keep(test), name, value.body)
        other = self._under(negated(self.maker.keep(test)), name, value.orelse)
        return [f"if {test}:", *indent(then), "else:", *indent(other)]

    def _under(self, test: str, name: str, value: cst.BaseExpression) -> list[str]:
        self.frames.append(f"if {test}:")
        lines = self.assign(name, value, ())
        self.frames.pop()
        return lines if lines is not None else [f"{name} = {self.maker.static(value)}"]

    # --- compound statements ---

    def branch(self, node: cst.If) -> list[str]:
        test = self.maker.static(node.test)
        if test in ("True", "False") and self.ctx.code(node.test).strip() != test:  # a test of TensorFlow's version
            return self.block(body_of(node) if test == "True" else _others(node))
        then = self._framed(f"if {self._kept(test, node)}:", body_of(node))
        other: list[str] = []
        if node.orelse is not None:
            other = self._framed(f"if {negated(self._kept(test, node))}:", _others(node))
        return _branches(test, then, other)

    def _kept(self, test: str, node: cst.If) -> str:
        return self.maker.keep(test) if self._mentions_state(node) and not self.loops else test

    def _mentions_state(self, node: cst.If) -> bool:
        calls = [c for c in find(node, m.Call()) if isinstance(c, cst.Call)]
        return not self.local and any(self.maker.is_layer(c) or is_add_weight(c, self.ctx) for c in calls)

    def _framed(self, frame: str, statements: Sequence[cst.BaseStatement]) -> list[str]:
        if self.local or self.loops:
            return self.block(statements)
        self.frames.append(frame)
        lines = self.block(statements)
        self.frames.pop()
        return lines

    def loop(self, node: cst.For) -> list[str]:
        self.loops += 1
        target = self.ctx.code(node.target)
        names = {n.value for n in find(node.target, m.Name()) if isinstance(n, cst.Name)}
        self.maker.loops |= names
        lines = self.block(body_of(node))
        self.maker.loops -= names
        self.loops -= 1
        calls = [c for c in find(node, _APPEND) if isinstance(c, cst.Call)]
        filled = {_name(c.func.value) for c in calls if isinstance(c.func, cst.Attribute)}
        over = [span for name in filled for span in self.walked.get(name or "", ())]
        first, after = carried_by(node, self.carried, self.ctx.spans, over)
        lines += [f"{name} = {size}" for name, size in after]
        self.maker.scope |= {name for name, _ in first}
        head = [f"{name} = {size}" for name, size in first]
        return [*head, f"for {target} in {self.maker.static(node.iter)}:", *indent(lines or ["pass"])]


def is_base_call(func: cst.Attribute, ctx: Context) -> bool:
    """`super().__init__(...)`, `super().build(...)`, `layers.Layer.__init__(self)`, `self.build(...)`."""
    if func.attr.value not in ("__init__", "build"):
        return False
    text = ctx.code(func.value)
    return text.startswith("super(") or text == "self" or func.attr.value == "__init__"


def _is_float32(value: Value) -> bool:
    """Whether a dtype is the usual one, or is left to who constructs the layer."""
    if isinstance(value, Literal | DType):
        name = value.name if isinstance(value, DType) else value.value
        return name in (None, "float32")
    return True


def _others(node: cst.If) -> Sequence[cst.BaseStatement]:
    """The statements that run where a test fails."""
    if node.orelse is None:
        return ()
    return [node.orelse] if isinstance(node.orelse, cst.If) else body_of(node.orelse)


def _branches(test: str, then: list[str], other: list[str]) -> list[str]:
    """An `if` whose branches may have nothing left to do; a test that calls something is still made."""
    if _does(other) and not _does(then) and "(" not in test:
        return [*then, f"if {negated(test)}:", *indent(other)]
    if not _does(then) and not _does(other) and "(" not in test:
        return [line for line in (*then, *other) if line != "pass"]
    lines = [f"if {test}:", *indent(then if _does(then) else [*then, "pass"])]
    return [*lines, *(otherwise(other) if _does(other) else [])]


def _does(lines: Sequence[str]) -> bool:
    """Whether there is a statement among the lines."""
    return any(line.strip() not in ("", "pass") and not line.lstrip().startswith("#") for line in lines)


_NO = object()
_APPEND = m.Call(func=m.Attribute(attr=m.Name("append")))


def _agree(one: object, two: object) -> object:
    if one is None or two is None or one == two:
        return one if one is not None else two
    return _NO


def _name(node: cst.BaseExpression) -> str | None:
    return get_full_name_for_node(node) if isinstance(node, cst.Name | cst.Attribute) else None


def _is_identity(node: cst.Lambda) -> bool:
    params = node.params.params
    return len(params) == 1 and isinstance(node.body, cst.Name) and node.body.value == params[0].name.value


def _method_call(node: cst.BaseStatement, name: str, method: str) -> cst.Call | None:
    if not isinstance(node, cst.SimpleStatementLine) or len(node.body) != 1:
        return None
    small = node.body[0]
    if not isinstance(small, cst.Expr) or not isinstance(small.value, cst.Call):
        return None
    call = small.value
    found = isinstance(call.func, cst.Attribute) and call.func.attr.value == method and _name(call.func.value) == name
    return call if found and len(call.args) == 1 else None
