"""PyTorch side: which of the given dotted names do not exist in the installed torch."""

from __future__ import annotations

import importlib
from typing import Any, Dict, Tuple

from . import wire


def exists(name: str) -> bool:
    """Whether a dotted name leads to something: modules are imported, then attributes followed."""
    parts = name.split(".")
    value: Any = importlib.import_module(parts[0])
    path = parts[0]
    for part in parts[1:]:
        path += "." + part
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(path)
            except ImportError:
                return False
    return True


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    return {"missing": [name for name in request["names"] if not exists(name)]}, {}
