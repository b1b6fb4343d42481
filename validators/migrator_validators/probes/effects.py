"""What a call does to the world: what it prints, and the files of text and numbers that it writes."""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
from typing import Any, Callable, Dict, Iterator, List

import numpy as np

from . import wire
from .printed import Printed, in_library

SUFFIXES = (".txt", ".json", ".csv", ".tsv", ".md", ".yaml", ".yml", ".log", ".npy", ".npz")
LARGEST = 1_000_000
"""Bytes of a file that is looked at."""
WRITES = os.O_WRONLY | os.O_RDWR

OPENED: List[Dict[str, str]] = []
"""For each call that is watched, its files: path by name. What is not opened by Python itself is not seen."""


class Effects:
    """Watches calls one after the other. `printed`: a side's recorder of what is printed."""

    def __init__(self, printed: Printed) -> None:
        self.printed = printed
        self.files: Dict[str, str] = {}

    @contextlib.contextmanager
    def watched(self, arrays: wire.Arrays, number: int) -> Iterator[None]:
        """Note what is done meanwhile; `told` gives it until the next time."""
        _listen()
        self.printed.begin(arrays, "printed.%d" % number)
        self.files = {}
        OPENED.append(self.files)
        self.printed.install()
        try:
            yield
        finally:
            self.printed.remove()
            OPENED.pop()

    def told(self) -> Dict[str, Any]:
        """For the report."""
        read = ((name, _content(path, self.printed.sink)) for name, path in sorted(self.files.items()))
        return {"printed": self.printed.calls, "files": {name: tree for name, tree in read if tree is not None}}


def watching(effects: Effects, call: Callable[[], Any], arrays: wire.Arrays, number: int) -> Callable[[], Any]:
    """A call that is watched."""

    def run() -> Any:
        with effects.watched(arrays, number):
            return call()

    return run


def _content(path: str, sink: wire.Sink) -> Any:
    """What a file holds as a tree; None for what is gone, too large or none of its kind."""
    try:
        if os.path.getsize(path) > LARGEST:
            return None
        if path.endswith(".npy"):
            return wire.encode(np.load(path), sink)
        if path.endswith(".npz"):
            with np.load(path) as arrays:
                return wire.encode({name: arrays[name] for name in arrays.files}, sink)
        with open(path, encoding="utf-8") as file:
            return wire.encode(file.read(), sink)
    except (OSError, ValueError):
        return None


def _listen() -> None:
    """Hear of every file that Python opens, from the first call on."""
    if not LISTENING and hasattr(sys, "addaudithook"):
        LISTENING.append(True)
        sys.addaudithook(_heard)


LISTENING: List[bool] = []


def _heard(event: str, arguments: Any) -> None:
    if event != "open" or not isinstance(arguments[0], str):
        return
    path, mode, flags = arguments
    writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & WRITES)
    if writes and path.endswith(SUFFIXES) and not os.path.basename(path).startswith("tmp"):
        COUNT[0] += 1
        if OPENED:
            OPENED[-1][os.path.basename(path)] = os.path.abspath(path)


COUNT = [0]
"""Files that were written, and what was printed since `count`."""


def count() -> None:
    """Count what is printed by the program and the files that it writes."""
    _listen()
    original = builtins.print

    def counted(*args: Any, **kwargs: Any) -> None:
        COUNT[0] += not in_library(sys._getframe(1))
        original(*args, **kwargs)

    builtins.print = counted
