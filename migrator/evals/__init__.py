"""Scores on the bundled evaluation sets: what we migrate, and what the verifier lets pass."""

from __future__ import annotations

from migrator.evals.result import EvalResult
from migrator.evals.sets import SETS, run

__all__ = ["SETS", "EvalResult", "run"]
