"""Signatures of both sides, modulo declared changes."""

from __future__ import annotations

from typing import Any

import pytest
from migrator_validators.cases import Call, Lit
from migrator_validators.probes.wire import signature
from migrator_validators.signatures import signature_problem

from migrator.model import InterfaceChange

CALL = Call(source="m:f")


def problem(source: Any, target: Any, call: Call = CALL, *changes: InterfaceChange) -> str | None:
    sides = [{"parameters": signature(side), "class": False} for side in (source, target)]
    return signature_problem(*sides, call, changes)


def original(x, units=3, axis=None, name=None): ...  # type: ignore[no-untyped-def]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (lambda x, units=3, axis=None: 0, None),
        (lambda x, units=3, axis=None, name=None: 0, None),
        (lambda x, units=3, axis=None, extra=None: 0, None),
        (lambda units=3, x=0, axis=None: 0, "another order"),
        (lambda x, units=4, axis=None: 0, "defaults to 4"),
        (lambda x, units, axis=None: 0, "lost its default"),
        (lambda x, axis=None: 0, "parameters are gone: units"),
        (lambda x, size, units=3, axis=None: 0, "new required parameters: size"),
    ],
)
def test_what_a_caller_would_trip_over(target: Any, found: str | None) -> None:
    said = problem(original, target)
    assert (said is None) if found is None else (said is not None and found in said)


def test_a_declared_change_is_permitted() -> None:
    change = InterfaceChange("m:f", "adds-size", "the input's size", added=("size",))
    assert problem(original, lambda x, size, units=3, axis=None: 0, CALL, change) is None
    declared = Call(source="m:f", target_kwargs={"size": Lit(value=3)})
    assert problem(original, lambda x, size, units=3, axis=None: 0, declared) is None
