"""Recurrent layers and attention."""

from __future__ import annotations

from migrator.facts import dims
from migrator.facts.arithmetic import dim_of
from migrator.facts.join import join_all
from migrator.facts.shapes.layers import LAYERS, Inputs, floating, given, layer
from migrator.values import Dim, Instance, Scalar, Sequence, Tensor, Unknown, Value

STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1, "CuDNNLSTM": 2, "CuDNNGRU": 1}


@layer(*STATES)
def recurrent(instance: Instance, x: Tensor) -> Value:
    """(N, T, C) to (N, T, units) or (N, units), with the states behind where they are asked for."""
    units = dim_of(instance.arg("units"))
    states = given(instance, "return_state", False)
    if states is None:
        return Unknown("return_state is not known")
    batch = x.shape[0] if x.shape else None
    output = _output(instance, x, units)
    if not states:
        return output
    count = STATES[instance.api.rsplit(".", 1)[1]]
    items = (output, *(floating(x, (batch, units)) for _ in range(count)))
    return Sequence("list", items, join_all(items))


def _output(instance: Instance, x: Tensor, units: Dim) -> Tensor:
    sequences = given(instance, "return_sequences", False)
    batch = x.shape[0] if x.shape else None
    if sequences is None:
        return floating(x, None, units)
    if not sequences:
        return floating(x, (batch, units))
    steps = x.shape[1] if x.shape is not None and len(x.shape) == 3 else None
    return floating(x, (batch, steps, units))


@layer("LSTMCell", "GRUCell", "SimpleRNNCell")
def cell(instance: Instance, x: Tensor) -> Value:
    """One step: (N, C) to the output (N, units) and the states; a single state as it was given."""
    units = dim_of(instance.arg("units"))
    output = floating(x, (x.shape[0] if x.shape else None, units))
    if instance.api.endswith("LSTMCell"):
        return Sequence("tuple", (output, Sequence("list", (output, output), output)), Unknown())
    return Sequence("tuple", (output, Unknown("one state, in a list or not")), Unknown())


def _cell_call(instance: Instance, inputs: Inputs) -> Value:
    found = cell(instance, inputs[0] if inputs and isinstance(inputs[0], Tensor) else Tensor())
    if len(inputs) > 1 and isinstance(found, Sequence) and found.items and not instance.api.endswith("LSTMCell"):
        return Sequence("tuple", (found.items[0], found.items[0]), found.items[0])
    return found


for _name in ("LSTMCell", "GRUCell", "SimpleRNNCell"):
    LAYERS[f"tf.keras.layers.{_name}"] = _cell_call


@layer("RNN")
def running(instance: Instance, x: Tensor) -> Value:
    """A recurrent layer around a cell, or around several."""
    cells = _listed(instance.arg("cell"))
    if not cells or not all(isinstance(c, Instance) and c.arg("units") is not None for c in cells):
        return Unknown("the cell is not known")
    last = cells[-1]
    assert isinstance(last, Instance)
    output = _output(instance, x, dim_of(last.arg("units")))
    if given(instance, "return_state", False) is not False:
        if len(cells) > 1:
            return Unknown("states of several cells")
        state = floating(x, (x.shape[0] if x.shape else None, dim_of(last.arg("units"))))
        states = (state, state) if last.api.endswith("LSTMCell") else (state,)
        return Sequence("list", (output, *states), join_all((output, *states)))
    return output


def states_of(x: Tensor, sizes: Value | None) -> Sequence:
    """The states of a cell whose `state_size` is known as `sizes`."""
    batch = x.shape[0] if x.shape else None
    if isinstance(sizes, Sequence):
        widths = None if sizes.items is None else tuple(map(dim_of, sizes.items))
    else:
        widths = (dim_of(sizes),) if isinstance(sizes, Scalar) or dim_of(sizes) is not None else None
    if widths is None:
        return Sequence("list", None, Tensor(None, "float32"))
    states = tuple(Tensor((batch, width), "float32") for width in widths)
    return Sequence("list", states, join_all(states))


def run_output(instance: Instance, x: Tensor, step: Value, states: Sequence) -> Value:
    """What a layer gives that runs a cell over the steps of `x`: `step` is the output of one."""
    sequences, returned = given(instance, "return_sequences", False), given(instance, "return_state", False)
    if not isinstance(step, Tensor) or step.shape is None or x.shape is None or sequences is None or returned is None:
        return Tensor() if returned is False else Unknown("the output of a step is not known")
    output = floating(x, (x.shape[0], *((x.shape[1],) if sequences else ()), *step.shape[1:]))
    if not returned:
        return output
    if states.items is None:
        return Unknown("how many states the cell has is not known")
    items = (output, *states.items)
    return Sequence("list", items, join_all(items))


def _listed(value: Value | None) -> tuple[Value, ...]:
    if isinstance(value, Instance) and value.api.endswith("StackedRNNCells"):
        value = value.arg("cells")
    if isinstance(value, Sequence):
        return value.items or ()
    return () if value is None else (value,)


def bidirectional(instance: Instance, inner: Value) -> Value:
    """Both directions merged as `merge_mode` says; `inner` is the wrapped layer's output."""
    mode = given(instance, "merge_mode", "concat")
    if isinstance(inner, Sequence) and inner.items:
        main = bidirectional(instance, inner.items[0])
        items = (main, *inner.items[1:], *inner.items[1:])
        return Sequence("list", items, join_all(items))
    if not isinstance(inner, Tensor):
        return inner
    if mode != "concat":
        return inner if mode in ("sum", "mul", "ave") else Unknown("merge_mode")
    last = dims.multiply(2, inner.channels)
    return floating(inner, None if inner.shape is None else (*inner.shape[:-1], last), last)


def _attention(instance: Instance, inputs: Inputs) -> Value:
    query = inputs[0] if inputs and isinstance(inputs[0], Tensor) else Tensor()
    width = instance.arg("output_shape")
    last = query.channels if width is None else dim_of(width)
    return floating(query, None if query.shape is None else (*query.shape[:-1], last), last)


def _dot_attention(instance: Instance, inputs: Inputs) -> Value:
    query = inputs[0] if inputs and isinstance(inputs[0], Tensor) else Tensor()
    value = inputs[1] if len(inputs) > 1 and isinstance(inputs[1], Tensor) else Tensor()
    return floating(query, None if query.shape is None else (*query.shape[:-1], value.channels), value.channels)


LAYERS["tf.keras.layers.MultiHeadAttention"] = _attention
LAYERS["tf.keras.layers.GroupQueryAttention"] = _attention
LAYERS["tf.keras.layers.Attention"] = _dot_attention
LAYERS["tf.keras.layers.AdditiveAttention"] = _dot_attention
