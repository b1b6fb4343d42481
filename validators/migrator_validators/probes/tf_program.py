"""TensorFlow side of a program that is run to its end, with injected randomness."""

from __future__ import annotations

import random
from typing import Any, Dict, Tuple

import numpy as np
import tensorflow as tf

from . import tf_initializers, tf_injection, wire
from .printed import Printed
from .printed import run as run_program
from .tf_exports import everywhere, keras_package


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Any, wire.Arrays]:
    """As `printed.run`. The program's own seeds for TensorFlow do nothing: PyTorch's streams are others."""
    tf_initializers.install()
    tf_injection.install()
    tf.random.set_seed(request["seed"])
    everywhere(tf.random.set_seed, lambda seed: None)
    everywhere(tf.compat.v1.set_random_seed, lambda seed: None)
    everywhere(tf.keras.utils.set_random_seed, _seed_numpy)
    out: wire.Arrays = {}
    return run_program(request, recorder(out)), out


def recorder(arrays: wire.Arrays) -> Printed:
    """A recorder of `print` that hears `tf.print` too."""
    printed = Printed({tf.__version__: "<version>", keras_package().__version__: "<version>"}, arrays)
    original = tf.print

    def tf_print(*args: Any, **kwargs: Any) -> Any:
        if tf.executing_eagerly():
            printed.note(args)
        return original(*args, **kwargs)

    everywhere(original, tf_print)
    return printed


def _seed_numpy(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
