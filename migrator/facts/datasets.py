"""tf.data pipelines and the data sets that Keras downloads."""

from __future__ import annotations

from collections.abc import Callable

from migrator.facts import arithmetic, functions
from migrator.facts.calls import Arguments, Where, literal
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.facts.join import join_all
from migrator.facts.shapes.ops import tensor
from migrator.facts.words import words
from migrator.values import Dataset, Dict, Dim, DType, Instance, Literal, RepoFunction, Sequence, Tensor, Value

_IMAGES: dict[str, tuple[tuple[int, ...], tuple[int, ...], int, int]] = {
    "mnist": ((28, 28), (), 60000, 10000),
    "fashion_mnist": ((28, 28), (), 60000, 10000),
    "cifar10": ((32, 32, 3), (1,), 50000, 10000),
    "cifar100": ((32, 32, 3), (1,), 50000, 10000),
}
_KEEPING = frozenset(
    words("shuffle repeat prefetch cache take skip shard with_options filter apply_options ignore_errors rebatch")
    + words("take_while snapshot")
)


def known(api: str) -> Value:
    """What `load_data` of a Keras data set returns."""
    name = api.split(".")[3]
    if name in _IMAGES:
        image, label, train, test = _IMAGES[name]
        pairs = [_arrays((count, *image), (count, *label)) for count in (train, test)]
    elif name == "boston_housing":
        pairs = [_arrays((404, 13), (404,), "float64"), _arrays((102, 13), (102,), "float64")]
    else:
        pairs = [Sequence("tuple", (Tensor((None,), None, "numpy"),) * 2, Tensor((None,), None, "numpy"))] * 2
    return Sequence("tuple", tuple(pairs), join_all(pairs))


def _arrays(x: tuple[int, ...], y: tuple[int, ...], dtype: str = "uint8") -> Value:
    items = (Tensor(x, dtype, "numpy"), Tensor(y, dtype, "numpy"))
    return Sequence("tuple", items, join_all(items))


LOADERS = frozenset(
    f"tf.keras.utils.{name}"
    for name in words("image_dataset_from_directory text_dataset_from_directory timeseries_dataset_from_array")
)


def loaded(api: str, args: Arguments) -> Value:
    """The batches that Keras reads from folders and arrays; what they hold where nothing else is asked for."""
    if api.startswith("tf.keras.utils.timeseries"):
        return Dataset(UNKNOWN, True)
    if args.keywords.get("subset") == Literal("both"):
        return UNKNOWN
    texts = api.startswith("tf.keras.utils.text")
    channels = {"grayscale": 1, "rgb": 3, "rgba": 4}.get(str(literal(args.keywords.get("color_mode"), "rgb")))
    samples = Tensor((None,), "string") if texts else Tensor((None, None, None, channels), "float32")
    asked = set(args.keywords) - {"color_mode", "directory", "interpolation"}
    plain = asked <= {"batch_size", "image_size", "shuffle", "seed", "validation_split", "subset"}
    if not plain or len(args.positional) > 1:
        return Dataset(UNKNOWN, True)
    items = (samples, Tensor((None,), "int32"))
    return Dataset(Sequence("tuple", items, join_all(items)), True)


def create(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """A dataset from a constructor of `tf.data`."""
    name = api.rsplit(".", 1)[1]
    first = args.positional[0] if args.positional else next(iter(args.keywords.values()), UNKNOWN)
    if name == "from_tensor_slices":
        return Dataset(_sliced(first))
    if name == "from_tensors":
        return Dataset(_as_tensors(first))
    if name in ("range", "Counter"):
        return Dataset(Tensor((), "int64"))
    if name == "zip":
        given = args.positional if len(args.positional) > 1 else first
        return Dataset(_zipped(Sequence("tuple", tuple(given)) if isinstance(given, list) else given))
    if name in ("list_files", "TextLineDataset", "TFRecordDataset"):
        return Dataset(Tensor((), "string"))
    if name == "from_generator":
        return Dataset(_signature(args))
    if name in ("sample_from_datasets", "choose_from_datasets"):
        inner = first.element if isinstance(first, Sequence) else UNKNOWN
        return Dataset(inner.element) if isinstance(inner, Dataset) else Dataset()
    if name == "cardinality":
        return Tensor((), "int64")
    if name == "get_single_element":
        return first.element if isinstance(first, Dataset) else UNKNOWN
    return Dataset() if name in ("Dataset", "CsvDataset", "make_csv_dataset") else UNKNOWN


def method(it: Interpreter, dataset: Dataset, name: str, args: Arguments, where: Where) -> Value | None:
    """A dataset method; None where it is not known."""
    if name in _KEEPING:
        if name in ("filter", "take_while"):
            _call(it, args, dataset.element, where)
        return dataset
    if name == "map":
        return Dataset(_call(it, args, dataset.element, where), dataset.batched)
    if name == "batch":
        exact = literal(args.keywords.get("drop_remainder", args.positional[1] if len(args.positional) > 1 else None))
        size = args.positional[0] if args.positional else args.keywords.get("batch_size")
        return Dataset(batched(dataset.element, arithmetic.dim_of(size) if exact is True else None), True)
    if name in ("padded_batch", "bucket_by_sequence_length"):
        return Dataset(batched(_padded(dataset.element), None), True)
    if name == "unbatch":
        return Dataset(_sliced(dataset.element))
    if name == "concatenate":
        return dataset
    if name == "window":
        return Dataset(_windows(dataset.element))
    if name in ("flat_map", "interleave"):
        inner = _call(it, args, dataset.element, where)
        return Dataset(inner.element, inner.batched) if isinstance(inner, Dataset) else Dataset()
    if name == "group_by_window":
        return _grouped(it, dataset, args, where)
    if name == "scan":
        made = _invoke(it, _argument(args, 1, "scan_func"), [UNKNOWN, dataset.element], where)
        return Dataset(made.items[1] if isinstance(made, Sequence) and made.items and len(made.items) > 1 else UNKNOWN)
    if name == "reduce":
        return _invoke(it, _argument(args, 1, "reduce_func"), [UNKNOWN, dataset.element], where)
    if name == "get_single_element":
        return dataset.element
    if name == "apply":
        return Dataset()
    if name in ("enumerate",):
        items = (Tensor((), "int64"), dataset.element)
        return Dataset(Sequence("tuple", items, join_all(items)), dataset.batched)
    if name in ("as_numpy_iterator", "make_one_shot_iterator"):
        return Sequence("generator", None, dataset.element)
    if name == "cardinality":
        return Tensor((), "int64")
    return UNKNOWN


def _argument(args: Arguments, position: int, name: str) -> Value:
    return args.positional[position] if len(args.positional) > position else args.keywords.get(name, UNKNOWN)


def _invoke(it: Interpreter, function: Value, given: list[Value], where: Where) -> Value:
    if not isinstance(function, RepoFunction):
        return UNKNOWN
    return functions.invoke(it, function, Arguments(given), where)


def _grouped(it: Interpreter, dataset: Dataset, args: Arguments, where: Where) -> Value:
    """What `reduce_func` makes of the datasets of one key."""
    _call(it, Arguments([_argument(args, 0, "key_func")]), dataset.element, where)
    inner = _invoke(it, _argument(args, 1, "reduce_func"), [Tensor((), "int64"), Dataset(dataset.element)], where)
    return Dataset(inner.element, inner.batched) if isinstance(inner, Dataset) else Dataset()


def _windows(element: Value) -> Value:
    """A dataset in place of each part of an element."""
    if isinstance(element, Sequence) and element.items is not None:
        items = tuple(map(_windows, element.items))
        return Sequence(element.kind, items, join_all(items))
    if isinstance(element, Dict) and element.items is not None:
        return Dict(tuple((key, _windows(item)) for key, item in element.items))
    return Dataset(element) if isinstance(element, Tensor) else UNKNOWN


def _padded(element: Value) -> Value:
    """An element whose sizes are those of the largest of its batch."""
    if isinstance(element, Tensor):
        shape = None if element.shape is None else (None,) * len(element.shape)
        return Tensor(shape, element.dtype, "tf")
    if isinstance(element, Sequence) and element.items is not None:
        items = tuple(map(_padded, element.items))
        return Sequence(element.kind, items, join_all(items))
    if isinstance(element, Dict) and element.items is not None:
        return Dict(tuple((key, _padded(item)) for key, item in element.items))
    return UNKNOWN


def batched(element: Value, size: Dim) -> Value:
    """An element with a batch axis in front."""
    if isinstance(element, Tensor):
        shape = None if element.shape is None else (size, *element.shape)
        return Tensor(shape, element.dtype, "tf", None, element.last)
    if isinstance(element, Sequence) and element.items is not None:
        items = tuple(batched(item, size) for item in element.items)
        return Sequence(element.kind, items, join_all(items))
    if isinstance(element, Dict) and element.items is not None:
        return Dict(tuple((key, batched(item, size)) for key, item in element.items))
    return UNKNOWN


def _call(it: Interpreter, args: Arguments, element: Value, where: Where) -> Value:
    named = (args.keywords[name] for name in ("map_func", "predicate") if name in args.keywords)
    function = args.positional[0] if args.positional else next(named, UNKNOWN)
    spread = isinstance(element, Sequence) and element.kind == "tuple" and element.items is not None
    given = list(element.items) if spread and isinstance(element, Sequence) and element.items else [element]
    return _invoke(it, function, given, where)


def _sliced(value: Value) -> Value:
    if isinstance(value, Dict):
        return value if value.items is None else Dict(tuple((key, _sliced(item)) for key, item in value.items))
    if isinstance(value, Sequence) and value.kind == "tuple" and value.items is not None:
        items = tuple(_sliced(item) for item in value.items)
        return Sequence("tuple", items, join_all(items))
    found = arithmetic.element(tensor(value))
    return Tensor(found.shape, found.dtype, "tf", None, found.last) if isinstance(found, Tensor) else found


def _as_tensors(value: Value) -> Value:
    if isinstance(value, Sequence) and value.kind == "tuple" and value.items is not None:
        items = tuple(map(_as_tensors, value.items))
        return Sequence("tuple", items, join_all(items))
    return value if isinstance(value, Dict) else tensor(value)


def _zipped(value: Value) -> Value:
    if not isinstance(value, Sequence) or value.items is None:
        return value.element if isinstance(value, Dataset) else UNKNOWN
    items = tuple(map(_zipped, value.items))
    return Sequence("tuple", items, join_all(items))


def _signature(args: Arguments) -> Value:
    """The elements of a generator as `output_signature`, or `output_types`, says."""
    signature = args.keywords.get("output_signature")
    if signature is not None:
        return specified(signature)
    return _typed(_argument(args, 1, "output_types"))


def specified(value: Value) -> Value:
    """The tensor of a `tf.TensorSpec`; sequences of them part by part."""
    if isinstance(value, Instance) and value.api == "tf.TensorSpec":
        shape, dtype = value.arg("shape") or UNKNOWN, value.arg("dtype")
        sizes = shape.items if isinstance(shape, Sequence) else None
        name = dtype.name if isinstance(dtype, DType) else "float32" if dtype is None else literal(dtype)
        dims = None if sizes is None else tuple(map(arithmetic.dim_of, sizes))
        return Tensor(dims, name if isinstance(name, str) else None)
    return _parts(value, specified)


def _typed(value: Value) -> Value:
    """A tensor of a dtype; sequences of them part by part."""
    return Tensor(None, value.name) if isinstance(value, DType) else _parts(value, _typed)


def _parts(value: Value, each: Callable[[Value], Value]) -> Value:
    if isinstance(value, Sequence) and value.kind in ("tuple", "list") and value.items is not None:
        items = tuple(map(each, value.items))
        return Sequence("tuple", items, join_all(items))
    if isinstance(value, Dict) and value.items is not None:
        return Dict(tuple((key, each(item)) for key, item in value.items))
    return UNKNOWN
