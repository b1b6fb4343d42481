"""Optimizer classes of the repository: what Keras calls their methods with, and what their base class gives them.

A state of the optimizer (a slot) is one tensor for each variable, of the variable's shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.facts.calls import Arguments, Where, linear_bases
from migrator.facts.modules import FunctionNode
from migrator.values import OWN_OPTIMIZERS, SLOT, Api, Instance, RepoInstance, Scalar, Sequence, Tensor, Value

if TYPE_CHECKING:
    from migrator.facts.interpreter import Interpreter

_VARIABLE = Tensor(None, "float32", "variable")
_LISTED = Sequence("list", None, _VARIABLE)
_MET: dict[str, tuple[Value, ...]] = {
    "build": (_LISTED,),
    "_create_slots": (_LISTED,),
    "update_step": (Tensor(None, "float32"), _VARIABLE, Scalar("float")),
    "_resource_apply_dense": (Tensor(None, "float32"), _VARIABLE),
}
_METHODS: dict[str, Value] = {
    "add_variable_from_reference": _VARIABLE,
    "add_slot": _VARIABLE,
    "get_slot": _VARIABLE,
    "_get_hyper": Scalar("float"),
    "_decayed_lr": Scalar("float"),
    "_get_variable_index": Instance(SLOT),
    "_var_key": Instance(SLOT),
}
_ATTRIBUTES: dict[str, Value] = {
    "learning_rate": Scalar("float"),
    "_learning_rate": Scalar("float"),
    "lr": Scalar("float"),
    "iterations": Tensor((), "int64", "variable"),
    "_index_dict": Instance(SLOT),
}


def is_optimizer(it: Interpreter, qualname: str) -> bool:
    """Whether a class derives from Keras's `Optimizer`."""
    found = (base for cls in linear_bases(it, qualname) for base in it.bases.get(cls, ()))
    return any(isinstance(base, Api) and base.name in OWN_OPTIMIZERS for base in found)


def made(it: Interpreter, own: RepoInstance, where: Where) -> Instance:
    """The optimizer as every other one; its methods meet what Keras calls them with."""
    from migrator.facts import classes, functions

    for name, given in _MET.items():
        method = classes.method(it, own, name)
        if method is None:
            continue
        node = it.definitions[method.qualname].node
        taken = len(node.args.args) - 1 if isinstance(node, FunctionNode) else 0
        functions.invoke(it, method, Arguments(list(given[:taken])), where)
    return Instance(OWN_OPTIMIZERS[0], own.module, own.site, own.args)


def result(name: str) -> Value | None:
    """What a method of the base class returns; None for what is not known."""
    return _METHODS.get(name)


def attribute(name: str) -> Value | None:
    """An attribute that the base class has; None for what is not known."""
    return _ATTRIBUTES.get(name)


def slot(base: Value) -> Value:
    """What a list of slots, or the table of their places, has for a variable."""
    return base if isinstance(base, Instance) and base.api == SLOT else _VARIABLE
