"""LSTMs whose products are convolutions, as a small module: torch has none."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import re

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.conv import KERNEL, option, padding_of
from migrator.rules.layers.padding import channels_last, window
from migrator.rules.layers.weights import Weights, bias_argument, bias_weights, value_of, weight
from migrator.values import Literal


def _module(dims: int) -> Helper:
    axes = {1: "length", 2: "height, width", 3: "depth, height, width"}[dims]
    source = f'''class ConvLSTM{dims}d(nn.Module):
    """An LSTM over [batch, time, {axes}, channels] whose products are convolutions; gives the outputs."""

    def __init__(
        self, in_channels, out_channels, kernel_size, activation=torch.tanh, gate=torch.sigmoid, bias=True, **options
    ):
        super().__init__()
        self.out_channels, self.activation, self.gate = out_channels, activation, gate
        self.input = nn.Conv{dims}d(in_channels, 4 * out_channels, kernel_size, bias=bias, **options)
        self.state = nn.Conv{dims}d(out_channels, 4 * out_channels, kernel_size, padding="same", bias=False)

    def forward(self, x):
        steps = self.input(x.movedim(-1, 2).flatten(0, 1)).unflatten(0, x.shape[:2])
        h = c = torch.zeros_like(steps[:, 0, : self.out_channels])
        outputs = []
        for step in steps.unbind(dim=1):
            i, f, g, o = (step + self.state(h)).chunk(4, dim=1)
            c = self.gate(f) * c + self.gate(i) * self.activation(g)
            h = self.gate(o) * self.activation(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1).movedim(2, -1)
'''
    return Helper(f"ConvLSTM{dims}d", source, ("import torch", "from torch import nn"))


MODULES = {dims: _module(dims) for dims in KERNEL}


def _code(dims: int, given: dict[str, LayerArg]) -> LayerCode:
    call: LayerCall = given.pop("call")  # type: ignore[assignment]
    _check(given)
    kernel, stride, dilation = (window(given[n], dims) for n in ("kernel_size", "strides", "dilation_rate"))
    pad, source, _ = padding_of(given["padding"], kernel, stride, dilation, call)
    if source != "{x}":
        raise Decline("padding of steps with strides")
    weights = _weights(dims, given)
    functions = [_function(given[name], word, call) for name, word in _FUNCTIONS]
    options = "".join(functions) + bias_argument(given["use_bias"])
    options += option("stride", stride) + pad + option("dilation", dilation)
    text = "{x}.flip(1)" if given["go_backwards"].known else "{x}"
    return LayerCode(
        module=f"ConvLSTM{dims}d({call.features}, {given['filters'].text}, kernel_size={kernel.text}{options})",
        forward=f"{{self}}({text})" + ("" if given["return_sequences"].known else "[:, -1]"),
        stem="conv_lstm",
        layout="last",
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=(*weights.helpers, MODULES[dims]),
    )


_FUNCTIONS = (("activation", "activation"), ("recurrent_activation", "gate"))


def _check(given: dict[str, LayerArg]) -> None:
    channels_last(given["data_format"])
    for name in ("return_state", "stateful", "dropout", "recurrent_dropout"):
        if given[name].known:
            raise Decline(f"`{name}` is given")
    if given["unit_forget_bias"].known and value_of(given["bias_initializer"]) != Literal("zeros"):
        raise Decline("`bias_initializer` together with `unit_forget_bias`")


def _weights(dims: int, given: dict[str, LayerArg]) -> Weights:
    def of(part: str) -> tuple[LayerArg, LayerArg, LayerArg]:
        initial, regularizer, constraint = (given[f"{part}_{n}"] for n in ("initializer", "regularizer", "constraint"))
        return initial, regularizer, constraint

    found = weight("kernel", "input.weight", KERNEL[dims], *of("kernel"))
    found += weight("recurrent_kernel", "state.weight", KERNEL[dims], *of("recurrent"))
    found += bias_weights(given["use_bias"], *of("bias"), name="input.bias")
    if given["use_bias"].known and given["unit_forget_bias"].known:
        found += Weights(("nn.init.ones_({self}.input.bias.chunk(4)[1])",))
    return found


def _function(arg: LayerArg, word: str, call: LayerCall) -> str:
    """The option for a function that is not the usual one."""
    template, name = activation_of(arg, call)
    if name == ("tanh" if word == "activation" else "sigmoid"):
        return ""
    if template is None:
        return f", {word}=nn.Identity()"
    bare = re.fullmatch(r"([\w.]+)\(\{x\}\)", template)
    return f", {word}={bare.group(1)}" if bare else f", {word}=lambda t: {template.replace('{x}', 't')}"


@layer(
    "tf.keras.layers.ConvLSTM1D",
    keras=3,
    samples=[
        S(f32(2, 3, 7, 2), 3, 3),
        S(f32(2, 3, 7, 2), 3, 2, padding="same", return_sequences=True, go_backwards=True),
    ],
)
@layer(
    "tf.keras.layers.ConvLSTM2D",
    keras=3,
    samples=[
        S(f32(2, 3, 5, 6, 2), 3, 3),
        S(f32(2, 3, 5, 6, 2), 3, (3, 2), padding="same", return_sequences=True),
        S(f32(2, 3, 5, 6, 2), 3, 2, strides=2, activation="relu", recurrent_activation="hard_sigmoid"),
        S(f32(2, 3, 5, 6, 2), 3, 3, use_bias=False, dilation_rate=2, kernel_regularizer="l2"),
        S(f32(2, 3, 5, 6, 2), 3, 3, unit_forget_bias=False, bias_initializer="ones", activation="elu"),
        declines(f32(2, 3, 5, 6, 2), 3, 3, return_state=True),
        declines(f32(2, 3, 5, 6, 2), 3, 3, stateful=True),
        declines(f32(2, 3, 5, 6, 2), 3, 3, recurrent_dropout=0.2),
        declines(f32(2, 3, 5, 6, 2), 3, 3, bias_initializer="ones"),
    ],
)
@layer(
    "tf.keras.layers.ConvLSTM3D",
    keras=3,
    samples=[
        S(f32(2, 2, 4, 3, 5, 2), 2, 2, padding="same"),
        S(f32(2, 2, 4, 3, 5, 2), 2, 2, return_sequences=True),
    ],
)
def conv_lstm(
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
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
    activity_regularizer=None,
    kernel_constraint=None,
    recurrent_constraint=None,
    bias_constraint=None,
    dropout=0.0,
    recurrent_dropout=0.0,
    seed=None,
    return_sequences=False,
    return_state=False,
    go_backwards=False,
    stateful=False,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module of two convolutions and a loop over the steps."""
    return _code(call.rank - 3, dict(locals()))
