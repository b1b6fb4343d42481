"""What ran through a unit may speak for it: only where the unit itself took part."""

from __future__ import annotations

import ast

import pytest

from migrator.model import InterfaceChange, Origin, Outcome, Rung, Unit, UnitKind, UnitRewrite, Verdict
from migrator.speaking import spoken_for

OPTIMIZERS = """first = torch.optim.Adam(net.parameters(), lr=1e-3)
second = torch.optim.SGD(other.parameters(), lr=1e-2)
"""
LOSS = """def bce(y_true, y_pred):
    return F.binary_cross_entropy_with_logits(y_pred, y_true)


first = torch.optim.Adam(net.parameters(), lr=1e-3)
"""
OWN = Verdict(Rung.FORWARD, Outcome.UNVERIFIABLE, "it is neither a function nor a class that can be called alone")
TRAINED = Verdict(Rung.TRAINING, Outcome.PASS, "")


def spoken(text: str, defines: tuple[str, ...], found: set[str], through: Verdict = TRAINED) -> list[Verdict]:
    unit = Unit("gan.py::first@9", "gan.py", "first@9", UnitKind.SCRIPT, 9, 10)
    rewrite = UnitRewrite(unit, text, Origin.RULES, defines=defines)
    verdicts = {unit.id: [OWN], "gan.py::step": [through]}
    return spoken_for(rewrite, verdicts, ["gan.py::step"], {"gan.py::step": frozenset(found)})


def test_optimizers_that_all_stepped_are_spoken_for() -> None:
    (verdict,) = spoken(OPTIMIZERS, ("first", "second"), {"gan.py:step", "gan.py:first", "gan.py:second"})
    assert verdict.rung is Rung.TRAINING
    assert verdict.detail == "ran inside gan.py::step"


@pytest.mark.parametrize("found", [{"gan.py:step"}, {"gan.py:first"}, {"other.py:first", "other.py:second"}])
def test_an_optimizer_that_made_no_step_is_not(found: set[str]) -> None:
    assert spoken(OPTIMIZERS, ("first", "second"), found) == [OWN]


@pytest.mark.parametrize(
    ("found", "accepted"),
    [({"gan.py:first", "gan.py:bce"}, True), ({"gan.py:first"}, False), ({"gan.py:bce"}, False)],
)
def test_a_function_beside_an_optimizer_must_have_been_entered_too(found: set[str], accepted: bool) -> None:
    assert (spoken(LOSS, ("bce", "first"), found) != [OWN]) is accepted


def test_a_caller_that_failed_speaks_for_nobody() -> None:
    failed = Verdict(Rung.TRAINING, Outcome.FAIL, "")
    assert spoken(OPTIMIZERS, ("first", "second"), {"gan.py:first", "gan.py:second"}, failed) == [OWN]


@pytest.mark.parametrize(
    "text",
    [
        "first, second = RMSprop(net.parameters(), lr=1e-2), torch.optim.Adam(net.parameters())\n",
        "first: Optimizer = Adam(params=net.parameters())\nsecond = RMSprop(other.parameters())\n",
        "first = second = [torch.optim.SGD(net.parameters(), lr=0.1)]\n",
    ],
)
def test_optimizers_in_other_spellings_must_step_too(text: str) -> None:
    assert spoken(text, ("first", "second"), {"gan.py:step"}) == [OWN]
    assert spoken(text, ("first", "second"), {"gan.py:first"}) == [OWN]


def test_every_function_of_a_group_must_have_been_entered() -> None:
    text = "def one(x):\n    return x\n\n\ndef two(x):\n    return -x\n"
    assert spoken(text, ("one", "two"), {"gan.py:one"}) == [OWN]
    assert spoken(text, ("one", "two"), {"gan.py:one", "gan.py:two"}) != [OWN]


SCORE = "def score(model, x):\n    return (model(x) > 0).float().mean().item()\n"


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        ("print('score', score(model, x))", True),
        ("found = 100 * score(model, x)\n    print(f'score {found:.2f}')", True),
        ("a, b = float(score(model, x)), 1\n    logger.info('%s %s', a, b)", True),
        ("found = score(model, x)\n    print(found)\n    return found", False),
        ("print(train(score(model, x)))", False),
        ("found = score(model, x)\n    if found > 0.5:\n        print(found)", False),
        ("found = torch.log(score(model, x))\n    found.backward()\n    print(found)", False),
        ("found = score(model, x)", False),
        ("model.loss = score\n    print(score(model, x))", False),
    ],
)
def test_a_function_whose_result_is_only_printed_is_not(body: str, printed: bool) -> None:
    files = [ast.parse(f"{SCORE}\n\ndef step(model, x):\n    {body}\n")]
    unit = Unit("gan.py::score", "gan.py", "score", UnitKind.FUNCTION, 1, 2)
    rewrite = UnitRewrite(unit, SCORE, Origin.RULES, defines=("score",))
    verdicts = {unit.id: [OWN], "gan.py::step": [TRAINED]}
    reached = {"gan.py::step": frozenset({"gan.py:score"})}
    found = spoken_for(rewrite, verdicts, ["gan.py::step"], reached, files)
    assert all(v.outcome is Outcome.UNVERIFIABLE for v in found) is printed
    assert any("only printed" in v.detail for v in found) is printed


@pytest.mark.parametrize(("kind", "spoken_of"), [("written-out", True), ("renames", False)])
def test_what_is_written_out_where_it_was_called_is_spoken_for_by_that(kind: str, spoken_of: bool) -> None:
    unit = Unit("net.py::weight", "net.py", "weight", UnitKind.FUNCTION, 1, 3)
    rewrite = UnitRewrite(unit, "", Origin.RULES, changes=(InterfaceChange("net:weight", kind, ""),))
    verdicts = {unit.id: [OWN], "net.py::Net": [TRAINED]}
    found = spoken_for(rewrite, verdicts, ["net.py::Net"], {"net.py::Net": frozenset({"net.py:Net"})})
    assert (found != [OWN]) is spoken_of
