"""How long rewriting takes, against what the stack itself costs on the same files.

    python benchmarks/rules.py [FOLDER] [--json FILE] [--repeat N] [--no-upgrade]

Steps, all in one process on the same texts: libcst parse, one empty transform and code generation (1.0 by
definition); the facts alone; rewriting with the facts given; rewriting with the facts. `tf_upgrade_v2`,
TensorFlow's own rewriter for TF 1 code, runs last on the same files. Without FOLDER: the
sources of the evaluation sets and the examples.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import libcst

from migrator import facts as facts_room
from migrator import source
from migrator.codemods import files
from migrator.codemods.models import text
from migrator.codemods.repository import migrate
from migrator.model import SourceFile, SourceRepo
from migrator.rules import rulebook
from migrator.rules.objects import Objects

ROOT = Path(__file__).resolve().parent.parent


def default_folders() -> list[Path]:
    """Sources of the evaluation sets, and the examples."""
    return [*sorted((ROOT / "eval_sets").glob("*/*/source")), *sorted((ROOT / "examples").glob("*"))]


def repositories(folders: list[Path]) -> list[SourceRepo]:
    """What is migrated: the Python files that use TensorFlow, by repository."""
    repos = (source.read(folder) for folder in folders if folder.is_dir())
    kept = (replace(repo, files=tuple(f for f in repo.files if f.uses_tf and f.text is not None)) for repo in repos)
    return [repo for repo in kept if repo.files]


def stack(repo: SourceRepo) -> None:
    """What any libcst tool pays: parse, visit, generate."""
    for file in repo.files:
        tree = libcst.parse_module(file.text or "")
        _ = tree.visit(libcst.CSTTransformer()).code


def know(repo: SourceRepo) -> object:
    """The facts of a repository."""
    return facts_room.analyse({f.module: f.text for f in repo.files if f.module and f.text is not None}, [])


def rewrite(repo: SourceRepo, facts: object) -> None:
    """Every unit drafted and the files put together."""
    sources: tuple[SourceFile, ...] = repo.files
    migrate(sources, [], facts, rulebook(repo.keras), Objects(), repo.keras).render({})  # type: ignore[arg-type]


MEMORIES = (files._names, files.defined, text._names_of_text, text.is_atom)
"""What is remembered of texts; a run on files that were not seen before finds them empty."""


def best(run: Callable[[], object], repeat: int) -> float:
    """Seconds of the processor for the fastest of `repeat` runs."""
    times = []
    for _ in range(repeat):
        for memory in MEMORIES:
            memory.cache_clear()
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def upgrade(repos: list[SourceRepo]) -> float | None:
    """Seconds of `tf_upgrade_v2`'s own conversion on the same texts, its import left out; None without TensorFlow."""
    try:
        from tensorflow.tools.compatibility import ast_edits, tf_upgrade_v2
    except ImportError:
        return None
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        for number, file in enumerate(file for repo in repos for file in repo.files):
            path = Path(folder) / f"in{number}.py"
            path.write_text(file.text or "", encoding="utf-8")
            upgrader = ast_edits.ASTCodeUpgrader(tf_upgrade_v2.TFAPIChangeSpec())
            upgrader.process_file(str(path), str(path.with_suffix(".out")))
    return time.process_time() - started


def measure(repos: list[SourceRepo], repeat: int, with_upgrade: bool) -> dict[str, float]:
    """Seconds by step, over all repositories."""
    for repo in repos[:1]:  # first uses fill tables
        rewrite(repo, know(repo))
    known = {repo.root: know(repo) for repo in repos}
    seconds = {
        "libcst parse, empty transform, codegen": best(lambda: [stack(repo) for repo in repos], repeat),
        "facts": best(lambda: [know(repo) for repo in repos], repeat),
        "rewriting, facts given": best(lambda: [rewrite(repo, known[repo.root]) for repo in repos], repeat),
        "rewriting with facts": best(lambda: [rewrite(repo, know(repo)) for repo in repos], repeat),
    }
    other = upgrade(repos) if with_upgrade else None
    return seconds if other is None else {**seconds, "tf_upgrade_v2": other}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-upgrade", action="store_true")
    args = parser.parse_args()
    repos = repositories([args.folder] if args.folder else default_folders())
    lines = sum((file.text or "").count("\n") for repo in repos for file in repo.files)
    seconds = measure(repos, args.repeat, not args.no_upgrade)
    unit = seconds["libcst parse, empty transform, codegen"]
    print(f"{sum(len(repo.files) for repo in repos)} files, {lines} lines, best of {args.repeat}")
    for name, value in seconds.items():
        print(f"{name:42s} {value:8.3f} s {value / lines * 1e6:8.1f} us/line {value / unit:7.2f} x")
    if args.json:
        ratios = {name: round(value / unit, 3) for name, value in seconds.items()}
        args.json.write_text(json.dumps({"lines": lines, "seconds": seconds, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
