"""Hashing: terms to one of a few ids."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import also_keras_2, rule
from migrator.rules.engine.samples import block, declined_block, f32, i64, no_grad
from migrator.rules.preprocessing.encoding import encode_ids, mode_of, no_extras
from migrator.rules.preprocessing.hash_code import fingerprint64, siphash64
from migrator.rules.preprocessing.lookup import salted

_SOURCE = '''class {name}:
    """Terms as ids by their hash; the mask, where there is one, is 0."""

    def __init__(self, num_bins, mask_value=None, output_mode="int"{more}):
        self.num_bins, self.mask_value, self.output_mode = num_bins, mask_value, output_mode{kept}

    def id_of(self, term):
        if isinstance(term, (int, float)):
            term = int(term) if self.mask_value is None else term
        masked = self.mask_value is not None and term == self.mask_value
        term = str(int(term)) if isinstance(term, (int, float)) else term
        code = {code}(term.encode() if isinstance(term, str) else term{key})
        if self.mask_value is None or self.num_bins == 1:
            return code % self.num_bins
        return 0 if masked else 1 + code % (self.num_bins - 1)

    def __call__(self, inputs):
        place = inputs.device if isinstance(inputs, torch.Tensor) else None
        terms = inputs.cpu().numpy() if isinstance(inputs, torch.Tensor) else inputs
        terms = terms if isinstance(terms, np.ndarray) else np.array(terms, dtype=object)
        ids = torch.tensor([self.id_of(t) for t in terms.ravel().tolist()], dtype=torch.long, device=place)
        found = encode_ids(ids.reshape(terms.shape), self.num_bins, self.output_mode)
        return found if self.output_mode == "int" else found.float()
'''
Hashing: Any = Helper(
    "Hashing",
    _SOURCE.format(name="Hashing", more="", kept="", code="fingerprint64", key=""),
    ("import numpy as np", "import torch"),
    (encode_ids, fingerprint64),
)
SaltedHashing: Any = Helper(
    "SaltedHashing",
    _SOURCE.format(
        name="SaltedHashing",
        more=", salt=(0, 0)",
        kept="\n        self.salt = salt",
        code="siphash64",
        key=", self.salt",
    ),
    ("import numpy as np", "import torch"),
    (encode_ids, siphash64),
)

_TERMS = '[["A", "b"], ["", "a long word of more than thirty-two letters"], ["é", "A"]]'


def _hashed(arguments: str, terms: str = _TERMS) -> Any:
    return no_grad(block(f"h = tf.keras.layers.Hashing({arguments})\nreturn h({terms})"))


MODES = ("int", "one_hot", "multi_hot", "count")


@rule(
    "tf.keras.layers.Hashing",
    keras=3,
    samples=[
        _hashed("3"),
        _hashed("num_bins=5, mask_value='', name='h'"),
        _hashed("7, salt=133"),
        _hashed("7, salt=[133, 137], mask_value='A'"),
        _hashed("4, output_mode='one_hot'"),
        _hashed("4, output_mode='multi_hot'"),
        _hashed("4, salt=1, output_mode='count'"),
        _hashed("1"),
        _hashed("5", "'abc'"),
        _hashed("5", "np.array([1, -22, 333])"),
        no_grad(block("return tf.keras.layers.Hashing(5, mask_value=0)(a)", a=i64(4, 3))),
        no_grad(block("return tf.keras.layers.Hashing(5)(a)", a=f32(4, 3))),
        declined_block("return tf.keras.layers.Hashing(4, sparse=True, output_mode='count')(['a'])"),
    ],
)
def hashing(num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, *, name=None, dtype=None):
    mode = mode_of(output_mode, MODES)
    no_extras(sparse=sparse)
    if dtype is not None and dtype != "int64":
        raise Decline("a dtype is given")
    key = salted(salt)
    if key is None:
        return Hashing(num_bins, mask_value=mask_value, output_mode=mode)
    return SaltedHashing(num_bins, mask_value=mask_value, output_mode=mode, salt=key)


also_keras_2("tf.keras.layers.Hashing", MODES=("int",))  # there only ids have this type
