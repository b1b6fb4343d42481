"""What a run was told about the model, checked once and made into what a client works with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from migrator.errors import UsageError
from migrator.llm.budget import Budget, Limits
from migrator.llm.client import Client, Setup, connect
from migrator.llm.consent import Consent, check_allowed
from migrator.llm.endpoint import Endpoint, endpoint
from migrator.llm.ledger import Ledger, default_path
from migrator.llm.prices import BATCH_DISCOUNT, Price, price_of
from migrator.llm.transport import Patience

Mode = Literal["auto", "off", "batch"]


@dataclass(frozen=True)
class Options:
    """`named_by` says who named the model: "flag", "environment" or "configuration"; "" is nobody.

    `allow_endpoints`: lists each of which has to name the endpoint. `run_limits`, `unit_limits`:
    budgets. `price`: "IN,OUT", dollars per million tokens. `max_output_tokens`: of one reply.
    """

    mode: Mode = "auto"
    model: str | None = None
    named_by: str = ""
    base_url: str | None = None
    api_key: SecretStr | None = None
    never_send: tuple[str, ...] = ()
    allow_endpoints: tuple[tuple[str, ...], ...] = ()
    send_values: bool = False
    run_limits: Limits = field(default_factory=Limits)
    unit_limits: Limits = field(default_factory=Limits)
    price: str | None = None
    ledger: Path | None = None
    at_once: int = 4
    tokens_per_minute: int | None = None
    timeout_s: float = 300.0
    max_output_tokens: int = 8192

    @property
    def ledger_path(self) -> Path:
        return self.ledger or default_path()


@dataclass(frozen=True)
class Chosen:
    """The model that a run may ask, and what it may send there."""

    options: Options
    endpoint: Endpoint
    consent: Consent
    price: Price | None

    @property
    def words(self) -> str:
        """Which model is asked, and where, for people."""
        return f"{self.endpoint.model} at {self.endpoint.address}, named by {self.consent.named_by}"

    @contextmanager
    def open(self, run: str) -> Iterator[tuple[Client, Ledger]]:
        """A client and its ledger for the length of a run; `run` names it in the ledger.

        A run of the same name that was interrupted goes on with what is left of its budget.
        """
        options = self.options
        setup = Setup(
            endpoint=self.endpoint,
            consent=self.consent,
            run=run,
            patience=Patience(timeout_s=options.timeout_s),
            at_once=options.at_once,
            tokens_a_minute=options.tokens_per_minute,
            max_output=options.max_output_tokens,
            batch=options.mode == "batch",
        )
        with ExitStack() as stack:
            ledger = stack.enter_context(Ledger(options.ledger_path))
            budget = Budget(options.run_limits, options.unit_limits, self.price)
            yield stack.enter_context(connect(setup, ledger, budget)), ledger


def choose(options: Options, environment: Mapping[str, str] = os.environ) -> Chosen | None:
    """The model to ask; None where none was named or the model is off: nothing is sent then.

    A key in the environment names no model. Raises `UsageError` for an endpoint that is not allowed or
    a dollar budget without a price, `EnvironmentMissing` where a key is needed and there is none.
    """
    if options.mode == "off" or not options.model:
        if options.mode == "batch":
            raise UsageError("--llm batch writes the questions for a model: name one by --model or MIGRATOR_MODEL")
        return None
    place = endpoint(options.model, options.base_url, options.api_key, environment, keyless=options.mode == "batch")
    check_allowed(place, options.allow_endpoints)
    price = price_of(place.model, options.price, place.is_local)
    if price is not None and options.mode == "batch":
        price = Price(price.input * BATCH_DISCOUNT, price.output * BATCH_DISCOUNT)
    if price is None and (options.run_limits.usd is not None or options.unit_limits.usd is not None):
        raise UsageError(f"no price is known for {place.model}: a budget in dollars needs --price IN,OUT")
    consent = Consent(options.named_by or "flag", options.never_send, options.send_values)
    return Chosen(options, place, consent, price)
