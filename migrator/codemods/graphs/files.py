"""All files with graphs, in other words: with their helper functions written out where that is what it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace

from migrator.codemods.graphs.modern import Modern, has_graph, written
from migrator.codemods.graphs.unfolding import Unfolded, unfolded
from migrator.values import ModuleFacts

Files = Mapping[str, tuple[str, ModuleFacts]]


def modern(source: str, here: ModuleFacts, repository: Iterable[str] = ()) -> Modern | None:
    """The file without graphs and sessions; None where it has none. `repository`: the texts of all files."""
    return modern_files({"": (source, here)}, repository or (source,)).get("")


def modern_files(files: Files, repository: Iterable[str]) -> dict[str, Modern]:
    """The files with graphs or sessions in other words, by path. `files`: source and facts of those that use
    TensorFlow; `repository`: the texts of all files."""
    texts = tuple(repository)
    made = {path: _unfolded(source, here, texts) for path, (source, here) in files.items() if has_graph(here.uses())}
    tried = {path: one for path, one in made.items() if one is not None}
    whys: dict[str, dict[int, str]] = {}
    while tried:
        found = written({path: _now(path, files, tried) for path in files}, _texts(texts, files, tried))
        left = {path for path in tried if path not in found or found[path].reasons}
        whys |= {path: _reasons(found[path], tried[path]) for path in left if path in found}
        if not left:
            found = {path: _explained(one, whys.get(path, {})) for path, one in found.items()}
            return {path: _mapped(one, tried[path], files[path][1].name) if path in tried else one
                    for path, one in found.items()}  # fmt: skip
        tried = {path: one for path, one in tried.items() if path not in left}
    return {path: _explained(one, whys.get(path, {})) for path, one in written(files, texts).items()}


def _reasons(made: Modern, one: Unfolded) -> dict[int, str]:
    """Why the graphs of a file are not understood though all is written out, by line of the original."""
    return {one.origin[min(line, len(one.origin)) - 1]: why for line, why in made.reasons.items()}


def _explained(made: Modern, whys: Mapping[int, str]) -> Modern:
    """With these reasons in the place of the file's own, which may be what writing out would mend."""
    return replace(made, reasons={line: whys.get(line, why) for line, why in made.reasons.items()})


def _unfolded(source: str, here: ModuleFacts, texts: Iterable[str]) -> Unfolded | None:
    name = here.name.rpartition(".")[2]
    trees = [ast.parse(text) for text in texts if text != source]
    return unfolded(source, here, {known for tree in trees if _imports(tree, name) for known in _names(tree)})


def _imports(tree: ast.Module, module: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name.rpartition(".")[2] for alias in node.names}
            source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module in names or source.rpartition(".")[2] == module:
                return True
    return False


def _names(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        found |= {node.id} if isinstance(node, ast.Name) else set()
        found |= {node.attr} if isinstance(node, ast.Attribute) else set()
        found |= {node.name} if isinstance(node, ast.alias) else set()
    return found


def _now(path: str, files: Files, tried: Mapping[str, Unfolded]) -> tuple[str, ModuleFacts]:
    source, here = files[path]
    return (tried[path].source if path in tried else source), here


def _texts(texts: Iterable[str], files: Files, tried: Mapping[str, Unfolded]) -> list[str]:
    new = {files[path][0]: one.source for path, one in tried.items()}
    return [new.get(text, text) for text in texts]


def _mapped(made: Modern, one: Unfolded, module: str) -> Modern:
    """In terms of the original's lines."""

    def at(line: int) -> int:
        return one.origin[min(line, len(one.origin)) - 1]

    groups = tuple(frozenset((m, at(line) if m == module else line) for m, line in group) for group in made.groups)
    return replace(
        made,
        lines=tuple(at(line) for line in made.lines),
        script=frozenset(at(line) for line in made.script),
        ends=frozenset(at(line) for line in made.ends),
        nodes=made.nodes | (one.gone - one.functions),
        written_out=one.functions,
        groups=(*groups, *(frozenset((module, line) for line in tie) for tie in one.ties)),
    )
