"""Names that a loop changes, `filters *= 2`: each stands for its value until it is bound again.

What is then still written with the old value is kept in a size of its own first, which the loop carries round.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from migrator.facts import dims
from migrator.facts.carried import fresh, with_last
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.join import sym_of, type_name
from migrator.values import Carried, Dim, Literal, Scalar, Sequence, Sym, Tensor, Value


def at_head(name: str, head: Value, after: Value, frame: Frame) -> Value | None:
    """The value at the head of a loop of a whole number that the loop changes; None for anything else."""
    if not frame.moves or not name.isidentifier() or name not in frame.names:
        return None
    if _type(head) != "int" or _type(after) != "int":
        return None
    frame.moving.add(name)
    return Scalar("int", Sym(name))


def _type(value: Value) -> str | None:
    if isinstance(value, Scalar):
        return value.type
    return type_name(value) if isinstance(value, Literal) else None


def rebound(it: Interpreter, target: ast.Name, value: Value, frame: Frame) -> Value:
    """The value for a moving name that is bound again; values written with it are kept or forgotten."""
    name = target.id
    if name not in frame.moving:
        return value
    for variable, held in list(frame.env.items()):
        if variable != name:
            frame.env[variable] = _without(it, variable, held, target, frame)
    sym = sym_of(value)
    mentions = sym is not None and name in dims.names(sym)
    return Scalar("int", Sym(name)) if mentions or (isinstance(value, Literal | Scalar) and frame.loops) else value


def _without(it: Interpreter, variable: str, held: Value, target: ast.Name, frame: Frame) -> Value:
    """A value of another variable that does not read the name any more."""
    name = target.id
    if isinstance(held, Tensor) and name in dims.names(held.channels):
        kept = _kept(it, variable, held.channels, target, frame)
        return _forgotten(with_last(held, kept), name)
    return _forgotten(held, name)


def _forgotten(held: Value, name: str) -> Value:
    if isinstance(held, Tensor):
        shape = None if held.shape is None else tuple(_open(dim, name) for dim in held.shape)
        return replace(held, shape=shape, last=_open(held.last, name))
    if isinstance(held, Sequence):
        items = None if held.items is None else tuple(_forgotten(item, name) for item in held.items)
        return replace(held, items=items, element=_forgotten(held.element, name))
    sym = sym_of(held)
    if isinstance(held, Scalar) and sym is not None and name in dims.names(sym):
        return replace(held, sym=None)
    return held


def _open(dim: Dim, name: str) -> Dim:
    return None if name in dims.names(dim) else dim


def _kept(it: Interpreter, variable: str, size: Dim, target: ast.Name, frame: Frame) -> Dim:
    """The size that keeps the last axis of a tensor which the loop carries round; None where there is none."""
    if not frame.loops or not frame.naming or variable not in frame.heads[-1]:
        return None
    loop = frame.loops[-1]
    here = it.carried.get((loop, variable))
    name = here.name if here is not None else fresh({c.name for c in it.carried.values()} | frame.names)
    init = here.init if here is not None else ""
    at = it.span(frame.module, target)
    it.carried[(loop, variable)] = Carried(variable, name, init, dims.text(size) or "", frame.loops[0], loop, at)
    return Sym(name)
