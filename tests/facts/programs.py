"""A small language for expectations: `target = …  # value` in a program, rendered shortly."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from functools import singledispatch

from migrator.facts import RepoFacts, analyse
from migrator.values import (
    Api,
    Choice,
    Dataset,
    Dict,
    Dim,
    DType,
    External,
    History,
    Instance,
    Literal,
    ModelValue,
    ModuleRef,
    Repeated,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Span,
    Sym,
    Tensor,
    Unknown,
    Value,
)


def facts_of(source: str, name: str = "m") -> RepoFacts:
    """The facts of a one-file repository; an inner error of the evaluator fails the test."""
    facts = analyse({name: textwrap.dedent(source)})
    assert facts.errors == ()
    return facts


def check(source: str) -> RepoFacts:
    """Compare the value of every commented assignment target, or expression, with its comment."""
    source = textwrap.dedent(source)
    facts = facts_of(source)
    comments = _comments(source)
    found, expected = {}, {}
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "end_lineno", 0)
        if line in comments and isinstance(node, ast.Assign | ast.Return | ast.Expr | ast.AugAssign):
            shown = node.targets[0] if isinstance(node, ast.Assign) else node.value
            shown = node.target if isinstance(node, ast.AugAssign) else shown
            assert shown is not None
            found[line] = render(facts.modules["m"].at(span(shown)))
            expected[line] = comments[line]
    assert expected, "the program expects nothing"
    wrong = {line: (found[line], expected[line]) for line in expected if found[line] != expected[line]}
    assert not wrong, wrong
    return facts


def site(source: str, text: str, occurrence: int = 0) -> Span:
    """The span of the nth call or expression that reads `text` in the (dedented) source."""
    source = textwrap.dedent(source)
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.expr)]
    found = [n for n in nodes if ast.get_source_segment(source, n) == text]
    return sorted(map(span, found))[occurrence]


def span(node: ast.expr) -> Span:
    """The span of a node of an ASCII program."""
    return Span(node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string[1:].strip() for t in tokens if t.type == tokenize.COMMENT}


def dim(value: Dim) -> str:
    """A dimension."""
    return value.text if isinstance(value, Sym) else "?" if value is None else str(value)


def _all(values: tuple[Value, ...]) -> str:
    return ", ".join(map(render, values))


def _tail(name: str) -> str:
    return name.rsplit(".", 1)[-1]


@singledispatch
def render(value: Value) -> str:
    """A value in few characters: `float32[2, ?]`, `int units`, `Dense`, `unknown`."""
    raise TypeError(type(value))


@render.register
def _(value: Unknown) -> str:
    return f"unknown {value.sym.text}" if value.sym else "unknown"


@render.register
def _(value: Literal) -> str:
    return repr(value.value)


@render.register
def _(value: Scalar) -> str:
    return " ".join(filter(None, [value.type or "number", value.sym.text if value.sym else ""]))


@render.register
def _(value: Sequence) -> str:
    left, right = {"tuple": "()", "list": "[]"}.get(value.kind, "<>")
    inner = f"{render(value.element)}, ..." if value.items is None else _all(value.items)
    return f"{left}{inner}{right}"


@render.register
def _(value: Dict) -> str:
    if value.items is None:
        return "{...}"
    return "{" + ", ".join(f"{key!r}: {render(item)}" for key, item in value.items) + "}"


@render.register
def _(value: Tensor) -> str:
    origin = {"tf": "", "keras": "K", "variable": "V", "numpy": "N"}[value.origin]
    shape = f"..., {dim(value.last)}" if value.shape is None else ", ".join(map(dim, value.shape))
    if value.shape is None and value.last is None:
        shape = "..."
    return f"{origin}{value.dtype or 'any'}[{shape}]"


@render.register
def _(value: ShapeOf) -> str:
    return "shape" + ("" if value.dims is None else f"({', '.join(map(dim, value.dims))})")


@render.register
def _(value: Instance) -> str:
    return _tail(value.api)


@render.register
def _(value: ModelValue) -> str:
    if value.outputs is not None:
        return f"{_tail(value.api)}: {_all(value.inputs or ())} -> {_all(value.outputs)}"
    return f"{_tail(value.api)}({_all(value.parts)})"


@render.register
def _(value: Repeated) -> str:
    return f"*{_all(value.items)}"


@render.register
def _(value: Choice) -> str:
    return " | ".join(map(render, value.options))


@render.register
def _(value: Dataset) -> str:
    return f"dataset of {render(value.element)}"


@render.register
def _(value: RepoInstance) -> str:
    return f"a {value.qualname}"


@render.register
def _(value: RepoFunction) -> str:
    return f"def {value.qualname}"


@render.register
def _(value: RepoClass) -> str:
    return f"class {value.qualname}"


@render.register
def _(value: ModuleRef) -> str:
    return f"module {value.name}"


@render.register
def _(value: Api) -> str:
    return value.name


@render.register
def _(value: DType) -> str:
    return value.name


@render.register
def _(value: External) -> str:
    return value.name


@render.register
def _(value: History) -> str:
    return "history"
