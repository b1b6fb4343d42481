"""PyTorch side of the search for the first difference: requests of `torch_check`, answered with steps on one batch."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, Tuple

from torch.nn.modules import module as torch_module

from . import torch_objects as objects
from . import wire
from .steps import Steps, first_input
from .torch_check import Check, Request, prepare


def run(request: Request, arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """The steps of the first batch, those before it where the program fails on the way; and the objects described."""
    injection = prepare(request)
    check = Check(dict(request, grad=False), arrays)
    check.build(0)
    check.load()
    if injection is not None:
        injection.restart()
        injection.start_step()
    steps, batch = Steps(), request["batches"][0]
    names = {id(m): (label, name) for label, v in check.weighted().items() for name, m in objects.modules_of(v)}
    with watched(steps, names), steps.watch(), contextlib.suppress(wire.ProgramError):
        check.observe(batch["number"], batch)
    described = {label: objects.describe(value) for label, value in check.weighted().items()}
    return {"steps": steps.found, "objects": described}, steps.arrays


@contextlib.contextmanager
def watched(steps: Steps, names: Dict[int, Tuple[str, str]]) -> Iterator[None]:
    """Note what the modules give, in the order in which they end."""

    def hook(module: Any, args: Any, output: Any) -> None:
        if id(module) in names:
            label, name = names[id(module)]
            step = {"what": "layer", "label": label, "name": name}
            steps.note(step, output, first_input(args, {}))

    handle = torch_module.register_module_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
