"""Calls: arguments are evaluated and bound, then what is called decides."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from migrator.facts import names
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.join import join_all
from migrator.facts.modules import FunctionNode
from migrator.values import (
    Dict,
    Literal,
    RepoClass,
    RepoFunction,
    Sequence,
    Span,
    Value,
)

CALL_METHODS = ("call", "__call__", "forward")


@dataclass
class Arguments:
    """Evaluated arguments of a call; `open` when a star argument hides some."""

    positional: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    open: bool = False


@dataclass(frozen=True)
class Where:
    """Where a call stands: its frame and span."""

    frame: Frame
    span: Span
    call: tuple[str, Span] | None = None  # what counts as the call, where it is not this expression

    @property
    def module(self) -> str:
        return self.frame.module.name

    @property
    def key(self) -> tuple[str, Span]:
        return self.call or (self.module, self.span)


def arguments(it: Interpreter, node: ast.Call, frame: Frame) -> Arguments:
    """Evaluate the arguments of a call, spreading what stars are known to hold."""
    found = Arguments()
    for arg in node.args:
        value = it.value(arg, frame)
        if not isinstance(arg, ast.Starred):
            found.positional.append(value)
        elif isinstance(value, Sequence) and value.items is not None and value.sym is None:
            found.positional.extend(value.items)
        else:
            found.open = True
    for keyword in node.keywords:
        value = it.value(keyword.value, frame)
        if keyword.arg is not None:
            found.keywords[keyword.arg] = value
        elif isinstance(value, Dict) and value.items is not None:
            found.keywords.update({str(key): item for key, item in value.items})
        else:
            found.open = True
    return found


def closure(it: Interpreter, node: ast.Lambda | FunctionNode, frame: Frame) -> Value:
    """A lambda or nested function as a value that remembers its frame."""
    name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
    span = it.span(frame.module, node)
    qualname = f"{frame.module.name}:{name}@{span.line}:{span.column}"
    it.lambdas[qualname] = node
    it.closures[(qualname, it.root)] = frame
    if frame.record and isinstance(node, ast.Lambda):
        it.deferred.append((node, frame, qualname))
    return RepoFunction(qualname)


def invoke(
    it: Interpreter,
    function: RepoFunction,
    positional: list[Value],
    keywords: dict[str, Value],
    where: Where | None,
    frame: Frame,
) -> Value:
    """Call a function of the repository with given values."""
    from migrator.facts import functions

    place = where or Where(frame, Span(0, 0, 0, 0))
    return functions.invoke(it, function, Arguments(positional, keywords), place)


def bind_api(api: str, args: Arguments) -> dict[str, Value] | None:
    """Arguments by TF's parameter names, or None where they do not fit."""
    signature = names.signature(api)
    if signature is None:
        return dict(args.keywords) if not args.positional else None
    parameters = [name for name, _ in signature if not name.startswith("*")]
    variadic = next((name for name, _ in signature if name.startswith("*") and not name.startswith("**")), None)
    bound = dict(zip(parameters, args.positional, strict=False))
    rest = args.positional[len(parameters) :]
    if rest and variadic is None:
        return None
    if variadic is not None and rest:
        bound[variadic.lstrip("*")] = Sequence("tuple", tuple(rest), join_all(rest))
    return {**bound, **args.keywords}


def decorators(node: FunctionNode | ast.ClassDef) -> set[str]:
    """The last names of all decorators."""
    found = set()
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(target, ast.Attribute):
            found.add(target.attr)
        elif isinstance(target, ast.Name):
            found.add(target.id)
    return found


def linear_bases(it: Interpreter, qualname: str) -> list[str]:
    """A class and its repository bases, nearest first."""
    found = [qualname]
    for cls in found:
        for base in it.bases.get(cls, ()):
            if isinstance(base, RepoClass) and base.qualname not in found:
                found.append(base.qualname)
    return found


def literal(value: Value | None, default: object = None) -> object:
    """The Python constant of a literal value, else the default."""
    return value.value if isinstance(value, Literal) else default
