"""Few-shot examples: of other programs only, by what was declined, none where nothing is alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator import resources, steps
from migrator.codemods.repository import RepositoryDraft
from migrator.completion.examples import LONGEST, bundled, chosen, foreign
from migrator.completion.offline import of_draft
from migrator.config import load
from migrator.llm.fragment import Example
from tests.source.tree import plant

PROGRAMS = sorted((resources.folder("eval_sets") / "programs").glob("*/source"))


def rewritten(src: Path) -> RepositoryDraft:
    repo = steps.read(load(src))
    return steps.rewrite(repo, steps.know(repo), lambda *_: None)


def programs(examples: tuple[Example, ...]) -> set[str]:
    return {example.name.partition("/")[0] for example in examples}


@pytest.mark.parametrize("src", PROGRAMS, ids=lambda src: src.parent.name)
def test_no_example_comes_from_the_program_itself(src: Path) -> None:
    repo = steps.read(load(src))
    facts = steps.know(repo)
    draft = steps.rewrite(repo, facts, lambda *_: None)
    assert src.parent.name in programs(bundled()) - programs(foreign(draft))
    asked = list(of_draft(repo, facts, draft))
    assert all(src.parent.name not in programs(fragment.examples) for fragment in asked)


def test_nor_from_a_copy_of_it_under_another_name(tmp_path: Path) -> None:
    """One unit of a program, laid out anew and in another file, is enough to know it by."""
    pair = next(p for p in bundled() if len(p.source) > 300)
    text = (
        "import tensorflow as tf\n\n\n" + pair.source.replace("    ", "        ") + "\n\ndef other(x):\n    return x\n"
    )
    kept = foreign(rewritten(plant(tmp_path / "src", {"deep/copy.py": text})))
    assert programs(bundled()) - programs(kept) == programs((pair,))


def test_another_program_sees_all_of_them(tmp_path: Path) -> None:
    text = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.raw_ops.Rint(x=x)\n"
    assert foreign(rewritten(plant(tmp_path / "src", {"m.py": text}))) == bundled()


ASKED = "def asked(x):\n    return tf.one(x) + tf.two(x)\n"
RARE = Example(
    "a/a.py::f", "def f(x):\n    return tf.one(x)\n", "def f(x):\n    return one(x)\n", frozenset({"tf.one"})
)
COMMON = [
    Example(f"b/b.py::g{n}", f"def g{n}(x):\n    return tf.two(x)\n", "", frozenset({"tf.two"})) for n in range(9)
]


def test_what_is_rare_counts_more() -> None:
    assert chosen([*COMMON, RARE], ["tf.one", "tf.two"], ASKED)[0] is RARE


def test_what_is_in_everything_teaches_nothing() -> None:
    assert chosen(COMMON, ["tf.two"], ASKED) == ()
    assert chosen([RARE], ["tf.three"], ASKED) == ()


def test_what_is_asked_for_is_no_example_of_itself() -> None:
    assert chosen([RARE], ["tf.one"], RARE.source) == ()
    assert chosen([RARE], ["tf.one"], "class A:\n" + RARE.source.replace("def", "    def")) == ()


def test_a_long_one_shows_too_much_else() -> None:
    long = Example("c/c.py::h", "x" * LONGEST, "y", frozenset({"tf.one"}))
    assert chosen([long], ["tf.one"], ASKED) == ()
