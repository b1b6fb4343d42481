"""Tensor operations and arrays."""

from __future__ import annotations

import numpy as np
import pytest

from migrator.facts import analyse
from migrator.values import Span, Tensor
from tests.facts.programs import check

HEAD = "import numpy as np\nimport tensorflow as tf\nx = tf.zeros((2, 3, 4))\n"


def test_operations_have_shapes_and_dtypes() -> None:
    check("""
        import tensorflow as tf
        import numpy as np
        x = tf.zeros((2, 3, 4))  # float32[2, 3, 4]
        n = tf.constant([[1, 2], [3, 4]])  # int32[2, 2]
        a = tf.reduce_sum(x, axis=-1, keepdims=True)  # float32[2, 3, 1]
        b = tf.reduce_mean(x, [0, 1])  # float32[4]
        c = tf.reshape(x, (2, -1))  # float32[2, 12]
        d = tf.reshape(x, [-1])  # float32[24]
        e = tf.transpose(x)  # float32[4, 3, 2]
        f = tf.transpose(x, perm=[0, 2, 1])  # float32[2, 4, 3]
        g = tf.matmul(x, tf.transpose(x, [0, 2, 1]))  # float32[2, 3, 3]
        h = tf.matmul(x, x, transpose_b=True)  # float32[2, 3, 3]
        i = tf.concat([x, x], axis=-1)  # float32[2, 3, 8]
        j = tf.stack([x, x], 1)  # float32[2, 2, 3, 4]
        k, l = tf.split(x, 2, axis=-1)
        m = k  # float32[2, 3, 2]
        o = tf.expand_dims(x, 0)[..., tf.newaxis]  # float32[1, 2, 3, 4, 1]
        p = tf.argmax(x, axis=1)  # int64[2, 4]
        q = tf.cast(n, tf.float32)  # float32[2, 2]
        r = tf.one_hot(n, 5)  # float32[2, 2, 5]
        s = x[:, 0]  # float32[2, 4]
        t = x[..., 1:3]  # float32[2, 3, 2]
        u = x > 0  # bool[2, 3, 4]
        v = tf.where(x > 0, x, 0.0)  # float32[2, 3, 4]
        w = tf.gather(x, n, axis=1)  # float32[2, 2, 2, 4]
        y = x * 2.0 + x[0]  # float32[2, 3, 4]
        z = tf.pad(x, [[0, 0], [1, 1], [2, 0]])  # float32[2, 5, 6]
        """)


def test_more_operations() -> None:
    check("""
        import tensorflow as tf
        x = tf.ones((2, 3, 4))
        a = tf.tile(x, [1, 2, 1])  # float32[2, 6, 4]
        b = tf.squeeze(tf.ones((1, 3, 1)), axis=0)  # float32[3, 1]
        c = tf.range(0, 10, 3)  # int32[4]
        d = tf.nn.moments(x, axes=[1])  # (float32[2, 4], float32[2, 4])
        e = tf.math.top_k(x, k=2).values  # unknown
        f = tf.unstack(x, axis=1)  # [float32[2, 4], float32[2, 4], float32[2, 4]]
        g = tf.image.resize(tf.zeros((5, 8, 8, 3)), (4, 6))  # float32[5, 4, 6, 3]
        h = tf.nn.conv2d(tf.zeros((1, 8, 8, 3)), tf.zeros((3, 3, 3, 5)), 2, "SAME")  # float32[1, 4, 4, 5]
        i = tf.einsum("bij,bjk->bik", x, tf.ones((2, 4, 7)))  # float32[2, 3, 7]
        j = tf.nn.softmax(x)  # float32[2, 3, 4]
        k = tf.repeat(x, 2, axis=1)  # float32[2, 6, 4]
        l = tf.eye(3)  # float32[3, 3]
        m = tf.sequence_mask(tf.constant([1, 2]), maxlen=5)  # bool[2, 5]
        n = tf.meshgrid(tf.range(3), tf.range(4))  # [int32[4, 3], int32[4, 3]]
        o = tf.linalg.band_part(tf.ones((3, 3)), -1, 0)  # float32[3, 3]
        p = tf.broadcast_to(x[0], (5, 3, 4))  # float32[5, 3, 4]
        q = tf.boolean_mask(x, x[:, 0, 0] > 0)  # float32[?, 3, 4]
        r = tf.slice(x, [0, 1, 0], [2, -1, 2])  # float32[2, 2, 2]
        s = tf.Variable(tf.zeros((3, 2)))  # Vfloat32[3, 2]
        t = s + 1  # float32[3, 2]
        u = tf.tensordot(x, tf.ones((4, 5)), axes=1)  # float32[2, 3, 5]
        v = tf.zeros_like(x, dtype=tf.int32)  # int32[2, 3, 4]
        """)


def test_shapes_are_values() -> None:
    check("""
        import tensorflow as tf
        x = tf.zeros((2, 3, 4))
        a = x.shape  # shape(2, 3, 4)
        b = x.shape[-1]  # 4
        c = tf.shape(x)[1]  # 3
        d = x.get_shape().as_list()[1:]  # shape(3, 4)
        e, f, g = x.shape
        h = e * f * g  # 24
        i = tf.reshape(x, (x.shape[0], -1))  # float32[2, 12]
        j = len(x.shape)  # 3
        k = x.dtype  # float32
        l = tf.rank(x)  # 3
        """)


def test_numpy_arrays() -> None:
    check("""
        import numpy as np
        a = np.zeros((2, 3))  # Nfloat64[2, 3]
        b = np.random.rand(4, 5).astype("float32")  # Nfloat32[4, 5]
        c = np.expand_dims(a, -1)  # Nfloat64[2, 3, 1]
        d = a.reshape(3, 2).T  # Nfloat64[2, 3]
        e = np.random.randint(0, 10, size=(7,))  # Nint64[7]
        f = np.load("x.npz")  # unknown
        g = np.concatenate([a, a], axis=0)  # Nfloat64[4, 3]
        h = a.mean(axis=0)  # Nfloat64[3]
        i = a[:, None] / 255.0  # Nfloat64[2, 1, 3]
        j = np.array([[1.0, 2.0]], dtype=np.float32)  # Nfloat32[1, 2]
        k = np.argmax(a, axis=1)  # Nint64[2]
        l = np.random.normal(0, 1, (3, 4))  # Nfloat64[3, 4]
        rng = np.random.default_rng(0)
        m = rng.normal(size=(2, 5)).astype("float32")  # Nfloat32[2, 5]
        n = rng.integers(0, 9, 4)  # Nint64[4]
        o = np.random.RandomState(1).rand(3)  # Nfloat64[3]
        """)


def test_what_is_not_known_stays_open() -> None:
    check("""
        import tensorflow as tf
        def f(x, n, axis):
            a = tf.reduce_sum(x, axis=axis)  # any[...]
            b = tf.reshape(x, (n, -1))  # any[n, ?]
            c = tf.concat([x, x], axis=axis)  # any[...]
            d = tf.zeros((n, 3))  # float32[n, 3]
            e = x.shape[-1]  # int
            g = tf.expand_dims(x, -1)  # any[..., 1]
            h = tf.nn.relu(x) + 1.0  # any[...]
            i = tf.unknown_function(x)  # unknown
            return a
        """)


CASES = [
    "tf.reduce_max(x, 1)", "tf.reduce_any(x > 0)", "tf.reshape(x, (-1, 4))", "tf.transpose(x, (2, 0, 1))",
    "tf.concat([x, x], 0)", "tf.stack([x, x], -1)", "tf.split(x, [1, 3], axis=-1)[1]", "x[0, ..., None]",
    "x[:, ::2]", "x[:, -1:]", "x[1:, None, 1]", "tf.squeeze(x[:1])", "tf.one_hot(tf.constant([1, 2]), 3, axis=0)",
    "tf.matmul(x, tf.ones((4, 5)))", "tf.matmul(x, x, transpose_a=True)", "tf.range(5)", "tf.range(1, 9, 2)",
    "tf.cast(x, tf.int32)", "tf.argmin(x)", "tf.gather(x, [0, 1], axis=2)", "tf.gather(x, tf.constant([[0], [1]]))",
    "tf.tile(x, (2, 1, 3))", "tf.pad(x, ((1, 2), (0, 0), (3, 3)))", "tf.where(x > 0)[:, 0]", "tf.nn.l2_loss(x)",
    "tf.nn.top_k(x, 2)[1]", "tf.expand_dims(x, -2)", "tf.reduce_mean(x, axis=(0, 2), keepdims=True)",
    "tf.keras.losses.MeanSquaredError()(x, x)", "tf.linspace(0.0, 1.0, 7)", "x @ tf.ones((4, 2))", "x // 2",
    "tf.constant(3.5)", "tf.fill((2, 2), 7)", "tf.gather_nd(x, tf.constant([[0, 1], [1, 2]]))", "tf.cumsum(x, axis=1)",
    "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.zeros((2, 3), tf.int32), logits=x)",
    "tf.keras.utils.to_categorical(np.array([1, 2]), 4)", "tf.math.reduce_std(x, 0)", "tf.norm(x, axis=-1)",
]  # fmt: skip


@pytest.fixture(scope="module")
def live() -> dict[str, object]:
    import tensorflow as tf

    return {"tf": tf, "np": np, "x": tf.zeros((2, 3, 4))}


@pytest.mark.parametrize("text", CASES)
def test_shapes_agree_with_tensorflow(text: str, live: dict[str, object]) -> None:
    """What the evaluator claims of an operation is what TensorFlow gives."""
    facts = analyse({"m": f"{HEAD}y = {text}\n"})
    assert not facts.errors
    value = facts.modules["m"].at(Span(4, 0, 4, 1))
    actual = eval(text, dict(live))
    assert isinstance(value, Tensor), value
    assert value.shape is not None
    assert len(value.shape) == len(actual.shape)
    assert all(claim in (None, real) for claim, real in zip(value.shape, actual.shape, strict=True))
    assert value.dtype in (None, getattr(actual.dtype, "name", None))


def test_indexing_by_arrays_masks_and_lists() -> None:
    check("""
        import numpy as np
        x = np.zeros((6, 4, 3), "float32")
        rows = np.random.randint(0, 6, 5)
        grid = np.zeros((2, 5), "int64")
        a = x[rows]  # Nfloat32[5, 4, 3]
        b = x[rows, :]  # Nfloat32[5, 4, 3]
        c = x[:, [0, 2]]  # Nfloat32[6, 2, 3]
        d = x[grid]  # Nfloat32[2, 5, 4, 3]
        e = x[..., rows]  # Nfloat32[6, 4, 5]
        f = x[:, None, rows, 1:]  # Nfloat32[6, 1, 5, 2]
        g = x[rows, rows]  # Nfloat32[...]
        h = x[0, rows]  # Nfloat32[...]
        i = x[x > 0]  # Nfloat32[?]
        j = x[x[:, :, 0] > 0]  # Nfloat32[?, 3]

        def draw(n):
            return x[np.random.choice(6, n)]

        k = draw(2)  # Nfloat32[2, 4, 3]
        """)


def test_what_tensorflow_computes_of_arrays_is_tensors() -> None:
    check("""
        import tensorflow as tf
        import numpy as np
        a = np.zeros((2, 3))
        b = np.zeros((2, 3), "float32")
        c = tf.abs(b)  # float32[2, 3]
        d = c * a  # float32[2, 3]
        e = a - tf.cast(a, tf.float64)  # float64[2, 3]
        """)


def test_of_some_operations_it_is_known_that_they_give_a_tensor() -> None:
    check("""
        import tensorflow as tf
        a = tf.math.confusion_matrix([0, 1], [1, 1])  # any[...]
        b = tf.linalg.det(tf.eye(3))  # any[...]
        c = tf.random.stateless_normal((2,), [1, 2], dtype=tf.float16)  # float16[...]
        """)


def test_blocks_of_pixels() -> None:
    check("""
        import tensorflow as tf

        def f(x: tf.Tensor, block):
            return tf.nn.depth_to_space(x, block)

        x = tf.ones((2, 8, 6, 12))
        a = tf.nn.depth_to_space(x, 2)  # float32[2, 16, 12, 3]
        b = tf.nn.space_to_depth(x, block_size=2)  # float32[2, 4, 3, 48]
        c = tf.nn.space_to_depth(x, 4)  # float32[2, 2, ?, 192]
        d = tf.nn.depth_to_space(x, 2, data_format="NCHW")  # float32[?, ?, ?, ?]
        e = tf.nn.depth_to_space(tf.ones((2, 8, 6, 4)), f)  # float32[2, ?, ?, ?]
        """)
