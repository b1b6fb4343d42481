"""Which callbacks a `fit` is given: in a list, by name, added one by one, some of them on a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import ancestors, below, holds
from migrator.codemods.training.callback_classes import is_own
from migrator.codemods.training.calls import api_of, constant
from migrator.codemods.training.rebinding import bindings
from migrator.codemods.training.scope import Holder, names_in
from migrator.codemods.training.writer import Unfit, Writer
from migrator.syntax import index_of
from migrator.values import Literal

_ADDS = m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("append") | m.Name("extend")))


@dataclass(frozen=True)
class Listed:
    """A callback that a `fit` is given; `test`: when; `shared`: other trainings are given the same object."""

    node: cst.Call | cst.Name
    test: cst.BaseExpression | None = None
    negated: bool = False
    shared: bool = False

    def condition_text(self, writer: Writer) -> str:
        """The condition as torch source; "" where there is none."""
        if self.test is None:
            return ""
        text = writer.text(self.test)
        plain = isinstance(self.test, cst.Name | cst.Attribute)
        return f"not {text if plain else f'({text})'}" if self.negated else text


def listed(node: cst.BaseExpression, writer: Writer) -> list[Listed]:
    """The callbacks of the `callbacks` of a `fit`, in order; raises `Unfit` where they are not certain."""
    return list(_Reader(writer.ctx, writer.holder, node).all(node))


def makes_callbacks(line: cst.SimpleStatementLine, ctx: Context, holder: Holder) -> bool:
    """A line that only names or lists callbacks, which a `fit` takes over."""
    part = line.body[0]
    if len(line.body) > 1:
        return False
    if isinstance(part, cst.Assign) and isinstance(part.targets[0].target, cst.Name):
        name, value = part.targets[0].target.value, part.value
        if isinstance(value, cst.Call) and is_own(ctx.value(value), ctx):
            return False
    elif (owner := _owner(line)) is not None:
        name, value = owner, _added(line)
    else:
        return False
    if not _may_be(value, ctx):
        return False
    return _Kept.of(name, holder, ctx) is not None


def _may_be(value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression may stand for callbacks, or a list of them."""
    if isinstance(value, cst.List | cst.Tuple):
        return all(_may_be(e.value, ctx) for e in value.elements)
    if isinstance(value, cst.BinaryOperation):
        return _may_be(value.left, ctx) and _may_be(value.right, ctx)
    if isinstance(value, cst.IfExp):
        return _may_be(value.body, ctx) and _may_be(value.orelse, ctx)
    return isinstance(value, cst.Name) or is_callback(value, ctx) or is_own(ctx.value(value), ctx)


def _owner(line: cst.SimpleStatementLine) -> str | None:
    """The name of the list that a line adds to."""
    part = line.body[0]
    if isinstance(part, cst.AugAssign) and isinstance(part.target, cst.Name):
        return part.target.value if isinstance(part.operator, cst.AddAssign) else None
    if isinstance(part, cst.Expr) and m.matches(part.value, _ADDS):
        call = part.value
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        return call.func.value.value if isinstance(call.func.value, cst.Name) and len(call.args) == 1 else None
    return None


def only_callbacks(node: cst.If, ctx: Context, holder: Holder) -> bool:
    """A branch in which callbacks are added to lists, and nothing else is done."""
    blocks = [node.body, *([node.orelse.body] if isinstance(node.orelse, cst.Else) else [])]
    lines = [line for block in blocks for line in block.body]
    single = not isinstance(node.orelse, cst.If) and all(isinstance(b, cst.IndentedBlock) for b in blocks)
    return single and all(
        isinstance(line, cst.SimpleStatementLine) and makes_callbacks(line, ctx, holder) for line in lines
    )


def is_callback(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether an expression makes one of Keras's callbacks."""
    api = (api_of(ctx.value(node)) or api_of(ctx.value(node.func)) or "") if isinstance(node, cst.Call) else ""
    return api.startswith("tf.keras.callbacks.")


@dataclass(frozen=True)
class _Reader:
    """Reads what a name holds where the expression `at` stands."""

    ctx: Context
    holder: Holder
    at: cst.CSTNode

    def all(self, node: cst.BaseExpression) -> Iterator[Listed]:
        """The callbacks that an expression stands for: one, or a list of them."""
        if isinstance(node, cst.Name) and not is_own(self.ctx.value(node), self.ctx):
            yield from self.named(node.value)
        elif isinstance(node, cst.List | cst.Tuple):
            for element in node.elements:
                yield from self.one(element.value)
        elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            yield from self.all(node.left)
            yield from self.all(node.right)
        elif isinstance(node, cst.IfExp):
            yield from _on(node.test, False, self.all(node.body))
            yield from _on(node.test, True, self.all(node.orelse))
        elif isinstance(node, cst.Name | cst.Call):
            yield from self.one(node)
        elif constant(node, self.ctx) != Literal(None):
            raise Unfit("callbacks that are not listed in the same function")

    def one(self, node: cst.BaseExpression) -> Iterator[Listed]:
        own = is_own(self.ctx.value(node), self.ctx)
        if isinstance(node, cst.Name) and not own:
            found = list(self.named(node.value))
            if len(found) != 1:
                raise Unfit(f"what `{node.value}` holds is not certain")
            yield from found
        elif isinstance(node, cst.Call) and _is_list(node, self.ctx):
            yield from self.all(node.args[0].value)
        elif isinstance(node, cst.Call | cst.Name) and (own or isinstance(node, cst.Call)):
            yield Listed(node)
        else:
            raise Unfit("a callback that is not made in the same function")

    def named(self, name: str) -> Iterator[Listed]:
        """What a name holds: its value, and what was added to it since."""
        kept = _Kept.of(name, self.holder, self.ctx)
        bound = kept.before(self.at) if kept is not None else None
        if kept is None or bound is None:
            raise Unfit(f"what `{name}` holds is not certain")
        shared = kept.is_shared(bound, self.at)
        inside = replace(self, at=bound.value)
        found = list(inside.all(bound.value))
        for line in kept.added(bound, self.at):
            test, negated = kept.condition(line, bound, self.at)
            found += _on(test, negated, replace(self, at=line).all(_added(line)))
        if any(kept.changes(each.node, bound, self.at) for each in found):
            raise Unfit(f"what the callbacks of `{name}` were made with is bound again")
        yield from (replace(each, shared=each.shared or shared) for each in found)


def _is_list(call: cst.Call, ctx: Context) -> bool:
    """`CallbackList([…])`, which says no more than the list."""
    return (api_of(ctx.value(call)) or "").endswith(".CallbackList") and bool(call.args)


def _on(test: cst.BaseExpression | None, negated: bool, found: Iterator[Listed]) -> Iterator[Listed]:
    """The same callbacks on a condition, which must say the same whenever it is asked."""
    for each in found:
        if test is not None and (each.test is not None or below(test, (cst.Call, cst.NamedExpr, cst.Await))):
            raise Unfit("callbacks on a condition that may change")
        yield each if test is None else replace(each, test=test, negated=negated)


def _added(line: cst.SimpleStatementLine) -> cst.BaseExpression:
    """The list of what a line adds to a list, or the one callback."""
    part = line.body[0]
    if isinstance(part, cst.AugAssign):
        return part.value
    assert isinstance(part, cst.Expr)
    assert isinstance(part.value, cst.Call)
    return part.value.args[0].value


@dataclass(frozen=True)
class _Kept:
    """A name that holds callbacks and nothing else: its `bound` assignments, `adding` lines and where `fit` takes it.

    `ours`: the function or module whose variable it is.
    """

    name: str
    ours: Holder
    bound: tuple[cst.Assign, ...]
    adding: tuple[cst.SimpleStatementLine, ...]
    taken: tuple[cst.Name, ...]
    ctx: Context

    @classmethod
    def of(cls, name: str, holder: Holder, ctx: Context, within: frozenset[str] = frozenset()) -> _Kept | None:
        """The name as a scope knows it; None where it is not certain that it holds callbacks alone.

        `within`: names of the lists of which the same is being asked.
        """
        ours = holder if isinstance(holder, cst.Module) or _binds(holder, name) else ctx.tree
        found = list(_occurrences(name, ours))
        parents = index_of(ctx.tree).parents
        bound, adding, taken = list[cst.Assign](), list[cst.SimpleStatementLine](), list[cst.Name]()
        for node in found:
            up = parents[node]
            if isinstance(up, cst.AssignTarget) and isinstance(assign := parents[up], cst.Assign):
                bound.append(assign)
            elif (line := _adding_line(node, parents)) is not None:
                adding.append(line)
            elif (taker := _taker(node, parents, ctx)) is not None:
                taken.append(node)
                if taker and taker not in (name, *within) and cls.of(taker, holder, ctx, within | {name}) is None:
                    return None
            else:
                return None
        if not bound or not taken or any(len(assign.targets) > 1 for assign in bound):
            return None
        return cls(name, ours, tuple(bound), tuple(adding), tuple(taken), ctx)

    def before(self, at: cst.CSTNode) -> cst.Assign | None:
        """The assignment whose value the name has where `at` stands."""
        if len(self.bound) == 1 and not self.adding:
            return self.bound[0]
        if _function(at, self.ctx) is not self._home():
            return None  # run when the name may hold anything that it is bound to
        earlier = [assign for assign in self.bound if self.ctx.spans[assign] < self.ctx.spans[at]]
        if not earlier:
            return None
        last = max(earlier, key=lambda assign: self.ctx.spans[assign])
        loops = self._loops_between(last, at)
        if _block(last, self.ctx) not in ancestors(at, self.ctx.tree):
            return None
        changes = [*self.bound, *self.adding]
        return None if any(holds(loop, change) for loop in loops for change in changes) else last

    def _home(self) -> cst.CSTNode | None:
        return None if isinstance(self.ours, cst.Module) else self.ours

    def _loops_between(self, bound: cst.Assign, at: cst.CSTNode) -> list[cst.CSTNode]:
        around = [n for n in ancestors(at, self.ctx.tree) if isinstance(n, cst.For | cst.While)]
        return [loop for loop in around if not holds(loop, bound)]

    def is_shared(self, bound: cst.Assign, at: cst.CSTNode) -> bool:
        """Whether more than one training is given what an assignment made."""
        spans = self.ctx.spans
        later = [spans[b] for b in self.bound if spans[b] > spans[bound]]
        end = min(later, default=None)
        uses = [n for n in self.taken if spans[n] > spans[bound] and (end is None or spans[n] < end)]
        elsewhere = _function(at, self.ctx) is not _function(bound, self.ctx)
        return len(uses) > 1 or elsewhere or bool(self._loops_between(bound, at))

    def added(self, bound: cst.Assign, at: cst.CSTNode) -> list[cst.SimpleStatementLine]:
        """The lines that add to the list between its assignment and `at`, in order."""
        start, end = self.ctx.spans[bound], self.ctx.spans[at]
        return sorted(
            (line for line in self.adding if start < self.ctx.spans[line] < end), key=lambda line: self.ctx.spans[line]
        )

    def condition(
        self, line: cst.SimpleStatementLine, bound: cst.Assign, at: cst.CSTNode
    ) -> tuple[cst.BaseExpression | None, bool]:
        """(on what condition a line adds to the list, or None; whether where that does not hold)."""
        block = _block(bound, self.ctx)
        if _block(line, self.ctx) is block:
            return None, False
        branch = next((n for n in ancestors(line, self.ctx.tree)[1:] if isinstance(n, cst.If)), None)
        if branch is None or _block(branch, self.ctx) is not block or isinstance(branch.orelse, cst.If):
            raise Unfit(f"what `{self.name}` holds is not certain")
        if _block(line, self.ctx) not in (branch.body, getattr(branch.orelse, "body", None)):
            raise Unfit(f"what `{self.name}` holds is not certain")
        if self.changes(branch.test, line, at):
            raise Unfit("callbacks on a condition that may change")
        return branch.test, not holds(branch.body, line)

    def changes(self, node: cst.CSTNode, since: cst.CSTNode, at: cst.CSTNode) -> bool:
        """Whether a variable of an expression is bound again before `at`."""
        start, end = self.ctx.spans[since], self.ctx.spans[at]
        again = (b for name in names_in(node) - {self.name} for b in bindings(name, self.ours))
        return any(start < self.ctx.spans[b] < end and not holds(since, b) for b in again)


def _binds(function: cst.FunctionDef, name: str) -> bool:
    """Whether a name is a variable of a function."""
    params = function.params
    every = (*params.params, *params.kwonly_params, *params.posonly_params)
    return any(p.name.value == name for p in every) or any(True for _ in bindings(name, function))


def _occurrences(name: str, ours: Holder) -> Iterator[cst.Name]:
    """Where a variable of a scope stands, in functions inside of it too where they have none of that name."""
    inner = [f for f in below(ours, cst.FunctionDef) if f is not ours and _binds(f, name)]  # type: ignore[arg-type]
    words = index_of(ours).words
    for node in below(ours, cst.Name):
        assert isinstance(node, cst.Name)
        if node.value == name and node not in words and not any(holds(function, node) for function in inner):
            yield node


def _adding_line(node: cst.Name, parents: dict[cst.CSTNode, cst.CSTNode]) -> cst.SimpleStatementLine | None:
    """The line `name.append(…)`, `name.extend(…)` or `name += …` that a name stands at the head of."""
    up: cst.CSTNode = node
    while not isinstance(up, cst.SimpleStatementLine | cst.IndentedBlock | cst.Module):
        up = parents[up]
    if not isinstance(up, cst.SimpleStatementLine) or len(up.body) > 1 or _owner(up) != node.value:
        return None
    heads = below(up, cst.Name)
    return up if heads and heads[0] is node else None


def _taker(node: cst.Name, parents: dict[cst.CSTNode, cst.CSTNode], ctx: Context) -> str | None:
    """What takes a callback: "" for a `fit`, or the name of a list of callbacks; None for anything else."""
    up: cst.CSTNode = parents[node]
    inside: cst.CSTNode = node
    while isinstance(up, cst.Element | cst.List | cst.Tuple | cst.BinaryOperation | cst.IfExp):
        if isinstance(up, cst.IfExp) and up.test is inside:
            return None
        inside, up = up, parents[up]
    if isinstance(up, cst.Arg):
        call = parents[up]
        if isinstance(call, cst.Call) and m.matches(call, _ADDS):
            assert isinstance(call.func, cst.Attribute)
            assert isinstance(call.func.value, cst.Name)
            return call.func.value.value
        keyword = up.keyword is not None and up.keyword.value == "callbacks"
        return "" if keyword or (isinstance(call, cst.Call) and _is_list(call, ctx)) else None
    if isinstance(up, cst.AugAssign) and isinstance(up.target, cst.Name):
        return up.target.value
    target = up.targets[0].target if isinstance(up, cst.Assign) and up.value is not node else None
    return target.value if isinstance(target, cst.Name) else None


def _function(node: cst.CSTNode, ctx: Context) -> cst.CSTNode | None:
    return next((n for n in ancestors(node, ctx.tree)[1:] if isinstance(n, cst.FunctionDef)), None)


def _block(node: cst.CSTNode, ctx: Context) -> cst.CSTNode | None:
    """The block, or module, that a statement stands in."""
    return next((n for n in ancestors(node, ctx.tree)[1:] if isinstance(n, cst.IndentedBlock | cst.Module)), None)
