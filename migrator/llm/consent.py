"""What may leave the machine, and where to: nothing, until a model was named for this tool."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from migrator.errors import UsageError
from migrator.llm.calls import Prompt
from migrator.llm.endpoint import Endpoint


@dataclass(frozen=True)
class Consent:
    """Who named the model ("flag", "environment", "configuration"), and what is kept back all the same.

    `never_send`: `.gitignore` patterns of files whose text stays here. `values`: whether recorded
    values may be sent; otherwise their shapes and dtypes alone.
    """

    named_by: str
    never_send: tuple[str, ...] = ()
    values: bool = False

    def withheld(self, paths: Iterable[str]) -> str | None:
        """Why a prompt with text of these files may not be sent; None where it may."""
        spec = GitIgnoreSpec.from_lines(self.never_send)
        found = next((path for path in paths if spec.match_file(path)), None)
        return None if found is None else f"{found} matches never-send"

    def refuses(self, prompt: Prompt) -> str | None:
        """Why this prompt may not be sent; None where it may. The unit's own file counts without being listed."""
        return self.withheld((prompt.name.partition("::")[0], *prompt.sources))


def check_allowed(endpoint: Endpoint, lists: Iterable[tuple[str, ...]]) -> None:
    """Raise `UsageError` where a list of allowed endpoints that is not empty does not name this one.

    Each list has to: that of the repository cannot allow what the user's own does not.
    """
    for patterns in lists:
        if patterns and not endpoint.allowed_by(patterns):
            raise UsageError(f"{endpoint.address} is not among the allowed endpoints ({', '.join(patterns)})")
