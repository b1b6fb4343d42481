"""Rates of Keras optimizers: whether a schedule gives them, and what it will give later."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

FAR = (
    0,
    1,
    2,
    3,
    5,
    8,
    10,
    20,
    50,
    99,
    100,
    101,
    250,
    499,
    500,
    501,
    999,
    1000,
    1001,
    2500,
    5000,
    10000,
    50000,
    200000,
)
"""Steps at which a schedule is asked for its rate, besides those around the numbers that it was made with."""


def far_rates(optimizer: Any) -> dict[str, float]:
    """Step → rate of an optimizer's schedule, far beyond what a short training reaches; empty without a schedule."""
    if is_constant(optimizer):
        return {}
    schedule: Any = getattr(optimizer, "_learning_rate", getattr(optimizer, "learning_rate", None))
    steps = set(FAR)
    with contextlib.suppress(Exception):  # a program's own schedule has no configuration as a rule
        own = [n for n in _numbers(schedule.get_config()) if 1 <= n < 1e6 and n == int(n)]
        steps |= {int(n) + by for n in own for by in (-1, 0, 1)}
    try:
        found = {step: float(np.asarray(schedule(tf.constant(step, "int64")))) for step in sorted(steps)}
    except Exception:
        return {}
    return {str(step): rate for step, rate in found.items() if np.isfinite(rate)}


def _numbers(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)


def is_constant(optimizer: Any) -> bool:
    """Does nothing but the program's own code set the rate?"""
    rate = getattr(optimizer, "_learning_rate", getattr(optimizer, "learning_rate", None))
    schedule = type(rate).__mro__ if rate is not None else ()
    return not any(c.__name__ == "LearningRateSchedule" for c in schedule)
