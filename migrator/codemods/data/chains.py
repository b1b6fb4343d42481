"""Reading a chain of tf.data calls: `from_tensor_slices(...).map(f).shuffle(n).batch(b)`."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context
from migrator.values import Api, Dataset, Instance

METHODS: dict[str, tuple[str, ...]] = {
    "map": ("map_func", "num_parallel_calls", "deterministic", "synchronous", "use_unbounded_threadpool", "name"),
    "shuffle": ("buffer_size", "seed", "reshuffle_each_iteration", "name"),
    "batch": ("batch_size", "drop_remainder", "num_parallel_calls", "deterministic", "name"),
    "repeat": ("count", "name"),
    "prefetch": ("buffer_size", "name"),
    "cache": ("filename", "name"),
    "take": ("count", "name"),
    "skip": ("count", "name"),
    "filter": ("predicate", "name"),
    "enumerate": ("start", "name"),
    "concatenate": ("dataset", "name"),
    "shard": ("num_shards", "index", "name"),
    "window": ("size", "shift", "stride", "drop_remainder", "name"),
    "flat_map": ("map_func", "name"),
    "interleave": ("map_func", "cycle_length", "block_length", "num_parallel_calls", "deterministic", "name"),
    "unbatch": ("name",),
    "padded_batch": ("batch_size", "padded_shapes", "padding_values", "drop_remainder", "name"),
    "take_while": ("predicate", "name"),
    "scan": ("initial_state", "scan_func", "name"),
    "group_by_window": ("key_func", "reduce_func", "window_size", "window_size_func", "name"),
    "bucket_by_sequence_length": (
        "element_length_func",
        "bucket_boundaries",
        "bucket_batch_sizes",
        "padded_shapes",
        "padding_values",
        "pad_to_bucket_boundary",
        "no_padding",
        "drop_remainder",
        "name",
    ),
    "with_options": ("options", "name"),
    "reduce": ("initial_state", "reduce_func", "name"),
    "get_single_element": ("name",),
    "as_numpy_iterator": (),
    "cardinality": (),
}
FINAL = frozenset({"reduce", "get_single_element", "as_numpy_iterator", "cardinality"})
"""Methods whose result is no dataset any more."""
PREFIX = "tf.data.Dataset."
SOURCE = f"{PREFIX}from_tensor_slices"
_FILES = ("filenames", "compression_type", "buffer_size", "num_parallel_reads", "name")
SOURCES: dict[str, tuple[str, ...]] = {
    f"{PREFIX}range": ("start", "stop", "step"),
    f"{PREFIX}from_tensors": ("tensors", "name"),
    f"{PREFIX}list_files": ("file_pattern", "shuffle", "seed", "name"),
    f"{PREFIX}zip": ("datasets", "name"),
    f"{PREFIX}from_generator": ("generator", "output_types", "output_shapes", "args", "output_signature", "name"),
    f"{PREFIX}choose_from_datasets": ("datasets", "choice_dataset", "stop_on_empty_dataset"),
    "tf.data.TextLineDataset": _FILES,
    "tf.data.TFRecordDataset": _FILES,
    "tf.data.experimental.Counter": ("start", "step", "dtype"),
}
"""Sources besides `from_tensor_slices`, and the names of their parameters."""
_APPLIED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "map_and_batch": (
        ("map", "batch"),
        ("map_func", "batch_size", "num_parallel_batches", "drop_remainder", "num_parallel_calls"),
    ),
    "shuffle_and_repeat": (("shuffle", "repeat"), ("buffer_size", "count", "seed")),
    "parallel_interleave": (("interleave",), ("map_func", "cycle_length", "block_length", "sloppy")),
    "unbatch": (("unbatch",), ()),
    "take_while": (("take_while",), ("predicate",)),
    "enumerate_dataset": (("enumerate",), ("start",)),
    "group_by_window": (("group_by_window",), METHODS["group_by_window"]),
    "bucket_by_sequence_length": (("bucket_by_sequence_length",), METHODS["bucket_by_sequence_length"]),
}
"""What `apply(tf.data.experimental.…(…))` does: as methods, and its own parameters."""
APPLIED = tuple(f"tf.data.experimental.{name}" for name in _APPLIED)


@dataclass(frozen=True)
class Step:
    """One method of a chain with its arguments by name; `on`: what it is called on."""

    method: str
    args: dict[str, cst.BaseExpression]
    on: cst.BaseExpression = field(default_factory=lambda: cst.Name("None"))


@dataclass(frozen=True)
class Chain:
    """`base` is the source call or an expression that is a dataset already.

    `source`: the argument of from_tensor_slices. `origin`: another source call, its name and arguments.
    """

    base: cst.BaseExpression
    source: cst.BaseExpression | None
    steps: tuple[Step, ...]
    problem: str = ""
    origin: Step | None = None


def read_chain(node: cst.BaseExpression, ctx: Context) -> Chain | None:
    """The chain that an expression is, or None when it is no dataset."""
    steps: list[Step] = []
    problem = ""
    while isinstance(node, cst.Call):
        api = _api(node, ctx)
        if api == SOURCE or api in SOURCES or (api.startswith(PREFIX) and not _on_dataset(node, ctx)):
            return _sourced(node, api, steps, problem, ctx)
        if not isinstance(node.func, cst.Attribute):
            break
        if not _is_dataset(node.func.value, ctx) and not isinstance(node.func.value, cst.Call):
            break
        found = _steps(node, node.func, ctx)
        if found is None:
            problem = problem or f"Dataset.{node.func.attr.value} in this form has no rule"
        steps[:0] = found or [Step(node.func.attr.value, {}, node.func.value)]
        node = node.func.value
    if not steps or not _is_dataset(node, ctx):
        return None
    return Chain(node, None, tuple(steps), problem)


def _on_dataset(node: cst.Call, ctx: Context) -> bool:
    return isinstance(node.func, cst.Attribute) and _is_dataset(node.func.value, ctx)


def _steps(node: cst.Call, func: cst.Attribute, ctx: Context) -> list[Step] | None:
    """The steps that one call of a chain is; None where its form has no rule."""
    if func.attr.value == "apply":
        return _applied(node, func, ctx)
    args = _bind(node, METHODS.get(func.attr.value, ()))
    return None if args is None or func.attr.value not in METHODS else [Step(func.attr.value, args, func.value)]


def _applied(node: cst.Call, func: cst.Attribute, ctx: Context) -> list[Step] | None:
    given = node.args[0].value if len(node.args) == 1 and not node.args[0].star else None
    name = _api(given, ctx).rpartition(".")[2] if isinstance(given, cst.Call) else ""
    if not isinstance(given, cst.Call) or name not in _APPLIED:
        return None
    methods, parameters = _APPLIED[name]
    args = _bind(given, parameters)
    if args is None:
        return None
    parts = [(method, {n: v for n, v in args.items() if n in METHODS[method]}) for method in methods]
    return [Step(method, found, func.value) for method, found in parts]


def _sourced(node: cst.Call, api: str, steps: list[Step], problem: str, ctx: Context) -> Chain:
    if api in SOURCES:
        bound = _zipped(node) if api == f"{PREFIX}zip" else _bind(node, SOURCES[api])
        why = "" if bound is not None else f"{api} in this form has no rule"
        return Chain(node, None, tuple(steps), problem or why, Step(api.rpartition(".")[2], bound or {}))
    if api != SOURCE:
        return Chain(node, None, tuple(steps), problem or f"{api} has no rule")
    args = _bind(node, ("tensors", "name"))
    if args is None or "tensors" not in args:
        return Chain(node, None, tuple(steps), problem or "from_tensor_slices in this form has no rule")
    return Chain(node, args["tensors"], tuple(steps), problem)


def _zipped(node: cst.Call) -> dict[str, cst.BaseExpression] | None:
    """`zip(a, b)` as `zip((a, b))`."""
    plain = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
    if len(plain) == len(node.args) > 1:
        return {"datasets": cst.Tuple([cst.Element(value) for value in plain])}
    return _bind(node, SOURCES[f"{PREFIX}zip"])


def _api(call: cst.Call, ctx: Context) -> str:
    """The canonical name of what is called; the older modules of pipelines under today's name."""
    value = ctx.value(call.func)
    text = ctx.code(call.func).strip()
    plain = text.replace(".", "").replace("_", "").isalnum()
    name = (ctx.here.canonical(text, ctx.spans.get(call.func)) or "") if plain else ""
    name = value.name if isinstance(value, Api) else name
    return name.replace("tf.compat.v1.data.", "tf.data.").replace("tf.contrib.data.", "tf.data.experimental.")


def _is_dataset(node: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(node)
    return isinstance(value, Dataset) or (isinstance(value, Instance) and value.api == "tf.data.Dataset")


def _bind(call: cst.Call, parameters: tuple[str, ...]) -> dict[str, cst.BaseExpression] | None:
    found: dict[str, cst.BaseExpression] = {}
    for index, arg in enumerate(call.args):
        if arg.star or (arg.keyword is None and index >= len(parameters)):
            return None
        name = arg.keyword.value if arg.keyword is not None else parameters[index]
        if name not in parameters or name in found:
            return None
        found[name] = arg.value
    return found
