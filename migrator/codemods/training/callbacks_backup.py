"""`BackupAndRestore`: a training that goes on where an earlier one was interrupted."""

from __future__ import annotations

import os

from migrator.codemods.training.callback_code import Args, CallbackCode, Loop
from migrator.codemods.training.calls import constant
from migrator.codemods.training.writer import Unfit, Writer
from migrator.values import Literal

BACKUP = "BackupAndRestore"
BACKUP_PARAMETERS = ("backup_dir", "save_freq", "double_checkpoint", "delete_checkpoint")


def backup(args: Args, loop: Loop, writer: Writer) -> CallbackCode:
    """The weights, the state of the optimizer and the epoch, saved after each epoch and deleted after the last.

    `loop.start` is the name of the first epoch, which is `loop.first` where nothing is saved.
    """
    for name, only in (("save_freq", "epoch"), ("double_checkpoint", False)):
        if name in args and constant(args[name], writer.ctx) != Literal(only):
            raise Unfit(f"{BACKUP}: `{name}` has no rule")
    deletes = constant(args["delete_checkpoint"], writer.ctx) if "delete_checkpoint" in args else Literal(True)
    if "backup_dir" not in args or deletes is None:
        raise Unfit(f"{BACKUP} of which the folder is not known, or whether it is deleted")
    made, folder, file = _place(args, writer)
    state = writer.names.fresh("backup", "state")
    parts = {"model": loop.model, "optimizer": loop.optimizer} | (
        {"scheduler": loop.scheduler} if loop.scheduler else {}
    )
    saved = ", ".join(f'"{key}": {text}.state_dict()' for key, text in parts.items())
    writer.sink.imports |= {"import os", "import torch"} | ({"import shutil"} if deletes.value else set())
    writer.sink.needs_device = True
    return CallbackCode(
        before=(
            *made,
            f"{loop.start} = {loop.first}",
            f"if os.path.exists({file}):",
            f"    {state} = torch.load({file}, map_location=device)",
            *(f'    {text}.load_state_dict({state}["{key}"])' for key, text in parts.items()),
            f'    {loop.start} = {state}["epoch"]',
            f"os.makedirs({folder}, exist_ok=True)",
        ),
        end=(f'{state} = {{{saved}, "epoch": {loop.epoch} + 1}}', f"torch.save({state}, {file})"),
        after=(f"shutil.rmtree({folder})",) if deletes.value else (),
        start=loop.start,
    )


def _place(args: Args, writer: Writer) -> tuple[tuple[str, ...], str, str]:
    """The statement that names the file of the backup, and the texts of its folder and of itself."""
    known = constant(args["backup_dir"], writer.ctx)
    if known is not None and isinstance(known.value, str):
        return (), repr(known.value).replace("'", '"'), f'"{os.path.join(known.value, "latest.pt")}"'
    folder, name = writer.text(args["backup_dir"]), writer.names.fresh("backup_file")
    if folder.isidentifier():
        return (f'{name} = os.path.join({folder}, "latest.pt")',), folder, name
    place = writer.names.fresh("backup_dir")
    return (f"{place} = {folder}", f'{name} = os.path.join({place}, "latest.pt")'), place, name
