"""How the names of a scope are read: built further, or handed on and iterated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data.chains import read_chain
from migrator.codemods.nodes import find


@dataclass(frozen=True)
class Reads:
    """`loose`: names that are read elsewhere than at the beginning of a chain.

    `once`: expressions that a loop goes through where they stand. `shadowed`: calls in a lambda, with the names of its
    parameters.
    """

    loose: frozenset[str]
    once: frozenset[cst.CSTNode]
    shadowed: frozenset[tuple[cst.CSTNode, str]]

    @classmethod
    def of(cls, holder: cst.FunctionDef | cst.Module, ctx: Context) -> Reads:
        calls = [call for call in find(holder, m.Call()) if isinstance(call, cst.Call)]
        chains = [(call, read_chain(call, ctx)) for call in calls]
        bases = {chain.base for _, chain in chains if chain is not None and isinstance(chain.base, cst.Name)}
        names = Counter(n.value for n in find(holder, m.Name()) if isinstance(n, cst.Name)) - _no_reads(holder)
        begun = Counter(base.value for base in bases if isinstance(base, cst.Name))
        bound = Counter(
            t.target.value
            for t in find(holder, m.AssignTarget(target=m.Name()))
            if isinstance(t, cst.AssignTarget) and isinstance(t.target, cst.Name)
        )
        loose = {name for name, count in names.items() if count > begun[name] + bound[name]}
        return cls(frozenset(loose), frozenset(_once(holder)), frozenset(_shadowed(holder)))


def _no_reads(holder: cst.CSTNode) -> Counter[str]:
    """Names of attributes, keywords and parameters, which read no variable."""
    found: Counter[str] = Counter()
    for node in find(holder, m.Attribute() | m.Arg() | m.Param()):
        name = node.attr if isinstance(node, cst.Attribute) else None
        name = node.keyword if isinstance(node, cst.Arg) else node.name if isinstance(node, cst.Param) else name
        if isinstance(name, cst.Name):
            found[name.value] += 1
    return found


def _once(holder: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for loop in find(holder, m.For() | m.CompFor()):
        assert isinstance(loop, cst.For | cst.CompFor)
        found.append(loop.iter)
        if m.matches(loop.iter, m.Call(func=m.Name("enumerate"))) and isinstance(loop.iter, cst.Call):
            found += [arg.value for arg in loop.iter.args[:1]]
    return found


def _shadowed(holder: cst.CSTNode) -> list[tuple[cst.CSTNode, str]]:
    return [
        (call, parameter.name.value)
        for function in find(holder, m.Lambda())
        if isinstance(function, cst.Lambda)
        for parameter in function.params.params
        for call in find(function.body, m.Call())
    ]
