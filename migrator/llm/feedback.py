"""What is told of an attempt that was not accepted: exactly what the gate or the verifier said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migrator.llm.rendering import Finding
from migrator.model import Outcome, Verdict

LONGEST = 1500
"""Characters of one detail; the beginning and the end of a longer one are kept."""

FAILED = "The verifier ran it beside the original and rejected it."
TOO_SLOW = (
    "It was stopped at the time limit of the verifier; the original came to its end, on the same inputs, in less than "
    "a quarter of that. Look for a loop that does not end, or one over single elements: whole tensors are faster."
)
TOO_LARGE = (
    "It was stopped because it used more memory than the verifier allows; the original kept to the same limit on the "
    "same inputs. Look for a tensor that is larger than it need be, or for results that pile up."
)
REFUSED = "It was refused before anything was run:"


def of_gate(problems: Sequence[str]) -> tuple[Finding, ...]:
    """What the gate found."""
    return tuple(Finding(problem) for problem in problems)


def heading(verdicts: Sequence[Verdict]) -> str:
    """What is said first of a candidate that was run."""
    limit = next((v.limit for v in verdicts if v.limit), "")
    return {"time": TOO_SLOW, "memory": TOO_LARGE}.get(limit, FAILED)


def bad(verdict: Verdict) -> bool:
    """Whether a verdict speaks against the candidate: a failure, or a limit that the original kept."""
    return verdict.outcome is Outcome.FAIL or bool(verdict.limit)


def of_verdicts(verdicts: Sequence[Verdict], values: bool = False) -> tuple[Finding, ...]:
    """Every failed rung with its figures, and how far the candidate came.

    Single values of results on recorded inputs are told only with `values`.
    """
    return tuple(_findings(verdicts, values))


def _findings(verdicts: Sequence[Verdict], values: bool) -> Iterator[Finding]:
    passed = dict.fromkeys(str(v.rung) for v in verdicts if v.outcome in (Outcome.PASS, Outcome.GAP))
    failed = [v for v in verdicts if bad(v)]
    if passed:
        yield Finding(f"passed: {', '.join(passed)}")
    for verdict in failed:
        figures = "; ".join(figures_of(verdict))
        inputs = f" on {verdict.inputs} inputs" if verdict.inputs else ""
        yield Finding(
            f"failed: {verdict.rung}{inputs}" + (f" ({figures})" if figures else ""),
            shortened(_detail(verdict, values)),
        )
        if verdict.diverges:
            yield Finding("where it first differs", shortened(verdict.diverges))
    repros = dict.fromkeys(v.repro for v in failed if v.repro)
    for repro in repros:
        yield Finding("it is run again by", repro)


_VALUES = re.compile(r"""\S+ instead of \S+(?= at [\[(])|(?:(?<=: )|^)['"].*['"] instead of .*""", re.DOTALL)
"""One element of a result beside the expected one; not shapes, dtypes, keys or counts."""


def _detail(verdict: Verdict, values: bool) -> str:
    if values or verdict.inputs != "recorded":
        return verdict.detail
    return _VALUES.sub("another value", verdict.detail)


def figures_of(verdict: Verdict) -> Iterator[str]:
    """`max difference 0.0214, allowed 1e-05`, to three digits: they do not depend on the machine."""
    allowed = dict(verdict.allowed)
    for name, value in verdict.measured:
        limit = f", allowed {allowed[name]:.3g}" if name in allowed else ""
        yield f"{name} {value:.3g}{limit}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """The worst verdict in one line, for reports and for later attempts; no single recorded value is in it."""
    worst = next((v for v in verdicts if bad(v)), None)
    if worst is None:
        return ""
    figures = "; ".join(figures_of(worst))
    detail = " ".join(_detail(worst, values=False).split())[:160]
    return f"{worst.rung}: {detail}" + (f" ({figures})" if figures else "")


def shortened(text: str) -> str:
    """The text, or its beginning and end."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}\n[{len(text) - LONGEST} characters left out]\n{text[-LONGEST // 2 :]}"
