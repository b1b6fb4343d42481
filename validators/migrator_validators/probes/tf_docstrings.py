"""Docstrings of the installed TensorFlow and Keras, by canonical name."""

from __future__ import annotations

import inspect
from typing import Any, Dict, Iterator, List, Tuple

import tensorflow as tf

from . import wire


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Request: `names` ("tf.math.add"). Result: `docs`, [name, docstring], each text once."""
    found: List[Tuple[str, str]] = []
    seen = set()
    for name in request["names"]:
        for path, text in documented(name):
            if text not in seen:
                seen.add(text)
                found.append((path, text))
    return {"docs": found}, {}


def documented(name: str) -> Iterator[Tuple[str, str]]:
    """The docstrings of an API and, of a class, of its public methods."""
    value: Any = tf
    for part in name.split(".")[1:]:
        value = getattr(value, part, None)
    if inspect.ismodule(value) or not (callable(value) or inspect.isclass(value)):
        return
    if isinstance(value.__doc__, str):
        yield name, value.__doc__
    if inspect.isclass(value):
        for key, member in sorted(vars(value).items()):
            text = getattr(member, "__doc__", None)
            if not key.startswith("_") and isinstance(text, str) and not inspect.isclass(member):
                yield "%s.%s" % (name, key), text
