"""`tf.debugging`: assertions on values and ranks."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored, Tensor
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Array, Sample, block, f32, i32, no_grad, pos, src
from migrator.rules.ops.pieces import given, on_arguments

if TYPE_CHECKING:
    import torch

_RAISES = ["raises AssertionError where TensorFlow raises InvalidArgumentError"]

check_numerics = Helper(
    "check_numerics",
    '''def check_numerics(tensor, message):
    """The tensor, once it is known to be free of NaN and infinity."""
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{message} : Tensor had NaN or Inf values")
    return tensor
''',
    ("import torch",),
)


check_near = Helper(
    "check_near",
    '''def check_near(x, y, message, rtol=None, atol=None):
    """Stops where two tensors differ by more than ten of the smallest steps at 1, or than is given."""
    step, y = 10 * torch.finfo(x.dtype).eps, torch.as_tensor(y, dtype=x.dtype)
    near = torch.isclose(x, y, rtol=step if rtol is None else rtol, atol=step if atol is None else atol)
    torch._assert(near.all(), message)
''',
    ("import torch",),
)


def _tried(call: str, **arrays: Array) -> Sample:
    """1 when the assertion holds, 0 when it raises."""
    return no_grad(block(f"try:\n    {call}\nexcept Exception:\n    return 0\nreturn 1", **arrays))


@on_arguments
def message_or(message: object, default: str) -> Code:
    """The message of the call, or one in its place; a literal None counts as none."""
    if not isinstance(message, Arg) or not given(message):
        return Code(repr(default))
    return Code("{message}", (("message", message),))


@rule(
    "tf.Assert",
    samples=[
        _tried("tf.Assert(tf.reduce_all(x > 0.0), [x])", x=pos(3)),
        _tried("tf.Assert(tf.reduce_all(x > 0.0), data=['not positive', x], summarize=3)", x=f32(30)),
    ],
    gaps=_RAISES,
)
def tf_assert(condition, data, summarize: Ignored = None, name=None):
    return torch._assert(condition, str(data))


_WORDS = {
    "equal": ("==", "x and y differ"),
    "greater": (">", "x is not greater than y"),
    "greater_equal": (">=", "x is less than y"),
    "less": ("<", "x is not less than y"),
    "less_equal": ("<=", "x is greater than y"),
}


def _comparing(api: str, sign: str, default: str) -> None:
    called = f"tf.debugging.assert_{api.partition('assert_')[2]}"
    samples = [
        _tried(f"{called}(x, x)", x=i32(2, 3)),
        _tried(f"{called}(x, y)", x=f32(2, 3), y=f32(3)),
        _tried(f"{called}(x, 7)", x=i32(4)),
        _tried(f"{called}(x, -7, message='too small')", x=i32(4)),
        _tried(f"{called}(x, [1, 2])", x=i32(0, 2)),
        _tried(f"{called}(tf.shape(x)[0], 4)", x=f32(4)),
        _tried(f"{called}(x.shape[0], 5)", x=f32(4)),
    ]

    @rule(api, samples=samples, gaps=_RAISES)
    def compare(x, y, message=None, summarize: Ignored = None, name=None, *, kind_x, kind_y):
        text = message_or(message, default)
        if kind_x == "number" and kind_y == "number":
            return torch._assert(compared(x, sign, y), text)
        if kind_x == "tensor" or kind_y == "tensor":
            return torch._assert(all_compared(x, sign, y), text)
        raise Decline("not known to be tensors or numbers")


@on_arguments
def compared(x: Arg, sign: str, y: Arg) -> Code:
    """`x == y`."""
    return Code(f"{{x}} {sign} {{y}}", (("x", x), ("y", y)))


@on_arguments
def all_compared(x: Arg, sign: str, y: Arg) -> Code:
    """`(x == y).all()`; a list is made a tensor."""
    parts = [f"torch.as_tensor({{{a.name}}})" if is_list(a) else f"{{{a.name}}}" for a in (x, y)]
    return Code(f"({parts[0]} {sign} {parts[1]}).all()", (("x", x), ("y", y)))


def is_list(arg: Arg) -> bool:
    return arg.text.strip().startswith(("[", "("))


for _name, (_sign, _default) in _WORDS.items():
    _api = f"tf.assert_{_name}" if not _name.endswith("_equal") else f"tf.debugging.assert_{_name}"
    _comparing(_api, _sign, _default)


@rule(
    "tf.debugging.check_numerics",
    samples=[
        _tried("return tf.debugging.check_numerics(x, 'wrong')", x=f32(3)),
        _tried("return tf.debugging.check_numerics(x / 0.0, message='wrong')", x=f32(3)),
        _tried("return tf.debugging.check_numerics(tf.math.log(x), 'wrong')", x=f32(30)),
    ],
    gaps=["raises ValueError where TensorFlow raises InvalidArgumentError"],
)
def numerics(tensor: Tensor, message, name=None):
    return check_numerics(tensor, message)


_X = src("x", x=f32(2, 3))


def _ranks(api: str, sign: str, default: str) -> None:
    called = f"tf.debugging.{api.rpartition('.')[2]}"
    samples = [_tried(f"{called}(x, {n})", x=f32(2, 3)) for n in (1, 2, 3)]

    @rule(api, samples=[*samples, _tried(f"{called}(x, 2, message='no matrix')", x=f32(3))], gaps=_RAISES)
    def check(x: Tensor, rank, message=None, name=None):
        text = message_or(message, default)
        return torch._assert(rank_compared(x, sign, rank), text)


@on_arguments
def rank_compared(x: Arg, sign: str, rank: Arg) -> Code:
    """`x.ndim == rank`."""
    return Code(f"{{x}}.ndim {sign} {{rank}}", (("x", x), ("rank", rank)))


_ranks("tf.assert_rank", "==", "x has another rank")
_ranks("tf.debugging.assert_rank_at_least", ">=", "x has too few axes")


@rule(
    "tf.debugging.assert_near",
    samples=[
        _tried("tf.debugging.assert_near(x, x + 1e-8)", x=f32(3)),
        _tried("tf.debugging.assert_near(x, y)", x=f32(3), y=f32(3)),
        *(
            _tried("tf.debugging.assert_near(x, x * 1.001, rtol=0.01, message='far')", x=pos(4)),
            _tried("tf.debugging.assert_near(x, x + 0.5, atol=0.1)", x=f32(4)),
            _tried("tf.debugging.assert_near(x * 1.009, x, rtol=0.0, atol=0.01)", x=pos(4)),
            _tried("tf.debugging.assert_near(x, x * np.nan)", x=f32(4)),
            _tried("tf.debugging.assert_near(x * 1e3, x * 1e3 + 0.0005)", x=pos(4)),
        ),
    ],
    gaps=_RAISES,
)
def assert_near(x: Tensor, y, rtol=None, atol=None, message=None, summarize: Ignored = None, name=None):
    text = message_or(message, "x and y are not near each other")
    if rtol is None and atol is None:
        return check_near(x, y, text)
    if rtol is None or atol is None:
        return check_near(x, y, text, atol=atol) if rtol is None else check_near(x, y, text, rtol=rtol)
    return check_near(x, y, text, rtol=rtol, atol=atol)
