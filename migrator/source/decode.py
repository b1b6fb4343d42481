"""Bytes of a Python file to text and back, as Python itself reads them (PEP 263)."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from dataclasses import dataclass

_NEWLINE = re.compile(r"\r\n|\r|\n")
_COOKIE = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)([-\w.]+)", re.ASCII)


@dataclass(frozen=True)
class Decoded:
    """Text with `\\n` line ends, and what it takes to write it back."""

    text: str
    encoding: str
    bom: bool
    newline: str


class Undecodable(Exception):
    """The bytes are no Python text; the message says why."""


def decode(data: bytes) -> Decoded:
    """Decode as Python would; raises `Undecodable`."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise Undecodable(str(error)) from error
    except (UnicodeDecodeError, LookupError) as error:
        raise Undecodable(f"cannot be decoded: {error}") from error
    if "\0" in text:
        raise Undecodable("contains NUL bytes")
    bom = data.startswith(codecs.BOM_UTF8)
    ends = _NEWLINE.findall(text)
    # Mixed line ends become the most frequent one: Python reads them all alike.
    newline = max(("\n", "\r\n", "\r"), key=ends.count)
    return Decoded(_NEWLINE.sub("\n", text), "utf-8" if bom else encoding, bom, newline)


def encode(text: str, encoding: str = "utf-8", bom: bool = False, newline: str = "\n") -> bytes:
    """The inverse of `decode`; text that the encoding cannot hold becomes UTF-8, its cookie with it."""
    try:
        data = text.replace("\n", newline).encode(encoding)
    except UnicodeEncodeError:
        lines = text.split("\n")
        lines[:2] = [_COOKIE.sub(r"\g<1>utf-8", line) for line in lines[:2]]
        data = newline.join(lines).encode("utf-8")
    return codecs.BOM_UTF8 + data if bom else data
