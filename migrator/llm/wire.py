"""A chat completion as servers write it: only what is looked at, and leniently where they differ."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator


class ReplyMessage(BaseModel):
    """The model's words, and a refusal where the server tells the two apart."""

    content: str | None = None
    refusal: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        """Some servers give the text in parts."""
        if not isinstance(value, list):
            return value
        return "".join(part.get("text") or "" for part in value if isinstance(part, dict))


class Choice(BaseModel):
    """One of the replies; only one is ever asked for."""

    message: ReplyMessage
    finish_reason: str | None = None


class Usage(BaseModel):
    """What the server counted."""

    prompt_tokens: Annotated[int, Field(ge=0)]
    completion_tokens: Annotated[int, Field(ge=0)]


class WireReply(BaseModel):
    """A chat completion. `usage` is None where the server counted nothing that can be read."""

    choices: Annotated[list[Choice], Field(min_length=1)]
    usage: Usage | None = None

    @field_validator("usage", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        numbers = [value.get(name) for name in Usage.model_fields] if isinstance(value, dict) else [None]
        return value if all(isinstance(number, int) and number >= 0 for number in numbers) else None


class Model(BaseModel):
    """An entry of a list of models."""

    id: str


class Models(BaseModel):
    """The models of an endpoint."""

    data: list[Model]


class ErrorWords(BaseModel):
    """What a server says went wrong."""

    message: str = ""


class ErrorReply(BaseModel):
    """An error, which some servers send with the status of a success."""

    error: ErrorWords | str

    @property
    def words(self) -> str:
        return self.error if isinstance(self.error, str) else self.error.message
