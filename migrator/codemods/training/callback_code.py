"""What a callback becomes in a loop."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

Args = dict[str, cst.BaseExpression]


@dataclass(frozen=True)
class CallbackCode:
    """Lines of one callback: before the loop, at the start and the end of an epoch, as its very last, after it."""

    before: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loop:
    """Names in the loop that a callback's lines are for, and the `keys` of an epoch's figures."""

    model: str
    optimizer: str
    epoch: str
    logs: str
    keys: frozenset[str]
    start: str = "0"  # the first epoch
