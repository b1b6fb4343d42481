"""TensorFlow side of a program that is run to its end, with injected randomness."""

from __future__ import annotations

import random
from typing import Any, Dict, Tuple

import numpy as np
import tensorflow as tf

from . import printed, tf_initializers, tf_injection, wire
from .tf_exports import everywhere


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Any, wire.Arrays]:
    """As `printed.run`. The program's own seeds for TensorFlow do nothing: PyTorch's streams are others."""
    tf_initializers.install()
    tf_injection.install()
    tf.random.set_seed(request["seed"])
    everywhere(tf.random.set_seed, lambda seed: None)
    everywhere(tf.compat.v1.set_random_seed, lambda seed: None)
    everywhere(tf.keras.utils.set_random_seed, _seed_numpy)
    hidden = {tf.__version__: "<version>", tf.keras.__version__: "<version>"}
    return printed.run(request, hidden, _and_tensorflow)


def _seed_numpy(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def _and_tensorflow(recorder: printed.Printed) -> None:
    original = tf.print

    def tf_print(*args: Any, **kwargs: Any) -> Any:
        recorder.note(args)
        return original(*args, **kwargs)

    everywhere(original, tf_print)
