"""What a tensor or a generator's sample is to look like: `tf.TensorSpec` as a named tuple."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.args import Code
from migrator.rules.engine.registry import attribute, rule
from migrator.rules.engine.samples import block, no_grad
from migrator.rules.ops.pieces import dtype_name, on_arguments, torch_dtype

TensorSpec = Helper(
    "TensorSpec",
    '''class TensorSpec(NamedTuple):
    """The shape, dtype and name of a tensor; sizes that are open are None."""

    shape: Any
    dtype: Any
    name: Any = None
''',
    ("from typing import Any, NamedTuple",),
)

_TEXTS = (
    "spec = tf.TensorSpec((2, None), tf.int32, 'x')\nreturn spec.name, spec.shape[0], spec.shape[1]",
    "spec = tf.TensorSpec(shape=[3], name='y')\nreturn spec.name, spec.shape[0]",
    "specs = {'a': tf.TensorSpec([], tf.float64)}\nreturn tf.zeros(specs['a'].shape, specs['a'].dtype)",
    "return tf.ones((2,), tf.TensorSpec((None,)).dtype)",
)
_SAMPLES = [no_grad(block(text)) for text in _TEXTS]


@on_arguments
def bytes_or_numbers(dtype: object) -> object:
    """The dtype in torch; text is bytes."""
    return Code("bytes") if dtype_name(dtype) == "string" else torch_dtype(dtype) or Code("torch.float32")


@rule("tf.TensorSpec", samples=_SAMPLES)
def spec(shape, dtype="float32", name=None):
    width = bytes_or_numbers(dtype)
    return TensorSpec(shape, width) if name is None else TensorSpec(shape, width, name=name)


attribute("tf.TensorSpec.shape", "x.shape", samples=_SAMPLES)
attribute("tf.TensorSpec.dtype", "x.dtype", samples=_SAMPLES)
attribute("tf.TensorSpec.name", "x.name", samples=_SAMPLES)
