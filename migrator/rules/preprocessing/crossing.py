"""HashedCrossing: terms of several features to one id by the hash of them all."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import block, declined_block, no_grad
from migrator.rules.preprocessing.encoding import encode_ids, mode_of, no_extras
from migrator.rules.preprocessing.hash_code import fingerprint64

fingerprint_cat64: Any = Helper(
    "fingerprint_cat64",
    '''def fingerprint_cat64(first, second):
    """Two hashes of 64 bits as one, as TensorFlow crosses features."""
    bits, factor = (1 << 64) - 1, 0xC6A4A7935BD1E995
    second = second * factor & bits
    code = (first ^ factor ^ (second ^ second >> 47) * factor & bits) * factor & bits
    code = (code ^ code >> 47) * factor & bits
    return code ^ code >> 47
''',
)
HashedCrossing: Any = Helper(
    "HashedCrossing",
    '''class HashedCrossing:
    """Terms of several features as one id, by the hash of all of them together."""

    def __init__(self, num_bins, output_mode="int"):
        self.num_bins, self.output_mode = num_bins, output_mode

    def id_of(self, terms):
        code = 0xDECAFCAFFE
        for term in terms:
            term = term.encode() if isinstance(term, str) else term
            own = fingerprint64(term) if isinstance(term, bytes) else term % (1 << 64)
            code = fingerprint_cat64(code, own)
        return code % self.num_bins

    def __call__(self, inputs):
        features = [np.asarray(feature) for feature in inputs]
        rows = zip(*(feature.ravel().tolist() for feature in features))
        ids = torch.tensor([self.id_of(row) for row in rows], dtype=torch.long).reshape(features[0].shape)
        found = encode_ids(ids, self.num_bins, self.output_mode)
        return found if self.output_mode == "int" else found.float()
''',
    ("import numpy as np", "import torch"),
    (encode_ids, fingerprint64, fingerprint_cat64),
)
_TERMS = 'np.array(["A", "é", "a long word of more than thirty-two letters"])'
_NUMBERS = "np.array([101, -5, 7])"


def _crossed(arguments: str, *features: str) -> Any:
    return no_grad(block(f"c = tf.keras.layers.HashedCrossing({arguments})\nreturn c(({', '.join(features)}))"))


@rule(
    "tf.keras.layers.HashedCrossing",
    keras=3,
    samples=[
        _crossed("5", _TERMS, _NUMBERS),
        _crossed("num_bins=1000, name='c'", _NUMBERS, _TERMS, _TERMS),
        _crossed("1000", _NUMBERS, _NUMBERS),
        _crossed("4, output_mode='one_hot'", _TERMS, _NUMBERS),
        _crossed("7", f"{_TERMS}[:, None]", f"{_NUMBERS}[:, None]"),
        _crossed("4, 'one_hot'", f"{_TERMS}[:, None]", f"{_NUMBERS}[:, None]"),
        declined_block(f"return tf.keras.layers.HashedCrossing(4, 'one_hot', sparse=True)(({_TERMS}, {_NUMBERS}))"),
    ],
)
def hashed_crossing(num_bins, output_mode="int", sparse=False, name=None, dtype=None):
    mode = mode_of(output_mode, ("int", "one_hot"))
    no_extras(sparse=sparse)
    if dtype is not None and dtype != "int64":
        raise Decline("a dtype is given")
    return HashedCrossing(num_bins, output_mode=mode)
