"""Helpers whose names a file has for something else: they get another."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Mapping
from dataclasses import replace

from migrator.model import Helper
from migrator.rules.engine.template import Output


def without_clashes(output: Output, taken: Collection[str]) -> Output:
    """The output with every helper that is called as something in `taken` under a name that is free."""
    new = {name: _free(name, taken) for name, h in output.helpers.items() if name in taken and not h.module}
    if not new:
        return output
    helpers = {new.get(name, name): _renamed(helper, new) for name, helper in output.helpers.items()}
    return replace(output, expr=_Renamer(new).visit(output.expr), helpers=helpers)


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _renamed(helper: Helper, new: Mapping[str, str]) -> Helper:
    """The helper under its new name; others that it calls are called by theirs."""
    plain = None if helper.plain is None else _renamed(helper.plain, new)
    return replace(helper, name=new.get(helper.name, helper.name), source=_with_names(helper.source, new), plain=plain)


def _with_names(source: str, new: Mapping[str, str]) -> str:
    """Python source with some of its names changed; attributes and texts stay."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for before, token in reversed(list(zip([None, *tokens], tokens, strict=False))):
        if token.type == tokenize.NAME and token.string in new and (before is None or before.string != "."):
            (row, start), (_, end) = token.start, token.end
            lines[row - 1] = lines[row - 1][:start] + new[token.string] + lines[row - 1][end:]
    return "".join(lines)


class _Renamer(ast.NodeTransformer):
    """Changes the names of functions; of `x.device` the name is a tensor of the program."""

    def __init__(self, new: Mapping[str, str]) -> None:
        self.new = new

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not isinstance(node.value, ast.Name):
            self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.new.get(node.id, node.id), ast.Load())
