"""Datasets that come from elsewhere than the rows of arrays: ranges, files, one element, others side by side."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.data.chains import Step

Text = Callable[[cst.BaseExpression], str]
IMPORTS: dict[str, set[str]] = {
    "range": {"import torch"},
    "from_tensors": {"import torch"},
    "list_files": {"import glob"},
    "zip": {"from torch.utils.data import StackDataset"},
}


def problem(source: Step, ctx: Context) -> str:
    """Why a source cannot be written in torch, or ""."""
    if source.method == "list_files":
        shuffle = source.args.get("shuffle")
        if shuffle is not None and ctx.code(shuffle).strip() not in ("True", "False", "None"):
            return "list_files whose shuffling is not written out"
        pattern = source.args.get("file_pattern")
        if pattern is None or isinstance(pattern, cst.List | cst.Tuple):
            return "list_files with several patterns"
    if source.method == "from_tensors" and isinstance(source.args.get("tensors"), cst.Dict | cst.List):
        return "from_tensors in this form has no rule"
    if source.method == "zip" and not parts(source):
        return "Dataset.zip whose datasets are not written out"
    return "" if source.args else f"tf.data.Dataset.{source.method} in this form has no rule"


def parts(source: Step) -> list[cst.BaseExpression]:
    """The datasets that a `zip` joins."""
    joined = source.args.get("datasets")
    if source.method != "zip" or not isinstance(joined, cst.Tuple):
        return []
    return [e.value for e in joined.elements]


def shuffles(source: Step, ctx: Context) -> bool:
    """Whether files come in another order each time, as they do where nothing is said."""
    shuffle = source.args.get("shuffle")
    return shuffle is None or ctx.code(shuffle).strip() != "False"


def text(source: Step, write: Text) -> str:
    """The source in torch: something with a length whose elements are read by number."""
    args = source.args
    if source.method == "range":
        return "torch.arange(" + ", ".join(write(args[n]) for n in ("start", "stop", "step") if n in args) + ")"
    if source.method == "list_files":
        return f"sorted(glob.glob({write(args['file_pattern'])}))"
    if source.method == "zip":
        return "StackDataset(" + ", ".join(map(write, parts(source))) + ")"
    given = args["tensors"]
    if isinstance(given, cst.Tuple):
        return "[(" + ", ".join(f"torch.as_tensor({write(e.value)})" for e in given.elements) + ")]"
    return f"[torch.as_tensor({write(given)})]"
