"""Classes of the repository: their kind, members, construction and instances."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.facts import attributes, functions, own_optimizers, settings
from migrator.facts.calls import Arguments, Where, decorators, linear_bases
from migrator.facts.interpreter import MAX_DEPTH, UNKNOWN, Frame, Interpreter, Observed
from migrator.facts.modules import FunctionNode
from migrator.values import Api, RepoClass, RepoFunction, RepoInstance, Unknown, Value

_MODELS = frozenset({"tf.keras.Model", "tf.keras.Sequential", "tf.keras.models.Model", "tf.keras.Functional"})


def define(it: Interpreter, node: ast.ClassDef, frame: Frame) -> None:
    """Bind a class and evaluate what its body assigns."""
    prefix = "" if it.frames.get(frame.module.name) is frame else f"{_path(it, node, frame)}"
    qualname = prefix or f"{frame.module.name}:{node.name}"
    it.bases[qualname] = tuple(it.value(base, frame) for base in node.bases)
    for part in [*node.decorator_list, *(keyword.value for keyword in node.keywords)]:
        it.value(part, frame)
    body = Frame(frame.module, qualname, {}, outer=frame, record=frame.record, owner=qualname)
    for statement in node.body:
        if isinstance(statement, FunctionNode):
            _method(it, statement, qualname, body)
        elif isinstance(statement, ast.ClassDef):
            it.bases[f"{qualname}.{statement.name}"] = ()
            body.env[statement.name] = RepoClass(f"{qualname}.{statement.name}")
        else:
            it.run([statement], body)
    it.class_attrs[qualname] = body.env
    it.bind(node.name, RepoClass(qualname), frame)


def kind_of(it: Interpreter, qualname: str) -> str:
    """ "layer", "model" or "other", by the bases."""
    found = "other"
    for base in api_bases(it, qualname):
        if base in _MODELS:
            return "model"
        if base.startswith("tf.keras.layers.") or base == "tf.Module":
            found = "layer"
    return found


def is_metric(it: Interpreter, qualname: str) -> bool:
    """Whether a class derives from Keras's `Metric`."""
    return "tf.keras.metrics.Metric" in api_bases(it, qualname)


def construct(it: Interpreter, qualname: str, args: Arguments, where: Where) -> Value:
    """Make an instance, running `__init__` once for each set of arguments."""
    kind = kind_of(it, qualname)
    definition = it.definitions.get(qualname)
    if definition is None or any(isinstance(base, Unknown) for base in it.bases.get(qualname, ())):
        return RepoInstance(qualname, kind, where.module, where.span)
    init = attributes.of_class(it, qualname, "__init__", None)
    bound = _bound(it, qualname, init, args)
    instance = RepoInstance(qualname, kind, where.module, where.span, tuple(bound.items()) if bound else ())
    it.site_scope[(where.module, where.span)] = where.frame.scope
    if where.frame.record and not it.untaken:
        it.observed.setdefault(qualname, []).append(Observed(where.module, where.span, instance.args))
    if instance not in it.attrs and bound is not None:
        key = (qualname, instance.args)
        it.attrs[instance] = {}
        if key not in it.made:
            _initialise(it, instance, init, bound, where)
            it.made[key] = it.attrs[instance]
        it.attrs[instance] = dict(it.made[key])
    return own_optimizers.made(it, instance, where) if own_optimizers.is_optimizer(it, qualname) else instance


def method(it: Interpreter, instance: RepoInstance, name: str) -> RepoFunction | None:
    """A method that the repository defines for the instance, bound to it."""
    found = attributes.of_class(it, instance.qualname, name, instance)
    return found if isinstance(found, RepoFunction) else None


def api_bases(it: Interpreter, qualname: str) -> Iterator[str]:
    """The TensorFlow classes that a class derives from."""
    for cls in linear_bases(it, qualname):
        for base in it.bases.get(cls, ()):
            if isinstance(base, Api):
                yield base.name


def _path(it: Interpreter, node: ast.ClassDef, frame: Frame) -> str:
    for qualname, definition in it.definitions.items():
        if definition.node is node:
            return qualname
    return f"{frame.module.name}:{node.name}"


def _method(it: Interpreter, node: FunctionNode, qualname: str, body: Frame) -> None:
    if body.record:
        for part in node.decorator_list:
            it.value(part, body)
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            it.value(default, body)
    if not decorators(node) & {"setter", "deleter"}:
        body.env[node.name] = RepoFunction(f"{qualname}.{node.name}")


def _bound(it: Interpreter, qualname: str, init: Value, args: Arguments) -> dict[str, Value] | None:
    if not isinstance(init, RepoFunction):
        names = list(settings.fields(it, qualname))
        hidden = dict.fromkeys(names, UNKNOWN) if args.open else {}
        return {**hidden, **dict(zip(names, args.positional, strict=False)), **args.keywords}
    definition = it.definitions.get(init.qualname)
    if definition is None or not isinstance(definition.node, FunctionNode):
        return None
    node = definition.node
    bound = functions.bind(it, node, [UNKNOWN, *args.positional], args, definition.module)
    if bound is not None and node.args.args:
        bound.pop(node.args.args[0].arg, None)
    return bound


def _initialise(it: Interpreter, instance: RepoInstance, init: Value, bound: dict[str, Value], where: Where) -> None:
    if not isinstance(init, RepoFunction) and instance.kind == "other":
        it.attrs[instance] = dict(bound)  # of a dataclass
    if not isinstance(init, RepoFunction) or where.frame.depth >= MAX_DEPTH or init.qualname in it.active:
        return
    definition = it.definitions[init.qualname]
    node = definition.node
    if not isinstance(node, FunctionNode) or not node.args.args:
        return
    self_name = node.args.args[0].arg
    frame = Frame(
        it.modules[definition.module],
        definition.owner or instance.qualname,
        {self_name: instance, **bound},
        this=instance,
        this_name=self_name,
        depth=where.frame.depth + 1,
        owner=definition.owner or instance.qualname,
    )
    it.active.append(init.qualname)
    functions.body_value(it, node, frame)
    it.active.pop()
    it.attrs[instance] = attributes_of(frame)


def attributes_of(frame: Frame) -> dict[str, Value]:
    """The attributes that a frame has set on its object."""
    return {name[2:]: value for name, value in frame.env.items() if name.startswith("@.")}
