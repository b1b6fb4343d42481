"""What a program does on one batch, step by step, the same for both frameworks.

A step is {"what": "layer", "label", "name" (torch) or "index" (Keras), "given", "gave", "before"} or
{"what": "name", "place": "file:qualified name", "name", "line", "gave"}; values are trees of `wire`, their arrays
beside them.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from . import wire

MOST = 2000
ROOM = 64 * 1024 * 1024
PLAIN = (bool, int, float)
IS_FUNCTION = 0x1  # CO_OPTIMIZED: bodies of classes and modules have it not


class Steps:
    """Notes steps until there are too many of them, or too much in them."""

    def __init__(self) -> None:
        self.arrays: wire.Arrays = {}
        self.found: List[Dict[str, Any]] = []
        self.sink = wire.Sink(self.arrays, "e")
        self.size = 0
        self.roots = tuple({path.rstrip(os.sep) + os.sep for path in (os.getcwd(), sys.path[0])})

    @property
    def full(self) -> bool:
        return len(self.found) >= MOST or self.size > ROOM

    def note(self, step: Dict[str, Any], gave: Any, given: Any = None, before: Any = None) -> None:
        """A step whose value is numbers, or holds some; any other is left out."""
        if self.full:
            return
        tree = self.encoded(gave)
        if tree is not None:
            self.found.append(dict(step, gave=tree, given=self.encoded(given), before=self.encoded(before)))

    def encoded(self, value: Any) -> Any:
        """The tree of a value made of numbers, None of any other; also of one that has no value yet."""
        if not holds_numbers(value):
            return None
        before = set(self.arrays)
        try:
            tree = wire.encode(value, self.sink)
        except Exception:  # a tensor of a graph
            return None
        self.size += sum(self.arrays[key].nbytes for key in set(self.arrays) - before)
        return tree

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Note what the functions of the program assign inside the block."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: Any, event: str, arg: Any) -> Optional[Callable[..., Any]]:
        code = frame.f_code
        inside = code.co_filename.startswith(self.roots) and code.co_flags & IS_FUNCTION
        if event != "call" or not inside or code.co_name.startswith("<") or self.full:
            return None
        return _Function(self, frame)


class _Function:
    """One call of a function: which names got new values, line by line."""

    def __init__(self, steps: Steps, frame: Any) -> None:
        code = frame.f_code
        root = next(root for root in steps.roots if code.co_filename.startswith(root))
        self.steps, self.file = steps, code.co_filename
        self.place = "%s:%s" % (code.co_filename[len(root) :], getattr(code, "co_qualname", code.co_name))
        self.known: Dict[str, Any] = {}
        self.line = frame.f_lineno

    def __call__(self, frame: Any, event: str, arg: Any) -> Optional[Callable[..., Any]]:
        for name, value in list(frame.f_locals.items()):
            if name not in self.known or self.known[name] is not value:
                self.known[name] = value
                self._note(name, value)
        if event == "return" and arg is not None:
            self._note("return", arg)
        self.line = frame.f_lineno
        return None if self.steps.full else self

    def _note(self, name: str, value: Any) -> None:
        line = linecache.getline(self.file, self.line).strip()
        self.steps.note({"what": "name", "place": self.place, "name": name, "line": line}, value)


def holds_numbers(value: Any, depth: int = 0) -> bool:
    """Whether a value is numbers, or a short list, tuple or dict of such."""
    if isinstance(value, PLAIN) or wire.tensor_kind(value):
        return True
    if isinstance(value, dict):
        value = list(value.values())
    return (
        isinstance(value, (list, tuple))
        and 0 < len(value) <= 16
        and depth < 3
        and all(holds_numbers(item, depth + 1) for item in value)
    )


def first_input(args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """What a layer was called with."""
    return args[0] if args else next(iter(kwargs.values()), None)
