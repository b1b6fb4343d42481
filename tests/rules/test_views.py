"""Values of variables that are kept do not change with them; those that are only shown are not copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrator import source, steps

MADE = "import numpy as np\nimport tensorflow as tf\n\nv = tf.Variable([[1.0, 2.0], [3.0, 4.0]])\n"


def written(line: str, folder: Path) -> str:
    (folder / "m.py").write_text(f"{MADE}{line}\n", encoding="utf-8")
    repo = source.read(folder, (), ())
    text = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"].text
    return text.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("old = v.numpy()", "old = v.detach().cpu().numpy().copy()"),
        ("old = v[0].numpy()", "old = v[0].detach().cpu().numpy().copy()"),
        ("old = tf.reshape(v[1:], [-1]).numpy()", "old = v[1:].reshape(-1).detach().cpu().numpy().copy()"),
        ("old = [tf.squeeze(v).numpy()]", "old = [v.squeeze().detach().cpu().numpy().copy()]"),
        ("new = (v * 2.0).numpy()", "new = (v * 2.0).detach().cpu().numpy()"),
        ("print(v.numpy())", "print(v.detach().cpu().numpy())"),
        ('print(f"{v[0, 0].numpy():.2f}")', 'print(f"{v[0, 0].detach().cpu().numpy():.2f}")'),
        ('print("%s" % v.numpy())', 'print("%s" % v.detach().cpu().numpy())'),
        ("print([v.numpy()])", "print([v.detach().cpu().numpy().copy()])"),
    ],
)
def test_what_is_kept_is_copied(line: str, expected: str, tmp_path: Path) -> None:
    assert written(line, tmp_path) == expected


@pytest.mark.parametrize("view", ["v", "v[0]", "tf.transpose(v)", "tf.expand_dims(v[0], 0)"])
def test_it_stays_as_it_was(view: str, tmp_path: Path) -> None:
    written(f"old = {view}.numpy()\nv.assign([[5.0, 6.0], [7.0, 8.0]])", tmp_path)
    repo = source.read(tmp_path, (), ())
    text = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"].text
    names: dict[str, Any] = {}
    exec(compile(text, "target", "exec"), names)
    assert 1.0 in names["old"]
    assert 5.0 not in names["old"]
