"""What a training needs of another file: the one that compiles its model."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from migrator.codemods.context import Context
from migrator.codemods.graph import absolute
from migrator.codemods.tf_imports import global_reads
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.plan import own_names
from migrator.codemods.training.writer import Unfit, Writer


def imports_from_home(source: str, compiled: Compiled, writer: Writer) -> set[str]:
    """Imports of what code of a configuration calls of the file that compiles the model, where that is another one.

    Raises Unfit where this file means something else by a name.
    """
    home, ctx = compiled.home, writer.ctx
    if home is None:
        return set()
    wanted = global_reads(source) & own_names(home)
    missing = wanted - set(_imported_from(home.module, wanted, ctx))
    if clash := sorted(missing & writer.plan.everywhere):
        raise Unfit(f"`{clash[0]}` of {home.path} is something else in this file")
    return {f"from {home.module} import {name}" for name in missing}


def _imported_from(module: str, wanted: frozenset[str], ctx: Context) -> Iterator[str]:
    """Names that the top level of a file has from a module, under the names that they have there."""
    is_package = PurePosixPath(ctx.path).name == "__init__.py"
    for node in ast.parse(ctx.tree.code).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        if absolute(node.module or "", node.level, ctx.module, is_package) != module:
            continue
        for alias in node.names:
            if alias.name == "*":
                yield from wanted
            elif alias.asname in (None, alias.name):
                yield alias.name
