"""What a model replied: one shape, one parser for every way in which servers give it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class Filling(BaseModel):
    """What goes into one hole of a unit."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    hole: int
    code: str

    @field_validator("code")
    @classmethod
    def _bare(cls, value: str) -> str:
        return _unfenced(value)


class Reply(BaseModel):
    """A proposed rewrite of one unit, as the model words it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    code: str = Field(
        default="", description="The whole unit in PyTorch, nothing left out; empty where holes are filled."
    )
    holes: list[Filling] = Field(default=[], description="What goes into each hole of the unit, where it has some.")
    imports: list[str] = Field(default=[], description="Import statements that the code needs, one a line.")
    helpers: list[str] = Field(default=[], description="Definitions that go above the unit because the code uses them.")
    assumptions: list[str] = Field(default=[], description="What was taken for granted and is not in the prompt.")
    not_kept: list[str] = Field(default=[], description="Behaviour of the original that the code does not have.")

    @property
    def fills(self) -> dict[int, str]:
        """Code by number of the hole."""
        return {filling.hole: filling.code for filling in self.holes}

    @field_validator("holes", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return [] if value is None else value

    @field_validator("imports", "helpers", "assumptions", "not_kept", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        """Without a schema to hold them to it, models write one entry as a text and none as null."""
        if value is None:
            return []
        return [value] if isinstance(value, str) and value.strip() else value or []

    @field_validator("code")
    @classmethod
    def _bare(cls, value: str) -> str:
        return _unfenced(value)


def _unfenced(value: str) -> str:
    """The code without a fence around the whole of it."""
    fence = _FENCE.fullmatch(value.strip() + "\n") or _FENCE.fullmatch(value.strip())
    return fence["body"] if fence else value


def schema() -> dict[str, Any]:
    """JSON schema of a reply in the strict dialect: every property required, no others."""
    found = _strict(Reply)
    found["properties"]["holes"]["items"] = _strict(Filling)
    return found


def _strict(model: type[BaseModel]) -> dict[str, Any]:
    found = model.model_json_schema()["properties"]
    properties = {name: _without_default(value) for name, value in found.items()}
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _without_default(value: dict[str, Any]) -> dict[str, Any]:
    return {key: entry for key, entry in value.items() if key not in ("default", "title")}


@dataclass(frozen=True)
class Answer:
    """A reply in the agreed shape. Whether it is right is not known yet."""

    reply: Reply


@dataclass(frozen=True)
class Refused:
    """The model or the endpoint's filter would not answer."""

    text: str
    repair: ClassVar[str] = "The request is an ordinary translation of program text. Reply with the migrated unit."


@dataclass(frozen=True)
class Truncated:
    """The reply ended at the limit of its length."""

    repair: ClassVar[str] = "The reply was cut off at its length limit. Reply with the code alone, no explanations."


@dataclass(frozen=True)
class Empty:
    """There was no text in the reply."""

    repair: ClassVar[str] = "The reply was empty. Reply with the migrated unit in the format that was asked for."


@dataclass(frozen=True)
class Malformed:
    """The reply is not in the agreed shape; `why` is one line."""

    why: str
    repair: ClassVar[str] = "The reply could not be read. Reply with one JSON object in the format that was asked for."


@dataclass(frozen=True)
class Spent:
    """Not asked: a budget would be exceeded; `why` says which and by how much."""

    why: str


@dataclass(frozen=True)
class Withheld:
    """Not asked: something in the prompt must never be sent; `why` says what."""

    why: str


@dataclass(frozen=True)
class Pending:
    """Not asked yet: the prompt waits in the batch file of this round under `key`."""

    key: str


@dataclass(frozen=True)
class Failed:
    """No reply came. `final`: no other prompt would fare better in this run (no key, no quota, no server)."""

    why: str
    final: bool = False


Outcome = Answer | Refused | Truncated | Empty | Malformed | Spent | Withheld | Pending | Failed
Parsed = Answer | Refused | Truncated | Empty | Malformed

_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[\w+-]*)[^\n]*\n(?P<body>.*?)^(?P=mark)[ \t]*$", re.S | re.M)
_PYTHON = ("python", "py", "python3")


def parse(text: str | None, finish_reason: str | None = None, refusal: str | None = None) -> Parsed:
    """The outcome of a reply's text.

    Takes a JSON object of the schema, alone or in a fenced block, or one fenced block of Python.
    What is cut off is never taken for whole, even where it happens to parse.
    """
    if refusal:
        return Refused(refusal)
    if finish_reason == "content_filter":
        return Refused("the endpoint's content filter stopped the reply")
    if finish_reason == "length":
        return Truncated()
    content = _THOUGHT.sub("", text or "", count=1).strip()
    if not content:
        return Empty()
    return _object(content) if content.startswith("{") else _fenced(content)


def _object(content: str) -> Answer | Malformed:
    try:
        found = json.loads(content, strict=False)  # real line breaks inside strings: what small models write
    except ValueError as error:
        return Malformed(f"not valid JSON: {error}")
    except RecursionError:
        return Malformed("not valid JSON: nested too deeply")
    return _validated(found)


def _validated(found: object) -> Answer | Malformed:
    try:
        reply = Reply.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        return Malformed(f"{'.'.join(map(str, first['loc'])) or 'reply'}: {first['msg']}")
    if not reply.code.strip() and not reply.holes:
        return Malformed("code: is empty")
    try:
        repr(reply.model_dump_json()).encode()
    except ValueError:  # half of a surrogate pair, written as an escape
        return Malformed("it has characters that are no text")
    return Answer(reply)


def _fenced(content: str) -> Answer | Malformed:
    blocks = [(found["info"].lower(), found["body"]) for found in _FENCE.finditer(content)]
    objects = [body for info, body in blocks if info == "json" or (not info and body.lstrip().startswith("{"))]
    if len(objects) == 1:
        return _object(objects[0].strip())
    code = [body for info, body in blocks if info in _PYTHON] or [body for info, body in blocks if not info]
    if len(code) == 1 and code[0].strip():
        return Answer(Reply(code=code[0]))
    if len(code) > 1:
        return Malformed(f"{len(code)} blocks of code where one was asked for")
    return Malformed("no JSON object and no complete block of code in the reply")
