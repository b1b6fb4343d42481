"""Models that are printed before they have all their layers."""

from __future__ import annotations

from pathlib import Path

from migrator import source, steps
from tests.codemods.training_support import HEAD

GROWS = """model = keras.Sequential()
model.add(layers.Dense(4, activation="relu", input_shape=(3,)))
{comment}model.summary()
model.add(layers.Dense(2))
{behind}
"""


def rewritten(code: str, folder: Path) -> tuple[str, list[str]]:
    (folder / "m.py").write_text(HEAD + code, encoding="utf-8")
    repo = source.read(folder, (), ())
    made = steps.rewrite(repo, steps.know(repo), lambda *_: None).render({})["m.py"]
    return made.text, [d.reason for unit in made.units for d in unit.declines]


def test_it_is_printed_when_it_has_them(tmp_path: Path) -> None:
    text, reasons = rewritten(GROWS.format(comment="", behind="x = 1"), tmp_path)
    assert reasons == []
    assert "return self.fc2(x)" in text
    assert "model = Model().to(device)\nprint(model)\nx = 1\n" in text


def test_it_is_printed_once_where_the_next_line_does_so(tmp_path: Path) -> None:
    text, _ = rewritten(GROWS.format(comment="", behind="\nmodel.summary()"), tmp_path)
    assert text.count("print(model)") == 1


def test_a_comment_of_the_line_survives(tmp_path: Path) -> None:
    text, _ = rewritten(GROWS.format(comment="# the features\n", behind="model.summary()"), tmp_path)
    assert "# the features\nprint(model)" in text


def test_a_function_prints_it_when_it_has_them(tmp_path: Path) -> None:
    lines = GROWS.format(comment="", behind="model.summary()\nreturn model").splitlines()
    text, reasons = rewritten("def build():\n" + "".join(f"    {line}\n" for line in lines), tmp_path)
    assert reasons == []
    assert text.count("print(model)") == 1


def test_a_model_that_is_used_before_it_grows_stays(tmp_path: Path) -> None:
    used = GROWS.format(comment="print(model.predict(np.ones((2, 3))))\n", behind="x = 1")
    assert rewritten(used, tmp_path)[1] != []
