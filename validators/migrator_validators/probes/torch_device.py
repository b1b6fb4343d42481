"""The migrated program on a simulated GPU: whether it mixes devices. Nothing that it computes is compared.

Request: `kind` ("object", "function", "training" or "script"), `call`, `batches` (the first is run), `module` of a
script, `seconds` after which a training has been seen enough. Tensors that are arguments lie on the GPU,
as do the models made for it; what data sets give and NumPy arrays do not. Result: {"cpu": sizes of the results of
a function that were left on the CPU}; what fails is raised.
"""

from __future__ import annotations

import contextlib
import runpy
import time
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils._pytree import tree_leaves

from . import absent, torch_objects, wire
from . import torch_check as plain
from .launch import Launch
from .printed import Printed
from .simulated_gpu import SimulatedGpu, on_gpu, put
from .torch_training import Batches, tensor


class Enough(BaseException):
    """The training was seen for long enough."""


class OnGpu(wire.Program):
    """A program whose tensors and models lie on the GPU, the batches of its data sets but not."""

    of_data = 0

    def value(self, tree: wire.Tree) -> Any:
        self.of_data += tree["k"] == "dataset"
        try:
            return super().value(tree)
        finally:
            self.of_data -= tree["k"] == "dataset"

    def object(self, tree: wire.Tree) -> Any:
        made = super().object(tree)
        return made.to("cuda") if isinstance(made, nn.Module) else made


class Check(plain.Check):
    """The first batch of a case, on the GPU."""

    def new_program(self) -> wire.Program:
        program = OnGpu(self.arrays, lambda array, as_: _tensor(self, program, array, as_), Batches)
        return program


def _tensor(check: plain.Check, program: OnGpu, array: np.ndarray, as_: str) -> Any:
    made = plain.Check.tensor(check, array, as_)
    return put(made) if isinstance(made, torch.Tensor) and not program.of_data else made


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Any, wire.Arrays]:
    """See the module's docstring."""
    plain.seed_all(0)
    torch.set_num_threads(1)
    with SimulatedGpu():
        run_of_kind = {"training": _train, "script": _script}.get(request["kind"], _call)
        return {"cpu": run_of_kind(request, arrays)}, {}


def _call(request: Dict[str, Any], arrays: wire.Arrays) -> List[List[int]]:
    check = Check(request, arrays)
    check.build(0)
    for value in check.program.made.values():
        torch_objects.set_mode(value, request["train_mode"])
    check.program.fresh()
    result = check.invoke(request["batches"][0])()
    left = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor) and not on_gpu(t)]
    given = any(on_gpu(t) for t in check.program.inputs.values())
    return [list(t.shape) for t in left if t.dim()] if given and request["kind"] == "function" else []


def _train(request: Dict[str, Any], arrays: wire.Arrays) -> List[List[int]]:
    program = OnGpu(arrays, lambda array, as_: _given(program, array, as_), Batches)
    launch = Launch(program, request["call"], Printed({}, {}))
    with _for(request["seconds"]):
        launch()
    return []


def _given(program: OnGpu, array: np.ndarray, as_: str) -> Any:
    made = tensor(array, as_)
    return made if program.of_data else put(made)


@contextlib.contextmanager
def _for(seconds: float) -> Iterator[None]:
    """The block, ended by the first step of an optimizer after so many seconds."""
    end = time.monotonic() + seconds

    def stop(*_: Any) -> None:
        if time.monotonic() > end:
            raise Enough

    hook = register_optimizer_step_post_hook(stop)
    try:
        yield
    except wire.ProgramError as error:
        if not isinstance(error.__cause__, Enough):
            raise
    finally:
        hook.remove()


def _script(request: Dict[str, Any], arrays: wire.Arrays) -> List[List[int]]:
    with _for(request["seconds"]), wire.program("run " + request["module"]), absent.armed():
        runpy.run_module(request["module"], run_name="__main__", alter_sys=False)
    return []
