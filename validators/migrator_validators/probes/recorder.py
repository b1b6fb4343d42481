"""Runs a source program for a short while and notes every call of its own functions, methods and classes.

Request: `entry` (a file of the tree), `argv`, `modules` ({path: import name}), `seconds`, `limits`
(`epochs` and `batches` of a fit). Long parts are cut: `fit` to a few steps, data sets to some batches; the data
sets that Keras downloads are stand-ins (`known_data`).
Result: `calls` (see `recording.RecordedCall`), `error`, `module`, `trains`; arrays by name.
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
import traceback
import types
from typing import Any

from . import effects, recorder_cuts, recorder_imports, recorder_values
from .left import Left

VARIANTS = 3  # calls kept of one callable, each with its own signature
MAX_CALLS = 400
OBJECTS = 8  # that calls like known ones of one callable have made


class TimeIsUp(BaseException):
    """The time for recording is over; what was noted so far is kept."""


def run(request: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """Record one entry point of the tree in the working directory."""
    effects.count()
    notebook = Notebook()
    recorder_cuts.install(request, notebook)
    builtins.__dict__["__migrator_function__"] = notebook.function
    builtins.__dict__["__migrator_class__"] = notebook.klass
    recorder_imports.install(os.getcwd(), request.get("modules", {}))
    error = _execute(request)
    notebook.close()
    # a script that trains, on data that it has itself or that stand-ins are known for, can be run again as a whole
    whole = error is None and notebook.steps > 0
    result = {
        "calls": notebook.calls,
        "error": error,
        "module": recorder_imports.name_of(request["entry"]),
        "trains": whole,
    }
    return result, notebook.values.arrays


def _execute(request: dict[str, Any]) -> Any:
    """Run the entry as `__main__`; how it ended, or None."""
    path = os.path.join(os.getcwd(), request["entry"])
    sys.argv = [path, *request.get("argv", [])]
    sys.path.insert(0, os.path.dirname(path))
    _seed()
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, float(request.get("seconds", 60)))
    try:
        recorder_imports.run_main(path)
    except TimeIsUp:
        return {"type": "TimeIsUp", "message": "the time for recording was over", "where": ""}
    except SystemExit as stop:
        return None if stop.code in (None, 0) else {"type": "SystemExit", "message": str(stop.code), "where": ""}
    except BaseException as error:
        return _error(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _seed() -> None:
    """The same random numbers in every recording, so that the same program is checked on the same inputs."""
    import random

    import numpy as np
    import tensorflow as tf

    random.seed(0)
    np.random.seed(0)
    tf.random.set_seed(0)


def _ring(signum: int, frame: Any) -> None:
    raise TimeIsUp()


def _error(error: BaseException) -> Any:
    root = os.getcwd()
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(root)]
    where = f"{os.path.relpath(frames[-1].filename, root)}:{frames[-1].lineno}" if frames else ""
    return {"type": type(error).__name__, "message": (str(error).splitlines() or [""])[0][:300], "where": where}


class Notebook:
    """The calls so far, and the objects they made."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.values = recorder_values.Encoder(self.made_by)
        self.steps = 0
        self._stack: list[dict[str, Any]] = []
        self._seen: dict[str, list[str]] = {}
        self._more: dict[str, int] = {}
        self._makers: dict[int, list[tuple[str, str]]] = {}
        self._kept: list[Any] = []

    # what the decorators call

    def function(self, name: str) -> Any:
        """Decorator of a function or method `name` ("module:qualname")."""
        import functools
        import inspect

        def decorate(fn: Any) -> Any:
            if not isinstance(fn, types.FunctionType):
                return fn
            method = "." in name.split(":")[1]

            @functools.wraps(fn)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return self._call(name, fn, args, kwargs, method)

            wrapper.__signature__ = inspect.signature(fn)  # type: ignore[attr-defined]
            wrapper.__migrator_name__ = name  # type: ignore[attr-defined]
            return wrapper

        return decorate

    def klass(self, name: str) -> Any:
        """Decorator of a class: its constructions are calls whose result is the object."""
        import functools
        import inspect

        def decorate(cls: type) -> type:
            original = getattr(cls, "__init__", None)
            if issubclass(cls, (tuple, BaseException)) or _is_enum(cls):
                return cls
            if not isinstance(original, types.FunctionType):
                return cls

            @functools.wraps(original)
            def __init__(self_: Any, *args: Any, **kwargs: Any) -> None:
                if type(self_) is cls:
                    self._construct(name, original, self_, args, kwargs)
                else:
                    original(self_, *args, **kwargs)

            __init__.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]
            setattr(cls, "__init__", __init__)  # noqa: B010
            setattr(cls, "__migrator_name__", name)  # noqa: B010
            return cls

        return decorate

    def made_by(self, value: Any) -> Any:
        """(label, path) of the recorded call that made this object, or None."""
        makers = self._makers.get(id(value))
        if not makers:
            return None
        usable = [m for m in makers if self._reproducible(m[0])]
        return (usable or makers)[0]

    def used(self, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A model or layer was called with these inputs."""
        makers = self._makers.get(id(value))
        if not makers or self.values.traced((args, kwargs)):
            return
        for label, path in makers:
            call = self.calls[int(label[1:])]
            if len(call["uses"]) < VARIANTS:
                shape = self.values.signature((args, kwargs))
                if all(use["signature"] != shape for use in call["uses"]):
                    inputs = [self.values.encode(a) for a in args]
                    named = {k: self.values.encode(v) for k, v in kwargs.items()}
                    call["uses"].append({"path": path, "args": inputs, "kwargs": named, "signature": shape})

    def step(self) -> None:
        """An optimizer made a step."""
        self.steps += 1
        for call in self._stack:
            call["steps"] += 1

    def close(self) -> None:
        """Forget what only helped recording."""
        for call in self.calls:
            for use in call["uses"]:
                use.pop("signature", None)

    # one call

    def _call(self, name: str, fn: Any, args: Any, kwargs: Any, method: bool) -> Any:
        call = self._open(name, fn, args, kwargs, method)
        if call is None:
            result = fn(*args, **kwargs)
            self._another(name, fn, args, kwargs, method, result)
            return result
        bound = _is_bound(fn, args, method)
        given = [*args[bound:], *kwargs.values()]
        left = Left(args[0] if bound else None, [value for value in given if isinstance(value, (list, dict))])
        shown = effects.COUNT[0]
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            call["raised"] = type(error).__name__
            raise
        finally:
            self._stack.pop()
        call["left"] = left.changed() or (effects.COUNT[0] > shown and _takes_data(call))
        self._remember(call, result)
        return result

    def _construct(self, name: str, original: Any, made: Any, args: Any, kwargs: Any) -> None:
        call = self._open(name, original, (made, *args), kwargs, True)
        if call is None:
            original(made, *args, **kwargs)
            self._another(name, original, (made, *args), kwargs, True, made)
            return
        call["on"] = None
        try:
            original(made, *args, **kwargs)
        except BaseException as error:
            call["raised"] = type(error).__name__
            raise
        finally:
            self._stack.pop()
        self._remember(call, made)

    def _open(self, name: str, fn: Any, args: Any, kwargs: Any, method: bool) -> Any:
        """A new record, on the stack; None where enough of this callable is known."""
        if len(self.calls) >= MAX_CALLS or not recorder_values.recording_now():
            return None
        bound = _is_bound(fn, args, method)
        given = args[1:] if bound else args
        if self.values.traced((given, kwargs)):
            return None
        shape = self.values.signature((given, kwargs))
        seen = self._seen.setdefault(name, [])
        if shape in seen or len(seen) >= VARIANTS:
            return None
        seen.append(shape)
        call = self._record(name, fn, given, kwargs, args[0] if bound else None, bound)
        self._stack.append(call)
        return call

    def _another(self, name: str, fn: Any, args: Any, kwargs: Any, method: bool, result: Any) -> None:
        """A call like one that is known already has made another object: later calls may be given that."""
        parts = result if isinstance(result, (tuple, list)) and len(result) <= 8 else [result]
        new = any(self.values.is_object(part) and id(part) not in self._makers for part in parts)
        if not new or len(self.calls) >= MAX_CALLS or not recorder_values.recording_now():
            return
        bound = _is_bound(fn, args, method)
        if self.values.traced((args, kwargs)) or self._more.get(name, 0) >= OBJECTS:
            return
        self._more[name] = self._more.get(name, 0) + 1
        owner = args[0] if bound and args[0] is not result else None
        call = self._record(name, fn, args[1:] if bound else args, kwargs, owner, bound)
        call["again"] = True
        self._remember(call, result)

    def _record(self, name: str, fn: Any, given: Any, kwargs: Any, owner: Any, bound: bool) -> dict[str, Any]:
        names = fn.__code__.co_varnames[: fn.__code__.co_argcount + fn.__code__.co_kwonlyargcount]
        call: dict[str, Any] = {
            "label": f"c{len(self.calls)}",
            "name": name,
            "on": None if owner is None or isinstance(owner, type) else self.values.encode(owner),
            "args": [self.values.encode(a) for a in given],
            "kwargs": {k: self.values.encode(v) for k, v in kwargs.items()},
            "params": list(names[1:] if bound else names),
            "parent": self._stack[-1]["label"] if self._stack else None,
            "steps": 0,
            "uses": [],
            "result": None,
            "raised": None,
            "again": False,
            "left": False,
        }
        self.calls.append(call)
        return call

    def _remember(self, call: dict[str, Any], result: Any) -> None:
        if self.values.traced(result):
            call["raised"] = "Traced"  # it built part of a graph, which is nobody's result
            return
        call["result"] = self.values.describe(result)
        parts = [("", result)]
        if isinstance(result, (tuple, list)) and len(result) <= 8:
            parts += [(f"[{i}]", part) for i, part in enumerate(result)]
        for path, part in parts:
            if self.values.is_object(part):
                self._kept.append(part)  # so that its id stays its own
                self._makers.setdefault(id(part), []).append((call["label"], path))

    def _reproducible(self, label: str) -> bool:
        call = self.calls[int(label[1:])]
        trees = [*call["args"], *call["kwargs"].values()]
        return call["on"] is None and not any(recorder_values.opaque(tree) for tree in trees)


def _is_bound(fn: Any, args: Any, method: bool) -> bool:
    """Whether the first argument is the object or class that a method belongs to."""
    return method and bool(args) and next(iter(fn.__code__.co_varnames[:1]), "") in ("self", "cls")


def _takes_data(call: dict[str, Any]) -> bool:
    """Whether a call is given arrays or objects: what it prints or writes is of these then."""
    given = [call["on"], *call["args"], *call["kwargs"].values()]
    return any(tree is not None and tree["kind"] not in ("literal", "opaque") for tree in given)


def _is_enum(cls: type) -> bool:
    import enum

    return issubclass(cls, enum.Enum)
