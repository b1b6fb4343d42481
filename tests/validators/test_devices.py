"""A simulated GPU refuses what CUDA refuses, and the ladder says so."""

from __future__ import annotations

import pytest
import torch
from migrator_validators.cases import Array, Call, Case
from migrator_validators.check import check_case
from migrator_validators.probes.simulated_gpu import DeviceError, SimulatedGpu, on_gpu
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict

REFUSED = [
    "x + torch.zeros(3)",
    "x.numpy()",
    "np.asarray(x)",
    "x @ torch.eye(3)",
    "torch.cat([x, torch.tensor(1.0)[None]])",
    "torch.stack([x[0], torch.tensor(1.0)])",
    "torch.zeros(3)[x > 0]",
    "nn.Linear(3, 2)(x)",
    "nn.Linear(3, 2).to(device)(torch.ones(3))",
    "torch.zeros(()).add_(x[0])",
    "x.index_add(0, torch.tensor([0]), x[:1])",
    "F.one_hot(torch.arange(3)) * x",
    "sum(row + torch.ones(3) for row in torch.ones(2, 3, device=device))",
    "copy.deepcopy(nn.Linear(3, 2).to(device))(torch.ones(3))",
    "nn.GRU(3, 2).to(device)(torch.ones(1, 1, 3))",
    "rnn.pack_padded_sequence(torch.ones(1, 3, 1, device=device), torch.tensor([3], device=device), batch_first=True)",
    "x.to('cpu') + x",
    "torch.as_tensor(np.ones(3)) * x",
]
ALLOWED = [
    "x + torch.tensor(2.0)",
    "2 * x + 1",
    "x + torch.zeros(3, device=x.device)",
    "x.cpu().numpy()",
    "np.asarray(x.detach().cpu())",
    "x[torch.tensor([0, 2])]",
    "x.tolist()",
    "float(x[0]), bool(x[0] > 0), repr(x)",
    "nn.Linear(3, 2).to(device)(x)",
    "nn.Linear(3, 2, device=device)(x)",
    "copy.deepcopy(nn.Linear(3, 2).to(device))(x)",
    "nn.LSTM(3, 2).to(device)(x.reshape(1, 1, 3))",
    "rnn.pack_padded_sequence(torch.ones(1, 3, 1, device=device), torch.tensor([3]), batch_first=True)",
    "sum(row + x for row in torch.ones(2, 3, device=device))",
    "torch.where(x > 0, x, 0.0)",
    "torch.zeros(3).to(x) + x",
    "torch.zeros(3).type_as(x) + x",
    "x.new_zeros(3) + torch.zeros_like(x) + torch.full_like(x, 2.0)",
    "torch.as_tensor(np.ones(3), device=device) * x",
    "step(nn.Linear(3, 2).to(device), x)",
    "torch.autograd.grad((x.requires_grad_() ** 2).sum(), x)[0] + x.detach()",
    "saved(nn.Linear(3, 2).to(device))(x)",
    "torch.func.vmap(lambda row: row * 2)(torch.ones(2, 3, device=device)) + x",
]
HEAD = """
import copy, io
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import rnn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
x = torch.tensor([1.0, -2.0, 3.0], device=device)


def step(model, x):
    optimizer = torch.optim.Adam(model.parameters())
    model(x).sum().backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return model(x) + model.bias.grad


def saved(model):
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    other = nn.Linear(3, 2).to(device)
    other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), map_location=device))
    return other
"""


@pytest.mark.parametrize("code", REFUSED)
def test_what_cuda_refuses_is_refused(code: str) -> None:
    with SimulatedGpu():
        scope: dict[str, object] = {}
        exec(HEAD, scope)
        with pytest.raises(DeviceError):
            eval(code, scope)


@pytest.mark.parametrize("code", ALLOWED)
def test_what_keeps_to_its_device_runs(code: str) -> None:
    with SimulatedGpu():
        scope: dict[str, object] = {}
        exec(HEAD, scope)
        result = eval(code, scope)
        assert on_gpu(scope["x"])
    if isinstance(result, torch.Tensor) and code != "x.cpu().numpy()":
        assert on_gpu(result)


def test_nothing_of_it_is_left() -> None:
    before = torch.cuda.is_available, torch.load, torch.nn.Parameter.__new__
    with SimulatedGpu():
        assert torch.cuda.is_available()
    assert (torch.cuda.is_available, torch.load, torch.nn.Parameter.__new__) == before


def device(source: str, target: str, case: Case, workers: Workers) -> Verdict | None:
    trees = [pack_tree({"program.py": text}) for text in (source, target)]
    found = check_case(case, *trees, workers).verdicts
    assert {v.outcome for v in found} <= {Outcome.PASS, Outcome.GAP, Outcome.NOT_APPLICABLE}, found
    return next((v for v in found if v.rung is Rung.DEVICE), None)


SHIFT = "import tensorflow as tf\n\n\ndef shift(x):\n    return x + tf.constant([1.0, 2.0, 3.0])\n"
SHIFTED = "import torch\n\n\ndef shift(x):\n    return {}\n"
FUNCTION = Case(
    id="f",
    kind="function",
    call=Call(source="program:shift", args=(Array(kind="array", shape=("N", 3)),)),
    sizes={"N": (2, 3)},
)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x + torch.tensor([1.0, 2.0, 3.0], device=x.device)", ""),
        ("x + torch.tensor([1.0, 2.0, 3.0])", "it fails at `return x + torch.tensor([1.0, 2.0, 3.0])`: Expected all"),
        ("x.cpu() + torch.tensor([1.0, 2.0, 3.0])", "its result of the sizes [2, 3] is left on the CPU"),
    ],
)
def test_a_function_that_mixes_devices_is_told(code: str, said: str, workers: Workers) -> None:
    verdict = device(SHIFT, SHIFTED.format(code), FUNCTION, workers)
    assert verdict is not None
    assert verdict.outcome is (Outcome.GAP if said else Outcome.PASS)
    assert said in verdict.detail


SCRIPT = """
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
x = tf.constant([[1.0, 2.0]])
print(tf.reduce_sum(x))
"""
SCRIPTED = """
import torch
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
x = torch.tensor([[1.0, 2.0]], device=device)
scale = torch.ones(2{})
print((x * scale).sum())
"""


@pytest.mark.parametrize(("more", "outcome"), [(", device=device", Outcome.PASS), ("", Outcome.GAP)])
def test_a_script_that_mixes_devices_is_told(more: str, outcome: Outcome, workers: Workers) -> None:
    case = Case(id="p", kind="script", call=Call(source="program:__main__"))
    verdict = device(SCRIPT, SCRIPTED.format(more), case, workers)
    assert verdict is not None
    assert verdict.outcome is outcome
