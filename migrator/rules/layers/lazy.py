"""Layers that learn the size of their input at the first call, where no code of the repository fixes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.values import Sym, Tensor, Value

SIZE = "__size__"
"""Stands for the size while a rule writes its code."""
UNKNOWN = "input size unknown"

_KINDS = {"nn.Linear": "LazyLinear", **{f"nn.Conv{n}d": f"LazyConv{n}d" for n in (1, 2, 3)}}
_PLAIN = {f"nn.BatchNorm{n}d": f"nn.LazyBatchNorm{n}d" for n in (1, 2, 3)}
_USUAL = ("nn.init.xavier_uniform_({self}.weight)", "nn.init.zeros_({self}.bias)")


def _helper(kind: str) -> Helper:
    source = f'''class {kind}(nn.{kind}):
    """Takes the size of its input from the first call, and starts with Keras's values."""

    def reset_parameters(self):
        if not self.has_uninitialized_params() and self.weight.numel():
            nn.init.xavier_uniform_(self.weight)
            if self.bias is not None:
                nn.init.zeros_(self.bias)
'''
    return Helper(kind, source, ("from torch import nn",))


def sized(inputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """The inputs with a size of the last axis that is to be learnt. Raises `Decline` where it is known."""
    first = inputs[0] if inputs else None
    if not isinstance(first, Tensor) or first.channels is not None or len(inputs) > 1:
        raise Decline(UNKNOWN)
    if first.shape is None:
        return (replace(first, last=Sym(SIZE)),)
    return (replace(first, shape=(*first.shape[:-1], Sym(SIZE))),)


def lazy(code: LayerCode, args: Mapping[str, object]) -> LayerCode:
    """The code of a layer over `SIZE` with a lazy module instead. Raises `Decline` where there is none."""
    found = re.fullmatch(r"(nn\.\w+)\(__size__, (.*)\)", code.module or "", re.S)
    name, rest = found.groups() if found else ("", "")
    if SIZE in rest or any(SIZE in text for text in (code.forward, *code.init, *code.penalty, *code.constraint)):
        raise Decline(UNKNOWN)
    note = "takes the size of its input from the first call: no code of the repository fixes it"
    if name in _PLAIN and not code.init:
        return replace(code, module=f"{_PLAIN[name]}({rest})", notes=(*code.notes, f"{_PLAIN[name]} {note}"))
    if name not in _KINDS or not set(code.init) <= {*_USUAL, _GUARDED}:
        raise Decline(UNKNOWN)
    kind = _KINDS[name]
    helpers = tuple(dict.fromkeys((*code.helpers, _helper(kind))))
    return replace(code, module=f"{kind}({rest})", init=(), helpers=helpers, notes=(*code.notes, f"{kind} {note}"))


_GUARDED = "if {self}.bias is not None:\n    nn.init.zeros_({self}.bias)"
