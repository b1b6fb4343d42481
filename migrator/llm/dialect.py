"""How a server wants to be asked: found out once from what it refuses, then remembered."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from migrator.llm.calls import Prompt
from migrator.llm.ledger import turns
from migrator.llm.replies import schema

Shape = Literal["schema", "json", "text"]
_NEXT: dict[Shape, Shape] = {"schema": "json", "json": "text"}
_SHAPE = re.compile(r"response_format|json_schema|json_object|structured|schema|grammar", re.I)
_LIMIT = re.compile(r"max_(completion_)?tokens", re.I)
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum context|(prompt|input) .{0,40}too (long|large)|too many tokens",
    re.I,
)
_TOO_MUCH = re.compile(
    r"in the completion|max_(completion_)?tokens.{0,40}too (large|high|big)|at most \d+ completion", re.I
)
"""A server's words for a length limit that is too large by itself, or beside this prompt."""

_SHORTEST = 500
"""Tokens: with less room than that, a reply is hardly whole."""

_ASKED: dict[Shape, str] = {
    "schema": "",
    "json": (
        '\n\nThe JSON object has the members "code" (a text), "holes" (a list of objects), "imports", "helpers", '
        '"assumptions" and "not_kept" (lists of texts). Reply with it and nothing else.'
    ),
    "text": (
        "\n\nThis time, instead of the JSON object, reply with one fenced block of Python code (```python) and nothing "
        "else: the imports, the helpers and the whole unit."
    ),
}


class Dialect(BaseModel):
    """`shape`: how the reply's form is asked for. `limit`: the server's name for the length limit.
    `temperature`: whether it takes one. `proven`: a reply came in this dialect. `most`: tokens that a
    reply may have, where fewer than wished for fit."""

    model_config = ConfigDict(frozen=True)

    shape: Shape = "schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    proven: bool = False
    most: int | None = None

    def body(self, model: str, prompt: Prompt, sample: int, max_output: int) -> dict[str, Any]:
        """The request: greedy for the first sample, warmer for further ones."""
        messages = turns(prompt)
        messages[0]["content"] += _ASKED[self.shape]
        found: dict[str, Any] = {"model": model, "messages": messages}
        found[self.limit] = min(max_output, self.most or max_output)
        if self.temperature:
            found["temperature"] = 0.0 if sample == 0 else 0.8
        if self.shape == "schema":
            found["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "migrated_unit", "strict": True, "schema": schema()},
            }
        elif self.shape == "json":
            found["response_format"] = {"type": "json_object"}
        return found

    def after(self, refusal: str, max_output: int) -> Dialect | None:
        """The next dialect to try when the server answered a request with "bad request"; None: it is not the dialect.

        A server that says nothing of use is tried in every shape until one has worked.
        """
        shorter = (self.most or max_output) // 2
        if _TOO_MUCH.search(refusal) and shorter >= _SHORTEST:
            return self.model_copy(update={"most": shorter})
        if too_long(refusal):
            return None
        if self.temperature and "temperature" in refusal.lower():
            return self.model_copy(update={"temperature": False})
        if _LIMIT.search(refusal):
            other = "max_completion_tokens" if self.limit == "max_tokens" else "max_tokens"
            return self.model_copy(update={"limit": other})
        if self.shape in _NEXT and (_SHAPE.search(refusal) or not self.proven):
            return self.model_copy(update={"shape": _NEXT[self.shape], "proven": False})
        return None


def too_long(refusal: str) -> bool:
    """Whether a server's words say that the prompt does not fit the model."""
    return _TOO_LONG.search(refusal) is not None


def first(is_openai: bool) -> Dialect:
    """What to begin with: OpenAI's own models refuse `max_tokens`, many other servers know nothing else."""
    return Dialect(limit="max_completion_tokens" if is_openai else "max_tokens")


def remembered(text: str | None, is_openai: bool) -> Dialect:
    """The dialect that the ledger kept; the first one where it kept none."""
    try:
        return Dialect.model_validate_json(text) if text else first(is_openai)
    except ValidationError:
        return first(is_openai)
