"""Lists of variables that a graph computes with: the attributes that hold them, in the order of their making."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from migrator.codemods.graphs.functions import Functions
from migrator.codemods.graphs.graph import Piece
from migrator.codemods.graphs.program import NotUnderstood, key_of
from migrator.codemods.graphs.tables import text
from migrator.codemods.graphs.training import Training
from migrator.codemods.graphs.variable_names import name_test

Test = Callable[[str], bool | None]
_UNSEEN = "a list of variables whose names are not seen"


class Lists(ast.NodeTransformer):
    """Writes out the lists of variables in a statement; raises `NotUnderstood`."""

    def __init__(self, training: Training, functions: Functions | None, owner: str) -> None:
        self.training, self.functions, self.owner = training, functions, owner

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._over(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._over(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self._list(node) or self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._list(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._list(node) or self.generic_visit(node)

    def _over(self, node: ast.ListComp | ast.GeneratorExp) -> ast.AST:
        """A comprehension over variables, without the test of their names: those that pass are written out."""
        over = node.generators[0]
        test = self.training.tested(over.iter)
        if test is not None and over.ifs:
            if len(over.ifs) > 1:
                raise NotUnderstood(_UNSEEN)
            by_name = name_test(over.ifs[0], text(over.target))
            over.iter, over.ifs = self._listed(_both(test, by_name)), []
        return self.generic_visit(node)

    def _list(self, node: ast.expr) -> ast.expr | None:
        loads = not isinstance(node, ast.Name | ast.Attribute) or isinstance(node.ctx, ast.Load)
        test = self.training.tested(node) if loads and (isinstance(node, ast.Call) or key_of(node)) else None
        return None if test is None else self._listed(test)

    def _listed(self, test: Test) -> ast.expr:
        found = self._of(self.training.graph.pieces, test, self.owner)
        if not found:
            raise NotUnderstood("a list of variables that none is in")
        return ast.parse(f"[{', '.join(found)}]", mode="eval").body

    def _of(self, pieces: Sequence[Piece], test: Test, owner: str, names: Sequence[str] | None = None) -> list[str]:
        """The variables of some pieces that pass; `names`: those of all their variables, where others than their
        own."""
        found: list[str] = []
        left = list(names or ())
        for piece in pieces:
            own = piece.names if names is None else tuple(left[: len(piece.names)])
            left = left[len(piece.names) :]
            verdicts = [test(name) for name in own]
            if None in verdicts:
                raise NotUnderstood(_UNSEEN)
            if True in verdicts:
                found += self._one(piece, test, f"{owner}.{piece.attribute}", own, pieces)
        return found

    def _one(self, piece: Piece, test: Test, place: str, names: Sequence[str], pieces: Sequence[Piece]) -> list[str]:
        if "add_weight" in text(piece.made):
            return [f"*{place}" if piece.each else place]
        inside = self._inside(piece, pieces)
        if inside is None:
            raise NotUnderstood("the variables of a layer among those that the graph computes with")
        found = self._of(inside, test, "layer" if piece.each else place, names)
        if not piece.each:
            return found
        if any(one.startswith("*") for one in found):
            raise NotUnderstood("lists of variables in each turn of a loop")
        if len(found) == 1:
            return [f"*[{found[0]} for layer in {place}]"]
        return [f"*[v for layer in {place} for v in ({', '.join(found)})]"]

    def _inside(self, piece: Piece, pieces: Sequence[Piece]) -> tuple[Piece, ...] | None:
        """What the layer of a function is made of; those of a loop are made where it fills their list."""
        blocks = self.functions.blocks.values() if self.functions is not None else ()
        places = [one.made for one in pieces if one is piece or (piece.each and not one.attribute)]
        calls = [n for place in places for n in ast.walk(place) if isinstance(n, ast.Call)]
        if piece.each:
            fills = f"{piece.attribute}.append"
            calls = [n for c in calls if text(c.func).endswith(f".{fills}") for n in ast.walk(c.args[0])
                     if isinstance(n, ast.Call)]  # fmt: skip
        made = {key_of(call.func) for call in calls}
        return next((block.parts for block in blocks if piece.inside and block.cls in made), None)


def _both(first: Test, second: Test) -> Test:
    """The names that pass two tests."""

    def test(name: str) -> bool | None:
        one, two = first(name), second(name)
        return False if False in (one, two) else None if None in (one, two) else True

    return test
