"""Classes that derive from Keras's `Metric`: plain classes whose states are tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, find
from migrator.codemods.training.callback_classes import derives_directly, is_unread_config
from migrator.codemods.training.place import Statement, statements
from migrator.codemods.training.writer import Unfit
from migrator.values import DType, Instance, Literal, RepoClass, Scalar, Tensor, Unknown, Value

_INIT = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")))
_OF_SELF = m.Attribute(value=m.Name("self"))
_OF_BASE = m.Attribute(value=m.Call(func=m.Name("super")))
_STATE = m.Call(func=m.Attribute(value=m.Name("self"), attr=m.Name("add_weight") | m.Name("add_variable")))
_CHANGING = ("update_state", "reset_state", "assign", "assign_add", "assign_sub")
_CALL = "def __call__(self, *args, **kwargs):\n    self.update_state(*args, **kwargs)\n    return self.result()"
_IGNORED = ("name", "synchronization", "aggregation")
_FILLED = {"zeros": "zeros", "zero": "zeros", "ones": "ones", "one": "ones"}


def makes_state(call: cst.Call, ctx: Context) -> bool:
    """Whether a call is `self.add_weight(...)` of a metric."""
    value = ctx.value(call)
    return m.matches(call, _STATE) and isinstance(value, Tensor) and value.origin == "variable"


def reads_dtype(node: cst.Attribute, ctx: Context) -> bool:
    """Whether an attribute is the dtype of a metric, which is float32 where nothing else was asked for."""
    return m.matches(node, m.Attribute(value=m.Name("self"), attr=m.Name("dtype"))) and isinstance(
        ctx.value(node), DType
    )


def state(call: cst.Call, ctx: Context) -> str:
    """The tensor with which a state of a metric begins; raises `Unfit`."""
    given: dict[str, cst.BaseExpression] = {}
    names = ("shape", "initializer", "dtype", "name") if ctx.keras == 3 else ("name", "shape")
    for index, arg in enumerate(call.args):
        name = arg.keyword.value if arg.keyword is not None else names[index] if index < len(names) else ""
        if arg.star or name not in ("shape", "initializer", "dtype", *_IGNORED):
            raise Unfit(f"argument `{name or arg.star}` of a metric's add_weight")
        given[name] = arg.value
    shape = ctx.value(given["shape"]) if "shape" in given else None
    if isinstance(shape, Literal) and not isinstance(shape.value, int | tuple):
        raise Unfit("a state of a metric whose shape is not known")
    filled, dtype = _filled(given.get("initializer"), ctx), _dtype(given.get("dtype"), ctx)
    size = "()" if shape is None else ctx.code(given["shape"]).strip()
    return f"torch.{filled}({size}{dtype}, device=device)"


def _filled(node: cst.BaseExpression | None, ctx: Context) -> str:
    value = None if node is None else ctx.value(node)
    word = value.api.rpartition(".")[2] if isinstance(value, Instance) else _literal(value)
    filled = _FILLED.get(str(word).lower().removesuffix("_initializer"))
    if filled is None:
        raise Unfit("a state of a metric that begins with neither zeros nor ones")
    return filled


def _literal(value: Value | None) -> object:
    return value.value if isinstance(value, Literal) else None


def _dtype(node: cst.BaseExpression | None, ctx: Context) -> str:
    value = None if node is None else ctx.value(node)
    if value is None or value == Literal(None):
        return ""
    name = value.name if isinstance(value, DType) else _literal(value)
    if name not in ("float32", "float64", "int32", "int64", "bool"):
        raise Unfit("a state of a metric with a dtype that is not known")
    return "" if name == "float32" else f", dtype=torch.{name}"


def head_of(line: cst.SimpleStatementLine) -> list[Statement]:
    """What is left of `super().__init__(name=name)`: the name."""
    given = [a.value for a in _given(line) if a.keyword is not None and a.keyword.value == "name"]
    return statements(f"self.name = {cst.Module([]).code_for_node(given[0])}") if given else []


def _given(node: cst.CSTNode) -> list[cst.Arg]:
    """What the base class is given."""
    return [arg for call in find(node, _INIT) if isinstance(call, cst.Call) for arg in call.args]


@dataclass(frozen=True)
class MetricClass:
    """A class of the file that derives from Keras's `Metric`, itself or through another one."""

    node: cst.ClassDef
    ctx: Context

    def problem(self) -> str:
        """Why it cannot be a plain class; "" when it can."""
        made = [part for s in self.body for part in find(s, _STATE)]
        if not derives_directly(self.node, self.ctx):
            return "states that a metric adds to those of its base" if made else ""
        if not {"update_state", "result"} <= self.methods:
            return "a metric without `update_state` or `result`"
        if len(made) != len(self.states):
            return "a state of a metric that is no attribute set once in `__init__`"
        known = {*self.methods, *self.attributes, "add_weight", "add_variable", "name", "dtype"}
        for read in (part for s in self.body for part in find(s, _OF_SELF)):
            assert isinstance(read, cst.Attribute)
            if read.attr.value not in known:
                return f"`{read.attr.value}` of Keras's metrics"
        for read in (part for s in self.body for part in find(s, _OF_BASE)):
            assert isinstance(read, cst.Attribute)
            if read.attr.value != "__init__":
                return f"`{read.attr.value}` of Keras's base class"
        if "reset_state" not in self.methods and self.holds_more():
            return "a metric that Keras resets and that holds more than its own states"
        return self.given_problem()

    @property
    def body(self) -> list[cst.CSTNode]:
        """The statements of the class but for what only Keras asks for."""
        return [s for s in self.node.body.body if not is_unread_config(s, self.ctx)]

    @property
    def methods(self) -> set[str]:
        return {s.name.value for s in self.node.body.body if isinstance(s, cst.FunctionDef)}

    @property
    def init(self) -> cst.FunctionDef | None:
        found = (s for s in self.node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__")
        return next(found, None)

    @property
    def attributes(self) -> set[str]:
        """What methods set on the object, and what the class itself has."""
        stored = find(self.node, m.AssignTarget(target=_OF_SELF))
        own = find(self.node.body, m.AssignTarget(target=m.Name()))
        targets = [t.target for t in (*stored, *own) if isinstance(t, cst.AssignTarget)]
        return {_target(t) for t in targets}

    @property
    def states(self) -> list[str]:
        """The attributes that are states, each set by a statement of `__init__` itself."""
        lines = [] if self.init is None else self.init.body.body
        assigns = [part for line in lines if isinstance(line, cst.SimpleStatementLine) for part in line.body]
        pattern = m.Assign(targets=[m.AssignTarget(target=_OF_SELF)], value=_STATE)
        return [_target(p.targets[0].target) for p in assigns if isinstance(p, cst.Assign) and m.matches(p, pattern)]

    def holds_more(self) -> bool:
        """Whether Keras would reset more than the states: metrics and variables among the attributes."""
        facts = self.ctx.facts.cls(f"{self.ctx.module}:{self.node.name.value}")
        attrs = facts.attrs if facts is not None else ()
        others = [value for name, value in attrs if name not in self.states]
        changed = m.Call(func=m.Attribute(value=_OF_SELF, attr=m.OneOf(*map(m.Name, _CHANGING))))
        owners = [call.func.value.attr.value for call in find(self.node, changed)]  # type: ignore[attr-defined]
        return not {*owners} <= {*self.states} or not all(isinstance(v, Literal | Scalar | Unknown) for v in others)

    def given_problem(self) -> str:
        """Why the base class may be told something that is lost; "" when it is not."""
        rest = self.init.params.star_kwarg if self.init is not None else None
        rest_name = rest.name.value if rest is not None else ""
        handed = []
        for arg in _given(self.node):
            if arg.star == "**" and rest_name and _word(arg.value) == rest_name:
                handed.append(arg.value)
                continue
            if arg.star or arg.keyword is None or arg.keyword.value != "name":
                return "what the base class is given has no rule"
            default = next((p.default for p in self.params if p.name.value == _word(arg.value)), None)
            if "None" in (_word(arg.value), _word(default)):
                return "a metric that Keras names"
        return self.rest_problem(handed)

    def rest_problem(self, handed: Sequence[cst.BaseExpression] | None = None) -> str:
        """Why `**kwargs` of the constructor, which the base class is `handed`, may hold something that is lost."""
        if handed is None:
            handed = [arg.value for arg in _given(self.node) if arg.star == "**"]
        rest = self.init.params.star_kwarg if self.init is not None else None
        rest_name = rest.name.value if rest is not None else ""
        if not handed:
            return ""
        if self.init is None or any(_word(node) != rest_name for node in handed):
            return "what the base class is given has no rule"
        if len(find(self.init.body, m.Name(rest_name))) > len(handed):
            return f"`{rest_name}` of a metric is read"
        takes = {"", *(p.name.value for p in self.params)}
        given = {a.keyword.value if a.keyword else a.star for _, call in self.constructions() for a in call.args}
        return "a metric is given what only Keras's base class takes" if given - takes else ""

    @property
    def params(self) -> Sequence[cst.Param]:
        return () if self.init is None else (*self.init.params.params, *self.init.params.kwonly_params)

    def constructions(self) -> Iterator[tuple[Context, cst.Call]]:
        """The calls of the repository that make an object of this class, with the file that they stand in."""
        qualname = f"{self.ctx.module}:{self.node.name.value}"
        for there in (self.ctx, *(other for other in self.ctx.siblings.values() if other.path != self.ctx.path)):
            there.begin()
            for call in find(there.tree, m.Call()):
                value = there.value(call.func) if isinstance(call, cst.Call) else None
                if isinstance(call, cst.Call) and isinstance(value, RepoClass) and value.qualname == qualname:
                    yield there, call
        self.ctx.begin()

    def completed(self, suite: cst.BaseSuite) -> cst.BaseSuite:
        """The body with what Keras's base class had and somebody may ask for: `reset_state` and the call."""
        if not derives_directly(self.node, self.ctx):
            return suite
        uses = Uses.of(self)
        kept = [s for s in suite.body if not is_unread_config(s, self.ctx)]
        added = statements(_CALL) if "__call__" not in self.methods and uses.may_be_called else []
        if "reset_state" not in self.methods and self.states and uses.may_be_reset:
            added = [*statements(_reset(self.states)), *added]
        return suite.with_changes(
            body=[*kept, *(s.with_changes(leading_lines=[cst.EmptyLine(indent=False)]) for s in added)]
        )


@dataclass(frozen=True)
class Uses:
    """What the repository may do with the objects of a metric: all of it where one is handed on."""

    may_be_called: bool
    may_be_reset: bool

    @classmethod
    def of(cls, metric: MetricClass) -> Uses:
        ctx, names, made = metric.ctx, set(), list(metric.constructions())
        for there, call in made:
            if _is_compiled(call, there):
                continue
            name = _bound_to(call, there)
            if name is None:
                return cls(True, True)
            names.add(name)
        if not made:
            return cls(True, True)
        trees = [ctx.tree, *(other.tree for other in ctx.siblings.values() if other.path != ctx.path)]
        uses = [(n, tree) for tree in trees for name in names for n in find(tree, m.Name(name))]
        if not all(_is_plain_use(n, tree) for n, tree in uses):
            return cls(True, True)
        reset = any(find(tree, m.Attribute(attr=m.Name("reset_state"))) for tree in trees)
        return cls(False, reset or any(find(tree, m.FunctionDef(name=m.Name("train_step"))) for tree in trees))


def _is_compiled(call: cst.Call, there: Context) -> bool:
    """Whether an object is only listed in the metrics of a `compile`: passes over data update it and read it."""
    around = ancestors(call, there.tree)[1:]
    while around and isinstance(around[0], cst.Element | cst.List | cst.Tuple):
        around = around[1:]
    listed = m.Arg(keyword=m.Name("metrics"))
    compiles = m.Call(func=m.Attribute(attr=m.Name("compile")))
    return len(around) > 1 and m.matches(around[0], listed) and m.matches(around[1], compiles)


def _bound_to(call: cst.Call, ctx: Context) -> str | None:
    """The variable or attribute of `self` that an object is assigned to, where that is all that happens to it."""
    around = ancestors(call, ctx.tree)
    part = around[1] if len(around) > 1 else None
    if not isinstance(part, cst.Assign) or len(part.targets) != 1:
        return None
    target = part.targets[0].target
    if isinstance(target, cst.Name):
        return target.value
    return target.attr.value if isinstance(target, cst.Attribute) and m.matches(target, _OF_SELF) else None


def _is_plain_use(name: cst.CSTNode, tree: cst.Module) -> bool:
    """Whether an object is only bound, asked for a member, or told to Keras as one of a model's metrics."""
    node, *around = ancestors(name, tree)
    while isinstance(around[0], cst.Attribute) and around[0].attr is node:
        node, around = around[0], around[1:]
    above = around[0]
    if isinstance(above, cst.AssignTarget) or (isinstance(above, cst.Attribute) and above.value is node):
        return True
    owner = next((n for n in around if isinstance(n, cst.FunctionDef)), None)
    return isinstance(above, cst.Element) and owner is not None and owner.name.value == "metrics"


def _reset(states: Sequence[str]) -> str:
    if len(states) == 1:
        return f"def reset_state(self):\n    self.{states[0]}.zero_()"
    each = ", ".join(f"self.{name}" for name in states)
    return f"def reset_state(self):\n    for state in ({each}):\n        state.zero_()"


def without_rest(node: cst.FunctionDef) -> cst.FunctionDef:
    """A constructor without the `**kwargs` that only Keras's base class read."""
    rest = node.params.star_kwarg
    if rest is None or not any(a.star == "**" and _word(a.value) == rest.name.value for a in _given(node)):
        return node
    params, last = list(node.params.params), node.params.kwonly_params
    if params and not last and not isinstance(node.params.star_arg, cst.Param):
        params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(params=node.params.with_changes(params=params, star_kwarg=None))


def _word(node: cst.BaseExpression | None) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def _target(node: cst.BaseExpression) -> str:
    """The word that an assignment binds: a name, or an attribute of the object."""
    return node.attr.value if isinstance(node, cst.Attribute) else _word(node)
