"""Code for several versions of TensorFlow: what the one that runs does is left."""

from __future__ import annotations

import textwrap

import pytest

from tests.codemods.training_support import draft

HEAD = "import tensorflow as tf\n"


def made(source: str, head: str = HEAD) -> str:
    found = draft(head + textwrap.dedent(source))
    assert found.declines == ()
    return found.text


def why(source: str) -> str:
    return "; ".join(d.reason for d in draft(HEAD + textwrap.dedent(source)).declines)


@pytest.mark.parametrize(
    "test",
    [
        'tf.__version__ >= "2.0.0"',
        '"1.15" < tf.version.VERSION',
        'int(tf.__version__.split(".")[0]) >= 2',
        'tf.__version__.startswith("2")',
        'tf.__version__[0] == "2"',
        "tuple(map(int, tf.__version__.split('.')[:2])) >= (1, 14)",
        "float('.'.join(tf.__version__.split('.')[:1])) > 1.5",
        "version.parse(tf.__version__) >= version.parse('1.14.0')",
        "LooseVersion(tf.__version__) > LooseVersion('2.0.0-rc1')",
        "not tf.__version__ < '2.0'",
        'hasattr(tf, "version")',
        "not hasattr(tf, 'contrib')",
        'not (not hasattr(tf, "version") or tf.version.VERSION < "2.0.0")',
    ],
)
def test_the_way_of_the_version_that_runs_is_left(test: str) -> None:
    head = HEAD + "from distutils.version import LooseVersion\nfrom packaging import version\n"
    text = made(
        f"""
        def f(x):
            # as it is now
            if {test}:
                y = tf.sin(x)  # new
            else:
                y = tf.sinus(x)
            return y
        """,
        head,
    )
    assert "    # as it is now\n    y = torch.sin(x)  # new\n    return y\n" in text
    assert "version" not in text


def test_the_other_way_is_left_where_the_test_fails() -> None:
    text = made("""
        def f(x, flag):
            if tf.__version__ < "1.14":
                raise ImportError("too old")
            if tf.__version__ < "2.0" and flag:
                x = tf.sinus(x)
            elif flag:
                x = tf.sin(x)
            return x if tf.__version__ == "1.15.0" else tf.cos(x)
        """)
    assert text.endswith("def f(x, flag):\n    if flag:\n        x = torch.sin(x)\n    return torch.cos(x)\n")


def test_what_stands_behind_a_return_goes() -> None:
    text = made("""
        def f(x):
            if tf.__version__ >= "2.0":
                return tf.sin(x)
            x = tf.sinus(x)
            return x
        """)
    assert text.endswith("def f(x):\n    return torch.sin(x)\n")


def test_imports_and_assertions() -> None:
    text = made("""
        if tf.__version__ >= "2.0":
            from json import loads
        else:
            from simplejson import loads

        flag = len(loads("[]")) == 0
        assert tf.__version__ >= "2.0" or flag
        x = tf.ones(3)
        """)
    assert "simplejson" not in text
    assert "assert" not in text
    assert text.startswith("from json import loads\n")


@pytest.mark.parametrize(
    "test",
    [
        'tf.__version__ >= "2.11"',
        "tf.__version__ >= oldest",
        'tf.keras.__version__ >= "3.0"',
        "float(tf.__version__[:3]) >= 2.1",
    ],
)
def test_what_not_every_version_answers_alike_is_declined(test: str) -> None:
    assert "a version that is not only shown" in why(f"""
        def f(x, oldest):
            if {test}:
                return tf.sin(x)
            return tf.cos(x)
        """)


def test_a_test_on_one_line_is_declined() -> None:
    assert why('if tf.__version__ >= "2.0": print(tf.ones(3))\n') == "a test of the version on one line"


def test_one_call_is_left_of_two_that_are_the_same_in_torch() -> None:
    text = made("""
        def f(x, dim=-1):
            try:
                return tf.nn.softmax(x, dim=dim, name="old")  # before 1.5
            except TypeError:
                return tf.nn.softmax(x, axis=dim)
        """)
    assert text.endswith("def f(x, dim=-1):\n    return F.softmax(x, dim=dim)  # before 1.5\n")


def test_the_handler_is_left_of_a_call_that_cannot_succeed() -> None:
    text = made("""
        def total(x, axis=None, keep_dims=False, reduction_indices=None):
            try:
                return tf.reduce_sum(x, axis=axis, keep_dims=keep_dims, reduction_indices=reduction_indices)
            except TypeError:
                return tf.reduce_sum(x, axis=axis, keepdims=keep_dims)


        def mixed(x, y):
            try:
                z = tf.div(tf.cast(x, tf.float32), y)
            except AttributeError:
                z = tf.divide(tf.cast(x, tf.float32), y) + 0.0
            return z
        """)
    assert "    return torch.sum(x, dim=axis, keepdim=keep_dims)\n" in text
    assert "    z = x.float() / y + 0.0\n" in text
    assert "try" not in text


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    y = tf.sin(x)\nexcept ValueError:\n    y = tf.cos(x)\n",
        "try:\n    y = tf.sin(x)\nexcept TypeError:\n    y = tf.cos(x)\n",
        "try:\n    y = tf.sin(x)\nexcept ValueError:\n    y = tf.sin(x)\nelse:\n    y = y + 1.0\n",
        "try:\n    y = tf.reduce_sum(x, keep_dims=True)\nexcept ValueError:\n    y = tf.cos(x)\n",
    ],
)
def test_a_try_that_may_go_either_way_stays(source: str) -> None:
    assert "\ntry:\n" in made(f"x = tf.ones(3)\n{source}")


@pytest.mark.parametrize("test", ['hasattr(tf, "estimator")', "hasattr(tf, name)", 'hasattr(tf.compat, "v1")'])
def test_names_that_not_every_version_has_are_declined(test: str) -> None:
    reasons = why(f"""
        def f(x, name):
            if {test}:
                return tf.sin(x)
            return tf.cos(x)
        """)
    assert "a TensorFlow module as a value" in reasons


def test_another_hasattr_is_not_taken_for_pythons() -> None:
    text = made("""
        def hasattr(module, name):
            return name != "version"

        def f(x):
            if hasattr(tf, "contrib"):
                return tf.sin(x)
            return tf.cos(x)
        """)
    assert "torch.sin(x)" in text
    assert "torch.cos(x)" not in text


def test_what_a_parameter_has_is_asked_of_it() -> None:
    text = made("""
        def f(x):
            if hasattr(x, "contrib"):
                return tf.sin(x)
            return tf.cos(x)
        """)
    assert 'if hasattr(x, "contrib"):' in text
