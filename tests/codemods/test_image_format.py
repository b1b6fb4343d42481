"""Conditions on Keras's image format go, with the branch that is never taken."""

from __future__ import annotations

import textwrap

import pytest

from migrator.codemods.image_format import settled

CASES = [
    (
        """
        # shape
        if "channels_last" == 'channels_first':
            shape = (1, 28, 28)
        else:
            shape = (28, 28, 1)  # rows first
        """,
        """
        # shape
        shape = (28, 28, 1)  # rows first
        """,
    ),
    (
        """
        if "channels_last" == "channels_last":
            a()
            b()
        """,
        """
        a()
        b()
        """,
    ),
    (
        """
        def f(x):
            if "channels_last" == 'channels_first':
                x = turned(x)
        """,
        """
        def f(x):
            pass
        """,
    ),
    (
        """
        if x:
            a()
        elif "channels_last" != 'channels_first':
            b()
        else:
            c()
        """,
        """
        if x:
            a()
        else:
            b()
        """,
    ),
    (
        """
        if "channels_last" == 'channels_first':
            a()
        elif x:
            b()
        """,
        """
        if x:
            b()
        """,
    ),
    (
        """
        if x:
            a()
        elif "channels_last" == 'channels_first':
            b()
        elif y:
            c()
        """,
        """
        if x:
            a()
        elif y:
            c()
        """,
    ),
    (
        """
        if not "channels_last" == 'channels_first' and x:
            a(1 if "channels_last" == 'channels_first' else -1)
        """,
        """
        if x:
            a(-1)
        """,
    ),
    (
        """
        def f(x):
            axis = 1 if "channels_last" == 'channels_first' else 3
            if "channels_last" == 'channels_first':
                other = 1
            else:
                other = -1
            return x.sum(other)
        """,
        """
        def f(x):
            other = -1
            return x.sum(other)
        """,
    ),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_settled(before: str, after: str) -> None:
    found = settled(textwrap.dedent(before))
    assert found == textwrap.dedent(after)
    assert settled(found) == found


@pytest.mark.parametrize(
    "text",
    [
        'if "channels_last" == data_format:\n    pass\n',
        "if 'a' == 'b':\n    pass\n",
        'f("channels_last" in formats)\n',
        'axis = 1 if data_format == "channels_first" else "channels_last"\n',
    ],
)
def test_other_conditions_stay(text: str) -> None:
    assert settled(text) == text
