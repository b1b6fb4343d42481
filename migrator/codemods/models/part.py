"""A layer or module that a generated module owns or applies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import libcst as cst

from migrator.codemods.models.layout import LAST, Layout, first
from migrator.model import Decline, LayerCode
from migrator.values import ModelValue, Value

APPLICATIONS = "tf.keras.applications."
FEATURES = f"{APPLICATIONS}Features"
"""What a model is that gives what layers of such a network give."""
_OUTPUT_ACTIVATIONS = frozenset({"softmax", "sigmoid"})
FUNCTION = "function"  # as `migrator.rules.activations` has it
_ALONG_CHANNELS = frozenset({"softmax", "log_softmax"})


@dataclass(frozen=True)
class Part:
    """`api`: canonical Keras class, or the repository's qualified name.

    `takes`: the layout its inputs must have (None: any, all the same); `gives`: that of its result
    (None: as its input). `joins`: the Keras axis along which it concatenates its inputs.
    `arguments`: it is a module of the repository, called with the arguments of the original.
    """

    api: str
    code: LayerCode
    takes: Layout | None = None
    gives: Layout | None = None
    joins: int | None = None
    flattens: bool = False
    arguments: bool = False
    output: Value | None = None
    shape: tuple[object, ...] | None = None  # of its one input, where it is known
    function: cst.BaseExpression | None = None  # of a Lambda: what it applies
    options: cst.BaseExpression | None = None  # of a Lambda: its further arguments, a dict

    def with_params(self, params: tuple[tuple[str, str, str], ...]) -> Part:
        """The part with its weights carried over in another way."""
        return replace(self, code=replace(self.code, params=params))

    @property
    def stateful(self) -> bool:
        return self.code.module is not None

    @property
    def alone(self) -> Part:
        """The part as a module that a chain can have, where it has one."""
        if self.code.entry is None:
            return self
        return replace(self, code=replace(self.code, module=self.code.entry, forward="{self}({x})", entry=None))

    @property
    def plain(self) -> bool:
        """Whether calling the torch module alone does all that the Keras layer does."""
        return self.code.forward == "{self}({x})" and self.code.activation is None

    def activation(self, layout: Layout) -> str | None:
        """The template of its activation for a tensor of this layout."""
        template = self.code.activation
        if template is not None and self.code.activation_name == "named" and layout != LAST:
            return template.replace(")({x})", ", dim=1)({x})")
        if template is None or self.code.activation_name not in _ALONG_CHANNELS or layout == LAST:
            return template
        return re.sub(r"dim=(-1|\d)", "dim=1", template)


def is_application(value: Value) -> bool:
    """Whether a value is one of Keras's own networks."""
    return isinstance(value, ModelValue) and value.api.startswith(APPLICATIONS)


def alike(one: Part, two: Part) -> bool:
    """Whether two parts are called in the same way."""
    return (one.code.forward, one.code.activation, one.takes, one.gives, one.arguments) == (
        two.code.forward,
        two.code.activation,
        two.takes,
        two.gives,
        two.arguments,
    )


def is_output(name: str | None) -> bool:
    """Whether a model that ends in this activation returns probabilities."""
    return name in _OUTPUT_ACTIVATIONS


def keras_part(api: str, code: LayerCode, inputs: tuple[Value, ...], joins: int | None) -> Part | Decline:
    """A layer of Keras with the layouts that it works on."""
    if api == "tf.keras.layers.Flatten":
        return Part(api, code, gives=LAST, flattens=True)
    if joins is not None:
        return Part(api, code, joins=joins)
    if code.layout == "any":
        return Part(api, code)
    if code.layout in ("last", "flatten"):
        return Part(api, code, LAST, LAST)
    layout = _channels_first(api, inputs)
    if layout is None:
        return Decline("the rank of its input is unknown, so its layout is too", api)
    gone = ".Global" in api and "keepdim=True" not in code.forward
    return Part(api, code, layout, LAST if gone else None)


def _channels_first(api: str, inputs: tuple[Value, ...]) -> Layout | None:
    found = re.search(r"([123])D", api)
    rank = int(found.group(1)) + 2 if found else getattr(inputs[0], "rank", None) if inputs else None
    return LAST if rank == 2 else first(rank)


ELEMENTWISE = frozenset(f"tf.keras.layers.{name}" for name in ("Activation", "ReLU", "LeakyReLU", "ELU"))
"""Layers that change each number by itself, in whatever layout; an `Activation` by what it is told."""

_MODULES = (
    (r"F\.relu\(\{x\}\)", "nn.ReLU()"),
    (r"torch\.relu\(\{x\}\)", "nn.ReLU()"),
    (r"F\.relu6\(\{x\}\)", "nn.ReLU6()"),
    (r"(?:F|torch)\.sigmoid\(\{x\}\)", "nn.Sigmoid()"),
    (r"(?:F|torch)\.tanh\(\{x\}\)", "nn.Tanh()"),
    (r"\{x\}\.(?:tanh)\(\)", "nn.Tanh()"),
    (r"\{x\}\.(?:sigmoid)\(\)", "nn.Sigmoid()"),
    (r"F\.gelu\(\{x\}(?:, (approximate=[^)]*))?\)", r"nn.GELU(\1)"),
    (r"F\.(?:silu)\(\{x\}\)", "nn.SiLU()"),
    (r"F\.selu\(\{x\}\)", "nn.SELU()"),
    (r"F\.elu\(\{x\}(?:, (.*))?\)", r"nn.ELU(\1)"),
    (r"F\.mish\(\{x\}\)", "nn.Mish()"),
    (r"F\.softplus\(\{x\}\)", "nn.Softplus()"),
    (r"F\.softsign\(\{x\}\)", "nn.Softsign()"),
    (r"F\.leaky_relu\(\{x\}, (.*)\)", r"nn.LeakyReLU(\1)"),
    (r"(?:F|torch)\.(?:log_)?softmax\(\{x\}, (dim=-?\d+)\)", r"nn.Softmax(\1)"),
    (r"torch\.flatten\(\{x\}, 1\)", "nn.Flatten()"),
    (r"\{x\}\.flatten\(1\)", "nn.Flatten()"),
    (r"F\.max_pool([123])d\(\{x\}, (.*)\)", r"nn.MaxPool\1d(\2)"),
    (r"F\.avg_pool([123])d\(\{x\}, (.*)\)", r"nn.AvgPool\1d(\2)"),
    (r"F\.pad\(\{x\}, (\([^,()]*,[^,()]*\))\)", r"nn.ZeroPad1d(\1)"),
    (r"F\.pad\(\{x\}, (\((?:[^,()]*,){3}[^,()]*\))\)", r"nn.ZeroPad2d(\1)"),
    (r"F\.pad\(\{x\}, (\((?:[^,()]*,){5}[^,()]*\))\)", r"nn.ZeroPad3d(\1)"),
)


def as_module(template: str) -> str | None:
    """The `nn` module that does what a stateless template does, or None."""
    if "log_softmax" in template:
        return None
    for pattern, module in _MODULES:
        found = re.fullmatch(pattern, template)
        if found:
            return found.expand(module.replace(r"\1", r"\g<1>")) if found.re.groups else module
    return None


def chain(part: Part, layout: Layout) -> list[str] | None:
    """The part as entries of an `nn.Sequential`, or None when it is not a chain of modules."""
    if part.code.mask is not None or part.function is not None:
        return None
    entries = _reshape_entries(part) or _forward_entries(part.code)
    if entries is None:
        return None
    activation = part.activation(layout)
    if activation is None:
        return entries
    module = as_module(activation)
    return None if module is None else [*entries, module]


_RESHAPE = re.compile(r"\{x\}\.reshape\((?:-1|\{x\}\.shape\[0\]), (.+)\)")


def _reshape_entries(part: Part) -> list[str] | None:
    """A reshape behind the batch: what comes in as rows is only unfolded."""
    found = _RESHAPE.fullmatch(part.code.forward) if part.code.module is None else None
    if found is None:
        return None
    rows = part.shape is not None and len(part.shape) == 2
    flat = [] if rows else ["nn.Flatten()"]
    sizes = found.group(1)
    return [*flat, f"nn.Unflatten(1, ({sizes}))"] if "," in sizes else flat or ["nn.Flatten()"]


def _forward_entries(code: LayerCode) -> list[str] | None:
    if code.module is not None and code.forward == "{self}({x})":
        return [code.module]
    if code.module is not None:
        pad = re.fullmatch(r"\{self\}\((F\.pad\(\{x\}, \([^()]*\)\))\)", code.forward)
        return [_zero_pad(pad.group(1)), code.module] if pad else None
    if code.forward == "{x}":
        return []
    module = as_module(code.forward)
    return None if module is None else [module]


def _zero_pad(template: str) -> str:
    return as_module(template) or ""
