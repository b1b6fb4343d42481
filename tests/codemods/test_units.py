"""Segmentation: every top-level statement lands in exactly one unit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from migrator.codemods.units import Segment, bound_names, segment
from migrator.model import UnitKind
from migrator.values import Span, Unknown, Value


class NoFacts:
    name = "m"

    def at(self, span: Span) -> Value:
        return Unknown()

    bound: frozenset[str] = frozenset()

    def canonical(self, dotted: str, span: Span | None = None) -> str | None:
        return None

    def uses(self) -> Iterator[tuple[str, Span]]:
        yield "tf.zeros", Span(5, 4, 5, 12)


def cut(source: str) -> tuple[Segment, ...]:
    wrapper = MetadataWrapper(cst.parse_module(textwrap.dedent(source)), unsafe_skip_copy=True)
    spans = {
        node: Span(where.start.line, where.start.column, where.end.line, where.end.column)
        for node, where in wrapper.resolve(PositionProvider).items()
    }
    return segment("m.py", wrapper.module, spans, NoFacts())


def test_kinds_and_names() -> None:
    units = [
        (s.unit.kind, s.unit.name)
        for s in cut(
            '''\
            """Doc."""
            import a
            from b import c
            X = 1
            Y = tf.zeros
            model = build()
            model.fit(X)
            def f():
                pass
            def g():
                pass
            class C:
                pass
            if __name__ == "__main__":
                f()
            '''
        )
    ]
    assert units == [
        (UnitKind.CONSTANT, "lines@1"),
        (UnitKind.IMPORTS, "imports@2"),
        (UnitKind.CONSTANT, "X@4"),
        (UnitKind.SCRIPT, "model@6"),
        (UnitKind.FUNCTION, "f"),
        (UnitKind.FUNCTION, "g"),
        (UnitKind.CLASS, "C"),
        (UnitKind.SCRIPT, "__main__"),
    ]


def test_every_statement_once() -> None:
    source = "x = 1\ny = f()\nimport a\n\n# c\ndef f(): pass\nz = 2\nwhile x: pass\n"
    segments = cut(source)
    assert sum(len(s.statements) for s in segments) == 6


def test_uses_belong_to_the_unit_that_holds_them() -> None:
    segments = cut("import a\n\n\ndef f():\n    a.zeros()\n\n\ndef g():\n    pass\n")
    assert [[name for name, _ in s.unit.uses] for s in segments] == [[], ["tf.zeros"], []]


def test_bound_names() -> None:
    tree = cst.parse_module(
        "import a.b, c as d\n"
        "for i, (j, *k) in x: y = [z for z in x]\n"
        "with f() as (g, h): n: int = 1\n"
        "if (w := 2): m = lambda q: q\n"
    )
    found = [bound_names(statement) for statement in tree.body]
    assert found == [["a", "d"], ["i", "j", "k", "y"], ["g", "h", "n"], ["w", "m"]]
