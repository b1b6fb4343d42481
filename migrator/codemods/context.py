"""What a codemod works with, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import libcst as cst

from migrator.codemods.positions import Positions
from migrator.model import (
    Decline,
    Helper,
    InterfaceChange,
    LayerCode,
    LossCode,
    MetricCode,
    OptimizerCode,
    Origin,
    OutputFacts,
    Rewritten,
    UnitKind,
    WeightRecord,
)
from migrator.syntax import remember
from migrator.values import Facts, ModuleFacts, Span, Unknown, Value

__all__ = ["Context", "Draft", "Rewritten", "Rules"]


class Rules(Protocol):
    """The rule registry, as codemods see it (implemented by `migrator.rules`); `keras`: the version it means."""

    keras: int

    def rewrite(
        self, node: cst.CSTNode, here: ModuleFacts, spans: Mapping[cst.CSTNode, Span], device: str = ""
    ) -> Rewritten:
        """Rewrite every TF call, constant, attribute, method and operator below `node`.

        `device`: source of the device of new tensors where no function around them gives it.
        """

    def has_rule(self, api: str) -> bool:
        """Whether calls of a function or class have a rule wherever they stand, as layers that prepare data have."""

    def bind(self, api: str, call: cst.Call) -> dict[str, cst.BaseExpression] | Decline:
        """The arguments of a call by TF's parameter names (given ones only)."""

    def lazy_layer(
        self, api: str, args: Mapping[str, str], values: Mapping[str, Value], inputs: tuple[Value, ...]
    ) -> LayerCode | Decline:
        """As `layer`, where nothing fixes the size of the input."""

    def layer(
        self,
        api: str,
        args: Mapping[str, str],
        values: Mapping[str, Value],
        inputs: tuple[Value, ...],
    ) -> LayerCode | Decline:
        """The torch spelling of a Keras layer.

        `args`: given arguments by TF's parameter name, as source text already free of TF where it
        can be; `values`: their abstract values. `inputs`: the values it is called with, in TF's
        convention (NHWC); several for a merge layer.
        """

    def constraint(self, value: Value, rank: int | None) -> tuple[str, ...] | Decline:
        """The statements that constrain a weight `{self}` whose axes are Keras's."""

    def activation(self, value: Value) -> tuple[str, str] | Decline | None:
        """(template with `{x}`, Keras's name) of an activation argument; None for linear."""


class Objects(Protocol):
    """The records of losses, metrics and optimizers (implemented by `migrator.rules.objects.Objects`).

    `name` is a canonical class or function name, or the string that Keras takes for it; `texts`
    and `values` are the given arguments by TF's parameter names, as source and as known.
    """

    def parameters(self, name: str) -> tuple[str, ...] | None:
        """TF's parameter names in order, or None when there is no record."""

    def loss(
        self, name: str, texts: Mapping[str, str], values: Mapping[str, Value], output: OutputFacts
    ) -> LossCode | Decline: ...

    def metric(
        self,
        name: str,
        texts: Mapping[str, str],
        values: Mapping[str, Value],
        output: OutputFacts,
        loss: LossCode,
    ) -> MetricCode | Decline: ...

    def optimizer(
        self, name: str, texts: Mapping[str, str], values: Mapping[str, Value]
    ) -> OptimizerCode | Decline: ...


@dataclass(frozen=True)
class Entry:
    """One of several inputs of a model: Keras's name, or "", and what it is: "float", "ids" or None when open."""

    name: str = ""
    kind: str | None = None


@dataclass(frozen=True)
class Head:
    """One of several outputs of a model: Keras's name, or "", and what it is without the `activation`."""

    name: str = ""
    output: OutputFacts = field(default_factory=OutputFacts)


@dataclass(frozen=True)
class Ends:
    """What goes into a model with several inputs or outputs, and what comes out of it, in order."""

    inputs: tuple[Entry, ...]
    outputs: tuple[Head, ...]


@dataclass(frozen=True)
class ModelPart:
    """A layer with weights of a generated model: where Keras's was made, and where and how it keeps its weights."""

    site: Span
    record: WeightRecord


@dataclass(frozen=True)
class ModelTraits:
    """What training asks of a generated model class.

    `activation`: what its `logits` leaves out ("softmax"), or "" when it has no such method.
    `penalty`: it has `regularization_loss()`. `shapes`: it tells its `input_shape` and `output_shape`, where asked.
    `constrained`: it has `constrain_weights()`. `adds`: its layers add to the loss when they are called.
    `ends`: of a model with several inputs or outputs. `parts`: its layers that have weights.
    `masks`: its `mask` tells which steps of the output count.
    """

    activation: str = ""
    penalty: bool = False
    shapes: bool = False
    constrained: bool = False
    adds: bool = False
    ends: Ends | None = None
    parts: tuple[ModelPart, ...] = ()
    masks: bool = False


@dataclass(frozen=True)
class Draft:
    """What a codemod made of a unit: its new text (dedented, without the file's imports).

    With `declines` not empty the text is a draft only: the unit stays TensorFlow on disk.
    """

    text: str
    kind: UnitKind
    declines: tuple[Decline, ...] = ()
    imports: frozenset[str] = frozenset()
    helpers: tuple[Helper, ...] = ()
    changes: tuple[InterfaceChange, ...] = ()
    weights: tuple[WeightRecord, ...] = ()
    gaps: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    needs_device: bool = False  # the file needs the global `device`
    hoisted: str = ""  # classes that go to the top level, before the unit
    has_logits: Mapping[str, str] = field(default_factory=dict)  # class → activation that `logits` leaves out
    has_ends: Mapping[str, Ends] = field(default_factory=dict)  # classes with several inputs or outputs
    has_parts: Mapping[str, tuple[ModelPart, ...]] = field(default_factory=dict)  # class → layers with weights
    has_penalty: frozenset[str] = frozenset()  # classes with `regularization_loss()`
    has_constraints: frozenset[str] = frozenset()  # classes with `constrain_weights()`
    has_additions: frozenset[str] = frozenset()  # classes of which layers add to the loss when they are called
    has_mask: frozenset[str] = frozenset()  # classes that tell which steps of their output count
    has_shapes: frozenset[str] = frozenset()  # classes that tell the shapes that the repository asks for
    origin: Origin = Origin.RULES


@dataclass(frozen=True)
class Context:
    """One file under migration.

    `spans`: position of every CST node (libcst PositionProvider ranges as `Span`).
    `changes`: interface changes of the whole repository decided so far, by qualified name, so that
    call sites follow. `class_names`: torch class made of a factory function, by its qualified name.
    """

    path: str
    module: str
    tree: cst.Module
    spans: Mapping[cst.CSTNode, Span]
    facts: Facts
    rules: Rules
    keras: int = 3
    fidelity: str = "idiomatic"
    changes: Mapping[str, Sequence[InterfaceChange]] = field(default_factory=dict)
    class_names: Mapping[str, str] = field(default_factory=dict)
    objects: Objects | None = None
    layouts: Mapping[str, str] = field(default_factory=dict)  # qualname → layout of a module used only inside others
    penalised: frozenset[str] = frozenset()  # qualnames of what has a `regularization_loss()`
    constrained: frozenset[str] = frozenset()  # qualnames of what has `constrain_weights()`
    adding: frozenset[str] = frozenset()  # qualnames of what adds to the loss when it is called
    positions: Positions | None = None  # texts of the original nodes
    models: Mapping[str, ModelTraits] | None = None  # model classes and factories by qualname, once drafted
    shapes_asked: frozenset[str] = frozenset()  # "input_shape", "output_shape", where anything reads them off a model
    siblings: Mapping[str, Context] = field(default_factory=dict)  # the other files of the repository, by module
    below: Mapping[str, frozenset[str]] = field(default_factory=dict)  # class → what classes derived from it define
    cuts: frozenset[int] = frozenset()  # lines at which a unit begins in any case
    device: str = ""  # source of the device on which the models of this scope are

    @property
    def here(self) -> ModuleFacts:
        return self.facts.modules[self.module]

    def value(self, node: cst.CSTNode) -> Value:
        """The abstract value of an expression of the original tree."""
        span = self.spans.get(node)
        return Unknown("not in the original source") if span is None else self.here.at(span)

    def begin(self) -> None:
        """The file is the one at hand now: its nodes are looked up first."""
        if self.positions is not None:
            remember(self.positions.index)

    def code(self, node: cst.CSTNode) -> str:
        """The original text of a node."""
        return self.tree.code_for_node(node) if self.positions is None else self.positions.code(node)

    def rewrite(self, node: cst.CSTNode) -> Rewritten:
        return self.rules.rewrite(node, self.here, self.spans, self.device)
