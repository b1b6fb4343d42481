"""What an optimizer class of the repository does with one parameter, as the body of the loop in torch's `step`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find, holds
from migrator.codemods.training.place import Statement, embed, statements
from migrator.codemods.training.scope import count
from migrator.codemods.training.writer import Unfit
from migrator.values import SLOT, Api, Instance, Literal, Scalar, Tensor

if TYPE_CHECKING:
    from migrator.codemods.training.optimizer_classes import OptimizerClass

RATE = 'group["lr"]'
RATES = ("learning_rate", "_learning_rate", "lr")
_SET = {"assign": "copy_", "assign_add": "add_", "assign_sub": "sub_"}


def of_self(name: str) -> m.Attribute:
    return m.Attribute(value=m.Name("self"), attr=m.Name(name))


@dataclass(frozen=True)
class Update:
    """The update of one parameter. `names`: of its own parameters; `body`: its statements."""

    of: OptimizerClass
    names: Sequence[str]
    body: Sequence[cst.BaseStatement]

    def first(self) -> list[Statement]:
        """The rate under its name, and the states, which are zeros in the first step."""
        clash = {"group", "state", "closure"} & {*self.names, *(n for n in ("group", "state") if self.uses(n))}
        if clash:
            raise Unfit(f"an optimizer that has its own `{min(clash)}`")
        text = f"{self.names[1]} = {self.names[2]}.grad\n"
        text += f"{self.rate} = {RATE}\n" if self.rate and self.uses(self.rate) > 1 else ""
        zeros = [f'state["{key}"] = torch.zeros_like({self.names[2]})' for key in self.of.slots.values()]
        zeros += [f'state["step"] = {self.names[2]}.new_zeros(())'] if self.counts else []
        if zeros:
            text += f"state = self.state[{self.names[2]}]\nif not state:\n" + textwrap.indent("\n".join(zeros), "    ")
        return statements(text)

    def last(self) -> list[Statement]:
        return statements('state["step"] += 1') if self.counts else []

    @property
    def rate(self) -> str:
        """The parameter that is the rate; "" where there is none."""
        return self.names[3] if len(self.names) > 3 and "update_step" in self.of.methods else ""

    def uses(self, name: str) -> int:
        return sum(count(line, name) for line in self.body)

    @cached_property
    def counts(self) -> bool:
        """Whether the update asks how many steps there were."""
        return any(find(line, of_self("iterations")) for line in self.body)

    def lines(self) -> Iterator[Statement]:
        for index, line in enumerate(self.body):
            if self.is_dropped(line) or (isinstance(line, cst.SimpleStatementLine) and _is_nothing(line)):
                continue
            decided = dict(self.decided(line))
            self.check(line, decided)
            if find(line, m.Return()) and (index < len(self.body) - 1 or not isinstance(line, cst.SimpleStatementLine)):
                raise Unfit("an update of an optimizer that ends early")
            yield _no_return(self.of.rewritten(line, decided))

    def check(self, line: cst.CSTNode, decided: Iterable[cst.CSTNode]) -> None:
        """Raises for what else of Keras's base class a line uses."""
        known = [node.func if isinstance(node, cst.Call) else node for node in decided]
        for part in find(line, m.Attribute(value=m.Name("self"))):
            assert isinstance(part, cst.Attribute)
            if not self.of.is_own(part) and not any(holds(node, part) for node in known):
                raise Unfit(f"`{part.attr.value}` of Keras's optimizers")

    def is_dropped(self, line: cst.CSTNode) -> bool:
        """Whether a line names a dtype, or what else only casts to it read."""
        part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(part, cst.Assign) or not isinstance(part.targets[0].target, cst.Name):
            return False
        name, value = part.targets[0].target.value, self.of.ctx.value(part.value)
        if isinstance(value, Instance) and value.api == SLOT:  # the place of the states
            return True
        calls = [n for each in self.body for n in find(each, m.Call()) if isinstance(n, cst.Call)]
        casts = [n for n in calls if not self.changed(n) and self.call(n)]
        inside = sum(count(node, name) for node in casts)
        return inside > 0 and inside == sum(count(each, name) for each in self.body) - 1

    def decided(self, line: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, str]]:
        """What stands for the states, rates and hyperparameters that Keras's base class keeps."""
        for node in find(line, m.Subscript()):
            if isinstance(node, cst.Subscript) and (key := self.slot(node)):
                yield node, f'state["{key}"]'
        for node in find(line, m.Attribute(value=m.Name("self"))):
            assert isinstance(node, cst.Attribute)
            if node.attr.value in RATES:
                yield node, RATE
            if node.attr.value == "iterations":
                yield node, 'state["step"]'
        if self.rate and self.uses(self.rate) == 1:
            yield from ((node, RATE) for node in find(line, m.Name(self.rate)))
        for node in find(line, m.Call()):
            assert isinstance(node, cst.Call)
            text = self.changed(node) or self.call(node)
            if text:
                yield node, text

    def slot(self, node: cst.Subscript) -> str:
        """The key of a state that is read from its list."""
        part = node.slice[0].slice
        place = self.of.ctx.value(part.value) if isinstance(part, cst.Index) else None
        listed = m.matches(node.value, m.Attribute(value=m.Name("self")))
        if not isinstance(place, Instance) or place.api != SLOT or not listed:
            return ""
        assert isinstance(node.value, cst.Attribute)
        return self.of.slots.get(node.value.attr.value, "")

    def changed(self, node: cst.Call) -> str:
        """An assignment to a state or to the parameter, `m.assign(x)` or `self.assign(m, x)`; "" for any other call."""
        name = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        if not isinstance(node.func, cst.Attribute) or name not in _SET or any(a.keyword for a in node.args):
            return ""
        given = [a.value for a in node.args]
        target, *rest = given if m.matches(node.func.value, m.Name("self")) else [node.func.value, *given]
        owner = self.of.ctx.value(target)
        if not isinstance(owner, Tensor) or owner.origin != "variable" or len(rest) != 1:
            return ""
        return f"{self.text(target)}.{_SET[name]}({self.text(rest[0])})"

    def call(self, node: cst.Call) -> str:
        """A call of a method of the base class, or a cast of a number, which needs none; "" for any other."""
        name = node.func.attr.value if m.matches(node.func, m.Attribute(value=m.Name("self"))) else ""  # type: ignore[attr-defined]
        given = [self.of.ctx.value(a.value) for a in node.args]
        first = given[0].value if given and isinstance(given[0], Literal) else None
        if name == "_decayed_lr":
            return RATE
        if name == "_get_hyper" and first is not None:
            return RATE if first in RATES else f'group["{first}"]'
        if name == "get_slot" and len(given) == 2 and isinstance(given[1], Literal):
            return f'state["{given[1].value}"]' if given[1].value in self.of.slots else ""
        called = self.of.ctx.value(node.func)
        if not given or not isinstance(called, Api) or called.name != "tf.cast":
            return ""
        text = self.text(node.args[0].value)  # numbers of Python take the dtype of what they are multiplied with
        return text if isinstance(given[0], Literal | Scalar) or re.fullmatch(r'group\["\w+"\]', text) else ""

    def text(self, node: cst.BaseExpression) -> str:
        """An expression within one that is decided."""
        result = embed(node, dict(self.decided(node)), self.of.ctx)
        self.of.sink.take(result)
        return cst.Module([]).code_for_node(result.node)


def lines_of(node: cst.FunctionDef) -> list[cst.BaseStatement]:
    if not isinstance(node.body, cst.IndentedBlock):
        raise Unfit("an update of an optimizer on one line")
    return [line for line in node.body.body if isinstance(line, cst.BaseStatement)]


def only_dense(lines: Sequence[cst.BaseStatement], gradient: str) -> list[cst.BaseStatement]:
    """The statements without the way of sparse gradients, which torch's are only where a layer is asked for them."""
    kind = m.Attribute(attr=m.Name("IndexedSlices"))
    sparse = m.Call(func=m.Name("isinstance"), args=[m.Arg(m.Name(gradient)), m.Arg(kind)])
    out: list[cst.BaseStatement] = []
    for line in lines:
        if isinstance(line, cst.If) and m.matches(line.test, sparse):
            dense = line.orelse.body.body if isinstance(line.orelse, cst.Else) else ()
            out += [part for part in dense if isinstance(part, cst.BaseStatement)]
        else:
            out.append(line)
    return out


def _no_return(line: Statement) -> Statement:
    """The last line of an update, whose value nobody reads."""
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(part, cst.Return) or part.value is None:
        return line
    return line.with_changes(body=[cst.Expr(part.value)])


def _is_nothing(line: cst.SimpleStatementLine) -> bool:
    """`return`, `return var` or `return tf.group(*updates)`: what was done is done."""
    names = m.Name() | m.List(elements=[m.ZeroOrMore(m.Element(value=m.Name()))])
    group = m.Call(func=m.Attribute(attr=m.Name("group")), args=[m.ZeroOrMore(m.Arg(value=names))])
    return m.matches(line.body[0], m.Return(value=None) | m.Return(value=m.Name() | group))
