"""Indexing and statements that mean something else on torch tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import libcst as cst

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.precedence import fit
from migrator.values import Tensor, Value

_AUGMENTED: dict[type[cst.BaseAugOp], type[cst.BaseBinaryOp]] = {
    cst.AddAssign: cst.Add,
    cst.SubtractAssign: cst.Subtract,
    cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide,
    cst.PowerAssign: cst.Power,
    cst.MatrixMultiplyAssign: cst.MatrixMultiply,
    cst.FloorDivideAssign: cst.FloorDivide,
    cst.ModuloAssign: cst.Modulo,
}


def _is_tf_tensor(value: Value) -> bool:
    return isinstance(value, Tensor) and value.origin != "numpy"


def _negative(step: cst.BaseExpression | None) -> bool:
    return isinstance(step, cst.UnaryOperation) and isinstance(step.operator, cst.Minus)


def subscript(receiver: Value, node: cst.Subscript) -> cst.BaseExpression:
    """Indexing of a tensor: torch has no negative steps, so `x[:, ::-1]` becomes a flip."""
    steps = [e.slice.step for e in node.slice if isinstance(e.slice, cst.Slice)]
    if not any(_negative(s) for s in steps) or not _is_tf_tensor(receiver):
        return node
    dims = []
    for axis, element in enumerate(node.slice):
        part = element.slice
        if not isinstance(part, cst.Slice) or part.lower is not None or part.upper is not None:
            raise Decline("a negative step beside other indexing")
        if part.step is not None:
            if not (isinstance(part.step, cst.UnaryOperation) and _is_one(part.step.expression)):
                raise Decline("a step other than 1 or -1")
            dims.append(cst.Element(cst.Integer(str(axis))))
    flip = cst.Attribute(node.value, cst.Name("flip"))
    return cst.Call(flip, [cst.Arg(e.value) for e in dims])


def _is_one(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer) and node.value == "1"


class _Refusing(Protocol):
    imports: set[str]

    def refuse(self, reason: str, api: str, node: cst.CSTNode | None) -> None: ...


def statement(
    original: cst.SimpleStatementLine,
    updated: cst.SimpleStatementLine,
    no_grad: bool,
    value: Callable[[cst.CSTNode], Value],
    run: _Refusing,
) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
    """A line of statements: `x += y` must not change a tensor in place; assignments need no_grad."""
    body = [_unreversed(_augmented(o, u, value)) for o, u in zip(original.body, updated.body, strict=True)]
    if any(new is not old for new, old in zip(body, updated.body, strict=True)):
        updated = updated.with_changes(body=body)
    if not no_grad:
        return updated
    if len(body) != 1 or not isinstance(body[0], cst.Expr):
        run.refuse("the result of an assignment to a variable is used", "tf.Variable", original)
        return updated
    run.imports.add("import torch")
    return under_no_grad([updated])


def under_no_grad(lines: Sequence[cst.SimpleStatementLine]) -> cst.With:
    """`with torch.no_grad():` around some lines, below the comments of the first."""
    item = cst.WithItem(cst.parse_expression("torch.no_grad()"))
    first, *rest = lines
    body = cst.IndentedBlock([first.with_changes(leading_lines=()), *rest])
    return cst.With([item], body, leading_lines=first.leading_lines)


def _unreversed(statement: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
    """`mean, var = torch.var_mean(x)[::-1]` is `var, mean = torch.var_mean(x)`."""
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
        return statement
    target, value = statement.targets[0].target, statement.value
    if not (isinstance(target, cst.Tuple) and len(target.elements) == 2 and isinstance(value, cst.Subscript)):
        return statement
    if not (isinstance(value.value, cst.Call) and _REVERSED.deep_equals(cst.Subscript(cst.Name("x"), value.slice))):
        return statement
    first, second = (e.value for e in target.elements)
    elements = [e.with_changes(value=v) for e, v in zip(target.elements, (second, first), strict=True)]
    targets = [statement.targets[0].with_changes(target=target.with_changes(elements=elements))]
    return statement.with_changes(targets=targets, value=value.value)


_REVERSED = cst.ensure_type(cst.parse_expression("x[::-1]"), cst.Subscript)


def _augmented(
    original: cst.BaseSmallStatement, updated: cst.BaseSmallStatement, value: Callable[[cst.CSTNode], Value]
) -> cst.BaseSmallStatement:
    if not (isinstance(original, cst.AugAssign) and isinstance(updated, cst.AugAssign)):
        return updated
    operator = _AUGMENTED.get(type(updated.operator))
    if operator is None or not isinstance(updated.target, (cst.Name, cst.Attribute)):
        return updated
    known = value(original.target)
    if not _is_tf_tensor(known) or (isinstance(known, Tensor) and known.origin == "variable"):
        return updated
    right = cst.BinaryOperation(updated.target.deep_clone(), operator(), updated.value)
    need = 71 if operator in (cst.Multiply, cst.Divide, cst.MatrixMultiply, cst.FloorDivide, cst.Modulo) else 66
    right = right.with_changes(right=fit(updated.value, 80 if operator is cst.Power else need))
    return cst.Assign([cst.AssignTarget(updated.target)], right, semicolon=updated.semicolon)
