"""Expressions that training codemods write themselves: model calls, losses, variables, histories."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.data import DataPlan
from migrator.codemods.models import extraction
from migrator.codemods.models.losses import ADDED_LOSSES
from migrator.codemods.nodes import below, holds
from migrator.codemods.training import outside
from migrator.codemods.training.building import is_construction
from migrator.codemods.training.calls import api_of, constant, model_call
from migrator.codemods.training.checkpoints import checkpoint_kind
from migrator.codemods.training.layer_calls import flag_of, layer_call
from migrator.codemods.training.layer_weights import layer_kind, settled
from migrator.codemods.training.learning import all_learn, counts_alike
from migrator.codemods.training.loading import loads
from migrator.codemods.training.metric_classes import makes_state, reads_dtype
from migrator.codemods.training.models import VARIABLES, model_text, module_text
from migrator.codemods.training.network_freezing import layer_count
from migrator.codemods.training.own_methods import own_call
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.rates import is_rate, rate_of
from migrator.codemods.training.scope import Holder
from migrator.codemods.training.step_counts import is_remainder, reads_count
from migrator.codemods.training.strategies import is_replicas
from migrator.codemods.training.tape import TapePlan
from migrator.codemods.training.traits import tells_shapes, traits_of
from migrator.codemods.training.weights_copied import copies_weights
from migrator.codemods.training.writer import Unfit
from migrator.model import Helper
from migrator.values import Api, External, History, Instance, RepoInstance

KERAS_ONLY = frozenset(
    {"input_shape", "output_shape", "inputs", "outputs", "input", "output", "layers", "get_layer", "weights"}
    | {"variables", "get_weights", "set_weights", "metrics", "metrics_names", "train_on_batch", "test_on_batch"}
    | {"predict_on_batch", "to_json", "count_params", "stop_training", "add_loss", "fit_generator"}
    | {"evaluate_generator", "predict_generator", "reset_states", "non_trainable_variables", "get_config"}
)
"""Members of a Keras model that an `nn.Module` does not have."""
_LAYER_ONLY = frozenset(
    {"variables", "weights", "non_trainable_variables", "non_trainable_weights", "submodules", "get_weights"}
    | {"set_weights", "get_config", "count_params"}
)
"""Members of a layer or a `tf.Module` of the repository that an `nn.Module` does not have."""
_WHOLE = ("weights", "method:", "size")  # kinds of calls that settle the method's name too
METRIC_METHODS = ("update_state", "result", "reset_state", "reset_states")
_SUMS = ("tf.add_n", "tf.math.add_n", "tf.reduce_sum", "sum")


@dataclass(frozen=True)
class Finder:
    """Tells which nodes are to be decided, and what they are."""

    ctx: Context
    plan: FilePlan
    tapes: TapePlan
    data: DataPlan
    holder: Holder

    def nodes(self, node: cst.CSTNode) -> list[tuple[cst.CSTNode, str]]:
        """Nodes below, with what each is, innermost first."""
        found = [(n, self.kind(n)) for n in below(node, (cst.Call, cst.Attribute, cst.Subscript))]
        handled: set[cst.CSTNode] = {
            call.func for call, kind in found if kind.startswith(_WHOLE) and isinstance(call, cst.Call)
        }
        handled |= {part for n, kind in found if kind.startswith("layer-") for part in settled(n, kind)}
        handled |= {n.args[0].value for n, kind in found if kind == "count" and isinstance(n, cst.Call)}
        networks = [n for n, kind in found if kind.startswith("network-")]
        handled |= {part for n in networks for part in extraction.settled(n, self.ctx)}
        found = [(n, kind) for n, kind in found if n not in handled]
        gradients = [call for call in self.tapes.decided if holds(node, call)]
        inside = {n for call in gradients for n in below(call, (cst.Call, cst.Attribute)) if n is not call}
        return [(n, kind) for n, kind in reversed(found) if kind and n not in inside]

    def kind(self, node: object) -> str:
        if isinstance(node, cst.CSTNode) and (found := extraction.kind(node, self.ctx)):
            return found
        if isinstance(node, cst.CSTNode) and (found := layer_kind(node, self.ctx, self.holder)):
            return found
        if isinstance(node, cst.Call):
            return self.call_kind(node)
        if isinstance(node, cst.Attribute):
            return self.attribute_kind(node)
        return ""

    def call_kind(self, call: cst.Call) -> str:
        if call in self.tapes.decided:
            return "gradient"
        if kept := checkpoint_kind(call, self.ctx):
            return kept
        if loads(call, self.ctx):
            return "loaded"
        if copies_weights(call, self.ctx, self.plan.known_models, self.holder):
            return "weights"
        if self.is_count(call):
            return "size"
        if layer_count(call, self.ctx) is not None:
            return "count"
        if call in self.data.chains:
            return "data"
        if is_remainder(call, self.ctx):
            return "remainder"
        if rate_of(call, self.ctx, self.plan.known_models) is not None:
            return "rate"
        method = model_call(call, self.ctx, self.plan.models)
        if method is not None:
            return f"method:{method}"
        if own_call(call, self.ctx) is not None:
            return "own"
        if model_text(call.func, self.ctx, self.plan.known_models) is not None:
            return "model"
        if kind := layer_call(call, self.ctx):
            return kind
        if outside.called(call, self.ctx) is not None:
            return "outside"
        if self.penalty_of(call) is not None:
            return "penalty"
        if is_construction(call, self.ctx):
            return "construction"
        if makes_state(call, self.ctx):
            return "state"
        return "object" if self.is_object_call(call) else ""

    def attribute_kind(self, node: cst.Attribute) -> str:
        if node.attr.value in ("history", "epoch") and self.is_history(node.value):
            return "history" if node.attr.value == "history" else "epochs"
        if is_replicas(node, self.ctx):
            return "replicas"
        if reads_dtype(node, self.ctx):
            return "dtype"
        if kept := checkpoint_kind(node, self.ctx):
            return kept
        if is_rate(node, self.ctx, self.plan.known_models):
            return "rate"
        if reads_count(node, self.ctx):
            return "iterations"
        if node.attr.value == "stop_training" and self.plan.models >= {self.ctx.code(node.value).strip(), "self.model"}:
            return ""  # the loop that calls the callback looks at it
        if node.attr.value in ("input_shape", "output_shape") and tells_shapes(self.ctx.value(node.value), self.ctx):
            return ""
        if defines(node, self.ctx):
            return ""
        if outside.weight_text(node, self.ctx) is not None:
            return "weight"
        if node.attr.value in ("variables", "weights") and self.is_all_learnt(node):
            return "variables"
        if node.attr.value in KERAS_ONLY and model_text(node.value, self.ctx, self.plan.known_models) is not None:
            return "keras-only"
        if node.attr.value in _LAYER_ONLY and module_text(node.value, self.ctx, self.plan.known_models) is not None:
            return "keras-only"
        if node.attr.value in VARIABLES and module_text(node.value, self.ctx, self.plan.known_models) is not None:
            return "variables"
        return ""

    def is_count(self, call: cst.Call) -> bool:
        """`model.count_params()` of a model without statistics and second biases."""
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "count_params" or call.args:
            return False
        here = module_text(call.func.value, self.ctx, self.plan.known_models) is not None
        return here and counts_alike(self.ctx.value(call.func.value), self.ctx)

    def is_all_learnt(self, node: cst.Attribute) -> bool:
        """Whether a model's variables are its parameters, no more; nothing freezes layers in the file."""
        here = module_text(node.value, self.ctx, self.plan.known_models) is not None
        return here and not self.plan.frozen and all_learn(self.ctx.value(node.value), self.ctx)

    def is_history(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is what `fit` returned."""
        if isinstance(self.ctx.value(node), History):
            return True
        if isinstance(node, cst.Call):
            return model_call(node, self.ctx, self.plan.models) == "fit"
        return isinstance(node, cst.Name) and (self.holder, node.value) in self.plan.histories

    def penalty_of(self, call: cst.Call) -> cst.BaseExpression | None:
        """The model in `tf.add_n(model.losses)` and the like."""
        name = _callee(call, self.ctx)
        if name not in _SUMS or len(call.args) != 1:
            return None
        inner = call.args[0].value
        if not isinstance(inner, cst.Attribute) or inner.attr.value != "losses":
            return None
        return inner.value if model_text(inner.value, self.ctx, self.plan.known_models) is not None else None

    def is_object_call(self, call: cst.Call) -> bool:
        """A call of a loss or metric object, or of a method of a metric."""
        if _is_object(call.func, self.ctx, "losses", "metrics"):
            return True
        func = call.func
        return (
            isinstance(func, cst.Attribute)
            and func.attr.value in METRIC_METHODS
            and _is_object(func.value, self.ctx, "metrics")
        )


def _is_object(node: cst.BaseExpression, ctx: Context, *rooms: str) -> bool:
    if not isinstance(node, cst.Name | cst.Attribute):
        return False
    value = ctx.value(node)
    return isinstance(value, Instance) and value.api.startswith(tuple(f"tf.keras.{room}." for room in rooms))


def _callee(call: cst.Call, ctx: Context) -> str:
    value = ctx.value(call.func)
    if isinstance(value, Api):
        return api_of(value) or ""
    if isinstance(value, External):
        return value.name.removeprefix("builtins.")
    return call.func.value if isinstance(call.func, cst.Name) and call.func.value == "sum" else ""


@dataclass
class Modes:
    """In which mode the models of a block are known to be, so that it is said once."""

    known: dict[str, str] = field(default_factory=dict)
    line: dict[str, str] = field(default_factory=dict)

    def switch(self, model: str, call: cst.Call, ctx: Context, text: str | None, default: str = "eval") -> str:
        """The statement that puts a model into the mode that a call asks for, or ""; `default` without a flag."""
        return self.told(model, flag_of(call, ctx), ctx, text, default)

    def told(self, model: str, arg: cst.Arg | None, ctx: Context, text: str | None, default: str) -> str:
        """The same where the argument that asks is known; `text`: how it is written."""
        flag = None if arg is None else arg.value
        known = constant(flag, ctx)
        if flag is None:
            wanted = f"{model}.{default}()"
        elif known is not None:
            wanted = f"{model}.train()" if known.value else f"{model}.eval()"
        else:
            wanted = f"{model}.train({text})"
        if self.line.setdefault(model, wanted) != wanted:
            raise Unfit(f"`{model}` is run in both modes by one line")
        if self.known.get(model) == wanted:
            return ""
        self.known[model] = wanted if flag is None or known is not None else ""
        return wanted

    def begin(self) -> None:
        """A line of its own, before which a model is put into the one mode that it is run in."""
        self.line.clear()

    def forget(self) -> None:
        self.known.clear()


def penalty_text(node: cst.BaseExpression, ctx: Context) -> tuple[str, tuple[Helper, ...]] | None:
    """The sum of a model's regularisers and of what its layers add; None when it has none or is not known."""
    traits, model = traits_of(ctx.value(node), ctx), ctx.code(node).strip()
    if traits is None or not (traits.penalty or traits.adds):
        return None
    added = (f"added_losses({model})",) if traits.adds else ()
    terms = (*((f"{model}.regularization_loss()",) if traits.penalty else ()), *added)
    text = " + ".join(terms)
    return text if len(terms) == 1 else f"({text})", (ADDED_LOSSES,) if added else ()


def defines(node: cst.Attribute, ctx: Context) -> bool:
    """Whether an attribute of a model is one that its class of the repository gives it."""
    owner = ctx.value(node.value)
    if not isinstance(owner, RepoInstance):
        return False
    facts = ctx.facts.cls(owner.qualname)
    own = ctx.facts.function(f"{owner.qualname}.{node.attr.value}") is not None
    return own or (facts is not None and facts.attr(node.attr.value) is not None)
