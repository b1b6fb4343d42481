"""The module of a graph as the text of a Keras model, from which the rules for models go on."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.codemods.graphs.graph import Computed, Graph, local
from migrator.codemods.graphs.methods import Method, Methods
from migrator.codemods.graphs.pieces import MODULE
from migrator.codemods.graphs.program import NotUnderstood, key_of, keys_read


@dataclass(frozen=True)
class Written:
    """The class and what its constructor takes: names (`n`, `self.n`) of what surrounds the graph."""

    name: str
    lines: tuple[str, ...]
    given: tuple[str, ...]


def write(name: str, graph: Graph, made: Methods, own: Collection[str], tf: str) -> Written:
    """The class; `own`: names that belong to the function or class around the graph, so that they must be given."""
    every, pieces = _checked(graph, made), graph.pieces
    inside = _names(graph, (p.made for p in pieces), own)
    later = _names(graph, (c.statement for m in every for c in m.body), own)
    sized = {p for method in every if _needs_sizes(method) for p in method.placeholders}
    shapes = [shape for p, one in graph.placeholders.items() if p in sized and (shape := one.shape) is not None]
    sizes = _names(graph, shapes, own)
    given = tuple(dict.fromkeys((*inside, *later, *sizes)))
    if len({local(key) for key in given}) != len(given):
        raise NotUnderstood("names inside and outside of the object that are alike")
    lines = [f"class {name}({tf}.keras.Model):"]
    lines += [f"    def __init__({', '.join(['self', *map(local, given)])}):", "        super().__init__()"]
    lines += [f"        self.{local(key)} = {local(key)}" for key in later]
    for piece in pieces:
        lines += indented([*piece.comments, source_of(Rewire(graph, own, False).visit(copy.deepcopy(piece.made)))])
    for method in every:
        lines += ["", *_signature(method, graph, own, tf), *_method(method, graph, made, own)]
    return Written(name, tuple(lines), given)


def _checked(graph: Graph, made: Methods) -> list[Method]:
    """All methods; raises `NotUnderstood` where they cannot be those of a module."""
    every = [made.forward, *made.others.values()]
    _no_doubles(graph)
    used = {at for method in every for at in method.body}
    if not all(_holds(p.attribute, used, graph) for p in graph.pieces if p.attribute):
        raise NotUnderstood("variables that nothing needs that is fetched")
    if any(p.build for p in graph.pieces):
        raise NotUnderstood("a variable whose shape is that of a computed tensor")
    return every


def write_into(
    graph: Graph, made: Methods, own: Collection[str], kept: Collection[str], tf: str
) -> tuple[list[str], list[str]]:
    """What a class gains that becomes the module itself: lines for its constructor, and its methods. `kept`: names of
    the constructor that it has as attributes anyhow."""
    every = _checked(graph, made)
    later = _names(graph, (c.statement for m in every for c in m.body), own)
    names = [key for key in later if "." not in key]
    if any(f"self.{name}" in own and name not in kept for name in names):
        raise NotUnderstood("names inside and outside of the object that are alike")
    lines = [f"self.{name} = {name}" for name in names if name not in kept]
    for piece in graph.pieces:
        lines += [*piece.comments, source_of(Rewire(graph, (), False).visit(copy.deepcopy(piece.made)))]
    methods = [[*_signature(m, graph, own, tf), *_method(m, graph, made, own)] for m in every]
    return lines, [line for method in methods for line in ("", *method)]


def _holds(attribute: str, used: Iterable[Computed], graph: Graph) -> bool:
    """Whether some method reads a layer or variable; what nothing reads would have no gradient."""
    keys = {key for key, held in graph.variables.items() if held == attribute}
    for one in used:
        inner = {n.attr for n in ast.walk(one.statement) if isinstance(n, ast.Attribute)}
        if attribute in inner or keys & set(keys_read(one.statement)):
            return True
    return False


def _no_doubles(graph: Graph) -> None:
    """`x` and `self.x` are one name in a method; both may be there only where they are one tensor."""
    for key in graph.versions:
        other = f"self.{key}"
        if other in graph.keys:
            together = [set(c.defines) for c in graph.computed if {k for k, _ in c.defines} & {key, other}]
            if other not in graph.versions or any({k for k, _ in d} != {key, other} for d in together):
                raise NotUnderstood(f"`{key}` and `{other}` are two things")


def _method(method: Method, graph: Graph, made: Methods, own: Collection[str]) -> Iterator[str]:
    parameters = [local(key) for key, _ in method.tensors] + [graph.parameter(p) for p in method.placeholders]
    yield f"    def {method.name}({', '.join(['self', *parameters])}):"
    for tensor in method.calls:
        yield from indented([f"{local(tensor[0])} = {call('self', made.others[tensor], graph, {}, {})}"])
    body = [(c.comments, source_of(Rewire(graph, own, True).visit(copy.deepcopy(c.statement)))) for c in method.body]
    names = [local(key) for key, _ in method.returns]
    last = body[-1] if body else None
    if last is not None and len(names) == 1 and last[1].startswith(f"{names[0]} = "):
        body[-1], names = (last[0], f"return {last[1].removeprefix(f'{names[0]} = ')}"), []
    for comments, line in body:
        yield from indented([*comments, line])
    if names:
        yield from indented([f"return {', '.join(names)}"])


def call(
    owner: str, method: Method, graph: Graph, given: Mapping[str, str], names: Mapping[tuple[str, int], str]
) -> str:
    """The call of a method; `given` and `names`: source by placeholder and tensor, where it is not its own name."""
    arguments = [names.get(tensor, local(tensor[0])) for tensor in method.tensors]
    for key in method.placeholders:
        parameter = graph.parameter(key)
        source = given.get(key, parameter)
        arguments.append(f"training={source}" if key in graph.mode and method.name == "call" else source)
    called = owner if method.name == "call" and owner != "self" else f"{owner}.{method.name}"
    return f"{called}({', '.join(arguments)})"


def _signature(method: Method, graph: Graph, own: Collection[str], tf: str) -> list[str]:
    """What a method is given, as its placeholders say; sizes are those of the constructor."""
    specs = ["None" for _ in method.tensors]
    for key in method.placeholders:
        made = graph.placeholders[key]
        shape = made.shape
        if shape is not None and not _needs_sizes(method):
            shape = _literal(shape)
        if made.open and not graph.is_plain(key) and key not in graph.mode:
            shape = ast.Constant(None)
        known = "" if shape is None else source_of(Rewire(graph, own, False).visit(copy.deepcopy(shape)))
        specs.append(f"{tf}.TensorSpec({known}, {made.dtype})" if known else "None")
    return [f"    @{tf}.function(input_signature=[{', '.join(specs)}])"] if any(s != "None" for s in specs) else []


def _needs_sizes(method: Method) -> bool:
    """Whether the sizes of what a method is given are those of its layers."""
    return method.name == "call" or any(one.layers for one in method.body)


def _literal(shape: ast.expr) -> ast.expr | None:
    """A shape with its plain numbers only; None where it has none."""
    if not isinstance(shape, ast.List | ast.Tuple):
        return shape if isinstance(shape, ast.Constant) else None
    sizes: list[ast.expr] = [n if isinstance(n, ast.Constant) else ast.Constant(None) for n in shape.elts]
    if all(isinstance(n, ast.Constant) and n.value is None for n in sizes):
        return None
    return ast.List(sizes, ast.Load())


def _names(graph: Graph, nodes: Iterable[ast.AST], own: Collection[str]) -> tuple[str, ...]:
    read = (key for node in nodes for key in keys_read(node) if key not in _turned(node))
    return tuple(dict.fromkeys(k for k in read if k in own and k not in graph.keys and k not in dir(builtins)))


def _turned(node: ast.AST) -> set[str]:
    """Names that a loop or comprehension among the statements binds in each of its turns."""
    loops = [n for n in ast.walk(node) if isinstance(n, ast.For | ast.comprehension)]
    inside = [
        s.targets[0] for loop in loops if isinstance(loop, ast.For) for s in loop.body if isinstance(s, ast.Assign)
    ]
    targets = [*(loop.target for loop in loops), *inside]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def source_of(node: ast.AST) -> str:
    return ast.unparse(node).replace(f"{MODULE}.", "self.")


def indented(lines: Sequence[str]) -> list[str]:
    return [f"        {line}" for text in lines for line in text.splitlines()]


class Rewire(ast.NodeTransformer):
    """Puts a module's own names in the place of the program's."""

    def __init__(self, graph: Graph, own: Collection[str], in_method: bool) -> None:
        self.graph, self.own, self.in_method = graph, own, in_method

    def visit_For(self, node: ast.For) -> ast.AST:
        kept, self.own = self.own, set(self.own) - _turned(node)
        self.generic_visit(node)
        self.own = kept
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehended(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehended(node)

    def _comprehended(self, node: ast.ListComp | ast.GeneratorExp) -> ast.AST:
        kept, self.own = self.own, set(self.own) - _turned(node)
        self.generic_visit(node)
        self.own = kept
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        seen = {ast.unparse(target): target for target in node.targets}
        node.targets = list(seen.values())
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._named(node) or self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._named(node) or node

    def _named(self, node: ast.Attribute | ast.Name) -> ast.AST | None:
        key, graph = key_of(node), self.graph
        if key in graph.variables:
            return ast.Attribute(ast.Name(MODULE, ast.Load()), graph.variables[key], node.ctx)
        if key in graph.placeholders:
            return ast.Name(graph.parameter(key), node.ctx)
        if key in graph.versions:
            return ast.Name(local(key), node.ctx)
        if key in self.own:
            owner = ast.Name(MODULE, ast.Load())
            return ast.Attribute(owner, local(key), node.ctx) if self.in_method else ast.Name(local(key), node.ctx)
        return None
