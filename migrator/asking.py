"""From a run's settings to the options of the model's room; the narrower of two limits holds."""

from __future__ import annotations

from typing import TypeVar

from migrator.config import RunSettings
from migrator.llm.budget import Limits
from migrator.llm.options import Options

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


def _narrower(one: Limit | None, other: Limit | None) -> Limit | None:
    given = [limit for limit in (one, other) if limit is not None]
    return min(given) if given else None
