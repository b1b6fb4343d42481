"""What is asked of a model, and what came of it. Frozen values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from migrator.llm.replies import Outcome


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class Message:
    """One turn of the conversation after the system prompt."""

    role: Literal["user", "assistant"]
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _sendable(self.text))


@dataclass(frozen=True)
class Prompt:
    """A conversation that ends with a user's message.

    `name`: the fragment's id ("path.py::name"); budgets per unit count by it. `version`: of the
    prompt's template. `sources`: paths of the repository whose text is in it; none of them may be
    one that is never sent.
    """

    system: str
    messages: tuple[Message, ...]
    name: str
    version: str
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Half surrogate pairs, as undecodable output has them, cannot be sent or stored: they become "?"."""
        object.__setattr__(self, "system", _sendable(self.system))

    @property
    def characters(self) -> int:
        return len(self.system) + sum(len(message.text) for message in self.messages)


@dataclass(frozen=True)
class Completion:
    """What came of a prompt. `tokens_in`, `tokens_out` and `cost_usd` are what the reply cost when it was
    paid for, also where `cached` says that this time nothing was; `cost_usd` None: no price is known.

    `call_id` names the call in the ledger, None when nothing was sent.
    """

    outcome: Outcome
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    cached: bool = False
    call_id: int | None = None


def content_key(model: str, base_url: str, prompt: Prompt, sample: int, shape: str) -> str:
    """64 hex digits that are the same when the same is asked of the same model at the same place.

    `shape` stands for what else decides the reply: the reply's schema and the limit of its length.
    """
    turns = [["system", prompt.system], *([m.role, m.text] for m in prompt.messages)]
    content = json.dumps([model, base_url, turns, sample, shape], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
