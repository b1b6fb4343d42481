"""Deciding the expressions of one line: what stands in their place, and what must run before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.data import DataPlan
from migrator.codemods.models import extraction
from migrator.codemods.nodes import below
from migrator.codemods.training import fit, methods, on_batch, outside
from migrator.codemods.training.building import construction
from migrator.codemods.training.calls import receiver
from migrator.codemods.training.checkpoints import checkpoint_text
from migrator.codemods.training.expressions import Finder, Modes, penalty_text
from migrator.codemods.training.freezing import HELPER as KEEP_FROZEN
from migrator.codemods.training.layer_calls import flag_of, mode_of, without_modes
from migrator.codemods.training.layer_weights import layer_text, set_text
from migrator.codemods.training.loading import load_model
from migrator.codemods.training.metric_classes import state
from migrator.codemods.training.network_freezing import layer_count
from migrator.codemods.training.own_methods import own_call
from migrator.codemods.training.plan import FilePlan, has_argument
from migrator.codemods.training.rates import assigned, rate_of
from migrator.codemods.training.scope import Holder, Names
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.states import reset_states
from migrator.codemods.training.tape import TapePlan
from migrator.codemods.training.weights_copied import weights_text
from migrator.codemods.training.writer import Code, Unfit, Writer
from migrator.model import Decline
from migrator.values import Tensor

_CONDITIONAL = (
    cst.Lambda | cst.IfExp | cst.BooleanOperation | cst.ListComp | cst.GeneratorExp | cst.DictComp | cst.SetComp
)


@dataclass
class Decisions:
    """Decides the expressions of one line or head; `before` are statements that must run first."""

    ctx: Context
    plan: FilePlan
    sink: Sink
    names: Names
    holder: Holder
    tapes: TapePlan
    data: DataPlan
    modes: Modes
    where: cst.CSTNode
    decided: dict[cst.CSTNode, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    gone: bool = False

    def decide(self, node: cst.CSTNode) -> Decisions:
        for found, kind in Finder(self.ctx, self.plan, self.tapes, self.data, self.holder).nodes(node):
            self.decided[found] = self.text(found, kind)
        return self

    @property
    def writer(self) -> Writer:
        return Writer(self.ctx, self.plan, self.sink, self.names, self.holder, self.decided)

    def text(self, node: cst.CSTNode, kind: str) -> str:
        ctx = self.ctx
        if kind.startswith("checkpoint:"):
            text = checkpoint_text(node, kind, self.writer)
            self.gone = self.gone or not text
            return text
        if kind.startswith("layer-"):
            return self.layer(node, kind)
        if kind.startswith("network-"):
            return self.of_network(node, kind)
        if isinstance(node, cst.Attribute):
            if kind in ("replicas", "dtype"):
                return "1" if kind == "replicas" else "torch.float32"
            if kind == "keras-only":
                raise Unfit(f"`{node.attr.value}` of a model has no counterpart")
            if kind == "weight":
                return outside.weight_text(node, ctx) or ""
            owner = self.decided.get(node.value) or ctx.code(node.value).strip()
            if kind == "history":
                return owner
            if kind == "epochs":
                if any(has_argument(call, "initial_epoch") for call in self.plan.of_call):
                    raise Unfit("the epochs of a training that does not begin with the first")
                return f'list(range(len({owner}["loss"])))'
            if kind == "rate":
                return f'{owner}.param_groups[0]["lr"]'
            if kind == "iterations":
                return f"{owner}.iterations"
            return f"{owner}.parameters()" if _iterated(node, self.where) else f"list({owner}.parameters())"
        assert isinstance(node, cst.Call)
        if kind == "rate":
            return self.rate(node)
        if kind == "remainder":
            return " % ".join(self.writer.text(arg.value) for arg in node.args)
        if kind == "weights":
            return weights_text(node, self.writer)
        if kind == "count":
            return str(layer_count(node, self.ctx))
        if kind == "size" and isinstance(node.func, cst.Attribute):
            return f"sum(p.numel() for p in {ctx.code(node.func.value).strip()}.parameters())"
        if kind == "loaded":
            loaded = load_model(node, self.writer, self.where)
            self.before.append(loaded.before)
            return loaded.value
        if kind.startswith("method:"):
            return self.method(node, kind.removeprefix("method:"))
        if kind == "outside":
            return self.outside_call(node)
        self.sink.imports.add("import torch")
        if kind == "gradient":
            return self.tapes.decided[node]
        if kind == "data":
            return self.dataset(node)
        if kind == "penalty":
            return self.penalty(node)
        if kind == "state":
            self.sink.needs_device = True
            return state(node, ctx)
        if kind == "construction":
            return construction(node, self.called(node, node.args), self.ctx, self.sink)
        if kind in ("model", "layer"):
            return self.model_call(node, kind)
        if kind == "own":
            return self.own_call(node)
        return self.called(node, node.args)

    def of_network(self, node: cst.CSTNode, kind: str) -> str:
        """A model that gives what layers of a network of Keras give, or the modules of such layers."""
        if kind == "network-made":
            assert isinstance(node, cst.Call)
            self.sink.needs_device = True
            return f"{self.writer.text(node)}.to(device)"
        if kind == "network-layer":
            made = extraction.module_of(node, self.ctx, self.writer.text)
        else:
            assert isinstance(node, cst.Call)
            outputs = extraction.outputs_of(node)
            made = extraction.extraction(node, "" if outputs is None else self.writer.text(outputs), self.ctx)
            self.sink.help((extraction.HELPER,))
        if isinstance(made, Decline):
            raise Unfit(made.reason)
        return made

    def layer(self, node: cst.CSTNode, kind: str) -> str:
        """A layer that a model is asked for, or its weights."""
        if kind != "layer-set":
            return layer_text(node, kind, self.writer)
        line = self.where.body[0] if isinstance(self.where, cst.SimpleStatementLine) else None
        if not isinstance(line, cst.Expr) or line.value is not node or not isinstance(node, cst.Call):
            raise Unfit("`set_weights` within an expression")
        self.before.append(set_text(node, self.writer))
        self.gone = True
        return ""

    def method(self, call: cst.Call, name: str) -> str:
        owner = receiver(call)
        assert owner is not None
        model = self.ctx.code(owner[0]).strip()
        try:
            code = self.write(call, name, model)
        except Unfit as why:
            raise Unfit(f"{model}.{name}: {why}") from why
        self.modes.forget()
        self.before += [code.before] if code.before else []
        self.gone = self.gone or not code.value
        return code.value

    def write(self, call: cst.Call, name: str, model: str) -> Code:
        owner = self.plan.of_call.get(call)
        if name in ("compile", "fit") and not isinstance(self.where, cst.SimpleStatementLine):
            raise Unfit("in the head of a block")
        if name == "fit":
            assert isinstance(self.where, cst.SimpleStatementLine)
            if _under_condition(call, self.where):
                raise Unfit("inside an expression that may not be evaluated")
            return fit.fit(call, model, owner, self.writer, _wish(call, self.where))
        if name == "compile":
            return methods.compile_model(call, model, owner, self.writer)
        if name == "evaluate":
            alone = isinstance(self.where, cst.SimpleStatementLine) and _wish(call, self.where) == ""
            return fit.evaluate(call, model, owner, self.writer, alone)
        if name in ("save", "save_weights"):
            return methods.save_weights(call, model, self.writer, whole=name == "save")
        if name in ("train_on_batch", "test_on_batch"):
            alone = isinstance(self.where, cst.SimpleStatementLine) and _wish(call, self.where) == ""
            return on_batch.on_batch(call, name, model, owner, self.writer, alone)
        if name == "predict_on_batch":
            return on_batch.predict_on_batch(call, model, self.writer)
        if name == "build":
            return methods.build(call, self.where, self.writer)
        one = {"predict": methods.predict, "summary": methods.summary, "load_weights": methods.load_weights}
        one["reset_states"] = reset_states
        return one[name](call, model, self.writer)

    def rate(self, call: cst.Call) -> str:
        """A learning rate that a call reads or sets."""
        rate = rate_of(call, self.ctx, self.plan.known_models)
        assert rate is not None
        text, value = self.text(rate, "rate"), assigned(call, self.ctx)
        if value is None:
            return text
        if not isinstance(self.where, cst.SimpleStatementLine) or not isinstance(self.where.body[0], cst.Expr):
            raise Unfit("a learning rate that is set within an expression")
        self.before.append(f"{text} = {self.writer.text(value)}")
        self.gone = True
        return ""

    def model_call(self, call: cst.Call, kind: str) -> str:
        """A call of a model or layer, which is put into the mode that Keras would use."""
        model = self.ctx.code(call.func).strip()
        flag = flag_of(call, self.ctx)
        text = None if flag is None else self.writer.text(flag.value)
        default = mode_of(call, self.ctx) if flag is None else "eval"
        if not default:
            raise Unfit("a model changes images at random, in a call that does not say whether it trains")
        kept = [arg for arg in call.args if arg is not flag]
        written = self.on_device if kind == "model" else self.as_tensor
        if isinstance(call.func, cst.Call):
            switch = Modes().switch(self.writer.text(call.func), call, self.ctx, text, default)
            return f"{switch}({self.arguments(kept, written)})"
        alike = without_modes(call, self.ctx) if self.tapes.decided else None
        switch = "" if alike == "" else self.modes.switch(model, call, self.ctx, text, alike or default)
        self.keeping(model, switch)
        return self.called(call, kept, written)

    def own_call(self, call: cst.Call) -> str:
        """A call of a method of a model, which is put into the mode that Keras would run its layers in."""
        found = own_call(call, self.ctx)
        assert found is not None
        if _under_condition(call, self.where):
            raise Unfit("a method with two modes inside an expression that may not be evaluated")
        text = None if found.flag is None else self.writer.text(found.flag.value)
        switch = self.modes.told(found.model, found.flag, self.ctx, text, found.default)
        self.keeping(found.model, switch)
        return self.called(call, [arg for arg in call.args if arg is not found.flag])

    def keeping(self, model: str, switch: str) -> None:
        """A change of mode before the line; frozen normalisation stays as it is."""
        self.before += [switch] if switch else []
        if switch and self.plan.frozen and not switch.endswith(".eval()"):
            self.sink.help((KEEP_FROZEN,))
            self.before.append(f"keep_frozen({model})")

    def outside_call(self, call: cst.Call) -> str:
        """A call of a layer that belongs to no model; one with state that is made in its place gets a name."""
        made = outside.called(call, self.ctx)
        assert made is not None
        found = outside.outside(made, self.ctx)
        inputs = outside.inputs_of(call, found, self.ctx)
        texts = [outside.as_input(self.writer.text(node), self.ctx.value(node), found) for node in inputs]
        texts = [self.once(text, call) if found.repeats(i) else text for i, text in enumerate(texts)]
        name = found.name
        if found.part.code.module is not None and not name:
            if _under_condition(call, self.where):
                raise Unfit("a layer that is made inside an expression that may not be evaluated")
            name = self.names.fresh(found.part.code.stem)
            self.before += found.creation(name, self.ctx.device, self.sink)
        mode, flag = found.mode(self.ctx), flag_of(call, self.ctx)
        if mode and _under_condition(call, self.where):
            raise Unfit(f"a call of {found.kind}, which has two modes, inside an expression that may not be evaluated")
        if mode:
            text = None if flag is None else self.writer.text(flag.value)
            switch = self.modes.switch(name, call, self.ctx, text, mode)
            self.before += [switch] if switch else []
        found.tell(self.sink)
        return outside.standing(found.applied(name, texts), call)

    def once(self, text: str, call: cst.Call) -> str:
        """A name for an expression that is written more than once, but evaluated once."""
        if text.isidentifier():
            return text
        if _under_condition(call, self.where):
            raise Unfit("an input that is needed twice, inside an expression that may not be evaluated")
        name = self.names.fresh("inputs")
        self.before.append(f"{name} = {text}")
        return name

    def called(self, call: cst.Call, args: Sequence[cst.Arg], written: Callable[[cst.Arg], str] | None = None) -> str:
        written = written or (lambda arg: self.writer.text(arg.value))
        return f"{self.ctx.code(call.func).strip()}({self.arguments(args, written)})"

    def arguments(self, args: Sequence[cst.Arg], written: Callable[[cst.Arg], str]) -> str:
        parts = []
        for arg in args:
            name = f"{arg.keyword.value}=" if arg.keyword is not None else ""
            parts.append(f"{arg.star}{name}{written(arg)}")
        return ", ".join(parts)

    def on_device(self, arg: cst.Arg) -> str:
        """An argument of a model: as for a layer, where the model is."""
        text = self.as_tensor(arg, ", device=device")
        self.sink.needs_device = self.sink.needs_device or text.endswith(", device=device)")
        return text

    def as_tensor(self, arg: cst.Arg, place: str = "") -> str:
        """An argument of a layer: arrays become tensors, floats of the width that Keras casts them to."""
        return self.writer.text(arg.value) if arg.star else self._tensors(arg.value, place)

    def _tensors(self, node: cst.BaseExpression, place: str) -> str:
        """An input, or a list or tuple of them, with tensors for arrays."""
        plain = isinstance(node, cst.List | cst.Tuple) and all(isinstance(e, cst.Element) for e in node.elements)
        if plain and isinstance(node, cst.List | cst.Tuple) and any(self._is_array(e.value) for e in node.elements):
            inner = ", ".join(self._tensors(e.value, place) for e in node.elements)
            comma = "," if isinstance(node, cst.Tuple) and len(node.elements) == 1 else ""
            return f"[{inner}]" if isinstance(node, cst.List) else f"({inner}{comma})"
        return self._tensor(node, place) if self._is_array(node) else self.writer.text(node)

    def _is_array(self, node: cst.BaseExpression) -> bool:
        value = self.ctx.value(node)
        return isinstance(value, Tensor) and value.origin == "numpy" and value.dtype is not None

    def _tensor(self, node: cst.BaseExpression, place: str) -> str:
        text, value = self.writer.text(node), self.ctx.value(node)
        assert isinstance(value, Tensor)
        assert value.dtype is not None
        wide = value.dtype.startswith("float") and value.dtype != "float32"
        kind = ", dtype=torch.float32" if wide else ""
        return f"torch.as_tensor({text}{kind}{place})"

    def dataset(self, call: cst.Call) -> str:
        imports, helpers, notes = self.data.needs(call)
        self.sink.imports |= imports
        self.sink.help(helpers)
        self.sink.note(*notes)
        return self.data.text(call, self.writer.text)

    def penalty(self, call: cst.Call) -> str:
        inner = Finder(self.ctx, self.plan, self.tapes, self.data, self.holder).penalty_of(call)
        found = penalty_text(inner, self.ctx) if inner is not None else None
        if found is None:
            raise Unfit("the losses of a model of which no regulariser is known")
        self.sink.help(found[1])
        return found[0]


def _iterated(node: cst.Attribute, where: cst.CSTNode) -> bool:
    """Whether an expression is only looped over, once."""
    loops = [n.iter for n in below(where, (cst.CompFor, cst.For)) if isinstance(n, cst.CompFor | cst.For)]
    return any(node is each for each in loops)


def _under_condition(call: cst.Call, line: cst.CSTNode) -> bool:
    """Whether the call stands in an expression that is not evaluated exactly once."""

    def look(node: cst.CSTNode, inside: bool) -> bool:
        if node is call:
            return inside
        deeper = inside or isinstance(node, _CONDITIONAL)
        return any(look(child, deeper) for child in node.children)

    return look(line, False)


def _wish(call: cst.Call, line: cst.SimpleStatementLine) -> str | None:
    """The name for the history: the one that the line binds to it, "" when nothing reads it, or None."""
    part = line.body[0]
    if isinstance(part, cst.Expr) and part.value is call:
        return ""
    if not isinstance(part, cst.Assign) or len(part.targets) > 1 or not isinstance(part.targets[0].target, cst.Name):
        return None
    value = part.value
    whole = value is call or (m.matches(value, m.Attribute(attr=m.Name("history"))) and value.children[0] is call)
    return part.targets[0].target.value if whole else None
