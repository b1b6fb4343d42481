"""Regularisers and constraints that a constructor takes: where every construction gives the same, it is written out."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.values import Facts, Instance, Literal, RepoInstance, Scalar, Span, Value


def agreed(facts: Facts, qualname: str, params: Iterable[str]) -> dict[str, Value]:
    """The regulariser and constraint parameters of a class to which every construction gives the same, with that.

    Where the repository does not construct the class, that is the default.
    """
    known = facts.cls(qualname)
    if known is None or known.related:
        return {}
    found: dict[str, Value] = {}
    for name in params:
        if not name.endswith(("regularizer", "constraint")):
            continue
        given = {_given(facts, module, site, qualname, name) for module, site in known.sites}
        given = given or {_default(dict(known.init).get(name))}
        value = given.pop() if len(given) == 1 else None
        if value is not None:
            found[name] = value
    return found


def _default(value: Value | None) -> Value | None:
    """The default of a parameter where that is None."""
    return value.default if isinstance(value, Scalar) and value.default == Literal(None) else None


def _given(facts: Facts, module: str, site: Span, qualname: str, name: str) -> Value | None:
    """What one construction gives: a regulariser or constraint, None as a literal, or nothing that is known."""
    made = facts.modules[module].at(site)
    if not isinstance(made, RepoInstance) or made.qualname != qualname:
        return None
    value = dict(made.args).get(name, Literal(None))
    if isinstance(value, Instance) and value.api.startswith(("tf.keras.regularizers.", "tf.keras.constraints.")):
        return Instance(value.api, args=value.args)
    return value if isinstance(value, Literal) else None
