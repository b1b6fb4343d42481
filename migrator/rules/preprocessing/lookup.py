"""StringLookup and IntegerLookup: terms to ids and back."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import also_keras_2, method, rule
from migrator.rules.engine.samples import block, declined_block, i32, i64, no_grad
from migrator.rules.preprocessing import lookup_code
from migrator.rules.preprocessing.encoding import mode_of, no_extras

StringLookup, HashedStringLookup = lookup_code.StringLookup, lookup_code.HashedStringLookup
IntegerLookup = lookup_code.IntegerLookup
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")

_WORDS = '[["a", "b", "b", "z"], ["c", "a", "", "b"], ["é", "b", "zz", "[UNK]"]]'
_ASKED = '[["a", "b", ""], ["q", "é", "[UNK]"]]'


def _string(arguments: str, asked: str = _ASKED, data: str = _WORDS) -> Any:
    body = f"s = tf.keras.layers.StringLookup({arguments})\ns.adapt({data})\n"
    return no_grad(block(body + f"return s({asked}), [str(w) for w in s.get_vocabulary()], s.vocabulary_size()"))


def _known(arguments: str, asked: str = _ASKED) -> Any:
    body = f"s = tf.keras.layers.StringLookup({arguments})\nreturn s({asked}), s.vocabulary_size()"
    return no_grad(block(body))


_ABC = 'vocabulary=["a", "b", "c"]'


@rule(
    "tf.keras.layers.StringLookup",
    keras=3,
    samples=[
        _string(""),
        _string("mask_token=''"),
        _string("max_tokens=4, oov_token='[UNK]', name='s'"),
        _string("", '"b"', '["x", "b", "b"]'),
        _string("", "np.array(['b', 'x'])", "np.array([['x', 'b'], ['b', 'a']])"),
        _string("num_oov_indices=2", '["b"]', '["x", "b", "b"]'),
        *(_string(f"output_mode='{mode}'") for mode in MODES if mode != "one_hot"),
        _string("output_mode='multi_hot', mask_token='', pad_to_max_tokens=True, max_tokens=9"),
        _string("output_mode='tf-idf', pad_to_max_tokens=True, max_tokens=9"),
        _known(_ABC),
        _known(f"{_ABC}, output_mode='one_hot'"),
        _known("vocabulary=np.array(['', '[UNK]', 'b']), mask_token=''"),
        _known(f"{_ABC}, num_oov_indices=3, mask_token=''", '["a", "zz", "yy", "x" * 70, "b", ""]'),
        _known(f"{_ABC}, num_oov_indices=5, salt=[133, 7]", '["a", "zz", "yy", "x" * 70, "b", ""]'),
        _known(f"{_ABC}, num_oov_indices=0", '["c", "a"]'),
        _known(f"{_ABC}, idf_weights=[0.5, 0.25, 2.0], output_mode='tf_idf'"),
        no_grad(block(f"s = tf.keras.layers.StringLookup({_ABC}, invert=True)\nreturn s([[1, 3], [0, 9]]).numpy()")),
        no_grad(
            block(
                f"s = tf.keras.layers.StringLookup({_ABC}, invert=True, mask_token='m')\nreturn s(a).numpy()",
                a=i64(2, 3, low=0, high=5),
            )
        ),
        no_grad(
            block(
                "s = tf.keras.layers.StringLookup()\ns.set_vocabulary(['x', 'y'])\n"
                "return s(['y', 'n']), s.get_vocabulary(), s.get_vocabulary(include_special_tokens=False)"
            )
        ),
        declined_block(
            "return tf.keras.layers.StringLookup(sparse=True, output_mode='count', vocabulary=['a'])(['a'])"
        ),
    ],
)
def string_lookup(
    max_tokens=None,
    num_oov_indices=1,
    mask_token=None,
    oov_token="[UNK]",
    vocabulary=None,
    idf_weights=None,
    invert=False,
    output_mode="int",
    pad_to_max_tokens=False,
    sparse=False,
    encoding="utf-8",
    name=None,
    salt=None,
    *,
    dtype=None,
):
    mode = mode_of(output_mode, MODES)
    no_extras(sparse=sparse, dtype=dtype)
    if encoding != "utf-8":
        raise Decline("another encoding than UTF-8")
    key = salted(salt)
    if num_oov_indices in (0, 1):
        return StringLookup(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=mode,
            pad_to_max_tokens=pad_to_max_tokens,
        )
    return HashedStringLookup(
        max_tokens=max_tokens,
        num_oov_indices=num_oov_indices,
        mask_token=mask_token,
        oov_token=oov_token,
        vocabulary=vocabulary,
        idf_weights=idf_weights,
        invert=invert,
        output_mode=mode,
        pad_to_max_tokens=pad_to_max_tokens,
        salt=key,
    )


_LOOKED = (
    "s = tf.keras.layers.IntegerLookup({})\n{}\nreturn s(a), [int(n) for n in s.get_vocabulary()], s.vocabulary_size()"
)


def _integer(arguments: str, first: str = "s.adapt(b)") -> Any:
    return no_grad(block(_LOOKED.format(arguments, first), a=i64(2, 5), b=i64(4, 3)))


_NUMBERS = "vocabulary=[3, -2, 5]"
_LAYER = "tf.keras.layers.IntegerLookup"


@rule(
    _LAYER,
    keras=3,
    samples=[
        _integer(""),
        _integer("mask_token=0"),
        _integer("max_tokens=4, name='s'"),
        *(_integer(f"output_mode='{mode}'") for mode in ("one_hot", "multi_hot", "count", "tf_idf")),
        _integer(_NUMBERS, "s"),
        _integer(f"{_NUMBERS}, num_oov_indices=3, mask_token=4", "s"),
        _integer(f"{_NUMBERS}, output_mode='multi_hot', mask_token=4", "s"),
        no_grad(block(f"return {_LAYER}(vocabulary=[7, 9], invert=True)(a)", a=i64(2, 3, low=0, high=5))),
        no_grad(block(f"return {_LAYER}(vocabulary=[7, 9])([9, 8])")),
        no_grad(block(f"return {_LAYER}(vocabulary=[1, 2])(a)", a=i32(2, 3))),
        declined_block(f"return {_LAYER}(vocabulary=[1], oov_method='farmhash')(a)", a=i64(3)),
    ],
)
def integer_lookup(
    max_tokens=None,
    num_oov_indices=1,
    mask_token=None,
    oov_token=-1,
    vocabulary=None,
    vocabulary_dtype="int64",
    idf_weights=None,
    invert=False,
    output_mode="int",
    sparse=False,
    pad_to_max_tokens=False,
    oov_method="floormod",
    salt=None,
    name=None,
    *,
    dtype=None,
):
    mode = mode_of(output_mode, MODES)
    no_extras(sparse=sparse, salt=salt, dtype=dtype)
    if oov_method != "floormod" or vocabulary_dtype != "int64":
        raise Decline("unknown numbers by their hash, or of another dtype")
    return IntegerLookup(
        max_tokens=max_tokens,
        num_oov_indices=num_oov_indices,
        mask_token=mask_token,
        oov_token=oov_token,
        vocabulary=vocabulary,
        idf_weights=idf_weights,
        invert=invert,
        output_mode=mode,
        pad_to_max_tokens=pad_to_max_tokens,
    )


def salted(salt: object) -> list[object] | None:
    """The key of a hash: two numbers, or one for both places. Raises `Decline` where that is not known."""
    if salt is None:
        return None
    if isinstance(salt, (list, tuple)):
        return list(salt)
    if not isinstance(salt, int):
        raise Decline("`salt` must be known when rewriting")
    return [salt, salt]


for _name in ("StringLookup", "IntegerLookup", "TextVectorization"):
    _api = f"tf.keras.layers.{_name}"

    @method(f"{_api}.get_vocabulary", samples=())
    def get_vocabulary(self, include_special_tokens=True):
        return self.get_vocabulary() if include_special_tokens is True else self.get_vocabulary(include_special_tokens)

    @method(f"{_api}.vocabulary_size", samples=())
    def vocabulary_size(self):
        return self.vocabulary_size()

    @method(f"{_api}.set_vocabulary", samples=())
    def set_vocabulary(self, vocabulary, idf_weights=None):
        return self.set_vocabulary(vocabulary) if idf_weights is None else self.set_vocabulary(vocabulary, idf_weights)

    if _name != "TextVectorization":

        @method(f"{_api}.adapt", samples=())
        def adapt(self, data, steps=None):
            return self.adapt(data) if steps is None else self.adapt(data, steps=steps)


@method("tf.keras.layers.TextVectorization.adapt", samples=())
def adapt_texts(self, data, batch_size: Ignored = None, steps=None):
    return self.adapt(data) if steps is None else self.adapt(data, steps=steps)


also_keras_2("tf.keras.layers.StringLookup", MODES=("int",))  # there only ids have this type


also_keras_2("tf.keras.layers.IntegerLookup", MODES=("int",))  # there only ids have this type
