"""Variables, printing, clipping of gradients, and what only TensorFlow needs."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, block, declines, f32, i32, no_grad, src
from migrator.rules.engine.template import device_here
from migrator.rules.ops.create import no_strings
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import time

    import torch

clip_by_global_norm = Helper(
    "clip_by_global_norm",
    '''def clip_by_global_norm(tensors, max_norm):
    """The tensors scaled so that their joint norm is at most `max_norm`, and that norm."""
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t) for t in tensors]))
    scale = max_norm / torch.clamp(norm, min=max_norm)
    return [t * scale for t in tensors], norm
''',
    ("import torch",),
)

_LIST = src("[a, b]", a=f32(2, 3), b=f32(4))


@rule("tf.clip_by_global_norm", samples=[S(_LIST, 1.0), S(_LIST, clip_norm=50.0)])
def clip(t_list, clip_norm, use_norm=None, name=None):
    if use_norm is not None:
        raise Decline("`use_norm` is given")
    return clip_by_global_norm(t_list, clip_norm)


same(
    "tf.linalg.global_norm",
    "torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t) for t in t_list]))",
    "t_list, name=None",
    samples=[S(_LIST)],
)


def may_train(value: object, dtype: object, kind: object, known: object) -> bool:
    """Whether a variable's value is floating, so that torch can take its gradient."""
    if isinstance(dtype, str):
        return is_float(dtype)
    if isinstance(value, (list, tuple)):
        return any(may_train(item, None, None, None) for item in value)
    if isinstance(value, (bool, int)):
        return False
    if isinstance(value, float):
        return True
    if known is None:
        raise Decline("the dtype of the variable is not known")
    return is_float(str(known))


@rule(
    "tf.Variable",
    samples=[
        S(2.0),
        S([1.0, 2.0]),
        S(3),
        S(f32(2, 3)),
        S(i32(3)),
        S(1.5, trainable=False),
        S(f32(2, 3), dtype=src("tf.float32")),
        declines(f32(2), dtype=src("tf.float64")),
    ],
)
def variable(
    initial_value,
    trainable=None,
    validate_shape: Ignored = True,
    caching_device: Ignored = None,
    name=None,
    variable_def=None,
    dtype=None,
    import_scope=None,
    constraint=None,
    synchronization: Ignored = None,
    aggregation: Ignored = None,
    shape: Ignored = None,
    experimental_enable_variable_lifting: Ignored = True,
    *,
    kind,
    dtype_initial_value,
):
    no_strings(initial_value)
    if variable_def is not None or import_scope is not None or constraint is not None:
        raise Decline("a definition, scope or constraint is given")
    target = torch_dtype(dtype)
    floats = may_train(initial_value, dtype, kind, dtype_initial_value)
    train = floats and (trainable is None or trainable)
    if kind == "tensor":
        if dtype is not None and (not isinstance(dtype, str) or dtype_initial_value not in (None, dtype)):
            raise Decline("a tensor with a dtype")  # TensorFlow raises where they differ
        return initial_value.detach().clone().requires_grad_() if train else initial_value.detach().clone()
    if train:
        return torch.tensor(initial_value, dtype=target, device=device_here, requires_grad=True)
    if kind == "number" and not floats:  # a counter
        return torch.tensor(initial_value, dtype=target)
    return torch.tensor(initial_value, dtype=target, device=device_here)


@rule("tf.print", samples=(), gaps=["the format of tensors differs"])
def tf_print(*inputs, output_stream=None, summarize: Ignored = 3, sep=" ", end="\n", name=None):
    if output_stream is not None:
        raise Decline("`output_stream` is given")
    if sep != " " and end != "\n":
        return print(*inputs, sep=sep, end=end)
    if sep != " ":
        return print(*inputs, sep=sep)
    return print(*inputs, end=end) if end != "\n" else print(*inputs)


@rule(
    "tf.timestamp",
    samples=[
        no_grad(
            block("begin = tf.timestamp()\nend = tf.timestamp()\nreturn end >= begin, end - begin < 60.0, begin > 1e9")
        )
    ],
)
def timestamp(name: Ignored = None):
    return torch.tensor(time.time(), dtype=torch.float64)


same("tf.executing_eagerly", "True", "", samples=())
