"""A client that asks a scripted server, with little patience."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from migrator.llm.budget import Budget, Limits
from migrator.llm.client import Client, Message, Prompt, Setup, connect
from migrator.llm.consent import Consent
from migrator.llm.endpoint import endpoint
from migrator.llm.ledger import Ledger
from migrator.llm.prices import Price
from migrator.llm.transport import Patience
from tests.llm.scripted_server import MODEL, ScriptedServer

PRICE = Price(1.0, 10.0)
QUICK = Patience(attempts=4, timeout_s=1.0, first_wait_s=0.01, longest_wait_s=2.0)


def prompt(name: str = "a.py::f", text: str = "") -> Prompt:
    """A question that names its fragment."""
    return Prompt("Migrate.", (Message("user", f"# {name}\n{text}"),), name, "test-1")


@contextmanager
def asking(
    server: ScriptedServer,
    ledger: Ledger,
    *,
    run: Limits | None = None,
    unit: Limits | None = None,
    price: Price | None = PRICE,
    setup: dict[str, object] | None = None,
) -> Iterator[Client]:
    given: dict[str, object] = {
        "endpoint": endpoint(MODEL, server.url),
        "consent": Consent("flag"),
        "run": "run-1",
        "patience": QUICK,
        "max_output": 1000,
    }
    budget = Budget(run or Limits(), unit or Limits(), price)
    with connect(Setup(**(given | (setup or {}))), ledger, budget) as client:  # type: ignore[arg-type]
        yield client
