"""TextVectorization: texts to ids of words."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import Any

from migrator.rules.engine.args import Dynamic
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import also_keras_2, rule
from migrator.rules.engine.samples import block, declined_block, no_grad
from migrator.rules.preprocessing import lookup_code
from migrator.rules.preprocessing.encoding import mode_of, no_extras
from migrator.values import RepoFunction

TextVectorization = lookup_code.TextVectorization
MODES = ("int", "multi_hot", "count", "tf_idf")

_TEXTS = """['The cat, the "dog"!', "a\\tB  Ärger\\xa0x", "it's [ok] \\\\ `so` the-end", "", "x"]"""
_ASKED = '["the dog it\'s", "Ärger zebra a b the cat ok so", ""]'
_USES = "v = tf.keras.layers.TextVectorization({})\nv.adapt({})\nreturn v({}), [str(w) for w in v.get_vocabulary()]"


_OWN = """def clean(texts):
    return tf.strings.regex_replace(tf.strings.lower(texts), '[aeiou]+', ' e')

v = tf.keras.layers.TextVectorization(standardize=clean, {})
v.adapt(["Hello A house", "b ou B"])
return v(["house B", "a"]), v("Hello"), [str(w) for w in v.get_vocabulary()]"""


def _adapted(arguments: str, asked: str = _ASKED, data: str = _TEXTS) -> Any:
    return no_grad(block(_USES.format(arguments, data, asked)))


@rule(
    "tf.keras.layers.TextVectorization",
    keras=3,
    samples=[
        _adapted(""),
        _adapted("max_tokens=6, output_sequence_length=4, name='v'"),
        _adapted("8, None, output_sequence_length=3"),
        _adapted("standardize='lower'"),
        _adapted("standardize='strip_punctuation', split='character'"),
        _adapted("split=None, output_sequence_length=2", '[["x", "", "the dog"], ["y", "x", "x"]]'),
        _adapted("split=None", '[["x"], ["y"]]', '[["x", "y", "y"]]'),
        _adapted("ngrams=2"),
        _adapted("ngrams=(1, 3), output_mode='count'"),
        *(_adapted(f"output_mode='{mode}'") for mode in ("multi_hot", "count", "tf_idf", "binary", "tf-idf")),
        _adapted("output_mode='tf_idf', max_tokens=20, pad_to_max_tokens=True"),
        _adapted("", '"the cat"'),
        _adapted("output_mode='multi_hot'", '"the cat"'),
        _adapted("", '[["the cat"], ["dog"]]', '[["the cat"], ["the dog"]]'),
        _adapted("", "np.array(['the', b'x'])", "np.array(['x', 'the the'])"),
        no_grad(
            block(
                "v = tf.keras.layers.TextVectorization(output_mode='int', vocabulary=['a', 'b'])\n"
                "return v(['b A c']), v.vocabulary_size(), v.get_vocabulary(False)"
            )
        ),
        no_grad(
            block(
                "v = tf.keras.layers.TextVectorization()\nv.set_vocabulary(['', '[UNK]', 'b'])\n"
                "return v(['b A c']), v.vocabulary_size(), v.get_vocabulary()"
            )
        ),
        no_grad(block(_OWN.format("output_sequence_length=5"))),
        no_grad(block(_OWN.format("output_mode='count'"))),
        declined_block("return tf.keras.layers.TextVectorization(ragged=True, vocabulary=['a'])(['a'])"),
        declined_block(
            "return tf.keras.layers.TextVectorization(standardize=tf.strings.lower, vocabulary=['a'])(['a'])"
        ),
        declined_block("return tf.keras.layers.TextVectorization(output_mode='one_hot', vocabulary=['a'])(['a'])"),
    ],
)
def text_vectorization(
    max_tokens=None,
    standardize="lower_and_strip_punctuation",
    split="whitespace",
    ngrams=None,
    output_mode="int",
    output_sequence_length=None,
    pad_to_max_tokens=False,
    vocabulary=None,
    idf_weights=None,
    sparse=False,
    ragged=False,
    encoding="utf-8",
    name=None,
    *,
    input_shape: Ignored = None,
    dtype=None,
):
    mode = mode_of(output_mode, MODES)
    no_extras(sparse=sparse, ragged=ragged, dtype=dtype)
    check_words(standardize, split, ngrams, mode)
    if encoding != "utf-8":
        raise Decline("another encoding than UTF-8")
    return TextVectorization(
        max_tokens=max_tokens,
        standardize=standardize,
        split=split,
        ngrams=ngrams,
        output_mode=mode,
        output_sequence_length=output_sequence_length,
        pad_to_max_tokens=pad_to_max_tokens,
        vocabulary=vocabulary,
        idf_weights=idf_weights,
    )


def check_words(standardize: object, split: object, ngrams: object, mode: str) -> None:
    """Declines ways to find the words that are not Keras's own, or that are not known."""
    own = isinstance(standardize, Dynamic) and isinstance(standardize.arg.value, RepoFunction)
    if any(isinstance(thing, Dynamic) or callable(thing) for thing in (standardize, split, ngrams)) and not own:
        raise Decline("words by what is not known, or by a function that is not the program's")
    if isinstance(split, Dynamic) or isinstance(ngrams, Dynamic):
        raise Decline("a function of one's own that divides texts")
    if split is None and (ngrams is not None or mode == "tf_idf"):
        raise Decline("several words of texts that are not split")


also_keras_2("tf.keras.layers.TextVectorization", MODES=("int",))  # there only ids have this type
