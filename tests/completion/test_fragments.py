"""What a unit's prompt is made of, on small repositories that nothing is executed of."""

from __future__ import annotations

from pathlib import Path

from migrator.completion.fragments import LONGEST_NEIGHBOUR, signature
from migrator.completion.offline import fragments
from migrator.llm import rendering
from migrator.llm.fragment import Fragment
from migrator.llm.packing import pack, tokens
from tests.source.tree import plant

LONG = "".join(f"    x = x + {n}.0\n" for n in range(60))
SOURCE = f"""import tensorflow as tf


def long(x):
{LONG}    return x


def leaf(x):
    y = tf.square(x)
    z = tf.raw_ops.Rint(x=y)
    return tf.exp(z) + y


def stem(x):
    return tf.raw_ops.Rint(x=leaf(long(x)))


def root(x):
    a = tf.abs(x)
    b = tf.raw_ops.Rint(x=stem(a))
    c = tf.exp(b)
    return c
"""


def asked(tmp_path: Path, text: str = SOURCE) -> dict[str, Fragment]:
    return {f.name: f for f in fragments(plant(tmp_path / "src", {"m.py": text}))}


def test_what_is_used_comes_before_what_uses_it(tmp_path: Path) -> None:
    assert list(asked(tmp_path)) == ["leaf", "stem", "root"]


def test_a_unit_that_is_written_but_for_a_line_is_asked_for_that_line(tmp_path: Path) -> None:
    found = asked(tmp_path)
    leaf = found["leaf"]
    assert leaf.frame is not None
    assert [(hole.was, hole.why) for hole in leaf.frame.holes] == [
        ("z = tf.raw_ops.Rint(x=y)", ("no rule for tf.raw_ops.Rint",))
    ]
    assert "torch.square(x)" in leaf.frame.text
    assert "import torch" in leaf.frame.imports
    assert (leaf.reasons, leaf.draft) == ((), "")
    shown = rendering.fragment(leaf)
    assert "tf.exp" not in shown  # what the rules wrote is not sent twice
    assert len(shown) < 900


def test_of_what_is_long_the_heads_are_shown(tmp_path: Path) -> None:
    stem = asked(tmp_path)["stem"]
    uses = {n.name: n.text for n in stem.uses}
    assert uses["long"] == "def long(x): ...\n"
    assert "tf.raw_ops.Rint" in uses["leaf"]
    assert all(tokens(text) <= LONGEST_NEIGHBOUR for text in uses.values())


def test_a_mistake_of_ours_is_no_frame_and_no_reason(tmp_path: Path) -> None:
    one = asked(tmp_path, "import tensorflow as tf\n\n\ndef f(x):\n    return tf.raw_ops.Rint(x=x)\n")["f"]
    assert one.reasons or one.frame is not None


def test_the_heads_of_a_class() -> None:
    text = 'class A(B):\n    """A."""\n\n    size: int = 3\n\n    def f(self, x=1) -> int:\n        return x\n'
    assert signature(text) == "class A(B):\n    def f(self, x=1) -> int: ...\n"
    assert signature("def broken(:\n    pass\n") == "def broken(:\n"


def test_packed_into_less_room_the_unit_stays_and_the_rest_goes_in_order(tmp_path: Path) -> None:
    stem = asked(tmp_path)["stem"]
    least = pack(stem, 0)
    assert (least.original, least.acceptance) == (stem.original, stem.acceptance)
    assert (least.uses, least.facts, least.examples) == ((), (), ())
    assert set(least.left_out) >= {n.name for n in stem.uses}
    room = tokens("\n".join((stem.original, *stem.reasons, *stem.acceptance, *stem.imports))) + 40
    some = pack(stem, room)
    assert len(rendering.fragment(least)) < len(rendering.fragment(some)) <= len(rendering.fragment(stem))
