"""State dictionaries on disk, written a tensor at a time."""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator.errors import EnvironmentMissing, UsageError

SUFFIXES = (".safetensors", ".pt", ".pth")
_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32", "int16": "I16",
    "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor to be written: its shape and dtype now, its values when it is its turn."""

    shape: tuple[int, ...]
    dtype: str
    make: Callable[[], npt.NDArray[Any]]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


def write(path: Path, tensors: Mapping[str, Tensor], python: str) -> None:
    """Write a state_dict as `.safetensors`, `.pt` or `.pth`; nothing is at `path` where that fails.

    `python`: the interpreter with torch, which writes the last two. Raises UsageError and EnvironmentMissing.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".migrator-") as folder:
        made = Path(folder) / "state.safetensors"
        try:
            _safetensors(made, tensors)
            if path.suffix != ".safetensors":
                made = _pickled(made, python)
            made.replace(path)
        except OSError as error:
            raise EnvironmentMissing(f"{path}: cannot be written ({error.strerror or error})") from error


def _safetensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """The format: length of the header, the header as JSON, then all values one behind the other."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in _NAMES:
            raise UsageError(f"{name}: there are no tensors of {tensor.dtype} in a state_dict")
        shape, end = list(tensor.shape), at + tensor.size
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            np.ascontiguousarray(tensor.make()).tofile(out)


_TO_PICKLE = """
import json, struct, sys, numpy, torch
source, out = sys.argv[1:]
names = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U8": "u1"}
names["BOOL"] = "?"
with open(source, "rb") as file:
    size = struct.unpack("<Q", file.read(8))[0]
    header = json.loads(file.read(size))
header.pop("__metadata__")
state = {}
for name, entry in header.items():
    start = 8 + size + entry["data_offsets"][0]
    dtype, shape = numpy.dtype(names[entry["dtype"]]), tuple(entry["shape"])
    if 0 in shape:
        state[name] = torch.from_numpy(numpy.zeros(shape, dtype))
    else:
        state[name] = torch.from_numpy(numpy.memmap(source, dtype, "c", start, shape))
torch.save(state, out)
"""


def _pickled(path: Path, python: str) -> Path:
    out = path.with_suffix(".pt")
    done = subprocess.run([python, "-c", _TO_PICKLE, str(path), str(out)], capture_output=True, text=True)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit {done.returncode}"]
        raise EnvironmentMissing(f"{python} cannot write {out.suffix}: {last[0]}; .safetensors needs no torch")
    return out
