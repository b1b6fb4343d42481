"""`tf.train.Checkpoint`, its manager and `latest_checkpoint`: state_dicts of several objects in one file."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.calls import api_of, bind, calls_in, is_model
from migrator.codemods.training.definitions import definition
from migrator.codemods.training.models import model_text
from migrator.codemods.training.writer import Unfit, Writer
from migrator.model import Decline, Helper
from migrator.values import Instance, RepoInstance, Tensor, Value

CHECKPOINT, MANAGER = "tf.train.Checkpoint", "tf.train.CheckpointManager"
SAVER = "tf.compat.v1.train.Saver"
LATEST, STATUS = "tf.train.latest_checkpoint", "tf.train.Checkpoint.restore"
APIS = {CHECKPOINT: "a short class of state_dicts", MANAGER: "a short class over it", LATEST: "the newest file"}
_MAKES = frozenset({*APIS, SAVER})
_METHODS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    CHECKPOINT: {
        "save": ("file_prefix",),
        "write": ("file_prefix",),
        "restore": ("save_path",),
        "read": ("save_path",),
    },
    MANAGER: {"save": ("checkpoint_number",)},
    SAVER: {"save": ("save_path", "global_step"), "restore": ("save_path",)},
}
_CHECKS = ("assert_consumed", "expect_partial", "assert_existing_objects_matched", "assert_nontrivial_match")
_OF_MANAGER = ("latest_checkpoint", "checkpoints", "directory")

_CLASS = Helper(
    "Checkpoint",
    '''class Checkpoint:
    """Modules, optimizers and tensors that are saved and restored together; paths are without the `.pt` of the file."""

    def __init__(self, **parts):
        self.parts, self.save_counter = parts, 0
        vars(self).update(parts)

    def write(self, file_prefix):
        states = {name: part if torch.is_tensor(part) else part.state_dict() for name, part in self.parts.items()}
        os.makedirs(os.path.dirname(file_prefix) or ".", exist_ok=True)
        torch.save({**states, "save_counter": self.save_counter}, f"{file_prefix}.pt")
        return file_prefix

    def save(self, file_prefix):
        self.save_counter += 1
        return self.write(f"{file_prefix}-{self.save_counter}")

    def restore(self, save_path):
        """What the file has under the names of the parts; nothing where the path is None."""
        states = {} if save_path is None else torch.load(f"{save_path}.pt", map_location=device)
        self.save_counter = states.get("save_counter", self.save_counter)
        for name in self.parts.keys() & states.keys():
            if torch.is_tensor(self.parts[name]):
                self.parts[name].detach().copy_(states[name])
            else:
                self.parts[name].load_state_dict(states[name])
''',
    ("import os", "import torch"),
)
_SAVER = Helper(
    "Saver",
    '''class Saver:
    """Modules, optimizers and tensors in a file a step; the newest `max_to_keep` stay, all where it is None.

    Paths are without the `.pt` of the file.
    """

    def __init__(self, max_to_keep=5, **parts):
        self.max_to_keep, self.parts, self.paths = max_to_keep, parts, []

    def save(self, save_path, global_step=None):
        path = save_path if global_step is None else f"{save_path}-{int(global_step)}"
        states = {name: part if torch.is_tensor(part) else part.state_dict() for name, part in self.parts.items()}
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        torch.save(states, f"{path}.pt")
        self.paths = [p for p in self.paths if p != path] + [path]
        while self.max_to_keep and len(self.paths) > self.max_to_keep:
            Path(f"{self.paths.pop(0)}.pt").unlink(missing_ok=True)
        return path

    def restore(self, save_path):
        states = torch.load(f"{save_path}.pt", map_location=device)
        for name, part in self.parts.items():
            if torch.is_tensor(part):
                part.detach().copy_(states[name])
            else:
                part.load_state_dict(states[name])
''',
    ("from pathlib import Path", "import torch"),
)
_SAVED = Helper(
    "saved_checkpoints",
    '''def saved_checkpoints(directory):
    """The checkpoints in a folder, oldest first."""
    files = Path(directory).glob("*-*.pt")
    by_age = sorted(files, key=lambda file: (file.stat().st_mtime_ns, len(file.name), file.name))
    return [os.path.join(directory, file.stem) for file in by_age]
''',
    ("import os", "from pathlib import Path"),
)
_LATEST = Helper(
    "latest_checkpoint",
    '''def latest_checkpoint(checkpoint_dir):
    """The newest checkpoint in a folder, or None."""
    return next(reversed(saved_checkpoints(checkpoint_dir)), None)
''',
)
_MANAGER = Helper(
    "CheckpointManager",
    '''class CheckpointManager:
    """Saves checkpoints by number and keeps the newest `max_to_keep` of them, all where it is None."""

    def __init__(self, checkpoint, directory, max_to_keep, checkpoint_name="ckpt"):
        self.checkpoint, self.directory, self.max_to_keep = checkpoint, directory, max_to_keep
        self.prefix = os.path.join(directory, checkpoint_name)

    @property
    def checkpoints(self):
        return saved_checkpoints(self.directory)

    @property
    def latest_checkpoint(self):
        return latest_checkpoint(self.directory)

    def save(self, checkpoint_number=None):
        self.checkpoint.save_counter += 1
        number = self.checkpoint.save_counter if checkpoint_number is None else int(checkpoint_number)
        path = self.checkpoint.write(f"{self.prefix}-{number}")
        for old in self.checkpoints[: -self.max_to_keep] if self.max_to_keep else []:
            os.remove(f"{old}.pt")
        return path
''',
    ("import os",),
)


def checkpoint_kind(node: cst.Call | cst.Attribute, ctx: Context) -> str:
    """What a node is to checkpoints: it makes one, calls a method, checks what was restored, reads a part; or ""."""
    if isinstance(node, cst.Attribute):
        return "checkpoint:part" if _is_part(node, ctx) else ""
    if api_of(ctx.value(node.func)) in _MAKES:
        return "checkpoint:made"
    if not isinstance(node.func, cst.Attribute):
        return ""
    owner, name = _api(node.func.value, ctx), node.func.attr.value
    if owner == STATUS and name in _CHECKS:
        return "checkpoint:check"
    return "checkpoint:call" if name in _METHODS.get(owner, {}) else ""


def _api(node: cst.BaseExpression, ctx: Context) -> str:
    value = ctx.value(node)
    return value.api if isinstance(value, Instance) else ""


def _is_part(node: cst.Attribute, ctx: Context) -> bool:
    owner = ctx.value(node.value)
    if not isinstance(owner, Instance):
        return False
    if owner.api == MANAGER:
        return node.attr.value in _OF_MANAGER
    return owner.api == CHECKPOINT and owner.arg(node.attr.value) is not None


def checkpoint_text(node: cst.CSTNode, kind: str, writer: Writer) -> str:
    """The torch text of such a node; "" for a check that is left out; raises `Unfit`."""
    if isinstance(node, cst.Attribute):
        owner = writer.decided.get(node.value) or writer.ctx.code(node.value).strip()
        return f"{owner}.{node.attr.value}"
    assert isinstance(node, cst.Call)
    if kind == "checkpoint:check":
        assert isinstance(node.func, cst.Attribute)
        return writer.decided.get(node.func.value, "")
    return _made(node, writer) if kind == "checkpoint:made" else _called(node, writer)


def _called(call: cst.Call, writer: Writer) -> str:
    assert isinstance(call.func, cst.Attribute)
    owner, name = call.func.value, call.func.attr.value
    bound = bind(call, _METHODS[_api(owner, writer.ctx)][name])
    if isinstance(bound, Decline) or set(bound) - set(_METHODS[_api(owner, writer.ctx)][name]):
        raise Unfit(f"arguments of `{name}` of a checkpoint")
    name = "restore" if name == "read" else name
    receiver = writer.decided.get(owner) or writer.ctx.code(owner).strip()
    return f"{receiver}.{name}({', '.join(writer.text(node) for node in bound.values())})"


def _made(call: cst.Call, writer: Writer) -> str:
    api = api_of(writer.ctx.value(call.func))
    if api in (CHECKPOINT, SAVER):
        return _checkpoint(call, writer, api)
    names = ("checkpoint", "directory", "max_to_keep", "checkpoint_name") if api == MANAGER else ("checkpoint_dir",)
    bound = bind(call, names[:3])
    if isinstance(bound, Decline) or set(bound) - set(names):
        raise Unfit(f"arguments of {api}")
    _help(writer, (_SAVED, _LATEST, *((_MANAGER,) if api == MANAGER else ())))
    texts = {name: writer.text(node) for name, node in bound.items()}
    given = [f"{name}={text}" if index > 1 else text for index, (name, text) in enumerate(texts.items())]
    return f"{'CheckpointManager' if api == MANAGER else 'latest_checkpoint'}({', '.join(given)})"


def _checkpoint(call: cst.Call, writer: Writer, api: str) -> str:
    parts = []
    for arg in call.args:
        if arg.keyword is None:
            raise Unfit("a checkpoint of objects that have no name")
        if api == SAVER and arg.keyword.value == "max_to_keep":
            parts.append(f"max_to_keep={writer.text(arg.value)}")
            continue
        model = model_text(arg.value, writer.ctx, writer.plan.known_models) is not None
        if not model and not _is_known(writer.ctx.value(arg.value)):
            raise Unfit(f"what `{arg.keyword.value}` of a checkpoint is, is not known")
        parts.append(f"{arg.keyword.value}={writer.text(arg.value)}")
        if has_schedule(writer.ctx.value(arg.value)):
            parts.append(_scheduler(arg, writer.ctx))
    _help(writer, (_CLASS if api == CHECKPOINT else _SAVER,))
    writer.sink.needs_device = True
    writer.sink.note("checkpoints are files of torch now: older ones need converting (`migrator weights`)")
    return f"{api.rpartition('.')[2]}({', '.join(parts)})"


def has_schedule(value: Value) -> bool:
    """Whether the rate of an optimizer follows a schedule, whose own count a checkpoint needs too."""
    rate = value.arg("learning_rate") if isinstance(value, Instance) else None
    return isinstance(rate, RepoInstance) or (isinstance(rate, Instance) and ".schedules." in rate.api)


def scheduler_of(target: str) -> str:
    """The name of the scheduler of an optimizer that a checkpoint has among its parts."""
    owner, _, name = target.rpartition(".")
    return f"{owner}." * bool(owner) + ("scheduler" if name == "optimizer" else f"{name}_scheduler")


def is_saved(target: str, ctx: Context) -> bool:
    """Whether an optimizer is among the parts of a checkpoint of the file."""
    made = [c for c in calls_in(ctx.tree) if api_of(ctx.value(c.func)) in (CHECKPOINT, SAVER)]
    return any(ctx.code(arg.value).strip() == target for call in made for arg in call.args)


def _scheduler(arg: cst.Arg, ctx: Context) -> str:
    assert arg.keyword is not None
    target = ctx.code(arg.value).strip()
    made = [line for line in find(ctx.tree, m.SimpleStatementLine()) if isinstance(line, cst.SimpleStatementLine)]
    known = [d for line in made if (d := definition(line, ctx)) and ctx.code(d.target).strip() == target]
    if not known or not all(d.kind == "optimizer" for d in known):
        raise Unfit("a checkpoint of an optimizer whose rate follows a schedule, made elsewhere")
    key = "scheduler" if arg.keyword.value == "optimizer" else f"{arg.keyword.value}_scheduler"
    return f"{key}={scheduler_of(target)}"


def _help(writer: Writer, helpers: tuple[Helper, ...]) -> None:
    writer.sink.help(helpers)
    for helper in helpers:
        writer.sink.imports |= set(helper.imports)


def _is_known(value: Value) -> bool:
    """Whether a part of a checkpoint has a state that torch saves: a module, an optimizer, a variable."""
    if isinstance(value, Tensor):
        return value.origin == "variable"
    if isinstance(value, RepoInstance):
        return value.kind in ("model", "layer")
    if isinstance(value, Instance):
        optimizer = value.api.startswith("tf.keras.optimizers.") and ".schedules." not in value.api
        return optimizer or value.api.startswith("tf.keras.layers.")
    return is_model(value)
