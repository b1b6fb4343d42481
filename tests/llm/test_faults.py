"""Each fault of a server has its outcome, and no reply is lost or paid twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.llm.faults import DOC, FAULTS, Fault, Seen, page, provoke, table


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    folder = tmp_path_factory.mktemp("faults")
    return {fault.name: provoke(fault, folder) for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_its_outcome(seen: dict[str, Seen], fault: Fault) -> None:
    found = seen[fault.name]
    assert isinstance(found.outcome, fault.outcome), found.outcome
    assert (found.requests, found.again, found.others) == (fault.requests, fault.again, 0 if fault.final else 1)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_request_is_in_the_ledger(seen: dict[str, Seen], fault: Fault) -> None:
    assert seen[fault.name].recorded == seen[fault.name].requests + seen[fault.name].again


def test_reasons_are_one_line(seen: dict[str, Seen]) -> None:
    reasons = [getattr(found.outcome, "why", "") for found in seen.values()]
    assert all("\n" not in reason and len(reason) < 300 for reason in reasons)


def test_the_table_in_the_documents_is_of_these_runs(seen: dict[str, Seen], tmp_path: Path) -> None:
    rows = table([(fault, seen[fault.name]) for fault in FAULTS])
    assert page(rows) == DOC.read_text(encoding="utf-8")
