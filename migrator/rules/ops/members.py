"""Methods and attributes of tensors, variables and shapes."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.asked import is_integer, is_made_here, is_variable
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import attribute, method, rule
from migrator.rules.engine.samples import S, block, declined_block, f32, i32, no_grad, src

if TYPE_CHECKING:
    import torch

_CHANGED = (
    "v, n, s = tf.Variable([1.0, -2.0]), tf.Variable([3, 4]), tf.Variable(2.5)\n"
    "v.{0}([1.0, 0.5])\nv.{0}(np.ones(2, 'float32'))\nv.{0}(tf.constant([0.25, 0.5]))\nn.{0}([1, -1])\n"
    "s.{0}(2.0)\nreturn v * 1.0, n + 0, s * 1.0"
)
_SOME = [no_grad(S(f32(2, 3)))]

attribute("Tensor.shape", "x.shape", samples=_SOME)
attribute("Tensor.dtype", "x.dtype")
attribute("Tensor.ndim", "x.ndim", samples=_SOME)
attribute("Shape.rank", "len(x)", samples=[no_grad(S(src("a.shape", a=f32(2, 3))))])
attribute("Shape.ndims", "len(x)", samples=[no_grad(S(src("a.shape", a=f32(2, 3))))])
attribute("Variable.trainable", "x.requires_grad")


_KEPT = "v = tf.Variable([1.0, 2.0])\nold = {}\nv.assign([3.0, 4.0])\nreturn old * 1.0"


@method(
    "Tensor.numpy",
    samples=[
        no_grad(S(f32(2, 3))),
        no_grad(S(i32(4))),
        *(no_grad(block(_KEPT.format(f"{kept}.numpy()"))) for kept in ("v", "v[:1]", "tf.reshape(v, [1, 2])[0]")),
    ],
)
def numpy(self, *, dtype):
    if is_variable(self):
        return self.detach().cpu().numpy().copy()
    if is_integer(dtype) or dtype == "bool":
        return self.cpu().numpy()
    return self.detach().cpu().numpy()


@method("Number.numpy", samples=[no_grad(S(src("tf.shape(a)[0]", a=f32(2, 3))))])
def number_numpy(self):
    return self


for _api in ("backend.get_value", "backend.eval", "ops.convert_to_numpy"):

    @rule(
        f"tf.keras.{_api}",
        samples=[no_grad(S(f32(2, 3))), no_grad(block(_KEPT.format(f"tf.keras.{_api}(v)")))],
    )
    def as_array(x: Tensor):
        if is_variable(x):
            return x.detach().cpu().numpy().copy()
        return x.detach().cpu().numpy()


@method("Tensor.get_shape", samples=_SOME)
def get_shape(self, name: Ignored = None):
    return self.shape


@method("Shape.as_list", samples=[no_grad(S(src("a.shape", a=f32(2, 3))))])
def as_list(self):
    return list(self)


@method(
    "Shape.numpy",
    samples=[no_grad(S(src("tf.shape(a)", a=f32(2, 3)))), no_grad(S(src("tf.shape(a)[1:]", a=f32(2, 3))))],
)
def shape_numpy(self):
    return torch.tensor(self).numpy()


@method("Variable.assign", samples=())
def assign(self, value: Tensor, use_locking: Ignored = False, name=None, read_value: Ignored = True):
    return self.copy_(value)


@method("Variable.assign_add", samples=[block(_CHANGED.format("assign_add"))])
def assign_add(self, delta, use_locking: Ignored = False, name=None, read_value: Ignored = True, *, kind_delta):
    if kind_delta == "sequence":
        return self.add_(torch.tensor(delta, device=self.device))
    return self.add_(torch.as_tensor(delta, device=self.device)) if kind_delta == "numpy" else self.add_(delta)


@method("Variable.assign_sub", samples=[block(_CHANGED.format("assign_sub"))])
def assign_sub(self, delta, use_locking: Ignored = False, name=None, read_value: Ignored = True, *, kind_delta):
    if kind_delta == "sequence":
        return self.sub_(torch.tensor(delta, device=self.device))
    return self.sub_(torch.as_tensor(delta, device=self.device)) if kind_delta == "numpy" else self.sub_(delta)


@method("Variable.read_value", samples=())
def read_value(self):
    return self.clone()


@method("Variable.value", samples=())
def value(self):
    return self.clone()


_DECLARED = "for t in [a, b]:\n    t.set_shape([None] + list(t.shape[1:]))\na.set_shape([None, 3])\nreturn a + b"


@method(
    "Tensor.set_shape",
    samples=[block(_DECLARED, a=f32(2, 3), b=f32(2, 3)), declined_block("tf.exp(a).set_shape([2, 3])", a=f32(2, 3))],
)
def set_shape(self: Ignored, shape: Ignored):
    if is_made_here(self):
        raise Decline("a shape is declared of something made for it")
    return
