"""From a run's settings to the options of the model's room; the narrower of two limits holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from migrator_validators.doctor import Check

from migrator.config import RunSettings
from migrator.errors import EnvironmentMissing, MigratorError, UsageError
from migrator.llm import batch
from migrator.llm.budget import Limits
from migrator.llm.ledger import Ledger
from migrator.llm.options import Options, choose
from migrator.llm.probe import probe

Limit = TypeVar("Limit", int, float)


def options(settings: RunSettings) -> Options:
    """What the run was told about the model, by the user and, where it narrows, by the repository's own file."""
    return Options(
        mode=settings.llm,
        model=settings.model,
        named_by=settings.model_named_by,
        base_url=settings.base_url,
        api_key=settings.api_key,
        never_send=settings.never_send + settings.repository_never_send,
        allow_endpoints=(settings.allow_endpoints, settings.repository_allow_endpoints),
        send_values=settings.send_values,
        run_limits=Limits(
            _narrower(settings.budget_usd, settings.repository_budget_usd),
            _narrower(settings.budget_tokens, settings.repository_budget_tokens),
        ),
        unit_limits=Limits(
            _narrower(settings.unit_budget_usd, settings.repository_unit_budget_usd),
            _narrower(settings.unit_budget_tokens, settings.repository_unit_budget_tokens),
        ),
        price=settings.price,
        ledger=settings.ledger,
        at_once=settings.llm_jobs,
        tokens_per_minute=settings.tokens_per_minute,
        timeout_s=settings.llm_timeout,
        max_output_tokens=settings.max_output_tokens,
    )


def check(settings: RunSettings) -> Check:
    """Whether the model that is named can be asked; a run without one needs none."""
    try:
        chosen = choose(options(settings))
        if chosen is None:
            return Check("model", False, "none is named: nothing is sent", "name one by --model", needed=False)
        state = probe(chosen.endpoint)
    except MigratorError as error:
        return Check("model", False, str(error), "see docs/llm.md")
    return Check("model", state.ok, state.detail, state.hint)


def hand_in(path: Path, out: Path, settings: RunSettings, tell: Callable[[str], None]) -> batch.Taken:
    """Have an endpoint work off a batch file and keep its replies in `out`; needs a key and a named model."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such batch file")
    told = options(settings)
    chosen = choose(told)
    if chosen is None or chosen.endpoint.key is None:
        raise EnvironmentMissing(
            "handing in a batch needs a key: set OPENAI_API_KEY, or have the file answered elsewhere"
        )
    with Ledger(told.ledger_path) as ledger:
        return batch.hand_in(path, out, chosen.endpoint, ledger, "", tell)


def _narrower(one: Limit | None, other: Limit | None) -> Limit | None:
    given = [limit for limit in (one, other) if limit is not None]
    return min(given) if given else None
