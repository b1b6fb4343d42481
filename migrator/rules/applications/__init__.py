"""Keras's applications: architectures as plain PyTorch, and the rules of the calls that make them."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Registers the rules of every file of this folder."""
    for found in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{found.name}")
