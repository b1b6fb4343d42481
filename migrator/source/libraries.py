"""Libraries that a repository imports beside its own modules and TensorFlow."""

from __future__ import annotations

import ast

from migrator.model import SourceRepo

_OURS = frozenset({"tensorflow", "keras", "tf_keras", "torch"})


def foreign_libraries(repo: SourceRepo) -> frozenset[str]:
    """Import names, without what stands behind the first dot."""
    own = {(file.module or "").split(".")[0] for file in repo.files}
    trees = [ast.parse(file.text) for file in repo.files if file.text is not None]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return frozenset({name.split(".")[0] for name in names} - own - _OURS - {""})
