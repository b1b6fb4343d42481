"""Walking and changing indexed trees gives what libcst's own visits give."""

from __future__ import annotations

import libcst as cst
import pytest

from migrator.codemods.positions import Positions
from migrator.syntax import index_of, known_index, remember, transform, walk

SOURCE = """
@decorated(1)
def f(a, *, b: int = 2, **rest):  # comment
    x = [i for i in range(a) if i]
    with open(b) as g, h():
        return (
            x[0].y(a, key=b)  # inside
            + -b
        )


class C(Base, metaclass=M):
    z = {**a, "k": lambda q: q if q else None}
    del a, b
"""


def indexed(source: str) -> cst.Module:
    tree = cst.parse_module(source)
    remember(Positions(tree).index)
    return tree


class Names(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def visit_Name(self, node: cst.Name) -> None:
        self.seen.append(node.value)

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        self.seen.append("lambda")
        return False

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self.seen.append(f"end of {original_node.name.value}")


class All(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.seen.append(node)
        return not isinstance(node, cst.ClassDef)


class Renaming(cst.CSTTransformer):
    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return cst.parse_expression("(one + two)") if original_node.value == "b" else updated_node

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(name=original_node.name)

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return False


class Removing(cst.CSTTransformer):
    def leave_Decorator(
        self, original_node: cst.Decorator, updated_node: cst.Decorator
    ) -> cst.Decorator | cst.RemovalSentinel:
        return cst.RemoveFromParent()

    def leave_Del(
        self, original_node: cst.Del, updated_node: cst.Del
    ) -> cst.BaseSmallStatement | cst.FlattenSentinel[cst.BaseSmallStatement]:
        return cst.FlattenSentinel([cst.Pass(), updated_node])


def test_a_walk_meets_what_a_visit_meets() -> None:
    tree = indexed(SOURCE)
    walked, visited = Names(), Names()
    walk(tree, walked)
    tree.visit(visited)
    assert walked.seen == visited.seen
    assert "lambda" in walked.seen


def test_a_visitor_of_all_nodes_is_asked_of_each() -> None:
    tree = indexed(SOURCE)
    walked = All()
    walk(tree, walked)
    known = index_of(tree)
    below = {n for c in known.flat if isinstance(c, cst.ClassDef) for n in known.flat[slice(*known.ranges[c])]}
    classes = {c for c in known.flat if isinstance(c, cst.ClassDef)}
    assert walked.seen == [n for n in known.flat if n not in below or n in classes]


class Depths(cst.CSTVisitor):
    """How deep in classes and functions each name stands."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.seen = 0, []  # type: ignore[var-annotated]

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.depth += isinstance(node, cst.ClassDef | cst.FunctionDef)
        self.seen += [(node.value, self.depth)] if isinstance(node, cst.Name) else []
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self.depth -= isinstance(original_node, cst.ClassDef | cst.FunctionDef)


def test_a_visitor_of_all_nodes_leaves_each() -> None:
    tree = indexed(SOURCE)
    walked, visited = Depths(), Depths()
    walk(tree, walked)
    tree.visit(visited)
    assert walked.depth == 0
    assert walked.seen == visited.seen


@pytest.mark.parametrize("kind", [Renaming, Removing, cst.CSTTransformer])
def test_a_change_gives_what_a_visit_gives(kind: type[cst.CSTTransformer]) -> None:
    tree = indexed(SOURCE)
    changed = transform(tree, kind())
    wanted = tree.visit(kind())
    assert isinstance(changed, cst.Module)
    assert isinstance(wanted, cst.Module)
    assert changed.code == wanted.code


def test_what_did_not_change_stays_the_same_object() -> None:
    tree = indexed(SOURCE)
    changed = transform(tree, Renaming())
    assert isinstance(changed, cst.Module)
    assert changed.body[1] is tree.body[1]
    assert transform(tree, cst.CSTTransformer()) is tree


def test_trees_without_an_index_are_visited() -> None:
    node = cst.parse_expression("a + b")
    assert known_index(node) is None
    names = Names()
    walk(node, names)
    assert names.seen == ["a", "b"]
    assert cst.Module([]).code_for_node(transform(node, Renaming())) == "a + (one + two)"  # type: ignore[arg-type]


def test_an_index_made_by_a_visit_is_that_of_the_positions() -> None:
    tree = cst.parse_module(SOURCE)
    made = index_of(tree)
    positions = Positions(tree).index
    assert made.flat == positions.flat
    assert made.ranges == positions.ranges
    assert made.parents == positions.parents
    assert made.words == positions.words


class Shorter(cst.CSTTransformer):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return cst.Name("x")


def test_parentheses_that_stand_for_a_space_stay() -> None:
    tree = indexed("def f():\n    if(g())and(g()):\n        yield(g())\n    return(g())if(1)else(g())\n")
    changed = transform(tree, Shorter())
    assert isinstance(changed, cst.Module)
    assert changed.code == "def f():\n    if(x)and(x):\n        yield(x)\n    return(x)if(1)else(x)\n"


def test_deeper_parentheses_become_a_space() -> None:
    tree = indexed("def f():\n    with(g())as(y):\n        return(g()),y\n")
    changed = transform(tree, Shorter())
    assert isinstance(changed, cst.Module)
    assert changed.code == "def f():\n    with(x)as(y):\n        return x,y\n"
