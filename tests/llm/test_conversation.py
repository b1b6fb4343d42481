"""Questions and what follows from replies: repair texts, endings, and when to stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.llm.calls import Completion
from migrator.llm.candidate import Candidate
from migrator.llm.conversation import Conversation, Judged
from migrator.llm.fragment import Fragment
from migrator.llm.frame import Frame, Hole
from migrator.llm.replies import (
    Answer,
    Empty,
    Failed,
    Filling,
    Malformed,
    Outcome,
    Pending,
    Refused,
    Reply,
    Spent,
    Truncated,
    Withheld,
)
from migrator.model import Outcome as Ending
from migrator.model import Rung, Verdict
from tests.llm.contracts import CONTRACT, IMPORTS, RIGHT, SOURCE

FRAGMENT = Fragment("layers.py::Scale", "layers.py", "Scale", "layer", SOURCE, CONTRACT)


def reply(code: str = RIGHT) -> Completion:
    return Completion(Answer(Reply(code=code, imports=list(IMPORTS))), 100, 50, 0.01, call_id=1)


def wrong(number: int) -> Completion:
    return reply(RIGHT.replace("(3 / self.units)", f"({number} / self.units)"))


def rejects(found: Candidate) -> Judged:
    said = Verdict(Rung.FORWARD, Ending.FAIL, "0.1 instead of 0.2 at [0]", (("max difference", 0.1),))
    return Judged("rejected", "forward: differs", (said,))


def accepts(found: Candidate) -> Judged:
    return Judged("accepted", "equal up to forward")


def endings(talk: Conversation) -> list[str]:
    return [a.ending for a in talk.attempts]


def test_wrong_then_right() -> None:
    talk = Conversation(FRAGMENT)
    assert [m.role for m in talk.question().messages] == ["user"]
    talk.hear([wrong(1)], rejects)
    second = talk.question()
    assert [m.role for m in second.messages] == ["user", "assistant", "user"]
    assert "0.1 instead of 0.2" in second.messages[2].text
    assert second.system == Conversation(FRAGMENT).question().system
    talk.hear([reply()], accepts)
    assert endings(talk) == ["rejected", "accepted"]
    assert talk.won is not None
    assert not talk.open
    assert [a.number for a in talk.attempts] == [1, 2]
    assert sum(a.cost or 0 for a in talk.attempts) == pytest.approx(0.02)


def test_questions_end() -> None:
    talk = Conversation(FRAGMENT, most=3)
    for number in range(1, 4):
        assert talk.open
        talk.hear([wrong(number)], rejects)
    assert not talk.open
    assert talk.lost
    assert endings(talk) == ["rejected"] * 3


def test_the_last_question_says_so_and_earlier_failures_are_told() -> None:
    talk = Conversation(FRAGMENT, most=3)
    talk.hear([wrong(1)], rejects)
    assert "last attempt" not in talk.question().messages[-1].text
    talk.hear([reply("class Scale:\n    pass\n")], rejects)
    text = talk.question().messages[-1].text
    assert "last attempt" in text
    assert "Earlier attempts failed with" in text
    assert "0.1 instead of 0.2" in text


def test_the_same_reply_again_ends_it() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([wrong(1)], rejects)
    talk.hear([reply(RIGHT.replace("(3 / self.units)", "( 1/self.units )"))], rejects)
    assert endings(talk) == ["rejected", "same"]
    assert talk.lost


def test_of_several_draws_the_first_that_verifies_counts() -> None:
    ran: list[str] = []

    def judge(found: Candidate) -> Judged:
        ran.append(found.code)
        return accepts(found) if "3 / self" in found.code else rejects(found)

    talk = Conversation(FRAGMENT)
    talk.hear([wrong(1), reply(), wrong(2)], judge)
    assert endings(talk) == ["rejected", "accepted"]
    assert [a.sample for a in talk.attempts] == [0, 1]
    assert len(ran) == 2


def test_equal_draws_do_not_end_it() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([wrong(1), wrong(1)], rejects)
    assert endings(talk) == ["rejected", "same"]
    assert talk.open


def test_of_several_draws_the_one_that_was_run_is_talked_about() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([reply("class Scale:\n    pass\n"), wrong(1)], rejects)
    assert "0.1 instead of 0.2" in talk.question().messages[-1].text


@pytest.mark.parametrize(
    ("outcome", "ending", "told"),
    [
        (Refused("no"), "refused", "ordinary translation"),
        (Truncated(), "truncated", "cut off"),
        (Empty(), "empty", "was empty"),
        (Malformed("not valid JSON"), "malformed", "not valid JSON"),
    ],
)
def test_replies_that_are_none_have_their_own_repair(outcome: Outcome, ending: str, told: str) -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([Completion(outcome, 100, 5, 0.01, call_id=1)], _never)
    assert endings(talk) == [ending]
    assert talk.attempts[0].cost == 0.01
    (message,) = talk.question().messages
    assert told in message.text
    assert message.text.startswith("Rewrite `Scale`")


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [(Spent("over"), "spent"), (Withheld("secret.py"), "withheld"), (Failed("401", True), "failed")],
)
def test_questions_without_a_reply_end_it(outcome: Outcome, ending: str) -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([Completion(outcome)], _never)
    assert endings(talk) == [ending]
    assert talk.lost


def test_a_question_in_a_batch_file_waits() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([Completion(Pending("key"))], _never)
    assert talk.waiting
    assert not talk.lost


def test_what_cannot_be_compared_is_no_acceptance() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([reply()], lambda found: Judged("unverified", "nothing could be run"))
    assert endings(talk) == ["unverified"]
    assert talk.won is not None


def test_a_failure_of_ours_is_not_told_to_the_model() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([reply()], lambda found: Judged("infra-error", "the worker died"))
    assert endings(talk) == ["infra-error"]
    assert talk.lost


LINES = RIGHT.strip("\n").split("\n")
LAST = len(LINES) - 1
FRAMED = replace(
    FRAGMENT, frame=Frame(RIGHT.strip("\n") + "\n", (Hole(LAST, LAST + 1, 8, "return tf.nn.relu(x)"),), IMPORTS)
)


def fills(*holes: tuple[int, str], code: str = "") -> Completion:
    return Completion(Answer(Reply(code=code, holes=[Filling(hole=n, code=text) for n, text in holes])), call_id=1)


def test_filled_holes_make_the_whole_unit() -> None:
    seen: list[Candidate] = []

    def judge(found: Candidate) -> Judged:
        seen.append(found)
        return accepts(found)

    talk = Conversation(FRAMED)
    assert talk.question().messages[0].text.startswith("Fill the holes in `Scale`")
    talk.hear([fills((1, "return F.relu(x * self.alpha)"))], judge)
    assert endings(talk) == ["accepted"]
    assert seen[0].code.strip() == RIGHT.strip()
    assert (seen[0].framed, seen[0].imports) == (True, IMPORTS)


def test_code_that_is_no_unit_goes_into_the_only_hole() -> None:
    talk = Conversation(FRAMED)
    talk.hear([fills(code="return F.relu(x * self.alpha)")], accepts)
    assert endings(talk) == ["accepted"]
    assert talk.won is not None
    assert talk.won.code.strip() == RIGHT.strip()


def test_a_hole_is_not_filled_with_nothing() -> None:
    talk = Conversation(FRAMED)
    talk.hear([fills((1, "  "))], _never)
    assert talk.attempts[0].detail == "hole 1 is not filled"


def test_a_whole_unit_may_stand_in_place_of_its_holes() -> None:
    talk = Conversation(FRAMED)
    talk.hear([reply()], accepts)
    assert endings(talk) == ["accepted"]
    assert talk.won is not None
    assert not talk.won.framed


def test_what_is_filled_goes_through_the_gate() -> None:
    talk = Conversation(FRAMED)
    talk.hear([fills((1, "return eval('x')"))], _never)
    talk.hear([fills((2, "return F.relu(x)"))], _never)
    assert [(a.ending, a.detail) for a in talk.attempts] == [
        ("gate", "`eval` may not be used"),
        ("gate", "hole 1 is not filled"),
    ]


def test_a_unit_without_holes_needs_its_code() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([fills((1, "return x"))], _never)
    assert "must hold all of it" in talk.attempts[0].detail


@pytest.mark.parametrize(("limit", "told"), [("time", "a loop that does not end"), ("memory", "more memory than")])
def test_a_candidate_beyond_a_limit_has_its_own_repair(limit: str, told: str) -> None:
    said = Verdict(Rung.FORWARD, Ending.INFRA, "no end after 120 s", limit=limit)
    talk = Conversation(FRAGMENT)
    talk.hear([reply("class Scale:\n    pass\n"), wrong(1)], lambda found: Judged("rejected", "", (said,)))
    assert endings(talk) == ["gate", "rejected"]
    text = talk.question().messages[-1].text
    assert told in text
    assert "no end after 120 s" in text


def test_the_gate_comes_before_the_judge() -> None:
    talk = Conversation(FRAGMENT)
    talk.hear([reply(RIGHT.replace("return F.relu", "eval('1')\n        return F.relu"))], _never)
    assert endings(talk) == ["gate"]
    assert "`eval` may not be used" in talk.question().messages[-1].text


def _never(found: Candidate) -> Judged:
    raise AssertionError("it must not be run")
