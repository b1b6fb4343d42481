"""TensorFlow side of a data case: the first batches of what `call` returns. Shuffles are sequential and noted."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import tensorflow as tf

from . import series, tf_check, wire


def is_series(value: Any) -> bool:
    generator = hasattr(value, "__next__") and hasattr(value, "__iter__")
    return isinstance(value, (tf.data.Dataset, tf.keras.utils.Sequence)) or generator


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    injection: Any = tf_check.prepare(dict(request, inject=True))
    program = wire.Program(arrays, tf_check.tensor, tf_check.dataset)
    out: wire.Arrays = {}
    value = program.call(request["batches"][0]["call"])
    injection.start_step()
    lengths: list = []  # type: ignore[type-arg]
    tree = series.encode(value, wire.Sink(out, "o"), is_series, lengths)
    return series.answer(tree, lengths, injection.STREAMS), out
