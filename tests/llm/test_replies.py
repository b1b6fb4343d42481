from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.llm.replies import Answer, Empty, Malformed, Refused, Reply, Truncated, parse, schema

CODE = "def f(x):\n    return x\n"
OBJECT = json.dumps({"code": CODE, "imports": ["import torch"], "helpers": [], "assumptions": [], "not_kept": []})
ANSWER = Answer(Reply(code=CODE, imports=["import torch"]))


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        f"\n  {OBJECT}\n",
        f"```json\n{OBJECT}\n```",
        f"Here you are:\n\n```\n{OBJECT}\n```\nI hope it helps.",
        f"<think>Is it ```python x``` or {{}}?</think>\n{OBJECT}",
        OBJECT.replace("\\n", "\n"),  # real line breaks inside the text
    ],
)
def test_one_shape_from_every_spelling(text: str) -> None:
    assert parse(text, "stop") == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{CODE}```",
        f"Sure!\n\n```py\n{CODE}```\n\nThat is all.",
        f"```\n{CODE}```",
        f"~~~python\n{CODE}~~~",
        f"````python\n{CODE}````",
        f"Run\n```console\n$ ls\n```\nafter\n```python\n{CODE}```",
        json.dumps({"code": CODE}),
        json.dumps({"code": CODE, "imports": None, "helpers": "", "note": "unknown members do not matter"}),
        json.dumps({"code": f"```python\n{CODE}```"}),
    ],
)
def test_code_alone_is_a_reply(text: str) -> None:
    found = parse(text, "stop")
    assert isinstance(found, Answer)
    assert (found.reply.code.rstrip(), found.reply.imports) == (CODE.rstrip(), [])


def test_a_fence_inside_a_docstring_ends_no_block() -> None:
    code = 'def f(x):\n    """Use:\n\n    ```python\n    f(1)\n    ```\n    """\n    return x\n'
    found = parse(f"````python\n{code}````", "stop")
    assert found == Answer(Reply(code=code))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Use torch.sum.", "no complete block"),
        (f"```python\n{CODE}", "no complete block"),
        (f"```python\n{CODE}```\n```python\n{CODE}```", "2 blocks"),
        ('{"code": "def f', "not valid JSON"),
        ("{" * 100_000, "not valid JSON"),
        ('{"imports": []}', "code: is empty"),
        ('{"code": "  "}', "code: is empty"),
        ('{"code": 3}', "code: "),
        ('{"code": "x", "imports": [1]}', "imports.0: "),
        ("```python\n\n```", "no complete block"),
        ('{"code": "x = \'\\ud800\'"}', "no text"),
        ('{"code": "x", "imports": ["\\udfff"]}', "no text"),
    ],
)
def test_what_is_not_in_the_agreed_shape(text: str, words: str) -> None:
    found = parse(text, "stop")
    assert isinstance(found, Malformed)
    assert words in found.why
    assert "\n" not in found.why


def test_other_endings() -> None:
    assert parse(OBJECT, "length") == Truncated()
    assert parse("", "content_filter") == Refused("the endpoint's content filter stopped the reply")
    assert parse(OBJECT, "stop", "I will not") == Refused("I will not")
    assert [parse(text, "stop") for text in (None, "", " \n", "<think>hm</think>")] == [Empty()] * 4


@given(st.text(), st.sampled_from(["stop", None, "length", "tool_calls"]))
def test_no_text_breaks_the_parser(text: str, reason: str | None) -> None:
    for wrapped in (text, "{" + text, f"```python\n{text}\n```", f'{{"code": {text}}}'):
        assert parse(wrapped, reason) is not None


@given(st.text(min_size=1).filter(str.strip), st.lists(st.text()))
def test_what_is_written_as_the_schema_says_comes_back(code: str, notes: list[str]) -> None:
    wanted = Reply.model_validate({"code": code, "not_kept": notes})
    assert parse(wanted.model_dump_json(), "stop") == Answer(wanted)


def test_the_schema_is_strict() -> None:
    found = schema()
    assert found["required"] == list(found["properties"]) == list(Reply.model_fields)
    assert found["additionalProperties"] is False
    assert "default" not in json.dumps(found)
