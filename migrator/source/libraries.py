"""Libraries that a repository imports beside TensorFlow, and modules of its own that are not among its files."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from migrator.model import SourceFile, SourceRepo

_OURS = frozenset({"tensorflow", "keras", "tf_keras", "torch"})


def foreign_libraries(repo: SourceRepo) -> frozenset[str]:
    """Import names of libraries, without what stands behind the first dot, and the whole names of the repository's
    own modules that are made by a build (compiled, generated), as far as an import names them."""
    modules = {file.module for file in repo.files if file.module is not None}
    packages = {".".join(parts[:n]) for parts in (m.split(".") for m in modules) for n in range(1, len(parts))}
    own = {module.split(".")[0] for module in modules}
    found: set[str] = set()
    for name in (name for file in repo.files for name in _imported(file)):
        top = name.split(".")[0]
        if top not in own:
            found.add(top)
        elif name not in modules | packages:
            found.add(name)
    return frozenset(found - _OURS - {""})


def _imported(file: SourceFile) -> Iterator[str]:
    """The modules that a file's import statements name."""
    if file.text is None:
        return
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom) and node.module and file.module is not None:
            above = node.level - (file.path.name == "__init__.py")
            parts = file.module.split(".")
            yield ".".join([*parts[: len(parts) - above], node.module])
