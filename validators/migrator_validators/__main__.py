"""`python -m migrator_validators FILE [--case ID]…`: run the cases of a file again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from migrator.errors import MigratorError
from migrator.model import Outcome, Verdict
from migrator_validators.casefile import check_file
from migrator_validators.workers import Workers

BAD = (Outcome.FAIL, Outcome.UNVERIFIABLE, Outcome.INFRA)


def main(arguments: list[str] | None = None) -> int:
    """Print the verdicts; 0 when every case passed, 1 when one did not, else the error's own exit code."""
    parser = argparse.ArgumentParser(prog="python -m migrator_validators", description=__doc__)
    parser.add_argument("file", type=Path, help="case file, JSON or TOML")
    parser.add_argument("--case", action="append", default=[], metavar="ID", help="only this case; may be repeated")
    parser.add_argument("--sandbox", choices=("bubblewrap", "none"), default="bubblewrap")
    parser.add_argument("--tf-python", type=Path, help="interpreter with TensorFlow")
    parser.add_argument("--torch-python", type=Path, help="interpreter with torch")
    given = parser.parse_args(arguments)
    bad = 0
    try:
        with Workers(given.sandbox, given.tf_python, given.torch_python) as workers:
            for checked in check_file(given.file, workers, only=given.case):
                print(checked.case)
                for verdict in checked:
                    print("  " + line(verdict))
                bad += any(verdict.outcome in BAD for verdict in checked)
    except MigratorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 1 if bad else 0


def line(verdict: Verdict) -> str:
    """A verdict in one line of text."""
    figures = dict(verdict.allowed)
    shown = [f"{k} {v:.3g}" + (f" (allowed {figures[k]:.3g})" if k in figures else "") for k, v in verdict.measured]
    head, first = f"{verdict.rung}: {verdict.outcome}", verdict.diverges and f"first: {verdict.diverges}"
    return " · ".join(part for part in (head, verdict.detail, *shown, first) if part)


if __name__ == "__main__":
    sys.exit(main())
