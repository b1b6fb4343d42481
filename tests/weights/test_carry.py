"""Trained weights in every format of both Keras versions, carried over to what a run migrated."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from migrator_validators.workers import Workers
from typer.testing import CliRunner

from migrator.cli import app
from migrator.errors import UsageError
from migrator.weights import Carried, carry
from tests.weights.originals import PROGRAM

ORIGINALS = Path(__file__).with_name("originals.py")


class Saved:
    """A program, its migration and files of its trained weights."""

    def __init__(self, root: Path, keras: int, workers: Workers) -> None:
        self.root, self.workers = root, workers
        (root / "repo").mkdir()
        (root / "repo" / "net.py").write_text(PROGRAM)
        env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        env["TF_USE_LEGACY_KERAS"] = "1" if keras == 2 else "0"
        made = subprocess.run([sys.executable, ORIGINALS, root], env=env, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr[-2000:]
        self.out = root / "out"
        done = CliRunner().invoke(app, ["run", str(root / "repo"), "-o", str(self.out), "--keras", str(keras)])
        assert done.exit_code == 0, done.output

    def carry(self, name: str, unit: str, dst: str = "state.safetensors") -> Carried:
        return carry(self.root / name, self.root / dst, self.out, self.workers, sys.executable, unit)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as pool:
        yield pool


@pytest.fixture(scope="module")
def keras3(tmp_path_factory: pytest.TempPathFactory, workers: Workers) -> Saved:
    return Saved(tmp_path_factory.mktemp("keras3"), 3, workers)


@pytest.fixture(scope="module")
def keras2(tmp_path_factory: pytest.TempPathFactory, workers: Workers) -> Saved:
    return Saved(tmp_path_factory.mktemp("keras2"), 2, workers)


def test_every_format_of_keras_3(keras3: Saved) -> None:
    for name in ("m.keras", "m.h5", "m.weights.h5", "m_checkpoint", "m_checkpoint.index", "m_saved"):
        found = keras3.carry(name, "build_model")
        assert (found.weights, found.tensors, found.by_keras) == (14, 15, True), name
        assert found.difference is not None
        assert found.allowed is not None
        assert found.difference <= found.allowed
    for name in ("t.weights.h5", "t_checkpoint"):
        assert keras3.carry(name, "net.py::Tagger").by_keras, name


def test_every_format_of_keras_2(keras2: Saved) -> None:
    for name in ("m.keras", "m.h5", "w.h5", "m.weights.h5", "m_checkpoint", "m_weights", "m_saved", "m_keras_saved"):
        assert keras2.carry(name, "build_model").by_keras, name


def test_a_file_of_keras_2_for_a_program_of_keras_3(keras2: Saved, keras3: Saved) -> None:
    shutil.copy(keras2.root / "m.h5", keras3.root / "old.h5")
    assert keras3.carry("old.h5", "build_model").by_keras


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_torch_loads_what_is_written_and_computes_what_keras_did(keras3: Saved, suffix: str) -> None:
    found = keras3.carry("t.weights.h5", "Tagger", f"tagger{suffix}")
    read = "safetensors.torch.load_file(p)" if suffix == ".safetensors" else "torch.load(p, weights_only=True)"
    code = f"""
import json, sys, torch, safetensors.torch
sys.path.insert(0, {str(keras3.out)!r})
import net
p = {str(found.path)!r}
model = net.Tagger().eval()
model.load_state_dict({read})
json.dump(model(torch.zeros(2, 7, dtype=torch.int64)).tolist(), sys.stdout)
"""
    ours = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    code = f"""
import sys, json, numpy as np
sys.path.insert(0, {str(keras3.root / "repo")!r})
import net
model = net.Tagger(); x = np.zeros((2, 7), "int32"); model(x)
model.load_weights({str(keras3.root / "t.weights.h5")!r})
json.dump(np.asarray(model(x)).tolist(), sys.stdout)
"""
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    np.testing.assert_allclose(json.loads(ours), json.loads(theirs), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "unit", "message"),
    [
        ("other.weights.h5", "build_model", "has shape (6, 7), the model's weight has (6, 5)"),
        ("t.weights.h5", "build_model", "the model has nothing for"),
        ("m.weights.h5", "Tagger", "the model has nothing for"),
        ("m_export", "build_model", "does not say which weight is which"),
        ("nothing.h5", "build_model", "there are no weights there"),
        ("m.keras", "", "which model is meant?"),
        ("m.keras", "Nobody", "the run checked no such model"),
        ("cut.weights.h5", "build_model", "cannot be read as HDF5"),
        ("cut.keras", "build_model", "no .keras archive"),
        ("cut", "build_model", "cut"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_place(keras3: Saved, name: str, unit: str, message: str) -> None:
    root = keras3.root
    for file in ("m.weights.h5", "m.keras"):
        (root / file.replace("m.", "cut.", 1)).write_bytes((root / file).read_bytes()[:3000])
    shutil.copy(root / "m_checkpoint.index", root / "cut.index")
    data = (root / "m_checkpoint.data-00000-of-00001").read_bytes()
    (root / "cut.data-00000-of-00001").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError) as refused:
        keras3.carry(name, unit, "refused.safetensors")
    assert message in str(refused.value)
    assert not (root / "refused.safetensors").exists()


def test_a_migration_that_was_broken_by_hand_is_noticed(keras3: Saved, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(keras3.out, out)
    text = (out / "net.py").read_text()
    assert "F.softmax" in text or "torch.softmax" in text
    (out / "net.py").write_text(text.replace("torch.tanh", "torch.sigmoid").replace("F.tanh", "F.sigmoid"))
    with pytest.raises(UsageError, match="computes something else"):
        carry(keras3.root / "m.keras", tmp_path / "s.safetensors", out, keras3.workers, sys.executable, "build_model")


def test_the_command_says_what_it_did(keras3: Saved) -> None:
    arguments = [str(keras3.root / "m.keras"), str(keras3.root / "s.pt"), "--out", str(keras3.out)]
    done = CliRunner().invoke(app, ["weights", *arguments, "--unit", "build_model"])
    assert done.exit_code == 0, done.output
    assert "15 tensors of net.py::build_model, from 14 weights" in done.output
    assert "Keras loads the same weights" in done.output
    done = CliRunner().invoke(app, ["weights", *arguments, "--unit", "build_model", "--json"])
    assert json.loads(done.stdout)["by_keras"] is True
