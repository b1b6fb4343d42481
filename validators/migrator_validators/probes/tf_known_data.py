"""Keras's loaders of known data sets read the stand-ins of `known_data`, wherever the source is run.

Trained weights of its applications have none: the network keeps what it started with, as on the target's side,
and the checks carry these over.
"""

from __future__ import annotations

import functools
from typing import Any

from . import known_data, tf_exports

UNTRAINED = "/untrained.h5"


def _leave_untrained(keras: Any) -> None:
    """Loading what stands in for trained weights changes nothing."""
    owner = next(c for c in keras.Model.__mro__ if "load_weights" in c.__dict__)
    original = owner.load_weights

    @functools.wraps(original)
    def load_weights(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        return None if filepath == UNTRAINED else original(self, filepath, *args, **kwargs)

    owner.load_weights = load_weights


def install() -> None:
    """Hand the stand-ins to every loader; anything else is downloaded as before (where there is a network)."""
    keras = tf_exports.keras_package()
    original = keras.utils.get_file

    @functools.wraps(original)
    def get_file(fname: Any = None, origin: Any = None, *args: Any, **kwargs: Any) -> Any:
        if known_data.TRAINED in str(origin):
            return UNTRAINED
        return known_data.place(str(origin)) or original(fname, origin, *args, **kwargs)

    _leave_untrained(keras)

    tf_exports.everywhere(original, get_file)
    tf_exports.everywhere(keras.datasets.cifar10.load_data, lambda: known_data.cifar("cifar10", "labels"))
    tf_exports.everywhere(
        keras.datasets.cifar100.load_data,
        lambda label_mode="fine": known_data.cifar("cifar100", label_mode + "_labels"),
    )
