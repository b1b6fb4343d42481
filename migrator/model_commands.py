"""The commands about the model alone: handing in a batch, and the record of what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from migrator.errors import UsageError
from migrator.flags import BaseUrl, LedgerOption, ModelOption


def batch(
    file: Annotated[Path, typer.Argument(help="A batch file of `migrator run --llm batch`.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where the replies go (default: FILE.replies.jsonl).")
    ] = None,
    model: ModelOption = None,
    base_url: BaseUrl = None,
    ledger: LedgerOption = None,
) -> None:
    """Hand a batch file in, wait for it and download the replies."""
    from migrator import asking
    from migrator.config import load

    replies = out or file.with_suffix(".replies.jsonl")
    settings = load(".", llm="batch", model=model, base_url=base_url, ledger=ledger)
    taken = asking.hand_in(file, replies, settings, lambda text: typer.echo(text, err=True))
    typer.echo(f"{taken.replies} replies, {len(taken.failed)} questions without one: {replies}")
    for reason in taken.failed:
        typer.echo(f"  {reason}")
    place = f"--model {settings.model}" + (f" --base-url {settings.base_url}" if settings.base_url else "")
    typer.echo(f"Next: migrator run SRC --llm batch {place} --replies {replies}")


def sent(
    ledger: LedgerOption = None,
    run: Annotated[str | None, typer.Option("--run", help="Only what this run sent or used.")] = None,
) -> None:
    """Print everything that was ever sent to a model, and what came back, as JSON lines."""
    import json

    from migrator.config import load
    from migrator.llm.ledger import Ledger, default_path

    path = load(".", ledger=ledger).ledger or default_path()
    if not path.is_file():
        raise UsageError(f"{path}: there is no ledger; nothing was sent")
    with Ledger(path) as found:
        for entry in found.sent(run):
            typer.echo(json.dumps(entry, ensure_ascii=False))
