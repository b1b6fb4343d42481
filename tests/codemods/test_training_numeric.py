"""Migrated training does what Keras does: same weights, same data, same figures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.averages_programs import AVERAGES  # noqa: E402
from tests.codemods.batch_programs import BATCHES  # noqa: E402
from tests.codemods.callback_programs import CALLBACKS  # noqa: E402
from tests.codemods.hook_programs import HOOKS  # noqa: E402
from tests.codemods.masked_programs import MASKED  # noqa: E402
from tests.codemods.saving_programs import SAVING  # noqa: E402
from tests.codemods.several_programs import SEVERAL  # noqa: E402
from tests.codemods.tape_programs import TAPES  # noqa: E402
from tests.codemods.training_programs import PROGRAMS, Program  # noqa: E402
from tests.codemods.training_support import draft, torch_module  # noqa: E402


@pytest.mark.parametrize(
    "program",
    [*PROGRAMS, *BATCHES, *TAPES, *HOOKS, *CALLBACKS, *SAVING, *SEVERAL, *MASKED, *AVERAGES],
    ids=lambda p: p.name,
)
def test_both_sides_agree(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draft(program.source)
    assert made.declines == ()
    ours = torch_module(made, program.model)
    theirs: dict[str, Any] = {}
    keras.utils.clear_session()  # Keras numbers names within a process; a program starts with a fresh one
    exec(program.source, theirs)
    keras.utils.set_random_seed(0)
    source, target = theirs["build_model"](), ours["build_model"]()
    with torch.no_grad():
        for parameter, weight in zip(target.parameters(), source.get_weights(), strict=True):
            parameter.copy_(torch.tensor(weight.T.copy()))
    rng = np.random.default_rng(0)
    x, x_val = rng.normal(size=(30, 6)).astype("float32"), rng.normal(size=(11, 6)).astype("float32")
    data = (x, rng.integers(0, 4, 30), x_val, rng.integers(0, 4, 11))
    results = []
    for side, scope, model in (("theirs", theirs, source), ("ours", ours, target)):
        (tmp_path / side).mkdir()
        monkeypatch.chdir(tmp_path / side)  # what programs write is seen by none but themselves
        results.append(scope["main"](data, model))
    agree(*results)


def agree(expected: Any, got: Any, path: str = "result") -> None:
    """Same structure, same keys, numbers within rounding."""
    if isinstance(expected, dict):
        assert set(expected) == set(got), path
        for key, value in expected.items():
            agree(value, got[key], f"{path}.{key}")
    elif isinstance(expected, list | tuple):
        assert len(expected) == len(got), path
        for index, value in enumerate(expected):
            agree(value, got[index], f"{path}[{index}]")
    elif isinstance(expected, str):
        assert expected == got, path
    else:
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=2e-5, atol=2e-6, err_msg=path)
