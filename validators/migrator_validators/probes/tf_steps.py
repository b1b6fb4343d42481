"""TensorFlow side of the search for the first difference: requests of `tf_check`, answered with steps on one batch.

A layer's activation is a step of its own on the other side as a rule, so what went into it is noted as well
("before").
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List, Tuple

import tensorflow as tf

from . import tf_objects as objects
from . import wire
from .steps import Steps, first_input
from .tf_check import Check, Request, prepare


def run(request: Request, arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """The steps of the first batch, and the objects described; everything is run eagerly."""
    injection = prepare(request)
    tf.config.run_functions_eagerly(True)
    check = Check(dict(request, grad=False), arrays)
    check.build(0)
    if any(name.startswith("w.") for name in arrays):
        check.load(arrays)
    if injection is not None:
        injection.restart()
        injection.start_step()
    steps, batch = Steps(), request["batches"][0]
    described = {label: objects.describe(value, []) for label, value in check.weighted().items()}
    with watched(steps, check), steps.watch(), contextlib.suppress(wire.ProgramError):
        check.observe(batch["number"], batch)
    return {"steps": steps.found, "objects": described}, steps.arrays


@contextlib.contextmanager
def watched(steps: Steps, check: Check) -> Iterator[None]:
    """Note what the layers give, in the order in which they end; a layer's index is that of `tf_objects.describe`."""
    names: Dict[int, Tuple[str, int]] = {}
    before: Dict[int, List[Any]] = {}
    for label, value in check.weighted().items():
        for index, layer in enumerate(objects.layers_of(value)):
            names[id(layer)] = (label, index)
            _open_activation(layer, before.setdefault(id(layer), []))
    original = tf.keras.layers.Layer.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = original(self, *args, **kwargs)
        if id(self) in names:
            label, index = names[id(self)]
            activated = before[id(self)].pop() if before[id(self)] else None
            step = {"what": "layer", "label": label, "index": index}
            steps.note(step, output, first_input(args, kwargs), activated)
        return output

    tf.keras.layers.Layer.__call__ = call
    try:
        yield
    finally:
        tf.keras.layers.Layer.__call__ = original


def _open_activation(layer: Any, seen: List[Any]) -> None:
    """Keep what goes into the activation of a dense or convolution layer."""
    activation = getattr(layer, "activation", None)
    if not callable(activation) or hasattr(layer, "recurrent_activation") or not hasattr(layer, "kernel"):
        return

    def kept(x: Any, *args: Any, **kwargs: Any) -> Any:
        seen[:] = [x]
        return activation(x, *args, **kwargs)

    layer.activation = kept
