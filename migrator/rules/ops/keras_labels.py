"""`tf.keras.utils` on labels: one-hot rows."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, Sample, block, declines, i32, i64, no_grad
from migrator.rules.ops.pieces import dtype_name

_OF_ARRAYS = """    x = np.asarray(x, dtype="int64")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
"""
to_categorical = Helper(
    "to_categorical",
    f'''def to_categorical(x, num_classes=None):
    """One-hot rows of integer labels, (n, num_classes) of (n,) and of (n, 1) alike."""
    if torch.is_tensor(x):
        x = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
        return (x[..., None] == torch.arange(num_classes, device=x.device)).float()
{_OF_ARRAYS}    return np.eye(num_classes or x.max() + 1)[x]
''',
    ("import numpy as np", "import torch"),
)
old_to_categorical = Helper(
    "to_categorical",
    f'''def to_categorical(x, num_classes=None, dtype="float32"):
    """One-hot rows of integer labels, (n, num_classes) of (n,) and of (n, 1) alike."""
{_OF_ARRAYS}    return np.eye(num_classes or x.max() + 1, dtype=dtype)[x]
''',
    ("import numpy as np",),
)

_LABELS = (
    "np.array([[1], [3], [0]]), 5",
    "np.array([1, 3, 0, 3]), num_classes=4",
    "[2, 0, 1]",
    "np.array([[1, 2], [0, 1], [3, 0]])",
    "np.array([[[1]], [[0]]])",
    "3, 4",
    "np.array([1.0, 2.7]), 4",
    "np.array([-1, 2]), 4",
    "np.array([[7]], dtype='uint8'), 10",
)


def _samples(suffix: str) -> list[Sample]:
    calls = [f"return tf.keras.utils.to_categorical({arguments}){suffix}" for arguments in _LABELS]
    loud = f"try:\n    return tf.keras.utils.to_categorical([5], 4){suffix}\nexcept IndexError:\n    return 0"
    return [no_grad(block(text)) for text in (*calls, loud)]


_TENSORS = [S(i64(5, low=-2, high=6), 4), S(i32(3, 1, low=0, high=3), num_classes=3), S(i32(2, 3, low=0, high=3), 2)]


@rule("tf.keras.utils.to_categorical", keras=3, samples=[*_samples(""), *_TENSORS, declines(i32(3))])
def categorical(x, num_classes=None, *, kind):
    if num_classes is None and kind == "tensor":
        raise Decline("`num_classes` is not given")
    return to_categorical(x) if num_classes is None else to_categorical(x, num_classes)


@rule("tf.keras.utils.to_categorical", keras=2, samples=_samples(".astype('float32')"))
def old_categorical(y, num_classes=None, dtype="float32"):
    if dtype_name(dtype) not in ("float32", "float64", "int32", "uint8"):
        raise Decline("a dtype that is not known")
    width = dtype_name(dtype)
    return old_to_categorical(y, num_classes=num_classes, dtype=width)
