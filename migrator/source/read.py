"""Reading a repository, a folder or a single file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from migrator.errors import UsageError
from migrator.model import SourceFile, SourceRepo
from migrator.source.decode import Undecodable, decode
from migrator.source.discover import Found, discover
from migrator.source.keras_version import MANIFEST, keras_version
from migrator.source.modules import Names, name_modules
from migrator.source.scan import Broken, Import, imports, imports_tf, mentions_tf, parse, spread
from migrator.source.tf1 import tf1_files

MAX_PYTHON_BYTES = 2 * 2**20
"""A longer Python file is data in disguise; it is copied as it is."""


@dataclass(frozen=True)
class _Read:
    file: SourceFile
    imports: tuple[Import, ...] = ()
    tf: bool = False


def read(path: str | Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> SourceRepo:
    """Read what is at `path`: a repository, a folder, or one `.py` file (its folder is then the root).

    `include` and `exclude` are `.gitignore` patterns relative to the root; a Python file that they
    leave out is copied as it is. Raises `UsageError` where there is nothing to migrate.
    """
    start = Path(path)
    if not start.exists():
        raise UsageError(f"{path}: no such file or folder")
    root = start.resolve()
    if root.is_file():
        _check_single(root)
        found, root = [Found(root)], root.parent
    else:
        found = list(discover(root))
    left_out = _Selector(include, exclude)
    reads = [_read(item, root, left_out) for item in found if not item.reason]
    if not any(r.file.path.suffix == ".py" for r in reads):
        raise UsageError(f"{path}: no Python files in it")
    skipped = tuple((item.path.relative_to(root).as_posix(), item.reason) for item in found if item.reason)
    return _assemble(root, reads, skipped)


def _check_single(path: Path) -> None:
    if path.suffix == ".ipynb":
        raise UsageError(f"{path}: notebooks are not supported yet; export it as a .py file first")
    if path.suffix != ".py":
        raise UsageError(f"{path}: not a Python file")


class _Selector:
    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self.include = GitIgnoreSpec.from_lines(include) if include else None
        self.exclude = GitIgnoreSpec.from_lines(exclude)

    def why(self, path: str) -> str:
        if self.include is not None and not self.include.match_file(path):
            return "not named by --include"
        return "left out by --exclude" if self.exclude.match_file(path) else ""


def _read(item: Found, root: Path, selector: _Selector) -> _Read:
    path = PurePosixPath(item.path.relative_to(root).as_posix())
    copied = SourceFile(path)
    if item.link:
        return _Read(replace(copied, why="symbolic link"))
    if path.suffix != ".py":
        return _Read(replace(copied, why="notebooks are not migrated yet" if path.suffix == ".ipynb" else ""))
    if item.path.stat().st_size > MAX_PYTHON_BYTES:
        return _Read(replace(copied, why=f"larger than {MAX_PYTHON_BYTES // 2**20} MB"))
    data = item.path.read_bytes()
    tf = mentions_tf(data)
    why = selector.why(str(path))
    if why:
        return _Read(replace(copied, why=why, uses_tf=tf))
    try:
        decoded = decode(data)
    except Undecodable as error:
        return _Read(replace(copied, why=str(error), uses_tf=tf))
    tree = parse(decoded.text)
    if isinstance(tree, Broken):
        return _Read(replace(copied, why=tree.why, uses_tf=tf))
    file = SourceFile(path, None, decoded.text, decoded.encoding, decoded.bom, decoded.newline)
    found = imports(tree)
    return _Read(file, found, tf and imports_tf(found))


def _assemble(root: Path, reads: Collection[_Read], skipped: tuple[tuple[str, str], ...]) -> SourceRepo:
    python = {str(r.file.path): r for r in reads if r.file.text is not None}
    package = root.name if "__init__.py" in python and root.name.isidentifier() else ""
    names = name_modules({path: r.imports for path, r in python.items()}, package)
    tf = spread([path for path, r in python.items() if r.tf], names.edges)
    files = tuple(_finish(r.file, names, tf) for r in reads)
    sources = {str(f.path): f.text for f in files if f.uses_tf and f.text is not None}
    version, reason = keras_version(_manifests(root, files), sources)
    return SourceRepo(str(root), files, skipped, version, reason, names.package, tf1_files(sources, names.edges))


def _finish(file: SourceFile, names: Names, tf: Collection[str]) -> SourceFile:
    if file.text is None:
        return file
    path = str(file.path)
    module, uses_tf = names.modules.get(path), path in tf
    if module is None:
        return replace(file, text=None, why="another file has the same import name", uses_tf=uses_tf)
    if uses_tf and path in names.ambiguous:
        name = names.ambiguous[path]
        why = f"imports `{name}`, which elsewhere in the repository is another file; migrate its folder alone"
        return replace(file, text=None, why=why, uses_tf=True)
    return replace(file, module=module, uses_tf=uses_tf)


def _manifests(root: Path, files: Collection[SourceFile]) -> dict[str, str]:
    paths = [str(f.path) for f in files if MANIFEST.search(str(f.path)) and f.why != "symbolic link"]
    paths.sort(key=lambda p: (p.count("/"), p))
    return {path: (root / path).read_bytes().decode("utf-8", errors="replace") for path in paths}
