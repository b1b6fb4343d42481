"""Filters of a spectrogram start as Keras's do for the same window, which SciPy alone gives it by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_layers import code_of, module_of

from migrator.model import LayerCode
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.samples import S, f32

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize(
    ("window", "numbers"), [("hann", np.hanning), ("hamming", np.hamming), ("blackman", np.blackman), (None, None)]
)
def test_initial_filters(window: str | None, numbers: Callable[[int], Any] | None, scaling: str | None) -> None:
    rule = find_layer("tf.keras.layers.STFTSpectrogram", 3)
    assert rule is not None
    options = {"frame_length": 12, "fft_length": 16, "scaling": scaling}
    code = code_of(rule, S(f32(2, 40, 1), window=window, **options))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, False)
    given = None if numbers is None else numbers(12).astype("float32")
    theirs = tf.keras.layers.STFTSpectrogram(window=given, **options)
    theirs.build((None, 40, 1))
    for own, kernel in ((module.real, theirs.real_kernel), (module.imag, theirs.imag_kernel)):
        np.testing.assert_allclose(own.detach().numpy(), kernel.numpy().transpose(2, 1, 0), atol=1e-5)


def test_a_periodic_window_ends_before_it_repeats() -> None:
    rule = find_layer("tf.keras.layers.STFTSpectrogram", 3)
    assert rule is not None
    code = code_of(rule, S(f32(2, 40, 1), frame_length=8, periodic=True, scaling=None))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, False)
    np.testing.assert_allclose(module.real[0, 0].detach().numpy(), np.hanning(9)[:-1], atol=1e-6)
