"""Names across files: who refers to whom, and who falls with whom."""

from __future__ import annotations

import ast

import pytest

from migrator.codemods.graph import Module, absolute, dependents, imported_names, references, resolve


@pytest.mark.parametrize(
    ("target", "level", "module", "package", "expected"),
    [
        ("a", 0, "p.q", False, "a"),
        ("a", 1, "p.q", False, "p.a"),
        ("", 1, "p.q", False, "p"),
        ("a", 1, "p.q", True, "p.q.a"),
        ("a", 2, "p.q.r", False, "p.a"),
    ],
)
def test_absolute(target: str, level: int, module: str, package: bool, expected: str) -> None:
    assert absolute(target, level, module, package) == expected


def test_resolve_through_aliases_and_packages() -> None:
    modules = {
        "p": Module("p", {}, {"build": ("p.model", "build")}),
        "p.model": Module("p.model", {"build": "p/model.py::build"}, {}),
        "t": Module("t", {"f": "t.py::f"}, {"p": ("p", None), "b": ("p", "build"), "m": ("p.model", None)}),
    }
    here = modules["t"]
    assert resolve(("f",), here, modules) == "t.py::f"
    assert resolve(("b",), here, modules) == "p/model.py::build"
    assert resolve(("p", "build"), here, modules) == "p/model.py::build"
    assert resolve(("p", "model", "build"), here, modules) == "p/model.py::build"
    assert resolve(("m", "build", "x"), here, modules) == "p/model.py::build"
    assert resolve(("os", "path"), here, modules) is None


def test_imported_names_and_references() -> None:
    tree = ast.parse("from .a import b as c\nimport x.y\nimport z.w as v\nc(x.y.q, f(1).g)\n")
    assert imported_names(tree, "p.m", False) == {"c": ("p.a", "b"), "x": ("x", None), "v": ("z.w", None)}
    assert references([tree]) == {("c",), ("x", "y", "q"), ("f",)}


def test_users_fall_and_callees_stand() -> None:
    edges = {"main": {"train"}, "train": {"model", "loss"}, "model": {"layer"}, "other": {"layer"}}
    assert dependents(edges, ["train"], blocked=lambda unit: False) == {"main": "train"}
    assert set(dependents(edges, ["layer"], blocked=lambda unit: unit == "train")) == {"model", "other"}
