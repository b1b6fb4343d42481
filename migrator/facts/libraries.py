"""Calls of builtins and of other libraries, NumPy above all."""

from __future__ import annotations

import math
from collections.abc import Callable

from migrator.facts import arithmetic, dims, functions, loops, options, tables
from migrator.facts.calls import Arguments, Where
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.facts.join import join_all, sym_of
from migrator.facts.shapes import arrays
from migrator.values import (
    ITERATOR,
    Dataset,
    Dict,
    Dim,
    Instance,
    Literal,
    RepoFunction,
    Scalar,
    Sequence,
    Shape,
    ShapeOf,
    Sym,
    Tensor,
    Unknown,
    Value,
)


def call_external(it: Interpreter, name: str, args: Arguments, where: Where) -> Value:
    """The result of calling a builtin or another library's function."""
    function = _KNOWN.get(name)
    if function is not None:
        return function(it, args, where)
    if name in tables.CALLS:
        return tables.CALLS[name](args)
    if name.startswith("numpy."):
        return arrays.numpy_call(name.removeprefix("numpy."), args.positional, args.keywords)
    if name.startswith("math."):
        return _math(name.removeprefix("math."), args)
    return Unknown(f"{name} is not known")


def _math(name: str, args: Arguments) -> Value:
    values = [value.value for value in args.positional if isinstance(value, Literal)]
    if len(values) == len(args.positional) and hasattr(math, name):
        try:
            return Literal(getattr(math, name)(*values))
        except (TypeError, ValueError, OverflowError):
            return UNKNOWN
    return Scalar("int" if name in ("ceil", "floor", "gcd", "factorial") else "float")


def _range(it: Interpreter, args: Arguments, where: Where) -> Value:
    literals = [value.value for value in args.positional if isinstance(value, Literal)]
    numbers = [number for number in literals if isinstance(number, int)]
    if len(numbers) == len(args.positional) and numbers:
        try:
            known = range(*numbers)
        except (TypeError, ValueError):
            return UNKNOWN
        items = tuple(map(Literal, known)) if len(known) <= 512 else None
        return Sequence("range", items, Scalar("int"))
    return Sequence("range", None, Scalar("int"))


def _enumerate(it: Interpreter, args: Arguments, where: Where) -> Value:
    inner = args.positional[0] if args.positional else UNKNOWN
    items = loops.known_items(inner)
    element = Sequence("tuple", (Scalar("int"), arithmetic.element(inner)))
    if items is None:
        return Sequence("list", None, element)
    pairs = tuple(Sequence("tuple", (Literal(i), item)) for i, item in enumerate(items))
    return Sequence("list", pairs, element)


def _zip(it: Interpreter, args: Arguments, where: Where) -> Value:
    element = Sequence("tuple", tuple(map(arithmetic.element, args.positional)))
    columns = [loops.known_items(value) for value in args.positional]
    known = [column for column in columns if column is not None]
    if args.open or len(known) != len(columns) or not columns:
        return Sequence("list", None, UNKNOWN if args.open else element)
    rows = tuple(Sequence("tuple", row, join_all(row)) for row in zip(*known, strict=False))
    return Sequence("list", rows, element)


def _len(it: Interpreter, args: Arguments, where: Where) -> Value:
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(value, Sequence) and value.items is not None and value.sym is None:
        return Literal(len(value.items))
    if isinstance(value, Sequence) and value.count is not None:
        return Scalar("int", value.count)
    if isinstance(value, ShapeOf) and value.dims is not None:
        return Literal(len(value.dims))
    if isinstance(value, Tensor) and value.shape:
        return arithmetic.of_dim(value.shape[0])
    if isinstance(value, Literal) and isinstance(value.value, str | bytes):
        return Literal(len(value.value))
    if isinstance(value, Dict) and value.items is not None:
        return Literal(len(value.items))
    sym = sym_of(value)
    return Scalar("int", Sym(f"len({sym.text})") if sym is not None else None)


def _int(it: Interpreter, args: Arguments, where: Where) -> Value:
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(value, Literal):
        try:
            return Literal(int(value.value))  # type: ignore[call-overload]
        except (TypeError, ValueError):
            return Scalar("int")
    if isinstance(value, Scalar) and value.type == "int":
        return value
    sym = sym_of(value) if not isinstance(value, Sequence) else None
    return Scalar("int", Sym(f"int({sym.text})") if sym is not None else None)


def _float(it: Interpreter, args: Arguments, where: Where) -> Value:
    value = args.positional[0] if args.positional else UNKNOWN
    if isinstance(value, Literal):
        try:
            return Literal(float(value.value))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return Scalar("float")
    return Scalar("float")


def _sequence(kind: str) -> Callable[[Interpreter, Arguments, Where], Value]:
    def make(it: Interpreter, args: Arguments, where: Where) -> Value:
        if not args.positional:
            return Sequence(kind, ())
        value = args.positional[0]
        items = loops.known_items(value)
        if isinstance(value, ShapeOf) and kind in ("tuple", "list"):
            return ShapeOf(value.dims)
        return Sequence(kind, items, arithmetic.element(value))

    return make


def _reversed(it: Interpreter, args: Arguments, where: Where) -> Value:
    items = loops.known_items(args.positional[0]) if args.positional else None
    return Sequence("list", items[::-1], join_all(items)) if items is not None else Sequence("list", None)


def _sorted(it: Interpreter, args: Arguments, where: Where) -> Value:
    return Sequence("list", None, arithmetic.element(args.positional[0]) if args.positional else UNKNOWN)


def _dict(it: Interpreter, args: Arguments, where: Where) -> Value:
    return Dict(tuple(args.keywords.items())) if not args.positional and not args.open else Dict(None)


def _extreme(choose: Callable[..., object], name: str) -> Callable[[Interpreter, Arguments, Where], Value]:
    def function(it: Interpreter, args: Arguments, where: Where) -> Value:
        values: list[Value] = list(args.positional)
        if len(values) == 1:
            values = list(loops.known_items(values[0]) or (UNKNOWN,))
        numbers = [value.value for value in values if isinstance(value, Literal)]
        if len(numbers) == len(values) and numbers and all(isinstance(n, int | float) for n in numbers):
            return Literal(choose(numbers))
        texts = [dims.text(arithmetic.dim_of(value)) for value in values]
        if len(values) > 1 and all(text is not None for text in texts):
            return Scalar(None, Sym(f"{name}({', '.join(map(str, texts))})"))
        return Scalar(None)

    return function


def _sum(it: Interpreter, args: Arguments, where: Where) -> Value:
    items = loops.known_items(args.positional[0]) if args.positional else None
    if items is not None and all(isinstance(item, Literal) and isinstance(item.value, int | float) for item in items):
        return Literal(sum(item.value for item in items))  # type: ignore[attr-defined]
    return UNKNOWN


def _constant(kind: str) -> Callable[[Interpreter, Arguments, Where], Value]:
    def function(it: Interpreter, args: Arguments, where: Where) -> Value:
        return Scalar(kind)

    return function


def _none(it: Interpreter, args: Arguments, where: Where) -> Value:
    return Literal(None)


def _map(it: Interpreter, args: Arguments, where: Where) -> Value:
    if len(args.positional) != 2 or not isinstance(args.positional[0], RepoFunction):
        return Sequence("list", None)
    item = arithmetic.element(args.positional[1])
    return Sequence("list", None, functions.invoke(it, args.positional[0], Arguments([item]), where))


def _getattr(it: Interpreter, args: Arguments, where: Where) -> Value:
    from migrator.facts import attributes

    if len(args.positional) >= 2 and isinstance(args.positional[1], Literal) and len(args.positional) == 2:
        return attributes.attribute(it, args.positional[0], str(args.positional[1].value), where.frame)
    return UNKNOWN


def _iter(it: Interpreter, args: Arguments, where: Where) -> Value:
    """An iterator: of a dataset one that TensorFlow knows too."""
    inner = args.positional[0] if args.positional else UNKNOWN
    if isinstance(inner, Dataset):
        return Instance(ITERATOR, where.module, where.span, (("element", inner.element),))
    return Sequence("generator", None, arithmetic.element(inner))


def _next(it: Interpreter, args: Arguments, where: Where) -> Value:
    inner = args.positional[0] if len(args.positional) == 1 else UNKNOWN
    return arithmetic.element(inner) if isinstance(inner, Instance | Sequence) else UNKNOWN


def _partial(it: Interpreter, args: Arguments, where: Where) -> Value:
    return Unknown("functools.partial")


def _product(it: Interpreter, args: Arguments, where: Where) -> Value:
    found: Shape | None = arithmetic.dims_of(args.positional[0]) if args.positional else None
    total: Dim = dims.product(found) if found is not None else None
    return arithmetic.of_dim(total)


_KNOWN: dict[str, Callable[[Interpreter, Arguments, Where], Value]] = {
    "range": _range,
    "enumerate": _enumerate,
    "iter": _iter,
    "next": _next,
    "zip": _zip,
    "len": _len,
    "int": _int,
    "float": _float,
    "list": _sequence("list"),
    "tuple": _sequence("tuple"),
    "set": _sequence("set"),
    "sorted": _sorted,
    "reversed": _reversed,
    "dict": _dict,
    "max": _extreme(max, "max"),
    "min": _extreme(min, "min"),
    "sum": _sum,
    "str": _constant("str"),
    "bool": _constant("bool"),
    "isinstance": _constant("bool"),
    "callable": _constant("bool"),
    "hasattr": _constant("bool"),
    "round": _constant("int"),
    "print": _none,
    "map": _map,
    "getattr": _getattr,
    "functools.partial": _partial,
    "os.path.join": _constant("str"),
    "argparse.ArgumentParser": options.make_parser,
    f"{options.PARSER}.add_argument_group": options.make_parser,
    f"{options.PARSER}.add_mutually_exclusive_group": options.make_parser,
    f"{options.PARSER}.add_argument": _none,
    f"{options.PARSER}.parse_args": options.parse,
    f"{options.PARSER}.parse_known_args": options.parse_known,
    "numpy.prod": _product,
    "time.time": _constant("float"),
}
