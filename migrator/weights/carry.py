"""From a file of trained weights to a state_dict of the migrated model, and what was compared on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from migrator_validators.bench import Sides
from migrator_validators.casefile import read_case_file
from migrator_validators.cases import Case, CaseFile, Items, WeightPair
from migrator_validators.inputs import arrays_of
from migrator_validators.matching import Matching, Pair
from migrator_validators.trained import Layout, Trained, read_checkpoint
from migrator_validators.workers import Workers, pack_tree

from migrator.errors import UsageError
from migrator.report import load as load_report
from migrator.weights import hdf5
from migrator.weights.entries import Entry, Opened
from migrator.weights.places import entries
from migrator.weights.writing import SUFFIXES, Tensor, write

CASES = Path("migration/cases/cases.json")
MAPS = Path("migration/weights.json")
COMPARED = 400 * 1024 * 1024
"""Bytes of a file up to which Keras loads it as well and outputs are compared: both sides hold all of it."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Carried:
    """What was written: `tensors` of the state_dict from `weights` of the file, `left` names of the file not used.

    `by_keras`: Keras loads exactly these weights from the file. `difference`, `allowed`: of the outputs of both
    models with them. All three are None where the file was too large for that, as `note` says.
    """

    unit: str
    path: Path
    weights: int
    tensors: int
    left: tuple[str, ...] = ()
    by_keras: bool | None = None
    difference: float | None = None
    allowed: float | None = None
    note: str = ""


def carry(src: Path, dst: Path, out: Path, workers: Workers, python: str, unit: str = "") -> Carried:
    """Write the weights in `src` as a state_dict of the model that a run migrated into `out`.

    `src`: `.keras`, `.weights.h5`, `.h5`, the prefix of a TensorFlow checkpoint, or a SavedModel's folder. `dst`:
    `.safetensors`, `.pt` or `.pth`. `unit`: the model's unit, where the run checked several. `python`: the
    interpreter with torch. Nothing is unpickled. Raises UsageError, with the first place that does not fit, where the
    file is of another model, and where either program computes something else with the weights; `dst` is not
    written then.
    """
    if dst.suffix not in SUFFIXES:
        raise UsageError(f"{dst}: a state_dict is written as {', '.join(SUFFIXES)}")
    if not dst.parent.is_dir():
        raise UsageError(f"{dst.parent}: there is no such folder")
    name, files = _files(src)
    made = read_case_file(out / CASES)
    case = _case(made, unit)
    trained = Trained(case, _sides(made, out), workers, _pairs(out, case.unit))
    with _opened(src, name, files, workers, made.keras) as opened:
        layout = trained.layout(opened.format)
        matching, rest = trained.matching()
        placed = entries(opened, layout.places, [w.shape for w in layout.weights], str(src))
        tensors = _tensors(matching, layout, placed, opened) | _as_made(rest)
        left = tuple(sorted({e.key for e in opened.entries} - {e.key for e in placed}))
        found = Carried(case.unit, dst, len(placed), len(tensors), left)
        found = _compared(found, trained, opened, placed, tensors, files)
        write(dst, tensors, python)
    return found


def _files(src: Path) -> tuple[str, list[Path]]:
    """The name by which TensorFlow knows a file, and all files that belong to it."""
    if src.is_dir() and (src / "variables").is_dir():
        return _files(src / "variables" / "variables")
    if src.is_file() and src.suffix in (".h5", ".hdf5", ".keras"):
        return src.name, [src]
    prefix = src.with_suffix("") if src.suffix == ".index" else src
    files = sorted(prefix.parent.glob(f"{prefix.name}.data-*")) if prefix.parent.is_dir() else []
    index = prefix.parent / f"{prefix.name}.index"
    if index.is_file() and files:
        return prefix.name, [index, *files]
    kinds = ".keras, .h5, a TensorFlow checkpoint (its prefix) or a SavedModel's folder"
    raise UsageError(f"{src}: there are no weights there ({kinds})")


def _case(made: CaseFile, unit: str) -> Case:
    """The first case of the model that is meant, of those whose inputs are made from a seed."""
    cases = [case for case in reversed(made.cases) if all(array.npz is None for array in arrays_of(_given(case)))]
    models = {case.unit: case for case in cases if case.kind == "model"}
    models = models or {case.unit: case for case in cases if case.kind == "layer"}
    chosen = {u: c for u, c in models.items() if not unit or u == unit or u.rpartition("::")[2] == unit}
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    names = ", ".join(sorted(models)) or "none"
    if not chosen:
        raise UsageError(f"{unit or 'no model'}: the run checked no such model (it checked {names})")
    raise UsageError(f"which model is meant? --unit, one of {names}")


def _given(case: Case) -> Items:
    call = case.call
    return Items(items=(*case.inputs, *case.input_kwargs.values(), *call.args, *call.kwargs.values()))


def _sides(made: CaseFile, out: Path) -> Sides:
    report = load_report(out)
    source = Path(report.run.source)
    if not source.exists():
        raise UsageError(f"{source}: the original is not there any more; its model says where Keras keeps each weight")
    foreign = made.foreign
    return Sides(pack_tree(source, foreign=foreign), pack_tree(out, foreign=foreign), made.keras, (out / CASES).parent)


def _pairs(out: Path, unit: str) -> tuple[WeightPair, ...]:
    try:
        maps = json.loads((out / MAPS).read_text(encoding="utf-8"))["units"]
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{out / MAPS}: it is no weight map of a run") from error
    return tuple(WeightPair.model_validate(pair) for pair in maps.get(unit, ()))


def _opened(
    src: Path, name: str, files: Sequence[Path], workers: Workers, keras: int
) -> AbstractContextManager[Opened]:
    if files[0].suffix != ".index":
        return hdf5.opened(src)
    arrays = read_checkpoint(name, files, workers, keras)
    found = tuple(Entry(key, array.shape, array.dtype.name, key) for key, array in arrays.items())
    return nullcontext(Opened("checkpoint", found, lambda entry: arrays[entry.place]))


def _tensors(matching: Matching, layout: Layout, placed: Sequence[Entry], opened: Opened) -> dict[str, Tensor]:
    """Each entry of the state_dict, made from the file when it is its turn."""
    return {pair.target: _tensor(pair, layout, placed, opened) for pair in matching.pairs}


def _tensor(pair: Pair, layout: Layout, placed: Sequence[Entry], opened: Opened) -> Tensor:
    hollow = {i: np.broadcast_to(np.zeros((), layout.weights[i].dtype), layout.weights[i].shape) for i in pair.source}
    shape = pair.array(_Lazily(hollow.__getitem__))

    def read(index: int) -> Array:
        return opened.read(placed[index]).astype(layout.weights[index].dtype, copy=False)

    return Tensor(shape.shape, shape.dtype.name, lambda: pair.array(_Lazily(read)))


class _Lazily(Sequence[Array]):
    """The weights of a file by index, each read when it is asked for."""

    def __init__(self, read: Any) -> None:
        self.read = read

    def __getitem__(self, index: Any) -> Any:
        return self.read(index)

    def __len__(self) -> int:
        raise TypeError("weights are read one at a time")


def _as_made(rest: Mapping[str, Array]) -> dict[str, Tensor]:
    """State that Keras does not have: BatchNorm's number of batches, torch's second bias of a recurrent layer."""
    return {name: Tensor(value.shape, value.dtype.name, partial(np.asarray, value)) for name, value in rest.items()}


def _compared(
    found: Carried,
    trained: Trained,
    opened: Opened,
    placed: Sequence[Entry],
    tensors: Mapping[str, Tensor],
    files: Sequence[Path],
) -> Carried:
    """What Keras itself loads, and what both models make of it. Raises UsageError where that differs."""
    if sum(path.stat().st_size for path in files) > COMPARED:
        note = f"the file is larger than {COMPARED >> 20} MiB: Keras did not load it and no outputs were compared"
        return replace(found, note=note)
    ours = [opened.read(entry) for entry in placed]
    theirs = trained.loaded_by_keras(_named(files), files)
    for entry, one, other in zip(placed, ours, theirs, strict=True):
        if not np.array_equal(one.astype(other.dtype), other, equal_nan=other.dtype.kind == "f"):
            raise UsageError(f"Keras loads another tensor where {entry.key} was read; please report it")
    comparison = trained.forward(theirs, {name: tensor.make() for name, tensor in tensors.items()})
    if comparison.differences:
        raise UsageError(f"the migrated model computes something else with these weights: {comparison.first()}")
    return replace(found, by_keras=True, difference=comparison.measured, allowed=comparison.allowed)


def _named(files: Sequence[Path]) -> Path:
    return files[0].with_suffix("") if files[0].suffix == ".index" else files[0]
