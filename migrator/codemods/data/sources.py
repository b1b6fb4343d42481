"""Where the samples of a pipeline come from: arrays, ranges, files, generators, other datasets."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.data import reading, streams
from migrator.codemods.data.chains import Chain, Step
from migrator.codemods.data.state import State
from migrator.codemods.data.steps import Written
from migrator.model import Helper
from migrator.values import Dict, DType, Instance, Sequence, Tensor, Value


def start(chain: Chain, out: Written) -> None:
    """Writes the source of a chain, whose base is no dataset yet."""
    if chain.source is not None:
        _slices(chain.source, out)
    elif chain.origin is not None:
        getattr(_Source(out), chain.origin.method)(chain.origin)


# --- arrays -----------------------------------------------------------------------------------------------


def _slices(node: cst.BaseExpression, out: Written) -> None:
    if isinstance(node, cst.Tuple) and all(_is_plain(e.value, out.ctx) for e in node.elements):
        out.imports |= {"import torch", "from torch.utils.data import TensorDataset"}
        out.expression = "TensorDataset(" + ", ".join(f"torch.as_tensor({out.text(e.value)})" for e in node.elements)
        out.expression += ")"
    elif not isinstance(node, cst.Tuple | cst.Dict) and _is_sliced(node, out.ctx):
        out.imports.add("import torch")
        out.expression = f"torch.as_tensor({out.text(node)})"
    else:
        out.expression = f"{out.use(reading.SLICES)}({out.text(node)})"
        out.state = replace(out.state, open=True)


def _is_plain(node: cst.BaseExpression, ctx: Context) -> bool:
    """Whether a part of a tuple is, as far as is known, an array of numbers."""
    if isinstance(node, cst.Tuple | cst.Dict | cst.List | cst.ListComp):
        return _is_sliced(node, ctx)
    return not isinstance(ctx.value(node), Dict | Sequence) and not _holds_text(ctx.value(node))


def _is_sliced(node: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(node)
    if isinstance(value, Tensor):
        return value.dtype != "string"
    return isinstance(node, cst.List) and not _holds_text(value)


def _holds_text(value: Value) -> bool:
    if isinstance(value, Tensor):
        return value.dtype == "string"
    if isinstance(value, Sequence):
        return any(map(_holds_text, value.items or (value.element,)))
    text = getattr(value, "value", None)
    return isinstance(text, str | bytes) or getattr(value, "type", None) == "str"


# --- other sources ----------------------------------------------------------------------------------------


class _Source:
    """One method for each source, named as TensorFlow's."""

    def __init__(self, out: Written) -> None:
        self.out = out

    def stream(self, text: str) -> None:
        self.out.expression = text
        self.out.state = State(stream=True)

    def range(self, source: Step) -> None:
        names = ("start", "stop", "step")
        self.out.imports.add("import torch")
        bounds = [self.out.text(source.args[n]) for n in names if n in source.args]
        self.out.expression = f"torch.arange({', '.join(bounds)})"

    def from_tensors(self, source: Step) -> None:
        given = source.args["tensors"]
        self.out.imports.add("import torch")
        if isinstance(given, cst.Dict | cst.List):
            self.out.problems.append("from_tensors in this form has no rule")
        if isinstance(given, cst.Tuple):
            parts = ", ".join(f"torch.as_tensor({self.out.text(e.value)})" for e in given.elements)
            self.out.expression = f"[({parts})]"
        else:
            self.out.expression = f"[torch.as_tensor({self.out.text(given)})]"

    def list_files(self, source: Step) -> None:
        pattern, shuffle = source.args["file_pattern"], self.out.argument(source, "shuffle", "None")
        if shuffle not in ("True", "False", "None"):
            self.out.problems.append("list_files whose shuffling is not written out")
        if isinstance(pattern, cst.List | cst.Tuple):
            self.out.problems.append("list_files with several patterns")
        self.out.imports.add("import glob")
        self.out.expression = f"sorted(glob.glob({self.out.text(pattern)}))"
        if shuffle != "False":
            self.out.state = State(shuffle="True", seed=source.args.get("seed"))

    def from_generator(self, source: Step) -> None:
        if "output_signature" in source.args:
            dtype = self.signature(source.args["output_signature"])
        else:
            dtype = self.out.argument(source, "output_types")
        self.out.imports.add("import torch")
        arguments = [self.out.text(source.args["generator"]), dtype, *self.out.given(source, "args")]
        self.stream(f"{self.out.use(reading.GENERATED)}({', '.join(arguments)})")

    def signature(self, node: cst.BaseExpression) -> str:
        """The dtypes of a signature, built like it."""
        text = self.written(node, self.out.ctx.value(node))
        if text is None:
            self.out.problems.append("the signature of a generator is not known when rewriting")
        return text or ""

    def written(self, node: cst.BaseExpression | None, value: Value) -> str | None:
        if isinstance(node, cst.Tuple | cst.List):
            return _joined([self.written(e.value, self.out.ctx.value(e.value)) for e in node.elements])
        if isinstance(node, cst.Dict):
            parts = [(e.key, e.value) for e in node.elements if isinstance(e, cst.DictElement)]
            found = [self.written(v, self.out.ctx.value(v)) for _, v in parts]
            if len(parts) < len(node.elements) or None in found:
                return None
            keys = [self.out.text(key) for key, _ in parts]
            return "{" + ", ".join(f"{k}: {v}" for k, v in zip(keys, found, strict=True)) + "}"
        return _dtype_of(value)

    def TextLineDataset(self, source: Step) -> None:
        if self.out.argument(source, "compression_type", "None") not in ("None", '""', "''"):
            self.out.problems.append("compressed files of lines")
        self.files(source, reading.LINES)

    def TFRecordDataset(self, source: Step) -> None:
        self.files(source, reading.RECORDS)

    def files(self, source: Step, helper: Helper) -> None:
        """Files one after the other, or as many at once as is said."""
        out, packed = self.out, self.out.argument(source, "compression_type", "None")
        reads, name = source.args.get("num_parallel_reads"), self.out.use(helper)
        paths = out.text(source.args["filenames"])
        if isinstance(reads, cst.Integer) and packed in ("None", '""', "''"):
            self.stream(f"{out.use(streams.INTERLEAVED)}({paths}, {name}, cycle_length={out.text(reads)})")
            return
        if reads is not None and out.text(reads) not in ("None", "1"):
            out.notes.append("files are read one after the other: how many at once was left to TensorFlow")
        extra = f", {packed}" if packed not in ("None", '""', "''") else ""
        self.stream(f"{name}({paths}{extra})")

    def Counter(self, source: Step) -> None:
        arguments = [self.out.text(source.args[n]) for n in ("start", "step") if n in source.args]
        if "dtype" in source.args:
            self.out.problems.append("a counter with a dtype")
        self.stream(f"{self.out.use(reading.COUNTED)}({', '.join(arguments)})")

    def zip(self, source: Step) -> None:
        given = source.args["datasets"]
        if not isinstance(given, cst.Tuple):
            self.out.problems.append("Dataset.zip whose datasets are not written out")
            return
        if all(part in self.out.by_number for part in parts(given)):
            self.out.expression = self.joined(given, self.out.use(reading.SIDE_BY_SIDE))
        else:
            self.stream(self.joined(given, self.out.use(streams.ZIPPED)))

    def joined(self, node: cst.BaseExpression, helper: str) -> str:
        if isinstance(node, cst.Dict):
            self.out.problems.append("Dataset.zip of a dict")
        if not isinstance(node, cst.Tuple):
            return self.out.text(node)
        return f"{helper}({', '.join(self.joined(e.value, helper) for e in node.elements)})"

    def choose_from_datasets(self, source: Step) -> None:
        extra = self.out.given(source, "stop_on_empty_dataset")
        parts = [self.out.text(source.args["datasets"]), self.out.text(source.args["choice_dataset"]), *extra]
        self.stream(f"{self.out.use(reading.CHOSEN)}({', '.join(parts)})")


def _joined(parts: list[str | None]) -> str | None:
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    return f"({', '.join(found)}{',' if len(found) == 1 else ''})"


def _dtype_of(value: Value) -> str | None:
    """The torch dtype, or bytes, of a `tf.TensorSpec`; of known sequences of them a tuple."""
    if isinstance(value, Sequence) and value.items is not None:
        return _joined([_dtype_of(item) for item in value.items])
    if isinstance(value, Dict) and value.items is not None:
        found = [(key, _dtype_of(item)) for key, item in value.items]
        known = [f"{key!r}: {text}" for key, text in found if text is not None]
        return "{" + ", ".join(known) + "}" if len(known) == len(found) else None
    if not isinstance(value, Instance) or value.api != "tf.TensorSpec":
        return None
    dtype = value.arg("dtype")
    if isinstance(dtype, DType) and dtype.passed:
        return None
    name = dtype.name if isinstance(dtype, DType) else "float32" if dtype is None else getattr(dtype, "value", "")
    return "bytes" if name == "string" else f"torch.{name}" if name else None


def parts(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """The datasets written out in what `zip` or `choose_from_datasets` is given, nested ones too."""
    if isinstance(node, cst.Tuple | cst.List):
        return [part for element in node.elements for part in parts(element.value)]
    if isinstance(node, cst.Dict):
        return [part for e in node.elements if isinstance(e, cst.DictElement) for part in parts(e.value)]
    return [node]
