"""What a callback becomes in a loop."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import libcst as cst

Args = dict[str, cst.BaseExpression]


@dataclass(frozen=True)
class CallbackCode:
    """Lines of one callback: before the loop, at the start and the end of an epoch, as its very last, after it.

    `batch_begin`, `batch_end`: expressions of functions that the pass over the data calls around each batch.
    `start`: the name that the lines before the loop give to its first epoch, or "".
    """

    before: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    batch_begin: tuple[str, ...] = ()
    batch_end: tuple[str, ...] = ()
    start: str = ""


def under(condition: str, code: CallbackCode) -> CallbackCode:
    """The lines of a callback that is there on a condition; "" for none."""
    if not condition:
        return code
    parts = {field.name: getattr(code, field.name) for field in fields(code) if field.name != "start"}
    begin, end = (tuple(f"*([{f}] if {condition} else [])" for f in parts.pop(n)) for n in ("batch_begin", "batch_end"))
    lines: dict[str, Any] = {
        name: (f"if {condition}:", *("    " + line for line in part)) if part else () for name, part in parts.items()
    }
    return replace(code, **lines, batch_begin=begin, batch_end=end)


@dataclass(frozen=True)
class Loop:
    """Names in the loop that a callback's lines are for, and the `keys` of an epoch's figures."""

    model: str
    optimizer: str
    epoch: str
    logs: str
    keys: frozenset[str]
    start: str = "0"  # the first epoch
    epochs: str = "1"  # the one after the last
    steps: str = ""  # batches in an epoch, where they are counted
    first: str = "0"  # what `fit` says it is, where an interrupted training may begin with a later one
    scheduler: str = ""  # what steps the rate, where a schedule does
