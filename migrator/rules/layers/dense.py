"""Dense and Embedding."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, i32
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.weights import bias_argument, bias_weights, weight
from migrator.values import Tensor


@layer(
    "tf.keras.layers.Dense",
    samples=[
        S(f32(2, 3), 4),
        S(f32(2, 3), 4, activation="relu"),
        S(f32(2, 5, 3), 4, "softmax", use_bias=False, kernel_initializer="he_normal"),
        S(f32(2, 3), 4, kernel_regularizer="l2", bias_initializer="ones"),
        declines(f32(2, 3), 4, lora_rank=2),
    ],
)
def dense(
    units,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    lora_rank=None,
    lora_alpha=None,
    quantization_config=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Linear`, on the last axis."""
    no_extras(lora_rank, quantization_config)
    weights = weight("kernel", "weight", "T", kernel_initializer, kernel_regularizer, kernel_constraint)
    weights += bias_weights(use_bias, bias_initializer, bias_regularizer, bias_constraint)
    template, name = activation_of(activation, call)
    return LayerCode(
        module=f"nn.Linear({call.features}, {units.text}{bias_argument(use_bias)})",
        forward="{self}({x})",
        stem="fc",
        layout="last",
        activation=template,
        activation_name=name,
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=weights.helpers,
    )


def no_extras(*args) -> None:
    """Declines arguments that torch has no place for."""
    for arg in args:
        if arg.known is not None:
            raise Decline(f"`{arg.name}` is given")


@layer(
    "tf.keras.layers.Embedding",
    samples=[S(i32(2, 5, low=0, high=7), 7, 4), S(i32(2, 5, low=0, high=7), 7, 4, mask_zero=True)],
)
def embedding(
    input_dim,
    output_dim,
    embeddings_initializer="uniform",
    embeddings_regularizer=None,
    embeddings_constraint=None,
    mask_zero=False,
    weights=None,
    lora_rank=None,
    lora_alpha=None,
    quantization_config=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Embedding`; Keras turns any input into integers."""
    no_extras(weights, lora_rank, quantization_config)
    how = (embeddings_initializer, embeddings_regularizer, embeddings_constraint)
    own = weight("embeddings", "weight", "", *how, rank=2)
    integers = any(isinstance(v, Tensor) and (v.dtype or "").startswith(("int", "uint")) for v in call.inputs)
    return LayerCode(
        module=f"nn.Embedding({input_dim.text}, {output_dim.text})",
        forward="{self}({x})" if integers else "{self}({x}.long())",
        stem="embedding",
        layout="last",
        init=own.init,
        penalty=own.penalty,
        constraint=own.constraint,
        params=own.params,
        helpers=own.helpers,
        mask="{x} != 0" if mask_zero.known else None,  # no padding_idx: the row of id 0 is an ordinary weight
    )


@layer("tf.keras.layers.Masking", samples=[S(f32(2, 5, 3)), S(f32(2, 5, 3), mask_value=-1.0)])
def masking(mask_value=0.0, *, call: LayerCall) -> LayerCode:
    """Zeros at the steps whose features all have the value, which are masked in what follows."""
    steps = f"({{x}} != {mask_value.text}).any(dim=-1{{keep}})"
    return LayerCode(
        module=None,
        forward=f"{{x}} * {steps.replace('{keep}', ', keepdim=True')}",
        stem="masked",
        layout="last",
        mask=steps.replace("{keep}", ""),
    )
