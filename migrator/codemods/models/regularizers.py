"""Regularisers that a constructor takes: where every construction gives the same one, it is written out instead."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.values import Facts, Instance, Literal, RepoInstance, Value


def agreed(facts: Facts, qualname: str, params: Iterable[str]) -> dict[str, Value]:
    """The regulariser parameters of a class that every construction gives the same value, with that value."""
    known = facts.cls(qualname)
    if known is None or not known.sites:
        return {}
    found: dict[str, Value] = {}
    for name in params:
        if not name.endswith("regularizer"):
            continue
        given = {_given(facts, module_site[0], module_site[1], qualname, name) for module_site in known.sites}
        value = given.pop() if len(given) == 1 else None
        if value is not None:
            found[name] = value
    return found


def _given(facts: Facts, module: str, site: object, qualname: str, name: str) -> Value | None:
    """What one construction gives: a regulariser, None as a literal, or nothing that is known."""
    made = facts.modules[module].at(site)  # type: ignore[arg-type]
    if not isinstance(made, RepoInstance) or made.qualname != qualname:
        return None
    value = dict(made.args).get(name, Literal(None))
    if isinstance(value, Instance) and value.api.startswith("tf.keras.regularizers."):
        return Instance(value.api, args=value.args)
    return value if isinstance(value, Literal) else None
