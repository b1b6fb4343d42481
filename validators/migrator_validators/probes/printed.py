"""What a program prints and has at its end, as values; either side."""

from __future__ import annotations

import builtins
import datetime
import os
import random
import runpy
import sys
import time
import types
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import absent, wire
from .streams import STREAMS

MOST = 200  # calls that are told
LARGEST = 100_000  # numbers in one value that is told
LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))


class Printed:
    """What the program's own files hand to `print`: `calls` as trees, `more` where there were too many.

    `hidden`: texts that are not compared, such as versions, by what is told in their place.
    """

    def __init__(self, hidden: Dict[str, str], arrays: wire.Arrays) -> None:
        self.hidden, self.sink = hidden, wire.Sink(arrays, "printed")
        self.calls: List[Dict[str, Any]] = []
        self.more = False
        self.original = builtins.print

    def begin(self, arrays: wire.Arrays, key: str) -> None:
        """Forget what was printed; what follows is told below another key."""
        self.sink, self.calls, self.more = wire.Sink(arrays, key), [], False

    def install(self) -> None:
        """From now on, until `remove`."""
        builtins.print = self

    def remove(self) -> None:
        """`print` is as it was."""
        builtins.print = self.original

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """In the place of `print`."""
        if not in_library(sys._getframe(1)):
            self.note(args)
        self.original(*args, **kwargs)

    def note(self, args: Tuple[Any, ...]) -> None:
        """Keep the arguments of one call, and whether initial values of weights were drawn before it."""
        if len(self.calls) == MOST:
            self.more = True
            return
        items = [self._tree(arg) for arg in args]
        self.calls.append({"items": items, "line": sys._getframe(2).f_lineno, "drawn": STREAMS.initial})

    def _tree(self, arg: Any) -> Any:
        tree = told(str(arg) if isinstance(arg, str) else arg, self.sink)
        if tree["t"] == "scalar" and tree["type"] == "str":
            for text, name in self.hidden.items():
                tree = dict(tree, v=tree["v"].replace(text, name))
        return tree


def told(value: Any, sink: wire.Sink) -> Any:
    """A value as a tree; Keras's History is its dict, what is very large is told by its type alone."""
    if type(value).__name__ == "History":
        value = dict(value.history)
    try:
        if wire.tensor_kind(value) and wire.plain(value).size > LARGEST:
            return {"t": "opaque", "type": "large"}
        return wire.encode(value, sink)
    except NotImplementedError:  # a variable has no value while a graph is built
        return {"t": "opaque", "type": type(value).__name__}


def at_its_end(names: Dict[str, Any], printed: Printed) -> Any:
    """What a module has at its end and what it printed."""
    items = {name: told(names[name], printed.sink) for name in sorted(names) if _is_data(name, names[name])}
    return {"names": items, "printed": printed.calls}


def _is_data(name: str, value: Any) -> bool:
    return not (name.startswith("_") or callable(value) or isinstance(value, types.ModuleType))


def run(request: Dict[str, Any], printed: Printed) -> Dict[str, Any]:
    """Request: `module`, `arguments`, `seed` of what differs from run to run."""
    sys.argv = [request["module"].replace(".", "/") + ".py", *request.get("arguments", [])]
    stop_clocks(request["seed"])
    printed.install()
    try:
        code, names = _run(request["module"])
    finally:
        printed.remove()
    ended = at_its_end(names, printed)
    return dict(ended, exit=code, more=printed.more, drawn=STREAMS.initial)


def _run(module: str) -> Tuple[int, Dict[str, Any]]:
    try:
        with wire.program("run " + module), absent.armed():
            return 0, runpy.run_module(module, run_name="__main__", alter_sys=False)
    except wire.ProgramError as error:
        if not isinstance(error.__cause__, SystemExit):
            raise
        code = error.__cause__.code
        return code if isinstance(code, int) else int(code is not None), {}


def stop_clocks(seed: Optional[int] = None) -> None:
    """Clocks that the program itself reads go on by one second a call; by others from seed to seed."""
    for name in ("time", "perf_counter"):
        tick = _ticking(random.Random(seed) if seed is not None else None)
        setattr(time, name, _stopped(getattr(time, name), tick))
    _stop_dates(_ticking(random.Random(seed) if seed is not None else None))


def _ticking(jumps: Optional[random.Random]) -> Callable[[], float]:
    now = [1.7e9]

    def tick() -> float:
        now[0] += 1.0 if jumps is None else jumps.random()
        return now[0]

    return tick


def _stopped(clock: Callable[[], float], tick: Callable[[], float]) -> Callable[[], float]:
    return lambda: clock() if in_library(sys._getframe(1)) else tick()


def _stop_dates(tick: Callable[[], float]) -> None:
    """`datetime.now` and its kin, where the program itself asks."""
    real, utc = datetime.datetime, datetime.timezone.utc

    class Kind(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, real)

    class Stopped(datetime.datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.now(tz) if in_library(sys._getframe(1)) else real.fromtimestamp(tick(), tz)

        @classmethod
        def today(cls) -> Any:
            return real.today() if in_library(sys._getframe(1)) else real.fromtimestamp(tick())

        @classmethod
        def utcnow(cls) -> Any:
            found = real.now(utc) if in_library(sys._getframe(1)) else real.fromtimestamp(tick(), utc)
            return found.replace(tzinfo=None)

    Stopped.__name__ = Stopped.__qualname__ = "datetime"
    datetime.datetime = Stopped  # type: ignore[misc]


def in_library(frame: Any) -> bool:
    """Whether a frame is of a library, not of the program."""
    name = frame.f_code.co_filename
    return name.startswith(os.path.dirname(os.__file__)) or any(part in name for part in LIBRARIES)
