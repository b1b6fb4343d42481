"""One rule applied to one call, attribute or constant."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import libcst as cst

from migrator.model import Helper
from migrator.rules.engine.args import NOTHING, Arg, literal
from migrator.rules.engine.build import build
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.own_names import without_clashes
from migrator.rules.engine.records import Rule
from migrator.rules.engine.signature import REQUIRED, Parameter, Signature
from migrator.rules.engine.tensors import as_tensor, check_tensors
from migrator.values import Instance, Literal, Sequence, Tensor, Value


@dataclass(frozen=True)
class Made:
    """What a rule made of one expression."""

    node: cst.BaseExpression
    imports: frozenset[str] = frozenset()
    helpers: tuple[tuple[str, Helper], ...] = ()
    no_grad: bool = False


def apply(
    rule: Rule,
    original: cst.BaseExpression,
    updated: cst.BaseExpression,
    receiver: cst.BaseExpression | None,
    new_receiver: cst.BaseExpression | None,
    value: Callable[[cst.CSTNode], Value],
    device: str = "",
    exact: bool = False,
    taken: Collection[str] = (),
) -> Made:
    """The torch expression for a use of `rule.api`.

    `original` tells positions, `updated` has its arguments already rewritten. `taken`: names that the file has for
    things of its own. Raises `Decline`.
    """
    before = [*_receiver(receiver), *(original.args if isinstance(original, cst.Call) else ())]
    after = [*_receiver(new_receiver), *(updated.args if isinstance(updated, cst.Call) else ())]
    signature = rule.signature if rule.base is None else rule.base.signature
    device = "" if _makes_itself(rule, before, device, value) else device
    args, extra = bind(signature, _modern(rule, before), _modern(rule, after), value, device)
    output = rule.template.run(args, signature.facts, device, writer_of(value(original)), exact)
    placed = {arg.name for arg in output.args.values()} | output.covered
    for name, arg in args.items():
        unknown = literal(arg.node, arg.value) is NOTHING
        if arg.given and unknown and name not in placed and name not in rule.ignored:
            raise Decline(f"argument `{name}` has no place in torch's call")
    output = without_clashes(output, taken)
    node = build(output)
    no_grad = isinstance(node, cst.Call) and rule.api.startswith(_CHANGES)
    return Made(node, frozenset(output.imports | extra), tuple(output.helpers.items()), no_grad)


def _makes_itself(rule: Rule, args: list[cst.Arg], device: str, value: Callable[[cst.CSTNode], Value]) -> bool:
    """Whether a tensor is made of what was to give its device, and may not be a tensor yet."""
    given = args[0].value if args else None
    asked = isinstance(given, cst.Name) and device == f"{given.value}.device"
    return asked and rule.api in _MAKING and not (isinstance(known := value(args[0].value), Tensor) and known.dtype)


_MAKING = frozenset(
    {"tf.convert_to_tensor", "tf.cast", "tf.constant", "tf.Variable", "tf.compat.v1.convert_to_tensor"}
    | {"tf.keras.ops.convert_to_tensor", "tf.keras.ops.array", "tf.keras.ops.cast"}
)


_CHANGES = (
    "Variable.assign",
    "Variable.scatter_",
    "tf.compat.v1.assign",
    "tf.compat.v1.scatter_",
    "tf.keras.backend.update",
    "tf.keras.backend.set_value",
)


def writer_of(known: Value) -> str:
    """The source of the summary writer that a call writes to, or ""."""
    text = known.arg("writer") if isinstance(known, Instance) else None
    return str(text.value) if isinstance(text, Literal) else ""


def _receiver(node: cst.BaseExpression | None) -> list[cst.Arg]:
    return [] if node is None else [cst.Arg(node)]


def _modern(rule: Rule, args: list[cst.Arg]) -> list[cst.Arg]:
    """The arguments under today's names of their parameters."""
    if rule.base is None:
        named = [a for a in args if a.keyword is not None and a.keyword.value in rule.old]
        return args if not named else [m for a in args for m in _renamed(rule, a)]
    bound = rule.signature.bind(args)
    rule.signature.check_complete(bound)
    return [m for name, a in bound.items() for m in _renamed(rule, cst.Arg(a.value, keyword=cst.Name(name)))]


def _renamed(rule: Rule, arg: cst.Arg) -> list[cst.Arg]:
    name = arg.keyword.value if arg.keyword is not None else ""
    if name not in rule.old:
        return [arg]
    left_open = isinstance(arg.value, cst.Name) and arg.value.value == "None"
    return [] if left_open or not rule.old[name] else [arg.with_changes(keyword=cst.Name(rule.old[name]))]


def bind(
    signature: Signature,
    before: list[cst.Arg],
    after: list[cst.Arg],
    value: Callable[[cst.CSTNode], Value],
    device: str = "",
) -> tuple[dict[str, Arg], set[str]]:
    """The arguments by name, defaults filled in, tensors made tensors; and the imports that takes."""
    old, new = signature.bind(before), signature.bind(after)
    signature.check_complete(new)
    imports: set[str] = set()
    args = {}
    for p in signature.parameters:
        if p.name not in new:
            args[p.name] = _default(p)
            continue
        known = _packed(old[p.name].value, value) if p.variadic else value(old[p.name].value)
        arg = Arg(p.name, new[p.name].value, known)
        if p.must == "Tensor":
            wrapped = as_tensor(arg, device)
            imports |= set() if wrapped is arg else {"import torch"}
            arg = wrapped
        elif p.must == "Tensors":
            check_tensors(arg)
        args[p.name] = arg
    return args, imports


def _packed(node: cst.BaseExpression, value: Callable[[cst.CSTNode], Value]) -> Value:
    """What is known of the arguments that `*name` takes."""
    if not isinstance(node, cst.Tuple):
        return value(node)
    return Sequence("tuple", tuple(value(element.value) for element in node.elements))


def _default(parameter: Parameter) -> Arg:
    assert parameter.default is not REQUIRED
    return Arg(parameter.name, cst.parse_expression(repr(parameter.default)), given=False)
