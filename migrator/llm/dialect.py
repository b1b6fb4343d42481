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

_ASKED: dict[Shape, str] = {
    "schema": "",
    "json": (
        "\n\nReply with one JSON object and nothing else. Its members: "
        '"code" (text), "imports", "helpers", "assumptions", "not_kept" (lists of texts).'
    ),
    "text": "\n\nReply with one fenced block of Python code (```python) that holds the whole unit, and nothing else.",
}


class Dialect(BaseModel):
    """`shape`: how the reply's form is asked for. `limit`: the server's name for the length limit.
    `temperature`: whether it takes one. `proven`: a reply came in this dialect."""

    model_config = ConfigDict(frozen=True)

    shape: Shape = "schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    proven: bool = False

    def body(self, model: str, prompt: Prompt, sample: int, max_output: int) -> dict[str, Any]:
        """The request: greedy for the first sample, warmer for further ones."""
        messages = turns(prompt)
        messages[0]["content"] += _ASKED[self.shape]
        found: dict[str, Any] = {"model": model, "messages": messages}
        found[self.limit] = max_output
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

    def after(self, refusal: str) -> Dialect | None:
        """The next dialect to try when the server answered a request with "bad request"; None: it is not the dialect.

        A server that says nothing of use is tried in every shape until one has worked.
        """
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
