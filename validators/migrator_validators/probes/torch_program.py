"""Torch side of a program that is run to its end, with injected randomness."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import torch

from . import torch_injection, wire
from .printed import Printed
from .printed import run as run_program


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Any, wire.Arrays]:
    """As `printed.run`."""
    torch.set_num_threads(1)
    torch_injection.install()
    out: wire.Arrays = {}
    return run_program(request, recorder(out)), out


def recorder(arrays: wire.Arrays) -> Printed:
    """A recorder of `print`."""
    return Printed({torch.__version__: "<version>"}, arrays)
