"""`tf.strings`, by Python's own text and regular expressions."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import kind as kind_of
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import legacy, method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.pieces import dtype_name, given, torch_dtype
from migrator.rules.ops.text_code import (
    as_text,
    characters,
    join_text,
    map_text,
    numbers_of,
    reduce_join,
    regex_matches,
    regex_replace,
    split_text,
    substring,
    text_equal,
    text_of,
)
from migrator.rules.preprocessing.hash_code import fingerprint64, siphash64

if TYPE_CHECKING:
    import torch

_TEXTS = "texts = tf.constant([['aB c', ''], ['Ünï d', ' x\\t']])\none = tf.constant('a,b,,C d')\n"


def _samples(*texts: str) -> list[Sample]:
    return [no_grad(block(f"{_TEXTS}return {text}")) for text in texts]


def _declined(*texts: str) -> list[Sample]:
    return [declined_block(f"{_TEXTS}return {text}") for text in texts]


def _refused(text: str) -> Sample:
    return no_grad(block(f"{_TEXTS}try:\n    {text}\nexcept Exception:\n    return 0\nreturn 1"))


# --- case, white space, length ----------------------------------------------------------------------------


@rule("tf.strings.lower", samples=_samples("tf.strings.lower(texts)", "tf.strings.lower('ÀbC', encoding='utf-8')"))
def lower(input, encoding="", name=None):
    if encoding == "utf-8":
        return map_text(lambda text: text.decode().lower().encode(), input)
    if encoding != "":
        raise Decline("an encoding that is not known")
    return map_text(bytes.lower, input)


@rule("tf.strings.upper", samples=_samples("tf.strings.upper(texts)", "tf.strings.upper('straße', 'utf-8')"))
def upper(input, encoding="", name=None):
    if encoding == "utf-8":
        return map_text(lambda text: text.decode().upper().encode(), input)
    if encoding != "":
        raise Decline("an encoding that is not known")
    return map_text(bytes.upper, input)


@rule("tf.strings.strip", samples=_samples("tf.strings.strip(texts)", "tf.strings.strip(' \\x0b\\x0ca b\\r\\n')"))
def strip(input, name=None):
    return map_text(bytes.strip, input)


@rule(
    "tf.strings.length",
    samples=[
        *_samples("tf.strings.length(texts)", "tf.strings.length(texts, unit='UTF8_CHAR')", "tf.strings.length('abc')"),
    ],
)
def length(input, unit="BYTE", name=None):
    if unit == "UTF8_CHAR":
        return numbers_of(lambda text: len(text.decode()), input, torch.int32)
    if unit != "BYTE":
        raise Decline("a unit that is not known")
    return numbers_of(len, input, torch.int32)


# --- parts and wholes -------------------------------------------------------------------------------------


@rule(
    "tf.strings.split",
    samples=[
        *_samples("tf.strings.split(one, ',')", "tf.strings.split(one)", "tf.strings.split('', sep='/')"),
        *_samples("tf.strings.split('  ')", "tf.strings.split(one, ',', maxsplit=2)", "tf.strings.split('a<>b', '<>')"),
        *_samples("tf.strings.split(one, sep=',')[-2]"),
        *_declined("tf.strings.split(texts)", "tf.strings.split(['a b', 'c'])", "tf.strings.split(one, maxsplit=1)"),
    ],
)
def split(input, sep=None, maxsplit=-1, name=None, *, rank_input, kind_input):
    if kind_input == "sequence" or (rank_input is not None and rank_input > 0):
        raise Decline("the parts of several texts, which are ragged")
    if not given(sep):
        if maxsplit != -1:
            raise Decline("`maxsplit` at white space")
        return split_text(input)
    return split_text(input, sep, maxsplit=maxsplit)


@rule(
    "tf.strings.join",
    samples=[
        *_samples("tf.strings.join([one, 'x', texts])", "tf.strings.join(['a', 'b'], separator=' - ')"),
        *_samples("tf.strings.join([one, one], ',')"),
    ],
)
def join(inputs, separator="", name=None):
    return join_text(inputs, separator=separator)


@rule(
    "tf.strings.reduce_join",
    samples=[
        *_samples("tf.strings.reduce_join(texts)", "tf.strings.reduce_join(texts, axis=0, separator='-')"),
        *_samples("tf.strings.reduce_join(texts, -1)", "tf.strings.reduce_join(['a', 'b'], separator=' ')"),
        *_declined("tf.strings.reduce_join(texts, 0, keepdims=True)"),
    ],
)
def reduce_joined(inputs, axis=None, keepdims=False, separator="", name=None):
    if keepdims or isinstance(axis, (list, tuple)):
        raise Decline("`keepdims`, or several axes")
    return reduce_join(inputs, axis=axis, separator=separator)


@rule(
    "tf.strings.substr",
    samples=[
        *_samples("tf.strings.substr(one, 1, 3)", "tf.strings.substr(one, -3, 10)", "tf.strings.substr(one, 2, len=0)"),
        *_samples("tf.strings.substr('héllo', 1, 2, unit='UTF8_CHAR')", "tf.strings.substr(['abc', 'def'], 1, 1)"),
        _refused("tf.strings.substr('abc', 4, 1)"),
    ],
)
def substr(input, pos, len, unit="BYTE", name=None):
    if kind_of(pos) not in ("number", None) or kind_of(len) not in ("number", None):
        raise Decline("positions that are tensors")
    if unit == "UTF8_CHAR":
        return substring(input, pos, len, decode=True)
    if unit != "BYTE":
        raise Decline("a unit that is not known")
    return substring(input, pos, len)


@rule(
    "tf.strings.bytes_split",
    samples=[*_samples("tf.strings.bytes_split('aé')"), *_declined("tf.strings.bytes_split(['ab', 'c'])")],
)
def bytes_split(input, name=None, *, rank_input, kind_input):
    if kind_input == "sequence" or (rank_input is not None and rank_input > 0):
        raise Decline("the parts of several texts, which are ragged")
    return text_of([bytes([byte]) for byte in text_of(input)])


@rule(
    "tf.strings.unicode_split",
    samples=[
        *_samples("tf.strings.unicode_split('aé', 'UTF-8')"),
        *_declined("tf.strings.unicode_split(texts, 'UTF-8')"),
    ],
)
def unicode_split(
    input, input_encoding, errors: Ignored = "replace", replacement_char: Ignored = 65533, name=None, *, rank_input
):
    utf8_of_one(input_encoding, rank_input)
    return text_of(list(characters(input)))


@rule(
    "tf.strings.unicode_decode",
    samples=[
        *_samples("tf.strings.unicode_decode('aé€', 'UTF-8')"),
        *_declined("tf.strings.unicode_decode(texts, 'UTF-8')"),
    ],
)
def unicode_decode(
    input,
    input_encoding,
    errors: Ignored = "replace",
    replacement_char: Ignored = 65533,
    replace_control_characters=False,
    name=None,
    *,
    rank_input,
):
    utf8_of_one(input_encoding, rank_input)
    if replace_control_characters:
        raise Decline("control characters that are replaced")
    return torch.tensor([ord(character) for character in characters(input)], dtype=torch.int32)


def utf8_of_one(encoding: object, rank: object) -> None:
    """Declines other encodings than UTF-8, and several texts."""
    if encoding not in ("UTF-8", "utf-8"):
        raise Decline("an encoding other than UTF-8")
    if isinstance(rank, int) and rank > 0:
        raise Decline("the parts of several texts, which are ragged")


@rule(
    "tf.strings.unicode_encode",
    samples=[*_samples("tf.strings.unicode_encode([97, 233, 8364], output_encoding='UTF-8')")],
)
def unicode_encode(input, output_encoding, errors: Ignored = "replace", replacement_char: Ignored = 65533, name=None):
    if output_encoding != "UTF-8":
        raise Decline("an encoding other than UTF-8")
    return "".join(chr(code) for code in input).encode()


# --- patterns ---------------------------------------------------------------------------------------------

_PATTERN_GAPS = ["`\\s` matches the vertical tab too", "a pattern that matches nothing at all raises ValueError"]


@rule(
    "tf.strings.regex_replace",
    gaps=_PATTERN_GAPS,
    samples=[
        *_samples("tf.strings.regex_replace(texts, r'\\s', '_')", "tf.strings.regex_replace('aéb', '.', '_')"),
        *_samples("tf.strings.regex_replace('ab12c3', r'([a-z])(\\d)', r'\\2\\1\\0')"),
        *_samples("tf.strings.regex_replace('aaa', 'a', 'b', replace_global=False)"),
        *_samples("tf.strings.regex_replace(['a\\n', 'ba'], 'a$', 'b')", "tf.strings.regex_replace('a.b', '[.]', '')"),
        *_samples("tf.strings.regex_replace('Ünï', r'\\w', '_')"),
    ],
)
def replace(input, pattern, rewrite, replace_global=True, name=None):
    return regex_replace(input, pattern, rewrite, replace_global=replace_global)


@rule(
    "tf.strings.regex_full_match",
    gaps=_PATTERN_GAPS[:1],
    samples=[
        *_samples("tf.strings.regex_full_match(['ab', 'a', 'abc', 'xab'], 'ab?')"),
        *_samples("tf.strings.regex_full_match('a|b', 'a|ab')", "tf.strings.regex_full_match('ab', 'a|ab')"),
    ],
)
def full_match(input, pattern, name=None):
    return regex_matches(input, pattern)


# --- numbers ----------------------------------------------------------------------------------------------

_NUMBERS = [f"tf.strings.to_number({n})" for n in ("'3.25'", "['1e3', ' -2 ', 'inf', 'nan', '.5']")]
_WHOLE = [f"tf.strings.to_number({n})" for n in ("['1', '-20'], tf.int32", "'7', out_type=tf.int64")]


@rule(
    "tf.as_string",
    samples=[
        *_samples(
            "tf.as_string(tf.constant([[1, -20], [3, 0]]))", "tf.as_string(7)", "tf.as_string(tf.constant(True))"
        ),
        *_samples("tf.as_string([1.5, -0.1, 1e10, 123456789.0])", "tf.as_string(tf.constant([0.1, -7.0], tf.float64))"),
        *_samples("tf.as_string(tf.constant([0.125, float('inf')]), precision=2)", "tf.as_string(tf.zeros([0, 2]))"),
        *_declined("tf.as_string([1.5], shortest=True)", "tf.as_string([1], width=4)"),
    ],
)
def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    if scientific or shortest or width != -1 or fill != "":
        raise Decline("a form other than digits behind the point")
    return as_text(input) if precision == -1 else as_text(input, digits=precision)


@rule("tf.strings.to_number", samples=[*_samples(*_NUMBERS, *_WHOLE), _refused("tf.strings.to_number('a')")])
def to_number(input, out_type="float32", name=None):
    width = dtype_name(out_type)
    if width not in ("float32", "float64", "int32", "int64"):
        raise Decline("a dtype that is not known")
    target = torch_dtype(out_type) or torch.float32
    if width in ("int32", "int64"):
        return numbers_of(int, input, target)
    return numbers_of(float, input, target)


legacy(
    "tf.compat.v1.string_to_number",
    "string_tensor=None, out_type='float32', name=None, input=None",
    of="tf.strings.to_number",
    samples=_samples("tf.compat.v1.string_to_number('3.5')"),
    old={"string_tensor": "input"},
)

_HASHED = "['a', 'b', '', 'a longer text than sixteen bytes', 'é']"


@rule(
    "tf.strings.to_hash_bucket_fast",
    samples=_samples(f"tf.strings.to_hash_bucket_fast({_HASHED}, 1000)", "tf.strings.to_hash_bucket_fast('x', 7)"),
)
def hash_fast(input, num_buckets, name=None):
    return numbers_of(lambda text: fingerprint64(text) % num_buckets, input, torch.int64)


@rule(
    "tf.strings.to_hash_bucket_strong",
    samples=_samples(f"tf.strings.to_hash_bucket_strong({_HASHED}, 1000, [3, 11])"),
)
def hash_strong(input, num_buckets, key, name=None):
    return numbers_of(lambda text: siphash64(text, key) % num_buckets, input, torch.int64)


# --- operators --------------------------------------------------------------------------------------------


@method("String.__eq__", samples=_samples("texts == 'aB c'", "one == one", "one == np.array(['a', 'a,b,,C d'])"))
def equal(self, other):
    return text_equal(self, other)


@method("String.__ne__", samples=_samples("texts != 'aB c'", "'a' != one"))
def not_equal(self, other):
    return ~text_equal(self, other)


@method("String.__add__", samples=_samples("one + 'x'", "texts + one", "'x' + texts"))
def add(self, other):
    return join_text([self, other])
