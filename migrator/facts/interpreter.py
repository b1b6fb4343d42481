"""The abstract evaluator's state: environments, recorded values, observed calls and layer uses."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrator.facts import dims, mutation, names, settled
from migrator.facts.join import join
from migrator.facts.modules import Definition, FunctionNode, Module
from migrator.facts.sized import join_inputs
from migrator.values import (
    RESERVED,
    Api,
    Carried,
    Dim,
    External,
    FunctionFacts,
    Instance,
    ModelValue,
    RepoClass,
    RepoInstance,
    Span,
    Sym,
    Tensor,
    Unknown,
    Value,
    is_mixed,
)

UNKNOWN = Unknown()
MAX_DEPTH = 14
MAX_STEPS = 3_000_000

Key = tuple[int, int, int, int]
Site = tuple[str, Span]


@dataclass
class Frame:
    """One activation of a module, function, method, lambda or class body.

    `scope`: the root (module, function or class) whose symbols the frame's values are written in.
    `stable`: names of the root scope that keep one value, so that they may stand in a `Sym`.
    Attributes of `this` live in `env` under "@.name", so that branches and loops treat both alike.
    """

    module: Module
    scope: str
    env: dict[str, Value]
    outer: Frame | None = None
    record: bool = False
    this: RepoInstance | None = None
    this_name: str = ""
    stable: frozenset[str] = frozenset()
    depth: int = 0
    returns: list[Value] = field(default_factory=list)
    exits: list[dict[str, Value]] = field(default_factory=list)
    owner: str = ""  # class whose body the running method stands in, for super()
    globals: set[str] = field(default_factory=set)
    naming: bool = False  # values are in this frame's own symbols: a root frame, recording or not
    names: frozenset[str] = frozenset()  # all identifiers of the root, which fresh names must avoid
    loops: list[Span] = field(default_factory=list)
    heads: list[frozenset[str]] = field(default_factory=list)  # the variables at the heads of these loops
    moves: bool = False  # whole numbers that a loop changes may stand for themselves
    moving: set[str] = field(default_factory=set)  # those that do
    writers: list[str] = field(default_factory=list)  # summary writers of the blocks around; "" where tags differ
    untaken: list[dict[str, Value]] = field(default_factory=list)  # where ways end that a constant closes
    at_hand: frozenset[str] = frozenset()  # parameters that are tensors with sizes to be read, not parts of a graph


@dataclass
class Use:
    """Calls of the module created at one site, in the symbols of the scope that creates it."""

    layer: Value
    inputs: tuple[Value, ...] | None = None
    output: Value | None = None
    calls: set[object] = field(default_factory=set)


@dataclass(frozen=True)
class Observed:
    """One call of a function or class as its callers wrote it."""

    module: str
    site: Span
    args: tuple[tuple[str, Value], ...]
    root: str = ""  # the function, class or module that was being summed up


@dataclass(frozen=True)
class Applied:
    """One call of an instance of a repository class: bound arguments of its `call`, in the caller's symbols."""

    args: tuple[tuple[str, Value], ...]
    built: bool = False  # from `model.build(shape)`


class Interpreter:
    """What is shared by all frames of one analysis."""

    def __init__(
        self,
        modules: Mapping[str, Module],
        evaluate: Callable[[Interpreter, ast.expr, Frame], Value],
        execute: Callable[[Interpreter, list[ast.stmt], Frame], bool],
    ) -> None:
        self.modules = modules
        self._evaluate = evaluate
        self._execute = execute
        self.definitions: dict[str, Definition] = {}
        for module in modules.values():
            self.definitions.update(module.definitions)
        self.frames: dict[str, Frame] = {}
        self.ever: dict[str, dict[str, Value]] = {name: {} for name in modules}  # all that globals ever were
        self.values: dict[str, dict[Key, Value]] = {name: {} for name in modules}
        self.bound_at: dict[str, dict[str, int]] = {}  # where scripts have bound their variables last
        self.root = ""
        self.site_scope: dict[Site, str] = {}
        self.uses: dict[Site, Use] = {}
        self.observed: dict[str, list[Observed]] = {}
        self.applied: dict[str, list[Applied]] = {}
        self.attrs: dict[RepoInstance, dict[str, Value]] = {}
        self.methods: dict[str, FunctionFacts] = {}
        self.defaults: dict[ast.AST, dict[str, Value]] = {}
        self.stars: dict[str, list[str]] = {}  # TensorFlow modules whose names a file has all imported
        self.built: dict[RepoInstance, object] = {}  # for which root and shape
        self.class_attrs: dict[str, dict[str, Value]] = {}
        self.closures: dict[tuple[str, str], Frame] = {}  # by lambda and root
        self.nested: list[tuple[FunctionNode, Frame, Value]] = []  # nested functions, as lambdas below
        self.bases: dict[str, tuple[Value, ...]] = {}
        self.deferred: list[tuple[ast.Lambda, Frame, str]] = []  # lambdas to be walked once with open parameters
        self.lambdas: dict[str, ast.Lambda | FunctionNode] = {}
        self.memo: dict[object, tuple[Value, dict[str, tuple[int | None, bool]], dict[str, Dim]]] = {}
        self.made: dict[object, dict[str, Value]] = {}  # attributes by class and constructor arguments
        self.touched: set[RepoInstance] = set()  # instances whose attributes were set from outside
        self.looked_up: set[str] = set()  # reserved symbols of tensors that hold positions in a table
        self.bound_sizes: dict[str, Dim] = {}  # reserved symbols fixed by the class itself (input_shape=)
        self.carried: dict[tuple[Span, str], Carried] = {}  # of the running root
        self.hints: dict[str, tuple[int | None, bool]] = {}  # reserved symbol: rank that layers ask for, convolutional
        self.foreign: dict[Site, list[Value]] = {}  # inputs of modules in other scopes than their own
        self.saved: dict[str | None, Value] = {}  # models by the files that they were saved to
        self.unfed: dict[Site, ModelValue] = {}  # Sequentials without a declared input that nothing has called yet
        self.origins: dict[Site, Site] = {}  # call of a factory: the site inside it that made the module
        self._shared: dict[str, frozenset[str]] = {}
        self._changed: dict[str, frozenset[str]] = {}
        self.steps = 0
        self.errors: list[str] = []
        self.active: list[str] = []
        self.weights: list[tuple[RepoInstance, tuple[Dim, ...] | None]] = []  # add_weight calls of the running root
        self.effects: set[str] = set()  # of the running root: "compiles", "fits", "applies-gradients"
        self.muted: list[tuple[str, int, int]] = []  # modules and lines whose uses are not recorded now
        self.untaken: frozenset[Site] = frozenset()  # modules of the way walked now, which a constant closes

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """The value of an expression."""
        return self._evaluate(self, node, frame)

    def run(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Execute statements; True when control does not reach their end."""
        return self._execute(self, body, frame)

    def note(self, module: Module, node: ast.AST, value: Value) -> None:
        """Leave a value on an expression, joined with what earlier passes left there."""
        if self.untaken:
            return
        key = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        values = self.values[module.name]
        known = values.get(key)
        values[key] = value if known is None or known is value else join(known, value)

    def span(self, module: Module, node: ast.AST) -> Span:
        """The code-point span of a node."""
        key = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return key_span(module, key)

    def effect(self, kind: str, scope: str) -> None:
        """Note what the running root itself does to a model."""
        if scope == self.root and not self.untaken:
            self.effects.add(kind)

    def lookup(self, name: str, frame: Frame) -> Value:
        """The value of a name where the frame stands."""
        current: Frame | None = frame
        while current is not None:
            if name in current.env:
                return self._global(name, current, frame)
            current = current.outer
        module_frame = self.frames.get(frame.module.name)
        if module_frame is not None and name in module_frame.env:
            return self._global(name, module_frame, frame)
        for base in self.stars.get(frame.module.name, ()):
            api = names.canonical(f"{base}.{name}") or ""
            if names.known(api):
                return Api(api)
        if hasattr(builtins, name):
            return External(name)
        return Unknown(f"{name} is not defined where it is known")

    def _global(self, name: str, owner: Frame, user: Frame) -> Value:
        """A function sees a module variable as all that it ever was; the module as it is now."""
        value = owner.env[name]
        if owner is user or owner.outer is not None or self.frames.get(owner.module.name) is not owner:
            return value
        ever = self.ever[owner.module.name].get(name, value)
        if user.scope == owner.scope:
            return ever
        seen = settled.visible(ever, self._hidden(user))
        if not isinstance(seen, Unknown) or seen.sym is not None or is_mixed(seen):
            return seen
        return Unknown(seen.reason, Sym(name)) if self.stands(name, user) else seen

    def stands(self, name: str, frame: Frame) -> bool:
        """Whether a variable of a script may stand in a size, in the script or in a function of it."""
        if frame.scope.endswith(":"):
            return name in self.bound_at.get(frame.module.name, {}) and name not in self.shared_names(frame.module)
        known = name in self.ever[frame.module.name] and name not in self._hidden(frame)
        return name in frame.at_hand or (known and name not in self.shared_names(frame.module))

    def _hidden(self, user: Frame) -> frozenset[str]:
        """The names that mean something else in a function or class than in its module."""
        definition = self.definitions.get(user.scope)
        return frozenset() if definition is None else settled.bound_inside(definition.node)

    def bind(self, name: str, value: Value, frame: Frame) -> None:
        """Assign a name in the frame."""
        if name in frame.globals:
            self._bind_outer(name, value, frame)
            return
        top = self.frames.get(frame.module.name) is frame
        if top and name in self.shared_names(frame.module):
            value = Unknown(f"functions assign the global {name}")
        frame.env[name] = value
        if top and not self.untaken:
            ever = self.ever[frame.module.name]
            ever[name] = join(ever[name], value) if name in ever else value

    def _bind_outer(self, name: str, value: Value, frame: Frame) -> None:
        """`nonlocal`: the enclosing function's variable may be either value from now on."""
        owner = frame.outer
        while owner is not None:
            if name in owner.env:
                owner.env[name] = join(owner.env[name], value)
                return
            owner = owner.outer

    def shared_names(self, module: Module) -> frozenset[str]:
        """Module variables that functions assign, found once a module."""
        if module.name not in self._shared:
            self._shared[module.name] = mutation.shared_names(module)
        return self._shared[module.name]

    def changed_attributes(self, qualname: str) -> frozenset[str]:
        """Attributes that have no fixed value, in the class and its repository bases."""
        if qualname not in self._changed:
            self._changed[qualname] = frozenset()
            found: frozenset[str] = frozenset()
            definition = self.definitions.get(qualname)
            if definition is not None and isinstance(definition.node, ast.ClassDef):
                found = mutation.changed_attributes(definition.node)
            for base in self.bases.get(qualname, ()):
                if isinstance(base, RepoClass):
                    found |= self.changed_attributes(base.qualname)
            self._changed[qualname] = found
        return self._changed[qualname]

    def attribute(self, instance: RepoInstance, name: str, frame: Frame) -> Value | None:
        """An attribute that the class's own code has set, or None."""
        current: Frame | None = frame
        while current is not None:
            if current.this == instance and f"@.{name}" in current.env:
                return current.env[f"@.{name}"]
            current = current.outer
        found = self.attrs.get(instance, {}).get(name)
        if found is not None and name in self.changed_attributes(instance.qualname):
            return Unknown(f"methods assign the attribute {name}")
        return found

    def counts(self, module: Instance | RepoInstance | ModelValue) -> bool:
        """Whether calls of the module count: all do, but on a way that a constant closes only those of its modules."""
        return not self.untaken or (module.module, module.site) in self.untaken

    def note_positions(self, value: Value) -> None:
        """Note the reserved size of a tensor that holds positions in a table: it is one of integers."""
        last = value.channels if isinstance(value, Tensor) and value.dtype is None else None
        if isinstance(last, Sym) and last.text.startswith(RESERVED):
            self.looked_up.add(last.text)

    def record_use(self, layer: Value, inputs: tuple[Value, ...], output: Value, call: object) -> None:
        """Note that a module was called, if it was created in the scope that is being summed up."""
        if not isinstance(layer, Instance | RepoInstance | ModelValue) or layer.site is None:
            return
        site = (layer.module, layer.site)
        if not self.counts(layer):
            return
        if inputs and isinstance(inputs[0], Tensor):
            self.foreign.setdefault(self.origins.get(site, site), []).append(inputs[0])
        if self.site_scope.get(site) != self.root or any(_covers(muted, site) for muted in self.muted):
            return
        inputs = tuple(self._told(value, site) for value in inputs)
        use = self.uses.setdefault(site, Use(layer))
        use.layer = layer if use.layer == layer else join(use.layer, layer)
        if use.inputs is None or use.output is None:
            use.inputs, use.output = inputs, output
        else:
            use.inputs = join_inputs(layer, use.inputs, inputs)
            use.output = join(use.output, output)
        use.calls.add(call)

    def rebind(self, target: ast.Name, frame: Frame) -> None:
        """Note where a script binds a variable; sizes that say it mean what it was before, and are forgotten."""
        bound = self.bound_at.setdefault(frame.module.name, {})
        if target.id in bound:
            frame.env = {name: settled.visible(value, (target.id,)) for name, value in frame.env.items()}
        bound[target.id] = target.lineno

    def _told(self, value: Value, site: Site) -> Value:
        """A tensor with a size that a variable of the script says only where it does so before the module is made."""
        if not self.root.endswith(":") or not isinstance(value, Tensor) or not isinstance(value.channels, Sym):
            return value
        bound = self.bound_at.get(site[0], {})
        known = settled.known_at(value.channels, site[1].line, self.modules[site[0]].tree, bound)
        return value if known else settled.visible(value, dims.names(value.channels))


EVERYTHING = ("", 0, 0)


def _covers(muted: tuple[str, int, int], site: Site) -> bool:
    module, first, last = muted
    return muted == EVERYTHING or (module == site[0] and first <= site[1].line <= last)


def key_span(module: Module, key: Key) -> Span:
    """A byte-column key as a code-point span."""
    line, column, end_line, end_column = key
    if module.lines:
        column = _code_points(module, line, column)
        end_column = _code_points(module, end_line, end_column)
    return Span(line, column, end_line, end_column)


def span_key(module: Module, span: Span) -> Key:
    """A code-point span as a byte-column key."""
    column, end_column = span.column, span.end_column
    if module.lines:
        column = len(module.lines[span.line - 1][:column].encode()) if span.line <= len(module.lines) else column
        if span.end_line <= len(module.lines):
            end_column = len(module.lines[span.end_line - 1][:end_column].encode())
    return (span.line, column, span.end_line, end_column)


def _code_points(module: Module, line: int, column: int) -> int:
    if line > len(module.lines):
        return column
    return len(module.lines[line - 1].encode()[:column].decode("utf-8", "replace"))
