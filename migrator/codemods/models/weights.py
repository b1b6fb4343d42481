"""`add_weight` as parameters and buffers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models.create import Maker
from migrator.model import Decline
from migrator.values import DType, Literal, RepoFunction, RepoInstance, Sequence, ShapeOf, Sym, Tensor, Value

_NAMES = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint", "aggregation", "name")
_FREE_OF_FANS = re.compile(r"nn\.init\.(zeros_|ones_|constant_|normal_|uniform_|trunc_normal_)\(")
_SYMMETRIC = re.compile(r"nn\.init\.xavier_(uniform|normal)_\(")


@dataclass(frozen=True)
class Weight:
    """A weight of the repository's own layer.

    `module`: the expression that makes it, or "" for a buffer; `lines`: the constructor's lines that keep it
    under its name; initialisation, penalty, constraint, Keras's name.
    """

    module: str
    lines: list[str]
    init: tuple[str, ...]
    penalty: tuple[str, ...]
    constraint: tuple[str, ...]
    keras: str


def is_add_weight(node: cst.Call, ctx: Context) -> bool:
    """Whether a call is `self.add_weight(...)` or its old name."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in ("add_weight", "add_variable"):
        return False
    return isinstance(func.value, cst.Name) and func.value.value == "self"


def weight(node: cst.Call, ctx: Context, maker: Maker, name: str) -> Weight | Decline:
    """What an `add_weight` call becomes as attribute `name` ("self.kernel")."""
    args = _arguments(node, ctx)
    if isinstance(args, Decline):
        return args
    kept = _literal(args, "trainable", ctx, True)
    dtype = _dtype(args.get("dtype"), ctx)
    if dtype is None:
        return Decline("add_weight with a dtype that is not known", span=ctx.spans.get(node))
    if not isinstance(kept, bool):
        return Decline("add_weight whose `trainable` is not a literal", span=ctx.spans.get(node))
    shape = _shape(args.get("shape"), maker)
    rank = _rank(args.get("shape"), ctx)
    texts = _texts(args, ctx, maker, rank, integer="int" in dtype or dtype == "bool")
    if isinstance(texts, Decline):
        return texts
    init, penalty = texts
    bounds = _bounds(args["constraint"], rank, ctx, maker) if "constraint" in args else ()
    if isinstance(bounds, Decline):
        return replace(bounds, span=ctx.spans.get(node))
    constraint = tuple(map(maker.keep, bounds))
    keras = _literal(args, "name", ctx, None) or name.removeprefix("self.")
    attr = name.removeprefix("self.")
    maker.build.needs.imports.add("import torch")
    kind = "" if dtype == "float32" else f", dtype=torch.{dtype}"
    if kept:
        made = f"nn.Parameter(torch.empty({shape}{kind}))"
        return Weight(made, [f"{name} = {made}"], init, penalty, constraint, str(keras))
    filled, rest = _buffer(shape, kind, init)
    return Weight("", [f'self.register_buffer("{attr}", {filled})'], rest, penalty, (), str(keras))


def _arguments(node: cst.Call, ctx: Context) -> dict[str, cst.BaseExpression] | Decline:
    found: dict[str, cst.BaseExpression] = {}
    names: tuple[str, ...] = _NAMES
    for index, arg in enumerate(node.args):
        if arg.star:
            return Decline("add_weight with unpacked arguments", span=ctx.spans.get(node))
        if arg.keyword is None and index == 0:
            value = ctx.value(arg.value)
            if isinstance(value, Literal) and isinstance(value.value, str):
                names = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
        name = arg.keyword.value if arg.keyword else names[index]
        if name not in _NAMES and name != "use_resource" and name != "synchronization":
            return Decline(f"argument `{name}` of add_weight", span=ctx.spans.get(node))
        found[name] = arg.value
    return found


def _literal(args: dict[str, cst.BaseExpression], name: str, ctx: Context, default: object) -> object:
    if name not in args:
        return default
    value = ctx.value(args[name])
    return value.value if isinstance(value, Literal) else None


def _is_none(node: cst.BaseExpression, ctx: Context) -> bool:
    value = ctx.value(node)
    return isinstance(value, Literal) and value.value is None


def _dtype(node: cst.BaseExpression | None, ctx: Context) -> str | None:
    if node is None or _is_none(node, ctx):
        return "float32"
    value = ctx.value(node)
    if isinstance(value, DType):
        return None if value.passed else value.name
    if isinstance(value, Literal) and isinstance(value.value, str):
        return value.value
    return "float32" if ctx.code(node) in ("self.dtype", "self.compute_dtype") else None


def _shape(node: cst.BaseExpression | None, maker: Maker) -> str:
    if node is None:
        return "()"
    if isinstance(node, cst.Tuple | cst.List):
        items = [maker.static(e.value) for e in node.elements]
        return ", ".join(items) if items else "()"
    known = maker.ctx.value(node)
    if isinstance(known, ShapeOf) and known.dims and None not in known.dims:  # `input_shape[-1:]`
        return ", ".join(str(dim.text if isinstance(dim, Sym) else dim) for dim in known.dims)
    return maker.static(node)


def _rank(node: cst.BaseExpression | None, ctx: Context) -> int | None:
    if node is None:
        return 0
    if isinstance(node, cst.Tuple | cst.List):
        return len(node.elements)
    value = ctx.value(node)
    if isinstance(value, ShapeOf):
        return len(value.dims) if value.dims is not None else None
    return len(value.items) if isinstance(value, Sequence) and value.items is not None else None


def _texts(
    args: dict[str, cst.BaseExpression], ctx: Context, maker: Maker, rank: int | None, integer: bool
) -> tuple[tuple[str, ...], tuple[str, ...]] | Decline:
    """Initialisation and penalty, as a Dense kernel would have them, on the weight itself."""
    given: dict[str, cst.BaseExpression] = {}
    for ours, name in (("kernel_initializer", "initializer"), ("kernel_regularizer", "regularizer")):
        if name in args and not _is_none(args[name], ctx):
            given[ours] = args[name]
    texts = {"units": "2", "use_bias": "False", **{n: maker.text(n, e) for n, e in given.items()}}
    values: dict[str, Value] = {"units": Literal(2), "use_bias": Literal(False)}
    values.update({n: maker.given_as(n, e) for n, e in given.items()})
    if "kernel_initializer" not in given and integer:
        texts["kernel_initializer"], values["kernel_initializer"] = '"zeros"', Literal("zeros")
    code = ctx.rules.layer("tf.keras.layers.Dense", texts, values, (Tensor((None, 2), "float32"),))
    if isinstance(code, Decline):
        return code
    maker.build.needs.take(code)
    late = any(t.startswith("with torch.no_grad()") for t in code.init)  # an object of Keras's own order of axes
    init = tuple(_as_it_is(t) if late else _fitted(t, rank) for t in code.init)
    if any(t is None for t in init):
        return Decline("an initialiser that depends on fans, for a weight that is no matrix")
    keep = tuple(maker.keep(t) for t in init if t is not None)
    return keep, tuple(maker.keep(_of_weight(t)) for t in code.penalty)


def _bounds(node: cst.BaseExpression, rank: int | None, ctx: Context, maker: Maker) -> tuple[str, ...] | Decline:
    """The statements of a constraint; one of the repository is called."""
    value = maker.given_as("constraint", node)
    if isinstance(value, RepoInstance | RepoFunction):
        return (f"{{self}}.copy_({maker.argument(node)}({{self}}))",)
    return ctx.rules.constraint(value, rank)


def _of_weight(text: str) -> str:
    """An expression over a Dense kernel as one over a weight in Keras's order."""
    return text.replace("{self}.weight.T", "{self}").replace("{self}.weight", "{self}")


def _as_it_is(statement: str) -> str:
    """An initialisation by an object that is called with the shape, for a weight in Keras's order."""
    return statement.replace("{self}.weight.T", "{self}")


def _fitted(statement: str, rank: int | None) -> str | None:
    """A Dense kernel's initialisation for a weight in Keras's [in, out] order."""
    if _FREE_OF_FANS.match(statement):
        return statement.replace("{self}.weight", "{self}")
    if rank == 1 and "xavier_uniform_" in statement:  # Keras counts the size of a vector as both fans
        bound = "(3 / {self}.numel()) ** 0.5"
        return f"nn.init.uniform_({{self}}, -({bound}), {bound})"
    if rank is not None and rank > 2:  # the first axes are Keras's receptive field
        order = ", ".join(map(str, (rank - 1, rank - 2, *range(rank - 2))))
        return statement.replace("{self}.weight", f"{{self}}.permute({order})")
    if rank != 2:
        return None
    return statement.replace("{self}.weight", "{self}" if _SYMMETRIC.match(statement) else "{self}.T")


def _buffer(shape: str, kind: str, init: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    size = shape if shape.startswith("(") or "," not in shape else f"({shape})"
    if init == ("nn.init.zeros_({self})",):
        return f"torch.zeros({shape}{kind})", ()
    if init == ("nn.init.ones_({self})",):
        return f"torch.ones({shape}{kind})", ()
    found = re.fullmatch(r"nn\.init\.constant_\(\{self\}, (.+)\)", init[0]) if len(init) == 1 else None
    if found and "self." not in found.group(1):
        return f"torch.full({size if size.startswith('(') else f'({size},)'}, {found.group(1)}{kind})", ()
    return f"torch.empty({shape}{kind})", init
