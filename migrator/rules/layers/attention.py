"""Attention, as small modules: nn.MultiheadAttention has neither Keras's head sizes nor its masks."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from dataclasses import replace

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.initializers import goes_by_fans, no_orthogonal
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.weights import Weights, value_of, weight
from migrator.values import Literal

MULTI_HEAD = Helper(
    "MultiHeadAttention",
    '''class MultiHeadAttention(nn.Module):
    """Attention with heads of `key_dim` features; a mask is true where a query may look at a value."""

    def __init__(
        self, query_size, value_size, num_heads, key_dim, value_dim=None, output_size=None, key_size=None,
        dropout=0.0, bias=True,
    ):
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        width = num_heads * (value_dim or key_dim)
        self.query = nn.Linear(query_size, num_heads * key_dim, bias=bias)
        self.key = nn.Linear(key_size or value_size, num_heads * key_dim, bias=bias)
        self.value = nn.Linear(value_size, width, bias=bias)
        self.output = nn.Linear(width, output_size or query_size, bias=bias)
        self.reset_parameters()

    def reset_parameters(self):
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, query, value, key=None, attention_mask=None, is_causal=False, return_scores=False):
        projected = (self.query(query), self.key(value if key is None else key), self.value(value))
        q, k, v = (x.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2) for x in projected)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        hidden = torch.zeros_like(scores, dtype=torch.bool)
        if attention_mask is not None:  # the same for all heads
            hidden = hidden | ~attention_mask.bool().unsqueeze(-3)
        if is_causal:
            hidden = hidden | torch.ones_like(hidden).triu(1)
        scores = F.softmax(scores.masked_fill(hidden, -1e9), dim=-1)
        if self.dropout or return_scores:  # here Keras gives zeros, not a mean, to a query that may look at nothing
            scores = scores.masked_fill(hidden, 0.0)
        attended = F.dropout(scores, self.dropout, self.training) @ v
        attended = self.output(attended.transpose(-3, -2).flatten(-2))
        return (attended, scores) if return_scores else attended
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
_BY_HEADS = (
    MULTI_HEAD.source.partition("        for layer in (self.query, self.key, self.value, self.output):")[0]
    + """        heads = (self.num_heads, -1)  # Keras 2 counts the fans on kernels that have an axis of heads
        for layer in (self.query, self.key, self.value):
            nn.init.xavier_uniform_(layer.weight.unflatten(0, heads).transpose(0, 1))
        nn.init.xavier_uniform_(self.output.weight.T.unflatten(0, heads).transpose(0, 2))
        for layer in (self.query, self.key, self.value, self.output):
"""
    + MULTI_HEAD.source.partition("            nn.init.xavier_uniform_(layer.weight)\n")[2]
)
MULTI_HEAD_2 = replace(MULTI_HEAD, source=_BY_HEADS)

_SELF = src("(x, x)", x=f32(2, 4, 6))
_CROSS = src("(q, v)", q=f32(2, 4, 6), v=f32(2, 5, 3))
_KEYS = src("(q, v, k)", q=f32(2, 4, 6), v=f32(2, 5, 3), k=f32(2, 5, 2))
_MASKED = src("(q, v, dict(attention_mask=m))", q=f32(2, 4, 6), v=f32(2, 5, 3), m=boolean(2, 4, 5))
_ROWS = src(
    "(q, v, dict(attention_mask=m, return_attention_scores=True))", q=f32(2, 4, 6), v=f32(2, 5, 3), m=boolean(2, 1, 5)
)
_CAUSAL = src("(x, x, dict(use_causal_mask=True))", x=f32(2, 4, 6))


@layer(
    "tf.keras.layers.MultiHeadAttention",
    samples=[
        S(_SELF, 2, 3),
        S(_SELF, num_heads=3, key_dim=4, value_dim=5, use_bias=False),
        S(_CROSS, 2, 3, output_shape=7),
        S(_KEYS, 2, 3),
        S(_MASKED, 2, 3),
        S(_ROWS, 2, 3, kernel_initializer="he_normal", kernel_regularizer="l2"),
        S(_CAUSAL, 2, 3),
        declines(_SELF, 2, 3, attention_axes=(1,)),
        declines(_SELF, 2, 3, kernel_constraint="unit_norm"),
        declines(_SELF, 2, 3, kernel_initializer="orthogonal"),
    ],
)
def multi_head_attention(
    num_heads,
    key_dim,
    value_dim=None,
    dropout=0.0,
    use_bias=True,
    output_shape=None,
    attention_axes=None,
    sliding_window=None,
    flash_attention=None,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    use_gate=False,
    seed=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """Four projections and a softmax."""
    for arg in (attention_axes, sliding_window, use_gate):
        if arg.known not in (None, False):
            raise Decline(f"`{arg.name}` is given")
    if output_shape.is_known and not isinstance(output_shape.known, (int, type(None))):
        raise Decline("an output of several axes")
    if call.rank != 3 or len(call.inputs) < 2:
        raise Decline("inputs that are not [batch, time, features], a query and a value")
    kernels = (kernel_initializer, kernel_regularizer, kernel_constraint)
    biases = (bias_initializer, bias_regularizer, bias_constraint)
    weights = projections((num_heads, num_heads), kernels, biases, bool(use_bias.known), call.keras)
    usual = value_of(kernel_initializer) == Literal("glorot_uniform") and value_of(bias_initializer) == Literal("zeros")
    sizes = f"{call.features_of(0)}, {call.features_of(1)}, {num_heads.text}, {key_dim.text}"
    keys = call.features_of(min(2, len(call.inputs) - 1))
    options = [
        option("value_dim", value_dim, None),
        option("output_size", output_shape, None),
        "" if keys == call.features_of(1) else f", key_size={keys}",
        option("dropout", dropout, 0.0),
        option("bias", use_bias, True),
    ]
    form = CallForm(
        (
            "query",
            "value",
            "key",
            *(("query_mask", "value_mask", "key_mask") if call.keras == 3 else ()),
            "attention_mask",
            "return_attention_scores",
            "training",
            "use_causal_mask",
        ),
        "{self}({x}, {given_value}, {given_key}, attention_mask={given_attention_mask}, "
        "is_causal={given_use_causal_mask}, return_scores={given_return_attention_scores})",
        (
            ("value", "{v}"),
            ("key", "{v}"),
            ("attention_mask", "{v}"),
            ("use_causal_mask", "{v}"),
            ("return_attention_scores", "{v}"),
        ),
    )
    return LayerCode(
        module=f"MultiHeadAttention({sizes}{''.join(options)})",
        forward="{self}({x}, {x})",
        stem="attention",
        layout="last",
        init=() if usual else weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=(MULTI_HEAD if call.keras == 3 else MULTI_HEAD_2, *(() if usual else weights.helpers)),
        form=form,
    )


def option(name: str, arg: LayerArg, default: object) -> str:
    """An argument behind others, where it is not the default."""
    return "" if arg.is_known and arg.known == default else f", {name}={arg.text}"


def projections(heads: tuple[LayerArg, LayerArg], kernels, biases, biased: bool, keras: int) -> Weights:
    """The weights of the four projections; `heads`: how many of queries, and of keys and values.

    Keras 3 counts the fans of all heads together; what else goes by the shape of a weight sees Keras's axes.
    """
    no_orthogonal(value_of(kernels[0]))
    plain = keras == 3 and goes_by_fans(value_of(kernels[0]))
    found = Weights()
    for name, count in zip(("query", "key", "value"), (heads[0], heads[1], heads[1]), strict=True):
        view = "" if plain else f".unflatten(0, ({count.text}, -1)).transpose(0, 1)"
        found += weight(f"{name}/kernel", f"{name}.weight", "merge(1) T", *kernels, view=view)
        if biased:
            found += weight(f"{name}/bias", f"{name}.bias", "merge(0)", *biases)
    view = "" if plain else f".T.unflatten(0, ({heads[0].text}, -1)).transpose(0, 2)"
    found += weight("attention_output/kernel", "output.weight", "merge(0) T", *kernels, view=view)
    return found + weight("attention_output/bias", "output.bias", "", *biases) if biased else found


DOT_ATTENTION = Helper(
    "DotAttention",
    '''class DotAttention(nn.Module):
    """Attention by the products of queries and keys, with a learned scale if asked for."""

    def __init__(self, use_scale=False, dropout=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(())) if use_scale else None
        self.dropout = dropout

    def forward(self, query, value, key=None):
        query = query if self.scale is None else self.scale * query
        weights = F.softmax(query @ (value if key is None else key).transpose(-2, -1), dim=-1)
        return F.dropout(weights, self.dropout, self.training) @ value
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
ADDITIVE_ATTENTION = Helper(
    "AdditiveAttention",
    '''class AdditiveAttention(nn.Module):
    """Attention by the weighted tanh of the sums of queries and keys."""

    def __init__(self, size, use_scale=True, dropout=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.empty(size)) if use_scale else None
        self.dropout = dropout

    def forward(self, query, value, key=None):
        sums = torch.tanh(query.unsqueeze(-2) + (value if key is None else key).unsqueeze(-3))
        scores = (sums if self.scale is None else self.scale * sums).sum(dim=-1)
        return F.dropout(F.softmax(scores, dim=-1), self.dropout, self.training) @ value
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
_PAIR = src("[q, v]", q=f32(2, 4, 3), v=f32(2, 5, 3))
_TRIPLE = src("[q, v, k]", q=f32(2, 4, 3), v=f32(2, 5, 2), k=f32(2, 5, 3))


def _attention(helper: Helper, call: LayerCall, *options: str) -> LayerCode:
    if len(call.inputs) not in (2, 3):
        raise Decline("a query and a value that are not known")
    given = ", ".join(f"{{x{i}}}" for i in range(len(call.inputs)))
    return LayerCode(
        module=f"{helper.name}({', '.join(o.removeprefix(', ') for o in options if o)})",
        forward=f"{{self}}({given})",
        stem="attention",
        layout="last",
        helpers=(helper,),
    )


@layer(
    "tf.keras.layers.Attention",
    samples=[S(_PAIR), S(_TRIPLE, use_scale=True), declines(_PAIR, score_mode="concat")],
)
def attention(use_scale=False, score_mode="dot", dropout=0.0, seed=None, *, call: LayerCall) -> LayerCode:
    """Products, a softmax, a mean."""
    if score_mode.known != "dot":
        raise Decline("scores other than products")
    made = _attention(DOT_ATTENTION, call, option("use_scale", use_scale, False), option("dropout", dropout, 0.0))
    return made if not use_scale.known else replace(made, params=(("scale", "scale", ""),))


@layer("tf.keras.layers.AdditiveAttention", samples=[S(_PAIR), S(_TRIPLE), S(_PAIR, use_scale=False)])
def additive_attention(use_scale=True, dropout=0.0, *, call: LayerCall) -> LayerCode:
    """Sums, tanh, a softmax, a mean."""
    size = call.features_of(0)
    made = _attention(
        ADDITIVE_ATTENTION, call, size, option("use_scale", use_scale, True), option("dropout", dropout, 0.0)
    )
    if not use_scale.known:
        return made
    # Glorot on a vector: Keras counts its size as both fans
    init = (f"nn.init.uniform_({{self}}.scale, -((3 / {size}) ** 0.5), (3 / {size}) ** 0.5)",)
    return replace(made, params=(("scale", "scale", ""),), init=init)
