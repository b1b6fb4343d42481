from __future__ import annotations

import json
import os
import socket
import struct
import threading

import numpy as np
import pytest
from migrator_validators.probes.packing import Malformed, pack, receive, send, split, unpack, write

ARRAYS = {
    "empty": np.zeros((0, 3), "float32"),
    "scalar": np.float64(2.5),
    "odd": np.arange(7, dtype="int8"),
    "transposed": np.arange(6, dtype="float32").reshape(2, 3).T,
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j], "complex64"),
    "text": np.array(["ä", "long"]),
    "nan": np.array([np.nan, np.inf], "float16"),
}


def test_arrays_arrive_as_they_were() -> None:
    found = unpack(b"".join(bytes(b) for b in pack(ARRAYS)))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (np.asarray(array).dtype, np.asarray(array).shape)
        np.testing.assert_array_equal(found[name], array)
    assert unpack(b"".join(pack({}))) == {}


def test_objects_are_not_sent() -> None:
    with pytest.raises(TypeError):
        pack({"x": np.array([object()])})


def header(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack(">Q", len(text)) + text + b"\0" * 64


@pytest.mark.parametrize(
    "part",
    [
        b"short",
        struct.pack(">Q", 2**60) + b"[]",
        header([["x", "<f4", [2**40]]]),
        header([["x", "<f4", [-1]]]),
        header([["x", "<f4", [2**62, 2**62]]]),
        header([["x", "|O", [1]]]),
        header([["x", "nonsense", [1]]]),
        header([["x", "<f4"]]),
        header({"x": 1}),
    ],
)
def test_what_is_malformed_is_refused(part: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(part)


def test_a_frame_goes_through_a_socket() -> None:
    ours, theirs = socket.socketpair()
    big = {"x": np.arange(300_000, dtype="float64")}
    sender = threading.Thread(target=send, args=(theirs, b"head", b"", pack(big), bytearray(b"tail")))
    sender.start()
    parts = receive(ours)
    sender.join()
    assert [bytes(p) for p in (parts[0], parts[1], parts[3])] == [b"head", b"", b"tail"]
    np.testing.assert_array_equal(unpack(parts[2])["x"], big["x"])
    theirs.close()
    with pytest.raises(EOFError):
        receive(ours)


def test_an_unfinished_reply_is_none() -> None:
    reader, writer = os.pipe()
    write(writer, b"body", pack({"x": np.ones(3)}))
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    body, arrays = split(data, 2)
    assert (bytes(body), list(unpack(arrays))) == (b"body", ["x"])
    assert [bytes(p) for p in split(data[:-1], 2)] == [b"", b""]
    assert [bytes(p) for p in split(data + b"x", 2)] == [b"", b""]
