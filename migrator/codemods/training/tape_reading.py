"""Reading gradient tapes: where they are open, what is watched, differentiated and applied."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find, holds
from migrator.codemods.training.calls import api_of, bind
from migrator.codemods.training.models import Parts
from migrator.codemods.training.scope import Holder
from migrator.values import Literal

TAPE = "tf.GradientTape"
# what replicas do with gradients has no meaning on one
APPLY = ("grads_and_vars", "name", "experimental_aggregate_gradients", "skip_gradients_aggregation")
PLAIN_APPLY = ("grads", "trainable_variables")
GRADIENT = ("target", "sources", "output_gradients", "unconnected_gradients")


@dataclass
class Gradient:
    """One `tape.gradient(target, sources)`.

    `parts`: what its sources are the variables of, or None when they are watched tensors.
    `one`: the single variable that they are. `name`: what the gradients are bound to, or `unpacked` to.
    `recorded`: a tape is open, so that they may be differentiated again. `shared`: a later gradient needs
    the same graph.
    """

    call: cst.Call
    line: cst.SimpleStatementLine
    tape: str
    target: cst.BaseExpression
    sources: cst.BaseExpression
    parts: Parts | None
    name: str | None
    unpacked: tuple[str, ...] = ()
    one: Parts | None = None
    zeros: bool = False  # unconnected gradients are zeros, not None
    recorded: bool = False
    shared: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names that hold gradients."""
        return frozenset({self.name} if self.name else self.unpacked)

    def gives(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is the gradients, one for each variable."""
        if not isinstance(node, cst.List):
            return node is self.call or (self.name is not None and m.matches(node, m.Name(self.name)))
        elements = [element.value for element in node.elements]
        if self.one is not None:
            return len(elements) == 1 and (elements[0] is self.call or m.matches(elements[0], m.Name(self.name or "")))
        return bool(self.unpacked) and _names(elements) == self.unpacked


@dataclass
class Apply:
    """One `optimizer.apply_gradients(zip(gradients, variables))`."""

    call: cst.Call
    line: cst.SimpleStatementLine
    optimizer: str
    gradients: cst.BaseExpression
    variables: cst.BaseExpression
    parts: Parts | None


def tape_items(node: cst.With, ctx: Context) -> list[str] | None:
    """The names of the tapes that a `with` opens, or None when it opens anything else."""
    names = []
    for item in node.items:
        if api_of(ctx.value(item.item)) != TAPE or not isinstance(item.item, cst.Call):
            return None
        if item.asname is None or not isinstance(item.asname.name, cst.Name):
            return None
        names.append(item.asname.name.value)
    return names


def watches_all(node: cst.With, ctx: Context) -> bool:
    """Whether the tapes of a block record every variable that is read."""
    options = [arg for item in node.items if isinstance(item.item, cst.Call) for arg in item.item.args]
    off = [arg for arg in options if arg.keyword is not None and arg.keyword.value == "watch_accessed_variables"]
    return all(ctx.value(arg.value) == Literal(True) for arg in off)


def paused_tape(node: cst.With) -> str | None:
    """The tape of `with tape.stop_recording():`."""
    stop = m.Call(func=m.Attribute(value=m.Name(), attr=m.Name("stop_recording")), args=[])
    if len(node.items) != 1 or not m.matches(node.items[0], m.WithItem(item=stop, asname=None)):
        return None
    name = find(node.items[0].item, m.Name())[0]
    return name.value if isinstance(name, cst.Name) else None


def applied_pairs(call: cst.Call) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Gradients and variables of `apply_gradients(pairs)`, or of Keras 3's `apply(gradients, variables)`."""
    assert isinstance(call.func, cst.Attribute)
    bound = bind(call, PLAIN_APPLY if call.func.attr.value == "apply" else APPLY)
    if not isinstance(bound, dict):
        return None
    if call.func.attr.value == "apply":
        return (bound["grads"], bound["trainable_variables"]) if len(bound) == 2 else None
    return zipped(bound["grads_and_vars"]) if "grads_and_vars" in bound else None


def applies(call: cst.Call, ctx: Context) -> bool:
    """Whether a call lets an optimizer apply gradients; other things than optimizers have an `apply` too."""
    if not isinstance(call.func, cst.Attribute):
        return False
    owner, name = call.func.value, call.func.attr.value
    if name != "apply":
        return name == "apply_gradients"
    known = (api_of(ctx.value(owner)) or "").startswith("tf.keras.optimizers.")
    return known or m.matches(owner, m.Attribute(value=m.Name("self"), attr=m.Name("optimizer")))


def zipped(node: cst.BaseExpression) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Gradients and variables of `zip(g, v)`, `list(zip(g, v))`, `((g, v) for g, v in zip(…) if g is not None)` or
    `[(g, v), (h, w)]`."""
    if isinstance(node, cst.List | cst.Tuple):
        return _listed_pairs(node)
    if m.matches(node, m.Call(func=m.Name("list") | m.Name("tuple"), args=[m.Arg()])):
        assert isinstance(node, cst.Call)
        return zipped(node.args[0].value)
    if isinstance(node, cst.GeneratorExp | cst.ListComp):
        return zipped(node.for_in.iter) if _keeps_pairs(node) else None
    if isinstance(node, cst.Call) and m.matches(node, m.Call(func=m.Name("zip"), args=[m.Arg(), m.Arg()])):
        return node.args[0].value, node.args[1].value
    return None


def _listed_pairs(node: cst.List | cst.Tuple) -> tuple[cst.List, cst.List] | None:
    """The gradients and the variables of pairs that are written out."""
    pairs = [e.value.elements for e in node.elements if isinstance(e.value, cst.Tuple)]
    if not pairs or len(pairs) < len(node.elements) or any(len(pair) != 2 for pair in pairs):
        return None
    gradients, variables = zip(*pairs, strict=True)
    return cst.List([cst.Element(e.value) for e in gradients]), cst.List([cst.Element(e.value) for e in variables])


def _keeps_pairs(node: cst.GeneratorExp | cst.ListComp) -> bool:
    """`(g, v) for g, v in …`, at most without pairs that have no gradient: those are left alone anyway."""
    target, element, loop = node.for_in.target, node.elt, node.for_in
    if not isinstance(target, cst.Tuple) or not isinstance(element, cst.Tuple) or loop.inner_for_in is not None:
        return False
    names = [e.value for e in target.elements]
    if len(names) != 2 or not all(a.deep_equals(b.value) for a, b in zip(names, element.elements, strict=False)):
        return False
    no_none = m.CompIf(
        test=m.Comparison(
            left=m.MatchIfTrue(names[0].deep_equals), comparisons=[m.ComparisonTarget(m.IsNot(), m.Name("None"))]
        )
    )
    return len(element.elements) == 2 and all(m.matches(test, no_none) for test in loop.ifs)


def bound_name(line: cst.SimpleStatementLine, call: cst.Call) -> str | None:
    """The single name that a line binds a call's value to."""
    part = line.body[0]
    if isinstance(part, cst.Assign) and part.value is call and isinstance(part.targets[0].target, cst.Name):
        return part.targets[0].target.value
    return None


def unpacked_names(line: cst.SimpleStatementLine, call: cst.Call) -> tuple[str, ...]:
    """The names that a line unpacks a call's value to; none where it does anything else."""
    part = line.body[0]
    if not isinstance(part, cst.Assign) or part.value is not call or len(part.targets) > 1:
        return ()
    target = part.targets[0].target
    return _names([e.value for e in target.elements]) if isinstance(target, cst.Tuple | cst.List) else ()


def _names(nodes: list[cst.BaseExpression]) -> tuple[str, ...]:
    """The names that nodes are; none where one of them is no name."""
    names = tuple(node.value for node in nodes if isinstance(node, cst.Name))
    return names if len(names) == len(nodes) else ()


def names_below(node: cst.CSTNode) -> set[str]:
    return {n.value for n in find(node, m.Name()) if isinstance(n, cst.Name)}


class Lines(cst.CSTVisitor):
    """Lines and `with` blocks of a function, without those of functions inside."""

    def __init__(self, holder: Holder) -> None:
        super().__init__()
        self.holder = holder
        self.lines: list[cst.SimpleStatementLine] = []
        self.withs: list[cst.With] = []
        self.heads: list[cst.BaseExpression] = []  # what loops and conditions read

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return node is self.holder

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False

    def visit_With(self, node: cst.With) -> None:
        self.withs.append(node)

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.lines.append(node)

    def visit_For(self, node: cst.For) -> None:
        self.heads.append(node.iter)

    def visit_If(self, node: cst.If) -> None:
        self.heads.append(node.test)

    def visit_While(self, node: cst.While) -> None:
        self.heads.append(node.test)

    def around(self, node: cst.CSTNode) -> list[cst.With]:
        """The blocks that a node stands in."""
        return [block for block in self.withs if holds(block.body, node)]
