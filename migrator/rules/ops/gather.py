"""Picking, sorting and scattering elements."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.asked import is_float
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, boolean, f32, i32, i64, known_gap, no_grad, src
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

_PICK = i32(4, low=0, high=3)


@rule(
    "tf.gather",
    samples=[
        S(f32(3, 2), _PICK),
        S(f32(3, 2), [0, 2]),
        S(f32(3, 2), 1),
        S(f32(2, 3), _PICK, axis=1),
        S(f32(2, 4, 3), _PICK, axis=-1),
        S(f32(2, 4, 3), i32(2, 2, low=0, high=3), axis=2),
        S(f32(5, 3), i32(5, 2, low=0, high=3), batch_dims=1),
        S(f32(5, 3, 2), i32(5, 2, low=0, high=3), batch_dims=1),
        S(f32(5, 3, 2), i64(5, low=0, high=3), axis=1, batch_dims=1),
        S(f32(2, 3, 4, 5), _PICK, axis=3),
        S(f32(2, 3, 4), _PICK, axis=-2),
        S(f32(2, 3, 4, 2), i32(2, 3, 5, low=0, high=4), batch_dims=2),
        S(f32(2, 3, 4), i32(2, 3, low=0, high=4), axis=2, batch_dims=2),
    ],
    gaps=["a negative index counts from the end in torch"],
)
def gather(
    params: Tensor,
    indices,
    validate_indices: Ignored = None,
    axis=None,
    batch_dims=0,
    name=None,
    *,
    rank,
    rank_indices,
    kind_indices,
):
    picked = torch.as_tensor(indices) if kind_indices == "numpy" else indices
    if batch_dims == 0:
        if axis is None or axis == 0:
            return params[picked]
        if axis == -1:
            return params[..., picked]
        if axis == 1:
            return params[:, picked]
        if axis == 2:
            return params[:, :, picked]
        if axis == 3:
            return params[:, :, :, picked]
        if axis == -2:
            return params[..., picked, :]
        raise Decline("an axis beyond the fourth")
    if axis is not None and axis != batch_dims:
        raise Decline("an axis behind the batch")
    if batch_dims < 0 or kind_indices == "sequence":
        raise Decline("these batch_dims")
    if batch_dims > 1 or rank_indices is None or rank_indices > 2:
        return gather_in_batch(params, picked, batch_dims)
    if rank_indices == 1:
        return params[torch.arange(params.shape[0], device=params.device), picked]
    if rank_indices == 2:
        return params[torch.arange(params.shape[0], device=params.device)[:, None], picked]
    raise Decline("indices without a batch")


gather_in_batch = Helper(
    "gather_in_batch",
    '''def gather_in_batch(params, indices, batch_dims):
    """Entries of `params` along its axis `batch_dims`, picked by indices that share the axes before."""
    lead = params.shape[:batch_dims]
    rows = params.reshape(lead.numel(), *params.shape[batch_dims:])
    picked = indices.reshape(lead.numel(), -1)
    found = rows[torch.arange(lead.numel(), device=params.device)[:, None], picked]
    return found.reshape(*indices.shape, *params.shape[batch_dims + 1 :])
''',
    ("import torch",),
)


@rule(
    "tf.gather_nd",
    samples=[
        S(f32(3, 4), i32(5, 2, low=0, high=3)),
        S(f32(3, 4), i32(5, 1, low=0, high=3)),
        S(f32(3, 4), [[0, 1], [2, 3]]),
        S(f32(3, 4, 2), i32(2, 5, 2, low=0, high=3)),
        S(f32(3, 4, 5), i32(3, 2, 1, low=0, high=4), batch_dims=1),
        S(f32(3, 4, 5), i32(3, 2, low=0, high=4), batch_dims=1),
    ],
)
def gather_nd(params: Tensor, indices: Tensor, batch_dims=0, name=None, bad_indices_policy=""):
    if bad_indices_policy != "":
        raise Decline("`bad_indices_policy` is given")
    if batch_dims == 1:
        return torch.stack([p[tuple(i.unbind(-1))] for p, i in zip(params, indices, strict=True)])
    if batch_dims != 0:
        raise Decline("`batch_dims` beyond the first")
    return params[indices.unbind(-1)]


@rule(
    "tf.tensor_scatter_nd_update",
    samples=[
        no_grad(S(i32(8), [[4], [3]], [9, 10])),
        S(f32(5, 2), src("[[0], [3]]"), f32(2, 2)),
        S(f32(3, 4), src("[[0, 1], [2, 3]]"), f32(2)),
    ],
)
def tensor_scatter_nd_update(
    tensor: Tensor, indices: Tensor, updates: Tensor, name=None, *, dtype_tensor, dtype_updates
):
    if not (is_float(dtype_tensor) and dtype_tensor == dtype_updates):  # both must agree
        return tensor.index_put(indices.long().unbind(-1), updates.to(tensor.dtype))
    return tensor.index_put(indices.long().unbind(-1), updates)


@rule(
    "tf.tensor_scatter_nd_add",
    samples=[
        no_grad(S(i32(8), [[4], [4]], [9, 10])),
        S(f32(5, 2), i32(4, 1, low=0, high=5), f32(4, 2)),
    ],
)
def tensor_scatter_nd_add(
    tensor: Tensor, indices: Tensor, updates: Tensor, bad_indices_policy="", name=None, *, dtype_tensor, dtype_updates
):
    if bad_indices_policy != "":
        raise Decline("`bad_indices_policy` is given")
    if not (is_float(dtype_tensor) and dtype_tensor == dtype_updates):
        return tensor.index_put(indices.long().unbind(-1), updates.to(tensor.dtype), accumulate=True)
    return tensor.index_put(indices.long().unbind(-1), updates, accumulate=True)


@rule(
    "tf.scatter_nd",
    samples=[
        S(i32(4, 1, low=0, high=5), f32(4, 2), [5, 2]),
        S(i32(4, 1, low=0, high=5), f32(4), src("tf.shape(a)", a=f32(6))),
        S(i32(4, 1, low=0, high=5), f32(4), src("b", b=i32(1, low=6, high=7))),
    ],
)
def scatter_nd(indices: Tensor, updates: Tensor, shape, bad_indices_policy="", name=None, *, kind_shape):
    if bad_indices_policy != "":
        raise Decline("`bad_indices_policy` is given")
    if kind_shape is None:
        raise Decline("whether the shape is a tensor or a tuple is not known")
    if kind_shape == "tensor":
        return updates.new_zeros(shape.tolist()).index_put(indices.long().unbind(-1), updates, accumulate=True)
    return updates.new_zeros(shape).index_put(indices.long().unbind(-1), updates, accumulate=True)


@rule(
    "tf.where",
    samples=[
        S(boolean(3, 4), f32(3, 4), f32(3, 4)),
        S(boolean(5), f32(5), 0.0),
        S(boolean(4), 1.0, 0.0),
        S(boolean(4), 1, 0),
        S(boolean(3, 1), f32(3, 4), f32(4)),
        S(boolean(3, 4)),
        S(condition=src("x > 0.0", x=f32(4)), x=f32(4), y=f32(4)),
    ],
)
def where(condition: Tensor, x=None, y=None, name=None, *, kind_x, kind_y):
    if x is None:
        return torch.nonzero(condition)
    if kind_x in ("sequence", "numpy") or kind_y in ("sequence", "numpy"):
        raise Decline("a list or an array as value")
    return torch.where(condition, x, y)


@rule(
    "tf.boolean_mask",
    samples=[
        S(f32(4, 3), boolean(3), axis=1),
        S(f32(2, 4, 3), boolean(4, 3), axis=1),
        S(f32(4, 3), boolean(4)),
        S(f32(4, 3), boolean(4, 3)),
        S(f32(3), src("[True, False, True]")),
    ],
)
def boolean_mask(tensor: Tensor, mask: Tensor, axis=None, name="boolean_mask"):
    if axis == 1:
        return tensor[:, mask]
    if axis is not None and axis != 0:
        raise Decline("an axis beyond the second")
    return tensor[mask]


first_top_k = Helper(
    "first_top_k",
    '''def first_top_k(x, k):
    """The `k` largest values of each row and where they are; of equal ones the first."""
    values, indices = torch.sort(x, dim=-1, descending=True, stable=True)
    return torch.return_types.topk((values[..., :k], indices[..., :k]))
''',
    ("import torch",),
)
TIED_PLACES = "among equal values torch may pick another index"


@rule(
    "tf.nn.top_k",
    samples=[
        *(S(f32(2, 6), 3), S(f32(6), k=2), S(f32(2, 6))),
        known_gap(TIED_PLACES, S(i32(4, 40, low=0, high=3), 7)),
    ],
    gaps=[TIED_PLACES],
)
def top_k(input: Tensor, k=1, sorted=True, index_type="int32", name=None, *, exact):
    if index_type != "int32":
        raise Decline("`index_type` is given")
    if exact:
        return first_top_k(input, k)
    return torch.topk(input, k=k, sorted=sorted)


def descending(direction: object) -> bool:
    """Whether a sort goes down."""
    return str(direction).upper() == "DESCENDING"


@rule("tf.sort", samples=[S(f32(2, 6)), S(f32(4, 3), axis=0), S(f32(6), direction="DESCENDING")])
def sort(values: Tensor, axis=-1, direction="ASCENDING", name=None):
    down = descending(direction)
    return torch.sort(values, dim=axis, descending=down).values


@rule(
    "tf.argsort",
    samples=[
        *(S(f32(2, 6)), S(i32(8, low=0, high=3)), S(f32(6), direction="DESCENDING")),
        S(i32(9, low=0, high=3), direction="DESCENDING"),
        S(f32(4, 3), axis=0, direction="DESCENDING"),
    ],
)
def argsort(values: Tensor, axis=-1, direction="ASCENDING", stable: Ignored = False, name=None):
    down = descending(direction)
    return torch.argsort(values, dim=axis, descending=down, stable=True)


@rule(
    "tf.searchsorted",
    samples=[S(src("tf.sort(a)", a=f32(6)), f32(4)), S(src("tf.sort(a)", a=f32(6)), f32(4), side="right")],
)
def searchsorted(sorted_sequence: Tensor, values: Tensor, side="left", out_type="int32", name=None):
    torch_dtype(out_type)
    if side == "right":
        return torch.searchsorted(sorted_sequence, values, right=True)
    return torch.searchsorted(sorted_sequence, values)


@rule("tf.math.bincount", samples=[S(i32(9, low=0, high=4)), S(i32(9, low=0, high=4), minlength=6)])
def bincount(
    arr: Tensor, weights=None, minlength=None, maxlength=None, dtype="int32", name=None, axis=None, binary_output=False
):
    if weights is not None or maxlength is not None or axis is not None or binary_output or dtype != "int32":
        raise Decline("more than a plain count")
    if minlength is None:
        return torch.bincount(arr)
    return torch.bincount(arr, minlength=minlength)


_SCATTERED = [
    no_grad(S(i32(8), [[4], [3], [1], [7]], [9, 10, 11, 12])),
    S(f32(5, 2), i32(4, 1, low=0, high=5), f32(4, 2)),
    S(f32(3, 4), [[0, 1], [2, 3]], f32(2)),
]


@rule("tf.tensor_scatter_nd_sub", samples=_SCATTERED)
def tensor_scatter_nd_sub(
    tensor: Tensor, indices: Tensor, updates: Tensor, bad_indices_policy="", name=None, *, dtype_tensor, dtype_updates
):
    if bad_indices_policy != "":
        raise Decline("`bad_indices_policy` is given")
    if not (is_float(dtype_tensor) and dtype_tensor == dtype_updates):
        return tensor.index_put(indices.long().unbind(-1), -updates.to(tensor.dtype), accumulate=True)
    return tensor.index_put(indices.long().unbind(-1), -updates, accumulate=True)


unique_in_order = Helper(
    "unique_in_order",
    '''def unique_in_order(x):
    """The distinct values in the order of their first appearance, the index of each element, their counts."""
    _, index, counts = torch.unique(x, return_inverse=True, return_counts=True)
    places = torch.arange(x.shape[0], device=x.device)
    first = torch.full_like(counts, x.shape[0]).scatter_reduce(0, index, places, "amin")
    order = torch.argsort(first)
    return x[first[order]], torch.argsort(order)[index], counts[order]
''',
    ("import torch",),
)
_REPEATED = [no_grad(S(i32(9, low=0, high=4))), no_grad(S([3, 1, 3, 2, 1])), no_grad(S(src("tf.round(a)", a=f32(8))))]


@rule("tf.unique", samples=_REPEATED)
def unique(x: Tensor, out_idx="int32", name=None):
    if out_idx not in ("int32", "int64"):
        raise Decline("another dtype of the indices")
    return unique_in_order(x)[:2]


@rule("tf.unique_with_counts", samples=_REPEATED)
def unique_with_counts(x: Tensor, out_idx="int32", name=None):
    if out_idx not in ("int32", "int64"):
        raise Decline("another dtype of the indices")
    return unique_in_order(x)
