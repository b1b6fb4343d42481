"""Settings of a run: flag, then environment, then `[tool.migrator]` of the repository, then default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from migrator.errors import UsageError

PREFIX = "MIGRATOR_"
FLAG_OR_ENVIRONMENT = {"src", "sandbox", "dry_run", "base_url", "price", "ledger", "send_values", "replies"}
"""Not taken from the repository's own file: it is foreign code and must not open its own cage, nor say where
source and keys are sent."""

ENVIRONMENT_ONLY = {"api_key"}
"""Not a flag either: command lines can be read by everyone on a machine."""

NARROWING = {"never_send", "allow_endpoints", "budget_usd", "budget_tokens", "unit_budget_usd", "unit_budget_tokens"}
"""The repository's own file may add to these, and flags and the environment cannot take that back: they are kept
apart under `repository_…`. Nor can the file allow what those forbid."""

OWN = "repository_"

JOB_MEMORY = 4 * 2**30
"""Bytes that a check of a large model takes on both sides."""

Check = Literal["none", "import", "forward", "gradients", "training"]
Sandbox = Literal["bubblewrap", "none"]
Fidelity = Literal["idiomatic", "exact"]
Names = Annotated[tuple[str, ...], NoDecode]
Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0)]


class RunSettings(BaseSettings):
    """What `migrator run` was told.

    `src`: a repository, folder or `.py` file. `out`: None means `SRC_torch` beside it. `check`: the
    highest group of rungs to run. `tf_python`, `torch_python`: interpreters, None means this one.
    `include`, `exclude`: `.gitignore` patterns. `jobs`: checks at the same time, as many
    as there are cores and memory for. `fresh`: start again where an earlier output exists. `keras`:
    which Keras the source means. `fidelity`: "idiomatic" is torch's own optimizer, normalisation and
    functions where they differ in documented ways, "exact" a few lines of plain code without the difference.

    `llm`: whether a model is asked ("auto": where one is named), or questions go into a batch file.
    `replies`: an output file of a batch. `budget_…`: the most that a run may spend, `unit_budget_…`
    that a unit may. `price`: "IN,OUT", dollars per million tokens. `never_send`: `.gitignore`
    patterns. `allow_endpoints`: host or URL patterns, one of which has to name the endpoint.
    `send_values`: recorded values may be sent, not only their shapes and dtypes.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    src: Path
    out: Path | None = None
    check: Check = "training"
    sandbox: Sandbox = "bubblewrap"
    tf_python: str | None = None
    torch_python: str | None = None
    include: Names = ()
    exclude: Names = ()
    jobs: Annotated[int, Field(ge=1, le=64)] = Field(default_factory=lambda: default_jobs())
    fresh: bool = False
    dry_run: bool = False
    keras: Literal["auto", "2", "3"] = "auto"
    fidelity: Fidelity = "idiomatic"

    llm: Literal["auto", "off", "batch"] = "auto"
    model: str | None = None
    base_url: str | None = None
    api_key: Annotated[SecretStr | None, Field(exclude=True)] = None
    replies: Path | None = None
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    samples: Annotated[int, Field(ge=1, le=20)] = 1
    budget_usd: Dollars | None = None
    budget_tokens: Count | None = 2_000_000
    unit_budget_usd: Dollars | None = None
    unit_budget_tokens: Count | None = None
    price: str | None = None
    ledger: Path | None = None
    never_send: Names = ()
    allow_endpoints: Names = ()
    send_values: bool = False
    llm_jobs: Annotated[int, Field(ge=1, le=64)] = 4
    tokens_per_minute: Count | None = None
    llm_timeout: Annotated[float, Field(gt=0)] = 300.0
    max_output_tokens: Count = 8192

    repository_never_send: Names = ()
    repository_allow_endpoints: Names = ()
    repository_budget_usd: Dollars | None = None
    repository_budget_tokens: Count | None = None
    repository_unit_budget_usd: Dollars | None = None
    repository_unit_budget_tokens: Count | None = None
    model_named_by: Literal["flag", "environment", "configuration", ""] = ""

    @field_validator(
        "include",
        "exclude",
        "never_send",
        "allow_endpoints",
        "repository_never_send",
        "repository_allow_endpoints",
        mode="before",
    )
    @classmethod
    def _patterns(cls, value: object) -> object:
        """The environment gives one text, comma separated."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("keras", mode="before")
    @classmethod
    def _keras(cls, value: object) -> object:
        return str(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        src = init_settings().get("src", ".")
        return init_settings, env_settings, InitSettingsSource(settings_cls, from_file(Path(src)))


SETTINGS = {name for name in RunSettings.model_fields if not name.startswith(OWN)} - {"model_named_by"}
"""Names that users can write."""


def default_jobs() -> int:
    """One check a core, where each finds the memory it may need."""
    try:
        room = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // JOB_MEMORY
    except (OSError, ValueError):
        room = 1
    return max(1, min(len(os.sched_getaffinity(0)), room, 64))


def load(src: str | Path, **flags: Any) -> RunSettings:
    """The settings for `src`; a flag that is None was not given. Raises `UsageError` in one line."""
    given = {name: value for name, value in flags.items() if value is not None}
    _check_environment()
    try:
        settings = RunSettings(src=Path(src), **given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise UsageError(f"{spelling(name)}: {first['msg']} (got {first['input']!r})") from error
    return settings.model_copy(update={"model_named_by": _named_by(settings, given)})


def spelling(name: str) -> str:
    """A setting's name as users write it."""
    return name.removeprefix(OWN).replace("_", "-")


def _named_by(settings: RunSettings, given: Mapping[str, object]) -> str:
    if not settings.model:
        return ""
    if given.get("model"):
        return "flag"
    return "environment" if os.environ.get(f"{PREFIX}MODEL") else "configuration"


def from_file(src: Path) -> dict[str, Any]:
    """`[tool.migrator]` of the repository's `pyproject.toml`, in our spelling; raises `UsageError`."""
    path = (src if src.is_dir() else src.parent) / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("migrator", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [tool.migrator] is not a table")
    found = {name.replace("-", "_"): value for name, value in table.items()}
    for name in found:
        if name in FLAG_OR_ENVIRONMENT:
            raise UsageError(f"{path}: {spelling(name)} is taken from the command line or the environment only")
        if name in ENVIRONMENT_ONLY:
            raise UsageError(f"{path}: {spelling(name)} is taken from the environment only")
        if name not in SETTINGS:
            raise UsageError(f"{path}: [tool.migrator] has no setting {name!r}")
    if "out" in found:
        found["out"] = path.parent / str(found["out"])
    return {OWN + name if name in NARROWING else name: value for name, value in found.items()}


def _check_environment() -> None:
    """A variable of ours that names no setting is a misspelling."""
    for variable in os.environ:
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name not in SETTINGS:
            raise UsageError(f"{variable}: there is no setting of that name")
