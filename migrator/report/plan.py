"""What a run would do, before it is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from migrator.model import SourceRepo, UnitRewrite


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanFile(_Strict):
    """A Python file: its units, how many of them would be migrated, its uses of TensorFlow, those of known APIs."""

    path: str
    uses_tf: bool
    why: str = ""
    units: int = 0
    drafted: int = 0
    uses: int = 0
    uses_covered: int = 0


class PlanApi(_Strict):
    """A TensorFlow name by its canonical spelling, and whether a rule or codemod knows it."""

    api: str
    uses: int
    covered: bool


class Left(_Strict):
    """A unit that would stay TensorFlow, and why."""

    unit: str
    reasons: tuple[str, ...]


class Questions(_Strict):
    """What a model would be asked first about the units left: an estimate of tokens; `files`: whose text is in it."""

    units: int = 0
    tokens: int = 0
    files: tuple[str, ...] = ()


class Plan(_Strict):
    """Nothing here was checked by execution: a unit that would be migrated may still be rejected."""

    source: str
    keras: int
    keras_reason: str
    files: tuple[PlanFile, ...]
    apis: tuple[PlanApi, ...]
    left: tuple[Left, ...]
    uses: int
    uses_covered: int
    model: Questions = Questions()


def plan(
    repo: SourceRepo,
    rewrites: Sequence[UnitRewrite],
    covered: Mapping[str, bool],
    model: Questions | None = None,
) -> Plan:
    """The plan of drafted units. `covered`: canonical API → whether something knows how to write it."""
    uses = Counter(name for rewrite in rewrites for name, _ in rewrite.unit.uses)
    by_uses = sorted(uses.items(), key=lambda item: (-item[1], item[0]))
    apis = tuple(PlanApi(api=name, uses=count, covered=covered.get(name, False)) for name, count in by_uses)
    left = tuple(
        Left(unit=r.unit.id, reasons=tuple(dict.fromkeys(d.reason for d in r.declines)))
        for r in rewrites
        if r.declines and r.text is None
    )
    python = [f for f in repo.files if f.path.suffix == ".py"]
    files = tuple(_file(str(f.path), f.uses_tf, f.why, rewrites, covered) for f in python)
    return Plan(
        source=repo.root,
        keras=repo.keras,
        keras_reason=repo.keras_reason,
        files=files,
        apis=apis,
        left=left,
        uses=sum(uses.values()),
        uses_covered=sum(api.uses for api in apis if api.covered),
        model=model or Questions(),
    )


def _file(path: str, uses_tf: bool, why: str, rewrites: Sequence[UnitRewrite], covered: Mapping[str, bool]) -> PlanFile:
    mine = [r for r in rewrites if r.unit.path == path]
    return PlanFile(
        path=path,
        uses_tf=uses_tf,
        why=why,
        units=len(mine),
        drafted=sum(not r.declines for r in mine),
        uses=sum(len(r.unit.uses) for r in mine),
        uses_covered=sum(covered.get(api, False) for r in mine for api, _ in r.unit.uses),
    )


def plan_view(plan: Plan, apis: int = 40) -> RenderableType:
    """The plan on the terminal; the `apis` most used names are listed."""
    files = _table("File", "Units", "Would be migrated", "TensorFlow uses", "Why not")
    for file in plan.files:
        if file.uses_tf or file.why:
            files.add_row(file.path, str(file.units), str(file.drafted), str(file.uses), Text(file.why, style="yellow"))
    names = _table("API", "Uses", "Known")
    for api in plan.apis[:apis]:
        names.add_row(api.api, str(api.uses), Text("yes", style="green") if api.covered else Text("no", style="yellow"))
    left = _table("Would stay TensorFlow", "Why")
    for item in plan.left:
        left.add_row(item.unit, "; ".join(item.reasons))
    untouched = sum(not file.uses_tf for file in plan.files)
    total = Text(
        f"{plan.uses_covered} of {plan.uses} uses of TensorFlow are known to the rules; "
        f"{untouched} of {len(plan.files)} Python files have no TensorFlow. Keras {plan.keras}: {plan.keras_reason}."
    )
    asked = plan.model
    if asked.units:
        total.append(
            f" A model that is named would first be asked about {asked.units} units: about {asked.tokens:,} tokens, "
            f"text of {len(asked.files)} files. Nothing is sent by this command."
        )
    parts: list[RenderableType] = []
    for table in (files, names, left):
        if table.row_count:
            parts += [table, Text()]
    return Group(*parts, total)


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
