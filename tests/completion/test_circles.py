"""Units that refer to each other: one fragment for all, and a candidate taken apart again."""

from __future__ import annotations

from dataclasses import replace

from migrator.completion.circles import LARGEST, MOST, apart, problem, together
from migrator.llm.candidate import Candidate
from migrator.llm.fragment import Contract, Definition, Fragment, Neighbour, Parameter
from migrator.llm.gate import problems


def member(name: str, path: str = "m.py", body: str = "return tf.sin(x)") -> Fragment:
    original = f"def {name}(x):\n    {body}\n"
    names = {"even", "odd", "other"} - {name}
    contract = Contract(
        original, (Definition(name, "function", (Parameter("x"),)),), frozenset(names), tf_names=frozenset({"tf"})
    )
    uses = tuple(Neighbour(n, path, f"def {n}(x): ...\n", f"def {n}(x): ...\n") for n in sorted(names))
    return Fragment(f"{path}::{name}", path, name, "function", original, contract, ("tf.sin",), uses=uses)


EVEN, ODD = member("even"), member("odd")
CODE = """# first
def even(x):
    return torch.sin(x)


def half(x):
    return x / 2


def odd(x):
    return half(x)
"""


def test_one_fragment_has_what_all_have() -> None:
    both = together([EVEN, ODD])
    assert (both.id, both.name) == ("m.py::even", "even, odd")
    assert both.original == f"{EVEN.original}\n\n{ODD.original}"
    assert [d.name for d in both.contract.definitions] == ["even", "odd"]
    assert both.contract.taken == {"other"}
    assert [n.name for n in both.uses] == ["other"]
    assert both.frame is None


def test_its_contract_wants_all_of_them() -> None:
    both = together([EVEN, ODD])
    assert problems(Candidate(CODE, ("import torch",)), both.contract) == ()
    assert problems(Candidate("def even(x):\n    return x\n"), both.contract) == ("it must define `odd`",)


def test_a_candidate_is_taken_apart_by_definitions() -> None:
    found = Candidate(CODE, ("import torch",), ("def helper(x):\n    return x\n",), ("x is a float",))
    even, odd = apart(found, [EVEN, ODD])
    assert even.code == "# first\ndef even(x):\n    return torch.sin(x)\n"
    assert odd.code == "def odd(x):\n    return half(x)\n"
    assert even.helpers == ("def helper(x):\n    return x\n", "def half(x):\n    return x / 2")
    assert (odd.helpers, odd.assumptions) == ((), ())
    assert even.imports == odd.imports == ("import torch",)


def test_too_many_too_long_or_too_far_apart() -> None:
    assert problem([EVEN, ODD]) == ""
    assert "more than are written at once" in problem([member(f"f{n}") for n in range(MOST + 1)])
    assert "several files" in problem([EVEN, member("odd", "n.py")])
    assert "tokens long" in problem([EVEN, member("odd", body="x = 1\n    " * LARGEST + "return x")])
    script = replace(ODD, contract=replace(ODD.contract, statements=True))
    assert "a script" in problem([EVEN, script])
