"""What is written beside the migrated files: how the run was made, and the weight maps."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime

from migrator import __version__
from migrator.config import RunSettings
from migrator.model import SourceRepo
from migrator.report import Run

WEIGHTS_PATH = "migration/weights.json"


def environment(versions: Mapping[str, str]) -> dict[str, str]:
    """Versions by name: the tool's own Python and those of the interpreters that ran the programs."""
    return {"python": platform.python_version(), "platform": platform.platform(), **versions}


def run_record(settings: RunSettings, repo: SourceRepo, environment: Mapping[str, str]) -> Run:
    """How the run was made, for the report."""
    return Run(
        tool_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=repo.root,
        out=str(settings.out or ""),
        keras=repo.keras,
        keras_reason=repo.keras_reason,
        config=settings.model_dump(mode="json"),
        environment=dict(environment),
    )


def weight_file(maps: Mapping[str, object]) -> dict[str, str]:
    """`migration/weights.json`: unit → source weight, target name and transform of each tensor."""
    if not maps:
        return {}
    return {WEIGHTS_PATH: json.dumps({"version": 1, "units": dict(maps)}, indent=1) + "\n"}
