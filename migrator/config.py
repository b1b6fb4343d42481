"""Settings of a run: flag, then environment, then `[tool.migrator]` of the repository, then default."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from migrator.errors import UsageError

PREFIX = "MIGRATOR_"
FLAG_OR_ENVIRONMENT = {"src", "sandbox", "dry_run"}
"""Not taken from the repository's own file: it is foreign code and must not open its own cage."""

Check = Literal["none", "import", "forward", "gradients", "training"]
Sandbox = Literal["bubblewrap", "none"]
Names = Annotated[tuple[str, ...], NoDecode]


class RunSettings(BaseSettings):
    """What `migrator run` was told.

    `src`: a repository, folder or `.py` file. `out`: None means `SRC_torch` beside it. `check`: the
    highest group of rungs to run. `tf_python`, `torch_python`: interpreters, None means this one.
    `include`, `exclude`: `.gitignore` patterns. `jobs`: checks at the same time. `fresh`: start
    again where an earlier output exists. `keras`: which Keras the source means.
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
    jobs: Annotated[int, Field(ge=1, le=64)] = 1
    fresh: bool = False
    dry_run: bool = False
    keras: Literal["auto", "2", "3"] = "auto"

    @field_validator("include", "exclude", mode="before")
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


def load(src: str | Path, **flags: Any) -> RunSettings:
    """The settings for `src`; a flag that is None was not given. Raises `UsageError` in one line."""
    given = {name: value for name, value in flags.items() if value is not None}
    _check_environment()
    try:
        return RunSettings(src=Path(src), **given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        raise UsageError(f"{name.replace('_', '-')}: {first['msg']} (got {first['input']!r})") from error


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
            raise UsageError(f"{path}: {name} is taken from the command line or the environment only")
        if name not in RunSettings.model_fields:
            raise UsageError(f"{path}: [tool.migrator] has no setting {name!r}")
    if "out" in found:
        found["out"] = path.parent / str(found["out"])
    return found


def _check_environment() -> None:
    """A variable of ours that names no setting is a misspelling."""
    for variable in os.environ:
        name = variable.removeprefix(PREFIX).lower()
        if variable.startswith(PREFIX) and name not in RunSettings.model_fields:
            raise UsageError(f"{variable}: there is no setting of that name")
