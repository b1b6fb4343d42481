"""tf.data pipelines and the data sets that Keras downloads."""

from __future__ import annotations

from migrator.facts import arithmetic, functions
from migrator.facts.calls import Arguments, Where, literal
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.facts.join import join_all
from migrator.facts.shapes.ops import tensor
from migrator.facts.words import words
from migrator.values import Dataset, Dict, Dim, RepoFunction, Sequence, Tensor, Value

_IMAGES: dict[str, tuple[tuple[int, ...], tuple[int, ...], int, int]] = {
    "mnist": ((28, 28), (), 60000, 10000),
    "fashion_mnist": ((28, 28), (), 60000, 10000),
    "cifar10": ((32, 32, 3), (1,), 50000, 10000),
    "cifar100": ((32, 32, 3), (1,), 50000, 10000),
}
_KEEPING = frozenset(
    words("shuffle repeat prefetch cache take skip shard with_options filter apply_options ignore_errors rebatch")
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


def create(it: Interpreter, api: str, args: Arguments, where: Where) -> Value:
    """A dataset from a constructor of `tf.data`."""
    name = api.rsplit(".", 1)[1]
    first = args.positional[0] if args.positional else next(iter(args.keywords.values()), UNKNOWN)
    if name == "from_tensor_slices":
        return Dataset(_sliced(first))
    if name == "from_tensors":
        return Dataset(_as_tensors(first))
    if name == "range":
        return Dataset(Tensor((), "int64"))
    if name == "zip":
        given = args.positional if len(args.positional) > 1 else first
        return Dataset(_zipped(Sequence("tuple", tuple(given)) if isinstance(given, list) else given))
    if name in ("list_files", "TextLineDataset", "TFRecordDataset"):
        return Dataset(Tensor((), "string"))
    if name in ("from_generator", "Dataset", "sample_from_datasets", "choose_from_datasets"):
        return Dataset(_signature(args))
    return UNKNOWN


def method(it: Interpreter, dataset: Dataset, name: str, args: Arguments, where: Where) -> Value | None:
    """A dataset method; None where it is not known."""
    if name in _KEEPING:
        if name == "filter":
            _call(it, args, dataset.element, where)
        return dataset
    if name == "map":
        return Dataset(_call(it, args, dataset.element, where), dataset.batched)
    if name in ("batch", "padded_batch"):
        exact = literal(args.keywords.get("drop_remainder", args.positional[1] if len(args.positional) > 1 else None))
        size = args.positional[0] if args.positional else args.keywords.get("batch_size")
        return Dataset(batched(dataset.element, arithmetic.dim_of(size) if exact is True else None), True)
    if name == "unbatch":
        return Dataset(_sliced(dataset.element))
    if name == "concatenate":
        return dataset
    if name in ("flat_map", "interleave"):
        inner = _call(it, args, dataset.element, where)
        return inner if isinstance(inner, Dataset) else Dataset()
    if name in ("enumerate",):
        items = (Tensor((), "int64"), dataset.element)
        return Dataset(Sequence("tuple", items, join_all(items)), dataset.batched)
    if name in ("as_numpy_iterator", "make_one_shot_iterator"):
        return Sequence("generator", None, dataset.element)
    if name == "cardinality":
        return Tensor((), "int64")
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
    function = args.positional[0] if args.positional else args.keywords.get("map_func", UNKNOWN)
    if not isinstance(function, RepoFunction):
        return UNKNOWN
    spread = isinstance(element, Sequence) and element.kind == "tuple" and element.items is not None
    given = list(element.items) if spread and isinstance(element, Sequence) and element.items else [element]
    return functions.invoke(it, function, Arguments(given), where)


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
        return UNKNOWN
    items = tuple(item.element if isinstance(item, Dataset) else UNKNOWN for item in value.items)
    return Sequence("tuple", items, join_all(items))


def _signature(args: Arguments) -> Value:
    """`output_signature` of a generator is not read yet: its elements stay open."""
    return UNKNOWN
