"""Frames and arrays between the verifier and its workers: no copy more than needed, and nothing that runs.

A frame is four parts, each behind its length in 8 bytes. Arrays are one part: a length, JSON of
[name, dtype, shape] and the numbers behind it, each array at a multiple of 64 bytes.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any, Dict, List, Sequence, Union

Buffer = Union[bytes, bytearray, memoryview]
Part = Union[Buffer, List[Any]]
PARTS = 4
ALIGN = 64
MIB = 1024 * 1024
KINDS = "biufcSUMm"


class Malformed(Exception):
    """What came is not what was agreed upon: the other side may be anybody."""


# --- arrays ------------------------------------------------------------------------------------------


def pack(arrays: Dict[str, Any]) -> List[Buffer]:
    """The buffers of a part that holds these arrays; none for no arrays."""
    import numpy as np

    if not arrays:
        return []
    whole = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    for name, value in whole.items():
        if value.dtype.kind not in KINDS:
            raise TypeError("%s cannot be sent: it holds %s" % (name, value.dtype))
    text = json.dumps([[name, a.dtype.str, list(a.shape)] for name, a in whole.items()]).encode()
    head = struct.pack(">Q", len(text)) + text
    out: List[Buffer] = [head, b"\0" * (-len(head) % ALIGN)]
    for a in whole.values():
        if a.nbytes:
            out += [a.reshape(-1).view("u1").data, b"\0" * (-a.nbytes % ALIGN)]
    return out


def unpack(part: Buffer) -> Dict[str, Any]:
    """The arrays of a part, over its own memory."""
    import numpy as np

    if not len(part):
        return {}
    out = {}
    try:
        size = struct.unpack_from(">Q", part)[0]
        if 8 + size > len(part):
            raise Malformed("a head of %d bytes" % size)
        at = 8 + size + -(8 + size) % ALIGN
        for name, text, shape in json.loads(bytes(memoryview(part)[8 : 8 + size]).decode()):
            dtype = np.dtype(text)
            count = 1
            for n in shape:
                if not isinstance(n, int) or n < 0:
                    raise Malformed("a shape of %r" % (shape,))
                count *= n
            if dtype.kind not in KINDS:
                raise Malformed("an array of %s" % dtype)
            used = count * dtype.itemsize
            out[str(name)] = np.frombuffer(part, dtype, count, at if used else 0).reshape(shape)
            at += used + -used % ALIGN
    except (struct.error, ValueError, TypeError, OverflowError) as error:
        raise Malformed(str(error)) from error
    return out


# --- frames ------------------------------------------------------------------------------------------


def _buffers(part: Part) -> Sequence[memoryview]:
    return [memoryview(buffer).cast("B") for buffer in (part if isinstance(part, list) else [part]) if len(buffer)]


def send(sock: socket.socket, *parts: Part) -> None:
    """Send a frame."""
    for part in parts:
        buffers = _buffers(part)
        sock.sendall(struct.pack(">Q", sum(b.nbytes for b in buffers)))
        for buffer in buffers:
            sock.sendall(buffer)


def write(fd: int, *parts: Part) -> None:
    """Write parts, each behind its length, to a file descriptor."""
    for part in parts:
        buffers = _buffers(part)
        for buffer in [memoryview(struct.pack(">Q", sum(b.nbytes for b in buffers))), *buffers]:
            while buffer.nbytes:
                buffer = buffer[os.write(fd, buffer[:MIB]) :]


def _receive(sock: socket.socket, count: int) -> bytearray:
    out = bytearray(count)
    view = memoryview(out)
    while view.nbytes:
        got = sock.recv_into(view, min(view.nbytes, 16 * MIB))
        if not got:
            raise EOFError("connection closed")
        view = view[got:]
    return out


def receive(sock: socket.socket) -> List[bytearray]:
    """The parts of the next frame. Raises EOFError where the other end closes before its end."""
    return [_receive(sock, struct.unpack(">Q", _receive(sock, 8))[0]) for _ in range(PARTS)]


def split(data: Buffer, count: int) -> List[memoryview]:
    """What `write` wrote, or empty parts where it did not come to its end."""
    parts, at, view = [], 0, memoryview(data)
    for _ in range(count):
        if len(data) < at + 8:
            return [memoryview(b"")] * count
        size = struct.unpack_from(">Q", view, at)[0]
        parts.append(view[at + 8 : at + 8 + size])
        at += 8 + size
    return parts if len(data) == at else [memoryview(b"")] * count
