"""Imports a module, on either side."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from . import wire


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Request: `module`."""
    wire.resolve(request["module"])
    return {}, {}
