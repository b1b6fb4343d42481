"""`nn.functional.relu` where the customary `F` is a name of the file or the unit, such as a number of features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Draft
from migrator.codemods.nodes import find
from migrator.codemods.units import Segment

IMPORT = "import torch.nn.functional as F"
_NAMES = """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d batch_norm binary_cross_entropy
    binary_cross_entropy_with_logits celu conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    cosine_similarity cross_entropy ctc_loss dropout elu embedding gelu glu grid_sample hardshrink hardsigmoid hardswish
    hardtanh huber_loss interpolate kl_div l1_loss leaky_relu linear local_response_norm log_softmax logsigmoid
    max_pool1d max_pool2d max_pool3d mish mse_loss nll_loss normalize one_hot pad poisson_nll_loss relu relu6
    scaled_dot_product_attention selu silu softmax softplus softshrink softsign tanhshrink threshold unfold
"""
FUNCTIONS = frozenset(_NAMES.split())
"""What generated code calls of `torch.nn.functional`. None of it is written as a method of a tensor: those that a
rule writes for a tensor named F are never taken for it."""


def spelled_out(draft: Draft, seg: Segment) -> Draft:
    """The draft of a unit (`seg` is its original) without `F` for `torch.nn.functional`.

    It stays as it is where the original reads an attribute of that name off its own `F`.
    """
    own = {a.attr.value for statement in seg.statements for a in find(statement, _OF_F) if isinstance(a, cst.Attribute)}
    try:
        texts = [_without(text, own) for text in (draft.text, draft.hoisted)]
    except (cst.ParserSyntaxError, _Ambiguous):
        return draft
    imports = (draft.imports - {IMPORT}) | {"from torch import nn"}
    return replace(draft, text=texts[0], hoisted=texts[1], imports=imports)


_OF_F = m.Attribute(value=m.Name("F"))


class _Ambiguous(Exception):
    """`F.pad` that may be the original's own."""


def _without(text: str, own: Collection[str]) -> str:
    return cst.parse_module(text).visit(_SpellOut(own)).code


class _SpellOut(cst.CSTTransformer):
    def __init__(self, own: Collection[str]) -> None:
        self.own = own

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        if not m.matches(original_node, _OF_F) or original_node.attr.value not in FUNCTIONS:
            return updated_node
        if original_node.attr.value in self.own:
            raise _Ambiguous
        return updated_node.with_changes(value=cst.Attribute(cst.Name("nn"), cst.Name("functional")))
