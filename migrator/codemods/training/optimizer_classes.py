"""Optimizer classes of the repository: subclasses of `torch.optim.Optimizer` that step all parameters in a loop.

The states that Keras's `build` or `_create_slots` makes are in `self.state` of each parameter, hyperparameters in the
groups; the body of `update_step` or `_resource_apply_dense` is the body of the loop in `step`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find, holds
from migrator.codemods.training.callback_classes import is_unread_config
from migrator.codemods.training.calls import is_none
from migrator.codemods.training.optimizer_steps import RATES, Update, lines_of, of_self, only_dense
from migrator.codemods.training.place import Statement, embed, statements
from migrator.codemods.training.scope import count
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.writer import Unfit
from migrator.values import OWN_OPTIMIZERS, Api, Literal

_SPARSE = ("_resource_apply_sparse", "_resource_apply_sparse_duplicate_indices")
_BASE = ("__init__", "build", "_create_slots", "update_step", "_resource_apply_dense", *_SPARSE)
_SUPER = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")))
_ADDS = m.Name("add_variable_from_reference") | m.Name("add_slot")
_DONE = m.If(body=m.IndentedBlock(body=[m.SimpleStatementLine(body=[m.Return(value=None)])]), orelse=None)
_STEP = """
@torch.no_grad()
def step(self, closure=None):
    for group in self.param_groups:
        for {variable} in (p for p in group["params"] if p.grad is not None):
{body}
"""


def _called(name: str) -> m.Call:
    return m.Call(func=of_self(name))


def is_optimizer_class(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a class of the file derives from Keras's `Optimizer` itself."""
    if not isinstance(node, cst.ClassDef) or len(node.bases) != 1:
        return False
    base = ctx.value(node.bases[0].value)
    return isinstance(base, Api) and base.name in OWN_OPTIMIZERS


@dataclass(frozen=True)
class OptimizerClass:
    """A class of the file that derives from Keras's `Optimizer`; its methods raise `Unfit` for what has no rule."""

    node: cst.ClassDef
    ctx: Context
    sink: Sink

    @cached_property
    def methods(self) -> Mapping[str, cst.FunctionDef]:
        return {s.name.value: s for s in self.node.body.body if isinstance(s, cst.FunctionDef)}

    def body(self) -> list[cst.BaseStatement]:
        """The body of the class in torch."""
        self.sink.imports.add("import torch")
        out: list[cst.BaseStatement] = []
        for statement in self.node.body.body:
            name = statement.name.value if isinstance(statement, cst.FunctionDef) else ""
            if is_unread_config(statement, self.ctx) or name in ("build", "_create_slots", *_SPARSE):
                continue
            if name == "__init__":
                out.append(self.init())
            elif name in ("update_step", "_resource_apply_dense"):
                out.append(self.step(self.methods[name]))
            else:
                out.append(self.other(statement))
        if self.update is None:
            raise Unfit("an optimizer without `update_step` or `_resource_apply_dense`")
        return out

    @property
    def update(self) -> cst.FunctionDef | None:
        return self.methods.get("update_step") or self.methods.get("_resource_apply_dense")

    def other(self, statement: cst.CSTNode) -> cst.BaseStatement:
        """A docstring, a constant, or a method that the update calls."""
        kept = [part for part in find(statement, m.Attribute(value=m.Name("self"))) if not self.is_own(part)]
        if kept or find(statement, m.Call(func=m.Name("super"))):
            raise Unfit("a method of an optimizer that uses what Keras's base class has")
        return self.rewritten(statement)

    def is_own(self, part: cst.CSTNode) -> bool:
        """Whether an attribute of `self` is one that the class's own `__init__` sets, or a method of its own."""
        assert isinstance(part, cst.Attribute)
        name = part.attr.value
        return name in self.attributes or (name in self.methods and name not in _BASE)

    @cached_property
    def attributes(self) -> frozenset[str]:
        init = self.methods.get("__init__")
        targets = find(init, m.AssignTarget()) if init is not None else []
        stored = [part for target in targets for part in find(target, m.Attribute(value=m.Name("self")))]
        names = {part.attr.value for part in stored if isinstance(part, cst.Attribute)}
        names |= {t.value for t in _class_names(self.node)}
        return frozenset(names - {*RATES})

    def rewritten(self, node: cst.CSTNode, decided: Mapping[cst.CSTNode, str] | None = None) -> Statement:
        result = embed(node, decided or {}, self.ctx)
        self.sink.take(result)
        assert isinstance(result.node, Statement)
        return result.node

    # --- the constructor ----------------------------------------------------------------------------------

    def init(self) -> cst.BaseStatement:
        """The constructor: the parameters come first, what the groups hold goes to the base class."""
        node = self.methods["__init__"]
        lines, held = list(node.body.body), self.held(node)
        rest = {"name", *([node.params.star_kwarg.name.value] if node.params.star_kwarg is not None else [])}
        body: list[cst.BaseStatement] = []
        for line in lines:
            if m.matches(line, m.SimpleStatementLine(body=[m.Expr(value=_SUPER)])):
                groups = ", ".join(f'"{name}": {text}' for name, text in held.items())
                body += statements(f"super().__init__(params, {{{groups}}})")
            elif not self.is_hyper(line):
                body.append(self.rewritten(line))
        for line in body:
            if any(count(line, name) for name in rest):
                raise Unfit("a name, or what only Keras's base class takes, is read by an optimizer")
        params = [p for p in node.params.params if p.name.value != "name"]
        params.insert(1, cst.Param(cst.Name("params")))
        kept = node.params.with_changes(params=_without_comma(params), star_kwarg=None)
        return node.with_changes(params=kept, body=node.body.with_changes(body=body))

    def held(self, node: cst.FunctionDef) -> dict[str, str]:
        """What the groups of parameters hold: the rate as `lr`, and the hyperparameters, as source."""
        found = dict(self.base_arguments(node))
        for call in find(node, _called("_set_hyper")):
            assert isinstance(call, cst.Call)
            name = self.ctx.value(call.args[0].value)
            if not isinstance(name, Literal) or not isinstance(name.value, str):
                raise Unfit("a hyperparameter of an optimizer without a constant name")
            if not m.matches(call.args[1].value, of_self("_initial_decay")):  # none, where no caller gives it
                found["lr" if name.value in RATES else name.value] = self.given(call.args[1].value)
        for line in find(node, m.Assign(targets=[m.AssignTarget(target=m.OneOf(*map(of_self, RATES)))])):
            assert isinstance(line, cst.Assign)
            built = m.matches(line.value, _called("_build_learning_rate"))
            value = line.value.args[0].value if built and isinstance(line.value, cst.Call) else line.value
            found["lr"] = self.given(value)
        if "lr" not in found:
            raise Unfit("the learning rate of an optimizer is not given to Keras's base class")
        return {"lr": found.pop("lr"), **found}

    def given(self, node: cst.BaseExpression) -> str:
        """A value that the constructor hands on; of `kwargs.get("lr", rate)` the second."""
        get = m.Attribute(value=m.Name("kwargs"), attr=m.Name("get"))
        if m.matches(node, m.Call(func=get, args=[m.Arg(), m.Arg()])):
            assert isinstance(node, cst.Call)
            node = node.args[1].value
        return self.ctx.code(node).strip()

    def base_arguments(self, node: cst.FunctionDef) -> Iterator[tuple[str, str]]:
        """The rate, where the base class is given it; raises where it is told anything that is lost."""
        older = self.ctx.keras == 2 or bool(find(node, _called("_set_hyper")))
        first = "name" if older else "learning_rate"
        for call in find(node, _SUPER):
            assert isinstance(call, cst.Call)
            for index, arg in enumerate(call.args):
                name = arg.keyword.value if arg.keyword is not None else first if index == 0 else ""
                if name == "learning_rate":
                    yield "lr", self.given(arg.value)
                elif name != "name" and arg.star != "**" and not is_none(arg.value, self.ctx):
                    raise Unfit(f"an optimizer whose base class is given `{name or self.ctx.code(arg).strip()}`")

    def is_hyper(self, line: cst.CSTNode) -> bool:
        """Whether a line only tells the base class what the groups hold."""
        told = [m.Assign(targets=[m.AssignTarget(target=of_self(name))]) for name in RATES]
        return m.matches(line, m.SimpleStatementLine(body=[m.OneOf(m.Expr(value=_called("_set_hyper")), *told)]))

    # --- states -------------------------------------------------------------------------------------------

    @cached_property
    def slots(self) -> Mapping[str, str]:
        """The states of each parameter: the attribute that lists them in Keras, or their name, and their key."""
        found: dict[str, str] = {}
        for name in ("build", "_create_slots"):
            for line in self.methods[name].body.body if name in self.methods else ():
                found |= self.made(line)
        return found

    def made(self, line: cst.CSTNode) -> dict[str, str]:
        """The states that a statement of `build` makes; raises for one that does anything else."""
        calls = find(line, m.Call(func=m.Attribute(value=m.Name("self"), attr=_ADDS)))
        found = {}
        for call in calls:
            assert isinstance(call, cst.Call)
            assert isinstance(call.func, cst.Attribute)
            key = self.key(call)
            found[key if call.func.attr.value == "add_slot" else self.listed(line, call)] = key
        if not calls and not _is_set_up(line):
            raise Unfit("a `build` of an optimizer that does more than to make states")
        return found

    def key(self, call: cst.Call) -> str:
        """The name of a state that begins with zeros."""
        given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        positional = [a.value for a in call.args if a.keyword is None]
        named = [given[name] for name in ("name", "variable_name", "slot_name") if name in given] + positional[1:2]
        name = self.ctx.value(named[0]) if named else None
        others = [given[name] for name in ("initializer", "initial_value") if name in given] + positional[2:]
        if any(self.ctx.value(node) != Literal("zeros") for node in others):
            raise Unfit("a state of an optimizer that does not begin with zeros")
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            raise Unfit("a state of an optimizer without a constant name")
        return name.value

    def listed(self, line: cst.CSTNode, call: cst.Call) -> str:
        """The attribute whose list a state goes to: `self.x.append(…)` or `self.x = [… for v in variables]`."""
        append = m.Call(func=m.Attribute(value=m.Attribute(value=m.Name("self")), attr=m.Name("append")))
        made = m.Assign(targets=[m.AssignTarget(target=m.Attribute(value=m.Name("self")))], value=m.ListComp())
        for holder in (*find(line, append), *find(line, made)):
            target = holder.func.value if isinstance(holder, cst.Call) else holder.targets[0].target  # type: ignore[attr-defined]
            if holds(holder, call):
                return str(target.attr.value)
        raise Unfit("a state of an optimizer that is in no list of its kind")

    # --- the step -----------------------------------------------------------------------------------------

    def step(self, node: cst.FunctionDef) -> Statement:
        """`step`, which runs the update for every parameter that has a gradient."""
        names = [p.name.value for p in node.params.params]
        lines = only_dense(lines_of(node), names[1])
        docs = lines[:1] if node.get_docstring() is not None else []
        update = Update(self, names, lines[len(docs) :])
        text = cst.Module([*update.first(), *update.lines(), *update.last()]).code
        body = textwrap.indent(text.strip("\n"), " " * 12)
        made = cst.ensure_type(statements(_STEP.format(variable=names[2], body=body).strip("\n"))[0], cst.FunctionDef)
        suite = made.body.with_changes(body=[*docs, *made.body.body])
        return made.with_changes(body=suite, leading_lines=node.leading_lines)


def _is_set_up(line: cst.CSTNode) -> bool:
    """Whether a line of `build` only says that it was done, or that a list is empty."""
    base = m.Expr(value=m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("build"))))
    target = m.AssignTarget(target=m.Attribute(value=m.Name("self")))
    done = m.Assign(targets=[target], value=m.List(elements=[]) | m.Name("True"))
    docs = m.Expr(value=m.SimpleString())
    return m.matches(line, m.SimpleStatementLine(body=[base | done | docs]) | _DONE)


def _class_names(node: cst.ClassDef) -> Iterator[cst.Name]:
    for line in node.body.body:
        for part in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            for target in part.targets if isinstance(part, cst.Assign) else ():
                if isinstance(target.target, cst.Name):
                    yield target.target


def _without_comma(params: Sequence[cst.Param]) -> list[cst.Param]:
    return [*params[:-1], params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
