"""A tiny analysis for straight-line samples: what the facts room would say of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from migrator.facts import names
from migrator.values import (
    Api,
    DType,
    Literal,
    ModuleRef,
    Scalar,
    Sequence,
    ShapeOf,
    Span,
    Tensor,
    Unknown,
    Value,
)

_ROOTS = {"tf": "tensorflow", "keras": "keras"}
_DTYPES = {
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
    "complex64",
    "complex128",
}


class FakeModule:
    """`ModuleFacts` of one source text; `known` are the values of its free names."""

    def __init__(self, source: str, known: Mapping[str, Value]) -> None:
        self.name = "sample"
        self.known = known
        self.values: dict[Span, Value] = {}
        self.found: list[tuple[str, Span]] = []
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.expr):
                self.values[_span(node)] = self.evaluate(node)
                self._note_use(node)

    def at(self, span: Span) -> Value:
        return self.values.get(span, Unknown())

    bound: frozenset[str] = frozenset()

    def canonical(self, dotted: str, span: Span | None = None) -> str | None:
        root, _, rest = dotted.partition(".")
        return names.canonical(f"{_ROOTS[root]}.{rest}") if root in _ROOTS and rest else None

    def uses(self) -> Iterator[tuple[str, Span]]:
        yield from self.found

    def _note_use(self, node: ast.expr) -> None:
        name = self.canonical(ast.unparse(node)) if isinstance(node, ast.Attribute) else None
        if name is not None and ast.unparse(node).replace(".", "").replace("_", "").isalnum():
            self.found.append((name, _span(node)))

    def evaluate(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            return Literal(node.value)
        if isinstance(node, ast.Name):
            return ModuleRef("tf") if node.id in _ROOTS else self.known.get(node.id, Unknown())
        if isinstance(node, (ast.List, ast.Tuple)):
            items = tuple(self.evaluate(e) for e in node.elts)
            return Sequence("list" if isinstance(node, ast.List) else "tuple", items)
        if isinstance(node, ast.UnaryOp):
            inner = self.evaluate(node.operand)
            return Literal(-inner.value) if isinstance(inner, Literal) else inner  # type: ignore[operator]
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            of = self.evaluate(node.value)
            if isinstance(of, ShapeOf):
                return of if isinstance(node.slice, ast.Slice) else Scalar("int")
            return Unknown()
        if isinstance(node, ast.Call):
            return self._call(node)
        return Tensor() if isinstance(node, ast.BinOp) and self.known else Unknown()

    def _attribute(self, node: ast.Attribute) -> Value:
        name = self.canonical(ast.unparse(node))
        if name is not None:
            last = name.rpartition(".")[2]
            return DType(last) if name == f"tf.{last}" and last in _DTYPES else Api(name)
        of = self.evaluate(node.value)
        if isinstance(of, Tensor) and node.attr == "dtype":
            return DType(of.dtype) if of.dtype else Unknown()
        return ShapeOf(of.shape) if isinstance(of, Tensor) and node.attr == "shape" else Unknown()

    def _call(self, node: ast.Call) -> Value:
        name = ast.unparse(node.func)
        if name == "tf.shape":
            return ShapeOf(None, dynamic=True)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get_shape":
            return ShapeOf(None)
        if name == "tf.Variable":
            return Tensor(origin="variable")
        if name != "tf.constant":
            return Unknown()
        complex_ = any(isinstance(n, ast.Constant) and isinstance(n.value, complex) for n in ast.walk(node))
        return Tensor(dtype="complex128" if complex_ else None)


def _span(node: ast.expr) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def parsed(source: str) -> tuple[cst.Module, dict[cst.CSTNode, Span]]:
    """The tree of a source text and the spans of its nodes."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    ranges = wrapper.resolve(PositionProvider)
    spans = {n: Span(r.start.line, r.start.column, r.end.line, r.end.column) for n, r in ranges.items()}
    return wrapper.module, spans
