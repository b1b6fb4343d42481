"""A small report with one unit of each status."""

from __future__ import annotations

from pathlib import PurePosixPath

from migrator.model import (
    Decline,
    InterfaceChange,
    Origin,
    Outcome,
    Rung,
    SourceFile,
    SourceRepo,
    Status,
    Unit,
    UnitKind,
    UnitResult,
    UnitRewrite,
    Verdict,
)
from migrator.report import Report, Run, build
from migrator.values import Span

BEFORE = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.sin(x)\n\n\ndef g(x):\n    return tf.weird(x)\n"
AFTER = (
    "import tensorflow as tf\nimport torch\n\n\ndef f(x):\n    return torch.sin(x)\n\n\n"
    "# TODO(migrator): no rule for tf.weird\ndef g(x):\n    return tf.weird(x)\n"
)


def unit(name: str, kind: UnitKind, start: int, end: int, *uses: str) -> Unit:
    return Unit(f"m.py::{name}", "m.py", name, kind, start, end, tuple((use, Span(start, 0, start, 1)) for use in uses))


def results() -> list[UnitResult]:
    forward = Verdict(
        Rung.FORWARD,
        Outcome.PASS,
        "3 batches, odd sizes",
        measured=(("values", 3.1e-7),),
        allowed=(("values", 1e-5),),
        inputs="invented",
        unchecked=("float64",),
        repro="migrator verify out --against src",
    )
    gap = Verdict(
        Rung.STEPS,
        Outcome.GAP,
        "as shipped 2e-3, with the gap removed 1e-7",
        measured=(("weights", 2e-3), ("weights, gap removed", 1e-7)),
    )
    wrong = Verdict(
        Rung.FORWARD,
        Outcome.FAIL,
        "differs at <b>layer 2</b>",
        measured=(("values", float("inf")),),
        allowed=(("values", 1e-5),),
    )
    change = InterfaceChange("m:f", "adds-size", "gains in_features", added=("in_features",))
    lost = Decline("no rule for tf.weird", "tf.weird", Span(9, 11, 9, 22))
    return [
        UnitResult(
            UnitRewrite(
                unit("f", UnitKind.FUNCTION, 4, 5, "tf.sin"),
                "…",
                Origin.RULES,
                changes=(change,),
                gaps=("adam-epsilon",),
                notes=("a note",),
            ),
            Status.ACCEPTED,
            "",
            (forward, gap),
        ),
        UnitResult(
            UnitRewrite(
                unit("g", UnitKind.FUNCTION, 8, 9, "tf.weird"),
                None,
                Origin.UNTOUCHED,
                (lost,),
                draft="<script>alert(1)</script>",
            ),
            Status.NEEDS_REVIEW,
            "",
        ),
        UnitResult(
            UnitRewrite(unit("h", UnitKind.LAYER, 10, 10, "tf.a", "tf.b"), None, Origin.RULES),
            Status.NEEDS_REVIEW,
            "forward differs",
            (wrong,),
        ),
        UnitResult(UnitRewrite(unit("imports", UnitKind.IMPORTS, 1, 1), "…", Origin.UNTOUCHED), Status.UNTOUCHED, ""),
    ]


def repo(*more: SourceFile) -> SourceRepo:
    files = (
        SourceFile(PurePosixPath("README.md")),
        SourceFile(PurePosixPath("m.py"), "m", BEFORE, uses_tf=True),
        *more,
    )
    return SourceRepo("/src", files, (("data", "ignored by .gitignore"),))


def sample() -> Report:
    run = Run(
        tool_version="0.1.0",
        source="/src",
        out="/src_torch",
        config={"check": "training"},
        environment={"torch": "2.13.0"},
    )
    return build(results(), repo(), run, islands=[["m.py::f"], ["m.py::g", "m.py::h"]])
