"""Distribution strategies of one machine: one replica, so that what is distributed is what it was."""

from __future__ import annotations

from migrator.facts import apply, functions
from migrator.facts.calls import Arguments, Where
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.values import Dict, Instance, Literal, RepoFunction, RepoInstance, Sequence, Value


def method(it: Interpreter, base: Instance, name: str, args: Arguments, where: Where) -> Value | None:
    """The result of a method of a strategy."""
    given = [*args.positional, *args.keywords.values()]
    if name == "run":
        return _run(it, args, where)
    if name == "reduce":
        return _reduced(args)
    if name == "experimental_distribute_dataset":
        return given[0] if given else UNKNOWN
    if name == "experimental_local_results":
        return Sequence("tuple", (given[0],), given[0]) if given else UNKNOWN
    return None


def _run(it: Interpreter, args: Arguments, where: Where) -> Value:
    positional = dict(zip(("fn", "args", "kwargs"), args.positional, strict=False)) | args.keywords
    given, named = positional.get("args", Sequence("tuple", ())), positional.get("kwargs", Dict(()))
    fn = positional.get("fn", UNKNOWN)
    known = isinstance(given, Sequence) and given.items is not None and isinstance(named, Dict) and named.items == ()
    if not known or not isinstance(given, Sequence):
        return UNKNOWN
    inner = Arguments(list(given.items or ()))
    if isinstance(fn, RepoFunction):
        return functions.invoke(it, fn, inner, where)
    return apply.apply(it, fn, inner, where) if isinstance(fn, RepoInstance | Instance) else UNKNOWN


def _reduced(args: Arguments) -> Value:
    """The value itself, where no axis is reduced as well."""
    axis = args.keywords.get("axis", args.positional[2] if len(args.positional) > 2 else Literal(None))
    value = args.keywords.get("value", args.positional[1] if len(args.positional) > 1 else UNKNOWN)
    return value if axis == Literal(None) else UNKNOWN
