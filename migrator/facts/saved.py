"""Which model is in which file: what `save` and `ModelCheckpoint` wrote, for `load_model` to read."""

from __future__ import annotations

from migrator.facts.calls import Arguments
from migrator.facts.interpreter import Interpreter
from migrator.values import Instance, Literal, ModelValue, RepoInstance, Sequence, Span, Unknown, Value

_CHECKPOINT = "tf.keras.callbacks.ModelCheckpoint"


def note(it: Interpreter, model: Value, path: Value) -> None:
    """A model was saved; two different ones under one path make what is there unknown."""
    key = _key(path)
    known = it.saved.get(key, model)
    it.saved[key] = model if _same(it, known, model) else Unknown("several models are saved there")


def note_callbacks(it: Interpreter, model: Value, args: Arguments) -> None:
    """The files of the checkpoints that `fit` is given, of whole models."""
    callbacks = args.keywords.get("callbacks", Unknown())
    listed = callbacks.items or () if isinstance(callbacks, Sequence) else (callbacks,)
    for callback in listed:
        if isinstance(callback, Instance) and callback.api == _CHECKPOINT:
            weights_alone = callback.arg("save_weights_only")
            if weights_alone in (None, Literal(False)):
                note(it, model, callback.arg("filepath") or Unknown())


def loaded(it: Interpreter, path: Value) -> Value:
    """The model in a file; of a path that only the run tells, the only one that anything saves."""
    key = _key(path)
    if key is not None:
        return it.saved.get(key, Unknown("a model loaded from a file"))
    models = list(it.saved.values())
    alike = models and all(_same(it, model, models[0]) for model in models)
    return models[0] if alike else Unknown("a model loaded from a file")


def _same(it: Interpreter, one: Value, other: Value) -> bool:
    """Whether two values are one model, which counts as made in its factory or where that was called."""
    places = [_place(it, value) for value in (one, other)]
    return places[0] is not None and places[0] == places[1]


def _place(it: Interpreter, value: Value) -> tuple[str, Span] | None:
    if not isinstance(value, ModelValue | RepoInstance) or value.site is None:
        return None
    place = (value.module, value.site)
    return it.origins.get(place, place)


def _key(path: Value) -> str | None:
    return path.value if isinstance(path, Literal) and isinstance(path.value, str) else None
