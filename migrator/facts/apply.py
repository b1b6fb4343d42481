"""Calling layers, models, losses and instances of repository classes."""

from __future__ import annotations

from dataclasses import replace

from migrator.facts import attributes, carried, classes, dims, functions, on_weights, roots
from migrator.facts.arithmetic import dim_of
from migrator.facts.calls import CALL_METHODS, Arguments, Where
from migrator.facts.interpreter import EVERYTHING, UNKNOWN, Applied, Frame, Interpreter
from migrator.facts.join import join, join_all
from migrator.facts.modules import FunctionNode
from migrator.facts.shapes import catalogue
from migrator.facts.shapes.recurrent import bidirectional, run_output, states_of
from migrator.facts.sized import CELLS, RANK_OF
from migrator.values import (
    Api,
    Choice,
    Dict,
    Dim,
    Given,
    Instance,
    Literal,
    ModelValue,
    Repeated,
    RepoFunction,
    RepoInstance,
    Sequence,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
)

_WRAPPERS = frozenset(
    f"tf.keras.layers.{name}" for name in ("TimeDistributed", "Bidirectional", "SpectralNormalization")
)
_SCALARS = ("tf.keras.losses.", "tf.keras.metrics.", "tf.keras.regularizers.", "tf.keras.optimizers.schedules.")


def apply(it: Interpreter, callee: Value, args: Arguments, where: Where) -> Value:
    """The result of calling an object."""
    if isinstance(callee, Instance):
        return _instance(it, callee, args, where)
    if isinstance(callee, ModelValue):
        return model(it, callee, inputs_of(args), where)
    return repo_instance(it, callee, args, where) if isinstance(callee, RepoInstance) else UNKNOWN


def inputs_of(args: Arguments) -> tuple[Value, ...]:
    """The tensors of a layer call: positional ones, with a list taken apart."""
    first = args.positional[0] if args.positional else args.keywords.get("inputs", args.keywords.get("x"))
    if first is None:
        named = [args.keywords[name] for name in ("query", "value", "key") if name in args.keywords]
        return tuple(named)
    if isinstance(first, Sequence) and first.items is not None and first.sym is None:
        return first.items
    others: list[Value] = [value for value in args.positional[1:] if isinstance(value, Tensor)]
    others += [args.keywords[name] for name in ("value", "key") if name in args.keywords]
    return (first, *others)


def layer(it: Interpreter, callee: Value, inputs: tuple[Value, ...], where: Where) -> Value:
    """Call any layer-like value on tensors."""
    given: Value = inputs[0] if len(inputs) == 1 else Sequence("list", inputs, join_all(inputs))
    if isinstance(callee, Instance | ModelValue | RepoInstance):
        return apply(it, callee, Arguments([given]), where)
    return _function(it, callee, Arguments([given]), where)


_SIZES = ("units", "filters", "output_dim")
_RESERVED = ("in_channels", "in_features")


def _function(it: Interpreter, callee: Value, args: Arguments, where: Where) -> Value:
    given = args.positional[0]
    if isinstance(callee, Choice):
        return join_all(layer(it, option, (given,), where) for option in callee.options)
    if isinstance(callee, RepoFunction):
        return functions.invoke(it, callee, args, where)
    if isinstance(callee, Api) and isinstance(given, Tensor):
        from migrator.facts.tensorflow import call_api

        return call_api(it, callee.name, args, where)
    return Tensor() if isinstance(given, Tensor) else UNKNOWN


def _instance(it: Interpreter, callee: Instance, args: Arguments, where: Where) -> Value:
    inputs = inputs_of(args)
    if callee.api.startswith("tf.keras.layers."):
        fix_inputs(it, callee, inputs)
        on_weights.meet(it, callee, inputs, where)
        hint(it, callee, inputs)
        inputs = tuple(_ranked(callee, value) for value in inputs)
        output = _layer_output(it, callee, inputs, where)
        it.record_use(callee, inputs, output, where.key)
        return output
    if callee.api.startswith("tf.keras.initializers.") or callee.api.endswith("_initializer"):
        return Tensor(catalogue.shape_argument(args.positional[0]) if args.positional else None, "float32")
    if callee.api == "tf.keras.activations.get":
        return inputs[0] if inputs and isinstance(inputs[0], Tensor) else UNKNOWN
    if callee.api.startswith("tf.keras.losses."):
        return _loss(callee)
    if callee.api.startswith(_SCALARS):
        return Tensor((), "float32")
    return UNKNOWN


def _loss(callee: Instance) -> Value:
    reduction = callee.arg("reduction")
    per_sample = reduction is not None and reduction not in (Literal("sum"), Literal("sum_over_batch_size"))
    return Tensor(None if per_sample else (), "float32")


def fix_inputs(it: Interpreter, callee: Instance | ModelValue, inputs: tuple[Value, ...]) -> None:
    """A layer that declares its own `input_shape` fixes the reserved size of the scope it is called in.

    A cell does so for its states, which are as wide as it has units.
    """
    if isinstance(callee, Instance) and callee.api in CELLS:
        for state in inputs[1:]:
            text = dims.text(state.channels) if isinstance(state, Tensor) else None
            if text is not None and text.startswith(_RESERVED):
                it.bound_sizes[text] = dim_of(callee.arg("units"))
    if not isinstance(callee, Instance) or not inputs or not isinstance(inputs[0], Tensor):
        return
    declared = catalogue.declared_input(callee)
    size, known = inputs[0].channels, declared.channels if declared is not None else None
    text = dims.text(size)
    if isinstance(known, int) and text is not None and text.startswith(_RESERVED):
        it.bound_sizes[text] = known


def _ranked(callee: Instance, value: Value) -> Value:
    """An input of open rank has the rank that the layer demands: Keras takes no other."""
    found = RANK_OF.get(callee.api)
    if found is not None and isinstance(value, Unknown):
        value = Tensor()
    if found is None or not isinstance(value, Tensor) or value.shape is not None:
        return value
    return replace(value, shape=(*(None,) * (found[0] - 1), value.last), last=None)


def hint(it: Interpreter, callee: Instance, inputs: tuple[Value, ...]) -> None:
    """Note the rank that a layer asks of an input whose last axis is a reserved symbol."""
    found = RANK_OF.get(callee.api)
    if callee.api == "tf.keras.layers.Embedding":
        it.note_positions(inputs[0] if inputs else UNKNOWN)
    for value in inputs:
        text = dims.text(value.channels) if isinstance(value, Tensor) else None
        if found is not None and text is not None and text.startswith(_RESERVED):
            it.hints.setdefault(text, found)


def _fixed_by_model(it: Interpreter, callee: ModelValue, inputs: tuple[Value, ...]) -> None:
    for given, declared in zip(inputs, callee.inputs or (), strict=False):
        if isinstance(given, Tensor) and isinstance(declared, Tensor) and isinstance(declared.channels, int):
            text = dims.text(given.channels)
            if text is not None and text.startswith(_RESERVED):
                it.bound_sizes[text] = declared.channels
                if declared.rank is not None:
                    it.hints.setdefault(text, (declared.rank, declared.rank >= 4))


def _declared(given: Value, declared: Value) -> Value:
    """A tensor, with the sizes that it lacks from the model's input that it is given as; Keras takes no other rank."""
    if not isinstance(given, Tensor) or not isinstance(declared, Tensor) or declared.shape is None:
        return given
    if given.shape is None or len(given.shape) != len(declared.shape):
        return replace(given, shape=declared.shape, last=None) if given.shape is None else given
    sizes = zip(given.shape, declared.shape, strict=True)
    return replace(given, shape=tuple(known if _is_open(size, known) else size for size, known in sizes))


def _is_open(size: Dim, declared: Dim) -> bool:
    """Whether nothing is known of a size, a class reserves a name for it, or it is another name of what is declared."""
    text = dims.text(size)
    reserved = not isinstance(size, int) and text is not None and text.startswith(_RESERVED)
    return size is None or reserved or (isinstance(size, Sym) and declared is not None)


def _layer_output(it: Interpreter, callee: Instance, inputs: tuple[Value, ...], where: Where) -> Value:
    if callee.api in _WRAPPERS:
        return _wrapped(it, callee, inputs, where)
    if callee.api == "tf.keras.layers.RNN" and isinstance(cell := callee.arg("cell"), RepoInstance):
        return _run(it, callee, cell, inputs, where)
    if callee.api == "tf.keras.layers.Lambda":
        function = callee.arg("function")
        given = inputs[0] if len(inputs) == 1 else Sequence("list", inputs, join_all(inputs))
        more = callee.arg("arguments")
        items = more.items if isinstance(more, Dict) and more.items is not None else ()
        return _function(it, function or UNKNOWN, Arguments([given], {str(k): v for k, v in items}), where)
    return _given(callee, catalogue.layer_output(callee, inputs))


def _given(callee: Instance, output: Value) -> Value:
    """The output of a layer, of which the last dimension knows the argument that says it."""
    if callee.site is None or not isinstance(output, Tensor) or not output.shape:
        return output
    size = next((value for name in _SIZES if (value := callee.arg(name)) is not None), None)
    last = output.shape[-1]
    first = callee.arg("data_format") not in (None, Literal(None), Literal("channels_last"))
    if first or not isinstance(last, int) or size != Literal(last):
        return output
    return replace(output, shape=(*output.shape[:-1], Given(last, (callee.module, callee.site))))


def _wrapped(it: Interpreter, callee: Instance, inputs: tuple[Value, ...], where: Where) -> Value:
    inner = callee.arg("layer") or UNKNOWN
    x = inputs[0] if inputs else UNKNOWN
    if not isinstance(x, Tensor):
        return Tensor()
    if callee.api.endswith("Bidirectional"):
        return bidirectional(callee, layer(it, inner, (x,), where))
    if callee.api.endswith("SpectralNormalization"):
        return layer(it, inner, (x,), where)
    if x.shape is None or len(x.shape) < 3:
        return Tensor(None, x.dtype, x.origin)
    step = Tensor((x.shape[0], *x.shape[2:]), x.dtype, x.origin)
    output = layer(it, inner, (step,), where)
    if not isinstance(output, Tensor) or not output.shape:
        return Tensor()
    return Tensor((x.shape[0], x.shape[1], *output.shape[1:]), output.dtype, output.origin)


def _run(it: Interpreter, callee: Instance, cell: RepoInstance, inputs: tuple[Value, ...], where: Where) -> Value:
    """A cell of the repository, called with a step of [batch, time, features] and its states."""
    x = inputs[0] if inputs else UNKNOWN
    if not isinstance(x, Tensor) or x.shape is None or len(x.shape) < 3:
        return Tensor()
    states = states_of(x, attributes.attribute(it, cell, "state_size", where.frame))
    step = Tensor((x.shape[0], *x.shape[2:]), x.dtype, x.origin)
    result = apply(it, cell, Arguments([step, states]), where)
    output = result.items[0] if isinstance(result, Sequence) and result.items else UNKNOWN
    return run_output(callee, x, output, states)


def model(it: Interpreter, callee: ModelValue, inputs: tuple[Value, ...], where: Where) -> Value:
    """Call a Sequential or Functional model."""
    outer = where
    if callee.site is not None:
        it.unfed.pop((callee.module, callee.site), None)
    _fixed_by_model(it, callee, inputs)
    if callee.inputs is not None and len(callee.inputs) == len(inputs):
        inputs = tuple(map(_declared, inputs, callee.inputs))
    if callee.api == "tf.keras.Sequential":
        where = replace(where, call=(callee.module, callee.site or where.span))
        output = chain(it, callee.parts or callee.layers or (), inputs, where)
        if callee.layers is None and not callee.parts:
            output = Tensor()
    else:
        output = _functional(callee, inputs)
    it.record_use(callee, inputs, output, outer.key)
    return output


def feed(it: Interpreter, frame: Frame) -> None:
    """Call the Sequentials that begin with an embedding and that nothing has called: what it gives has a known size.

    Others stay open: what their first layer is given, nobody knows.
    """
    for (module, site), model in list(it.unfed.items()):
        first = model.parts[0] if model.parts else None
        known = isinstance(first, Instance) and first.api == "tf.keras.layers.Embedding"
        if known and it.site_scope.get((module, site)) == it.root and model.layers is not None:
            chain(it, model.parts, (Tensor(),), Where(frame, site, (module, site)))
    it.unfed.clear()


def chain(it: Interpreter, parts: tuple[Value, ...], inputs: tuple[Value, ...], where: Where) -> Value:
    """Layers one behind the other."""
    value: tuple[Value, ...] = inputs
    for part in parts:
        if isinstance(part, Instance) and part.api in ("tf.keras.layers.InputLayer", "tf.keras.Input"):
            continue
        if isinstance(part, Tensor):
            continue
        result = _repeat(it, part, value, where) if isinstance(part, Repeated) else layer(it, part, value, where)
        value = result.items if isinstance(result, Sequence) and result.items else (result,)
    return value[0] if len(value) == 1 else Sequence("list", value, join_all(value))


def _repeat(it: Interpreter, part: Repeated, inputs: tuple[Value, ...], where: Where) -> Value:
    """Layers added any number of times: what holds after none, one or many rounds."""
    start = inputs[0] if inputs else UNKNOWN
    if part.optional:
        return join(start, chain(it, part.items, inputs, where))
    it.muted.append(EVERYTHING)
    first = chain(it, part.items, inputs, where)
    it.muted.pop()
    if first == start:
        return chain(it, part.items, (start,), where)
    carried_on = _carried_head(it, part, start, first, where)
    if carried_on is not None:
        chain(it, part.items, (carried_on,), where)
        return carried_on
    head = join(start, first)
    return join(head, chain(it, part.items, (head,), where))


def _carried_head(it: Interpreter, part: Repeated, start: Value, first: Value, where: Where) -> Value | None:
    """The tensor before each round, its last axis named; None where it has no name."""
    joined = join(start, first)
    if not isinstance(joined, Tensor) or not isinstance(start, Tensor) or not isinstance(first, Tensor):
        return None
    site = getattr(part.items[0], "site", None)
    if start.channels == first.channels or site is None or not where.frame.naming:
        return None
    module = getattr(part.items[0], "module", "")
    if it.site_scope.get((module, site)) != it.root:
        return None
    symbol = carried.carry(it, where.frame, site, "", start.channels, first.channels)
    return None if symbol is None else carried.with_last(joined, symbol)


def _functional(callee: ModelValue, inputs: tuple[Value, ...]) -> Value:
    if callee.outputs is None:
        return Tensor()
    same = callee.inputs is not None and len(callee.inputs) == len(inputs)
    keras = any(isinstance(value, Tensor) and value.origin == "keras" for value in inputs)
    outputs = tuple(_output(output, inputs if same else (), "keras" if keras else "tf") for output in callee.outputs)
    return outputs[0] if len(outputs) == 1 else Sequence("list", outputs, join_all(outputs))


def _output(output: Value, inputs: tuple[Value, ...], origin: str) -> Value:
    if not isinstance(output, Tensor):
        return output
    batch = inputs[0].shape[0] if inputs and isinstance(inputs[0], Tensor) and inputs[0].shape else None
    shape = (batch, *output.shape[1:]) if output.shape else output.shape
    return Tensor(shape, output.dtype, origin, output.layout, output.last)


def repo_instance(it: Interpreter, callee: RepoInstance, args: Arguments, where: Where) -> Value:
    """Call an instance of a repository class through its `call`."""
    for name in CALL_METHODS:
        method = classes.method(it, callee, name)
        if method is None:
            continue
        args = _without_mode(it, method, args) if name == "call" else args
        bound = call_arguments(it, method, args)
        _build(it, callee, bound, where)
        tensors = tuple(v if isinstance(v, Tensor | Sequence) else UNKNOWN for v in bound.values()) if bound else ()
        if where.frame.record and bound is not None and it.counts(callee):
            it.applied.setdefault(callee.qualname, []).append(Applied(tuple(bound.items())))
        recording, where.frame.record = where.frame.record, False
        output = _called(it, callee, method, args, bound, where)
        output = _declared_output(it, callee, output, bound, where)
        where.frame.record = recording
        it.record_use(callee, tensors, output, where.key)
        return output
    it.record_use(callee, inputs_of(args), Tensor(), where.key)
    return Tensor() if callee.kind != "other" else Unknown("not callable in this repository")


def _declared_output(
    it: Interpreter, callee: RepoInstance, output: Value, bound: dict[str, Value] | None, where: Where
) -> Value:
    """The output of `call`; where that leaves its last axis open, what the class says in `compute_output_shape`."""
    known = isinstance(output, Tensor) and output.channels is not None
    if known or not bound or not isinstance(output, Tensor | Unknown):
        return output
    method = classes.method(it, callee, "compute_output_shape")
    if method is None:
        return output
    dims_found = functions.invoke(it, method, Arguments([shape_value(next(iter(bound.values())))]), where)
    shape = catalogue.shape_argument(dims_found) if isinstance(dims_found, Sequence | ShapeOf) else None
    if not shape or any(isinstance(item, Sequence) for item in getattr(dims_found, "items", None) or ()):
        return output
    return Tensor(shape, output.dtype if isinstance(output, Tensor) else None)


def _called(
    it: Interpreter,
    callee: RepoInstance,
    method: RepoFunction,
    args: Arguments,
    bound: dict[str, Value] | None,
    where: Where,
) -> Value:
    """Run `call`, once for equal objects and arguments."""
    running: Frame | None = where.frame
    while running is not None and running.this != callee:
        running = running.outer
    free = running is None and bound is not None and callee not in it.touched and callee.qualname not in it.active
    if not free or bound is None or any(map(functions.is_object, (*bound.values(), *(v for _, v in callee.args)))):
        return functions.invoke(it, method, args, where)
    key = ("call", callee.qualname, callee.args, tuple(bound.items()))
    return functions.remembered(it, key, lambda: functions.invoke(it, method, args, where))


def _build(it: Interpreter, callee: RepoInstance, bound: dict[str, Value] | None, where: Where) -> None:
    """Keras builds a layer when it is first called."""
    build = classes.method(it, callee, "build")
    if build is None or not bound or where.frame.this == callee:
        return
    shape = shape_value(next(iter(bound.values())))
    # one site makes many objects: another root or round of a factory may build it for another size
    if it.built.get(callee) == (it.root, shape):
        return
    it.built[callee] = (it.root, shape)
    frame_attrs = it.attrs.setdefault(callee, {})
    key = ("build", callee.qualname, callee.args, shape)
    if key not in it.made or callee in it.touched:
        it.made[key] = functions.attributes_after(it, build, [shape], where)
    it.attrs[callee] = {**frame_attrs, **it.made[key]}


def shape_value(value: Value) -> Value:
    """The shape of a tensor, or of each of several."""
    if isinstance(value, Tensor):
        # Only the last axis may be known: two axes at least, of which the first is the batch.
        return ShapeOf((None, value.last) if value.shape is None and value.last is not None else value.shape)
    if isinstance(value, Sequence) and value.items is not None:
        items = tuple(map(shape_value, value.items))
        return Sequence("list", items, join_all(items))
    if isinstance(value, Sequence) and isinstance(value.element, Tensor):
        return Sequence("list", None, shape_value(value.element), count=value.count)
    return UNKNOWN


def _without_mode(it: Interpreter, method: RepoFunction, args: Arguments) -> Arguments:
    """Keras hands `training` and `mask` only to a `call` that takes them."""
    definition = it.definitions.get(method.qualname)
    if definition is None or not isinstance(definition.node, FunctionNode) or definition.node.args.kwarg is not None:
        return args
    names = {arg.arg for arg in roots.all_arguments(definition.node)}
    kept = {n: v for n, v in args.keywords.items() if n in names or n not in ("training", "mask")}
    return replace(args, keywords=kept)


def call_arguments(it: Interpreter, method: RepoFunction, args: Arguments) -> dict[str, Value] | None:
    """Arguments of a `call` method by name, in the order of its parameters, self left out."""
    definition = it.definitions.get(method.qualname)
    if definition is None or not isinstance(definition.node, FunctionNode):
        return None
    node = definition.node
    bound = functions.bind(it, node, [UNKNOWN, *args.positional], args, definition.module)
    if not bound:
        return bound
    bound.pop(next(iter(bound)))
    names = [arg.arg for arg in roots.all_arguments(node) if arg.arg in bound]
    return {name: bound[name] for name in names}
