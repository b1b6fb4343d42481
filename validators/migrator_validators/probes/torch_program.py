"""Torch side of a program that is run to its end, with injected randomness."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import torch

from . import printed, torch_injection, wire


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Any, wire.Arrays]:
    """As `printed.run`."""
    torch.set_num_threads(1)
    torch_injection.install()
    return printed.run(request, {torch.__version__: "<version>"}, lambda recorder: None)
