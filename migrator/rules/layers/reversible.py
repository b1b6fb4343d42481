"""ReversibleEmbedding: an embedding that also goes back from features to ids."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, i32, src
from migrator.rules.layers.attention import option
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.dense import no_extras
from migrator.rules.layers.weights import weight

REVERSIBLE = Helper(
    "ReversibleEmbedding",
    '''class ReversibleEmbedding(nn.Module):
    """An embedding; in reverse it gives the logits of the ids, by the same weight where `tie_weights`."""

    def __init__(self, num_embeddings, embedding_dim, tie_weights=True, logit_soft_cap=None):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim))
        self.reverse_weight = None if tie_weights else nn.Parameter(torch.empty(num_embeddings, embedding_dim))
        self.logit_soft_cap = logit_soft_cap

    def forward(self, x, reverse=False):
        if not reverse:
            return F.embedding(x.long(), self.weight)
        logits = F.linear(x, self.weight if self.reverse_weight is None else self.reverse_weight)
        cap = self.logit_soft_cap
        return logits if cap is None else cap * torch.tanh(logits / cap)
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
_IDS = i32(2, 5, low=0, high=7)
_BACK = src("(x, dict(reverse=True))", x=f32(2, 5, 4))


@layer(
    "tf.keras.layers.ReversibleEmbedding",
    samples=[
        S(_IDS, 7, 4),
        S(_BACK, 7, 4, logit_soft_cap=2.0),
        S(_BACK, 7, 4, False, "normal", "l2"),
        declines(_IDS, 7, 4, reverse_dtype="float16"),
    ],
)
def reversible_embedding(
    input_dim,
    output_dim,
    tie_weights=True,
    embeddings_initializer="uniform",
    embeddings_regularizer=None,
    embeddings_constraint=None,
    mask_zero=False,
    reverse_dtype=None,
    logit_soft_cap=None,
    weights=None,
    lora_rank=None,
    lora_alpha=None,
    quantization_config=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module around one weight, or two."""
    no_extras(reverse_dtype, weights, lora_rank, quantization_config)
    if mask_zero.known:
        raise Decline("`mask_zero`, which holds for one of its directions")
    own = weight(
        "embeddings", "weight", "", embeddings_initializer, embeddings_regularizer, embeddings_constraint, rank=2
    )
    if not tie_weights.known:
        own += weight("reverse_embeddings", "reverse_weight", "T", embeddings_initializer)
    options = option("tie_weights", tie_weights, True) + option("logit_soft_cap", logit_soft_cap, None)
    back = CallForm(("inputs", "reverse"), "{self}({x}, reverse={given_reverse})", (("reverse", "{v}"),))
    return LayerCode(
        module=f"{REVERSIBLE.name}({input_dim.text}, {output_dim.text}{options})",
        forward="{self}({x})",
        stem="embedding",
        layout="last",
        init=own.init,
        penalty=own.penalty,
        constraint=own.constraint,
        params=own.params,
        helpers=(REVERSIBLE, *own.helpers),
        form=back,
    )
