"""Layers and variables that an expression of a graph makes: they go into the constructor."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.functions import Block, Functions
from migrator.codemods.graphs.graph import Piece
from migrator.codemods.graphs.program import NotUnderstood, key_of, keys_read
from migrator.codemods.graphs.sharing import AGAIN, EITHER, NEW
from migrator.codemods.graphs.tables import bound, text
from migrator.codemods.graphs.variable_names import UNSEEN, filled, may_meet

if TYPE_CHECKING:
    from migrator.codemods.graphs.reading import Reader

MODULE = "__module__"
"""Stands for `self` of the module that is written."""

_TRAINED = {
    "Dense": ("kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv3D": ("kernel", "bias"),
    "Conv2DTranspose": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta"),
}
"""Variables of layers that train."""


class Variables(ast.NodeTransformer):
    """Variables whose names are bound again, as the attributes that they are now."""

    def __init__(self, held: Mapping[str, str]) -> None:
        self.held = held

    def visit_Name(self, node: ast.Name) -> ast.AST:
        known = node.id in self.held and isinstance(node.ctx, ast.Load)
        return _attribute(self.held[node.id]) if known else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        known = key_of(node) in self.held and isinstance(node.ctx, ast.Load)
        return _attribute(self.held[key_of(node)]) if known else self.generic_visit(node)


class Pieces(ast.NodeTransformer):
    """Puts layers and variables that an expression makes into the constructor."""

    def __init__(self, reader: Reader, wish: str) -> None:
        self.reader, self.wish = reader, wish
        self.count, self.random = 0, False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        api = self.reader.program.api(node)
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if api in tables.ASSIGNS or method in ("assign", "assign_add", "assign_sub"):
            raise NotUnderstood("a variable that the graph assigns")
        self.random = self.random or api in tables.RANDOM or api.startswith("tf.random.")
        self.generic_visit(node)
        functions = self.reader.functions
        key = key_of(node.func)
        if functions is not None and key in functions.nodes:
            return self._block(node, key, functions)
        if functions is not None and key in functions.refused:
            raise NotUnderstood(functions.refused[key])
        if key.startswith("self.") and key.removeprefix("self.") in self.reader.methods:
            raise NotUnderstood(f"the method {key}, which does more than compute")
        if api == "tf.nn.dropout" and self.reader.program.is_old(node):
            return self._dropout(node)
        if api in tables.VARIABLES:
            self.count += 1
            return _attribute(self.reader.variable("", api, node))
        form = tables.LAYERS.get(api)
        if form is None:
            if api.startswith(("tf.layers.", "tf.contrib.")):
                raise NotUnderstood(f"no layer is known for {api}")
            return node
        return self._layer(node, form, api.rpartition(".")[2])

    def _block(self, node: ast.Call, name: str, functions: Functions) -> ast.AST:
        """A call of a function that makes variables: its layer, applied to the tensors among its arguments."""
        args, graph, reader = functions.arguments(node, name), self.reader.graph, self.reader
        tensors = tuple(n for n, v in args.items() if set(keys_read(v)) & {MODULE, *graph.tensors} or self._computes(v))
        block = functions.block(name, tensors)
        functions.sites[name] = functions.sites.get(name, 0) + 1
        self.count += 1
        graph.moded = graph.moded or block.moded
        graph.plain |= {key for n in block.plain if n in args for key in keys_read(args[n])}
        listed = ", ".join(f"{n}={text(v)}" for n, v in args.items() if n not in tensors)
        named = functions.named(node, name)
        attribute = self._made_before(node, name, (listed, block), named, functions)
        if not attribute:
            wish = next((n for n in named.values() if n.isidentifier()), name.removeprefix("self."))
            attribute = reader.attribute(wish)
            made = ast.parse(f"{MODULE}.{attribute} = {block.cls}({listed})").body[0]
            names = tuple(UNSEEN if v == UNSEEN else reader.named(filled(v, named)) for v in block.variables)
            graph.pieces.append(Piece(attribute, made, inside=True, names=names))
            reader.calls[name, reader.named(*named.values())] = listed, attribute
        order = [args[n] for n in block.tensors if n in args]
        return ast.Call(_attribute(attribute), order, [])

    def _made_before(
        self, node: ast.Call, name: str, made: tuple[str, Block], named: dict[str, str], functions: Functions
    ) -> str:
        """The attribute of the layer whose variables a call of a function shares; "" where it makes its own."""
        (listed, block), reader = made, self.reader
        asks = functions.asks(node, name)
        if reader.again:
            asks = reader.again if asks == NEW else asks
            if reader.again == EITHER and not functions.sharing.has_scope(name):
                raise NotUnderstood(f"variables of {name} that are shared")
        scope = reader.named(*named.values())
        before = reader.calls.get((name, scope)) if UNSEEN not in scope else None
        if asks == NEW:
            return ""
        if UNSEEN in block.variables:  # a `tf.Variable` is never shared
            raise NotUnderstood(f"variables of {name} that are shared")
        if before is not None and before[0] == listed:
            return before[1]
        names = [filled(v, named) for v in block.variables]
        others = [n for piece in reader.graph.pieces for n in piece.names]
        if asks == AGAIN or before is not None or may_meet([reader.named(n) for n in names], others):
            raise NotUnderstood(f"variables of {name} that are shared")
        return ""

    def _computes(self, node: ast.AST) -> bool:
        return any(self.reader.program.api(n).startswith("tf.") for n in ast.walk(node) if isinstance(n, ast.Call))

    def _dropout(self, node: ast.Call) -> ast.AST:
        """Version 1 says what stays; version 2's `rate` is what goes."""
        args = bound(node, ("x", "keep_prob", "noise_shape", "seed", "name", "rate")) or {}
        if args.keys() - {"x", "keep_prob", "name"} or "keep_prob" not in args:
            return node
        self.reader.graph.plain |= set(keys_read(args["keep_prob"]))
        rate = ast.keyword("rate", ast.BinOp(ast.Constant(1), ast.Sub(), args["keep_prob"]))
        return ast.Call(node.func, [args["x"]], [rate])

    def _layer(self, node: ast.Call, form: tables.LayerForm, snake: str) -> ast.AST:
        args = bound(node, form.params)
        if args is None or "inputs" not in args or args.keys() & {"reuse", "kernel_regularizer", "bias_regularizer"}:
            raise NotUnderstood(f"arguments of tf.layers' {form.keras} that are not known")
        graph, tf = self.reader.graph, self.reader.program.tf
        inputs, training, name = args.pop("inputs"), args.pop("training", None), args.pop("name", None)
        if form.keras == "Dropout" and (training is None or text(training) == "False"):
            return inputs
        if form.keras == "Dropout" and "rate" in args:
            graph.plain |= set(keys_read(args["rate"]))
        self.count += 1
        listed = ", ".join(f"{n}={self._argument(v)}" for n, v in args.items())
        attribute = self.reader.attribute("" if isinstance(name, ast.Constant) else self.wish or snake, name)
        made = f"{MODULE}.{attribute} = {tf}.keras.layers.{form.keras}({listed})"
        kinds = _TRAINED.get(form.keras, ())
        own = self.reader.part_of(name) if name is not None else f"{snake}{UNSEEN}"
        names = tuple(self.reader.named(own, kind) for kind in kinds)
        self.reader.makes_new(bool(kinds))
        graph.pieces.append(Piece(attribute, ast.parse(made).body[0], names=names))
        mode = []
        if form.keras in ("Dropout", "BatchNormalization"):
            mode = [ast.keyword("training", self._mode(training))]
            graph.moded = True
            graph.normalised = graph.normalised or form.keras == "BatchNormalization"
        return ast.Call(_attribute(attribute), [inputs], mode)

    def _argument(self, value: ast.expr) -> str:
        api = self.reader.program.api(value)
        found = tables.initializer(api, value, self.reader.program.tf) if api.endswith("initializer") else None
        if api.endswith("initializer") and found is None:
            raise NotUnderstood(f"no initialiser is known for {api}")
        return text(value) if found is None else found

    def _mode(self, training: ast.expr | None) -> ast.expr:
        graph = self.reader.graph
        if training is None:
            return ast.Constant(False)
        if key_of(training) in graph.placeholders:
            graph.mode.add(key_of(training))
        elif set(keys_read(training)) & graph.keys:
            raise NotUnderstood("a mode that the graph computes")
        return training


class InputShape(ast.NodeTransformer):
    """`input_shape` in the place of `x.get_shape()`, `x.shape` and `x.get_shape().as_list()`."""

    def __init__(self, name: str) -> None:
        self.shapes = {
            f"{name}.get_shape()",
            f"{name}.shape",
            f"{name}.get_shape().as_list()",
            f"{name}.shape.as_list()",
        }

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and text(node) in self.shapes:
            return ast.Name("input_shape", ast.Load())
        if isinstance(node, ast.Attribute) and node.attr == "value":
            return self.visit(node.value)
        return self.generic_visit(node)


def _attribute(name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(MODULE, ast.Load()), name, ast.Load())
