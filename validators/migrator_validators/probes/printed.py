"""Runs a module as a program (`__main__`) and tells how it ended and what it printed, as values; either side."""

from __future__ import annotations

import builtins
import os
import random
import runpy
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

from . import wire
from .streams import STREAMS

MOST = 200  # calls that are told
LARGEST = 100_000  # numbers in one of them
LIBRARIES = (
    os.sep + "site-packages" + os.sep,
    os.sep + "dist-packages" + os.sep,
    os.path.dirname(os.__file__) + os.sep,
)


class Printed:
    """What the program's own files hand to `print`: `calls` as trees, `more` where there were too many."""

    def __init__(self, hidden: Dict[str, str], arrays: wire.Arrays) -> None:
        self.hidden, self.sink = hidden, wire.Sink(arrays, "p")
        self.calls: List[Dict[str, Any]] = []
        self.more = False
        self.original = builtins.print

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """In the place of `print`."""
        if not any(part in sys._getframe(1).f_code.co_filename for part in LIBRARIES):
            self.note(args)
        self.original(*args, **kwargs)

    def note(self, args: Tuple[Any, ...]) -> None:
        """Keep the arguments of one call, and whether initial values of weights were drawn before it."""
        if len(self.calls) == MOST:
            self.more = True
            return
        items = [self._tree(arg) for arg in args]
        self.calls.append({"items": items, "line": self._line(), "drawn": STREAMS.initial})

    def _tree(self, arg: Any) -> Any:
        if wire.tensor_kind(arg) and wire.plain(arg).size > LARGEST:
            return {"t": "opaque", "type": "large"}
        tree = wire.encode(str(arg) if isinstance(arg, str) else arg, self.sink)
        if tree["t"] == "scalar" and tree["type"] == "str":
            for text, name in self.hidden.items():
                tree = dict(tree, v=tree["v"].replace(text, name))
        return tree

    @staticmethod
    def _line() -> int:
        frame = sys._getframe(3)
        return frame.f_lineno


def run(request: Dict[str, Any], hidden: Dict[str, str], also: Callable[[Printed], None]) -> Tuple[Any, wire.Arrays]:
    """Request: `module`, `arguments`, `seed` of what differs from run to run.

    `hidden`: texts that are not compared, such as versions, by what is told in their place. `also`: told of the
    recorder before the program starts.
    """
    arrays: wire.Arrays = {}
    printed = Printed(hidden, arrays)
    sys.argv = [request["module"].replace(".", "/") + ".py", *request.get("arguments", [])]
    _no_clock(request["seed"])
    also(printed)
    builtins.print = printed
    try:
        code = _run(request["module"])
    finally:
        builtins.print = printed.original
    return {"exit": code, "printed": printed.calls, "more": printed.more}, arrays


def _run(module: str) -> int:
    try:
        with wire.program("run " + module):
            runpy.run_module(module, run_name="__main__", alter_sys=False)
    except wire.ProgramError as error:
        if not isinstance(error.__cause__, SystemExit):
            raise
        code = error.__cause__.code
        return code if isinstance(code, int) else int(code is not None)
    return 0


def _no_clock(seed: int) -> None:
    """Clocks that jump: what is made of them is different in every run."""
    jumps = random.Random(seed)

    def jumping(clock: Callable[[], float]) -> Callable[[], float]:
        ahead = [0.0]

        def told() -> float:
            ahead[0] += jumps.random()
            return clock() + ahead[0]

        return told

    time.time = jumping(time.time)
    time.perf_counter = jumping(time.perf_counter)
