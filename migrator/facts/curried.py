"""Functions that return a function of tensors: `conv_bn(64, 3)(x)`.

What the inner function builds belongs to the outer one, whose arguments it sees: the two are summed up as one
factory, in one scope.
"""

from __future__ import annotations

import ast

from migrator.facts import functions, inputs, parameters, roots
from migrator.facts.interpreter import EVERYTHING, Frame, Interpreter
from migrator.facts.modules import FunctionNode
from migrator.facts.slots import Slot
from migrator.facts.survey import survey
from migrator.values import Tensor, Unknown, Value

Env = dict[str, Value]


def inner(node: FunctionNode) -> FunctionNode | None:
    """The nested function that a function ends by returning, where nothing else is done with it.

    None where the two share a name, too: their statements would not fit into one scope.
    """
    last = node.body[-1]
    name = last.value.id if isinstance(last, ast.Return) and isinstance(last.value, ast.Name) else ""
    found = [s for s in node.body if isinstance(s, FunctionNode) and s.name == name]
    if len(found) != 1 or found[0].decorator_list or found[0].args.vararg or found[0].args.kwarg:
        return None
    nested = found[0]
    below = survey(node)
    uses = sum(use.id == name for use in below.names)
    outer = [s for s in node.body if s is not nested]
    returns = any(isinstance(child, ast.Return) for s in outer[:-1] for child in ast.walk(s))
    if uses != 1 or returns or (_bound(outer) | _parameters(node)) & (_bound(nested.body) | _parameters(nested)):
        return None
    return nested


def _parameters(node: FunctionNode) -> set[str]:
    return {arg.arg for arg in roots.all_arguments(node)}


def _bound(body: list[ast.stmt]) -> set[str]:
    """Names that statements assign; those of lambdas and comprehensions are their own."""
    names = (child for statement in body for child in ast.walk(statement) if isinstance(child, ast.Name))
    return {child.id for child in names if isinstance(child.ctx, ast.Store | ast.Del)}


def qualname(it: Interpreter, module: str, nested: FunctionNode) -> str:
    """The name under which calls of a nested function are observed."""
    span = it.span(it.modules[module], nested)
    return f"{module}:{nested.name}@{span.line}:{span.column}"


def given(it: Interpreter, outer: str, nested: FunctionNode, module: str, tensors: parameters.Tensors) -> Env | None:
    """The parameters of the inner function as its callers give them; None where no tensor is among them."""
    params = parameters.symbolic(it, nested, qualname(it, module, nested), module)
    used = tensors.parameters(f"{outer}.{nested.name}")
    for name, value in params.items():
        if isinstance(value, Unknown) and name in used:
            params[name] = Tensor()
    return params if any(isinstance(value, Tensor) for value in params.values()) else None


def reserved(
    it: Interpreter, name: str, node: FunctionNode, nested: FunctionNode, params: Env, own: Env
) -> tuple[Env, dict[str, str]]:
    """The inner parameters with the last axes of tensors named, and symbol → parameter."""
    named = [n for n, v in own.items() if isinstance(v, Tensor)]
    batches = {n: inputs.any_batch(v) if n in named else v for n, v in own.items()}

    def trial(env: Env) -> Value:
        it.root, it.muted = name, [EVERYTHING]
        frame = Frame(it.modules[name.partition(":")[0]], name, dict(params))
        return run(it, node, nested, frame, env)

    found, symbols = inputs.reserve(it, batches, [Slot(n) for n in named], trial, inputs.declares_inputs(node))
    it.muted = []
    return found, symbols


def run(it: Interpreter, node: FunctionNode, nested: FunctionNode, frame: Frame, own: Env) -> Value:
    """What the inner function returns, the outer one's body run before it."""
    functions.body_value(it, node, frame)
    it.nested = [waiting for waiting in it.nested if waiting[0] is not nested]
    inside = Frame(
        frame.module,
        frame.scope,
        dict(own),
        outer=frame,
        record=frame.record,
        naming=frame.naming,
        stable=roots.stable_names(nested),
        names=frame.names,
        depth=frame.depth + 1,
    )
    return functions.body_value(it, nested, inside)
