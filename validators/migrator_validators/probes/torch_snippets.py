"""Torch side of small programs, with injected randomness."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import torch

from . import snippets, torch_injection, wire
from .streams import STREAMS


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """As `snippets.run`."""
    torch_injection.install()

    def restart() -> None:
        torch_injection.restart()
        torch.manual_seed(request["seed"])

    return snippets.run(request, restart, STREAMS.report)
