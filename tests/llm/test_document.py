"""The page of prompts and the bundled pairs are what the code makes of them."""

from __future__ import annotations

from migrator.completion import document, pairs


def test_the_page_of_prompts_is_fresh() -> None:
    assert document.main(["--check"]) == 0


def test_the_bundled_pairs_are_fresh() -> None:
    assert pairs.main(check=True) == 0
