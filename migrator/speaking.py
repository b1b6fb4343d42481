"""Units that cannot be run alone: the checks of what ran through them speak for them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from migrator.model import Outcome, Rung, UnitRewrite, Verdict
from migrator.settle import BEHAVIOUR
from migrator.shown import only_shown

SILENT = (Outcome.UNVERIFIABLE, Outcome.NOT_APPLICABLE)
"""Outcomes that say nothing of what a unit does."""


def spoken_for(
    rewrite: UnitRewrite,
    verdicts: Mapping[str, Sequence[Verdict]],
    callers: Sequence[str],
    reached: Mapping[str, frozenset[str]],
    trees: Sequence[ast.Module] = (),
) -> list[Verdict]:
    """The unit's verdicts; where nothing could be run on it alone, those of a caller that ran through it.

    The caller must have been compared itself. Meanwhile one of the functions or classes of the migrated unit
    must have been entered, where it has any, each of them in a group of statements, and every optimizer
    that it makes must have made a step. What is written out where it was called has none of its own to enter.
    `reached`: by unit, what its checks entered and stepped, "file:name". `trees`: the migrated files; a function
    whose results they only print is spoken for by nobody.
    """
    unit = rewrite.unit.id
    own = list(verdicts[unit])
    if any(v.rung in BEHAVIOUR and v.outcome not in SILENT for v in own):
        return own
    optimizers = _optimizers(rewrite.text or "")
    for caller in callers:
        through = verdicts.get(caller, ())
        compared = [v for v in through if v.rung in BEHAVIOUR and v.outcome in (Outcome.PASS, Outcome.GAP)]
        failed = any(v.outcome in (Outcome.FAIL, Outcome.INFRA) for v in through)
        if compared and not failed and _ran(rewrite, optimizers, reached.get(caller, frozenset())):
            own_names = {rewrite.unit.name, *rewrite.defines}
            returning = [d.name for d in _definitions(rewrite.text or "") if d.name in own_names and _returns(d)]
            printed = [name for name in returning if only_shown(name, trees)]
            if printed:
                detail = f"what {printed[0]} returns is only printed, which nothing compares"
                return [*own, Verdict(Rung.FORWARD, Outcome.UNVERIFIABLE, detail)]
            best = max(compared, key=lambda v: list(Rung).index(v.rung))
            kept = [v for v in own if v.outcome not in (Outcome.UNVERIFIABLE,)]
            return [*kept, replace(best, detail=f"ran inside {caller}: {best.detail}".rstrip(": "))]
    return own


def _ran(rewrite: UnitRewrite, optimizers: frozenset[str], found: frozenset[str]) -> bool:
    if rewrite.is_written_out:
        return True
    path = rewrite.unit.path
    names = {rewrite.unit.name, *rewrite.defines} - optimizers
    starts = tuple(start for name in names for start in _starts(path, name))
    entered = any(f"{name}\0".startswith(starts) for name in found)
    stepped = {f"{path}:{name}" for name in optimizers} <= found
    made = _definitions(rewrite.text or "")
    each = all(any(f"{name}\0".startswith(_starts(path, d.name)) for name in found) for d in made)
    return stepped and each and (entered or (bool(optimizers) and not made))


def _returns(definition: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is a function that returns a value."""
    function = isinstance(definition, ast.FunctionDef)
    return function and any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(definition))


def _starts(path: str, name: str) -> tuple[str, str]:
    return f"{path}:{name}.", f"{path}:{name}\0"


def _optimizers(text: str) -> frozenset[str]:
    """Variables of a unit that hold an optimizer of torch."""
    made = [s for s in _statements(text) if isinstance(s, ast.Assign | ast.AnnAssign) and s.value is not None]
    holding = [s for s in made if any(map(_makes_optimizer, ast.walk(s)))]
    targets = [t for s in holding for t in (s.targets if isinstance(s, ast.Assign) else [s.target])]
    return frozenset(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def _makes_optimizer(value: ast.AST) -> bool:
    """A call of `torch.optim`, or of any class with the parameters of a model."""
    if not isinstance(value, ast.Call):
        return False
    given = [*value.args, *(keyword.value for keyword in value.keywords)]
    return ast.unparse(value.func).startswith("torch.optim.") or any(".parameters()" in ast.unparse(a) for a in given)


def _definitions(text: str) -> list[ast.FunctionDef | ast.ClassDef]:
    return [s for s in _statements(text) if isinstance(s, ast.FunctionDef | ast.ClassDef)]


def _statements(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError:
        return []
