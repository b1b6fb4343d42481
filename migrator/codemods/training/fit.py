"""`model.fit` and `model.evaluate` as loops that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training import epoch_code
from migrator.codemods.training.calls import METHODS, bind, constant, is_none
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.place import embed, holders
from migrator.codemods.training.plan import Compiled, FilePlan
from migrator.codemods.training.scope import Holder, Names, may_be_none
from migrator.codemods.training.sink import Sink
from migrator.model import Decline
from migrator.values import Dataset, Literal, Sequence

Bound = dict[str, cst.BaseExpression]
_FIT_KNOWN = frozenset(
    {"x", "y", "batch_size", "epochs", "verbose", "validation_split", "validation_data", "shuffle"}
    | {"class_weight", "sample_weight", "initial_epoch", "validation_batch_size", "callbacks"}
)
_IGNORED = frozenset({"max_queue_size", "workers", "use_multiprocessing"})
_EVALUATE_KNOWN = frozenset({"x", "y", "batch_size", "verbose", "return_dict"})


@dataclass(frozen=True)
class Code:
    """Statements to run before, and the expression that takes the call's place."""

    before: str
    value: str


class Unfit(Exception):
    """Raised where an argument has no certain spelling; becomes a decline."""


@dataclass
class Writer:
    """Writes the code of one call; `names` are those of its scope."""

    ctx: Context
    plan: FilePlan
    sink: Sink
    names: Names
    holder: Holder
    decided: Mapping[cst.CSTNode, str] = field(default_factory=dict)

    def text(self, node: cst.BaseExpression) -> str:
        """An argument as torch source; calls inside that are decided already are put in their place."""
        inside = {n: t for n, t in self.decided.items() if n in holders(node, self.decided)}
        rewritten = embed(node, inside, self.ctx)
        self.sink.take(rewritten)
        return cst.Module([]).code_for_node(rewritten.node).strip()

    def bound(self, call: cst.Call, method: str, known: frozenset[str]) -> Bound:
        bound = bind(call, METHODS[method])
        if isinstance(bound, Decline):
            raise Unfit(bound.reason)
        for name, node in bound.items():
            if name not in known | _IGNORED and not is_none(node, self.ctx):
                raise Unfit(f"argument `{name}` has no rule")
        return {name: node for name, node in bound.items() if name not in _IGNORED and not is_none(node, self.ctx)}

    def size(self, node: cst.BaseExpression | None) -> str:
        """A batch size; Keras reads None as 32."""
        if node is None:
            return "32"
        text = self.text(node)
        return f"{text} or 32" if may_be_none(node, self.holder) else text


def configured(compiled: Compiled | None) -> Configuration:
    if compiled is None:
        raise Unfit("which `compile` it belongs to is not certain")
    if isinstance(compiled.config, Decline):
        raise Unfit(compiled.config.reason)
    return compiled.config


def run_epoch_name(writer: Writer, compiled: Compiled) -> str:
    """The name of the pass over the data of a configuration; the function is put into the file."""
    config = configured(compiled)
    if compiled.weighted and config.loss.rows is None:
        raise Unfit("weights on a loss of which the values per row are not known")
    name = writer.plan.name("run_epoch", compiled)
    helper = epoch_code.run_epoch(name, config, weighted=compiled.weighted, streamed=compiled.streamed)
    writer.sink.help((helper, *config.loss.helpers))
    writer.sink.needs_device = True
    return name


def loader_text(writer: Writer, compiled: Compiled, x: str, y: str, *options: str) -> str:
    """A call of the file's `make_loader`, which is put into it."""
    name = writer.plan.name("make_loader", compiled)
    writer.sink.help(epoch_code.make_loader(name, configured(compiled), compiled.weighted))
    return f"{name}({', '.join((x, y, *options))})"


def fit(call: cst.Call, model: str, compiled: Compiled | None, writer: Writer, wish: str | None = None) -> Code:
    """A loop over the epochs that fills a dict of Keras's keys and figures.

    `wish`: the dict's name; "" when nothing reads it, None when a new name is to be found.
    """
    config = configured(compiled)
    assert compiled is not None
    bound = writer.bound(call, "fit", _FIT_KNOWN)
    if "callbacks" in bound and not _empty(bound["callbacks"]):
        raise Unfit("callbacks have no rule yet")
    lines, loader = _training_data(bound, compiled, writer)
    checks, val_loader = _validation_data(bound, compiled, writer)
    lines += checks
    history = writer.names.fresh("history") if wish is None else wish
    epoch, logs = writer.names.fresh("epoch"), writer.names.fresh("logs")
    run = run_epoch_name(writer, compiled)
    optimizer = compiled.optimizer_of(model)
    step = f"{optimizer}, scheduler" if config.optimizer.schedule is not None else optimizer
    body = [f"{logs} = {run}({model}, {loader}, {step})", *_validate(run, model, val_loader, logs)]
    if history:
        body += [f"for name, value in {logs}.items():", f"    {history}.setdefault(name, []).append(value)"]
        lines.append(f"{history} = {{}}")
    epochs = writer.text(bound["epochs"]) if "epochs" in bound else "1"
    body += _progress(bound.get("verbose"), epoch, epochs, logs, writer)
    start = f"{writer.text(bound['initial_epoch'])}, " if "initial_epoch" in bound else ""
    lines += [f"for {epoch} in range({start}{epochs}):", *("    " + line for line in body)]
    return Code("\n".join(lines), history or "None")


def _empty(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.List | cst.Tuple) and not node.elements


@dataclass(frozen=True)
class Validation:
    loader: str
    optional: bool = False  # may be None at run time


def _training_data(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], str]:
    """Statements that make the loader of the training data, and its name."""
    if "x" not in bound:
        raise Unfit("without data")
    _one_input(bound["x"])
    if "y" not in bound:
        if compiled.weighted or "validation_split" in bound:
            raise Unfit("weights or a split over batches that were made elsewhere")
        return [], writer.text(bound["x"])
    if isinstance(writer.ctx.value(bound["x"]), Dataset):
        raise Unfit("a dataset together with targets")
    x, y, lines = writer.text(bound["x"]), writer.text(bound["y"]), list[str]()
    weight = _weight(bound, y, writer)
    if "validation_split" in bound:
        lines.append(f"{_split(writer)} = int(len({x}) * {_kept(bound['validation_split'], writer)})")
        x, y = f"{_index(x)}[:split]", f"{_index(y)}[:split]"
        weight = weight and f"{weight}[:split]"
    if weight and not weight.replace("[:split]", "").isidentifier():
        raise Unfit("sample weights that are not a plain name")
    options = [f"weight={weight}"] if weight else []
    options.append(f"batch_size={writer.size(bound.get('batch_size'))}")
    if _shuffles(bound.get("shuffle"), writer):
        options.append(f"shuffle={writer.text(bound['shuffle']) if 'shuffle' in bound else 'True'}")
    before = _class_weight(bound, y, writer)
    if before:
        options.insert(0, "weight=weight")
        lines += before
    loader = writer.names.fresh("loader", "train_loader")
    lines.append(f"{loader} = {loader_text(writer, compiled, x, y, *options)}")
    return lines, loader


def _split(writer: Writer) -> str:
    if "split" in writer.names.taken:
        raise Unfit("the name `split` is taken")
    writer.names.taken.add("split")
    return "split"


def _index(text: str) -> str:
    if not text.replace(".", "").replace("_", "").isalnum():
        raise Unfit("a validation split of something that is not a plain name")
    return text


def _kept(node: cst.BaseExpression, writer: Writer) -> str:
    """The share that trains: the last part validates, taken before any shuffling."""
    known = constant(node, writer.ctx)
    if known is not None and isinstance(known.value, float):
        return repr(1.0 - known.value)
    return f"(1.0 - {writer.text(node)})"


def _weight(bound: Bound, y: str, writer: Writer) -> str | None:
    if "sample_weight" in bound and "class_weight" in bound:
        raise Unfit("class_weight together with sample_weight")
    return writer.text(bound["sample_weight"]) if "sample_weight" in bound else None


def _class_weight(bound: Bound, y: str, writer: Writer) -> list[str]:
    if "class_weight" not in bound:
        return []
    if {"weight", "class_weight"} & writer.names.taken - {writer.ctx.code(bound["class_weight"]).strip()}:
        raise Unfit("the names `weight` and `class_weight` are taken")
    writer.names.taken |= {"weight", "class_weight"}
    writer.sink.imports.add(epoch_code.TORCH)
    text = writer.text(bound["class_weight"])
    first = [] if text == "class_weight" else [f"class_weight = {text}"]
    return [*first, f"weight = torch.tensor([class_weight.get(int(label), 1.0) for label in {y}])"]


def _shuffles(node: cst.BaseExpression | None, writer: Writer) -> bool:
    known = constant(node, writer.ctx) if node is not None else Literal(True)
    if known is not None and isinstance(known.value, str):
        raise Unfit('shuffle="batch"')
    return known is None or bool(known.value)


def _one_input(node: cst.BaseExpression) -> None:
    if isinstance(node, cst.List | cst.Tuple | cst.Dict):
        raise Unfit("several inputs")


def _validation_data(bound: Bound, compiled: Compiled, writer: Writer) -> tuple[list[str], Validation | None]:
    size = writer.size(bound.get("validation_batch_size") or bound.get("batch_size"))
    if "validation_data" not in bound:
        if "validation_split" not in bound:
            return [], None
        x, y = (writer.text(bound[name]) for name in ("x", "y"))
        return _val_loader(f"{x}[split:]", f"{y}[split:]", size, compiled, writer)
    node = bound["validation_data"]
    if isinstance(node, cst.Tuple | cst.List):
        if len(node.elements) != 2:
            raise Unfit("validation data with weights")
        _one_input(node.elements[0].value)
        x, y = (writer.text(element.value) for element in node.elements)
        return _val_loader(x, y, size, compiled, writer)
    value = writer.ctx.value(node)
    if isinstance(value, Sequence) and value.items is not None and len(value.items) == 2:
        return _val_loader(f"*{writer.text(node)}", "", size, compiled, writer)
    if isinstance(value, Dataset) or "y" not in bound:
        return [], Validation(writer.text(node), may_be_none(node, writer.holder))
    raise Unfit("whether the validation data is a pair of arrays or a dataset is not known")


def _val_loader(x: str, y: str, size: str, compiled: Compiled, writer: Writer) -> tuple[list[str], Validation]:
    name = writer.names.fresh("val_loader", "validation_loader")
    options = (y, f"batch_size={size}") if y else (f"batch_size={size}",)
    return [f"{name} = {loader_text(writer, compiled, x, *options)}"], Validation(name)


def _validate(run: str, model: str, validation: Validation | None, logs: str) -> list[str]:
    if validation is None:
        return []
    line = f'{logs} |= {{f"val_{{name}}": value for name, value in {run}({model}, {validation.loader}).items()}}'
    return [f"if {validation.loader} is not None:", "    " + line] if validation.optional else [line]


def _progress(node: cst.BaseExpression | None, epoch: str, epochs: str, logs: str, writer: Writer) -> list[str]:
    known = constant(node, writer.ctx) if node is not None else Literal("auto")
    if known is not None and not known.value:
        return []
    parts = f'" - ".join(f"{{name}}: {{value:.4f}}" for name, value in {logs}.items())'
    total = epochs.replace('"', "'")
    line = f'print(f"Epoch {{{epoch} + 1}}/{{{total}}} - " + {parts})'
    if known is not None:
        return [line]
    assert node is not None
    return [f"if {writer.text(node)}:", "    " + line]


def evaluate(call: cst.Call, model: str, compiled: Compiled | None, writer: Writer) -> Code:
    """The figures of one pass without training, in the form that Keras returns them."""
    config = configured(compiled)
    assert compiled is not None
    bound = writer.bound(call, "evaluate", _EVALUATE_KNOWN)
    if "x" not in bound:
        raise Unfit("without data")
    _one_input(bound["x"])
    if "y" in bound:
        size = f"batch_size={writer.size(bound['batch_size'])}" if "batch_size" in bound else ""
        options = (size,) if size else ()
        data = loader_text(writer, compiled, writer.text(bound["x"]), writer.text(bound["y"]), *options)
    else:
        data = writer.text(bound["x"])
    logs = f"{run_epoch_name(writer, compiled)}({model}, {data})"
    as_dict = constant(bound.get("return_dict"), writer.ctx)
    if "return_dict" in bound and (as_dict is None or as_dict.value):
        if as_dict is None:
            raise Unfit("`return_dict` is not a constant")
        return Code("", logs)
    return Code("", f"list({logs}.values())" if config.metrics else f'{logs}["loss"]')
