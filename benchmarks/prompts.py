"""Tokens of fragment prompts against prompts with whole files, over programs or repositories.

    python benchmarks/prompts.py [--json FILE] [SRC…]       (default: the programs of the evaluation sets)

Nothing is sent. Fragments: the first question about each unit that the rules decline. Whole files: one
question for each file that uses TensorFlow, with the files of the repository that it imports and the
same lines about differences, as one would ask without rules. A reply is taken to be as long as what is
asked about. Tokens are estimated (`migrator.llm.packing.tokens`), on both sides alike.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from migrator import resources, steps
from migrator.completion.offline import fragments
from migrator.config import load
from migrator.llm import rendering, semantics
from migrator.llm.fragment import Fragment
from migrator.llm.packing import tokens
from migrator.llm.rendering import OtherFile
from migrator.model import SourceFile, SourceRepo


@dataclass(frozen=True)
class Row:
    """One program: questions and tokens (prompt, and reply as long as the source) of both ways."""

    name: str
    fragments: int
    fragment_prompts: int
    fragment_replies: int
    files: int
    file_prompts: int
    file_replies: int

    @property
    def ratio(self) -> float:
        """Tokens of all fragments to tokens of all whole files."""
        whole = self.file_prompts + self.file_replies
        return (self.fragment_prompts + self.fragment_replies) / whole if whole else 0.0


def measured(src: Path) -> Row:
    """The figures of one program."""
    system = tokens(rendering.system(module=True))
    asked = list(fragments(src))
    whole = list(whole_files(src))
    return Row(
        src.parent.name if src.name == "source" else src.name,
        len(asked),
        sum(tokens(rendering.system_of(f)) + tokens(rendering.fragment(f)) for f in asked),
        sum(_reply(f) for f in asked),
        len(whole),
        sum(system + tokens(prompt) for prompt, _ in whole),
        sum(tokens(text) for _, text in whole),
    )


def _reply(fragment: Fragment) -> int:
    """Tokens of a reply as long as what it stands for: the unit, or what goes into its holes."""
    if fragment.frame is None:
        return tokens(fragment.original)
    return sum(tokens(hole.was) for hole in fragment.frame.holes)


def whole_files(src: Path) -> Iterator[tuple[str, str]]:
    """(prompt, the file's text) of every file that uses TensorFlow."""
    repo = steps.read(load(src))
    facts = steps.know(repo)
    for file in repo.files:
        if file.uses_tf and file.text is not None and file.module is not None:
            apis = [api for api, _ in facts.modules[file.module].uses()]
            others = [OtherFile(str(f.path), f.text or "") for f in _imported(file, repo)]
            yield rendering.whole_file(str(file.path), file.text, others, semantics.about(apis, file.text)), file.text


def _imported(file: SourceFile, repo: SourceRepo) -> list[SourceFile]:
    """Files of the repository that a file imports directly."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.text or "")):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "" if node.level else f"{node.module or ''}."
            names |= {node.module or ""} | {f"{base}{alias.name}" for alias in node.names}
    tails = {name.rpartition(".")[2] for name in names} if "." in (file.module or "") else set()
    return [
        f
        for f in repo.files
        if f is not file and f.module and (f.module in names or f.module.rpartition(".")[2] in tails)
    ]


def main() -> None:
    """Print one line a program and the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("src", nargs="*", type=Path)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    sources = told.src or sorted((resources.folder("eval_sets") / "programs").glob("*/source"))
    rows = [measured(src) for src in sources]
    for row in rows:
        print(
            f"{row.name:28} {row.fragments:4} fragments {row.fragment_prompts + row.fragment_replies:8,} tokens   "
            f"{row.files:3} files {row.file_prompts + row.file_replies:8,} tokens   ratio {row.ratio:.2f}"
        )
    ours = sum(r.fragment_prompts + r.fragment_replies for r in rows)
    theirs = sum(r.file_prompts + r.file_replies for r in rows)
    one = sum(r.fragment_prompts for r in rows) / max(sum(r.fragments for r in rows), 1)
    other = sum(r.file_prompts for r in rows) / max(sum(r.files for r in rows), 1)
    middle = statistics.median(r.ratio for r in rows)
    print(f"all: {ours:,} against {theirs:,} tokens, ratio {ours / theirs:.2f}; median ratio {middle:.2f}")
    print(f"one prompt: {one:,.0f} against {other:,.0f} tokens, ratio {one / other:.2f}")
    if told.json:
        told.json.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
