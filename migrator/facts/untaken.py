"""Ways that a constant closes: `if config.network == "small": model = small()` where it says "large" today.

The program takes one way, and what it computes is known from that one. The modules of the others are made in
the code all the same, and need their sizes: the statements behind the condition are walked once more with
them, and only what is called of them counts.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from migrator.facts.interpreter import Frame, Interpreter, Site
from migrator.values import Instance, ModelValue, RepoInstance, Value

MAX_WAYS = 8


def modules(env: Mapping[str, Value], taken: Mapping[str, Value]) -> frozenset[Site]:
    """Where the modules were made that variables hold on this way and not on the one that is taken."""
    return frozenset(
        (value.module, value.site)
        for name, value in env.items()
        if isinstance(value, Instance | RepoInstance | ModelValue) and value.site is not None
        if value != taken.get(name)
    )


def walked(
    it: Interpreter, body: list[ast.stmt], ways: list[tuple[int, dict[str, Value]]], frame: Frame
) -> list[dict[str, Value]]:
    """The variables at the end of a block that each way enters before the statement numbered; the frame stays."""
    if not ways or it.untaken:
        return []
    kept = frame.env, frame.returns, frame.exits, frame.untaken
    ends = []
    for start, env in ways[:MAX_WAYS]:
        it.untaken = modules(env, kept[0])
        frame.env, frame.returns, frame.exits = dict(env), [], []
        if it.untaken and not it.run(body[start:], frame):
            ends.append(frame.env)
        it.untaken = frozenset()
    frame.env, frame.returns, frame.exits, frame.untaken = kept
    return ends
