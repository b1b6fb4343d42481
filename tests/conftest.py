"""Fixtures that several test folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from migrator_validators.workers import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One pool of warm interpreters for the whole session; they start on first use."""
    with Workers() as pool:
        yield pool
