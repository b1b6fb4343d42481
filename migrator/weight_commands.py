"""The command about trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.flags import Json, SandboxOption, TfPython, TorchPython

if TYPE_CHECKING:
    from migrator.config import RunSettings
    from migrator.weights import Carried

SrcWeights = Annotated[
    Path,
    typer.Argument(
        help="Trained weights: .keras, .h5, the prefix of a TensorFlow checkpoint, a SavedModel's folder, or "
        "keras:NAME for those that Keras has of ImageNet (keras:vgg16_notop).",
        show_default=False,
    ),
]
DstWeights = Annotated[
    Path, typer.Argument(help="The state_dict to write: .safetensors, .pt or .pth.", show_default=False)
]


def weights(
    src: SrcWeights,
    dst: DstWeights,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The migrated repository that the model is in.", show_default=False),
    ] = None,
    unit: Annotated[
        str, typer.Option("--unit", help="The model, as the report names it, where there are several.")
    ] = "",
    network: Annotated[
        str, typer.Option("--network", help="SRC has the weights of this network of Keras (vgg16_notop), and no model.")
    ] = "",
    sandbox: SandboxOption = None,
    tf_python: TfPython = None,
    torch_python: TorchPython = None,
    json: Json = False,
) -> None:
    """Carry trained weights over to the migrated model, and compare what both models compute with them."""
    from contextlib import ExitStack
    from dataclasses import asdict
    from functools import partial

    from migrator_validators.sandbox import default_python
    from migrator_validators.workers import Workers

    from migrator.config import load
    from migrator.errors import UsageError
    from migrator.weights import carry, networks

    settings = load(".", sandbox=sandbox, tf_python=tf_python, torch_python=torch_python)
    tf, torch = (Path(p) if p else None for p in (settings.tf_python, settings.torch_python))
    name = network or (str(src).removeprefix(networks.PREFIX) if str(src).startswith(networks.PREFIX) else "")
    with ExitStack() as stack:
        if name:
            known = networks.named(name)
            src = src if network else networks.downloaded(known, str(tf or default_python()))
            folder = Path(stack.enter_context(networks.scratch()))
            out = networks.migrated(known, partial(_migrate, settings), folder)
        if out is None:
            raise UsageError("--out is missing: the migrated repository that the model is in")
        workers = stack.enter_context(Workers(settings.sandbox, tf, torch))
        found = carry(src, dst, out, workers, str(torch or default_python()), unit)
    if json:
        import json as dumping

        typer.echo(dumping.dumps(asdict(found) | {"path": str(found.path)}, indent=1))
    else:
        typer.echo(_told(found))


def _migrate(settings: RunSettings, src: Path, out: Path) -> None:
    from migrator.pipeline import run

    run(settings.model_copy(update={"src": src, "out": out, "check": "forward", "llm": "off"}), lambda *_: None)


def _told(found: Carried) -> str:
    lines = [f"{found.path}: {found.tensors} tensors of {found.unit}, from {found.weights} weights"]
    if found.left:
        parts = sorted({name.split("/")[0] for name in found.left})
        lines.append(f"{len(found.left)} tensors that are not of the model left out ({', '.join(parts)})")
    if found.difference is not None:
        lines.append("Keras loads the same weights from the file")
        lines.append(f"outputs of both models with them: max difference {found.difference:.3g} ≤ {found.allowed:.3g}")
    return "\n".join([*lines, *([found.note] if found.note else [])])
