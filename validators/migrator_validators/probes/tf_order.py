"""Data come in their own order, and that a shuffle was asked for is noted; training runs eagerly."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from .streams import STREAMS, Pass
from .tf_exports import LEGACY, bind, keras_package

_FIT: list[bool] = []  # is the innermost fit or evaluate on arrays asked to shuffle?


def install() -> None:
    """Datasets, sequences, `fit`, `evaluate`, `predict` and `compile`."""
    _install_datasets()
    _install_sequences()
    _install_keras()


# --- data ---------------------------------------------------------------------------------------------


class Watched:
    """An iterator over a dataset that notices whether it feeds training."""

    def __init__(self, iterator: Any, shuffled: bool) -> None:
        self._iterator = iterator
        self._pass = Pass(STREAMS, shuffled)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        with self._pass.fetch():
            return next(self._iterator)

    next = __next__

    def get_next(self) -> Any:
        with self._pass.fetch():
            return self._iterator.get_next()

    def get_next_as_optional(self) -> Any:
        with self._pass.fetch():
            return self._iterator.get_next_as_optional()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


tf.data.Iterator.register(Watched)  # Keras asks what it is where it does not know how many batches there are


def _shuffled(dataset: Any) -> bool:
    if getattr(dataset, "_migrator_shuffled", False):
        return True
    inputs = getattr(dataset, "_inputs", None)
    return any(_shuffled(each) for each in inputs()) if callable(inputs) else False


def _install_datasets() -> None:
    base = tf.data.Dataset
    iterate = base.__iter__

    def shuffle(self: Any, buffer_size: Any, *args: Any, **kwargs: Any) -> Any:
        same = self.take(-1)
        same._migrator_shuffled = True
        return same

    def __iter__(self: Any) -> Any:
        iterator = iterate(self)
        if not tf.executing_eagerly():
            return iterator
        return Watched(iterator, _shuffled(self) or bool(_FIT and _FIT[-1]))

    base.shuffle = shuffle
    base.__iter__ = __iter__
    base.prefetch = lambda self, *args, **kwargs: self.take(-1)  # numbers are drawn when a batch is asked for
    _disable_parallel_shuffle(base)


def _disable_parallel_shuffle(base: Any) -> None:
    """`list_files` shuffles names unless told otherwise."""
    original = base.list_files

    def list_files(file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None) -> Any:
        files = original(file_pattern, shuffle=False)
        files._migrator_shuffled = shuffle is not False
        return files

    base.list_files = staticmethod(list_files)


def _install_sequences() -> None:
    """What Keras looks at beforehand, for the shapes, draws no numbers: the first batch that trains draws the first."""
    if LEGACY:
        adapter: Any = keras_package().src.engine.data_adapter.KerasSequenceAdapter
        adapter._peek_and_restore = staticmethod(_without_numbers(adapter._peek_and_restore))
        return
    from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

    PyDatasetAdapter.get_tf_dataset = _without_numbers(PyDatasetAdapter.get_tf_dataset)


def _without_numbers(original: Any) -> Any:
    """The function, after which NumPy's generator and the seeds of a sequence are where they were."""

    @functools.wraps(original)
    def call(given: Any) -> Any:
        sequence, state = getattr(given, "py_dataset", given), np.random.get_state()
        seen = getattr(sequence, "total_batches_seen", None)
        try:
            return original(given)
        finally:
            np.random.set_state(state)
            if seen is not None:
                sequence.total_batches_seen = seen

    return call


# --- Keras ----------------------------------------------------------------------------------------------


def _ordered_by_fit(x: Any) -> bool:
    """Does `fit(shuffle=True)` shuffle this? Rows of arrays and batches of a Sequence; not data sets and generators."""
    if isinstance(x, tf.keras.utils.Sequence):
        return True
    return x is not None and not isinstance(x, tf.data.Dataset) and not hasattr(x, "__next__")


def _install_keras() -> None:
    model = keras_package().Model
    trainer = next(c for c in model.__mro__ if "fit" in c.__dict__)
    fit, evaluate, predict = trainer.fit, trainer.evaluate, trainer.predict

    @functools.wraps(fit)
    def patched_fit(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        bound = bind(fit, (self, x, *args), kwargs)
        asked = bool(bound.get("shuffle", True)) and _ordered_by_fit(x)
        if _ordered_by_fit(x):
            bound["shuffle"] = False
        return _inside(asked, fit, bound)

    trainer.fit = patched_fit
    for name, original in (("evaluate", evaluate), ("predict", predict)):
        setattr(trainer, name, _unshuffled(original))
    _install_eager_compile()


def _inside(asked: bool, function: Any, bound: dict[str, Any]) -> Any:
    _FIT.append(asked)
    try:
        extra = bound.pop("kwargs", {})
        return function(**dict(bound, **extra))
    finally:
        _FIT.pop()


def _unshuffled(original: Any) -> Any:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _inside(False, original, bind(original, (self, *args), kwargs))

    return call


def _install_eager_compile() -> None:
    model = keras_package().Model
    trainer = next(c for c in model.__mro__ if "compile" in c.__dict__ and "fit" in c.__dict__) if LEGACY else None
    if trainer is None:
        from keras.src.trainers.trainer import Trainer

        trainer = Trainer
    compile_ = trainer.compile

    @functools.wraps(compile_)
    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = bind(compile_, (self, *args), kwargs)
        extra = bound.pop("kwargs", {})
        bound.update(extra, run_eagerly=True)
        if not LEGACY:
            bound["jit_compile"] = False
        return compile_(**bound)

    trainer.compile = patched
