"""`ImageDataGenerator`: what the batches that it gives hold."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.facts import arithmetic
from migrator.facts.calls import Arguments, Where, literal
from migrator.facts.interpreter import UNKNOWN
from migrator.facts.join import join_all
from migrator.values import IMAGE_BATCHES, Instance, Literal, Sequence, Tensor, Value

GENERATOR = "tf.keras.preprocessing.image.ImageDataGenerator"
_FLOW = ("x", "y", "batch_size", "shuffle", "sample_weight")
_FOLDERS = ("directory", "target_size", "color_mode", "classes", "class_mode")
_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def method(name: str, args: Arguments, where: Where) -> Value | None:
    """The result of a method of a generator: batches, or an image."""
    if name in ("standardize", "random_transform"):
        given = args.positional[0] if args.positional else args.keywords.get("x", UNKNOWN)
        return Tensor(given.shape, "float32", "numpy") if isinstance(given, Tensor) else UNKNOWN
    if name not in ("flow", "flow_from_directory"):
        return None
    names = _FLOW if name == "flow" else _FOLDERS
    given_args = {} if args.open else dict(zip(names, args.positional, strict=False)) | args.keywords
    element = _of_arrays(given_args) if name == "flow" else _of_folders(given_args)
    return Instance(IMAGE_BATCHES, where.module, where.span, (("element", element),))


def _of_arrays(given: Mapping[str, Value]) -> Value:
    found = [given[name] for name in ("x", "y", "sample_weight") if given.get(name, Literal(None)) != Literal(None)]
    parts: list[Value] = [_batch(value, first=not position) for position, value in enumerate(found)]
    return parts[0] if len(parts) == 1 else _tuple(parts)


def _batch(value: Value, first: bool) -> Value:
    """Rows of an array; images become floating."""
    if not isinstance(value, Tensor):
        return UNKNOWN
    shape = None if value.shape is None else (None, *value.shape[1:])
    return Tensor(shape, "float32" if first else value.dtype, "numpy", None, value.last)


def _of_folders(given: Mapping[str, Value]) -> Value:
    size = arithmetic.dims_of(given["target_size"]) if "target_size" in given else (256, 256)
    colours, mode = literal(given.get("color_mode"), "rgb"), literal(given.get("class_mode"), "categorical")
    sides = size if size is not None and len(size) == 2 else (None, None)
    images = Tensor((None, *sides, _CHANNELS.get(str(colours))), "float32", "numpy")
    if given.get("class_mode", Literal("categorical")) == Literal(None):
        return images
    labels: Value = {
        "categorical": Tensor((None, _classes(given)), "float32", "numpy"),
        "input": images,
    }.get(str(mode), Tensor((None,), "float32", "numpy"))
    return _tuple([images, labels])


def _classes(given: Mapping[str, Value]) -> int | None:
    classes = given.get("classes")
    return len(classes.items) if isinstance(classes, Sequence) and classes.items else None


def _tuple(parts: list[Value]) -> Value:
    return Sequence("tuple", tuple(parts), join_all(parts))
