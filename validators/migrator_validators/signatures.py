"""Signatures of the two sides, modulo the permitted changes of an interface."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from migrator.model import InterfaceChange
from migrator_validators.cases import Call

DROPPED = frozenset({"name", "training", "mask", "dtype", "trainable", "self"})
"""Keras's own bookkeeping parameters, which OUTPUT_STYLE lets go anywhere."""


def signature_problem(
    source: Mapping[str, Any] | None, target: Mapping[str, Any] | None, call: Call, changes: Iterable[InterfaceChange]
) -> str | None:
    """What a caller would trip over, or None. Nothing is said where Python cannot tell a signature."""
    if not source or not target or source["parameters"] is None or target["parameters"] is None:
        return None
    mine = [c for c in changes if c.qualname in (call.source, call.target) or c.qualname.startswith(f"{call.source}.")]
    added, removed = {n for c in mine for n in c.added}, {n for c in mine for n in c.removed}
    declared = call.target_args is not None or call.target_kwargs is not None
    ours, theirs = _named(source["parameters"]), _named(target["parameters"])
    gone = [n for n in ours if n not in theirs and n not in removed | DROPPED]
    new = [n for n in theirs if n not in ours and n not in added and not theirs[n][1] and not declared]
    if gone and not declared and not _takes_any(target["parameters"]):
        return f"parameters are gone: {', '.join(gone)}"
    if new:
        return f"new required parameters: {', '.join(new)}"
    return _order(ours, theirs, added) or _defaults(ours, theirs)


def _named(parameters: list[list[str]]) -> dict[str, tuple[str, str]]:
    return {name: (kind, default) for name, kind, default in parameters if not kind.startswith("VAR_")}


def _takes_any(parameters: list[list[str]]) -> bool:
    return any(kind == "VAR_KEYWORD" for _, kind, _ in parameters)


def _order(ours: Mapping[str, tuple[str, str]], theirs: Mapping[str, tuple[str, str]], added: set[str]) -> str | None:
    shared = [n for n in ours if n in theirs]
    kept = [n for n in theirs if n in ours]
    if shared != kept:
        return f"parameters in another order: {', '.join(kept)} instead of {', '.join(shared)}"
    return None


def _defaults(ours: Mapping[str, tuple[str, str]], theirs: Mapping[str, tuple[str, str]]) -> str | None:
    for name, (_, default) in ours.items():
        if name not in theirs:
            continue
        other = theirs[name][1]
        if bool(default) and not other:
            return f"parameter {name} lost its default {default}"
        before, after = _literal(default), _literal(other)
        if before is not _UNKNOWN and after is not _UNKNOWN and before != after:
            return f"parameter {name} defaults to {other or 'nothing'} instead of {default}"
    return None


_UNKNOWN = object()


def _literal(text: str) -> Any:
    """The value of a default, where it is a plain one; text is left alone, for it may name an initialiser."""
    try:
        value = ast.literal_eval(text) if text else _UNKNOWN
    except (ValueError, SyntaxError):
        return _UNKNOWN
    return _UNKNOWN if isinstance(value, str) else value
