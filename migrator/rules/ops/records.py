"""`tf.train.Example` and TFRecord files, by a small plain reader and writer in the migrated file.

The wire format of a record file is TensorFlow's (`tensorflow/core/lib/io/record_writer.h`); that of an
example is protocol buffers' (https://protobuf.dev/programming-guides/encoding).
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import constant, method, rule, same
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad

constant("tf.string", "bytes")

parse_example = Helper(
    "parse_example",
    '''def read_varint(data, at):
    """A variable-length integer of a protocol buffer, and the position behind it."""
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        if data[at] < 128:
            return value, at + 1
        at, shift = at + 1, shift + 7


def read_fields(data):
    """The fields of a protocol buffer message: number, and bytes or an integer."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
        else:
            size, at = {1: (8, at), 5: (4, at)}.get(key & 7) or read_varint(data, at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def read_feature(data):
    """The values of a feature: a list of bytes, or an array of float32 or int64; None where it has no kind."""
    kind, message = next(iter(read_fields(data)), (None, b""))
    if kind is None:
        return None
    values = [value for _, value in read_fields(message)]
    if kind == 1:
        return values
    if kind == 2:
        return np.frombuffer(b"".join(values), "<f4")
    numbers = []
    for value in values:
        packed, at = (value, 0) if isinstance(value, bytes) else (b"", 0)
        numbers += [] if isinstance(value, bytes) else [value]
        while at < len(packed):
            number, at = read_varint(packed, at)
            numbers.append(number)
    return np.array(numbers, "<u8").astype("<i8")


def read_example(record):
    """The features of a serialized example by name."""
    entries = [dict(read_fields(entry)) for _, message in read_fields(record) for _, entry in read_fields(message)]
    return {entry.get(1, b"").decode(): read_feature(entry.get(2, b"")) for entry in entries}


def parse_example(record, features):
    """The wanted features of a serialized example: tensors, or bytes; those of open length as sparse tensors."""
    found = read_example(record)
    return {name: wanted.of(name, found.get(name)) for name, wanted in features.items()}
''',
    ("import numpy as np",),
)

FixedLenFeature = Helper(
    "FixedLenFeature",
    '''class FixedLenFeature(NamedTuple):
    """A feature with as many values as its shape has; without a default it must be there."""

    shape: Any
    dtype: Any
    default_value: Any = None

    def of(self, name, values):
        """The values in shape: a tensor, bytes, or a list of bytes."""
        shape = tuple(self.shape)
        if values is None:
            if self.default_value is None:
                raise ValueError(f"feature {name} is required and missing")
            values = np.broadcast_to(np.asarray(self.default_value), shape)
            values = values.reshape(-1).tolist() if self.dtype is bytes else values
        if len(values if self.dtype is bytes else np.reshape(values, -1)) != math.prod(shape):
            raise ValueError(f"feature {name} has {len(values)} values, not the shape {shape}")
        if self.dtype is not bytes:
            return torch.as_tensor(np.array(values)).to(self.dtype).reshape(shape)
        values = [value.encode() if isinstance(value, str) else value for value in values]
        return values[0] if shape == () else values
''',
    ("import math", "import numpy as np", "import torch", "from typing import Any, NamedTuple"),
)

VarLenFeature = Helper(
    "VarLenFeature",
    '''class VarLenFeature(NamedTuple):
    """A feature with any number of values."""

    dtype: Any

    def of(self, name, values):
        """The values as a sparse tensor with one axis."""
        if self.dtype is bytes:
            raise ValueError(f"feature {name}: bytes of open length")
        values = torch.as_tensor(np.array([] if values is None else values)).to(self.dtype)
        return torch.sparse_coo_tensor(torch.arange(len(values))[None], values, (len(values),)).coalesce()
''',
    ("import numpy as np", "import torch", "from typing import Any, NamedTuple"),
)

encode_feature = Helper(
    "encode_feature",
    '''def varint(value):
    """An integer as a protocol buffer writes it; negative ones take ten bytes."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes(encoded + bytes([value]))


def field(number, data):
    """A field of a protocol buffer that holds bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode_feature(kind, values):
    """A feature of an example; `kind`: 1 for bytes, 2 for float32, 3 for int64."""
    if kind == 1:
        return field(1, b"".join(field(1, bytes(value)) for value in values))
    if kind == 2:
        packed = np.asarray(values, "<f4").tobytes()
    else:
        packed = b"".join(varint(int(value)) for value in values)
    return field(kind, field(1, packed) if packed else b"")
''',
    ("import numpy as np",),
)

Example = Helper(
    "Example",
    '''class Example:
    """A record of named features."""

    def __init__(self, features):
        self.features = features

    def SerializeToString(self):
        entries = [field(1, field(1, name.encode()) + field(2, data)) for name, data in self.features.items()]
        return field(1, b"".join(entries))
''',
)

RecordWriter = Helper(
    "RecordWriter",
    '''def masked_crc(data):
    """The checksum of the record format: CRC-32C, rotated, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc_entry(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


CRC_TABLE = [crc_entry(value) for value in range(256)]


class RecordWriter:
    """Writes records to a file in the TFRecord format."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def write(self, record):
        size = struct.pack("<Q", len(record))
        self.file.write(size + masked_crc(size) + record + masked_crc(record))

    def flush(self):
        self.file.flush()

    def close(self):
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
''',
    ("import struct",),
)

read_records = Helper(
    "read_records",
    '''def read_records(path):
    """The records of a TFRecord file; the checksums are not looked at."""
    with open(path, "rb") as file:
        while header := file.read(12):
            (size,) = struct.unpack("<Q", header[:8])
            record = file.read(size)
            if len(record) < size or len(file.read(4)) < 4:
                raise EOFError(f"{path} ends within a record")
            yield record
''',
    ("import struct",),
)

_SERIALIZED = """
feature = {
    'name': tf.train.Feature(bytes_list=tf.train.BytesList(value=[b'abc', b''])),
    'image': tf.train.Feature(bytes_list=tf.train.BytesList(value=[np.arange(300, dtype='uint8').tobytes()])),
    'size': tf.train.Feature(int64_list=tf.train.Int64List(value=[3, -1, 0, 300, 2**62, -2**63])),
    'label': tf.train.Feature(int64_list=tf.train.Int64List(value=[7])),
    'box': tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, -1.25, 1e30, float('nan')])),
    'empty': tf.train.Feature(float_list=tf.train.FloatList(value=[])),
}
example = tf.train.Example(features=tf.train.Features(feature=feature))
record = example.SerializeToString()
"""


def _parsed(api: str, features: str, rest: str = "return parsed") -> Sample:
    return no_grad(block(f"{_SERIALIZED}\nfeatures = {{{features}}}\nparsed = {api}(record, features)\n{rest}"))


def _refused(api: str, features: str) -> Sample:
    call = f"{api}(record, {{{features}}})"
    return no_grad(block(f"{_SERIALIZED}\ntry:\n    {call}\nexcept Exception:\n    return 0\nreturn 1"))


def _parsing(api: str) -> list[Sample]:
    return [
        _parsed(api, "'label': tf.io.FixedLenFeature([], tf.int64), 'size': tf.io.FixedLenFeature([2, 3], tf.int64)"),
        _parsed(api, "'image': tf.io.FixedLenFeature((), tf.string), 'name': tf.io.FixedLenFeature([2], tf.string)"),
        _parsed(api, "'box': tf.io.FixedLenFeature(shape=[4], dtype=tf.float32)"),
        _parsed(api, "'none': tf.io.FixedLenFeature([], tf.int64, 5), 'x': tf.io.FixedLenFeature([], tf.string, '')"),
        _parsed(api, "'none': tf.io.FixedLenFeature([2], tf.float32, default_value=[1.0, 2.0])"),
        _refused(api, "'empty': tf.io.FixedLenFeature([], tf.float32, default_value=1.5)"),
        _refused(api, "'none': tf.io.FixedLenFeature([], tf.float32)"),
        _refused(api, "'size': tf.io.FixedLenFeature([4], tf.int64)"),
    ]


@rule("tf.io.FixedLenFeature", samples=_parsing("tf.io.parse_single_example")[:1])
def fixed(shape, dtype, default_value=None):
    if default_value is None:
        return FixedLenFeature(shape, dtype)
    return FixedLenFeature(shape, dtype, default_value)


@rule(
    "tf.io.VarLenFeature",
    samples=[
        _parsed(
            "tf.io.parse_single_example",
            "'size': tf.io.VarLenFeature(tf.int64), 'none': tf.io.VarLenFeature(tf.float32)",
            "return sorted(parsed)",
        ),
        declined_block("return tf.io.VarLenFeature(tf.string)"),
    ],
)
def open_length(dtype):
    if dtype == "string":
        raise Decline("bytes of open length: torch has no sparse tensor of them")
    return VarLenFeature(dtype)


@rule("tf.io.parse_single_example", samples=_parsing("tf.io.parse_single_example"))
def single(serialized, features, example_names: Ignored = None, name=None):
    return parse_example(serialized, features)


@rule("tf.compat.v1.parse_single_example", samples=_parsing("tf.compat.v1.parse_single_example"))
def old_single(serialized, features, name=None, example_names: Ignored = None):
    return parse_example(serialized, features)


_WRITTEN = """
feature = {'a': tf.train.Feature(%s)}
example = tf.train.Example(features=tf.train.Features(feature=feature))
return example.SerializeToString()
"""
_VALUES = {
    "Bytes": ("bytes_list", ("b'', b'abc'", "b'x' * 300", "")),
    "Float": ("float_list", ("0.5, -2.0", "")),
    "Int64": ("int64_list", ("3, -1, 300, 2**62, -2**63", "")),
}
for _kind, (_parameter, _contents) in _VALUES.items():
    _samples = [
        no_grad(block(_WRITTEN % f"{_parameter}=tf.train.{_kind}List(value=[{values}])")) for values in _contents
    ]
    same(f"tf.train.{_kind}List", "value", "value", samples=_samples)


@rule("tf.train.Feature", samples=[no_grad(block(_WRITTEN % "bytes_list=tf.train.BytesList(value=[b'a'])"))])
def train_feature(*, bytes_list=None, float_list=None, int64_list=None):
    if bytes_list is not None and float_list is None and int64_list is None:
        return encode_feature(1, bytes_list)
    if float_list is not None and bytes_list is None and int64_list is None:
        return encode_feature(2, float_list)
    if int64_list is not None and bytes_list is None and float_list is None:
        return encode_feature(3, int64_list)
    raise Decline("not one list of values")


same(
    "tf.train.Features",
    "feature",
    "feature",
    samples=[no_grad(block(_WRITTEN % "float_list=tf.train.FloatList(value=[1.0])"))],
)


@method(
    "tf.train.Example.SerializeToString",
    samples=[no_grad(block(_WRITTEN % "float_list=tf.train.FloatList(value=[1.0])"))],
)
def serialize(self, deterministic: Ignored = None):
    return self.SerializeToString()


@rule("tf.train.Example", samples=[no_grad(block(_WRITTEN % "int64_list=tf.train.Int64List(value=[1])"))])
def example(features):
    return Example(features)


_FILE = """
with tf.io.TFRecordWriter('x.tfrecord') as writer:
    for record in (b'', b'abc', bytes(range(256)) * 3):
        writer.write(record)
"""


@rule(
    "tf.io.TFRecordWriter",
    samples=[
        no_grad(block(f"{_FILE}\nreturn 1")),
        no_grad(block("writer = tf.io.TFRecordWriter('a')\nwriter.write(b'one')\nwriter.close()\nreturn 1")),
        declined_block("return tf.io.TFRecordWriter('a', options='GZIP')"),
    ],
)
def writer(path, options=None):
    if options is not None:
        raise Decline("compressed records")
    return RecordWriter(path)


@rule(
    "tf.compat.v1.io.tf_record_iterator",
    samples=[no_grad(block(f"{_FILE}\nreturn list(tf.compat.v1.io.tf_record_iterator('x.tfrecord'))"))],
)
def iterator(path, options=None):
    if options is not None:
        raise Decline("compressed records")
    return read_records(path)
