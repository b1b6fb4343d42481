from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from migrator.errors import UsageError
from migrator.model import SourceFile, SourceRepo
from migrator.source import read
from migrator.source.discover import MAX_COPY_BYTES
from tests.source.tree import plant

TF = "import tensorflow as tf\n"


def file(repo: SourceRepo, path: str) -> SourceFile:
    return next(f for f in repo.files if str(f.path) == path)


def paths(repo: SourceRepo) -> list[str]:
    return [str(f.path) for f in repo.files]


def test_tensorflow_files_and_their_users_are_marked(tmp_path: Path) -> None:
    repo = read(
        plant(
            tmp_path,
            {"model.py": TF, "train.py": "from model import build\n", "config.py": "X = 'tensorflow'\n", "a.txt": "t"},
        )
    )
    assert {p: file(repo, p).uses_tf for p in paths(repo)} == {
        "a.txt": False,
        "config.py": False,
        "model.py": True,
        "train.py": True,
    }
    assert file(repo, "config.py").text == "X = 'tensorflow'\n"
    assert file(repo, "a.txt").text is None
    assert repo.import_roots == ("",)


def test_gitignore_nested_and_negated(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            ".gitignore": "data/\n*.log\n",
            "m.py": TF,
            "data/x.py": TF,
            "a.log": "",
            "sub/.gitignore": "!b.log\nsecret.py\n",
            "sub/b.log": "",
            "sub/secret.py": "",
            "secret.py": "",
        },
    )
    repo = read(tmp_path)
    assert paths(repo) == [".gitignore", "m.py", "secret.py", "sub/.gitignore", "sub/b.log"]
    assert dict(repo.skipped)["data"] == "ignored by .gitignore"


def test_gitignore_above_the_folder_counts_unless_it_hides_the_folder(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            ".git/HEAD": "",
            ".gitignore": "*.log\nbuild/\n",
            "pkg/m.py": TF,
            "pkg/a.log": "",
            "build/out/m.py": TF,
            "build/out/b.log": "",
        },
    )
    assert paths(read(tmp_path / "pkg")) == ["m.py"]
    assert paths(read(tmp_path / "build/out")) == ["b.log", "m.py"]


def test_a_tracked_file_belongs_even_if_ignored(tmp_path: Path) -> None:
    plant(tmp_path, {".gitignore": "*.txt\n", "m.py": TF, "requirements.txt": "tensorflow==2.3", "notes.txt": ""})
    for command in (["init", "-q"], ["add", "-f", "requirements.txt"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    repo = read(tmp_path)
    assert "requirements.txt" in paths(repo)
    assert "notes.txt" not in paths(repo)
    assert repo.keras == 2


def test_foreign_git_configuration_starts_no_program(tmp_path: Path) -> None:
    plant(tmp_path, {"m.py": TF})
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".git/config").write_text(f'[core]\n\tfsmonitor = "touch {tmp_path}/ran"\n')
    read(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_symbolic_links_are_kept_inside_and_left_behind_otherwise(tmp_path: Path) -> None:
    root = plant(tmp_path / "repo", {"m.py": TF, "sub/n.py": ""})
    (root / "sub/loop").symlink_to("..")
    (root / "self").symlink_to("self")
    (root / "out").symlink_to("../elsewhere")
    (root / "abs.py").symlink_to(root / "m.py")
    (root / "alias.py").symlink_to("m.py")
    plant(tmp_path / "elsewhere", {"x.py": ""})
    repo = read(root)
    assert paths(repo) == ["alias.py", "m.py", "sub/loop", "sub/n.py"]
    assert dict(repo.skipped) == {
        "self": "broken symbolic link",
        "out": "symbolic link out of the folder",
        "abs.py": "symbolic link with an absolute target",
    }


def test_odd_files_stay_behind_with_a_reason(tmp_path: Path) -> None:
    plant(tmp_path, {"m.py": TF, ".venv/x.py": "", "__pycache__/m.pyc": b"\0"})
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "weights.h5").open("wb") as stream:
        stream.truncate(MAX_COPY_BYTES + 1)
    repo = read(tmp_path)
    assert paths(repo) == ["m.py"]
    reasons = dict(repo.skipped)
    assert reasons["pipe"] == "not a regular file"
    assert reasons[".venv"] == "virtual environment"
    assert "larger than 100 MB" in reasons["weights.h5"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"import tensorflow\nprint 'x'\n", "Python 2"),
        (b"import tensorflow\ndef f(:\n", "syntax error"),
        (b"import tensorflow\ns = '\xff'\n", "decode"),
        (b"import tensorflow\n" + b"#" * (2 * 2**20), "larger than 2 MB"),
    ],
)
def test_python_that_cannot_be_read_is_copied_with_a_reason(tmp_path: Path, content: bytes, why: str) -> None:
    repo = read(plant(tmp_path, {"bad.py": content, "good.py": TF}))
    bad = file(repo, "bad.py")
    assert bad.text is None
    assert why in bad.why
    assert file(repo, "good.py").uses_tf


def test_include_and_exclude_leave_files_as_they_are(tmp_path: Path) -> None:
    plant(tmp_path, {"pkg/a.py": TF, "pkg/b.py": TF, "tests/t.py": TF})
    repo = read(tmp_path, include=["pkg/"], exclude=["b.py"])
    assert {str(f.path): f.why for f in repo.files} == {
        "pkg/a.py": "",
        "pkg/b.py": "left out by --exclude",
        "tests/t.py": "not named by --include",
    }
    assert file(repo, "pkg/b.py").text is None


def test_a_single_file(tmp_path: Path) -> None:
    plant(tmp_path, {"a.py": TF, "b.py": TF})
    repo = read(tmp_path / "a.py")
    assert paths(repo) == ["a.py"]
    assert repo.root == str(tmp_path)


@pytest.mark.parametrize(
    ("files", "path"),
    [({}, ""), ({"README.md": "x"}, ""), ({"a.txt": "x"}, "a.txt"), ({"n.ipynb": "{}"}, "n.ipynb"), ({}, "missing")],
)
def test_nothing_to_migrate_is_the_users_mistake(tmp_path: Path, files: dict[str, str], path: str) -> None:
    plant(tmp_path, files)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / path)
    assert "\n" not in str(caught.value)


def test_scripts_of_two_folders_with_one_name_are_left_alone(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {"one/main.py": TF + "import net\n", "one/net.py": TF, "two/main.py": TF + "import net\n", "two/net.py": TF},
    )
    repo = read(tmp_path)
    assert file(repo, "one/main.py").module == "main"
    assert "migrate its folder alone" in file(repo, "two/main.py").why


def test_files_for_both_versions_mean_the_new_one(tmp_path: Path) -> None:
    repo = read(
        plant(
            tmp_path,
            {
                "graph.py": TF + "x = tf.placeholder(tf.float32)\n",
                "logged.py": TF + "x = tf.placeholder(tf.float32)\ntf.compat.v1.logging.set_verbosity('ERROR')\n",
                "said.py": TF + "# once tf.placeholder(tf.float32)\n",
                "either.py": TF + "try:\n    tf.Session()\nexcept AttributeError:\n    tf.compat.v1.Session()\n",
                "asks.py": TF + "if tf.__version__ >= '2.0.0':\n    pass\nelse:\n    tf.Session()\n",
            },
        )
    )
    assert repo.tf1 == {"graph.py", "logged.py"}
