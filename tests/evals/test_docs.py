"""The set `docs`: cutting docstrings into programs, judging them, and a fixed slice of the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from migrator.evals.docs.blocks import Docstring, blocks
from migrator.evals.docs.execution import Ran
from migrator.evals.docs.judging import failure, judge, nothing_told
from migrator.evals.docs.programs import Program, programs
from migrator.evals.docs.rewriting import imports_tensorflow, rewrite, uses_tensorflow
from migrator.evals.docs.run import judge_all
from migrator.evals.docs.table import api_ending, render_docs
from migrator.evals.result import Row, TaskResult

DOC = Docstring(
    "tf.some.api",
    """Adds.

    >>> x = tf.constant([1, 2])
    >>> x + 1
    <tf.Tensor: shape=(2,), dtype=int32, numpy=array([2, 3], dtype=int32)>

    Prose, then more:

    >>> for row in x:
    ...   print(row.numpy())
    1
    2
    >>> print(f"sum {tf.reduce_sum(x)}", 3)
    sum 3 3

    ```python
    y = x * 2
    ```

    ```bash
    pip install something
    ```

    ```
    this is no python
    ```

    >>> tf.constant([1]) + "a"
    Traceback (most recent call last):
    ...
    TypeError: no
    """,
)


def texts(docstring: Docstring = DOC) -> list[str]:
    return [program.text for program in programs([docstring])]


def test_blocks_are_runs_of_lines_and_fences_in_order() -> None:
    found = blocks(DOC)
    assert [[s.text for s in block.statements][:1] for block in found] == [
        ["x = tf.constant([1, 2])"],
        ["for row in x:\n  print(row.numpy())"],
        ["y = x * 2"],
        ["this is no python\n"],
        ['tf.constant([1]) + "a"'],
    ]
    assert [bool(block.broken) for block in found] == [False, False, False, True, False]


def test_what_is_shown_gets_a_name_and_what_is_needed_comes_first() -> None:
    first, second, third, *rest = texts()
    assert first == "import tensorflow as tf\nx = tf.constant([1, 2])\nshown_1 = x + 1\n"
    assert second == (
        "import tensorflow as tf\nx = tf.constant([1, 2])\nshown_0 = []\n"
        "for row in x:\n  shown_0.append((row.numpy(),))\nshown_1 = (tf.reduce_sum(x),)\n"
    )
    assert third == "import tensorflow as tf\nx = tf.constant([1, 2])\ny = x * 2\n"
    assert rest == ["", ""]


def test_a_changed_object_brings_the_statement_that_changed_it() -> None:
    doc = Docstring("tf.a", ">>> v = tf.Variable(1.0)\n>>> v.assign(2.0)\n>>> w = 3\n\n>>> v.numpy()\n2.0\n")
    assert texts(doc)[1] == "import tensorflow as tf\nv = tf.Variable(1.0)\nv.assign(2.0)\nshown_0 = v.numpy()\n"


def test_equal_programs_are_one() -> None:
    again = Docstring("tf.other", DOC.text)
    assert [p.api for p in programs([DOC, again]) if p.text] == ["tf.some.api"] * 3


def array(values: Any, dtype: str = "float32") -> tuple[Mapping[str, Any], np.ndarray[Any, Any]]:
    made = np.asarray(values, dtype)
    return {"t": "array", "as": "tensor", "key": "k", "dtype": dtype, "shape": list(made.shape)}, made


def ran(values: Any, dtype: str = "float32", name: str = "x") -> Ran:
    tree, made = array(values, dtype)
    return Ran({name: tree}, {"k": made})


PROGRAM = Program("tf.a", 1, "x = tf.a()\n", frozenset({"x"}))


@pytest.mark.parametrize(
    ("target", "ending"),
    [
        (ran([1.0, 2.0]), "equal"),
        (ran([1.0, 2.1]), "wrong"),
        (ran([[1.0, 2.0]]), "wrong"),
        (ran([1.0, 2.0], "float64"), "wrong"),
        (ran([1.0, 2.0], name="y"), "wrong"),
        (Ran(error={"type": "NameError", "message": "tf"}), "wrong"),
        (Ran(error={"type": "infra", "message": "no worker"}), "infra-error"),
        (Ran({"x": {"t": "opaque", "type": "a:B"}}), "wrong"),
    ],
)
def test_a_judgement_takes_structure_dtype_shape_and_value(target: Ran, ending: str) -> None:
    assert judge(PROGRAM, ran([1.0, 2.0]), target).ending == ending


def test_a_shape_is_a_tensor_or_sizes() -> None:
    sizes = {"t": "tuple", "of": "sizes", "items": [{"t": "scalar", "type": "int", "v": n} for n in (2, 3)]}
    assert judge(PROGRAM, ran([2, 3], "int32"), Ran({"x": sizes})).ending == "equal"
    assert judge(PROGRAM, ran([2, 4], "int32"), Ran({"x": sizes})).ending == "wrong"
    plain = {key: value for key, value in sizes.items() if key != "of"}
    assert judge(PROGRAM, ran([2, 3], "int32"), Ran({"x": plain})).ending == "wrong"


def test_what_is_bound_anew_needs_nothing_of_before() -> None:
    doc = Docstring("tf.a", ">>> x = tf.ones(2, 3)\n>>> x = tf.zeros(2)\n>>> y = x\n\n>>> y + x\n0\n")
    assert texts(doc)[1] == "import tensorflow as tf\nx = tf.zeros(2)\ny = x\nshown_0 = y + x\n"


def test_what_the_source_itself_draws_is_compared_by_shape_and_said_so() -> None:
    source, again = ran([1.0, 2.0]), ran([3.0, 4.0])
    assert judge(PROGRAM, source, ran([5.0, 6.0]), [source, again]).how == "shapes"
    assert judge(PROGRAM, source, ran([5.0]), [again]).ending == "wrong"
    assert judge(PROGRAM, source, ran([5.0, 6.0]), [source]).ending == "wrong"


def test_an_example_that_compares_nothing_is_not_equal() -> None:
    opaque = Ran({"x": {"t": "opaque", "type": "a:B"}})
    assert nothing_told(PROGRAM, opaque)
    assert judge(PROGRAM, opaque, opaque).ending == "not-applicable"
    other = Ran({"y": array([1.0])[0]}, {"k": np.ones(1)})
    assert nothing_told(PROGRAM, other)
    assert not nothing_told(PROGRAM, ran([1.0]))


def test_reasons_of_failures() -> None:
    assert failure(Ran(error={"type": "NameError", "message": "x"})).startswith("a fragment")
    assert failure(Ran(error={"type": "Exception", "message": "URL fetch failure on https"})) == "needs the network"
    assert failure(Ran(error={"type": "KeyError", "message": ""})) == "the example itself fails: KeyError"


def test_rewriting_takes_the_path_of_files() -> None:
    right = Program("tf.a", 1, "import tensorflow as tf\nx = tf.constant([1, 2])\nshown_1 = x + 1\n")
    left = Program("tf.a", 2, "import tensorflow as tf\nx = tf.no_such_api(1)\n")
    made = rewrite([right, left])
    assert made["tf.a #1"].text is not None
    assert not imports_tensorflow(made["tf.a #1"].text)
    assert made["tf.a #2"].text is None
    assert made["tf.a #2"].reason
    assert uses_tensorflow(right.text)
    assert not uses_tensorflow("import tensorflow as tf\nx = 1\n")


def test_the_worst_example_decides_an_api_and_tables_render() -> None:
    rows = tuple(
        Row(kind="migrated", id=f"tf.a #{i}", expected="equal", ending=ending, detail="why", case="tf.b")
        for i, ending in enumerate(("equal", "not-applicable", "declined"))
    )
    task = TaskResult(set="docs", task="tf.a", rows=rows)
    assert api_ending(task) == "declined"
    assert len(render_docs([task])) == 3


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_example_of_a_fixed_slice_is_rewritten_wrongly() -> None:
    from migrator_validators.workers import Workers

    from migrator.evals.docs import run_docs

    with Workers() as workers:
        tasks = run_docs(workers, every=SLICE)
    rows = [row for task in tasks for row in task.rows]
    assert not {row.id: row.detail for row in rows if row.ending in ("wrong", "infra-error")}
    assert sum(row.ending == "equal" for row in rows) > 20


SLICE = 11


def test_a_program_of_ours_runs_on_both_sides() -> None:
    from migrator_validators.workers import Workers

    head = "import tensorflow as tf\n"
    found = [
        Program("tf.a", 1, head + "x = tf.constant([1.0, 2.0])\nshown = tf.square(x)\n", frozenset({"shown"})),
        Program("tf.a", 2, head + "shown = tf.random.normal([3])\n", frozenset({"shown"})),
        Program("tf.a", 3, head + "shown = tf.constant(undefined)\n", frozenset({"shown"})),
        Program("tf.a", 4, head + "import os\nx = tf.square(2.0)\nos._exit(3)\n", frozenset({"x"})),
    ]
    with Workers() as workers:
        judged = judge_all(found, workers, 1)
    assert [judged[p.id].ending for p in found] == ["equal", "equal", "not-applicable", "not-applicable"]
    assert judged["tf.a #4"].reason == "ends the process"
