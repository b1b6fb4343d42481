"""One layer call as a layer rule sees it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from migrator.model import LayerCode
from migrator.rules import activations, constraints
from migrator.rules.engine.args import NOTHING, from_facts
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import find_layer
from migrator.rules.engine.signature import REQUIRED, Parameter, Signature
from migrator.values import Dim, Instance, Literal, RepoFunction, Scalar, Shape, Sym, Tensor, Unknown, Value

# Arguments that every Keras layer takes.
_BASE = frozenset(
    {
        "name",
        "trainable",
        "dtype",
        "input_shape",
        "batch_input_shape",
        "batch_size",
        "input_dim",
        "input_length",
        "batch_shape",
        "dynamic",
        "autocast",
        "activity_regularizer",
    }
)


_ANY_CASE = ("padding", "data_format")  # `padding="SAME"`, as TensorFlow's operations have it


@dataclass(frozen=True)
class LayerArg:
    """An argument of a layer: its source and its abstract value."""

    name: str
    text: str
    value: Value

    @property
    def known(self) -> Any:
        """The Python value; raises `Decline` when only the run knows it."""
        found = from_facts(self.value)
        if found is NOTHING:
            try:
                found = ast.literal_eval(self.text)
            except (ValueError, SyntaxError):
                raise Decline(f"`{self.name}` must be known when rewriting") from None
        return found.lower() if self.name in _ANY_CASE and isinstance(found, str) else found

    @property
    def is_known(self) -> bool:
        """Whether the value is known when rewriting."""
        try:
            return self.known is not NOTHING
        except Decline:
            return False

    @property
    def is_written(self) -> bool:
        """Whether the source is a literal."""
        try:
            ast.literal_eval(self.text)
        except (ValueError, SyntaxError):
            return False
        return True


@dataclass(frozen=True)
class LayerCall:
    """What a layer rule may ask of the call: its inputs, the Keras version, and whether gaps are to be closed."""

    inputs: tuple[Value, ...]
    keras: int
    exact: bool = False

    @property
    def shape(self) -> Shape:
        """The shape of the first input; raises `Decline` when its rank is unknown."""
        value = self.inputs[0] if self.inputs else Unknown()
        if not isinstance(value, Tensor) or value.shape is None:
            raise Decline("input size unknown")
        return value.shape

    def features_of(self, index: int) -> str:
        """The last dimension of one of several inputs, as source text; raises `Decline` when it is unknown."""
        return replace(self, inputs=self.inputs[index : index + 1]).features

    @property
    def rank(self) -> int:
        return len(self.shape)

    def size(self, axis: int) -> str:
        """One input dimension as source text; raises `Decline` when it is unknown."""
        found = self.shape[axis]
        if found is None:
            raise Decline("input size unknown")
        return spelled(found)

    @property
    def features(self) -> str:
        """The last dimension of the input, as source text; known for some inputs of open rank too."""
        value = self.inputs[0] if self.inputs else Unknown()
        if not isinstance(value, Tensor) or value.channels is None:
            raise Decline("input size unknown")
        return spelled(value.channels)


def spelled(dim: Dim) -> str:
    """A known dimension as source text."""
    return dim.text if isinstance(dim, Sym) else str(dim)


def signature(rule: LayerRule, merges: bool = False) -> Signature:
    """The layer's parameters and those of every layer; `merges`: the function form, inputs first."""
    own = rule.signature.parameters
    names = {p.name for p in own}
    first = (Parameter("inputs"),) if merges else ()
    base = (Parameter(name, None, keyword_only=True) for name in sorted(_BASE - names))
    return Signature((*first, *own, *base))


def build(
    rule: LayerRule,
    args: Mapping[str, str],
    values: Mapping[str, Value],
    inputs: tuple[Value, ...],
    keras: int,
    exact: bool = False,
) -> LayerCode:
    """The code of a layer. Raises `Decline`."""
    _check_base(args, values)
    made = rule.build(**complete(rule, args, values), call=LayerCall(inputs, keras, exact))
    if "activation_named(" in (made.activation or ""):
        made = replace(made, helpers=(*made.helpers, activations.activation_named))
    if any("(radial(" in statement for statement in made.constraint):
        made = replace(made, helpers=(*made.helpers, constraints.radial))
    return replace(made, imports=_imports(made))


def complete(rule: LayerRule, args: Mapping[str, str], values: Mapping[str, Value]) -> dict[str, LayerArg]:
    """The arguments of a layer's rule with its defaults. Raises `Decline` when they do not fit."""
    own = {n: LayerArg(n, t, values.get(n, Unknown())) for n, t in args.items() if n in rule.signature.names}
    left = set(args) - set(own) - _BASE
    if left:
        raise Decline(f"unknown argument `{min(left)}`")
    for p in rule.signature.parameters:
        if p.name not in own:
            if p.default is REQUIRED:
                raise Decline(f"argument `{p.name}` is missing")
            own[p.name] = LayerArg(p.name, repr(p.default), Literal(p.default))
    return own


def wrapped(arg: LayerArg, keras: int) -> tuple[LayerRule, dict[str, LayerArg]]:
    """The rule and arguments of a layer that is made where it is handed to another. Raises `Decline`."""
    value, tree = arg.value, ast.parse(arg.text.strip(), mode="eval").body
    if not isinstance(value, Instance) or not isinstance(tree, ast.Call):
        raise Decline("a wrapped layer that is not made on the spot")
    rule = find_layer(value.api, keras)
    if rule is None:
        raise Decline(f"no rule for the layer {value.api}")
    if any(isinstance(a, ast.Starred) for a in tree.args) or any(k.arg is None for k in tree.keywords):
        raise Decline("* or ** arguments")
    texts = dict(zip(signature(rule).names, map(ast.unparse, tree.args), strict=False))
    texts |= {str(k.arg): ast.unparse(k.value) for k in tree.keywords}
    _check_base(texts, dict(value.args))
    if "activity_regularizer" in texts and value.arg("activity_regularizer") != Literal(None):
        raise Decline("`activity_regularizer` of a wrapped layer")
    return rule, complete(rule, texts, dict(value.args))


_ROOTS = (("torch.", "import torch"), ("F.", "import torch.nn.functional as F"), ("nn.", "from torch import nn"))


def _imports(code: LayerCode) -> tuple[str, ...]:
    """The imports that the texts of a layer need."""
    forms = [f.forward for f in (code.form, code.masked) if f is not None]
    statements = (*code.init, *code.penalty, *code.constraint)
    texts = [code.module or "", code.forward, code.activation or "", *statements, *forms]
    found = [line for root, line in _ROOTS if any(re.search(rf"(?<![\w.]){re.escape(root)}", t) for t in texts)]
    return tuple(dict.fromkeys([*found, *(line for h in code.helpers for line in h.imports)]))


def _check_base(args: Mapping[str, str], values: Mapping[str, Value]) -> None:
    """Declines what any layer may be given and torch has no place for."""
    for name, harmless in (("trainable", (True,)), ("dtype", (None, "float32"))):
        if name in args:
            arg = LayerArg(name, args[name], values.get(name, Unknown()))
            if args[name] != "torch.float32" and arg.known not in harmless:
                raise Decline(f"`{name}` is given")


def activation(arg: LayerArg, call: LayerCall) -> tuple[str | None, str | None]:
    """(template, Keras's name) of the activation argument of a layer."""
    value = arg.value if not isinstance(arg.value, Unknown) or not arg.is_written else Literal(arg.known)
    stored = arg.text.startswith("self.") and isinstance(value, Scalar) and value.type in ("str", None)
    if stored or activations.is_named_at_run_time(value):
        return f"activation_named({arg.text})({{x}})", activations.NAMED
    if re.fullmatch(r"(self\.)?[A-Za-z_]\w*", arg.text) and not arg.is_known:
        late = _function(arg.text, value)
        if late is not None:
            return late, activations.FUNCTION
    found = activations.of_value(value, call.keras)
    return (None, None) if found is None else found


def _function(text: str, value: Value) -> str | None:
    """The template of an activation that the constructor is given, a function as far as is known."""
    if isinstance(value, Instance | RepoFunction):
        function = isinstance(value, RepoFunction) or value.api == "tf.keras.activations.get"
        return f"{text}({{x}})" if function else None
    return f"activation_named({text})({{x}})" if isinstance(value, Unknown) else None
