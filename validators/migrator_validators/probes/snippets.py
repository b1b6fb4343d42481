"""Many small programs in one worker: each runs in a namespace of its own, and what it bound is told."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import signal
import types
from typing import Any, Callable, Dict, Iterator, Tuple

from . import wire

MARK = "running: "
GRACE = 3.0  # seconds after its time in which a program may still be stopped politely


class TooLong(BaseException):
    """A program's time is over; no `except Exception` of its own stops that."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooLong in the block when its time is over; end the process where that does not stop it."""

    def stop(*_: Any) -> None:
        raise TooLong("no end after %g s" % seconds)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=2)  # needs no GIL, which a hung op may hold
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()


def run(
    request: Dict[str, Any],
    restart: Callable[[], Any],
    report: Callable[[], Dict[str, Any]],
) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Request: `programs` by name, `seconds` for each. Result: by name `values` (encoded, by name bound) or `error`.

    The name of each goes to the output first, so that the one that ends the process is known.
    """
    arrays: wire.Arrays = {}
    out: Dict[str, Any] = {}
    for number, (name, text) in enumerate(sorted(request["programs"].items())):
        os.write(1, ("\n%s%s\n" % (MARK, name)).encode())
        restart()
        out[name] = one(text, request["seconds"], wire.Sink(arrays, "p%d" % number))
        out[name]["random"] = report()
    return {"programs": out}, arrays


def one(text: str, seconds: float, sink: wire.Sink) -> Dict[str, Any]:
    """Run one program and encode what it bound."""
    scope: Dict[str, Any] = {"__name__": "example"}
    try:
        with contextlib.redirect_stdout(io.StringIO()), limited(seconds):
            exec(compile(text, "example.py", "exec"), scope)
            return {"values": {name: wire.encode(scope[name], sink) for name in sorted(scope) if told(name, scope)}}
    except (Exception, SystemExit, TooLong) as error:
        return {"error": {"type": type(error).__name__, "message": str(error)[:500]}}


def told(name: str, scope: Dict[str, Any]) -> bool:
    """Whether a name is bound to data, not to code."""
    value = scope[name]
    return not (name.startswith("_") or isinstance(value, (types.ModuleType, types.FunctionType, type)))
