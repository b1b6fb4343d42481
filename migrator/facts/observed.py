"""What a model is trained on tells the size of its input, where the model itself does not."""

from __future__ import annotations

from migrator.facts import settled
from migrator.facts.calls import Arguments
from migrator.facts.interpreter import Frame, Interpreter
from migrator.facts.roots import all_arguments
from migrator.values import ModelValue, RepoInstance, Sym, Tensor, Unknown, Value


def arrays(it: Interpreter, model: Value, args: Arguments, data: tuple[Value, ...], frame: Frame) -> tuple[Value, ...]:
    """What a model is called with, batch by batch: of arrays of which only the variables are known, with their widths.

    The first call says them; the variables of later ones are other names for the same sizes.
    """
    if _is_first(it, model, args):
        return tuple(_array(value, frame) for value in data)
    return tuple(settled.visible(value, None) for value in data) if frame.scope.endswith(":") else data


def _is_first(it: Interpreter, model: Value, args: Arguments) -> bool:
    """Whether a call is the first of a model without a declared input, and gives it arrays and their targets."""
    if len(args.positional) < 2 and "y" not in args.keywords:
        return False
    if isinstance(model, ModelValue):
        return (model.module, model.site) in it.unfed
    if not isinstance(model, RepoInstance) or model.site is None:
        return False
    return model.kind == "model" and (model.module, model.site) not in it.uses


def _array(value: Value, frame: Frame) -> Value:
    if not isinstance(value, Unknown) or value.sym is None or not _is_array(value.sym.text, frame):
        return value
    return Tensor(None, None, "numpy", last=Sym(f"{value.sym.text}.shape[-1]"))


def _is_array(text: str, frame: Frame) -> bool:
    """Whether a variable of a script, or an argument of a function, holds it."""
    definition = frame.module.definitions.get(frame.scope)
    if not text.isidentifier() or definition is None:
        return text.isidentifier() and frame.scope.endswith(":")
    return text in {arg.arg for arg in all_arguments(definition.node)}  # type: ignore[arg-type]
