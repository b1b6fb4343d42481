"""Changing variables, and growing arrays of tensors."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import method, rule
from migrator.rules.engine.samples import block, f32
from migrator.rules.ops.pieces import torch_dtype

_CHANGED = "v = tf.Variable([1.0, 2.0, 3.0])\n{}\nreturn v * 1.0"


@rule(
    "tf.compat.v1.assign",
    samples=[
        block(_CHANGED.format("tf.compat.v1.assign(v, a)"), a=f32(3)),
        block(_CHANGED.format("tf.compat.v1.assign(v, v * 2.0)")),
    ],
)
def assign(ref, value: Tensor, validate_shape: Ignored = None, use_locking: Ignored = None, name=None):
    return ref.copy_(value)


@rule("tf.compat.v1.assign_add", samples=[block(_CHANGED.format("tf.compat.v1.assign_add(v, a)"), a=f32(3))])
def assign_add(ref, value, use_locking: Ignored = None, name=None):
    return ref.add_(value)


@rule("tf.compat.v1.assign_sub", samples=[block(_CHANGED.format("tf.compat.v1.assign_sub(v, a)"), a=f32(3))])
def assign_sub(ref, value, use_locking: Ignored = None, name=None):
    return ref.sub_(value)


_ROWS = "v = tf.Variable(tf.ones([4, 2]))\n{}\nreturn v * 1.0"


@rule(
    "tf.compat.v1.scatter_update",
    samples=[block(_ROWS.format("tf.compat.v1.scatter_update(v, tf.constant([2, 0]), a)"), a=f32(2, 2))],
)
def scatter_update(ref, indices: Tensor, updates: Tensor, use_locking: Ignored = True, name=None):
    return ref.index_copy_(0, indices.long(), updates)


@rule(
    "tf.compat.v1.scatter_add",
    samples=[block(_ROWS.format("tf.compat.v1.scatter_add(v, tf.constant([2, 2]), a)"), a=f32(2, 2))],
)
def scatter_add(ref, indices: Tensor, updates: Tensor, use_locking: Ignored = False, name=None):
    return ref.index_add_(0, indices.long(), updates)


TENSOR_ARRAY = Helper(
    "TensorArray",
    '''class TensorArray:
    """A growing list of tensors of one dtype, written by position; what is not written counts as zeros."""

    def __init__(self, dtype, size=0):
        self.dtype, self.items = dtype, [None] * int(size)

    def write(self, index, value):
        self.items += [None] * (int(index) + 1 - len(self.items))
        self.items[int(index)] = torch.as_tensor(value, dtype=self.dtype)
        return self

    def read(self, index):
        return self.items[int(index)]

    def size(self):
        return len(self.items)

    def unstack(self, value):
        self.items = list(value.unbind(0))
        return self

    def _filled(self):
        known = next(item for item in self.items if item is not None)
        return [torch.zeros_like(known) if item is None else item for item in self.items]

    def stack(self):
        return torch.stack(self._filled())

    def concat(self):
        return torch.cat(self._filled())

    def gather(self, indices):
        items = self._filled()
        return torch.stack([items[int(i)] for i in indices])
''',
    ("import torch",),
)
TensorArray = TENSOR_ARRAY
_FILLED = "ta = tf.TensorArray(tf.float32, size={})\nfor i in range(3):\n    ta = ta.write(i, a[i] * 2.0)\nreturn {}"


@rule(
    "tf.TensorArray",
    samples=[
        block(_FILLED.format("3", "ta.stack()"), a=f32(3, 2)),
        block(_FILLED.format("0, dynamic_size=True", "ta.stack()"), a=f32(3)),
        block(_FILLED.format("5", "ta.stack()"), a=f32(3, 2)),
        block(_FILLED.format("3", "ta.concat()"), a=f32(3, 2)),
        block(_FILLED.format("3", "ta.gather([2, 0])"), a=f32(3, 2)),
        block("ta = tf.TensorArray(tf.float32, 3).unstack(a)\nreturn ta.read(1) + ta.read(2)", a=f32(3, 2)),
        block(
            "ta = tf.TensorArray(dtype=tf.int32, size=2)\nta = ta.write(0, 3)\nta = ta.write(1, 4)\nreturn ta.stack()"
        ),
    ],
)
def tensor_array(
    dtype,
    size=None,
    dynamic_size: Ignored = None,
    clear_after_read: Ignored = None,
    tensor_array_name: Ignored = None,
    handle=None,
    flow=None,
    infer_shape: Ignored = True,
    element_shape: Ignored = None,
    colocate_with_first_write_call: Ignored = True,
    name=None,
):
    target = torch_dtype(dtype)
    if handle is not None or flow is not None:
        raise Decline("a handle of an array in a graph")
    if size is None:
        return TensorArray(target)
    return TensorArray(target, size)


@method("tf.TensorArray.write", samples=())
def write(self, index, value, name=None):
    return self.write(index, value)


@method("tf.TensorArray.read", samples=())
def read(self, index, name=None):
    return self.read(index)


@method("tf.TensorArray.stack", samples=())
def stack(self, name=None):
    return self.stack()


@method("tf.TensorArray.concat", samples=())
def concat(self, name=None):
    return self.concat()


@method("tf.TensorArray.gather", samples=())
def gather(self, indices, name=None):
    return self.gather(indices)


@method("tf.TensorArray.unstack", samples=())
def unstack(self, value: Tensor, name=None):
    return self.unstack(value)


@method("tf.TensorArray.size", samples=())
def size(self, name=None):
    return self.size()


@method("tf.TensorArray.mark_used", samples=())
def mark_used(self):
    return None


@method("tf.TensorArray.close", samples=())
def close(self, name=None):
    return None
