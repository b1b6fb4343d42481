"""Activations as layers."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.weights import weight
from migrator.rules.spelling import number


def _applied(template: str, layout: str = "any", name: str | None = None) -> LayerCode:
    return LayerCode(module=None, forward="{x}", stem="act", layout=layout, activation=template, activation_name=name)


@layer("tf.keras.layers.Activation", samples=[S(f32(2, 3), "relu"), S(f32(2, 3), "softmax"), S(f32(2, 3), "linear")])
def activation(activation, *, call: LayerCall) -> LayerCode:
    """The function itself."""
    template, name = activation_of(activation, call)
    last = name in ("softmax", "log_softmax")
    if template is None:
        return LayerCode(module=None, forward="{x}", stem="act")
    return _applied(template, "last" if last else "any", name)


def _slope(arg: LayerArg) -> str:
    return number(arg.known) if arg.is_written else arg.text


@layer(
    "tf.keras.layers.ReLU",
    samples=[S(f32(2, 3)), S(f32(9), max_value=6.0), S(f32(9), negative_slope=0.2), declines(f32(9), threshold=0.5)],
)
def relu(max_value=None, negative_slope=0.0, threshold=0.0, *, call: LayerCall) -> LayerCode:
    """`F.relu`, `F.relu6` or `F.leaky_relu`."""
    if threshold.known != 0:
        raise Decline("`threshold` is given")
    if max_value.known is None:
        if negative_slope.known == 0:
            return _applied("F.relu({x})", name="relu")
        return _applied(f"F.leaky_relu({{x}}, {_slope(negative_slope)})")
    if negative_slope.known != 0:
        raise Decline("max_value together with negative_slope")
    return _applied("F.relu6({x})" if max_value.known == 6 else f"{{x}}.clamp(0.0, {max_value.text})")


@layer(
    "tf.keras.layers.LeakyReLU", samples=[S(f32(2, 3)), S(f32(2, 3), negative_slope=0.1), S(f32(2, 3), 0.2)], keras=3
)
def leaky_relu(negative_slope=0.3, alpha=None, *, call: LayerCall) -> LayerCode:
    """`F.leaky_relu`; Keras's slope is 0.3."""
    given = negative_slope if alpha.is_known and alpha.known is None else alpha
    return _applied(f"F.leaky_relu({{x}}, {_slope(given)})")


@layer("tf.keras.layers.LeakyReLU", samples=[S(f32(2, 3)), S(f32(2, 3), 0.1), S(f32(2, 3), alpha=0.5)], keras=2)
def leaky_relu_keras2(alpha=0.3, *, call: LayerCall) -> LayerCode:
    """`F.leaky_relu`; Keras's slope is 0.3."""
    return _applied(f"F.leaky_relu({{x}}, {_slope(alpha)})")


@layer("tf.keras.layers.ELU", samples=[S(f32(2, 3)), S(f32(2, 3), alpha=0.5)])
def elu(alpha=1.0, *, call: LayerCall) -> LayerCode:
    """`F.elu`."""
    plain = alpha.is_known and alpha.known == 1
    return _applied("F.elu({x})" if plain else f"F.elu({{x}}, alpha={_slope(alpha)})", name="elu" if plain else None)


@layer("tf.keras.layers.Softmax", samples=[S(f32(2, 3)), S(f32(2, 4, 3), axis=-1)])
def softmax(axis=-1, *, call: LayerCall) -> LayerCode:
    """`F.softmax` over the last axis."""
    if axis.known != -1 and axis.known != call.rank - 1:
        raise Decline("an axis other than the last")
    return _applied("F.softmax({x}, dim=-1)", "last", "softmax")


@layer(
    "tf.keras.layers.PReLU",
    samples=[S(f32(4, 3)), S(f32(2, 4, 5, 3), shared_axes=[1, 2]), declines(f32(2, 4, 5, 3))],
)
def prelu(
    alpha_initializer="zeros",
    alpha_regularizer=None,
    alpha_constraint=None,
    shared_axes=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.PReLU` with one slope a channel, where Keras shares all other axes."""
    shared = shared_axes.known or ()
    if sorted(a % call.rank for a in shared) != list(range(1, call.rank - 1)):
        raise Decline("a slope for every position")
    own = weight("alpha", "weight", "reshape(-1)", alpha_initializer, alpha_regularizer, alpha_constraint)
    return LayerCode(
        module=f"nn.PReLU({call.features})",
        forward="{self}({x})",
        stem="prelu",
        layout="nchw" if call.rank > 2 else "last",
        init=own.init,
        penalty=own.penalty,
        constraint=own.constraint,
        params=own.params,
        helpers=own.helpers,
    )


@layer("tf.keras.layers.Identity", samples=[S(f32(2, 3))])
def identity(*, call: LayerCall) -> LayerCode:
    """Nothing."""
    return LayerCode(module=None, forward="{x}", stem="act")


@layer("tf.keras.layers.ThresholdedReLU", samples=[S(f32(2, 3)), S(f32(2, 3), theta=0.3)], keras=2)
def thresholded_relu(theta=1.0, *, call: LayerCall) -> LayerCode:
    """`F.threshold`: what is not above becomes zero."""
    return _applied(f"F.threshold({{x}}, {_slope(theta)}, 0.0)")
