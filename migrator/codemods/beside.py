"""New modules beside the files of a repository: code that is too long to stand in each file that uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from migrator.codemods.imports import merged
from migrator.model import FileRewrite, Helper

DOCS = {"keras_networks": "Keras's applications as PyTorch modules, for images of shape (N, H, W, C)."}


def imported(helpers: Sequence[Helper]) -> list[Helper]:
    """Of what stands in modules beside a file, that which no other such definition needs: the file names it."""
    found = [helper for helper in helpers if helper.module]
    inner = {needed.name for helper in found for needed in helper.needs}
    return [helper for helper in found if helper.name not in inner]


def import_line(helper: Helper, path: str, module: str) -> str:
    """The import of what stands in a module beside a file."""
    package = module if PurePosixPath(path).name == "__init__.py" else module.rpartition(".")[0]
    return f"from {package + '.' if package else ''}{helper.module} import {helper.name}"


def with_modules(files: Mapping[str, FileRewrite], helpers: Mapping[str, Sequence[Helper]]) -> dict[str, FileRewrite]:
    """The files with the new modules that they import; files of one folder share them.

    `helpers`: what each file needs.
    """
    wanted: dict[str, list[Helper]] = {}
    places: dict[str, list[str]] = {}
    for path, needed in helpers.items():
        for helper in (h for h in needed if h.module):
            place = str(PurePosixPath(path).parent / f"{helper.module}.py")
            wanted.setdefault(place, []).append(helper)
            places.setdefault(path, []).append(place)
    texts = {place: module_text(found) for place, found in wanted.items()}
    return {
        path: replace(file, beside=tuple((place, texts[place]) for place in dict.fromkeys(places.get(path, ()))))
        for path, file in files.items()
    }


def new_files(files: Iterable[FileRewrite]) -> dict[str, str]:
    """The new modules of all files: path and text."""
    return {path: text for file in files for path, text in file.beside}


def module_text(helpers: Sequence[Helper]) -> str:
    """A module with these helpers, what a helper needs before it."""
    ordered: dict[str, Helper] = {}
    for helper in helpers:
        _collect(helper, ordered)
    imports = merged({line for helper in ordered.values() for line in helper.imports})
    doc = DOCS[helpers[0].module]
    body = "\n\n\n".join(helper.source.strip("\n") for helper in ordered.values())
    return f'"""{doc}"""\n\n{_import_block(imports)}\n\n\n{body}\n'


def _import_block(lines: Sequence[str]) -> str:
    """The standard library's first, then the others."""
    own = [line for line in lines if line.split()[1].split(".")[0] in ("math", "os")]
    others = [line for line in lines if line not in own]
    return "\n".join([*own, *([""] if own and others else []), *others])


def _collect(helper: Helper, found: dict[str, Helper]) -> None:
    for needed in helper.needs:
        _collect(needed, found)
    found.setdefault(helper.name, helper)
