"""Tasks of the evaluation sets: what a `task.toml` says, and the cases it gives for a migration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from migrator_validators.cases import Arg, Batches, Call, Case, Items, Made, WeightMap
from migrator_validators.cases import Mapping as DictArg
from pydantic import BaseModel, ConfigDict, ValidationError

from migrator.errors import UsageError
from migrator.model import InterfaceChange


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unchecked(Strict):
    """Part of a program that no case covers, and why."""

    what: str
    reason: str


class Override(Strict):
    """What differs in the call of a hand-written migration; `map` names one of the maps."""

    target: str = ""
    target_args: tuple[Arg, ...] | None = None
    target_kwargs: dict[str, Arg] | None = None
    target_result: str = ""
    map: str = ""


class Changed(Strict):
    """A permitted change of an interface; `of` is the name in the task's module."""

    of: str
    kind: str
    detail: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Reference(Strict):
    """How the cases apply to the hand-written migration.

    `maps`: weight maps by the label of the made object, or as named by an override. `only`: cases of
    what no other migration has (a function that a person added for a method of Keras).
    """

    only: tuple[str, ...] = ()

    changes: tuple[Changed, ...] = ()

    maps: dict[str, WeightMap] = {}
    cases: dict[str, Override] = {}


class Task(Strict):
    """One task. `module` is the file that is migrated; `cases` name the source's side only.

    `known`: rows (by id) that the verifier still judges wrongly, with the reason. They count in every
    figure all the same; the tests hold the list strictly, in both directions.
    """

    title: str
    module: str
    keras: Literal[2, 3] = 3
    unchecked: tuple[Unchecked, ...] = ()
    cases: tuple[Case, ...]
    reference: Reference = Reference()
    known: dict[str, str] = {}


Parsed = TypeVar("Parsed", bound=BaseModel)


def read_toml(path: Path, kind: type[Parsed]) -> Parsed:
    """Parses one file of a set. Raises UsageError when it is missing or not of that form."""
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(f"{path}: {error}") from error


def load_task(folder: Path) -> Task:
    """Reads `folder/task.toml`."""
    return read_toml(folder / "task.toml", Task)


def own_cases(task: Task) -> tuple[Case, ...]:
    """The cases that any migration of the source faces: without a target's side, what is returned is the same there."""
    return tuple(_same_part(case) for case in task.cases if case.id not in task.reference.only)


def _same_part(case: Case) -> Case:
    call = case.call
    part = call.target_result or call.source_result
    return case.model_copy(update={"call": call.model_copy(update={"target_result": part})})


def reference_changes(task: Task) -> tuple[InterfaceChange, ...]:
    """The changes of interfaces that the hand-written migration made."""
    return tuple(
        InterfaceChange(f"{task.module}:{c.of}", c.kind, c.detail, c.added, c.removed) for c in task.reference.changes
    )


def reference_cases(task: Task, maps: Mapping[str, WeightMap] | None = None) -> tuple[Case, ...]:
    """The cases of `task` as they apply to its hand-written migration, `maps` in place of its own."""
    chosen = task.reference.maps if maps is None else maps
    return tuple(_resolve(case, task.reference.cases.get(case.id, Override()), chosen) for case in task.cases)


def _resolve(case: Case, override: Override, maps: Mapping[str, WeightMap]) -> Case:
    given = {name: getattr(override, name) for name in override.model_fields_set if name != "map"}
    call = _with_maps(case.call.model_copy(update=given), maps)
    weights = maps[override.map] if override.map else case.weights
    inputs = tuple(_map_arg(value, maps) for value in case.inputs)
    return case.model_copy(update={"call": call, "weights": weights, "inputs": inputs})


def _with_maps(call: Call, maps: Mapping[str, WeightMap]) -> Call:
    changed: dict[str, Any] = {
        "args": tuple(_map_arg(value, maps) for value in call.args),
        "kwargs": {name: _map_arg(value, maps) for name, value in call.kwargs.items()},
    }
    if call.on is not None:
        changed["on"] = _map_arg(call.on, maps)
    if call.target_args is not None:
        changed["target_args"] = tuple(_map_arg(value, maps) for value in call.target_args)
    if call.target_kwargs is not None:
        changed["target_kwargs"] = {name: _map_arg(value, maps) for name, value in call.target_kwargs.items()}
    return call.model_copy(update=changed)


def _map_arg(value: Arg, maps: Mapping[str, WeightMap]) -> Arg:
    """`value` with the weight maps of the objects made in it filled in by their labels."""
    if isinstance(value, Made):
        found = maps.get(value.label) if value.map is None else value.map
        return value.model_copy(update={"call": _with_maps(value.call, maps), "map": found})
    if isinstance(value, Items):
        return value.model_copy(update={"items": tuple(_map_arg(item, maps) for item in value.items)})
    if isinstance(value, DictArg):
        return value.model_copy(update={"items": {key: _map_arg(item, maps) for key, item in value.items.items()}})
    if isinstance(value, Batches):
        return value.model_copy(update={"element": _map_arg(value.element, maps)})
    return value
