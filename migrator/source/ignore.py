"""What `.gitignore` files leave out, nested ones and those above the folder included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec


@dataclass(frozen=True)
class Ignore:
    """The specs that hold in a folder, outermost first, each with the folder it is relative to."""

    specs: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def below(self, folder: Path) -> Ignore:
        """The rules that hold inside `folder`: these and its own `.gitignore`."""
        spec = _spec(folder / ".gitignore")
        return self if spec is None else Ignore((*self.specs, (folder, spec)))

    def ignores(self, path: Path, is_dir: bool) -> bool:
        """Whether git would leave `path` out; the innermost file that says anything decides."""
        for base, spec in reversed(self.specs):
            name = path.relative_to(base).as_posix() + ("/" if is_dir else "")
            verdict = spec.check_file(name).include
            if verdict is not None:
                return verdict
        return False


def above(root: Path) -> Ignore:
    """The rules that the folders between the enclosing git work tree and `root` set for it.

    None of them count when they ignore `root` itself: whoever names an ignored folder means it.
    """
    top = next((p for p in (root, *root.parents) if (p / ".git").exists()), None)
    if top is None or top == root:
        return Ignore()
    chain = [p for p in reversed(root.parents) if p == top or top in p.parents]
    ignore = Ignore()
    for folder, child in zip(chain, [*chain[1:], root], strict=True):
        ignore = ignore.below(folder)
        if ignore.ignores(child, is_dir=True):
            return Ignore()
    return ignore


def _spec(path: Path) -> GitIgnoreSpec | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(lines)
