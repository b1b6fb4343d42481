"""The options and arguments that commands share, each with its words for `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Src = Annotated[Path, typer.Argument(help="A repository, a folder or one .py file.", show_default=False)]
Out = Annotated[Path, typer.Argument(help="An output folder of `migrator run`.", show_default=False)]
CheckOption = Annotated[
    str | None,
    typer.Option("--check", help="How far to check: none, import, forward, gradients or training (default)."),
]
SandboxOption = Annotated[str | None, typer.Option("--sandbox", help="bubblewrap (default) or none.")]
TfPython = Annotated[str | None, typer.Option("--tf-python", help="Python that has TensorFlow (default: this one).")]
TorchPython = Annotated[str | None, typer.Option("--torch-python", help="Python that has PyTorch (default: this one).")]
Include = Annotated[list[str] | None, typer.Option("--include", help="Migrate only these (.gitignore pattern).")]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", help="Copy these as they are (.gitignore pattern).")]
KerasOption = Annotated[
    str | None, typer.Option("--keras", help="Which Keras the source means: auto (default), 2 or 3.")
]
FidelityOption = Annotated[
    str | None,
    typer.Option(
        "--fidelity",
        help="idiomatic (default): torch's own where it differs in documented ways; exact: code that does not differ.",
    ),
]
LlmOption = Annotated[
    str | None,
    typer.Option("--llm", help="Ask a language model: auto (default: if one is named), off, or batch (write a file)."),
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="The model to ask about what the rules decline. None: nothing is sent.")
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="An OpenAI-compatible server (default: OPENAI_BASE_URL, or OpenAI's).")
]
Replies = Annotated[
    Path | None, typer.Option("--replies", help="An output file of a batch: go on with the replies in it.")
]
BudgetUsd = Annotated[float | None, typer.Option("--budget-usd", help="Spend at most so many dollars on the model.")]
BudgetTokens = Annotated[
    int | None, typer.Option("--budget-tokens", help="Use at most so many tokens (default: 2,000,000).")
]
PriceOption = Annotated[
    str | None, typer.Option("--price", help="IN,OUT: dollars per million tokens, for a model without a known price.")
]
MaxAttempts = Annotated[int | None, typer.Option("--max-attempts", help="Ask so often about one unit (default: 3).")]
Samples = Annotated[int | None, typer.Option("--samples", help="Draw so many replies each time (default: 1).")]
LedgerOption = Annotated[
    Path | None, typer.Option("--ledger", help="Where calls to models are recorded (default: one file a user).")
]
Jobs = Annotated[int | None, typer.Option("--jobs", help="Checks that run at the same time (default: one a core).")]
