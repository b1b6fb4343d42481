"""Functions that callers give NumPy arrays: these become tensors in the first lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Draft


def from_arrays(draft: Draft, names: Sequence[str]) -> Draft:
    """The draft of one function with a line for each of the parameters, below its docstring."""
    module = cst.parse_module(draft.text)
    index = next(i for i, s in enumerate(module.body) if isinstance(s, cst.FunctionDef))
    function = module.body[index]
    assert isinstance(function, cst.FunctionDef)
    if not isinstance(function.body, cst.IndentedBlock):
        return draft
    body = list(function.body.body)
    at = 1 if function.get_docstring() is not None else 0
    body[at:at] = [cst.parse_statement(f"{name} = torch.as_tensor({name})") for name in names]
    new = function.with_changes(body=function.body.with_changes(body=body))
    text = module.with_changes(body=[*module.body[:index], new, *module.body[index + 1 :]]).code
    return replace(draft, text=text, imports=draft.imports | {"import torch"})
