"""What names suggest of a function's arguments."""

from __future__ import annotations

import ast

from migrator_validators.cases import Arg, Array, Call, Case, Lit, Made
from migrator_validators.guesses import SIZE, guesses, of_result, other_makers, required
from migrator_validators.hints import Modules, hinted, inner_function

FOCAL = """
def focal(gamma=2.0):
    def loss(y_true, y_pred, eps=1e-7):
        return y_true * (y_pred + eps) ** gamma

    return loss
"""
MODULES = Modules({"m": ast.parse(FOCAL)})


def shapes(given: dict[str, Arg]) -> dict[str, object]:
    return {name: (a.shape, a.dtype) if isinstance(a, Array) else getattr(a, "value", a) for name, a in given.items()}


def first(*names: str) -> dict[str, object]:
    return shapes(next(guesses(names, {}, {})))


def test_labels_are_whole_numbers_without_the_last_axis() -> None:
    assert first("labels", "logits") == {"labels": (("N",), "int32"), "logits": (("N", SIZE), "float32")}


def test_scores_are_one_a_row() -> None:
    assert first("boxes", "scores") == {"boxes": (("N", SIZE), "float32"), "scores": (("N",), "float32")}


def test_numbers_and_switches_are_told_by_their_names() -> None:
    assert first("x", "num_classes", "dropout_rate", "use_bias") == {
        "x": (("N", SIZE), "float32"),
        "num_classes": SIZE,
        "dropout_rate": 0.25,
        "use_bias": False,
    }


def test_a_mask_may_be_none() -> None:
    found = [shapes(given) for given in guesses(("q", "mask"), {}, {})]
    assert {"q": (("N", 7, SIZE), "float32"), "mask": None} in found


def test_what_is_known_stays() -> None:
    known = {"x": Lit(value=3)}
    assert all(given["x"] == known["x"] for given in guesses(("x", "y"), known, {}))
    assert shapes(next(guesses(("x", "y"), {}, {"y": "int64"})))["y"] == (("N", SIZE), "int64")


def test_the_function_that_a_function_returns_is_called() -> None:
    inner = inner_function(MODULES.find("m", "focal"))
    assert inner is not None
    assert required(inner) == ("y_true", "y_pred")
    call = next(of_result("m:focal", {}, inner))
    assert (call.source, len(call.args)) == ("__call__", 2)
    case = hinted(Case(id="c", kind="function", call=call), MODULES)
    assert case.hints is not None
    assert case.hints.params == ("y_true", "y_pred", "eps")


def test_and_once_more_of_other_arguments() -> None:
    inner = inner_function(MODULES.find("m", "focal"))
    assert inner is not None
    case = Case(id="c", kind="function", call=next(of_result("m:focal", {}, inner)))
    (other,) = other_makers(case, MODULES)
    assert isinstance(other.call.on, Made)
    assert other.call.on.call.kwargs == {"gamma": Lit(value=1.0)}
    assert other_makers(case.model_copy(update={"call": Call(source="m:focal")}), MODULES) == ()


def test_a_function_that_returns_something_else_returns_no_function() -> None:
    plain = Modules({"m": ast.parse("def f(x):\n    def g():\n        return x\n    return g()\n")})
    assert inner_function(plain.find("m", "f")) is None
