"""The rules as the codemods use them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import libcst as cst

from migrator.model import Decline, LayerCode, Rewritten
from migrator.rules import activations, constraints, layers, measures, ops, preprocessing
from migrator.rules.engine import registry, rewriter
from migrator.rules.engine.declining import Decline as Declined
from migrator.rules.layers import activity, lazy
from migrator.rules.layers import call as layer_call
from migrator.rules.layers.call import LayerArg
from migrator.values import ModuleFacts, Span, Unknown, Value


@cache
def load_all() -> None:
    """Imports every file of rules, once."""
    ops.load()
    layers.load()
    measures.load()
    preprocessing.load()


_ACTIVITY = "activity_regularizer"
MERGES = {
    f"tf.keras.layers.{name.lower()}": f"tf.keras.layers.{name}"
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")
}


class Rulebook:
    """All rules, read as one Keras version means them; `exact` ones where torch's own spelling differs."""

    def __init__(self, keras: int = 3, exact: bool = False) -> None:
        load_all()
        self.keras, self.exact = keras, exact

    def rewrite(
        self, node: cst.CSTNode, here: ModuleFacts, spans: Mapping[cst.CSTNode, Span], device: str = ""
    ) -> Rewritten:
        """Rewrites every TF call, constant, attribute, method and operator below `node`.

        `device`: source of the device of new tensors ("x.device") where no function around them gives it.
        """
        return rewriter.rewrite(node, here, spans, self.keras, device, self.exact)

    def has_rule(self, api: str) -> bool:
        """Whether calls of a function or class have a rule wherever they stand, as layers that prepare data have."""
        return registry.find(api, self.keras) is not None

    def bind(self, api: str, call: cst.Call) -> dict[str, cst.BaseExpression] | Decline:
        """The given arguments of a call by TF's parameter names."""
        layer = registry.find_layer(MERGES.get(api, api), self.keras)
        found = layer or registry.find(api, self.keras)
        if found is None:
            return Decline(f"no rule for {api}", api)
        signature = found.signature if layer is None else layer_call.signature(layer, merges=api in MERGES)
        try:
            return {name: arg.value for name, arg in signature.bind(call.args).items()}
        except Declined as no:
            return Decline(no.reason, api)

    def layer(
        self, api: str, args: Mapping[str, str], values: Mapping[str, Value], inputs: tuple[Value, ...]
    ) -> LayerCode | Decline:
        """The torch spelling of a Keras layer with these arguments and inputs."""
        found = registry.find_layer(MERGES.get(api, api), self.keras)
        if found is None:
            return Decline(f"no rule for the layer {api}", api)
        if api in MERGES:  # the function form takes the inputs as its first argument
            args = {name: text for name, text in args.items() if name != "inputs"}
        try:
            made = layer_call.build(found, args, values, inputs, self.keras, self.exact)
            given = args.get(_ACTIVITY)
            if given is None:
                return made
            return activity.with_activity(made, LayerArg(_ACTIVITY, given, values.get(_ACTIVITY, Unknown())))
        except Declined as no:
            return Decline(no.reason, api)

    def lazy_layer(
        self, api: str, args: Mapping[str, str], values: Mapping[str, Value], inputs: tuple[Value, ...]
    ) -> LayerCode | Decline:
        """As `layer`, with a module that learns the size of its input at the first call."""
        try:
            made = self.layer(api, args, values, lazy.sized(inputs))
            return made if isinstance(made, Decline) else lazy.lazy(made, args)
        except Declined as no:
            return Decline(no.reason, api)

    def constraint(self, value: Value, rank: int | None) -> tuple[str, ...] | Decline:
        """The statements that constrain a weight `{self}` whose axes are Keras's."""
        try:
            return constraints.constraint(value, constraints.Bounded.same("{self}", rank))
        except Declined as no:
            return Decline(no.reason)

    def activation(self, value: Value) -> tuple[str, str] | Decline | None:
        """(template with `{x}`, Keras's name) of an activation argument; None for linear."""
        try:
            return activations.of_value(value, self.keras)
        except Declined as no:
            return Decline(no.reason)
