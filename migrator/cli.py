"""The command line. Everything heavy is imported inside the commands, so that `--help` stays fast."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrator import __version__, model_commands, weight_commands
from migrator.errors import EnvironmentMissing, MigratorError, UsageError
from migrator.flags import (
    BaseUrl,
    BudgetTokens,
    BudgetUsd,
    CheckOption,
    Exclude,
    FidelityOption,
    Include,
    Jobs,
    Json,
    KerasOption,
    LedgerOption,
    LlmOption,
    MaxAttempts,
    ModelOption,
    Out,
    PriceOption,
    Replies,
    Samples,
    SandboxOption,
    Src,
    TfPython,
    TorchPython,
)

if TYPE_CHECKING:
    from migrator.config import RunSettings
    from migrator.report import Report

app = typer.Typer(
    name="migrator",
    help="Rewrite TensorFlow/Keras repositories as PyTorch, and check by execution that the result is equal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Entry point: a `MigratorError` becomes one line on stderr and its exit code."""
    try:
        app()
    except MigratorError as error:
        typer.echo(f"migrator: {' '.join(str(error).split())}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"migrator {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def run(
    src: Src,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where to write (default: SRC_torch beside it).")
    ] = None,
    check: CheckOption = None,
    sandbox: SandboxOption = None,
    tf_python: TfPython = None,
    torch_python: TorchPython = None,
    include: Include = None,
    exclude: Exclude = None,
    keras: KerasOption = None,
    fidelity: FidelityOption = None,
    jobs: Jobs = None,
    llm: LlmOption = None,
    model: ModelOption = None,
    base_url: BaseUrl = None,
    replies: Replies = None,
    budget_usd: BudgetUsd = None,
    budget_tokens: BudgetTokens = None,
    price: PriceOption = None,
    max_attempts: MaxAttempts = None,
    samples: Samples = None,
    ledger: LedgerOption = None,
    fresh: Annotated[
        bool | None,
        typer.Option(
            "--fresh/--resume",
            help="Start again: forget an interrupted run, and replace an output that was edited (it is kept beside). "
            "Default: go on where an interrupted run was.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changed as a unified diff.")] = False,
    json: Json = False,
) -> None:
    """Migrate a repository and check the result."""
    from migrator.config import load

    settings = load(
        src,
        out=out,
        check=check,
        sandbox=sandbox,
        tf_python=tf_python,
        torch_python=torch_python,
        include=tuple(include) if include else None,
        exclude=tuple(exclude) if exclude else None,
        keras=keras,
        fidelity=fidelity,
        jobs=jobs,
        llm=llm,
        model=model,
        base_url=base_url,
        replies=replies,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
        price=price,
        max_attempts=max_attempts,
        samples=samples,
        ledger=ledger,
        fresh=fresh,
        dry_run=dry_run or None,
    )
    with ExitStack() as stack:
        settings = settings.model_copy(update={"out": _place(settings, stack)})
        report = _run(settings, quiet=json)
        _tell(report, json, page=None if settings.dry_run else _write_page(report, report.run.out))
        if diff:
            _print_diff(report)
    raise typer.Exit(report.exit_code)


def _place(settings: RunSettings, stack: ExitStack) -> Path:
    """The output folder, checked before any work; a dry run's is thrown away at the end."""
    from migrator.source import check_place, default_out

    if settings.dry_run:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="migrator-"))) / "out"
    return check_place(settings.src, settings.out or default_out(settings.src), settings.fresh)


def _run(settings: RunSettings, quiet: bool) -> Report:
    from rich.console import Console

    from migrator import pipeline
    from migrator.report import progress

    with progress(Console(stderr=True), enabled=not quiet) as step:
        return pipeline.run(settings, step)


def _tell(report: Report, json: bool, page: Path | None) -> None:
    from rich.console import Console

    from migrator.report import dumps, summary

    if json:
        typer.echo(dumps(report), nl=False)
        return
    console = Console()
    console.print(summary(report, console.width))
    _tell_questions(report)
    if page is not None:
        console.print(f"\nOutput: {report.run.out}\nReport: {page}", markup=False, highlight=False, soft_wrap=True)


def _tell_questions(report: Report) -> None:
    """What a dry run would have sent, as it is; or how a batch goes on."""
    for question in report.model.questions:
        typer.echo(f"\n=== to {report.model.address}, about {question.unit}, from {', '.join(question.files)}")
        for role, text in question.messages:
            typer.echo(f"--- {role}\n{text.rstrip()}")
    if report.model.waiting and not report.model.questions:
        from migrator.completion.running import BATCH_PATH

        path = Path(report.run.out) / BATCH_PATH
        place = f"--model {report.model.name} --base-url {report.model.address}"
        replies = path.with_suffix(".replies.jsonl")
        typer.echo(f"\nNext: migrator batch {path} {place}")
        typer.echo(f"then: migrator run {report.run.source} --llm batch {place} --replies {replies}")


def _texts(report: Report, out: str | Path) -> dict[str, tuple[str, str]]:
    from migrator.source import pairs

    return pairs(report.run.source, out, [file.path for file in report.files])


def _write_page(report: Report, out: str | Path) -> Path:
    from migrator.report import PAGE_PATH, page

    path = Path(out) / PAGE_PATH
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(report, _texts(report, out)), encoding="utf-8")
    except OSError as error:
        raise EnvironmentMissing(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _print_diff(report: Report) -> None:
    import difflib

    for path, (old, new) in _texts(report, report.run.out).items():
        lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}")
        typer.echo(
            "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines),
            nl=False,
        )


@app.command()
def plan(
    src: Src,
    include: Include = None,
    exclude: Exclude = None,
    keras: KerasOption = None,
    fidelity: FidelityOption = None,
    json: Json = False,
) -> None:
    """Say what a run would do; edit and run nothing."""
    from rich.console import Console

    from migrator import pipeline
    from migrator.config import load
    from migrator.report import plan_view

    patterns = {"include": tuple(include) if include else None, "exclude": tuple(exclude) if exclude else None}
    found = pipeline.plan(load(src, keras=keras, fidelity=fidelity, **patterns))
    if json:
        typer.echo(found.model_dump_json(indent=1))
    else:
        Console().print(plan_view(found))


@app.command()
def verify(
    out: Out,
    against: Annotated[Path, typer.Option("--against", help="The TensorFlow original.", show_default=False)],
    check: CheckOption = None,
    sandbox: SandboxOption = None,
    tf_python: TfPython = None,
    torch_python: TorchPython = None,
    jobs: Jobs = None,
    json: Json = False,
) -> None:
    """Check what stands on disk again, also after a person edited it."""
    from migrator.config import load
    from migrator.report import load as load_report
    from migrator.report import progress, save

    load_report(out)
    settings = load(
        against, out=out, check=check, sandbox=sandbox, tf_python=tf_python, torch_python=torch_python, jobs=jobs
    )
    from rich.console import Console

    from migrator import pipeline

    with progress(Console(stderr=True), enabled=not json) as step:
        report = pipeline.verify(settings, step)
    save(report, out)
    _tell(report, json, page=_write_page(report, out))
    for unit in pipeline.finished_by_hand(report) if not json else ():
        typer.echo(f"finished by hand: {unit.id}: {unit.status}: {unit.reason}")
    raise typer.Exit(report.exit_code)


@app.command()
def review(
    out: Out,
    browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write the report as an HTML page and say where it is."""
    from migrator.report import load

    path = _write_page(load(out), out)
    typer.echo(str(path))
    if browser:
        typer.launch(path.resolve().as_uri())


@app.command("eval")
def evaluate(
    sets: Annotated[list[str] | None, typer.Argument(help="Names of sets (default: all).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Score the tool on its evaluation sets."""
    from rich.console import Console

    from migrator import evals
    from migrator.evals.table import render

    result = evals.run(sets or ())
    if json:
        typer.echo(result.model_dump_json(indent=1))
    else:
        Console().print(render(result))


@app.command()
def explain(
    api: Annotated[str, typer.Argument(help="A TensorFlow name, such as tf.reduce_sum.", show_default=False)],
    json: Json = False,
) -> None:
    """Show the rule for an API: spelling, traps, tests."""
    from rich.console import Console

    from migrator import catalog, views

    entries = catalog.find(api)
    if not entries:
        meant = next((name for name in (f"tf.{api}", f"tf.keras.{api}") if catalog.find(name)), "")
        hint = f"is {meant} meant?" if meant else "what uses it stays as it is"
        raise UsageError(f"{api}: no rule or codemod knows it; {hint}")
    if json:
        typer.echo(views.explain_json(entries))
    else:
        Console().print(*map(views.explain_view, entries), sep="\n")


@app.command()
def rules(
    coverage: Annotated[Path | None, typer.Option("--coverage", help="Only what this repository uses.")] = None,
    json: Json = False,
) -> None:
    """List every rule, or those that a repository needs."""
    from rich.console import Console

    from migrator import catalog, views

    entries, plan = catalog.catalog(), None
    if coverage is not None:
        from migrator import pipeline
        from migrator.config import load

        plan = pipeline.plan(load(coverage))
    if json:
        typer.echo(views.rules_json(entries, None if plan is None else {api.api: api.uses for api in plan.apis}))
    else:
        Console().print(views.rules_table(entries) if plan is None else views.coverage_table(entries, plan))


app.command()(weight_commands.weights)
app.command()(model_commands.batch)
app.command()(model_commands.sent)


@app.command()
def doctor(
    tf_python: TfPython = None,
    torch_python: TorchPython = None,
    model: ModelOption = None,
    base_url: BaseUrl = None,
    json: Json = False,
) -> None:
    """Check that everything a run needs is here."""
    from migrator_validators.doctor import doctor as examine
    from rich.console import Console

    from migrator import asking, views
    from migrator.config import load

    settings = load(".", tf_python=tf_python, torch_python=torch_python, model=model, base_url=base_url)
    interpreters = (settings.tf_python, settings.torch_python)
    checks = (*examine(*(Path(path) if path else None for path in interpreters)), asking.check(settings))
    if json:
        typer.echo(views.doctor_json(checks))
    else:
        Console().print(views.doctor_table(checks))
    raise typer.Exit(0 if all(check.ok for check in checks if check.needed) else EnvironmentMissing.exit_code)
