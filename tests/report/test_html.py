from __future__ import annotations

import re
from html.parser import HTMLParser

from migrator.report import Report, page
from tests.report.sample import AFTER, BEFORE, sample

VOID = {"meta", "col", "br", "img", "link", "input", "hr"}


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def html() -> str:
    return page(sample(), {"m.py": (BEFORE, AFTER)})


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    parser = Balanced()
    parser.feed(html())
    assert parser.open == []
    assert all(link.startswith("#") for link in parser.links)
    assert "default-src 'none'" in html()


def test_what_stems_from_the_repository_is_escaped() -> None:
    assert "<script>alert" not in html()
    assert "&lt;script&gt;alert(1)" in html()
    assert "<b>layer 2</b>" not in html()


def test_all_that_a_reviewer_needs_is_there() -> None:
    text = re.sub(r"<[^>]*>", "", html())
    for words in (
        "no rule for tf.weird",
        "gains in_features",
        "adam-epsilon",
        "a note",
        "3.10e-07 ≤ 1.00e-05",
        "not finite &gt; 1.00e-05",
        "invented inputs",
        "not checked: float64",
        "migrator verify out --against src",
        "of 2",
        "ignored by .gitignore",
    ):
        assert words in re.sub(r"\s+", " ", text), words


def test_a_page_without_texts_or_units() -> None:
    assert "<h2>" in page(sample(), {})
    empty = Report(run=sample().run)
    assert "Migration report" in page(empty, {})
