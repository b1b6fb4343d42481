"""Which parameters an optimizer of a hand-written loop trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import calls_in, receiver
from migrator.codemods.training.definitions import Definition
from migrator.codemods.training.models import Parts, variables_of
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.tape_minimize import changed_variables

STEPS = ("apply_gradients", "apply", "minimize")


@dataclass(frozen=True)
class Uses:
    """Finds what an optimizer trains, as texts valid where it is made."""

    found: Definition
    holder: Holder
    plan: FilePlan
    ctx: Context

    def parts(self) -> Parts | str:
        """The models and variables that are there where it is made, or why they are not known."""
        found = self.trained()
        late = [part.owner for part in found if not self.bound_before(part.owner)] if not isinstance(found, str) else []
        return f"it is made before `{late[0]}`" if late else found

    def trained(self) -> Parts | str:
        """The models and variables, wherever they are made, or why they are not known."""
        seen = [*self.direct(), *self.passed()]
        if not seen:
            return "which parameters it trains is not known"
        if any(parts != seen[0] for parts in seen) or seen[0] is None:
            return "it trains different models in different places, or ones that are not known"
        return seen[0]

    @property
    def name(self) -> str:
        return self.ctx.code(self.found.target).strip()

    def direct(self) -> Iterator[Parts | None]:
        """Uses under the same name: in this scope, as an attribute of `self`, or of a global."""
        for call in self.applies(self.name):
            user = self.plan.holders[call]
            parts = self.variables(call, user)
            if user is self.holder or self.name.startswith("self."):
                yield parts
            elif (isinstance(self.holder, cst.Module) or self.holds(user)) and self.name not in _locals(user):
                local = {p for p in parts or () if p.owner.split(".")[0] in _locals(user)}
                yield self.from_callers(parts, user) if local else parts

    def holds(self, user: Holder) -> bool:
        """Whether a function stands in the one that makes the optimizer."""
        return any(inner is user for inner in find(self.holder, m.FunctionDef()))

    def from_callers(self, parts: Parts | None, user: Holder) -> Parts | None:
        """The same as every call in the scope of the optimizer passes it to a function."""
        if not isinstance(user, cst.FunctionDef):
            return None
        named = [c for c in calls_in(self.holder) if isinstance(c.func, cst.Name) and c.func.value == user.name.value]
        here = [call for call in named if self.plan.holders.get(call) is self.holder]
        found = [self.through(parts, _given(call, user)) for call in here]
        return found[0] if found and all(f == found[0] for f in found) else None

    def passed(self) -> Iterator[Parts | None]:
        """Uses in functions of the file that are given the optimizer and the models."""
        for call in calls_in(self.holder):
            if self.plan.holders.get(call) is not self.holder or not isinstance(call.func, cst.Name):
                continue
            function = self.function(call.func.value)
            given = _given(call, function) if function is not None else {}
            inner = next((p for p, a in given.items() if self.ctx.code(a).strip() == self.name), None)
            if function is None or inner is None:
                continue
            for use in self.applies(inner):
                if self.plan.holders[use] is function:
                    yield self.through(self.variables(use, function), given)

    def through(self, parts: Parts | None, given: dict[str, cst.BaseExpression]) -> Parts | None:
        """Parameters of a function as the arguments of one of its calls."""
        if parts is None or any(part.owner not in given for part in parts):
            return None
        return tuple(replace(part, owner=self.ctx.code(given[part.owner]).strip()) for part in parts)

    def applies(self, name: str) -> Iterator[cst.Call]:
        for call in self.plan.holders:
            owner = receiver(call) if isinstance(call, cst.Call) else None
            if owner and owner[1] in STEPS and self.ctx.code(owner[0]).strip() == name:
                assert isinstance(call, cst.Call)
                yield call

    def variables(self, call: cst.Call, user: Holder) -> Parts | None:
        """What the variables that a step changes belong to."""
        node = changed_variables(call, self.ctx)
        if node is None:
            return None
        parts = variables_of(node, self.ctx, self.plan.known_models)
        if isinstance(node, cst.Name) and (parts is None or parts[0].kind == "list"):
            bound = [
                a.value
                for a in find(user, m.Assign(targets=[m.AssignTarget(target=m.Name(node.value))]))
                if isinstance(a, cst.Assign)
            ]
            made = variables_of(bound[0], self.ctx, self.plan.known_models) if len(bound) == 1 else None
            parts = made if parts is None or (made and all(p.kind == "module" for p in made)) else parts
        return parts

    def function(self, name: str) -> cst.FunctionDef | None:
        return next((s for s in self.ctx.tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name), None)

    def bound_before(self, model: str) -> bool:
        """Whether the model's name has a value where the optimizer is made."""
        if not isinstance(self.holder, cst.Module) and model.split(".")[0] in _parameters(self.holder) - {"self"}:
            return True
        if model.isidentifier() and model not in _locals(self.holder) and isinstance(self.holder, cst.FunctionDef):
            return bool(
                find(self.ctx.tree, m.AssignTarget(target=m.Name(model)))
            )  # when the function runs, it is there
        start = self.ctx.spans[self.found.line]
        owners = _with_owners(model)
        for target in find(self.holder, m.AssignTarget()):
            assert isinstance(target, cst.AssignTarget)
            if not owners.isdisjoint(_bound_by(target.target, self.ctx)) and self.ctx.spans[target] < start:
                return True
        return self.constructed(owners)

    def constructed(self, owners: frozenset[str]) -> bool:
        """Whether the object has one of these attributes of `self` before the method with the optimizer can run."""
        classes = (s for s in self.ctx.tree.body if isinstance(s, cst.ClassDef))
        methods = next((found for c in classes if self.holder in (found := _methods(c)).values()), {})
        making = _constructing(methods)
        if any(methods[name] is self.holder for name in making):
            return False
        targets = (target for name in making for target in find(methods[name], m.AssignTarget()))
        return any(isinstance(t, cst.AssignTarget) and self.ctx.code(t.target).strip() in owners for t in targets)


def _bound_by(target: cst.BaseExpression, ctx: Context) -> list[str]:
    """What a target of an assignment binds: itself, or its items."""
    if isinstance(target, cst.Tuple | cst.List):
        return [ctx.code(element.value).strip() for element in target.elements]
    return [ctx.code(target).strip()]


def _with_owners(model: str) -> frozenset[str]:
    """A dotted name and what it is a part of; `self` alone is nothing that is bound."""
    parts = model.split(".")
    return frozenset(".".join(parts[:end]) for end in range(1, len(parts) + 1)) - {"self"}


def _methods(cls: cst.ClassDef) -> dict[str, cst.FunctionDef]:
    return {s.name.value: s for s in cls.body.body if isinstance(s, cst.FunctionDef)}


def _constructing(methods: Mapping[str, cst.FunctionDef]) -> frozenset[str]:
    """The constructor, and methods that only it calls, directly or not."""
    owned = m.Attribute(value=m.Name("self"))
    called = {
        name: {a.attr.value for a in find(method, owned) if isinstance(a, cst.Attribute)}
        for name, method in methods.items()
    }
    found = frozenset({"__init__"}) & methods.keys()
    while True:
        users = {name: {other for other, names in called.items() if name in names} for name in methods}
        more = {name for name, by in users.items() if name not in found and by and by <= found}
        if not more:
            return frozenset(found)
        found |= more


def _locals(holder: Holder) -> set[str]:
    """Parameters of a function and names that it binds."""
    bound = find(holder, m.AssignTarget(target=m.Name()))
    names = {t.target.value for t in bound if isinstance(t, cst.AssignTarget) and isinstance(t.target, cst.Name)}
    return names | _parameters(holder) if isinstance(holder, cst.FunctionDef) else set()


def _parameters(holder: Holder) -> set[str]:
    if isinstance(holder, cst.Module):
        return set()
    params = holder.params
    return {p.name.value for p in (*params.posonly_params, *params.params, *params.kwonly_params)}


def _given(call: cst.Call, function: cst.FunctionDef) -> dict[str, cst.BaseExpression]:
    """Arguments of a call by the function's parameters; empty when there are stars."""
    names = [p.name.value for p in function.params.params]
    if any(arg.star for arg in call.args):
        return {}
    positional = [arg.value for arg in call.args if arg.keyword is None]
    return dict(zip(names, positional, strict=False)) | {
        arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None
    }
