"""Preprocessing layers inside of models: they have nothing to learn there."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Any

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32, i32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.preprocessing.discretization import Discretization
from migrator.rules.preprocessing.encoding import CategoryEncoding
from migrator.rules.preprocessing.normalization import Normalization

_MODES = ("int", "one_hot", "multi_hot", "count")


def _mode(arg: LayerArg, allowed: tuple[str, ...] = _MODES) -> str:
    found = {"binary": "multi_hot"}.get(str(arg.known), arg.known)
    if found not in allowed:
        raise Decline("the output mode is not known")
    return f', output_mode="{found}"'


def _made(helper: Any, arguments: str, stem: str) -> LayerCode:
    return LayerCode(f"{helper.name}({arguments})", "{self}({x})", stem, layout="last", helpers=(*helper.needs, helper))


@layer(
    "tf.keras.layers.Normalization",
    keras=3,
    samples=[
        S(f32(4, 3), mean=[1.0, 2.0, 3.0], variance=[1.0, 0.5, 0.0]),
        S(f32(4, 5, 3), mean=3.0, variance=2.0, invert=True),
        declines(f32(4, 3), mean=1.0),
        declines(f32(4, 5, 3), axis=1, mean=0.0, variance=1.0),
    ],
)
def normalization(axis=-1, mean=None, variance=None, invert=False, *, call: LayerCall) -> LayerCode:
    """A small module of a mean and variance along the last axis, given or adapted."""
    if axis.known not in (-1, call.rank - 1):
        raise Decline("an axis other than the last")
    given = [a for a in (mean, variance) if not a.is_known or a.known is not None]
    if len(given) == 1:
        raise Decline("a mean or a variance alone")
    ones = ", ".join([*("1" for _ in call.shape[:-1]), call.features])
    start = [f"mean=torch.zeros({ones})", f"variance=torch.ones({ones})"]  # of the shapes that `adapt` gives them
    options = [f"{a.name}={a.text}" for a in given] or start
    return _made(Normalization, ", ".join([*options, *(["invert=True"] if invert.known else [])]), "normalization")


@layer(
    "tf.keras.layers.CategoryEncoding",
    keras=3,
    samples=[
        S(i32(4, 3, low=0, high=5), 5),
        S(i32(4, 1, low=0, high=5), num_tokens=5, output_mode="one_hot"),
        S(i32(4, 3, low=0, high=5), 5, "count"),
        declines(i32(4, 3, low=0, high=5), 5, sparse=True),
    ],
)
def category_encoding(num_tokens=None, output_mode="multi_hot", sparse=False, *, call: LayerCall) -> LayerCode:
    """A small module that marks or counts."""
    if sparse.known:
        raise Decline("a sparse result")
    return _made(CategoryEncoding, f"{num_tokens.text}{_mode(output_mode, _MODES[1:])}", "encoding")


@layer(
    "tf.keras.layers.Discretization",
    keras=3,
    samples=[
        S(f32(4, 3), [-0.5, 0.0, 1.0]),
        S(f32(4, 1), bin_boundaries=[0.0, 1.0], output_mode="one_hot"),
        declines(f32(4, 3), num_bins=4),
    ],
)
def discretization(
    bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", sparse=False, *, call: LayerCall
) -> LayerCode:
    """A small module that finds the bins between given boundaries."""
    if bin_boundaries.is_known and bin_boundaries.known is None:
        raise Decline("boundaries are not given, and a layer inside of a model is not adapted")
    if sparse.known:
        raise Decline("a sparse result")
    return _made(Discretization, f"{bin_boundaries.text}{_mode(output_mode)}", "bins")
