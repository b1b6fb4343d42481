"""Differences that change numbers without a sound: the obvious rewrite is wrong, the rule's is right or none.

Each case is named after its entry in the list of measured differences between TensorFlow and PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch
from programs import Program, reasons
from test_differential import Oracle

from migrator.rules import rulebook
from migrator.rules.engine.samples import Array, Sample, f32, i32, pos, unit

rulebook()


@dataclass(frozen=True)
class Case:
    """`tf` beside the obvious `naive` spelling; `declined`: the rule leaves it rather than get it wrong.

    `narrow`: TensorFlow has the operation in float32 only, so that rounding is not told apart by float64.
    """

    entry: str
    tf: str
    naive: str
    arrays: dict[str, Array] = field(default_factory=dict)
    declined: bool = False
    random: bool = False
    grad: bool = True
    narrow: bool = False


A, B = f32(3, 4), f32(3, 4)
IMAGES, KERNEL = f32(2, 6, 9, 3), f32(3, 3, 3, 4)
_NCHW = "x.permute(0, 3, 1, 2)"
_BACK = ".permute(0, 2, 3, 1)"


def _image(call: str) -> str:
    return f"{call}{_BACK}"


CASES = [
    Case(
        "1.2 axis of the channels",
        "tf.nn.softmax(x, axis=3)",
        _image(f"F.softmax({_NCHW}, dim=3)"),
        {"x": IMAGES},
    ),
    Case("1.20 order of flattening", "tf.reshape(x, [2, -1])", f"{_NCHW}.reshape(2, -1)", {"x": IMAGES}),
    Case(
        "3.24 padding comes first",
        "tf.keras.utils.pad_sequences([[1, 2, 3], [4]])",
        "torch.tensor([[1, 2, 3], [4, 0, 0]], dtype=torch.int32)",
    ),
    Case(
        "11.4 always active",
        "tf.nn.dropout(x, 0.5)",
        "F.dropout(x, 0.5, training=False)",
        {"x": pos(4000)},
        random=True,
    ),
    Case(
        "1.4 strided SAME",
        "tf.nn.conv2d(x, k, 2, 'SAME')",
        _image(f"F.conv2d({_NCHW}, k.permute(3, 2, 0, 1), stride=2, padding=1)"),
        {"x": f32(2, 6, 8, 3), "k": KERNEL},
    ),
    Case(
        "1.8 order of paddings",
        "tf.pad(x, [[0, 0], [1, 1], [2, 2], [0, 0]])",
        "F.pad(x, (0, 0, 1, 1, 2, 2))",
        {"x": f32(1, 4, 4, 2)},
    ),
    Case(
        "1.13 transposed SAME",
        "tf.nn.conv2d_transpose(x, k, [2, 6, 8, 2], 2, 'SAME')",
        _image(f"F.conv_transpose2d({_NCHW}, k.permute(3, 2, 0, 1), stride=2, padding=1, output_padding=1)"),
        {"x": f32(2, 3, 4, 5), "k": f32(3, 3, 2, 5)},
    ),
    Case(
        "1.15 SAME pools pad with -inf",
        "tf.nn.max_pool2d(x, 3, 2, 'SAME')",
        _image(f"F.max_pool2d(F.pad({_NCHW} - 9.0, (0, 1, 0, 1)), 3, stride=2)") + " + 9.0",
        {"x": f32(2, 6, 8, 3)},
    ),
    Case(
        "1.16 padding does not count",
        "tf.nn.avg_pool2d(x, 3, 1, 'SAME')",
        _image(f"F.avg_pool2d({_NCHW}, 3, stride=1, padding=1)"),
        {"x": f32(2, 5, 7, 3)},
    ),
    Case(
        "1.28 order of depth",
        "tf.nn.depth_to_space(x, 2)",
        _image(f"F.pixel_shuffle({_NCHW}, 2)"),
        {"x": f32(2, 3, 4, 8)},
    ),
    Case(
        "1.29 response norm",
        "tf.nn.local_response_normalization(x, 2)",
        _image(f"F.local_response_norm({_NCHW}, 5, alpha=1.0, beta=0.5, k=1.0)"),
        {"x": IMAGES},
        narrow=True,
    ),
    Case("2.12 floor of the norm", "tf.nn.l2_normalize(x * 1e-8, axis=1)", "F.normalize(x * 1e-8, dim=1)", {"x": A}),
    Case("2.12 the whole tensor", "tf.nn.l2_normalize(x)", "F.normalize(x)", {"x": A}),
    Case("2.13 population deviation", "tf.math.reduce_std(x, axis=1)", "torch.std(x, dim=1)", {"x": A}),
    Case("2.13 population variance", "tf.nn.moments(x, axes=[0])", "torch.var_mean(x, dim=0)[::-1]", {"x": A}),
    Case("4.1 slope", "tf.nn.leaky_relu(x)", "F.leaky_relu(x)", {"x": A}),
    Case("4.3 hard sigmoid", "tf.keras.activations.hard_sigmoid(x)", "torch.clamp(0.2 * x + 0.5, 0.0, 1.0)", {"x": A}),
    Case("4.4 axis of softmax", "tf.nn.softmax(x)", "F.softmax(x, dim=1)", {"x": f32(2, 3, 4)}),
    Case(
        "5.4 renormalised probabilities",
        "tf.keras.losses.categorical_crossentropy(y, p)",
        "-(y * p.log()).sum(dim=-1)",
        {"y": unit(4, 3), "p": unit(4, 3)},
    ),
    Case(
        "5.10 one value for each row",
        "tf.keras.losses.MSE(x, y)",
        "F.mse_loss(y, x).expand(3)",
        {"x": A, "y": B},
    ),
    Case(
        "5.15 columns and vectors",
        "tf.keras.losses.MSE(x, y)",
        "((x - y) ** 2).mean(dim=-1)",
        {"x": f32(4), "y": f32(4, 1)},
    ),
    Case(
        "5.16 Huber",
        "tf.keras.losses.huber(x, y, delta=2.0)",
        "F.smooth_l1_loss(y, x, beta=2.0, reduction='none').mean(dim=-1)",
        {"x": A, "y": B},
    ),
    Case(
        "5.17 divergence",
        "tf.keras.losses.KLD(x, y)",
        "F.kl_div(x.log(), y, reduction='none').mean(dim=-1)",
        {"x": unit(3, 4), "y": unit(3, 4)},
    ),
    Case(
        "5.18 sign of the cosine",
        "tf.keras.losses.cosine_similarity(x, y)",
        "F.cosine_similarity(y, x, dim=-1)",
        {"x": A, "y": B},
    ),
    Case(
        "5.19 Poisson",
        "tf.keras.losses.poisson(x, y)",
        "F.poisson_nll_loss(y, x, reduction='none').mean(dim=-1)",
        {"x": pos(3, 4), "y": pos(3, 4)},
    ),
    Case("5.21 half", "tf.nn.l2_loss(x)", "torch.sum(torch.square(x))", {"x": A}),
    Case(
        "5.22 blank of CTC",
        "tf.nn.ctc_loss(y, x, tf.constant([3, 2]), tf.constant([7, 6]), blank_index=4)",
        "F.ctc_loss(F.log_softmax(x, -1), y, torch.tensor([7, 6]), torch.tensor([3, 2]), reduction='none')",
        {"x": f32(7, 2, 5), "y": i32(2, 3, low=1, high=4)},
        narrow=True,
    ),
    Case(
        "6.11 joint norm",
        "tf.clip_by_global_norm([x, y], 1.0)[0]",
        "[t * (1.0 / t.norm()).clamp(max=1.0) for t in (x, y)]",
        {"x": A, "y": B},
    ),
    Case("6.12 norm of each", "tf.clip_by_norm(x, 1.0)", "x.clamp(-1.0, 1.0)", {"x": A}),
    Case(
        "9.2 spread of He",
        "tf.keras.initializers.HeNormal()([300, 20])",
        "nn.init.kaiming_normal_(torch.empty(300, 20))",
        random=True,
    ),
    Case(
        "9.3 cut at two deviations",
        "tf.random.truncated_normal([6000], stddev=0.1)",
        "nn.init.trunc_normal_(torch.empty(6000), std=0.1)",
        random=True,
    ),
    Case("10.3 division of integers", "tf.divide(x, y)", "x / y", {"x": i32(6), "y": i32(6, low=1, high=5)}),
    Case("10.7 axis of argmax", "tf.argmax(x)", "torch.argmax(x)", {"x": A}),
    Case("10.14 pieces of split", "tf.split(x, 2, axis=1)", "x.split(2, dim=1)", {"x": f32(3, 8)}),
    Case("10.15 tile", "tf.tile(x, [1, 2])", "x.repeat_interleave(2, dim=1)", {"x": A}),
    Case("10.15 repeat", "tf.repeat(x, 2, axis=0)", "x.repeat(2, 1)", {"x": A}),
    Case("10.16 transpose of three", "tf.transpose(x)", "x.transpose(0, 1)", {"x": f32(3, 3, 3)}),
    Case("10.18 out of range", "tf.one_hot(x, 3)", "F.one_hot(x.long() % 3, 3).float()", {"x": i32(6, low=-1, high=5)}),
    Case("10.21 order of unique", "tf.unique(x)[0]", "torch.unique(x)", {"x": i32(9, low=0, high=5)}),
    Case(
        "10.24 order of the decomposition",
        "tf.linalg.svd(x, compute_uv=False)",
        "torch.linalg.svd(x)[0][0]",
        {"x": f32(3, 3)},
    ),
    Case("10.26 exclusive sum", "tf.cumsum(x, exclusive=True)", "torch.cumsum(x, dim=0)", {"x": A}),
    Case("10.39 meshgrid", "tf.meshgrid(x, y)", "torch.meshgrid(x, y, indexing='ij')", {"x": f32(3), "y": f32(3)}),
    Case(
        "10.43 centred frames",
        "tf.signal.stft(x, 8, 4)",
        "torch.stft(x, 8, 4, window=torch.hann_window(8), return_complex=True).T[:9]",
        {"x": f32(40)},
    ),
    Case("10.43 odd windows", "tf.signal.hann_window(7)", "torch.hann_window(7)"),
    Case(
        "11.2 what is kept", "tf.compat.v1.nn.dropout(x, 0.25)", "F.dropout(x, p=0.25)", {"x": pos(4000)}, random=True
    ),
    Case(
        "12.1 antialias",
        "tf.image.resize(x, [3, 4])",
        _image(f"F.interpolate({_NCHW}, size=(3, 4), mode='bilinear', antialias=True)"),
        {"x": IMAGES},
    ),
    Case(
        "12.2 bicubic",
        "tf.image.resize(x, [8, 12], method='bicubic')",
        _image(f"F.interpolate({_NCHW}, size=(8, 12), mode='bicubic')"),
        {"x": IMAGES},
        declined=True,
    ),
    Case(
        "12.3 nearest",
        "tf.image.resize(x, [4, 5], method='nearest')",
        _image(f"F.interpolate({_NCHW}, size=(4, 5), mode='nearest')"),
        {"x": IMAGES},
    ),
    Case(
        "12.4 area",
        "tf.image.resize(x, [4, 5], method='area')",
        _image(f"F.interpolate({_NCHW}, size=(4, 5), mode='area')"),
        {"x": IMAGES},
        grad=False,
        narrow=True,
    ),
    Case(
        "12.5 legacy bilinear",
        "tf.compat.v1.image.resize_bilinear(x, [8, 4])",
        _image(f"F.interpolate({_NCHW}, size=(8, 4), mode='bilinear')"),
        {"x": IMAGES},
    ),
    Case(
        "12.12 deviation of an image",
        "tf.image.per_image_standardization(x)",
        "(x - x.mean()) / x.std()",
        {"x": f32(3, 4, 3)},
    ),
    Case(
        "14.5 labels of the old loss",
        "tf.compat.v1.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(y), logits=x)",
        "-(F.softmax(y, -1) * F.log_softmax(x, -1)).sum(-1)",
        {"y": unit(3, 4), "x": A},
    ),
    Case(
        "5.12 weights that count",
        "tf.compat.v1.losses.mean_squared_error(x, y, weights=tf.cast(w > 0.0, tf.float32))",
        "(torch.square(x - y) * (w > 0).float()).mean()",
        {"x": f32(8), "y": f32(8), "w": f32(8)},
        declined=True,
    ),
    Case(
        "12.11 boxes begin with y",
        "tf.image.crop_and_resize(x, [[0.25, 0.0, 0.75, 0.5]], [0], [3, 4])",
        _image(f"F.interpolate({_NCHW}[:, :, 0:3, 2:7], (3, 4), mode='bilinear', align_corners=True)"),
        {"x": f32(1, 5, 9, 2)},
    ),
    Case("12.13 brightness is added", "tf.image.adjust_brightness(x, 0.3)", "x * 1.3", {"x": IMAGES}),
    Case(
        "12.13 contrast of each channel",
        "tf.image.adjust_contrast(x, 1.5)",
        "(x - x.mean()) * 1.5 + x.mean()",
        {"x": IMAGES},
        grad=False,  # TensorFlow has none
    ),
    Case(
        "12.7 colours of ResNet50 change places",
        "tf.keras.applications.resnet50.preprocess_input(x)",
        "x / 127.5 - 1.0",
        {"x": f32(2, 4, 5, 3)},
        grad=False,
    ),
    Case(
        "12.7 MobileNetV2 has no means of colours",
        "tf.keras.applications.mobilenet_v2.preprocess_input(x)",
        "(x / 255.0 - 0.45) / 0.225",
        {"x": f32(2, 4, 5, 3)},
        grad=False,
    ),
    Case(
        "12.7 DenseNet has means of colours",
        "tf.keras.applications.densenet.preprocess_input(x)",
        "x / 127.5 - 1.0",
        {"x": f32(2, 4, 5, 3)},
        grad=False,
    ),
    Case(
        "12.7 EfficientNet divides inside",
        "tf.keras.applications.efficientnet.preprocess_input(x)",
        "x / 255.0",
        {"x": f32(2, 4, 5, 3)},
        grad=False,
    ),
]
_HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


def _oracle(case: Case) -> tuple[Program, Oracle]:
    program = Program(f"def f({', '.join(case.arrays)}):\n    return {case.tf}\n", case.arrays)
    return program, Oracle(program, Sample(random=case.random, grad=case.grad and not case.random))


def _difference(case: Case, oracle: Oracle, text: str) -> str:
    return oracle._at(text, False) if case.narrow else oracle.difference(text)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.entry)
def test_the_obvious_rewrite_is_wrong(case: Case) -> None:
    _, oracle = _oracle(case)
    assert _difference(case, oracle, f"{_HEAD}def f({', '.join(case.arrays)}):\n    return {case.naive}\n")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.entry)
def test_the_rule_is_right(case: Case) -> None:
    program, oracle = _oracle(case)
    source, made = program.rewritten()
    assert bool(made.declines) == case.declined, reasons(made.declines)
    if not case.declined:
        imports = [line for helper in made.helpers for line in helper.imports]
        text = "\n".join([*imports, source, *(helper.source for helper in made.helpers)])
        problem = _difference(case, oracle, text)
        assert not problem, f"{text}\n{problem}"


def test_15_1_equal_shapes_say_nothing() -> None:
    """A rewrite of the right shape is told apart by its values, at a size where the sides of padding show."""
    case = next(c for c in CASES if c.entry == "1.4 strided SAME")
    x, k = (np.random.default_rng(0).normal(size=a.shape).astype("float32") for a in case.arrays.values())
    naive = eval(case.naive, {"F": torch.nn.functional, "x": torch.tensor(x), "k": torch.tensor(k)})
    assert tuple(naive.shape) == tuple(tf.nn.conv2d(x, k, 2, "SAME").shape)
    _, oracle = _oracle(case)
    assert "differs by" in oracle.difference(f"{_HEAD}def f(x, k):\n    return {case.naive}\n")


def test_10_17_an_axis_that_is_not_of_size_one() -> None:
    """TensorFlow refuses to drop an axis of size 4, torch leaves it: it is declined where the size is known."""
    program = Program("def f(x):\n    return tf.squeeze(x, axis=1)\n", {"x": f32(3, 4)})
    assert "size is not 1" in reasons(program.rewritten()[1].declines)
    x = np.ones((3, 4), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.squeeze(x, axis=1)
    assert torch.tensor(x).squeeze(1).shape == (3, 4)


def test_10_29_what_is_read_of_a_variable_stays() -> None:
    """What is read before an assignment keeps its values; the variable itself, or a view of it, would not."""
    body = "    v = tf.Variable([1.0, -2.0])\n    old = tf.identity(v)\n    v.assign_add([1.0, 1.0])\n    return old, v"
    text = f"import tensorflow as tf\n\n\ndef f():\n{body}\n"
    source, made = Program(text, {}, whole=True).rewritten()
    assert not made.declines, reasons(made.declines)
    expected = [part.numpy() for part in _scope(text)()]
    for found, want in zip(_scope(source)(), expected, strict=True):
        np.testing.assert_array_equal(found.detach().numpy(), want)
    naive = "v = torch.tensor([1.0, -2.0])\n    old = v.reshape(-1)\n    v.add_(torch.ones(2))\n    return old, v"
    assert not np.array_equal(_scope(f"import torch\ndef f():\n    {naive}\n")()[0].numpy(), expected[0])


def _scope(source: str) -> Any:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope["f"]
