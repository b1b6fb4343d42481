"""Pooling to a given size."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerCall
from migrator.rules.layers.padding import channels_last

_1D = [S(f32(2, 9, 3), 4), S(f32(2, 8, 3), (4,)), S(f32(2, 3, 3), 5), declines(f32(2, 9, 3), 4, "channels_first")]
_2D = [S(f32(2, 7, 9, 3), 3), S(f32(2, 8, 10, 3), output_size=(4, 7)), S(f32(2, 5, 6, 3), (3, 8))]
_3D = [S(f32(2, 4, 6, 5, 2), 3), S(f32(2, 4, 6, 5, 2), (1, 6, 2))]


def _adaptive(kind: str, dims: int, output_size, data_format, call: LayerCall) -> LayerCode:
    channels_last(data_format)
    if call.rank != dims + 2:
        raise Decline("an input of another rank")
    return LayerCode(None, f"F.adaptive_{kind}_pool{dims}d({{x}}, {output_size.text})", "pool", layout="nchw")


@layer("tf.keras.layers.AdaptiveAveragePooling1D", samples=_1D)
def adaptive_average_pooling1d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_avg_pool1d`."""
    return _adaptive("avg", 1, output_size, data_format, call)


@layer("tf.keras.layers.AdaptiveAveragePooling2D", samples=_2D)
def adaptive_average_pooling2d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_avg_pool2d`."""
    return _adaptive("avg", 2, output_size, data_format, call)


@layer("tf.keras.layers.AdaptiveAveragePooling3D", samples=_3D)
def adaptive_average_pooling3d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_avg_pool3d`."""
    return _adaptive("avg", 3, output_size, data_format, call)


@layer("tf.keras.layers.AdaptiveMaxPooling1D", samples=_1D)
def adaptive_max_pooling1d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_max_pool1d`."""
    return _adaptive("max", 1, output_size, data_format, call)


@layer("tf.keras.layers.AdaptiveMaxPooling2D", samples=_2D)
def adaptive_max_pooling2d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_max_pool2d`."""
    return _adaptive("max", 2, output_size, data_format, call)


@layer("tf.keras.layers.AdaptiveMaxPooling3D", samples=_3D)
def adaptive_max_pooling3d(output_size, data_format=None, *, call: LayerCall) -> LayerCode:
    """`F.adaptive_max_pool3d`."""
    return _adaptive("max", 3, output_size, data_format, call)
