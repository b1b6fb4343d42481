"""Callbacks that log or watch: TensorBoard, CSV files, lambdas, NaN."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from migrator.codemods.training.batch_hooks import BEGIN, END
from migrator.codemods.training.callback_code import Args, CallbackCode, Loop
from migrator.codemods.training.calls import constant
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import Literal

SILENT = ("History", "ProgbarLogger", "BaseLogger")
"""What a loop does anyway: figures are recorded and printed."""
_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end", *BEGIN, *END)
LOGGING_PARAMETERS = {
    "TensorBoard": (
        *("log_dir", "histogram_freq", "write_graph", "write_images", "write_steps_per_second", "update_freq"),
        *("profile_batch", "embeddings_freq", "embeddings_metadata", "write_grads", "batch_size"),
    ),
    "CSVLogger": ("filename", "separator", "append"),
    "LambdaCallback": _HOOKS,
    "TerminateOnNaN": (),
    "RemoteMonitor": ("root", "path", "field", "headers", "send_as_json"),
}


def tensorboard(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """Figures of training and validation under the names and folders that Keras uses."""
    updates = constant(args.get("update_freq"), writer.ctx)
    if "update_freq" in args and updates != Literal("epoch"):
        raise Unfit("TensorBoard that is written to within an epoch")
    dropped = sorted(set(args) - {"log_dir", "update_freq"})
    if dropped:
        writer.sink.note(f"TensorBoard logs the figures alone, without {', '.join(dropped)}")
    writer.sink.imports |= {"from torch.utils.tensorboard import SummaryWriter", "import os"}
    folder = writer.text(args["log_dir"]) if "log_dir" in args else '"logs"'
    train, val = writer.names.fresh("train_log"), writer.names.fresh("val_log")
    name, value = writer.names.fresh("name", "key"), writer.names.fresh("value", "figure")
    begin = [f'{train} = SummaryWriter(os.path.join({folder}, "train"))']
    lines = [f"for {name}, {value} in {loop.logs}.items():"]
    end = [f"{train}.close()"]
    write = f'{train}.add_scalar(f"epoch_{{{name}}}", {value}, {loop.epoch})'
    if any(key.startswith("val_") for key in loop.keys):
        begin.append(f'{val} = SummaryWriter(os.path.join({folder}, "validation"))')
        log = f'{val} if {name}.startswith("val_") else {train}'
        write = f'({log}).add_scalar("epoch_" + {name}.removeprefix("val_"), {value}, {loop.epoch})'
        end.append(f"{val}.close()")
    writer.names.taken -= {name, value}
    return CallbackCode(before=tuple(begin), end=(*lines, f"    {write}"), after=tuple(end))


def csv_logger(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """One row for each epoch, under the names in order."""
    if "filename" not in args:
        raise Unfit("a CSVLogger without a file")
    writer.sink.imports.add("import csv")
    append = constant(args["append"], writer.ctx) if "append" in args else Literal(False)
    if append is None:
        raise Unfit("a CSVLogger that may append")
    file, rows, row = (writer.names.fresh(*w) for w in (("log_file", "csv_file"), ("rows",), ("row",)))
    separator = f", delimiter={writer.text(args['separator'])}" if "separator" in args else ""
    path = writer.text(args["filename"])
    first = f"{loop.epoch} == {loop.start}"
    mode, headed = ('"a"', f"{file}.tell() == 0") if append.value else (f'"w" if {first} else "a"', first)
    return CallbackCode(
        end=(
            f'{row} = {{"epoch": {loop.epoch}, **dict(sorted({loop.logs}.items()))}}',
            f'with open({path}, {mode}, newline="") as {file}:',
            f"    {rows} = csv.DictWriter({file}, {row}{separator})",
            f"    if {headed}:",
            f"        {rows}.writeheader()",
            f"    {rows}.writerow({row})",
        )
    )


def terminate_on_nan(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """Keras stops at the batch; its weights are lost by then, so the end of the epoch will do."""
    writer.sink.imports.add("import math")
    writer.sink.note("TerminateOnNaN stops at the end of the epoch in which the loss was lost")
    return CallbackCode(last=(f'if not math.isfinite({loop.logs}["loss"]):', "    break"))


def lambdas(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """Functions of the epoch and its figures, under the names that Keras has for them."""
    before, made = list[str](), dict[str, str]()
    for hook, node in args.items():
        if constant(node, writer.ctx) == Literal(None):
            continue
        made[hook] = writer.text(node)
        if not isinstance(node, cst.Name):
            made[hook] = writer.names.fresh(hook)
            before.append(f"{made[hook]} = {writer.text(node)}")
    calls = {
        "on_train_begin": "({})",
        "on_epoch_begin": f"({loop.epoch}, {{}})",
        "on_epoch_end": f"({loop.epoch}, {loop.logs})",
        "on_train_end": f"({loop.logs})",
    }
    lines = {hook: (f"{name}{calls[hook]}",) for hook, name in made.items() if hook in calls}
    return CallbackCode(
        before=(*before, *lines.get("on_train_begin", ())),
        begin=lines.get("on_epoch_begin", ()),
        end=lines.get("on_epoch_end", ()),
        after=lines.get("on_train_end", ()),
        batch_begin=tuple(made[hook] for hook in BEGIN if hook in made)[:1],
        batch_end=tuple(made[hook] for hook in END if hook in made)[:1],
    )


def remote_monitor(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """The figures of every epoch, posted to a server; one that cannot be reached is a warning."""
    as_json = constant(args["send_as_json"], writer.ctx) if "send_as_json" in args else Literal(False)
    if as_json is None:
        raise Unfit("RemoteMonitor of which the form is not known")
    root, path, field = (
        writer.text(args[name]) if name in args else f'"{default}"'
        for name, default in (("root", "http://localhost:9000"), ("path", "/publish/epoch/end/"), ("field", "data"))
    )
    written = root[0] == path[0] == '"'
    url, shown = (f"{root[:-1]}{path[1:]}", root[1:-1]) if written else (f"{root} + {path}", f"{{{root}}}")
    writer.sink.imports |= {"import requests", "import warnings"} | (set() if as_json.value else {"import json"})
    figures = writer.names.fresh("figures", "posted")
    content = f"json={figures}" if as_json.value else f"data={{{field}: json.dumps({figures})}}"
    headers = f", headers={writer.text(args['headers'])}" if "headers" in args else ""
    return CallbackCode(
        end=(
            f'{figures} = {{"epoch": {loop.epoch}, **{loop.logs}}}',
            "try:",
            f"    requests.post({url}, {content}{headers})",
            "except requests.exceptions.RequestException:",
            f"    warnings.warn({'' if written else 'f'}{_quoted(f'Could not reach {shown}')})",
        )
    )


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


LOGGING: dict[str, Callable[[Args, Loop, Writer], CallbackCode]] = {
    "TensorBoard": tensorboard,
    "CSVLogger": csv_logger,
    "TerminateOnNaN": terminate_on_nan,
    "LambdaCallback": lambdas,
    "RemoteMonitor": remote_monitor,
}
