"""GroupQueryAttention: heads of queries that share heads of keys and values."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, boolean, declines, f32, src
from migrator.rules.layers.attention import option, projections
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.weights import value_of
from migrator.values import Literal

GROUPED = Helper(
    "GroupQueryAttention",
    '''class GroupQueryAttention(nn.Module):
    """Attention whose query heads share key and value heads; a mask is true where a query may look at a value."""

    def __init__(
        self, query_size, value_size, head_dim, num_query_heads, num_key_value_heads, key_size=None, dropout=0.0,
        bias=True,
    ):
        super().__init__()
        self.head_dim, self.dropout = head_dim, dropout
        self.shared_by = num_query_heads // num_key_value_heads
        self.query = nn.Linear(query_size, num_query_heads * head_dim, bias=bias)
        self.key = nn.Linear(key_size or value_size, num_key_value_heads * head_dim, bias=bias)
        self.value = nn.Linear(value_size, num_key_value_heads * head_dim, bias=bias)
        self.output = nn.Linear(num_query_heads * head_dim, query_size, bias=bias)
        self.reset_parameters()

    def reset_parameters(self):
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, query, value, key=None, attention_mask=None, is_causal=False, return_scores=False):
        projected = (self.query(query), self.key(value if key is None else key), self.value(value))
        q, k, v = (x.unflatten(-1, (-1, self.head_dim)).transpose(-3, -2) for x in projected)
        k, v = (x.repeat_interleave(self.shared_by, dim=-3) for x in (k, v))
        scores = q @ k.transpose(-2, -1) / self.head_dim**0.5
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
_SELF = src("(x, x)", x=f32(2, 4, 6))
_KEYS = src("(q, v, k)", q=f32(2, 4, 6), v=f32(2, 5, 3), k=f32(2, 5, 2))
_MASKED = src("(q, v, dict(attention_mask=m))", q=f32(2, 4, 6), v=f32(2, 5, 3), m=boolean(2, 4, 5))
_SCORES = src(
    "(q, v, dict(attention_mask=m, return_attention_scores=True))", q=f32(2, 4, 6), v=f32(2, 5, 3), m=boolean(2, 4, 5)
)
_CAUSAL = src("(x, x, dict(use_causal_mask=True))", x=f32(2, 4, 6))
_FORM = CallForm(
    (
        "query",
        "value",
        "key",
        "query_mask",
        "value_mask",
        "key_mask",
        "attention_mask",
        "return_attention_scores",
        "training",
        "use_causal_mask",
    ),
    "{self}({x}, {given_value}, {given_key}, attention_mask={given_attention_mask}, "
    "is_causal={given_use_causal_mask}, return_scores={given_return_attention_scores})",
    tuple((n, "{v}") for n in ("value", "key", "attention_mask", "use_causal_mask", "return_attention_scores")),
)


@layer(
    "tf.keras.layers.GroupQueryAttention",
    samples=[
        S(_SELF, 3, 4, 2),
        S(_KEYS, head_dim=2, num_query_heads=6, num_key_value_heads=3, use_bias=False),
        S(_MASKED, 3, 4, 1),
        S(_SCORES, 3, 4, 2, kernel_initializer="he_normal", kernel_regularizer="l2"),
        S(_CAUSAL, 3, 4, 4),
        declines(_SELF, 3, 4, 2, use_gate=True),
        declines(_SELF, 3, 4, 2, sliding_window=2),
    ],
)
def group_query_attention(
    head_dim,
    num_query_heads,
    num_key_value_heads,
    dropout=0.0,
    use_bias=True,
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
    if sliding_window.known is not None or use_gate.known:
        raise Decline("a sliding window, or a gate")
    if call.rank != 3 or len(call.inputs) < 2:
        raise Decline("inputs that are not [batch, time, features], a query and a value")
    kernels = (kernel_initializer, kernel_regularizer, kernel_constraint)
    biases = (bias_initializer, bias_regularizer, bias_constraint)
    weights = projections((num_query_heads, num_key_value_heads), kernels, biases, bool(use_bias.known), call.keras)
    usual = value_of(kernel_initializer) == Literal("glorot_uniform") and value_of(bias_initializer) == Literal("zeros")
    heads = ", ".join(f"{arg.name}={arg.text}" for arg in (head_dim, num_query_heads, num_key_value_heads))
    keys = call.features_of(min(2, len(call.inputs) - 1))
    options = [
        "" if keys == call.features_of(1) else f", key_size={keys}",
        option("dropout", dropout, 0.0),
        option("bias", use_bias, True),
    ]
    return LayerCode(
        module=f"{GROUPED.name}({call.features_of(0)}, {call.features_of(1)}, {heads}{''.join(options)})",
        forward="{self}({x}, {x})",
        stem="attention",
        layout="last",
        init=() if usual else weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=(GROUPED, *(() if usual else weights.helpers)),
        form=_FORM,
    )
