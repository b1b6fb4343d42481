"""Activations that a layer is given as functions."""

from __future__ import annotations

import pytest

from migrator.rules.activations import of_value
from migrator.rules.engine.declining import Decline
from migrator.values import Api


@pytest.mark.parametrize("place", ["tf.nn", "tf.compat.v1.nn", "tf.keras.activations"])
def test_softmax_is_one_function_everywhere(place: str) -> None:
    assert of_value(Api(f"{place}.softmax")) == ("F.softmax({x}, dim=-1)", "softmax")


def test_a_function_without_a_template_declines() -> None:
    with pytest.raises(Decline, match="the activation is not known"):
        of_value(Api("tf.nn.lrn"))
