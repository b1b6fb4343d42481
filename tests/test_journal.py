from __future__ import annotations

from pathlib import Path

import pytest

from migrator.errors import UsageError
from migrator.journal import FILE, Journal, work_area


def test_what_was_put_is_found_by_the_next_one(tmp_path: Path) -> None:
    area = work_area(tmp_path / "out")
    with Journal(area) as journal:
        journal.put("a", {"x": [1, float("inf")]})
        journal.put("a", {"x": 2})
        journal.put("b", None)
    with Journal(area) as journal:
        assert (journal.get("a"), journal.get("b"), journal.get("c"), len(journal)) == ({"x": 2}, None, None, 2)


def test_a_line_cut_short_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    with Journal(tmp_path / "area") as journal:
        journal.put("a", 1)
        journal.put("b", 2)
    path = tmp_path / "area" / FILE
    path.write_bytes(path.read_bytes()[:-5])
    with Journal(tmp_path / "area") as journal:
        assert (journal.get("a"), journal.get("b")) == (1, None)
        journal.put("c", 3)
    with Journal(tmp_path / "area") as journal:
        assert (journal.get("a"), journal.get("c"), len(journal)) == (1, 3, 2)


def test_garbage_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / FILE).write_bytes(b'\xff\n[]\n{"key": 1}\n{"key": "a", "value": 1}\n')
    with Journal(tmp_path / "area") as journal:
        assert len(journal) == 1


def test_fresh_forgets(tmp_path: Path) -> None:
    with Journal(tmp_path / "area") as journal:
        journal.put("a", 1)
    (tmp_path / "area" / "folder").mkdir()
    with Journal(tmp_path / "area", fresh=True) as journal:
        assert journal.get("a") is None
        assert not (tmp_path / "area" / "folder").exists()


def test_two_at_once_are_refused_even_fresh(tmp_path: Path) -> None:
    with Journal(tmp_path / "area") as journal:
        journal.put("a", 1)
        with pytest.raises(UsageError, match="another run"):
            Journal(tmp_path / "area", fresh=True)
        assert journal.get("a") == 1


def test_an_ended_run_and_an_empty_one_leave_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "ended") as journal:
        journal.put("a", 1)
        journal.remove()
    with Journal(tmp_path / "empty"):
        pass
    assert list(tmp_path.iterdir()) == []
