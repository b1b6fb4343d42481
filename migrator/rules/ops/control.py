"""Control flow as functions: Python's own in torch."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.plain import is_plain
from migrator.rules.engine.registry import legacy, rule, same
from migrator.rules.engine.samples import S, boolean, declines, f32, i32, no_grad, src
from migrator.rules.engine.template import device_here
from migrator.rules.ops.pieces import given, on_arguments, torch_dtype
from migrator.values import Tensor as TensorValue

if TYPE_CHECKING:
    import functools

    import torch


def called(arg: Arg) -> tuple[str, Arg]:
    """A call of a function without parameters: its body where it is a lambda, as a text and its argument."""
    node = arg.node
    if not isinstance(node, cst.Lambda):
        if not is_plain(node):
            raise Decline(f"`{arg.name}` is made by a call")
        return f"{{{arg.name}}}()", arg
    if node.params.params or node.params.star_kwarg or node.params.kwonly_params:
        raise Decline(f"`{arg.name}` takes parameters")
    return f"{{{arg.name}}}", Arg(arg.name, node.body, arg.value)


@on_arguments
def choice(pred: Arg, true_fn: object, false_fn: object) -> Code:
    """`a if pred else b`."""
    if not isinstance(true_fn, Arg) or not isinstance(false_fn, Arg) or not true_fn.given or not false_fn.given:
        raise Decline("a branch is not given")
    if isinstance(pred.value, TensorValue) and pred.value.origin == "keras":
        raise Decline("a condition inside a graph of layers")
    yes, yes_arg = called(true_fn)
    no, no_arg = called(false_fn)
    args = (("pred", pred), ("true_fn", yes_arg), ("false_fn", no_arg))
    return Code(f"({yes}) if {{pred}} else ({no})", args)


_BRANCHES = [
    S(src("tf.reduce_sum(a) > 0.0", a=f32(3)), src("lambda: b * 2.0", b=f32(2)), src("lambda: b - 1.0", b=f32(2))),
    S(src("a[0]", a=boolean(2)), src("lambda: (b, b + 1.0)", b=f32(2)), src("lambda: (b, -b)", b=f32(2))),
    S(True, true_fn=src("lambda: b * 2.0", b=f32(2)), false_fn=src("lambda: b - 1.0", b=f32(2))),
]


@rule("tf.cond", samples=_BRANCHES)
def cond(pred, true_fn=None, false_fn=None, name=None):
    return choice(pred, true_fn, false_fn)


legacy(
    "tf.compat.v1.cond",
    "pred, true_fn=None, false_fn=None, strict=False, name=None, fn1=None, fn2=None",
    of="tf.cond",
    old={"fn1": "true_fn", "fn2": "false_fn", "strict": ""},
    samples=_BRANCHES,
)

first_true = Helper(
    "first_true",
    '''def first_true(pairs, default=None):
    """The result of the function of the first true condition, else of `default`."""
    for condition, function in pairs:
        if condition:
            return function()
    return default()
''',
)
_PAIRS = src("[(tf.reduce_sum(a) > 9.0, lambda: a * 2.0), (tf.reduce_sum(a) > -9.0, lambda: a - 1.0)]", a=f32(2))


@rule("tf.case", samples=[S(_PAIRS, default=src("lambda: a", a=f32(2))), S(_PAIRS, src("lambda: a", a=f32(2)))])
def case(pred_fn_pairs, default=None, exclusive: Ignored = False, strict: Ignored = False, name=None, *, kind):
    if kind != "sequence" or default is None:
        raise Decline("no list of pairs, or no default")
    return first_true(pred_fn_pairs, default)


switch_case = Helper(
    "switch_case",
    '''def switch_case(index, branches, default=None):
    """The result of the branch with this number; of `default`, else of the last one, where there is none."""
    branches = dict(enumerate(branches) if callable(branches[0]) else branches)
    chosen = branches.get(int(index), default or branches[max(branches)])
    return chosen()
''',
)
_FUNCTIONS = src("[lambda: a * 2.0, lambda: a - 1.0]", a=f32(2))


@rule(
    "tf.switch_case",
    samples=[
        *(S(src("tf.constant(1)"), _FUNCTIONS), S(src("tf.constant(7)"), _FUNCTIONS)),
        S(src("tf.constant(-1)"), branch_fns=_FUNCTIONS, default=src("lambda: a", a=f32(2))),
        S(src("tf.constant(1)"), src("[(1, lambda: a), (0, lambda: -a)]", a=f32(2))),
    ],
)
def switch(branch_index, branch_fns, default=None, name=None, *, kind_branch_fns):
    if kind_branch_fns != "sequence":
        raise Decline("the branches are not written out as a list")
    return switch_case(branch_index, branch_fns, default)


while_loop = Helper(
    "while_loop",
    '''def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """The loop variables after `body` was applied while `cond` holds, at most `maximum_iterations` times."""
    parts = (v if isinstance(v, (tuple, list, dict)) else torch.as_tensor(v) for v in loop_vars)
    loop_vars, steps = type(loop_vars)(parts), 0
    while cond(*loop_vars) and (maximum_iterations is None or steps < maximum_iterations):
        loop_vars, steps = body(*loop_vars), steps + 1
    return loop_vars
''',
    ("import torch",),
)
_LOOP = (src("lambda i, x: i < 3"), src("lambda i, x: (i + 1, x * 2.0)"))


@rule(
    "tf.while_loop",
    samples=[
        S(*_LOOP, src("(tf.constant(0), a)", a=f32(2))),
        S(*_LOOP, loop_vars=src("(tf.constant(5), a)", a=f32(2))),
        S(src("lambda i: i < 3"), src("lambda i: (i + 1,)"), src("(tf.constant(0),)")),
        S(*_LOOP, src("(tf.constant(0), a)", a=f32(2)), maximum_iterations=2),
        S(
            src("lambda i, p: i < 3"),
            src("lambda i, p: (i + 1, (p[1], p[0] * 2.0))"),
            src("(tf.constant(0), (a, b))", a=f32(2), b=f32(2)),
        ),
    ],
)
def while_loop_rule(
    cond,
    body,
    loop_vars,
    shape_invariants: Ignored = None,
    parallel_iterations: Ignored = 10,
    back_prop=True,
    swap_memory: Ignored = False,
    maximum_iterations=None,
    name=None,
    *,
    kind_loop_vars,
):
    if kind_loop_vars != "sequence":
        raise Decline("the loop variables are not written out as a list or tuple")
    if not back_prop:
        raise Decline("`back_prop=False`")
    if maximum_iterations is None:
        return while_loop(cond, body, loop_vars)
    return while_loop(cond, body, loop_vars, maximum_iterations)


legacy(
    "tf.compat.v1.while_loop",
    "cond, body, loop_vars, shape_invariants=None, parallel_iterations=10, back_prop=True, swap_memory=False, "
    "name=None, maximum_iterations=None, return_same_structure=False",
    of="tf.while_loop",
    old={"return_same_structure": ""},
    samples=[S(*_LOOP, src("(tf.constant(0), a)", a=f32(2)))],
)

map_rows = Helper(
    "map_rows",
    '''def map_rows(fn, elems):
    """`fn` of every row of a tensor, or of the rows of several tensors side by side; the results stacked."""
    leaves, spec = tree_flatten(elems)
    rows = zip(*map(torch.as_tensor, leaves), strict=True)
    results = [fn(tree_unflatten(row, spec)) for row in rows]
    return tree_map(lambda *parts: torch.stack(parts), *results)
''',
    ("import torch", "from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten"),
)


@on_arguments
def no_ragged(*signatures: object) -> None:
    """Declines results of different lengths."""
    for arg in signatures:
        if isinstance(arg, Arg) and ("Ragged" in arg.text or "Sparse" in arg.text):
            raise Decline("ragged or sparse results")


_ROW = src("lambda x: x * 2.0 + 1.0")


@rule(
    "tf.map_fn",
    samples=[
        S(_ROW, f32(3, 2)),
        S(src("lambda x: tf.reduce_sum(x)"), f32(3, 2)),
        S(src("lambda x: x + 1"), i32(4)),
        S(src("lambda x: (x, tf.reduce_sum(x))"), f32(3, 2), src("(tf.float32, tf.float32)")),
        S(src("lambda p: p[0] * p[1]"), src("(a, b)", a=i32(3), b=i32(3)), dtype=src("tf.int32")),
        S(src("lambda x: x * x"), src("np.array([1, 2, 3])")),
        S(src("lambda p: p[0] - p[1]"), src("(np.array([1, 2]), np.array([3, 4]))"), dtype=src("tf.int64")),
        declines(_ROW, f32(3, 2), back_prop=False),
    ],
)
def map_fn(
    fn,
    elems,
    dtype: Ignored = None,
    parallel_iterations: Ignored = None,
    back_prop=True,
    swap_memory: Ignored = False,
    infer_shape: Ignored = True,
    name=None,
    fn_output_signature: Ignored = None,
):
    no_ragged(dtype, fn_output_signature)
    if not back_prop:
        raise Decline("`back_prop=False`")
    return map_rows(fn, elems)


@rule("tf.vectorized_map", samples=[S(_ROW, f32(3, 2)), S(src("lambda x: tf.reduce_sum(x)"), f32(3, 2))])
def vectorized_map(fn, elems, fallback_to_while_loop: Ignored = True, warn: Ignored = True):
    return map_rows(fn, elems)


scan_rows = Helper(
    "scan_rows",
    '''def scan_rows(fn, elems, initializer=None, reverse=False):
    """Every state of `state = fn(state, row)` over the rows of a tensor, stacked; the first row starts without one."""
    rows = list(zip(*elems, strict=True) if isinstance(elems, (tuple, list)) else elems)
    rows = rows[::-1] if reverse else rows
    states = [rows.pop(0)] if initializer is None else []
    state = initializer if initializer is not None else states[0]
    for row in rows:
        state = fn(state, row)
        states.append(state)
    states = states[::-1] if reverse else states
    if isinstance(state, (tuple, list)):
        return type(state)(torch.stack(parts) for parts in zip(*states, strict=True))
    return torch.stack(states)
''',
    ("import torch",),
)
_STEP = src("lambda s, x: s * 0.5 + x")


@rule(
    "tf.scan",
    samples=[
        *(S(_STEP, f32(4, 2)), S(_STEP, f32(4, 2), f32(2)), S(_STEP, f32(4), reverse=True)),
        S(_STEP, elems=f32(4, 2), initializer=f32(2), reverse=True),
        S(src("lambda s, x: (s[0] + x, s[1] * x)"), f32(3), initializer=src("(a[0], a[1])", a=f32(2))),
    ],
)
def scan(
    fn,
    elems,
    initializer=None,
    parallel_iterations: Ignored = 10,
    back_prop=True,
    swap_memory: Ignored = False,
    infer_shape: Ignored = True,
    reverse=False,
    name=None,
):
    if not back_prop:
        raise Decline("`back_prop=False`")
    if reverse:
        return scan_rows(fn, elems, initializer, reverse=True)
    return scan_rows(fn, elems, initializer)


_FOLDED = [S(_STEP, f32(4, 2)), S(_STEP, f32(4, 2), f32(2)), S(_STEP, f32(4), initializer=src("tf.constant(1.0)"))]


@on_arguments
def is_given(arg: object) -> bool:
    """Whether an argument is written."""
    return isinstance(arg, Arg) and arg.given and arg.text != "None"


@rule("tf.foldl", samples=_FOLDED)
def foldl(
    fn,
    elems: Tensor,
    initializer=None,
    parallel_iterations: Ignored = 10,
    back_prop=True,
    swap_memory: Ignored = False,
    name=None,
):
    if not back_prop:
        raise Decline("`back_prop=False`")
    if is_given(initializer):
        return functools.reduce(fn, elems, initializer)
    return functools.reduce(fn, elems)


@rule("tf.foldr", samples=_FOLDED)
def foldr(
    fn,
    elems: Tensor,
    initializer=None,
    parallel_iterations: Ignored = 10,
    back_prop=True,
    swap_memory: Ignored = False,
    name=None,
):
    if not back_prop:
        raise Decline("`back_prop=False`")
    if is_given(initializer):
        return functools.reduce(fn, elems.flip(0), initializer)
    return functools.reduce(fn, elems.flip(0))


@rule(
    "tf.numpy_function",
    samples=[
        no_grad(S(src("lambda x: np.sort(x)"), src("[a]", a=f32(4)), src("tf.float32"))),
        no_grad(S(func=src("lambda x, y: np.add(x, y)"), inp=src("[a, b]", a=i32(4), b=i32(4)), Tout=src("tf.int32"))),
    ],
)
def numpy_function(func=None, inp=None, Tout=None, stateful: Ignored = True, name=None, *, kind_Tout):
    if not given(func) or not given(inp):
        raise Decline("as a decorator")
    if kind_Tout == "sequence":
        raise Decline("several results")
    target = torch_dtype(Tout)
    return torch.as_tensor(func(*[x.detach().cpu().numpy() for x in inp]), dtype=target, device=device_here)


legacy(
    "tf.compat.v1.py_func",
    "func, inp, Tout, stateful=True, name=None",
    of="tf.numpy_function",
    samples=[no_grad(S(src("lambda x: np.sort(x)"), src("[a]", a=f32(4)), src("tf.float32")))],
)


@rule("tf.py_function", samples=[S(src("lambda x: x * 2.0"), src("[a]", a=f32(4)), src("tf.float32"))])
def py_function(func=None, inp=None, Tout=None, name=None, *, kind_Tout):
    if not given(func) or not given(inp):
        raise Decline("as a decorator")
    if kind_Tout == "sequence":
        raise Decline("several results")
    target = torch_dtype(Tout)
    return torch.as_tensor(func(*inp), dtype=target)


same("tf.no_op", "None", "name=None", samples=())
