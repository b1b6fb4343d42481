"""`tf.distribute` on one machine: the program runs on one device, of which there is one replica.

The lines that make a strategy go with the codemod of training; its tests run what is written here.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import constant, context, method
from migrator.rules.ops.contexts import idle
from migrator.rules.ops.pieces import elements, given, on_arguments, text
from migrator.values import STRATEGIES

_GAPS = ["one device: nothing is shared out to others"]

constant("tf.distribute.ReduceOp.SUM", '"SUM"')
constant("tf.distribute.ReduceOp.MEAN", '"MEAN"')


@on_arguments
def called(fn: object, args: object) -> Code:
    """`step(a, b)` of `args=(a, b)`; `step(*args)` of a tuple that is held in a variable."""
    if not isinstance(fn, Arg) or not isinstance(args, Arg):
        raise Decline("nothing to run")
    written = elements(args)
    inner = "*{args}" if written is None else ", ".join(map(text, written))
    return Code(f"{{fn}}({inner})", (("fn", fn), ("args", args)), covers=("args",))


@on_arguments
def reduction(op: object) -> str:
    """ "sum" or "mean", in whatever way it is spelled."""
    name = op.text.strip("\"'").lower() if isinstance(op, Arg) else ""
    if name not in ("sum", "mean"):
        raise Decline("whether replicas are summed or averaged is not known")
    return name


@on_arguments
def nameless(receiver: object) -> bool:
    """Whether the strategy does nothing when evaluated; declines otherwise."""
    idle(receiver)
    return True


def _strategy(kind: str) -> None:
    @context(f"{kind}.scope", samples=())
    def scope(self: Ignored):
        nameless(self)
        return

    @method(f"{kind}.run", samples=(), gaps=_GAPS)
    def run(self: Ignored, fn, args=(), kwargs=None, options: Ignored = None):
        nameless(self)
        if given(kwargs):
            raise Decline("arguments by name")
        return called(fn, args) if given(args) else fn()

    @method(f"{kind}.reduce", samples=(), gaps=_GAPS)
    def reduce(self: Ignored, reduce_op, value, axis):
        nameless(self)
        if axis is None:
            reduction(reduce_op)
            return value
        if reduction(reduce_op) == "mean":
            return value.mean(dim=axis)
        return value.sum(dim=axis)

    @method(f"{kind}.experimental_distribute_dataset", samples=(), gaps=_GAPS)
    def distributed(self: Ignored, dataset, options: Ignored = None):
        nameless(self)
        return dataset

    @method(f"{kind}.experimental_local_results", samples=(), gaps=_GAPS)
    def local_results(self: Ignored, value):
        nameless(self)
        return (value,)


for _kind in STRATEGIES:
    _strategy(_kind)
