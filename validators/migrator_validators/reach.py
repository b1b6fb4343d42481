"""What a case can reach of a tree, as one digest: equal digests mean that running it again tells nothing new.

A definition can run only where its name is mentioned by something that runs. So everything of that
name is taken, wherever it stands, with no attempt at scopes or types: too much is reached, never too
little. Module-level statements of every imported module run and belong; of a function that nothing
mentions only the header does. Code that finds things without naming them (`globals`, `importlib`,
`getattr` on who knows what) reaches the whole tree.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from pydantic import BaseModel

from migrator_validators.cases import Call, Case, Name
from migrator_validators.pieces import Piece, pieces
from migrator_validators.workers import Tree

MAIN = "__main__"

WITHOUT_TENSORFLOW = sys.stdlib_module_names | {
    "torch",
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "PIL",
    "matplotlib",
    "tqdm",
}
"""Libraries that behave the same whether or not TensorFlow can be imported."""


@dataclass(frozen=True)
class Reached:
    """`digest` of all that can run, and the identifiers `mentioned` by it (None: any)."""

    digest: str
    mentioned: frozenset[str] | None

    def mentions(self, qualname: str) -> bool:
        """Whether the last part of "module:Outer.name" can be meant by what runs."""
        return self.mentioned is None or qualname.replace(":", ".").rpartition(".")[2] in self.mentioned


@dataclass
class ReachableCode:
    """The files of a packed tree, read once."""

    tree: Tree
    _found: dict[tuple[str, ...], Reached] = field(default_factory=dict)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Path in the tree → content."""
        if not self.tree.data:
            return {}
        with zipfile.ZipFile(io.BytesIO(self.tree.data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    @cached_property
    def modules(self) -> Mapping[str, tuple[str, ...]]:
        """Import name → files that may be meant by it, from every folder on the path."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            if path.endswith(".py"):
                for root in self.tree.roots:
                    if not root or path.startswith(root.rstrip("/") + "/"):
                        found.setdefault(_module(path, root), []).append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    @cached_property
    def data(self) -> str:
        """Digest of the files that are not Python: a program may read any of them."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            if not path.endswith(".py"):
                digest.update(f"{path} {hashlib.sha256(content).hexdigest()}\n".encode())
        return digest.hexdigest()

    @cached_property
    def everything(self) -> str:
        """Digest of the whole tree."""
        lines = [f"{path} {hashlib.sha256(content).hexdigest()}" for path, content in sorted(self.files.items())]
        return hashlib.sha256("\n".join([*self.tree.roots, *lines]).encode()).hexdigest()

    def of(self, refs: Iterable[str]) -> Reached:
        """What references such as "package.module:attr" reach; "module:__main__" runs the module as a program."""
        key = tuple(sorted(set(refs)))
        if key not in self._found:
            self._found[key] = _Closure(self, key).resolve()
        return self._found[key]


def references(case: Case, target: bool) -> frozenset[str]:
    """Everything that a case names on one side."""
    module = (case.call.target if target else "") or case.call.source
    return frozenset(_references(case, target)) | {f"{module}:{name}" for name in case.names}


def _references(value: object, target: bool) -> Iterator[str]:
    if isinstance(value, Call | Name):
        ref = (value.target if target else "") or value.source
        if ":" in ref:
            yield ref
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name), target)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _references(item, target)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item, target)


class _Closure:
    """One search, from references to all that they can run."""

    def __init__(self, code: ReachableCode, refs: Iterable[str]) -> None:
        self.code = code
        self.files: set[str] = set()
        self.programs: set[str] = set()
        self.names: set[str] = set()
        self.libraries: set[str] = set()
        self.everything = False
        for ref in refs:
            module, _, attribute = ref.partition(":")
            self._import(module)
            self.names.update(attribute.split("."))
            if attribute == MAIN:
                self.programs.update(code.modules.get(module, ()))

    def resolve(self) -> Reached:
        taken: dict[tuple[str, int], str] = {}
        grown = True
        while grown and not self.everything:
            grown = False
            for path in sorted(self.files):
                for number, piece in enumerate(self._pieces(path)):
                    part = piece.part(self.names, path in self.programs, self.code.tree.tf_remains)
                    if taken.get((path, number)) != part.digest:
                        taken[path, number] = part.digest
                        self.names |= part.names
                        self.everything |= part.dynamic
                        for module, level in part.imports:
                            self._import(module, level, path)
                        grown = True
        if self.everything:
            return Reached(self._digest(self._whole()), None)
        lines = [f"{path} {digest}" for (path, _), digest in sorted(taken.items()) if digest]
        return Reached(self._digest(lines), frozenset(self.names))

    def _pieces(self, path: str) -> tuple[Piece, ...]:
        return pieces(self.code.files[path])

    def _whole(self) -> list[str]:
        python = ((p, content) for p, content in sorted(self.code.files.items()) if p.endswith(".py"))
        return [f"{path} {' '.join(piece.whole.digest for piece in pieces(content))}" for path, content in python]

    def _digest(self, lines: Iterable[str]) -> str:
        minds = self.everything or not self.libraries <= WITHOUT_TENSORFLOW
        remains = str(self.code.tree.tf_remains) if minds else ""
        head = [*self.code.tree.roots, remains, self.code.data, *sorted(self.programs)]
        return hashlib.sha256("\n".join([*head, *lines]).encode()).hexdigest()

    def _import(self, module: str, level: int = 0, path: str = "") -> None:
        """A module, the packages it lies in, and for `from a import b` (given as "a.b") both readings."""
        names = [module]
        if level:
            names = [f"{base}.{module}".strip(".") for base in self._packages(path, level)]
        for name in names:
            parts = name.split(".")
            if parts[0] not in self.code.modules and not level:
                self.libraries.add(parts[0])
            for count in range(1, len(parts) + 1):
                self.files.update(self.code.modules.get(".".join(parts[:count]), ()))

    def _packages(self, path: str, level: int) -> set[str]:
        """What a relative import of a file starts from, under each name that the file has."""
        found = set()
        for name, paths in self.code.modules.items():
            if path in paths:
                parts = name.split(".")
                up = level - 1 if path.endswith("__init__.py") else level
                found.add(".".join(parts[: len(parts) - up] if up else parts))
        return found


def _module(path: str, root: str) -> str:
    relative = PurePosixPath(path).relative_to(root) if root else PurePosixPath(path)
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
