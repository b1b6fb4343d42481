"""The template language: small, and pinned here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
import pytest

from migrator.rules.engine.args import Arg
from migrator.rules.engine.build import build
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import _definition
from migrator.rules.engine.signature import Signature
from migrator.rules.engine.template import Template
from migrator.values import Literal, Scalar, Unknown, Value
from migrator.values import Tensor as TensorValue

if TYPE_CHECKING:
    import torch


def made(rule: object, known: dict[str, Value] | None = None, **texts: str) -> str:
    """The output of a rule's body for arguments given as source."""
    tree = _definition(rule)  # type: ignore[arg-type]
    signature = Signature.of_ast(tree.args)
    args = {}
    for p in signature.parameters:
        text = texts.get(p.name, repr(p.default))
        value = (known or {}).get(p.name, Unknown())
        args[p.name] = Arg(p.name, cst.parse_expression(text), value, p.name in texts)
    output = Template(tree.body, rule.__globals__).run(args, signature.facts)  # type: ignore[attr-defined]
    return cst.Module([]).code_for_node(build(output))


def scaled(x: Tensor, momentum=0.99, keepdims=False, axis=None):
    if axis is None:
        return torch.sum(x, dim=axis, keepdim=keepdims)
    if axis == 7:
        raise Decline("seven")
    rest = 1 - momentum
    return torch.mul(x, rest, flag=not keepdims) if axis > 0 else torch.mul(x[:, axis], 1 - momentum)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"x": "a"}, "torch.sum(a)"),
        ({"x": "a", "axis": "None"}, "torch.sum(a)"),
        ({"x": "a", "keepdims": "True"}, "torch.sum(a, dim=None, keepdim=True)"),
        ({"x": "a + b", "axis": "1"}, "torch.mul(a + b, 0.01, flag=True)"),
        ({"x": "a", "axis": "1", "momentum": "0.9"}, "torch.mul(a, 0.1, flag=True)"),
        ({"x": "a", "axis": "1", "momentum": "m"}, "torch.mul(a, 1 - m, flag=True)"),
        ({"x": "a + b", "axis": "-1", "momentum": "m - n"}, "torch.mul((a + b)[:, -1], 1 - (m - n))"),
    ],
)
def test_output(texts: dict[str, str], expected: str) -> None:
    assert made(scaled, **texts) == expected


def test_decline_is_raised() -> None:
    with pytest.raises(Decline, match="seven"):
        made(scaled, x="a", axis="7")


def test_a_test_on_something_unknown_declines() -> None:
    with pytest.raises(Decline, match="`axis` is None must be known"):
        made(scaled, x="a", axis="k")


def test_facts_answer_tests() -> None:
    known: dict[str, Value] = {"axis": Literal(1)}
    assert made(scaled, known, x="a", axis="AXIS") == "torch.mul(a, 0.01, flag=True)"


def test_a_parameter_that_may_be_none_is_not_a_number() -> None:
    maybe: dict[str, Value] = {"axis": Scalar("int", default=Literal(None))}
    with pytest.raises(Decline):
        made(scaled, maybe, x="a", axis="axis")


def twice(x: Tensor):
    return x * torch.sigmoid(x)


def test_an_argument_is_not_evaluated_twice() -> None:
    assert made(twice, x="self.a[0]") == "self.a[0] * torch.sigmoid(self.a[0])"
    with pytest.raises(Decline, match="evaluated twice"):
        made(twice, x="f(a)")


def ranked(a: Tensor, b: Tensor, *, rank_b):
    return a @ (b.T if rank_b == 2 else b.mT)


def test_facts_as_keyword_only_parameters() -> None:
    assert made(ranked, {"b": TensorValue((2, 3))}, a="x", b="y") == "x @ y.T"
    assert made(ranked, a="x + 1", b="-y") == "(x + 1) @ (-y).mT"


def looping(x):
    for _ in range(3):
        x = x + 1
    return x


def test_anything_else_is_not_in_the_language() -> None:
    with pytest.raises(TypeError, match="not in the template language"):
        made(looping, x="a")
