"""Keras callbacks as plain lines of the epoch loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.callback_classes import is_own
from migrator.codemods.training.callback_code import Args, CallbackCode, Loop, under
from migrator.codemods.training.callback_factories import callback_factory, written_in_place
from migrator.codemods.training.callback_lists import Listed, listed
from migrator.codemods.training.callbacks_backup import BACKUP, BACKUP_PARAMETERS, backup
from migrator.codemods.training.callbacks_logging import LOGGING, LOGGING_PARAMETERS, SILENT
from migrator.codemods.training.callbacks_own import own_callback, stops, unstopped
from migrator.codemods.training.calls import api_of, bind, constant
from migrator.codemods.training.files import file_name
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import Literal

_MONITOR = ("monitor", "min_delta", "patience", "verbose", "mode", "baseline", "restore_best_weights")
PARAMETERS = {
    "EarlyStopping": (*_MONITOR, "start_from_epoch"),
    "ReduceLROnPlateau": ("monitor", "factor", "patience", "verbose", "mode", "min_delta", "cooldown", "min_lr"),
    "ModelCheckpoint": (
        *("filepath", "monitor", "verbose", "save_best_only", "save_weights_only", "mode", "save_freq"),
        *("initial_value_threshold", "period", "options"),
    ),
    "LearningRateScheduler": ("schedule", "verbose"),
    BACKUP: BACKUP_PARAMETERS,
}
KNOWN = (*PARAMETERS, *LOGGING_PARAMETERS, *SILENT, "Callback")
"""Classes with lines in the loop, without need of any, and the base of own ones."""
_LOWER = ("loss", "mae", "mse", "rmse", "error")
_HIGHER = ("acc", "accuracy", "top")


def callbacks(node: cst.BaseExpression, loop: Loop, writer: Writer) -> list[CallbackCode]:
    """The lines of every callback of a list, in order; raises `Unfit` for one that has no rule."""
    factory = callback_factory(node, writer.ctx) if isinstance(node, cst.Call) else None
    if factory is not None:
        assert isinstance(node, cst.Call)
        node, writer = written_in_place(node, factory, writer)
    each_listed = listed(node, writer)
    if any(isinstance(each.node, cst.Call) and _name(each.node, writer.ctx) == BACKUP for each in each_listed):
        loop = replace(loop, start=writer.names.fresh("first_epoch"), first=loop.start)
    made = [_listed(each, loop, writer) for each in each_listed]
    return _said_once(made, loop)


def _listed(each: Listed, loop: Loop, writer: Writer) -> CallbackCode:
    if each.shared and isinstance(each.node, cst.Call) and (why := _keeps(each.node, writer.ctx)):
        raise Unfit(why)
    code, condition = _callback(each.node, loop, writer), each.condition_text(writer)
    if condition and code.start:
        raise Unfit(f"{BACKUP} on a condition")
    return under(condition, code)


def _api(call: cst.Call, ctx: Context) -> str:
    return api_of(ctx.value(call)) or api_of(ctx.value(call.func)) or ""


def _name(call: cst.Call, ctx: Context) -> str:
    """The name of the Keras class that a call makes a callback of."""
    return _api(call, ctx).removeprefix("tf.keras.callbacks.").removeprefix("experimental.")


def _keeps(call: cst.Call, ctx: Context) -> str:
    """Why a callback cannot be made anew for each training that it is given to; "" where that is the same."""
    api = _api(call, ctx)
    given = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    if api.endswith(".ModelCheckpoint") and given & {"save_best_only", "save_freq"}:
        return "a checkpoint of the best weights that several trainings share"
    if find(call, m.Call())[1:]:
        return "a callback that several trainings share, made with what a call gives"
    return ""


def _said_once(made: list[CallbackCode], loop: Loop) -> list[CallbackCode]:
    """Several callbacks may ask the loop to end: it looks once, after all of them."""
    asking = [code for code in made if code.last == stops(loop)]
    for code in asking:
        at = made.index(code)
        first, last = code is asking[0], code is asking[-1]
        before = code.before if first else tuple(line for line in code.before if line != unstopped(loop))
        made[at] = replace(code, before=before, last=code.last if last else ())
    return made


def _callback(call: cst.Call | cst.Name, loop: Loop, writer: Writer) -> CallbackCode:
    if is_own(writer.ctx.value(call), writer.ctx):
        return own_callback(call, loop, writer)
    assert isinstance(call, cst.Call)
    name = _name(call, writer.ctx)
    if name in SILENT:
        return CallbackCode()
    if name not in _WRITE:
        raise Unfit(f"the callback {_api(call, writer.ctx) or writer.ctx.code(call.func)} has no rule")
    parameters = PARAMETERS.get(name) or LOGGING_PARAMETERS[name]
    args = bind(call, parameters, positional=2 if name == "LambdaCallback" else 99)  # the order differs by version
    if not isinstance(args, dict):
        raise Unfit(f"{name}: {args.reason}")
    unknown = [a for a in args if a not in parameters]
    if unknown:
        raise Unfit(f"{name}: argument `{unknown[0]}` has no rule")
    return _WRITE[name](args, loop, writer)


def _refuse(args: Args, writer: Writer, name: str, default: object) -> None:
    known = constant(args.get(name), writer.ctx)
    if name in args and (known is None or known.value != default):
        raise Unfit(f"callback argument `{name}` has no rule")


def _flag(args: Args, writer: Writer, name: str) -> bool:
    if name not in args:
        return False
    known = constant(args[name], writer.ctx)
    if known is None:
        raise Unfit(f"callback argument `{name}` is not a constant")
    return bool(known.value)


def _monitor(args: Args, loop: Loop, writer: Writer) -> tuple[str, bool]:
    """The monitored key, and whether smaller is better."""
    known, mode = _word(args, "monitor", "val_loss", writer), _word(args, "mode", "auto", writer)
    if known not in loop.keys:
        raise Unfit(f"a callback monitors `{known}`, which the epochs do not certainly have")
    if mode in ("min", "max"):
        return known, mode == "min"
    word = known.removeprefix("val_")
    if any(word.startswith(part) or word.endswith(part) for part in _HIGHER):
        return known, False
    if any(word.endswith(part) for part in _LOWER):
        return known, True
    raise Unfit(f"whether a smaller `{known}` is better is not known")


def _word(args: Args, name: str, default: str, writer: Writer) -> str:
    known = constant(args.get(name), writer.ctx)
    if name in args and (known is None or not isinstance(known.value, str)):
        raise Unfit("what a callback monitors is not a constant")
    return str(known.value) if known is not None else default


def early_stopping(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """Keras counts epochs without improvement and stops when they reach `patience`, never in the first."""
    monitor, smaller = _monitor(args, loop, writer)
    best, wait = writer.names.fresh("best"), writer.names.fresh("wait")
    restore = _flag(args, writer, "restore_best_weights")
    state = writer.names.fresh("best_state") if restore else ""
    patience = writer.text(args["patience"]) if "patience" in args else "0"
    delta = writer.text(args["min_delta"]) if "min_delta" in args else "0"
    margin = "" if delta in ("0", "0.0") else f" {'-' if smaller else '+'} {delta}"
    current, sign = f'{loop.logs}["{monitor}"]', "<" if smaller else ">"
    before = [f'{best}, {wait} = float("{"inf" if smaller else "-inf"}"), 0']
    lines = [f"{wait} += 1", f"if {current} {sign} {best}{margin}:"]
    if _given(args, writer, "baseline"):
        lines.append(f"    {best} = {current}")
        lines += [f"    if {current} {sign} {writer.text(args['baseline'])}{margin}:", f"        {wait} = 0"]
    else:
        lines.append(f"    {best}, {wait} = {current}, 0")
    after = []
    if restore:
        writer.sink.imports.add("import copy")
        before.append(f"{state} = None")
        lines.append(f"    {state} = copy.deepcopy({loop.model}.state_dict())")
        after = [f"if {state} is not None:", f"    {loop.model}.load_state_dict({state})"]
    lines += [f"elif {wait} >= {patience} and {loop.epoch} > 0:", "    break"]
    if _given(args, writer, "start_from_epoch") and not _is_zero(args["start_from_epoch"], writer):
        first = writer.text(args["start_from_epoch"])
        lines = [f"if {loop.epoch} >= {first}:", *("    " + line for line in lines)]
    return CallbackCode(tuple(before), last=tuple(lines), after=tuple(after))


def _given(args: Args, writer: Writer, name: str) -> bool:
    return name in args and constant(args[name], writer.ctx) != Literal(None)


def _is_zero(node: cst.BaseExpression, writer: Writer) -> bool:
    return constant(node, writer.ctx) == Literal(0)


def reduce_on_plateau(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """torch acts on the epoch after its patience runs out, Keras on the last one of it."""
    monitor, smaller = _monitor(args, loop, writer)
    name = writer.names.fresh("plateau")
    writer.sink.imports.add("from torch.optim.lr_scheduler import ReduceLROnPlateau")
    options = [] if smaller else ['mode="max"']
    options.append(f"factor={writer.text(args['factor']) if 'factor' in args else '0.1'}")
    options.append(f"patience={_less_one(args, 'patience', 10, writer)}")
    options.append(f"threshold={writer.text(args['min_delta']) if 'min_delta' in args else '1e-4'}")
    options.append('threshold_mode="abs"')
    if "cooldown" in args:
        options.append(f"cooldown={_less_one(args, 'cooldown', 0, writer)}")
    if "min_lr" in args:
        options.append(f"min_lr={writer.text(args['min_lr'])}")
    return CallbackCode(
        before=(
            "# Keras counts the epoch that it acts on, so its patience is one more",
            f"{name} = ReduceLROnPlateau({loop.optimizer}, {', '.join(options)})",
        ),
        end=(_rate(loop), f'{name}.step({loop.logs}["{monitor}"])'),
    )


def _less_one(args: Args, name: str, default: int, writer: Writer) -> str:
    if name not in args:
        return str(max(default - 1, 0))
    known = constant(args[name], writer.ctx)
    if known is not None and isinstance(known.value, int):
        return str(max(known.value - 1, 0))
    return f"max({writer.text(args[name])} - 1, 0)"


def _rate(loop: Loop) -> str:
    return f'{loop.logs}["learning_rate"] = {loop.optimizer}.param_groups[0]["lr"]'


def scheduler(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    node = args.get("schedule")
    arity = _arity(node, writer)
    rate = f'{loop.optimizer}.param_groups[0]["lr"]'
    assert node is not None
    function = writer.text(node)
    before: tuple[str, ...] = ()
    if isinstance(node, cst.Lambda):
        name = writer.names.fresh("schedule")
        before, function = (f"{name} = {function}",), name
    given = f"{loop.epoch}, {rate}" if arity == 2 else loop.epoch
    return CallbackCode(before=before, begin=(f"{rate} = {function}({given})",), end=(_rate(loop),))


def _arity(node: cst.BaseExpression | None, writer: Writer) -> int:
    """How many arguments a schedule takes: the epoch, or the epoch and the rate."""
    params = _params(node, writer.ctx) if node is not None else None
    if params is None or params.star_kwarg is not None or params.kwonly_params or len(params.params) not in (1, 2):
        raise Unfit("a schedule of which the arguments are not known")
    return len(params.params)


def _params(node: cst.BaseExpression, ctx: Context) -> cst.Parameters | None:
    """The parameters of a function: a lambda, one of the file by name, or one that a function of the file makes."""
    if isinstance(node, cst.Lambda):
        return node.params
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        maker = _only(m.FunctionDef(name=m.Name(node.func.value)), ctx.tree)
        line = maker.body.body[-1] if isinstance(maker, cst.FunctionDef) else None
        made = line.body[-1] if isinstance(line, cst.SimpleStatementLine) else None
        name = made.value.value if isinstance(made, cst.Return) and isinstance(made.value, cst.Name) else ""
        return _named_params(name, maker) if name and maker is not None else None
    if not isinstance(node, cst.Name):
        return None
    bound = _only(m.Assign(targets=[m.AssignTarget(target=m.Name(node.value))]), ctx.tree)
    return _params(bound.value, ctx) if isinstance(bound, cst.Assign) else _named_params(node.value, ctx.tree)


def _named_params(name: str, around: cst.CSTNode) -> cst.Parameters | None:
    found = _only(m.FunctionDef(name=m.Name(name)), around)
    return found.params if isinstance(found, cst.FunctionDef) else None


def _only(pattern: m.BaseMatcherNode, around: cst.CSTNode) -> cst.CSTNode | None:
    found = find(around, pattern)
    return found[0] if len(found) == 1 else None


def checkpoint(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    _refuse(args, writer, "options", None)
    if "filepath" not in args:
        raise Unfit("a checkpoint without a path")
    writer.sink.imports.add("import torch")
    if not _flag(args, writer, "save_weights_only"):
        writer.sink.note("checkpoints hold the weights alone: the class has the architecture")
    within = "save_freq" in args and constant(args["save_freq"], writer.ctx) != Literal("epoch")
    save = f"torch.save({loop.model}.state_dict(), {_path(args['filepath'], loop, writer, within)})"
    made = _folder(args["filepath"], writer)
    if within:
        code = _within_epochs(save, args, loop, writer)
        return replace(code, before=(*made, *code.before))
    if not _flag(args, writer, "save_best_only"):
        return CallbackCode(before=made, end=_each_period([save], args, loop, writer))
    monitor, smaller = _monitor(args, loop, writer)
    best = writer.names.fresh("best_saved")
    current = f'{loop.logs}["{monitor}"]'
    start = f'float("{"inf" if smaller else "-inf"}")'
    if _given(args, writer, "initial_value_threshold"):
        start = writer.text(args["initial_value_threshold"])
    lines = [f"if {current} {'<' if smaller else '>'} {best}:", f"    {best} = {current}", f"    {save}"]
    return CallbackCode(before=(*made, f"{best} = {start}"), end=_each_period(lines, args, loop, writer))


def _folder(node: cst.BaseExpression, writer: Writer) -> tuple[str, ...]:
    """The statement that makes the folder of a checkpoint, as Keras does; none for a file without one."""
    known = constant(node, writer.ctx)
    path = known.value if known is not None else None
    if isinstance(path, str):
        folder = os.path.dirname(path)
        if not folder or "{" in folder:
            return ()
        writer.sink.imports.add("import os")
        return (f"os.makedirs({folder!r}, exist_ok=True)",)
    writer.sink.imports.add("from pathlib import Path")
    return (f"Path({writer.text(node)}).parent.mkdir(parents=True, exist_ok=True)",)


def _within_epochs(save: str, args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """A file after every so many batches, which are counted across the epochs."""
    if _flag(args, writer, "save_best_only") or "period" in args:
        raise Unfit("a checkpoint within epochs of the best weights alone")
    known = constant(args["save_freq"], writer.ctx)
    if known is not None and not isinstance(known.value, int):
        raise Unfit("a checkpoint after a number of batches that is no whole number")
    writer.sink.imports.add("import itertools")
    batches, name = writer.names.fresh("trained_batches"), writer.names.fresh("save_weights")
    return CallbackCode(
        before=(
            f"{batches} = itertools.count(1)",
            f"def {name}(batch, {loop.logs}):",
            f"    if next({batches}) % {_factor(writer.text(args['save_freq']))} == 0:",
            f"        {save}",
        ),
        batch_end=(name,),
    )


def _factor(text: str) -> str:
    return text if text.isalnum() or text.isidentifier() else f"({text})"


def _each_period(lines: list[str], args: Args, loop: Loop, writer: Writer) -> tuple[str, ...]:
    """Lines that run after every epoch, or after each `period` of them, which older versions have."""
    if "period" not in args or constant(args["period"], writer.ctx) == Literal(1):
        return tuple(lines)
    if loop.start != "0":
        raise Unfit("a period of checkpoints in a training that does not begin with the first epoch")
    return (f"if ({loop.epoch} + 1) % {writer.text(args['period'])} == 0:", *("    " + line for line in lines))


def _path(node: cst.BaseExpression, loop: Loop, writer: Writer, within: bool = False) -> str:
    """Keras fills epoch and figures into the path, and `within` epochs the batch."""
    known = constant(node, writer.ctx)
    text = file_name(node, writer)
    batch = "batch=batch + 1, " if within and not (known is not None and "{batch" not in str(known.value)) else ""
    fill = f".format(epoch={loop.epoch} + 1, {batch}**{loop.logs})"
    if known is not None and isinstance(known.value, str):
        return text + fill if "{" in known.value else text
    return f"str({text}){fill}"


_WRITE: dict[str, Callable[[Args, Loop, Writer], CallbackCode]] = {
    "EarlyStopping": early_stopping,
    "ReduceLROnPlateau": reduce_on_plateau,
    "LearningRateScheduler": scheduler,
    "ModelCheckpoint": checkpoint,
    BACKUP: backup,
    **LOGGING,
}
