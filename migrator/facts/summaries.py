"""Summing up: every module, function and class is evaluated once in its own symbols."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

from migrator.facts import (
    apply,
    arrays,
    attributes,
    classes,
    curried,
    functions,
    inputs,
    parameters,
    reads,
    roles,
    roots,
    signatures,
    sizes,
)
from migrator.facts.calls import decorators, linear_bases
from migrator.facts.interpreter import EVERYTHING, UNKNOWN, Frame, Interpreter
from migrator.facts.join import join, join_all
from migrator.facts.modules import FunctionNode, Module
from migrator.facts.mutation import constructing_methods
from migrator.facts.slots import Slot
from migrator.facts.survey import survey
from migrator.values import (
    Carried,
    Choice,
    ClassFacts,
    FunctionFacts,
    RepoFunction,
    RepoInstance,
    Tensor,
    Unknown,
    Value,
)


@dataclass
class Summaries:
    """What has been summed up so far, by qualified name."""

    functions: dict[str, FunctionFacts] = field(default_factory=dict)
    classes: dict[str, ClassFacts] = field(default_factory=dict)
    carried: dict[str, tuple[Carried, ...]] = field(default_factory=dict)
    needs: dict[str, sizes.Needs] = field(default_factory=dict)


def module(it: Interpreter, module: Module) -> None:
    """Evaluate the top level of a file."""
    _enter(it, f"{module.name}:")
    frame = Frame(module, it.root, {}, record=True, naming=True)
    it.frames[module.name] = frame
    it.run(module.tree.body, frame)
    apply.feed(it, frame)
    finish_nested(it, frame)


def function(it: Interpreter, qualname: str, done: Summaries, tensors: parameters.Tensors) -> None:
    """Evaluate a function with symbolic parameters."""
    definition = it.definitions[qualname]
    node = definition.node
    assert isinstance(node, FunctionNode)
    params = parameters.symbolic(it, node, qualname, definition.module)
    builds = tensors.builds_layers(qualname) and not _measures(it, qualname, tensors)
    nested = curried.inner(node) if builds else None
    if nested is not None and _curried(it, qualname, nested, params, done, tensors):
        return
    names = [n for n, v in params.items() if isinstance(v, Tensor) or (n in tensors.parameters(qualname))]
    for name in names:
        if not isinstance(params[name], Tensor) and isinstance(params[name], Unknown):
            params[name] = Tensor()
    reserved: dict[str, str] = {}
    at_hand: frozenset[str] = frozenset()
    if builds:
        named = [name for name in names if isinstance(params[name], Tensor)]
        params.update({name: inputs.any_batch(params[name]) for name in named})
        params, reserved = inputs.reserve(
            it,
            params,
            [Slot(name) for name in named],
            lambda trial: _try_function(it, qualname, trial),
            inputs.declares_inputs(node),
        )
        places = frozenset(reserved.values())
        params, reserved = _at_hand(it, qualname, node, params, reserved)
        at_hand = places - frozenset(reserved.values())
    params, converted = _from_arrays(it, qualname, node, params) if not builds else (params, ())
    _enter(it, qualname)
    frame = _frame(it, definition.module, qualname, node, params)
    frame.moves, frame.at_hand = builds, at_hand
    _note_parameters(it, node, frame)
    returns = functions.body_value(it, node, frame)
    finish_nested(it, frame)
    role = _role(it, qualname, returns, params, builds)
    if role == "plain" and _is_either_block(it, qualname, frame.returns, params, builds):
        role, returns = "layer-factory", Choice(tuple(dict.fromkeys(frame.returns)))
    if role in ("module-factory", "model-factory") and roles.is_open(returns):
        reserved = inputs.apply_factory(it, qualname, returns, frame) or reserved
    done.carried[qualname] = tuple(it.carried.values())
    done.needs[qualname] = sizes.collect(it, qualname, reserved if builds else {})
    done.functions[qualname] = FunctionFacts(
        qualname,
        tuple(params.items()),
        returns,
        role,
        (),
        tuple((call.module, call.site) for call in it.observed.get(qualname, [])),
        done.carried[qualname],
        converted if role == "plain" else (),
    )


def _role(it: Interpreter, qualname: str, returns: Value, params: dict[str, Value], builds: bool) -> str:
    found = roles.role(it, returns, params, builds)
    return "plain" if found == "layer-factory" and _is_called_with_data(it, qualname) else found


def _measures(it: Interpreter, qualname: str, tensors: parameters.Tensors) -> bool:
    """Whether a function that nobody calls only arranges its tensors by layers, as losses and metrics do.

    Keras calls those; a block of a graph is called where the graph is built.
    """
    return not it.observed.get(qualname) and tensors.only_arranges(qualname)


def _is_called_with_data(it: Interpreter, qualname: str) -> bool:
    """Whether a function is only ever called with tensors at hand, outside of any graph: it is no factory of layers."""
    calls = [[value for _, value in call.args if isinstance(value, Tensor)] for call in it.observed.get(qualname, [])]
    return bool(calls) and all(given and all(t.origin in _AT_HAND for t in given) for given in calls)


_AT_HAND = ("tf", "numpy", "variable")


def _curried(
    it: Interpreter,
    qualname: str,
    nested: FunctionNode,
    params: dict[str, Value],
    done: Summaries,
    tensors: parameters.Tensors,
) -> bool:
    """Sum up a factory and the function of tensors that it returns as one; False where they are none."""
    definition = it.definitions[qualname]
    node = definition.node
    assert isinstance(node, FunctionNode)
    own = curried.given(it, qualname, nested, definition.module, tensors)
    if own is None:
        return False
    _enter(it, qualname)
    own, reserved = curried.reserved(it, qualname, node, nested, params, own)
    both = {**params, **own}
    _enter(it, qualname)
    it.muted = [EVERYTHING]
    trial = curried.run(it, node, nested, Frame(it.modules[definition.module], qualname, dict(params)), own)
    if roles.role(it, trial, both, True) != "layer-factory":
        return False
    _enter(it, qualname)
    frame = _frame(it, definition.module, qualname, node, params)
    _note_parameters(it, node, frame)
    _note_parameters(it, nested, replace(frame, env=both))
    returns = curried.run(it, node, nested, frame, own)
    finish_nested(it, frame)
    inner = curried.qualname(it, definition.module, nested)
    done.carried[qualname] = tuple(it.carried.values())
    needs = sizes.collect(it, qualname, reserved)
    callers = tuple((call.module, call.site) for call in it.observed.get(inner, []))
    facts = FunctionFacts(
        qualname,
        tuple(both.items()),
        returns,
        "layer-factory",
        callers=callers,
        carried=done.carried[qualname],
        inner=inner,
    )
    for name in (qualname, inner):
        done.needs[name], done.functions[name] = needs, facts
    return True


def _from_arrays(
    it: Interpreter, qualname: str, node: FunctionNode, params: dict[str, Value]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """The parameters with arrays made tensors, where what comes out is a tensor anyhow; and which these are."""
    names = arrays.converted(it, qualname, node, it.definitions[qualname].module)
    if not names:
        return params, ()
    tensors = arrays.with_origin(params, names, "tf")
    one = _try_function(it, qualname, arrays.with_origin(params, names, "numpy"))
    return (tensors, names) if one == _try_function(it, qualname, tensors) else (params, ())


def cls(it: Interpreter, qualname: str, done: Summaries) -> None:
    """Evaluate a class: constructor, build, call, then the other methods, on one object."""
    kind = classes.kind_of(it, qualname)
    this = RepoInstance(qualname, kind)
    _enter(it, qualname)
    env = _constructed(it, qualname, this)
    carried = dict(it.carried)
    given, reserved = inputs.call_inputs(it, qualname, this, env, _run_call)
    it.carried, it.weights, it.nested, it.deferred = carried, [], [], []
    output: Value = UNKNOWN
    alone = _BUILT
    if kind != "other" and not given:
        made, reserved = inputs.build_inputs(it, qualname)
        env = _built(it, qualname, this, env, made) if made else env
        alone = _BUILT | {"build"} if made else _BUILT
    if kind != "other" and given:
        env = _built(it, qualname, this, env, given)
        env, output = _run_call(it, qualname, this, env, given, True)
    attrs = _other_methods(it, qualname, this, env, done=_CALLED if kind != "other" and given else alone)
    it.attrs[this] = {name[2:]: value for name, value in attrs.items()}
    done.carried[qualname] = tuple(it.carried.values())
    done.needs[qualname] = sizes.collect(it, qualname, reserved)
    done.needs[qualname].direct |= reads.sizes_read(it, qualname)
    done.classes[qualname] = ClassFacts(
        qualname,
        kind,
        tuple(it.attrs[this].items()),
        tuple(given.items()),
        output,
        (),
        tuple((call.module, call.site) for call in it.observed.get(qualname, [])),
        done.carried[qualname],
        _constructor(it, qualname),
        tuple(classes.api_bases(it, qualname)),
        tuple(linear_bases(it, qualname)[1:]),
    )


def _constructor(it: Interpreter, qualname: str) -> tuple[tuple[str, Value], ...]:
    """The parameters of `__init__` as the class sees them."""
    init = attributes.of_class(it, qualname, "__init__", None)
    definition = it.definitions.get(init.qualname) if isinstance(init, RepoFunction) else None
    if definition is None or not isinstance(definition.node, FunctionNode):
        return ()
    known = parameters.symbolic(it, definition.node, qualname, definition.module)
    spec = definition.node.args
    names = [arg.arg for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
    return tuple((name, known.get(name, UNKNOWN)) for name in names[1:])


_BUILT = frozenset({"__init__"})
_CALLED = frozenset({"__init__", "build", "call", "__call__", "forward"})


def _other_methods(
    it: Interpreter, qualname: str, this: RepoInstance, env: dict[str, Value], done: frozenset[str]
) -> dict[str, Value]:
    """Walk the methods that nothing has run yet; what they set besides counts too."""
    called = dict(env)
    members = {n: m for n, m in it.class_attrs.get(qualname, {}).items() if isinstance(m, RepoFunction)}
    nodes = {n: d.node for n, m in members.items() if (d := it.definitions.get(m.qualname)) is not None}
    for name in roots.methods_in_order({n: d for n, d in nodes.items() if isinstance(d, FunctionNode)}):
        if name not in done:
            env = _method(it, qualname, this, members[name], env)
    return {**env, **called}


def _enter(it: Interpreter, root: str) -> None:
    it.root = root
    it.carried = {}
    it.effects = set()
    it.weights = []
    it.nested, it.deferred = [], []
    it.active = []
    it.muted = []
    it.bound_sizes = {}
    it.hints = {}
    it.looked_up = set()


def _frame(it: Interpreter, module_name: str, scope: str, node: FunctionNode, env: dict[str, Value]) -> Frame:
    return Frame(
        it.modules[module_name],
        scope,
        dict(env),
        record=True,
        naming=True,
        stable=roots.stable_names(node),
        names=roots.identifiers(node),
    )


def _note_parameters(it: Interpreter, node: FunctionNode, frame: Frame) -> None:
    values = it.values[frame.module.name]
    for arg in roots.all_arguments(node):
        if arg.arg in frame.env:
            values[(arg.lineno, arg.col_offset, arg.lineno, arg.col_offset + len(arg.arg.encode()))] = frame.env[
                arg.arg
            ]


def _at_hand(
    it: Interpreter, qualname: str, node: FunctionNode, params: dict[str, Value], reserved: dict[str, str]
) -> tuple[dict[str, Value], dict[str, str]]:
    """A function that is no factory has its tensors at hand: it reads their sizes and need not gain any."""
    assigned = {name.id for name in survey(node).names if not isinstance(name.ctx, ast.Load)}
    if not reserved or assigned & set(reserved.values()):
        return params, reserved
    returns = _tried(it, qualname, params)
    kind = _role(it, qualname, join_all(returns), params, True)
    if kind not in ("training", "plain", "data") or _is_either_block(it, qualname, returns, params, True):
        return params, reserved
    found = dict(params)
    for symbol, name in reserved.items():
        found[name] = inputs.respelled(params[name], symbol, f"{name}.shape[-1]")
    return found, {}


def _is_either_block(
    it: Interpreter, qualname: str, returns: list[Value], params: dict[str, Value], builds: bool
) -> bool:
    """Whether a factory gives one tensor or several, as an argument says."""
    found = {_role(it, qualname, value, params, builds) for value in returns}
    return len(returns) > 1 and found == {"layer-factory"}


def _try_function(it: Interpreter, qualname: str, params: dict[str, Value]) -> Value:
    return join_all(_tried(it, qualname, params))


def _tried(it: Interpreter, qualname: str, params: dict[str, Value]) -> list[Value]:
    """What a function returns, one way and another, in a run that leaves nothing."""
    definition = it.definitions[qualname]
    assert isinstance(definition.node, FunctionNode)
    _enter(it, qualname)
    frame = Frame(it.modules[definition.module], qualname, dict(params))
    it.muted = [EVERYTHING]
    value = functions.body_value(it, definition.node, frame)
    return frame.returns or [value]


def finish_nested(it: Interpreter, frame: Frame) -> None:
    """Walk nested functions and lambdas once with what they were called with."""
    while it.nested or it.deferred:
        nested, it.nested = it.nested, []
        deferred, it.deferred = it.deferred, []
        for node, outer, value in nested:
            if isinstance(value, RepoFunction):
                _walk_closure(it, node, outer, value.qualname)
        for lambda_node, outer, qualname in deferred:
            _walk_closure(it, lambda_node, outer, qualname)


def _walk_closure(it: Interpreter, node: FunctionNode | object, outer: Frame, qualname: str) -> None:
    assert isinstance(node, FunctionNode | ast.Lambda)
    seen = it.observed.get(qualname, [])
    env: dict[str, Value] = {}
    for arg in roots.all_arguments(node):
        values = [dict(call.args)[arg.arg] for call in seen if arg.arg in dict(call.args)]
        env[arg.arg] = join_all(values) if values else UNKNOWN
    frame = Frame(
        outer.module, outer.scope, env, outer=outer, record=True, naming=True, names=outer.names, depth=outer.depth + 1
    )
    if isinstance(node, FunctionNode):
        _note_parameters(it, node, frame)
    functions.body_value(it, node, frame)


def _constructed(it: Interpreter, qualname: str, this: RepoInstance) -> dict[str, Value]:
    init = attributes.of_class(it, qualname, "__init__", None)
    definition = it.definitions.get(init.qualname) if isinstance(init, RepoFunction) else None
    if definition is None or not isinstance(definition.node, FunctionNode) or not definition.node.args.args:
        return {}
    node = definition.node
    own = definition.owner == qualname
    params = parameters.symbolic(it, node, qualname, definition.module)
    self_name = node.args.args[0].arg
    frame = _frame(it, definition.module, definition.owner or qualname, node, {**params, self_name: this})
    frame.record = frame.naming = own

    frame.this, frame.this_name, frame.owner = this, self_name, definition.owner or qualname
    if own:
        _note_parameters(it, node, frame)
    functions.body_value(it, node, frame)
    finish_nested(it, frame)
    return _attrs(frame)


def _attrs(frame: Frame) -> dict[str, Value]:
    return {name: value for name, value in frame.env.items() if name.startswith("@.")}


def _built(
    it: Interpreter, qualname: str, this: RepoInstance, env: dict[str, Value], given: dict[str, Value]
) -> dict[str, Value]:
    build = attributes.of_class(it, qualname, "build", None)
    if not isinstance(build, RepoFunction):
        return env
    first = next(iter(given.values()))
    node = it.definitions[build.qualname].node
    assert isinstance(node, FunctionNode)
    names = [arg.arg for arg in roots.all_arguments(node)][1:]
    return _run_method(it, qualname, this, build, env, {name: apply.shape_value(first) for name in names[:1]})[0]


def _run_call(
    it: Interpreter,
    qualname: str,
    this: RepoInstance,
    env: dict[str, Value],
    given: dict[str, Value],
    record: bool,
) -> tuple[dict[str, Value], Value]:
    call = inputs.call_method(it, qualname)
    if call is None:
        return env, UNKNOWN
    return _run_method(it, qualname, this, call, env, given, record)


def _method(
    it: Interpreter, qualname: str, this: RepoInstance, member: RepoFunction, env: dict[str, Value]
) -> dict[str, Value]:
    definition = it.definitions.get(member.qualname)
    if definition is None or not isinstance(definition.node, FunctionNode) or definition.owner != qualname:
        return env
    params = parameters.symbolic(it, definition.node, member.qualname, definition.module, named=False)
    params.update(_given_when_made(it, qualname, member, params))
    if definition.node.name != "__init__":
        params.update(signatures.declared(it, definition.node, definition.module, inputs.constructor(it, qualname)))
    before = dict(env)
    after, _ = _run_method(it, qualname, this, member, env, params)
    return {n: join(v, before[n]) if n in before else v for n, v in after.items()}


def _given_when_made(
    it: Interpreter, qualname: str, member: RepoFunction, params: dict[str, Value]
) -> dict[str, Value]:
    """What the constructor or `build` gives a method that only they call."""
    owner, method = it.definitions[qualname].node, member.qualname.rpartition(".")[2]
    if not isinstance(owner, ast.ClassDef) or method not in constructing_methods(owner):
        return {}
    calls = [dict(call.args) for call in it.observed.get(member.qualname, []) if call.root == qualname]
    return {name: join_all(c[name] for c in calls) for name in params if calls and all(name in c for c in calls)}


def _run_method(
    it: Interpreter,
    qualname: str,
    this: RepoInstance,
    member: RepoFunction,
    env: dict[str, Value],
    params: dict[str, Value],
    record: bool = True,
) -> tuple[dict[str, Value], Value]:
    definition = it.definitions[member.qualname]
    node = definition.node
    assert isinstance(node, FunctionNode)
    names = [arg.arg for arg in roots.all_arguments(node)]
    values = parameters.symbolic(it, node, member.qualname, definition.module, named=False)
    values.update({name: value for name, value in params.items() if name in names})
    if node.name not in ("__init__", "build"):
        changed = {f"@.{name}" for name in it.changed_attributes(qualname)}
        env = {name: UNKNOWN if name in changed else value for name, value in env.items()}
    frame = _frame(it, definition.module, definition.owner or qualname, node, {**values, **env})
    frame.record = frame.naming = record and definition.owner == qualname
    frame.stable = frozenset(name for name in frame.stable if name.startswith("for "))
    frame.owner = definition.owner or qualname
    if node.args.args and "staticmethod" not in decorators(node):
        frame.env[node.args.args[0].arg] = this
        frame.this, frame.this_name = this, node.args.args[0].arg
    if frame.record:
        _note_parameters(it, node, frame)
    effects, it.effects = it.effects, set()
    result = functions.body_value(it, node, frame)
    finish_nested(it, frame)
    if frame.record:
        role = roles.role(it, result, values, False)
        callers = tuple((call.module, call.site) for call in it.observed.get(member.qualname, []))
        it.methods[member.qualname] = FunctionFacts(member.qualname, tuple(values.items()), result, role, (), callers)
    it.effects |= effects
    return _attrs(frame), result
