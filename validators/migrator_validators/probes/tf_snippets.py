"""TensorFlow side of small programs, with injected randomness."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import tensorflow as tf

from . import snippets, tf_injection, wire
from .streams import STREAMS


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """As `snippets.run`. `seed`: of what cannot be injected: what differs over seeds is random."""
    tf_injection.install()

    def restart() -> None:
        tf_injection.restart()
        tf.keras.utils.set_random_seed(request["seed"])

    return snippets.run(request, restart, STREAMS.report)
