"""Ids as marks or counts: CategoryEncoding, and what the other layers share with it."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import block, declined_block, f32, i32, i64, no_grad

encode_ids: Any = Helper(
    "encode_ids",
    '''def encode_ids(ids, depth, mode):
    """Ids as they are ("int"), or one-hot rows, marks or counts of them over the samples' axis; others are left out."""
    if mode == "int":
        return ids
    ids = ids.reshape(1) if ids.dim() == 0 else ids
    if mode == "one_hot" and ids.dim() > 1 and ids.shape[-1] == 1:
        ids = ids.squeeze(-1)
    hits = (ids[..., None] == torch.arange(depth, device=ids.device)).long()
    if mode == "one_hot":
        return hits
    axis = min(ids.dim() - 1, 1)
    return hits.sum(dim=axis) if mode == "count" else hits.any(dim=axis).long()
''',
    ("import torch",),
)

CategoryEncoding: Any = Helper(
    "CategoryEncoding",
    '''class CategoryEncoding(nn.Module):
    """Classes as one-hot rows, marks or counts."""

    def __init__(self, num_tokens, output_mode="multi_hot"):
        super().__init__()
        self.num_tokens, self.output_mode = num_tokens, output_mode

    def forward(self, inputs, count_weights=None):
        ids = torch.as_tensor(inputs).long()
        if count_weights is None:
            return encode_ids(ids, self.num_tokens, self.output_mode).float()
        hits = (ids[..., None] == torch.arange(self.num_tokens, device=ids.device)).float()
        return (hits * torch.as_tensor(count_weights).float()[..., None]).sum(dim=min(ids.dim() - 1, 1))
''',
    ("import torch", "from torch import nn"),
    (encode_ids,),
)


def mode_of(output_mode: object, allowed: tuple[str, ...]) -> str:
    """The output mode by its name of today. Raises `Decline` for one that is not known."""
    found = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(str(output_mode), output_mode)
    if not isinstance(found, str) or found not in allowed:
        raise Decline("the output mode is not known")
    return found


def no_extras(**given: object) -> None:
    """Declines arguments of every layer that a plain object has no place for."""
    for name, value in given.items():
        if value not in (None, False):
            raise Decline(f"`{name}` is given")


def float_only(dtype: object) -> None:
    """Declines another dtype than Keras's own."""
    if dtype not in (None, "float32"):
        raise Decline("a dtype is given")


_IDS = i32(2, 3, low=0, high=4)


def _uses(mode: str) -> Any:
    body = f"e = tf.keras.layers.CategoryEncoding(num_tokens=4, output_mode='{mode}')\nreturn e(a), e([2, 1]), e(3)"
    return no_grad(block(body, a=_IDS))


@rule(
    "tf.keras.layers.CategoryEncoding",
    keras=3,
    samples=[
        *map(_uses, ("multi_hot", "one_hot", "count", "binary")),
        no_grad(block("return tf.keras.layers.CategoryEncoding(4)(a)", a=i64(2, 3, 3, low=0, high=4))),
        no_grad(block("return tf.keras.layers.CategoryEncoding(3)(a)", a=i64(2, 3, low=0, high=6))),
        no_grad(block("return tf.keras.layers.CategoryEncoding(5, 'one_hot')([[4], [0]])")),
        no_grad(
            block(
                "return tf.keras.layers.CategoryEncoding(4, output_mode='count')(a, count_weights=w)",
                a=_IDS,
                w=f32(2, 3),
            )
        ),
        declined_block("return tf.keras.layers.CategoryEncoding(4, sparse=True)(a)", a=_IDS),
    ],
)
def category_encoding(
    num_tokens=None, output_mode="multi_hot", sparse=False, *, name=None, dtype=None, input_shape: Ignored = None
):
    mode = mode_of(output_mode, ("multi_hot", "one_hot", "count"))
    no_extras(sparse=sparse)
    float_only(dtype)
    return CategoryEncoding(num_tokens, output_mode=mode)
