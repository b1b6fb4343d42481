"""What the user got wrong: one line, exit 2, and nothing on disk changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Done, command
from tests.source.tree import contents, plant

TF = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.sin(x)\n"


def refused(done: Done, words: str) -> None:
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("migrator: ")
    assert done.err.count("\n") == 1
    assert words in done.err


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing", "no such file or folder"),
        ("empty", "no Python files"),
        ("notes", "no Python files"),
        ("notes/a.txt", "not a Python file"),
        ("notes/a.ipynb", "notebooks are not supported yet"),
    ],
)
def test_sources_that_are_none(tmp_path: Path, verb: str, path: str, words: str) -> None:
    plant(tmp_path, {"notes/a.txt": "hello", "notes/a.ipynb": "{}"})
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    refused(command(verb, str(tmp_path / path)), words)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("a/src", "the source itself"),
        ("a/src/out", "inside the source"),
        ("a", "inside the output"),
        ("foreign", "was not written by migrator"),
        ("file", "not a folder"),
    ],
)
def test_outputs_that_could_harm(tmp_path: Path, out: str, words: str) -> None:
    plant(tmp_path, {"a/src/m.py": TF, "foreign/thesis.tex": "x", "file": "x"})
    before = contents(tmp_path)
    refused(command("run", str(tmp_path / "a/src"), "-o", str(tmp_path / out)), words)
    assert contents(tmp_path) == before


def test_the_default_output_is_refused_when_it_is_not_ours(tmp_path: Path) -> None:
    plant(tmp_path, {"src/m.py": TF, "src_torch/mine.py": "x = 1\n"})
    refused(command("run", str(tmp_path / "src")), "was not written by migrator")


@pytest.mark.parametrize("verb", [["review"], ["verify", "--against", "."]])
def test_a_folder_that_is_no_output(tmp_path: Path, verb: list[str]) -> None:
    refused(command(verb[0], str(tmp_path), *verb[1:]), "is it an output of migrator")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"import tensorflow as tf\ndef f(:\n", "syntax error (line 2"),
        (b"import tensorflow as tf\nprint 'x'\n", "Python 2 (line 2"),
        (b"import tensorflow as tf\ns = '\xff'\n", "cannot be decoded"),
    ],
)
def test_files_that_cannot_be_read_are_copied_and_named(tmp_path: Path, content: bytes, why: str) -> None:
    src = plant(tmp_path / "src", {"bad.py": content, "config.py": "X = 1\n"})
    before = contents(src)
    done = command("run", str(src), "--check", "none")
    assert done.code == 1
    assert "bad.py" in done.out
    assert why in " ".join(done.out.split())
    after = contents(tmp_path / "src_torch")
    assert {name: after[name] for name in before} == before
    assert contents(src) == before


def test_a_repository_without_tensorflow_is_copied_and_done(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"a.py": "x = 1\n", "sub/b.py": "y = 2\n"})
    assert command("run", str(src), "--check", "none").code == 0
    assert contents(tmp_path / "src_torch").items() >= contents(src).items()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"a.py": "x = 1\n"})
    assert command("run", str(src), "--check", "none", "--dry-run").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["src"]
