"""Normalisation."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.weights import Weights, weight
from migrator.rules.spelling import number


def _kept(momentum: LayerArg) -> str:
    """torch's momentum is the share of the new value, Keras's that of the old."""
    if momentum.is_written:
        return number(round(1 - momentum.known, 12))
    return f"1 - {momentum.text}"


def _epsilon(epsilon: LayerArg) -> str:
    return number(epsilon.known) if epsilon.is_written else epsilon.text


def _frozen(name: str, statement: str) -> Weights:
    """A weight that Keras does not have: fixed where it changes nothing."""
    return Weights((f"nn.init.{statement}({{self}}.{name})", f"{{self}}.{name}.requires_grad_(False)"))


@layer(
    "tf.keras.layers.BatchNormalization",
    samples=[
        S(f32(6, 3)),
        S(f32(3, 5, 4, 3)),
        S(f32(3, 5, 3), momentum=0.9, epsilon=1e-5),
        S(f32(3, 5, 4, 3), scale=False),
        S(f32(3, 5, 4, 3), center=False, scale=False),
        S(f32(3, 5, 4, 3), axis=3),
        declines(f32(3, 5, 4, 3), axis=1),
    ],
    gaps=["batchnorm-variance"],
)
def batch_normalization(
    axis=-1,
    momentum=0.99,
    epsilon=0.001,
    center=True,
    scale=True,
    beta_initializer="zeros",
    gamma_initializer="ones",
    moving_mean_initializer="zeros",
    moving_variance_initializer="ones",
    beta_regularizer=None,
    gamma_regularizer=None,
    beta_constraint=None,
    gamma_constraint=None,
    renorm=False,
    fused=None,
    synchronized=False,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.BatchNorm1d`, `2d` or `3d` by the rank of the input."""
    axes = axis.known if isinstance(axis.known, (list, tuple)) else [axis.known]
    if [a % call.rank for a in axes] != [call.rank - 1]:
        raise Decline("an axis other than the last")
    if renorm.known or synchronized.known or call.rank > 5:
        raise Decline("renorm, synchronized, or a rank above 5")
    statistics_start(moving_mean_initializer, moving_variance_initializer)
    weights = Weights(params=(("moving_mean", "running_mean", ""), ("moving_variance", "running_var", "")))
    plain = not center.known and not scale.known
    if not plain:
        weights = (
            affine(
                scale,
                center,
                gamma_initializer,
                beta_initializer,
                gamma_regularizer,
                beta_regularizer,
                gamma_constraint,
                beta_constraint,
            )
            + weights
        )
    dims = max(call.rank - 2, 1)
    options = f"eps={_epsilon(epsilon)}, momentum={_kept(momentum)}" + (", affine=False" if plain else "")
    biased = call.exact and (call.keras == 3 or call.rank != 4)  # Keras 2's fused kernel has the unbiased variance
    return LayerCode(
        module=f"{'' if biased else 'nn.'}BatchNorm{dims}d({call.features}, {options})",
        forward="{self}({x})",
        stem="bn",
        layout="nchw" if call.rank > 2 else "last",
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=(*weights.helpers, BATCH_NORMS[dims]) if biased else weights.helpers,
        gaps=() if biased else ("batchnorm-variance",),
    )


def _batch_norm(dims: int) -> Helper:
    return Helper(
        f"BatchNorm{dims}d",
        f'''class BatchNorm{dims}d(nn.BatchNorm{dims}d):
    """Batch normalisation whose running variance takes that of the batch as it is, not n / (n - 1) of it."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        variance, mean = torch.var_mean(x.detach(), dim=[d for d in range(x.ndim) if d != 1], correction=0)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
''',
        ("import torch", "import torch.nn.functional as F", "from torch import nn"),
    )


BATCH_NORMS = {dims: _batch_norm(dims) for dims in (1, 2, 3)}


def statistics_start(mean: LayerArg, variance: LayerArg) -> None:
    """Declines running statistics that do not start at 0 and 1."""
    if mean.known not in ("zeros", None) or variance.known not in ("ones", None):
        raise Decline("running statistics that do not start at 0 and 1")


def affine(scale, center, gamma, beta, gamma_reg, beta_reg, gamma_con, beta_con) -> Weights:
    """Scale and shift; one that Keras leaves out is fixed at 1 or 0. Initial ones are torch's own."""
    made = Weights()
    if scale.known:
        made += _default_start(weight("gamma", "weight", "", gamma, gamma_reg, gamma_con), gamma, "ones")
    else:
        made += _frozen("weight", "ones_")
    if center.known:
        made += _default_start(weight("beta", "bias", "", beta, beta_reg, beta_con), beta, "zeros")
    else:
        made += _frozen("bias", "zeros_")
    return made


def _default_start(made: Weights, initial: LayerArg, own: str) -> Weights:
    """torch starts at ones and zeros by itself: nothing to write."""
    if initial.is_known and initial.known == own:
        return replace(made, init=())
    return made


@layer(
    "tf.keras.layers.LayerNormalization",
    samples=[
        S(f32(4, 3)),
        S(f32(2, 5, 3), epsilon=1e-6),
        S(f32(2, 5, 3), axis=-1, center=False),
        declines(f32(2, 5, 3), axis=1),
    ],
)
def layer_normalization(
    axis=-1,
    epsilon=0.001,
    center=True,
    scale=True,
    beta_initializer="zeros",
    gamma_initializer="ones",
    beta_regularizer=None,
    gamma_regularizer=None,
    beta_constraint=None,
    gamma_constraint=None,
    rms_scaling=False,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.LayerNorm` over the last axis."""
    axes = axis.known if isinstance(axis.known, (list, tuple)) else [axis.known]
    if axes != [-1] and [a % call.rank for a in axes] != [call.rank - 1]:
        raise Decline("axes other than the last")
    if rms_scaling.known:
        raise Decline("`rms_scaling`")
    options, weights = "", Weights()
    if not scale.known and not center.known:
        options = ", elementwise_affine=False"
    elif not center.known:
        options = ", bias=False"
        weights = _default_start(
            weight("gamma", "weight", "", gamma_initializer, gamma_regularizer, gamma_constraint),
            gamma_initializer,
            "ones",
        )
    else:
        weights = affine(
            scale,
            center,
            gamma_initializer,
            beta_initializer,
            gamma_regularizer,
            beta_regularizer,
            gamma_constraint,
            beta_constraint,
        )
    return LayerCode(
        module=f"nn.LayerNorm({call.features}, eps={_epsilon(epsilon)}{options})",
        forward="{self}({x})",
        stem="norm",
        layout="last",
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=weights.helpers,
    )


@layer("tf.keras.layers.GroupNormalization", samples=[S(f32(2, 5, 6, 8), groups=4), S(f32(2, 5, 6, 4), -1)])
def group_normalization(
    groups=32,
    axis=-1,
    epsilon=0.001,
    center=True,
    scale=True,
    beta_initializer="zeros",
    gamma_initializer="ones",
    beta_regularizer=None,
    gamma_regularizer=None,
    beta_constraint=None,
    gamma_constraint=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.GroupNorm`."""
    if axis.known % call.rank != call.rank - 1 or call.rank < 3:
        raise Decline("an axis other than the last, or no spatial axes")
    weights, options = Weights(), ", affine=False"
    if scale.known or center.known:
        options = ""
        weights = affine(
            scale,
            center,
            gamma_initializer,
            beta_initializer,
            gamma_regularizer,
            beta_regularizer,
            gamma_constraint,
            beta_constraint,
        )
    number_of_groups = call.features if groups.is_known and groups.known == -1 else groups.text
    return LayerCode(
        module=f"nn.GroupNorm({number_of_groups}, {call.features}, eps={_epsilon(epsilon)}{options})",
        forward="{self}({x})",
        stem="norm",
        layout="nchw",
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=weights.helpers,
    )


@layer("tf.keras.layers.UnitNormalization", samples=[S(f32(4, 3)), S(f32(2, 5, 3)), declines(f32(2, 5, 3), axis=1)])
def unit_normalization(axis=-1, *, call: LayerCall) -> LayerCode:
    """`F.normalize`; its epsilon floors the norm, Keras's the squared norm."""
    if axis.known not in (-1, call.rank - 1):
        raise Decline("an axis other than the last")
    return LayerCode(None, "F.normalize({x}, dim=-1, eps=1e-6)", "x", layout="last")


@layer(
    "tf.keras.layers.RMSNormalization",
    samples=[S(f32(4, 3)), S(f32(2, 5, 3), epsilon=1e-3), declines(f32(2, 5, 3), axis=1)],
)
def rms_normalization(axis=-1, epsilon=1e-6, *, call: LayerCall) -> LayerCode:
    """`nn.RMSNorm`."""
    if axis.known not in (-1, call.rank - 1):
        raise Decline("an axis other than the last")
    return LayerCode(
        module=f"nn.RMSNorm({call.features}, eps={_epsilon(epsilon)})",
        forward="{self}({x})",
        stem="norm",
        layout="last",
        params=(("scale", "weight", ""),),
    )
