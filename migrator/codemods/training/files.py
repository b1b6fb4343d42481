"""Names of files with weights."""

from __future__ import annotations

import re

import libcst as cst

from migrator.codemods.training.writer import Writer

_ENDINGS = re.compile(r"(\.weights)?\.(h5|hdf5|keras|ckpt|tf)$")


def file_name(node: cst.BaseExpression, writer: Writer) -> str:
    """The path of saved weights; a literal one gets torch's ending."""
    text = writer.text(node)
    writer.sink.note("weights are files of torch now: older files need converting (`migrator weights`)")
    if not isinstance(node, cst.SimpleString):
        return text
    quote = text[-1]
    name = _ENDINGS.sub("", text[:-1])
    return f"{name}.pt{quote}" if not name.endswith((".pt", ".pth")) else text
