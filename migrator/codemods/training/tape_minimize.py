"""`optimizer.minimize(loss, variables)`: a tape and a step in one call."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import api_of, bind, calls_in
from migrator.codemods.training.models import module_text
from migrator.codemods.training.tape_reading import applied_pairs

MINIMIZE = ("loss", "var_list", "grad_loss", "name", "tape")


@dataclass(frozen=True)
class Minimize:
    """A step down the gradient of `target`, which is called first where it is `called`."""

    target: cst.BaseExpression
    called: bool
    variables: cst.BaseExpression


def read_minimize(call: cst.Call, ctx: Context) -> Minimize | None:
    """The call of a Keras optimizer, where it says what it changes; None for any other."""
    owner = api_of(ctx.value(call.func.value)) if isinstance(call.func, cst.Attribute) else None
    bound = bind(call, MINIMIZE)
    if owner is None or not owner.startswith("tf.keras.optimizers.") or not isinstance(bound, dict):
        return None
    if not {"loss", "var_list"} <= bound.keys() or "grad_loss" in bound:
        return None
    loss, variables = bound["loss"], bound["var_list"]
    if "tape" in bound:
        return Minimize(loss, False, variables)
    if isinstance(loss, cst.Lambda):
        return None if loss.params.params or _runs_model(loss, ctx) else Minimize(loss.body, False, variables)
    return Minimize(loss, True, variables) if isinstance(loss, cst.Name | cst.Attribute) else None


def _runs_model(node: cst.Lambda, ctx: Context) -> bool:
    """Whether a model is called, which would have to be put into its mode before."""
    return any(module_text(call.func, ctx, frozenset()) is not None for call in calls_in(node))


def changed_variables(call: cst.Call, ctx: Context) -> cst.BaseExpression | None:
    """What lists the variables that an `apply_gradients` or `minimize` changes."""
    assert isinstance(call.func, cst.Attribute)
    if call.func.attr.value == "minimize":
        found = read_minimize(call, ctx)
        return found.variables if found is not None else None
    pairs = applied_pairs(call)
    return pairs[1] if pairs is not None else None
