"""A run that asks a server some questions and is killed on the way:
`python -m tests.llm.killed URL LEDGER N [TIMEOUT_S]`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from migrator.llm.budget import Budget, Limits
from migrator.llm.client import Setup, connect
from migrator.llm.consent import Consent
from migrator.llm.endpoint import endpoint
from migrator.llm.ledger import Ledger
from tests.llm.asking import PRICE, QUICK, prompt
from tests.llm.scripted_server import MODEL


def main() -> None:
    """Ask N questions one after the other and say after each that its reply is there."""
    url, path, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    patience = replace(QUICK, timeout_s=float(sys.argv[4])) if len(sys.argv) > 4 else QUICK
    setup = Setup(endpoint(MODEL, url), Consent("flag"), "run-1", patience)
    with Ledger(path) as ledger, connect(setup, ledger, Budget(Limits(), Limits(), PRICE)) as client:
        for index in range(number):
            client.complete(prompt(f"m{index}.py::f"))
            print(index, flush=True)


if __name__ == "__main__":
    main()
