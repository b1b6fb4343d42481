from pathlib import Path

import pytest
from migrator_validators.cases import Made
from migrator_validators.weights import parse

from migrator.errors import UsageError
from migrator.evals.change import Change, Mutants, apply_patches, changed_maps
from migrator.evals.mutants import candidates
from migrator.evals.programs import candidates as program_candidates
from migrator.evals.sets import task_folders
from migrator.evals.task import load_task, own_cases, read_toml, reference_cases
from migrator.model import Rung

PROGRAMS = task_folders("programs")
BASES = task_folders("mutants")


@pytest.mark.parametrize("folder", PROGRAMS + BASES, ids=lambda path: path.name)
def test_every_task_is_whole(folder: Path) -> None:
    task = load_task(folder)
    assert (folder / "source" / f"{task.module}.py").is_file()
    ids = [case.id for case in task.cases]
    assert len(set(ids)) == len(ids)
    assert set(task.reference.cases) <= set(ids)
    for case in reference_cases(task):
        if case.kind in ("model", "layer"):
            assert case.id in task.reference.cases, f"{case.id} has no weight map"


@pytest.mark.parametrize("folder", PROGRAMS + BASES, ids=lambda path: path.name)
def test_the_source_side_names_no_target(folder: Path) -> None:
    for case in load_task(folder).cases:
        assert not case.call.target
        assert case.call.target_args is None
        assert not case.weights.pairs


@pytest.mark.parametrize("folder", PROGRAMS + BASES, ids=lambda path: path.name)
def test_weight_transforms_are_known(folder: Path) -> None:
    for weights in load_task(folder).reference.maps.values():
        for pair in weights.pairs:
            parse(pair.transform)


@pytest.mark.parametrize("folder", PROGRAMS, ids=lambda path: path.name)
def test_wrong_variants_apply(folder: Path, tmp_path: Path) -> None:
    task = load_task(folder)
    made = list(program_candidates(folder, task, tmp_path))
    assert made[0].kind == "reference"
    assert len(made) > 1
    reference = (folder / "reference" / f"{task.module}.py").read_text()
    for candidate in made[1:]:
        assert (candidate.pair.target / f"{task.module}.py").read_text() != reference
        assert candidate.first in {case.id for case in task.cases}
        assert candidate.expected_rung in set(Rung)


@pytest.mark.parametrize("folder", BASES, ids=lambda path: path.name)
def test_mutants_and_variants_apply(folder: Path, tmp_path: Path) -> None:
    task = load_task(folder)
    made = list(candidates(folder, tmp_path))
    right = (folder / "right" / f"{task.module}.py").read_text()
    assert {candidate.kind for candidate in made} == {"right", "mutant", "variant"}
    assert len({(candidate.kind, candidate.id) for candidate in made}) == len(made)
    for candidate in made[1:]:
        changed = (candidate.pair.target / f"{task.module}.py").read_text() != right
        assert changed or candidate.cases != reference_cases(task), candidate.id
        if candidate.kind == "mutant":
            assert candidate.expected_rung in set(Rung)
            assert candidate.first in {case.id for case in task.cases}


def test_the_sets_are_as_large_as_promised() -> None:
    mutants = [m for folder in BASES for m in read_toml(folder / "mutants.toml", Mutants).mutant]
    variants = [path for folder in BASES for path in (folder / "variants").glob("*.toml")]
    assert len(PROGRAMS) >= 12
    assert len(mutants) >= 20
    assert len(variants) >= 20


def test_made_objects_get_the_map_of_their_label() -> None:
    task = load_task(next(folder for folder in PROGRAMS if folder.name == "02_sequential_cnn"))
    train = next(case for case in reference_cases(task) if case.id == "train")
    model = train.call.args[0]
    assert isinstance(model, Made)
    assert model.map == task.reference.maps["model"]


def test_a_patch_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "m.py").write_text("a = 1\na = 1\n")
    change = Change.model_validate({"id": "x", "reason": "", "patches": [{"search": "a = 1", "replace": "a = 2"}]})
    with pytest.raises(UsageError, match="stands 2 times"):
        apply_patches(tmp_path / "tree", change, "m", tmp_path / "out")


def test_maps_are_renamed_all_at_once() -> None:
    task = load_task(next(folder for folder in BASES if folder.name == "custom_layer"))
    swap = {"net": {"gates.0.kernel": "gates.0.value", "gates.0.value": "gates.0.kernel"}}
    changed = changed_maps(task, Change(reason="", renames=swap))["net"]
    by_source = {pair.source: pair.target for pair in changed.pairs}
    assert by_source["gates[0].kernel"] == "gates.0.value"
    assert by_source["gates[0].value"] == "gates.0.kernel"


def test_no_change_leaves_the_maps() -> None:
    task = load_task(BASES[0])
    assert changed_maps(task, Change(reason="")) == task.reference.maps


def test_unknown_set() -> None:
    with pytest.raises(UsageError, match="unknown evaluation set"):
        task_folders("nothing")


def test_a_broken_task_file_names_itself(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text("title = 1\n")
    with pytest.raises(UsageError, match=r"task\.toml"):
        load_task(tmp_path)


def test_a_part_of_a_result_is_the_same_part_of_our_own_migration() -> None:
    task = load_task(next(folder for folder in PROGRAMS if folder.name == "10_tf_data_pipeline"))
    parts = {case.id: (case.call.source_result, case.call.target_result) for case in own_cases(task)}
    assert parts["split-first"] == ("[0]", "[0]")
    assert parts["split-rest"] == ("[1]", "[1]")
    assert parts["augment"] == ("", "")
