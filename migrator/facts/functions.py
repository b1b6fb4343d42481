"""Calling functions of the repository: bound, run in a fresh frame, remembered by their arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from migrator.facts import roots
from migrator.facts.calls import Arguments, Where, decorators
from migrator.facts.interpreter import MAX_DEPTH, MAX_STEPS, UNKNOWN, Frame, Interpreter, Observed
from migrator.facts.join import join_all
from migrator.facts.modules import FunctionNode
from migrator.values import (
    Choice,
    Dict,
    Instance,
    Literal,
    ModelValue,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    Unknown,
    Value,
)

# Decorators that leave what a function returns as it is.
TRANSPARENT = frozenset(
    {
        "function",  # tf.function
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "lru_cache",
        "cache",
        "register_keras_serializable",
        "autograph_experimental",
        "wraps",
        "do_not_convert",
        "experimental_do_not_convert",
        "abstractmethod",
        "override",
        "overload",
        "default",
        "jit",
        "compatibility",
    }
)


def invoke(it: Interpreter, function: RepoFunction, args: Arguments, where: Where) -> Value:
    """The result of a call of a repository function, method, nested function or lambda."""
    found = _node(it, function)
    if found is None:
        return UNKNOWN
    node, module_name, closure, owner = found
    positional = [function.bound_to, *args.positional] if function.bound_to is not None else list(args.positional)
    bound = bind(it, node, positional, args, module_name)
    if bound is None:
        return Unknown("arguments do not fit")
    if where.frame.record and not it.untaken:
        _observe(it, function, bound, where)
    if isinstance(node, FunctionNode) and not decorators(node) <= TRANSPARENT:
        return Unknown("a decorated function")
    result = run(it, function, node, bound, module_name, closure, owner, where.frame)
    return stamped(it, result, bound, where) if where.frame.naming and closure is None else result


def stamped(it: Interpreter, result: Value, bound: dict[str, Value], where: Where) -> Value:
    """A module that a factory made counts as made where the factory was called."""
    if not isinstance(result, Instance | ModelValue | RepoInstance) or result.site is None:
        return result
    origin = (result.module, result.site)
    if result in bound.values() or it.site_scope.get(origin) == where.frame.scope:
        return result
    if isinstance(result, Instance) and not result.api.startswith("tf.keras.layers."):
        return result
    made = replace(result, module=where.module, site=where.span)
    it.site_scope[(where.module, where.span)] = where.frame.scope
    it.origins[(where.module, where.span)] = it.origins.get(origin, origin)
    if isinstance(result, RepoInstance) and isinstance(made, RepoInstance) and result in it.attrs:
        it.attrs.setdefault(made, it.attrs[result])
    return made


def run(
    it: Interpreter,
    function: RepoFunction,
    node: FunctionNode | ast.Lambda,
    bound: dict[str, Value],
    module_name: str,
    closure: Frame | None,
    owner: str,
    caller: Frame,
) -> Value:
    """Execute a body with bound arguments; recursion and runaway depth give Unknown."""
    if caller.depth >= MAX_DEPTH or it.active.count(function.qualname) > 1 or it.steps > MAX_STEPS:
        return Unknown("recursion or depth")
    key = None if it.untaken else _memo_key(it, function, bound, closure, owner)
    if key is not None:
        return remembered(it, key, lambda: _run(it, function, node, bound, module_name, closure, owner, caller))
    return _run(it, function, node, bound, module_name, closure, owner, caller)


def _run(
    it: Interpreter,
    function: RepoFunction,
    node: FunctionNode | ast.Lambda,
    bound: dict[str, Value],
    module_name: str,
    closure: Frame | None,
    owner: str,
    caller: Frame,
) -> Value:
    frame = Frame(
        it.modules[module_name],
        closure.scope if closure is not None else owner or function.qualname,
        dict(bound),
        outer=closure,
        depth=caller.depth + 1,
        owner=owner,
    )
    shared = _share_attributes(function, frame, caller, node)
    it.active.append(function.qualname)
    result = body_value(it, node, frame)
    it.active.pop()
    if shared is not None:
        _give_back(frame, shared)
    return result


def attributes_after(it: Interpreter, method: RepoFunction, positional: list[Value], where: Where) -> dict[str, Value]:
    """The attributes that a method leaves on its object."""
    found = _node(it, method)
    instance = method.bound_to
    if found is None or not isinstance(instance, RepoInstance) or where.frame.depth >= MAX_DEPTH:
        return {}
    node, module_name, _, owner = found
    bound = bind(it, node, [instance, *positional], Arguments(), module_name)
    if bound is None or method.qualname in it.active:
        return {}
    scope = owner or method.qualname
    env = {**bound, **{f"@.{name}": value for name, value in it.attrs.get(instance, {}).items()}}
    frame = Frame(it.modules[module_name], scope, env, this=instance, depth=where.frame.depth + 1, owner=owner)
    it.active.append(method.qualname)
    body_value(it, node, frame)
    it.active.pop()
    return {name[2:]: value for name, value in frame.env.items() if name.startswith("@.")}


def body_value(it: Interpreter, node: FunctionNode | ast.Lambda, frame: Frame) -> Value:
    """What the body returns in a prepared frame."""
    if isinstance(node, ast.Lambda):
        return it.value(node.body, frame)
    finished = it.run(node.body, frame)
    if any(isinstance(value, Sequence) and value.kind == "generator" for value in frame.returns):
        return join_all(value for value in frame.returns if isinstance(value, Sequence) and value.kind == "generator")
    if not finished:
        frame.returns.append(Literal(None))
    return join_all(frame.returns)


def bind(
    it: Interpreter, node: FunctionNode | ast.Lambda, positional: list[Value], args: Arguments, module_name: str
) -> dict[str, Value] | None:
    """Bind arguments as Python does; None where they do not fit."""
    spec = node.args
    names = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    bound: dict[str, Value] = dict(zip(names, positional, strict=False))
    rest = positional[len(names) :]
    if rest and spec.vararg is None and not args.open:
        return None
    if spec.vararg is not None:
        items = None if args.open else tuple(rest)
        bound[spec.vararg.arg] = Sequence("tuple", items, join_all(rest))
    names += [arg.arg for arg in spec.kwonlyargs]
    extra = {name: value for name, value in args.keywords.items() if name not in names}
    if extra and spec.kwarg is None:
        return None
    bound.update({name: value for name, value in args.keywords.items() if name in names})
    if spec.kwarg is not None:
        bound[spec.kwarg.arg] = Dict(None if args.open else tuple(extra.items()))
    defaults = default_values(it, node, module_name)
    for name in names:
        if name not in bound:
            bound[name] = Unknown("a star argument") if args.open else defaults.get(name, Unknown("not given"))
    return {**bound, **_numbers(node, bound)} if isinstance(node, FunctionNode) else bound


def _numbers(node: FunctionNode, bound: dict[str, Value]) -> dict[str, Value]:
    """What is bound to parameters that the body counts up to, where only a symbol is known of it."""
    given = {name: bound[name] for name in roots.counted(node)}
    return {n: Scalar("int", v.sym) for n, v in given.items() if isinstance(v, Unknown) and v.sym is not None}


def default_values(it: Interpreter, node: FunctionNode | ast.Lambda, module_name: str) -> dict[str, Value]:
    """The values of all defaults, as the module has them; kept once all modules have run."""
    spec = node.args
    if not spec.defaults and not any(spec.kw_defaults):
        return {}
    settled = not it.root.endswith(":")
    known = it.defaults.get(node) if settled else None
    if known is not None:
        return known
    frame = Frame(it.modules[module_name], it.root, {})
    positional = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    found = {}
    if spec.defaults:
        for name, default in zip(positional[-len(spec.defaults) :], spec.defaults, strict=True):
            found[name] = it.value(default, frame)
    for arg, default_node in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if default_node is not None:
            found[arg.arg] = it.value(default_node, frame)
    if settled:
        it.defaults[node] = found
    return found


def _node(it: Interpreter, function: RepoFunction) -> tuple[FunctionNode | ast.Lambda, str, Frame | None, str] | None:
    module_name = function.qualname.partition(":")[0]
    if function.qualname in it.lambdas:
        closure = it.closures.get((function.qualname, it.root)) or it.closures.get((function.qualname, module_name))
        return it.lambdas[function.qualname], module_name, closure, closure.owner if closure else ""
    definition = it.definitions.get(function.qualname)
    if definition is None or not isinstance(definition.node, FunctionNode):
        return None
    return definition.node, module_name, None, definition.owner or ""


def _observe(it: Interpreter, function: RepoFunction, bound: dict[str, Value], where: Where) -> None:
    self_name = next(iter(bound), "") if function.bound_to is not None else ""
    args = tuple((name, value) for name, value in bound.items() if name != self_name)
    it.observed.setdefault(function.qualname, []).append(Observed(where.module, where.span, args, it.root))


def _memo_key(
    it: Interpreter, function: RepoFunction, bound: dict[str, Value], closure: Frame | None, owner: str
) -> object:
    """Only plain functions are remembered: methods and closures see state that is not in their arguments."""
    if closure is not None or owner:
        return None
    arguments = tuple(bound.items())
    return (it.root if any(is_object(value) for value in bound.values()) else "", function.qualname, arguments)


def is_object(value: Value) -> bool:
    """Whether calling the value may be a use in the running root."""
    if isinstance(value, Sequence):
        return any(map(is_object, value.items or (value.element,)))
    if isinstance(value, Instance):
        return value.api.startswith("tf.keras.layers.")
    return isinstance(value, ModelValue | RepoInstance | RepoFunction | Dict | Choice)


def remembered(it: Interpreter, key: object, compute: Callable[[], Value]) -> Value:
    """A result computed once, with what the computation noted about reserved symbols on the way."""
    known = it.memo.get(key)
    if known is None:
        outer = it.hints, it.bound_sizes
        it.hints, it.bound_sizes = {}, {}
        result = compute()
        known = (result, it.hints, it.bound_sizes)
        if not _is_closure(it, result):  # which belongs to the call that made it
            it.memo[key] = known
        it.hints, it.bound_sizes = outer
    result, hints, bound = known
    it.hints = {**hints, **it.hints}
    it.bound_sizes.update(bound)
    return result


def _is_closure(it: Interpreter, value: Value) -> bool:
    if isinstance(value, Sequence):
        return any(_is_closure(it, item) for item in value.items or (value.element,))
    return isinstance(value, RepoFunction) and value.qualname in it.lambdas


def _share_attributes(
    function: RepoFunction, frame: Frame, caller: Frame, node: FunctionNode | ast.Lambda
) -> Frame | None:
    """A method called on the running object works on its attributes as they are now."""
    if not isinstance(function.bound_to, RepoInstance):
        return None
    frame.this = function.bound_to
    frame.this_name = node.args.args[0].arg if node.args.args else ""
    running: Frame | None = caller
    while running is not None and running.this != function.bound_to:
        running = running.outer
    if running is None:
        return None
    frame.env.update({name: value for name, value in running.env.items() if name.startswith("@.")})
    return running


def _give_back(frame: Frame, running: Frame) -> None:
    running.env.update({name: value for name, value in frame.env.items() if name.startswith("@.")})
