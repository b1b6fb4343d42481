"""By which name each file is imported, judged by how the repository's own code imports it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from migrator.source.scan import Import

EXTRA_ROOTS = ("src", "lib", "python")
"""Folders that projects put on `sys.path` by installing themselves."""


@dataclass(frozen=True)
class Names:
    """`modules`: file → import name. `edges`: file → files of the repository that it imports.

    `ambiguous`: file → a name that it imports and that means another file elsewhere: two folders
    of scripts with a `utils.py` each, which one analysis cannot hold apart.
    """

    modules: Mapping[str, str]
    edges: Mapping[str, frozenset[str]]
    ambiguous: Mapping[str, str]
    package: str = ""  # what every name starts with


def name_modules(imports: Mapping[str, Collection[Import]], package: str = "") -> Names:
    """Import names of all Python files, unique; a file that cannot get one is absent.

    `imports`: path from the repository's root → its imports. `package`: the name of the root
    folder when that may itself be a package; an import found from inside it shows that it is not.
    A file imported as `layers` by its sibling and as `models.layers` by others gets the more frequent name.
    """
    index = {path: _parts(path) for path in imports}
    lookup = {parts: path for path, parts in index.items()}
    votes: Counter[tuple[str, str]] = Counter()  # (file, root it was found from)
    hits = {path: frozenset(_hits(path, found, lookup, package)) for path, found in imports.items()}
    if package and any(root is not None for found_by in hits.values() for _, root in found_by):
        return name_modules(imports)
    for found_by in hits.values():
        votes.update((target, root) for target, root in found_by if root is not None)
    edges = {path: frozenset(target for target, _ in found_by) - {path} for path, found_by in hits.items()}
    modules = _unique(index, _roots(index, votes), votes, package)
    return Names(modules, edges, dict(_ambiguous(hits, index, modules)), package)


def _parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _hits(
    path: str, found: Collection[Import], lookup: Mapping[tuple[str, ...], str], package: str
) -> Iterator[tuple[str, str | None]]:
    """(file, root) of each import that lands in the repository; root None for relative ones."""
    folder = PurePosixPath(path).parent.parts
    for item in found:
        module = tuple(item.module.split(".")) if item.module else ()
        if item.level:
            base = folder[: len(folder) - item.level + 1]
            if item.level <= len(folder) + 1:
                yield from ((target, None) for target in _targets((*base, *module), item, lookup))
            continue
        if package and module[:1] == (package,):
            yield from ((target, None) for target in _targets(module[1:], item, lookup))
            continue
        for root in _search(folder, lookup):
            targets = list(_targets((*root, *module), item, lookup))
            if targets:
                yield from ((target, "/".join(root)) for target in targets)
                break


def _ambiguous(
    hits: Mapping[str, Collection[tuple[str, str | None]]],
    index: Mapping[str, tuple[str, ...]],
    modules: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """(file, name) where the file's own `name` is not the file that carries that name now."""
    owner = {name: path for path, name in modules.items()}
    for path, found in hits.items():
        for target, root in found:
            if root is not None:
                name = ".".join(_below(index[target], root))
                if owner.get(name, target) != target:
                    yield path, name


def _below(parts: tuple[str, ...], root: str) -> tuple[str, ...]:
    return parts[len(root.split("/")) :] if root else parts


def _search(folder: tuple[str, ...], lookup: Mapping[tuple[str, ...], str]) -> list[tuple[str, ...]]:
    """Where an absolute import of a file in `folder` is looked for, first hit first."""
    is_package = lookup.get(folder, "").endswith("__init__.py")
    ancestors = [folder[:n] for n in range(len(folder) + 1)]  # root first
    if not is_package:  # a script: its own folder is sys.path[0]
        ancestors = [folder, *ancestors[:-1]]
    return ancestors + [(extra,) for extra in EXTRA_ROOTS if (extra,) not in ancestors]


def _targets(parts: tuple[str, ...], item: Import, lookup: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    """The files that `import a.b` or `from a.b import c` reads: `a/b/c.py` where it exists, else `a/b.py`."""
    below = [lookup[(*parts, name)] for name in item.names if (*parts, name) in lookup]
    yield from below
    if parts in lookup and len(below) < max(len(item.names), 1):
        yield lookup[parts]


def _roots(index: Mapping[str, tuple[str, ...]], votes: Counter[tuple[str, str]]) -> dict[str, str]:
    """The root of each file: the most voted, else that of its folder's files, else by its packages."""
    best: dict[str, str] = {}
    by_folder: dict[str, Counter[str]] = {}
    for (path, root), count in sorted(votes.items(), key=lambda item: (item[1], -len(item[0][1]))):
        best[path] = root  # the last one wins: most votes, then the shortest root
        by_folder.setdefault(_folder(path), Counter())[root] += count
    for path in index:
        if path not in best:
            folder = _folder(path)
            best[path] = by_folder[folder].most_common(1)[0][0] if folder in by_folder else _package_root(path, index)
    return best


def _folder(path: str) -> str:
    folder = PurePosixPath(path).parent
    if PurePosixPath(path).name == "__init__.py":  # a package is a file of the folder above
        folder = folder.parent
    return "" if str(folder) == "." else str(folder)


def _package_root(path: str, index: Mapping[str, tuple[str, ...]]) -> str:
    folder = PurePosixPath(path).parent
    while f"{folder}/__init__.py" in index:
        folder = folder.parent
    parts = folder.parts
    dotted = max((n for n, part in enumerate(parts, 1) if not part.isidentifier()), default=0)
    if f"{folder}/" == f"{parts[0] if parts else ''}/" and folder.name in EXTRA_ROOTS:
        return folder.name
    return "/".join(parts[:dotted])


def _unique(
    index: Mapping[str, tuple[str, ...]], roots: Mapping[str, str], votes: Counter[tuple[str, str]], package: str
) -> dict[str, str]:
    """Names by root; of two files with one name the more imported keeps it, the other gets its full path."""
    names: dict[str, str] = {}
    order = sorted(index, key=lambda path: (-votes[path, roots[path]], path.count("/"), path))
    for path in order:
        parts = index[path]
        for candidate in (_below(parts, roots[path]), parts):
            name = ".".join((package, *candidate) if package else candidate) or "__init__"
            if name not in names and "." not in "".join(candidate):
                names[name] = path
                break
    return {path: name for name, path in names.items()}
