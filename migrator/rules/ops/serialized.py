"""Tensors, CSV lines and sound in bytes: `serialize_tensor`, `decode_csv`, `decode_wav`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.args import NOTHING, Arg, Code, literal
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.pieces import on_arguments
from migrator.rules.ops.records import encode_feature, parse_example

# The numbers of dtypes in TensorFlow's protocol buffers (tensorflow/core/framework/types.proto).
_KINDS = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool"}
_KINDS |= {19: "float16"}

serialize_tensor = Helper(
    "serialize_tensor",
    f'''def serialize_tensor(tensor):
    """A tensor of numbers as the bytes of TensorFlow's TensorProto."""
    array = tensor.detach().cpu().numpy()
    shape = b"".join(field(2, varint(8) + varint(size) if size else b"") for size in array.shape)
    kind = {{name: number for number, name in TENSOR_KINDS.items()}}[str(array.dtype)]
    return varint(8) + varint(kind) + field(2, shape) + (field(4, array.tobytes()) if array.size else b"")


TENSOR_KINDS = {_KINDS}
''',
    (),
    (encode_feature,),
)
parse_tensor = Helper(
    "parse_tensor",
    f'''def parse_tensor(serialized, dtype):
    """The tensor that a TensorProto holds as its content."""
    fields = list(read_fields(serialized))
    sizes = [dict(read_fields(part)).get(1, 0) for n, shape in fields if n == 2 for _, part in read_fields(shape)]
    found = dict(fields)
    content = found.get(4, b"")
    array = np.frombuffer(content, NUMBER_KINDS[found[1]])
    if array.size != math.prod(sizes):
        raise ValueError("a tensor that does not hold its values as content")
    tensor = torch.from_numpy(array.reshape(sizes).copy())
    if tensor.dtype != dtype:
        raise TypeError(f"a tensor of {{tensor.dtype}}, not of {{dtype}}")
    return tensor


NUMBER_KINDS = {_KINDS}
''',
    ("import math", "import numpy as np", "import torch"),
    (parse_example,),
)
_TENSORS = (
    "tf.constant([[1.5, -2.0, 3.0]])",
    "tf.constant(3, tf.int32)",
    "tf.constant([[True], [False]])",
    "tf.constant([], tf.int64)",
    "tf.constant([1, 2, 3], tf.uint8)",
    "tf.constant(0.5, tf.float64)",
)
_ROUND = "tensor = {}\nraw = tf.io.serialize_tensor(tensor)\nreturn raw, tf.io.parse_tensor(raw, out_type=tensor.dtype)"


@rule(
    "tf.io.serialize_tensor",
    samples=[
        *(no_grad(block(_ROUND.format(tensor))) for tensor in _TENSORS),
        no_grad(block("return tf.io.serialize_tensor(tf.constant([1, -2]))")),
    ],
)
def serialize(tensor: Tensor, name=None, *, dtype):
    if dtype == "int32":  # torch's own integers have 64 bits
        return serialize_tensor(tensor.int())
    return serialize_tensor(tensor)


@rule("tf.io.parse_tensor", samples=[no_grad(block(_ROUND.format(tensor))) for tensor in _TENSORS[:3]])
def parse(serialized, out_type, name=None):
    return parse_tensor(serialized, out_type)


decode_wav = Helper(
    "decode_wav",
    '''def decode_wav(contents, channels=-1, samples=-1):
    """The sound of a WAV file of 16 bits as (samples, channels) between -1 and 1, and its rate."""
    with wave.open(io.BytesIO(contents)) as file:
        if file.getsampwidth() != 2:
            raise ValueError("only WAV files of 16 bits are read")
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        rate = file.getframerate()
    sound = sound[:, : channels if channels > 0 else None]
    if samples > 0:
        sound = np.pad(sound[:samples], ((0, max(samples - len(sound), 0)), (0, 0)))
    return DecodedWav(torch.from_numpy(sound / np.float32(32768)), torch.tensor(rate))


class DecodedWav(NamedTuple):
    audio: torch.Tensor
    sample_rate: torch.Tensor
''',
    ("import io", "import numpy as np", "import torch", "import wave", "from typing import NamedTuple"),
)
_WAV = """
import wave
for channels in (1, 2):
    with wave.open(f'{channels}.wav', 'wb') as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.array([0, 1, -32768, 32767, 100, -5], '<i2').tobytes())
mono, stereo = tf.io.read_file('1.wav'), tf.io.read_file('2.wav')
"""


def _sound(*calls: str) -> list[Sample]:
    return [no_grad(block(f"{_WAV}sound, rate = tf.audio.decode_wav({call})\nreturn sound, rate")) for call in calls]


@rule(
    "tf.audio.decode_wav",
    samples=[
        *_sound("mono", "stereo", "mono, desired_samples=9", "stereo, desired_channels=1", "mono, 1, 2"),
        no_grad(block(f"{_WAV}found = tf.audio.decode_wav(mono)\nreturn found.audio, found.sample_rate")),
    ],
)
def wav(contents, desired_channels=-1, desired_samples=-1, name=None):
    return decode_wav(contents, channels=desired_channels, samples=desired_samples)


decode_csv = Helper(
    "decode_csv",
    '''def decode_csv(records, columns, delimiter=",", missing="", selected=None):
    """A column of tensors or text for each (dtype, default) of `columns`; a default of None must be there."""
    one = isinstance(records, (str, bytes))
    lines = [line.decode() if isinstance(line, bytes) else line for line in ([records] if one else records)]
    rows = list(csv.reader(lines, delimiter=delimiter))
    places = range(len(columns)) if selected is None else selected
    return [csv_column([row[p] for row in rows], *c, missing, one) for p, c in zip(places, columns)]


def csv_column(texts, dtype, default, missing, one):
    """One column: numbers as a tensor, text as bytes."""
    if default is None and any(text in ("", missing) for text in texts):
        raise ValueError("a field is required and missing")
    values = [default if text in ("", missing) else text for text in texts]
    if dtype is bytes:
        encoded = np.array([v if isinstance(v, bytes) else v.encode() for v in values], dtype=object)
        return encoded[0] if one else encoded
    number = float if dtype.is_floating_point else int
    numbers = torch.tensor([number(value) for value in values], dtype=dtype)
    return numbers[0] if one else numbers
''',
    ("import csv", "import numpy as np", "import torch"),
)

_LINES = "lines = tf.constant(['1,2.5,x', '3,,\"y,z\"', '-4,1e3,'])\n"


def _csv(*arguments: str) -> list[Sample]:
    return [no_grad(block(f"{_LINES}return tf.io.decode_csv({text})")) for text in arguments]


@on_arguments
def defaults_of(defaults: object) -> Code:
    """(dtype, default) of each column; declines where a default is not written out."""
    found = literal(defaults.node, defaults.value) if isinstance(defaults, Arg) else NOTHING
    if not isinstance(found, list):
        raise Decline("defaults of columns that are not known when rewriting")
    return Code(f"[{', '.join(map(_column, found))}]", covers=("record_defaults",))


@rule(
    "tf.io.decode_csv",
    samples=[
        *_csv(
            "lines, [[0], [9.0], ['d']]", "lines, [0, 0.5, '']", "tf.constant('7,8,q'), record_defaults=[0, 0.0, '']"
        ),
        *_csv("lines, [[0], ['']], select_cols=[0, 2]", "tf.constant(['1|2']), [0, 0], field_delim='|'"),
        *_csv("tf.constant(['NA,2']), [5, 0], na_value='NA'"),
        declined_block(f"{_LINES}return tf.io.decode_csv(lines, [0, 0.5, ''], use_quote_delim=False)"),
    ],
)
def csv_columns(
    records, record_defaults, field_delim=",", use_quote_delim=True, na_value="", select_cols=None, name=None
):
    if not use_quote_delim:
        raise Decline("quotes that are part of the text")
    columns = defaults_of(record_defaults)
    return decode_csv(records, columns, delimiter=field_delim, missing=na_value, selected=select_cols)


def _column(default: object) -> str:
    value = default[0] if isinstance(default, list) and default else default
    kinds = {int: "torch.int32", float: "torch.float32", str: "bytes"}
    if type(value) not in kinds:
        raise Decline("a default that is no number and no text")
    return f"({kinds[type(value)]}, {value!r})"
