"""Scripts of which some lines stay TensorFlow: what moves all the same, and what must not."""

from __future__ import annotations

from pathlib import Path

from migrator import source, steps
from migrator.model import FileRewrite

HEAD = "import numpy as np\nimport tensorflow as tf\n\n"
UNKNOWN = "tf.linalg.eigvals"


def rendered(folder: Path, text: str) -> FileRewrite:
    (folder / "m.py").write_text(HEAD + text)
    repo = source.read(folder, (), ())
    return steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]


def test_the_stand_in_for_what_has_no_rule_has_none(tmp_path: Path) -> None:
    file = rendered(tmp_path, f"a = tf.ones([2, 2])\nprint({UNKNOWN}(a))\n")
    assert any(d.api == UNKNOWN or d.api == "tf.eigvals" for unit in file.units for d in unit.declines)


def test_lines_around_one_that_is_declined_move(tmp_path: Path) -> None:
    text = f"a = tf.ones([2, 2])\nprint({UNKNOWN}(a))\nb = tf.reduce_sum(a, axis=1)\nprint(b)\n"
    written = rendered(tmp_path, text).text
    assert "a = torch.ones(" in written
    assert "b = torch.sum(a, dim=1)" in written
    assert f"print({UNKNOWN}(a))" in written
    assert "PyTorch now, and does not run before" in written.partition("b = ")[0]


def test_what_uses_a_declined_value_stays_with_it(tmp_path: Path) -> None:
    text = f"a = tf.ones([2, 2])\nb = {UNKNOWN}(a)\nc = tf.math.real(b)\nd = tf.exp(a)\n"
    written = rendered(tmp_path, text).text
    assert "c = tf.math.real(b)" in written
    assert "d = torch.exp(a)" in written


def test_a_name_that_is_bound_anew_is_another_value(tmp_path: Path) -> None:
    text = f"a = tf.ones([2, 2])\nb = {UNKNOWN}(a)\nprint(b)\nb = tf.exp(a)\nprint(tf.reduce_sum(b))\n"
    written = rendered(tmp_path, text).text
    assert "print(b)\n" in written
    assert "b = torch.exp(a)" in written
    assert "print(torch.sum(b))" in written


def test_all_that_has_to_do_with_a_changed_variable_stays(tmp_path: Path) -> None:
    text = (
        "a = tf.exp(tf.ones([2]))\n"
        "x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])\n"
        "x[1, :].assign([0.0, 0.0])\n"
        "y = tf.reduce_sum(x)\n"
        "b = tf.exp(a)\n"
    )
    written = rendered(tmp_path, text).text
    assert "x = tf.Variable(" in written
    assert "y = tf.reduce_sum(x)" in written
    assert "a = torch.exp(" in written
    assert "b = torch.exp(a)" in written


def test_what_a_function_of_the_file_may_change_stays(tmp_path: Path) -> None:
    text = (
        "def grown(x, by):\n    x.assign_add(by)\n    return by\n\n\n"
        "x = tf.Variable([1.0, 2.0])\n"
        f"print({UNKNOWN}(tf.linalg.diag(grown(x, tf.ones([2])))))\n"
        "print(tf.exp(x))\n"
    )
    written = rendered(tmp_path, text).text
    assert "x = tf.Variable(" in written
    assert "print(tf.exp(x))" in written


def test_a_setting_that_is_declined_keeps_the_whole_script(tmp_path: Path) -> None:
    text = "a = tf.exp(tf.ones([2]))\ntf.config.no_such_setting(True)\nb = tf.exp(a)\n"
    file = rendered(tmp_path, text)
    assert "torch" not in file.text


def test_a_name_that_functions_read_is_not_taken_apart(tmp_path: Path) -> None:
    text = (
        "def doubled():\n    return 2 * b\n\n\n"
        f"a = tf.ones([2, 2])\nb = {UNKNOWN}(a)\nprint(doubled())\nb = tf.exp(a)\nprint(doubled())\n"
    )
    assert "torch" not in rendered(tmp_path, text).text


def test_a_local_name_of_a_function_refers_to_no_unit(tmp_path: Path) -> None:
    text = f"def twice(b):\n    c = tf.exp(b)\n    return c\n\n\na = tf.ones([2, 2])\nc = {UNKNOWN}(a)\nb = c\n"
    assert "c = torch.exp(b)" in rendered(tmp_path, text).text


def test_a_function_that_binds_a_name_of_the_module_refers_to_it(tmp_path: Path) -> None:
    text = f"a = tf.ones([2, 2])\nc = {UNKNOWN}(a)\n\n\ndef reset():\n    global c\n    c = tf.exp(tf.zeros([2]))\n"
    assert "c = tf.exp(tf.zeros([2]))" in rendered(tmp_path, text).text
