"""In which order a program makes its Keras layers."""

from __future__ import annotations

import ast
import functools
import linecache
import os
import sys
from typing import Any, Dict, List, Optional, Tuple

import tensorflow as tf

Place = Tuple[int, str, int]
LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_ordinals: Dict[int, int] = {}
_kept: List[Any] = []  # keeps ids from being used again
_made: Dict[int, Optional[Place]] = {}  # the statement in which a layer was made, until it is called
_last = [0]


def stamp_layers() -> None:
    """From now on every Keras layer remembers the order of its creation.

    One that is called in the statement that makes it counts as made then: of `Dense(1)(Dense(6)(x))` Python makes the
    outer one first, and a reader the inner one.
    """
    base = tf.keras.layers.Layer
    init, call = base.__init__, base.__call__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if id(self) not in _ordinals:
            _stamp(self)
            _kept.append(self)
            _made[id(self)] = _statement(self)
        init(self, *args, **kwargs)

    @functools.wraps(call)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        place = _made.pop(id(self), None)
        if place is not None and place == _statement(self):
            for layer in sorted({id(own): own for own in self._flatten_layers()}.values(), key=ordinal):
                _stamp(layer)
        return call(self, *args, **kwargs)

    base.__init__ = __init__
    base.__call__ = __call__


def ordinal(layer: Any) -> int:
    """The place of a layer in the order; far behind all others for one that was made before the stamping."""
    return _ordinals.get(id(layer), 1 << 30)


def _stamp(layer: Any) -> None:
    _last[0] += 1
    _ordinals[id(layer)] = _last[0]


def _statement(layer: Any) -> Optional[Place]:
    """The statement of the program that is running, outside of the layer's own methods."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        own = code.co_varnames[:1]
        inside = bool(own) and frame.f_locals.get(own[0]) is layer
        if not inside and not any(part in code.co_filename for part in LIBRARIES):
            return id(frame), code.co_filename, _first_line(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def _first_line(path: str, line: int) -> int:
    """The first line of the smallest statement around a line."""
    return next((start for start, end in _statements(path) if start <= line <= end), line)


@functools.lru_cache(maxsize=256)
def _statements(path: str) -> Tuple[Tuple[int, int], ...]:
    """First and last lines of a file's statements, the smallest first."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return ()
    found = [(s.lineno, getattr(s, "end_lineno", s.lineno)) for s in ast.walk(tree) if isinstance(s, ast.stmt)]
    return tuple(sorted(found, key=lambda span: span[1] - span[0]))
