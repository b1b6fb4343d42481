"""Secrets in what is sent: replaced by placeholders, and put back into what comes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from migrator.llm.calls import Prompt
from migrator.llm.replies import Answer, Outcome, Reply

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$")
_SHORT = 8
"""Characters: what is shorter occurs in ordinary words, so it is replaced only where it is the whole of a string."""

_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_MARK = "REDACTED_SECRET_"
_MARKS = re.compile(rf"{_MARK}\d+")
_NO_SECRET = {"IPPublicDetector"}
"""Detectors of what is no secret; and version numbers look like addresses."""


@dataclass(frozen=True)
class Redacted:
    """A prompt as it may be sent, and the secrets by placeholder. These stay in memory only."""

    prompt: Prompt
    secrets: tuple[tuple[str, str], ...] = ()

    def restore(self, outcome: Outcome) -> Outcome:
        """The outcome with the secrets back in their places, as the original has them."""
        if not self.secrets or not isinstance(outcome, Answer):
            return outcome
        known = dict(self.secrets)

        def restored(value: str | list[str]) -> str | list[str]:
            if isinstance(value, str):
                return _MARKS.sub(lambda found: known.get(found[0], found[0]), value)
            return [str(restored(entry)) for entry in value]

        fields = outcome.reply.model_dump()
        return Answer(Reply.model_validate({name: restored(value) for name, value in fields.items()}))


def redact(prompt: Prompt, environment: Mapping[str, str] = os.environ) -> Redacted:
    """The prompt without secrets: those that detectors find in it, and values of the environment's own keys.

    The same text gives the same placeholders, so that a question that was asked before is recognised.
    """
    marks: dict[str, str] = {}
    for text in (prompt.system, *(message.text for message in prompt.messages)):
        for secret in _found(text, environment):
            marks.setdefault(secret, f"{_MARK}{len(marks) + 1}")
    if not marks:
        return Redacted(prompt)
    messages = tuple(replace(message, text=_without(message.text, marks)) for message in prompt.messages)
    clean = replace(prompt, system=_without(prompt.system, marks), messages=messages)
    return Redacted(clean, tuple((mark, secret) for secret, mark in marks.items()))


def _without(text: str, marks: Mapping[str, str]) -> str:
    for secret in sorted(marks, key=len, reverse=True):  # one may be part of another
        if len(secret) >= _SHORT:
            text = text.replace(secret, marks[secret])
        else:
            text = re.sub(rf"(['\"]){re.escape(secret)}\1", rf"\1{marks[secret]}\1", text)
    return text


def _found(text: str, environment: Mapping[str, str]) -> Iterator[str]:
    yield from _PEM.findall(text)
    yield from (value for value in own_keys(environment) if value in text)
    for line in text.splitlines():
        for detector in _detectors():
            yield from (value for value in sorted(set(_detected(detector, line))) if value and _MARK not in value)


def own_keys(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Values of variables that are named like keys, tokens or passwords; longest first."""
    values = {value for name, value in environment.items() if _SECRET_NAME.search(name.upper())}
    return tuple(sorted((value for value in values if len(value) >= _SHORT), key=lambda value: (-len(value), value)))


def _detected(detector: BasePlugin, line: str) -> Iterator[str]:
    """Only the texts' own look decides: `analyze_line` might ask the secret's issuer over the network."""
    from detect_secrets.plugins.high_entropy_strings import HighEntropyStringsPlugin

    for value in detector.analyze_string(line):
        if isinstance(detector, HighEntropyStringsPlugin):
            if detector.calculate_shannon_entropy(value) > detector.entropy_limit:
                yield value
        else:
            yield value


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    kinds: Collection[Callable[[], BasePlugin]] = get_mapping_from_secret_type_to_class().values()
    return tuple(kind() for kind in sorted(kinds, key=lambda kind: kind.__name__) if kind.__name__ not in _NO_SECRET)
