"""Case files: written, read, run again from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrator_validators.casefile import check_file, read_case_file, repro, write_case_file
from migrator_validators.cases import Array, Call, Case
from migrator_validators.inputs import Inputs, generate, sizes_of, varies
from migrator_validators.workers import Workers

from migrator.errors import UsageError
from migrator.model import Outcome
from tests.validators.pairs import CASES, SOURCE, TARGET


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for name, text in (("source", SOURCE), ("target", TARGET)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "program.py").write_text(text)
    path = tmp_path / "cases" / "all.json"
    write_case_file(path, CASES.values(), tmp_path / "source", tmp_path / "target")
    return path


def test_a_file_says_what_was_written(written: Path) -> None:
    made = read_case_file(written)
    assert made.cases == tuple(CASES.values())
    assert (made.source, made.target) == ("../source", "../target")


def test_one_case_can_be_run_again(written: Path, workers: Workers) -> None:
    (checked,) = check_file(written, workers, only=["rate"])
    assert all(verdict.outcome is Outcome.PASS for verdict in checked)
    assert checked.verdicts[-1].repro == repro(written, CASES["rate"])
    assert str(written) in repro(written, CASES["rate"])


def test_files_that_were_not_kept_stand_in_the_case_file(written: Path, workers: Workers) -> None:
    made = read_case_file(written)
    wrong = {"program.py": TARGET.replace("RATE = 0.1", "RATE = 0.2")}
    written.write_text(made.model_copy(update={"replaced": wrong}).model_dump_json(by_alias=True))
    (checked,) = check_file(written, workers, only=["rate"])
    assert checked.verdicts[-1].outcome is Outcome.FAIL


def test_mistakes_are_said_in_one_line(written: Path, workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no case nothing"):
        list(check_file(written, workers, only=["nothing"]))
    with pytest.raises(UsageError, match="is no case file"):
        read_case_file(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text('{"cases": [{"id": "x"}]}')
    with pytest.raises(UsageError, match="is no case file"):
        read_case_file(tmp_path / "bad.json")


# --- inputs ---------------------------------------------------------------------------------------------


def test_equal_specs_are_different_arrays_and_the_same_on_both_sides() -> None:
    spec = Array(shape=("N", 4))
    inputs = Inputs({"N": 3})
    call = Call(source="m:f", args=(spec, spec))
    ours = inputs.call(call, "source")
    inputs.side()
    theirs = inputs.call(call, "target")
    assert ours["args"] == theirs["args"]
    first, second = (inputs.arrays[arg["key"]] for arg in ours["args"])
    assert (first != second).any()


def test_sizes_vary_and_the_last_batch_is_smaller() -> None:
    case = Case(id="c", kind="function", call=Call(source="m:f", args=(Array(shape=("N", "H", "W", 3)),)))
    sizes = [sizes_of(case, batch) for batch in range(3)]
    assert sizes[2]["N"] < sizes[0]["N"]
    assert all(s["H"] != s["W"] for s in sizes)
    assert varies(case)


def test_every_distribution() -> None:
    def made(**fields: object):  # type: ignore[no-untyped-def]
        return generate(Array(shape=(50, 3), **fields), {}, 1, "plain", Path())  # type: ignore[arg-type]

    assert set(made(dist="integers", dtype="int64", high=4).ravel().tolist()) == {0, 1, 2, 3}
    assert made(dist="lengths", dtype="int64", high=4).min() == 1
    assert (made(dist="onehot").sum(-1) == 1).all()
    assert set(made(dist="binary").ravel().tolist()) == {0.0, 1.0}
    assert (made(dist="sorted")[:, 1:] >= made(dist="sorted")[:, :-1]).all()
    assert made(dist="uniform", low=2.0, high=3.0).min() >= 2.0


def test_a_stored_array_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        generate(Array(npz="none.npz"), {}, 0, "plain", tmp_path)
