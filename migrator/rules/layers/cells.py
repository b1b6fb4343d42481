"""Cells of recurrent layers, called step by step or by RNN."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import ast
from dataclasses import replace

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.layers.call import LayerArg, LayerCall, wrapped
from migrator.rules.layers.recurrent_code import Recurrent, layer_code
from migrator.values import Instance, Literal, Sequence, Sym, Tensor

STEP_LSTM = Helper(
    "step_lstm",
    '''def step_lstm(cell, x, states):
    """One step of an LSTM cell: its output, and the new states."""
    h, c = cell(x, (states[0], states[1]))
    return h, [h, c]
''',
)
STEP_CELL = Helper(
    "step_cell",
    '''def step_cell(cell, x, state):
    """One step of a cell with one state: its output, and the new state in the form of the old one."""
    nested = isinstance(state, (list, tuple))
    h = cell(x, state[0] if nested else state)
    return h, [h] if nested else h
''',
)
_LSTM = src("(x, [h, c])", x=f32(3, 2), h=f32(3, 4), c=f32(3, 4))
_NESTED = src("(x, [h])", x=f32(3, 2), h=f32(3, 4))
_PLAIN = src("(x, h)", x=f32(3, 2), h=f32(3, 4))


def _cell(kind: str, given: dict[str, object]) -> LayerCode:
    call = given.pop("call")
    spec = Recurrent(kind, given, call).checked()  # type: ignore[arg-type]
    if spec.rate("dropout"):
        raise Decline("`dropout` of a cell that is called by itself")
    helper = STEP_LSTM if kind == "LSTM" else STEP_CELL
    init, helpers = spec.init(("",))
    return LayerCode(
        module=spec.module(cell=True),
        forward="{self}({x})",
        stem="cell",
        layout="last",
        init=init,
        penalty=spec.penalties(("",)),
        constraint=spec.constraints(("",)),
        params=spec.params(suffix=""),
        helpers=(*helpers, helper),
        form=CallForm(
            ("inputs", "states", "training"), f"{helper.name}({{self}}, {{x}}, {{given_states}})", (("states", "{v}"),)
        ),
    )


@layer(
    "tf.keras.layers.LSTMCell",
    samples=[
        S(_LSTM, 4),
        S(_LSTM, 4, use_bias=False),
        declines(_LSTM, 4, activation="relu"),
        declines(_LSTM, 4, dropout=0.5),
    ],
)
def lstm_cell(
    units,
    activation="tanh",
    recurrent_activation="sigmoid",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    unit_forget_bias=True,
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.LSTMCell` with the second bias frozen at zero."""
    return _cell("LSTM", dict(locals()))


@layer(
    "tf.keras.layers.GRUCell",
    samples=[S(_NESTED, 4), S(_PLAIN, 4, kernel_regularizer="l2"), declines(_PLAIN, 4, reset_after=False)],
)
def gru_cell(
    units,
    activation="tanh",
    recurrent_activation="sigmoid",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    reset_after=True,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.GRUCell`; the gates are z, r, h in Keras and r, z, n in torch."""
    return _cell("GRU", dict(locals()))


@layer("tf.keras.layers.SimpleRNNCell", samples=[S(_NESTED, 4), S(_PLAIN, 4, "relu"), declines(_PLAIN, 4, "elu")])
def simple_rnn_cell(
    units,
    activation="tanh",
    use_bias=True,
    kernel_initializer="glorot_uniform",
    recurrent_initializer="orthogonal",
    bias_initializer="zeros",
    kernel_regularizer=None,
    recurrent_regularizer=None,
    bias_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.RNNCell` with the second bias frozen at zero."""
    return _cell("RNN", dict(locals()))


CELLS = {"tf.keras.layers.LSTMCell": "LSTM", "tf.keras.layers.GRUCell": "GRU", "tf.keras.layers.SimpleRNNCell": "RNN"}
STACKED = Helper(
    "StackedRNN",
    '''class StackedRNN(nn.ModuleList):
    """Recurrent layers one upon the other; gives the outputs of the last."""

    def forward(self, x):
        for rnn in self:
            x, _ = rnn(x)
        return x, None
''',
    ("from torch import nn",),
)
_X = f32(3, 5, 2)
_STATES = src("(x, dict(initial_state=[h, c]))", x=_X, h=f32(3, 4), c=f32(3, 4))
_MASK = src("(x, dict(mask=m))", x=_X, m=boolean(3, 5))


@layer(
    "tf.keras.layers.RNN",
    samples=[
        S(_X, src("layers.LSTMCell(4)")),
        S(_X, src("layers.GRUCell(4, reset_after=False)"), return_sequences=True, return_state=True),
        S(_X, src("layers.SimpleRNNCell(4, 'relu')"), go_backwards=True),
        S(_STATES, src("layers.LSTMCell(4)"), return_state=True),
        S(_MASK, src("layers.GRUCell(4)"), return_sequences=True),
        S(_X, src("[layers.GRUCell(4), layers.LSTMCell(3)]")),
        S(_X, src("layers.StackedRNNCells([layers.LSTMCell(4), layers.LSTMCell(3)])"), return_sequences=True),
        declines(_X, src("[layers.GRUCell(4), layers.LSTMCell(3)]"), return_state=True),
    ],
)
def rnn(
    cell,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
    stateful=False,
    unroll=False,
    zero_output_for_mask=False,
    *,
    call: LayerCall,
) -> LayerCode:
    """The layer that runs the cell."""
    how = {a.name: a for a in (return_sequences, return_state, go_backwards, stateful, zero_output_for_mask)}
    cells = _cells(cell)
    if len(cells) == 1:
        rule, args = wrapped(cells[0], call.keras)
        return layer_code(_running(rule.api, args, how, call))
    return _stack(cells, how, call)


def _running(api: str, args: dict[str, LayerArg], how: dict[str, LayerArg], call: LayerCall) -> Recurrent:
    if api not in CELLS:
        raise Decline(f"a cell of another kind: {api}")
    return Recurrent(CELLS[api], {**args, **how}, call).checked()


def _cells(arg: LayerArg) -> list[LayerArg]:
    """The cells, each with its source."""
    tree, value = ast.parse(arg.text.strip(), mode="eval").body, arg.value
    if isinstance(value, Instance) and value.api == "tf.keras.layers.StackedRNNCells" and isinstance(tree, ast.Call):
        tree, listed = tree.args[0] if tree.args else tree.keywords[0].value, value.arg("cells")
        value = listed if listed is not None else value
    if isinstance(tree, ast.ListComp):
        return _repeated(tree, value)
    if isinstance(value, Sequence) and value.items is not None and isinstance(tree, (ast.List, ast.Tuple)):
        return [LayerArg("cell", ast.unparse(t), v) for t, v in zip(tree.elts, value.items, strict=True)]
    return [arg]


def _repeated(tree: ast.ListComp, value: object) -> list[LayerArg]:
    """The cells of `[LSTMCell(8) for _ in range(3)]`."""
    loop = tree.generators[0]
    target, over = ast.unparse(loop.target), loop.iter
    plain = (
        len(tree.generators) == 1 and not loop.ifs and isinstance(over, ast.Call) and ast.unparse(over.func) == "range"
    )
    reads = any(isinstance(n, ast.Name) and n.id == target for n in ast.walk(tree.elt))
    if not plain or reads or not isinstance(value, Sequence):
        raise Decline("cells that differ, or of which the number is not known")
    assert isinstance(over, ast.Call)
    count = over.args[0] if len(over.args) == 1 else None
    if not isinstance(count, ast.Constant) or not isinstance(count.value, int):
        raise Decline("how many cells there are is not known")
    one = value.items[0] if value.items else value.element
    return [LayerArg("cell", ast.unparse(tree.elt), one)] * count.value


def _stack(cells: list[LayerArg], how: dict[str, LayerArg], call: LayerCall) -> LayerCode:
    if how["return_state"].known or how["go_backwards"].known:
        raise Decline("states, or the direction, of stacked cells")
    made: list[LayerCode] = []
    inner = {**how, "return_sequences": LayerArg("return_sequences", "True", Literal(True))}
    for cell in cells:
        rule, args = wrapped(cell, call.keras)
        made.append(layer_code(_running(rule.api, args, inner, call)))
        units = args["units"]
        width = units.known if units.is_known else Sym(units.text)
        call = replace(call, inputs=(Tensor((None, None, width), "float32"),))
    position, params, init, penalty, constraint = 0, [], [], [], []
    for index, one in enumerate(made):
        names = list(dict.fromkeys(k for k, _, _ in one.params))
        params += [(f"weights[{position + names.index(k)}]", f"{index}.{t}", how_) for k, t, how_ in one.params]
        position += len(names)
        init += [t.replace("{self}", f"{{self}}[{index}]") for t in one.init]
        penalty += [t.replace("{self}", f"{{self}}[{index}]") for t in one.penalty]
        constraint += [t.replace("{self}", f"{{self}}[{index}]") for t in one.constraint]
    return LayerCode(
        module=f"StackedRNN([{', '.join(one.module or '' for one in made)}])",
        forward="{self}({x})[0]" + ("" if how["return_sequences"].known else "[:, -1]"),
        stem="rnn",
        layout="last",
        init=tuple(init),
        penalty=tuple(penalty),
        constraint=tuple(constraint),
        params=tuple(params),
        helpers=(*dict.fromkeys(h for one in made for h in one.helpers), STACKED),
    )
