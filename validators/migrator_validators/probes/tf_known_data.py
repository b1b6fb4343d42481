"""Keras's loaders of known data sets read the stand-ins of `known_data`, wherever the source is run."""

from __future__ import annotations

import functools
from typing import Any

from . import known_data, tf_exports


def install() -> None:
    """Hand the stand-ins to every loader; anything else is downloaded as before (where there is a network)."""
    keras = tf_exports.keras_package()
    original = keras.utils.get_file

    @functools.wraps(original)
    def get_file(fname: Any = None, origin: Any = None, *args: Any, **kwargs: Any) -> Any:
        return known_data.place(str(origin)) or original(fname, origin, *args, **kwargs)

    tf_exports.everywhere(original, get_file)
    tf_exports.everywhere(keras.datasets.cifar10.load_data, lambda: known_data.cifar("cifar10", "labels"))
    tf_exports.everywhere(
        keras.datasets.cifar100.load_data,
        lambda label_mode="fine": known_data.cifar("cifar100", label_mode + "_labels"),
    )
