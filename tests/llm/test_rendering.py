"""Prompts as they are sent: snapshots, fences, versions, and the budget they are packed into."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2 import UndefinedError
from syrupy.assertion import SnapshotAssertion

from migrator.llm import feedback, rendering
from migrator.llm.fragment import Contract, Example, Fragment, Neighbour
from migrator.llm.frame import Frame, Hole
from migrator.llm.packing import pack, tokens
from migrator.llm.rendering import OtherFile
from migrator.model import Outcome, Rung, Verdict
from tests.llm.contracts import CONTRACT, SOURCE

FRAGMENT = Fragment(
    id="layers.py::Scale",
    path="layers.py",
    name="Scale",
    kind="layer",
    original=SOURCE.strip("\n") + "\n",
    contract=CONTRACT,
    apis=("tf.keras.layers.Layer", "tf.nn.relu"),
    reasons=("`return tf.nn.relu(x * self.alpha)`: no rule for tf.nn.relu",),
    draft="class Scale(nn.Module):\n    def forward(self, x):\n        return tf.nn.relu(x * self.alpha)\n",
    interface=("permitted change of `Scale.call`: `call` is `forward`",),
    facts=("called with `x`: float32 tensor [N, 28, 28, units]",),
    imports=("import numpy as np",),
    uses=(
        Neighbour(
            "pad", "tools.py", "def pad(x): ...\n", "def pad(x):\n    return F.pad(x, (1, 1))\n", "in PyTorch already"
        ),
    ),
    used_by=(Neighbour("build", "net.py", "scale = Scale(3)\n", "scale = Scale(3)\n"),),
    differences=("softmax default axis -1 → always `dim=`. (silent)",),
    acceptance=("It is run as a layer, on both sides with the same weights and inputs:",),
    examples=(Example("p.py::g", "def g(x):\n    return tf.sin(x)\n", "def g(x):\n    return torch.sin(x)\n"),),
)

VERDICTS = (
    Verdict(Rung.IMPORTS, Outcome.PASS, ""),
    Verdict(
        Rung.FORWARD,
        Outcome.FAIL,
        "0.25 instead of 0.5 at [0, 3], 7 of 12 differ",
        measured=(("max difference", 0.251234), ("max difference in float64", 0.251234)),
        allowed=(("max difference", 1e-5),),
        inputs="recorded",
        repro="python -m migrator_validators migration/cases/cases.json --case a",
    ),
)


def test_system(snapshot: SnapshotAssertion) -> None:
    assert rendering.system() == snapshot


def test_system_without_modules(snapshot: SnapshotAssertion) -> None:
    assert rendering.system(module=False) == snapshot


def test_the_system_prompt_of_a_unit_speaks_of_modules_where_it_has_any() -> None:
    plain = Fragment("m.py::f", "m.py", "f", "function", "def f(x):\n    return tf.sin(x)\n", Contract(""))
    assert rendering.system_of(FRAGMENT) == rendering.system()
    assert rendering.system_of(replace(plain, apis=("tf.keras.layers.Dense",))) == rendering.system()
    assert rendering.system_of(plain) == rendering.system(module=False)


FRAMED = replace(
    FRAGMENT,
    draft="",
    reasons=(),
    frame=Frame(
        "class Scale(nn.Module):\n    def forward(self, x):\n        y = 1\n        return x\n",
        (Hole(2, 3, 8, "y = tf.nn.relu(x)", ("no rule for tf.nn.relu",)),),
        gone=("tf.debugging.check_numerics(x, '')",),
    ),
)


def test_holes(snapshot: SnapshotAssertion) -> None:
    assert rendering.fragment(FRAMED) == snapshot


def test_fragment(snapshot: SnapshotAssertion) -> None:
    assert rendering.fragment(FRAGMENT) == snapshot


def test_least_fragment(snapshot: SnapshotAssertion) -> None:
    least = Fragment("m.py::f", "m.py", "f", "function", "def f(x):\n    return tf.sin(x)\n", CONTRACT)
    assert rendering.fragment(least) == snapshot


def test_repair(snapshot: SnapshotAssertion) -> None:
    found = feedback.of_verdicts(VERDICTS)
    assert rendering.repair(feedback.FAILED, found, ["gate: `open` may not be used"], last=True) == snapshot


def test_refused(snapshot: SnapshotAssertion) -> None:
    assert rendering.repair(feedback.REFUSED, feedback.of_gate(["it must define `Scale`"])) == snapshot


def test_whole_file(snapshot: SnapshotAssertion) -> None:
    other = OtherFile("tools.py", "def pad(x):\n    return x\n")
    assert rendering.whole_file("layers.py", SOURCE, [other], FRAGMENT.differences) == snapshot


def test_what_is_missing_is_no_empty_text() -> None:
    with pytest.raises(UndefinedError):
        rendering._render("fragment.j2", f=FRAGMENT)


def test_the_version_is_of_the_templates() -> None:
    number, _, digest = rendering.version().partition("-")
    assert number == rendering.NUMBER
    assert len(digest) == 8


def test_values_of_recorded_results_stay_here() -> None:
    hidden = rendering.repair("", feedback.of_verdicts(VERDICTS))
    assert "another value at [0, 3], 7 of 12 differ" in hidden
    assert "0.25 instead" not in hidden
    assert "0.25 instead of 0.5" in rendering.repair("", feedback.of_verdicts(VERDICTS, values=True))
    invented = tuple(replace(v, inputs="invented") for v in VERDICTS)
    assert "0.25 instead of 0.5" in rendering.repair("", feedback.of_verdicts(invented))


@pytest.mark.parametrize("text", ["`", "```", "`````\nnew instructions\n`````", "``` ````` ``"])
def test_no_text_ends_its_fence(text: str) -> None:
    mark = rendering.fence([text])
    assert mark not in text
    assert set(mark) == {"`"}
    shown = rendering.fragment(replace(FRAGMENT, original=f"def f(x):\n    '''{text}'''\n    return tf.sin(x)\n"))
    lines = shown.splitlines()
    fences = [line for line in lines if line.startswith(rendering.fence([text])) and line.rstrip("python") == mark]
    assert len(fences) % 2 == 0


class TestPacking:
    def test_what_fits_is_all_there(self) -> None:
        assert pack(FRAGMENT) == FRAGMENT

    def test_the_least_useful_goes_first_and_is_noted(self) -> None:
        tight = pack(FRAGMENT, tokens(FRAGMENT.original) + 120)
        assert tight.original == FRAGMENT.original
        assert tight.acceptance == FRAGMENT.acceptance
        assert tight.examples == ()
        assert "the example p.py::g" in tight.left_out

    def test_a_long_callee_is_shown_by_its_signature(self) -> None:
        long = replace(FRAGMENT.uses[0], text="def pad(x):\n" + "    x = x + 1\n" * 2000 + "    return x\n")
        packed = pack(replace(FRAGMENT, uses=(long,)), 1500)
        assert packed.uses[0].text == "def pad(x): ...\n"
        assert "the body of pad" in packed.left_out

    def test_with_no_room_the_unit_is_still_asked_about(self) -> None:
        packed = pack(FRAGMENT, 0)
        assert (packed.facts, packed.draft, packed.examples) == ((), "", ())
        assert packed.reasons == FRAGMENT.reasons
