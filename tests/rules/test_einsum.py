"""Kernels of einsums start with Keras's spread, whatever axes their fans are counted on."""

from __future__ import annotations

import pytest
from test_layers import code_of, module_of

from migrator.model import Decline, LayerCode
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.samples import S, f32, src

tf = pytest.importorskip("tensorflow")
X = f32(2, 30, 40)
HEADS = f32(2, 30, 8, 50)


@pytest.mark.parametrize("initial", ["glorot_uniform", "he_normal", "lecun_uniform", "random_normal"])
@pytest.mark.parametrize(
    ("x", "equation", "shape"),
    [
        (X, "abc,cde->abde", (None, 8, 50)),
        (HEADS, "abcd,cde->abe", (None, 60)),
        (X, "abc,dec->abde", (None, 8, 50)),
        (HEADS, "abcd,ecd->abe", (None, 60)),
    ],
)
def test_spread(x, equation: str, shape: tuple[int | None, ...], initial: str) -> None:  # type: ignore[no-untyped-def]
    rule = find_layer("tf.keras.layers.EinsumDense", 3)
    assert rule is not None
    code = code_of(rule, S(x, equation, shape, kernel_initializer=initial))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, False)
    theirs = tf.keras.layers.EinsumDense(equation, shape, kernel_initializer=initial)
    theirs.build((None, *x.shape[1:]))
    kernel = theirs.kernel.numpy()
    assert module.kernel.shape == kernel.shape
    assert float(module.kernel.detach().std()) == pytest.approx(kernel.std(), rel=0.05)
    assert float(module.kernel.abs().max()) == pytest.approx(abs(kernel).max(), rel=0.25)


@pytest.mark.parametrize(
    ("equation", "shape", "initial"),
    [("abc,bcd->abd", (30, 5), "glorot_uniform"), ("abc,cde->abde", (None, 2, 4), "orthogonal")],
)
def test_an_initializer_whose_axes_torch_cannot_see_is_declined(
    equation: str, shape: tuple[int | None, ...], initial: str
) -> None:
    rule = find_layer("tf.keras.layers.EinsumDense", 3)
    assert rule is not None
    assert isinstance(code_of(rule, S(X, equation, shape, kernel_initializer=initial)), Decline)


@pytest.mark.parametrize("initial", ["he_normal", "glorot_normal", "lecun_uniform"])
@pytest.mark.parametrize(("name", "args"), [("MultiHeadAttention", (8, 16)), ("GroupQueryAttention", (16, 8, 4))])
def test_projections_of_attention_start_with_kerass_spread(name: str, args: tuple[int, ...], initial: str) -> None:
    rule = find_layer(f"tf.keras.layers.{name}", 3)
    assert rule is not None
    code = code_of(rule, S(src("(x, x)", x=f32(2, 5, 64)), *args, kernel_initializer=initial))
    assert isinstance(code, LayerCode)
    module, _ = module_of(code, False, False)
    theirs = getattr(tf.keras.layers, name)(*args, kernel_initializer=initial)
    theirs.build((None, 5, 64), (None, 5, 64))
    kernels = {w.path.split("/")[-2]: w.numpy() for w in theirs.weights if w.path.endswith("kernel")}
    for own, part in (("query", "query"), ("key", "key"), ("value", "value"), ("output", "attention_output")):
        spread = float(getattr(module, own).weight.detach().std())
        assert spread == pytest.approx(kernels[part].std(), rel=0.05), own
