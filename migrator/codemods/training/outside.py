"""Layers of Keras that are made and called outside of models: a module of their own, or a plain expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models import layout as lay
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.create import Maker, is_keras_layer
from migrator.codemods.models.layout import LAST, Layout
from migrator.codemods.models.needs import Needs
from migrator.codemods.models.part import FUNCTION, Part
from migrator.codemods.models.text import atom, fill, holes, names
from migrator.codemods.nodes import ancestors, below
from migrator.codemods.training.layer_calls import flag_of, has_two_modes
from migrator.codemods.training.learning import all_learn
from migrator.codemods.training.models import VARIABLES
from migrator.codemods.training.random_layers import is_random
from migrator.codemods.training.sink import Sink
from migrator.codemods.training.writer import Unfit
from migrator.syntax import index_of
from migrator.values import Api, Choice, Instance, Repeated, Sym, Tensor, Unknown, Value

_FACTORIES = ("model-factory", "layer-factory", "module-factory")
_WHOLE_NUMBERS = (
    *("Flatten", "Reshape", "Permute", "RepeatVector", "Embedding", "Concatenate", "Identity", "Rescaling"),
    *("Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"),
)
"""Layers whose torch code takes integers as well and does the same with them."""
_WEIGHTS = frozenset({"kernel", "bias", "gamma", "beta", "embeddings"})
_READ = ("numpy", "shape", "dtype")
_ALL = ("variables", "weights")


@dataclass(frozen=True)
class Outside:
    """A layer that stands alone. `name`: the variable that holds it, or "" where it is called as it is made."""

    name: str
    made: cst.Call
    value: Instance
    part: Part
    needs: Needs

    @property
    def kind(self) -> str:
        """The name of its class in Keras."""
        return self.value.api.rpartition(".")[2]

    def creation(self, name: str, device: str, sink: Sink) -> list[str]:
        """The statements that make its module under a name and give its weights their initial values."""
        self.tell(sink)
        code = self.part.code
        if code.module is None:
            return []
        place = f".to({device})" if device and code.params else ""
        sink.needs_device = sink.needs_device or bool(place)
        return [f"{name} = {code.module}{place}", *(fill(line, {"self": name}) for line in code.init)]

    def applied(self, name: str, inputs: list[str]) -> str:
        """The expression for its call on tensors as Keras has them."""
        part = self.part
        takes: Layout = part.takes or LAST
        gives: Layout = part.gives or takes
        texts = [text if takes == LAST else lay.permute(atom(text), LAST, takes)[0] for text in inputs]
        if part.joins is not None:
            return f"torch.cat([{', '.join(texts)}], dim={part.joins})"
        holders = {"self": name, "x": texts[0], **{f"x{i}": t for i, t in enumerate(texts)}}
        if not set(holes(part.code.forward)) <= set(holders):
            raise Unfit(f"{self.kind} is called with too few inputs")
        text = fill(part.code.forward, holders)
        activation = part.activation(gives)
        text = text if activation is None else fill(activation, {"x": text})
        return text if gives == LAST else lay.permute(atom(text), gives, LAST)[0]

    def repeats(self, index: int) -> bool:
        """Whether its expression has one of its inputs more than once."""
        code = self.part.code
        alone = (code.activation or "{x}").count("{x}") == 1
        found = code.forward.count(f"{{x{index}}}") + (code.forward.count("{x}") if index == 0 else 0)
        return found > 1 or not alone

    def mode(self, ctx: Context) -> str:
        """The mode of a call that does not say whether it trains; "" where it does the same in either."""
        if self.part.code.module is None or not has_two_modes(self.value, ctx):
            return ""
        return "train" if is_random(self.value.api) else "eval"

    def tell(self, sink: Sink) -> None:
        """Takes note of the imports, helpers and gaps that its texts bring."""
        code, needs = self.part.code, self.needs
        sink.imports |= needs.imports | set(code.imports)
        sink.imports |= {"import torch", "import torch.nn.functional as F"}  # a file has those of which it has the name
        sink.help(needs.helpers_of("\n".join((code.module or "", code.forward, code.activation or "", *code.init))))
        sink.gaps |= needs.gaps
        sink.note(*needs.notes)


def named(line: cst.SimpleStatementLine, ctx: Context) -> cst.Call | None:
    """The call that makes a layer of Keras, in a line that only gives it a name."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Assign) or len(part.targets) > 1:
        return None
    made, target = part.value, part.targets[0].target
    if not isinstance(made, cst.Call) or not isinstance(target, cst.Name) or _layer(made, ctx) is None:
        return None
    callee = ctx.value(made.func)  # `model.get_layer(...)` gives a layer and makes none
    return made if isinstance(callee, Api) and is_keras_layer(callee.name) else None


def is_made(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """Whether a line makes a layer of Keras and does nothing else."""
    return named(line, ctx) is not None or is_idle(line, ctx)


def called(call: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that makes the layer of Keras which `call` calls: in its place, or where the file names it."""
    value = _layer(call.func, ctx)
    if value is None or isinstance(call.func, cst.Call):
        return call.func if value is not None and isinstance(call.func, cst.Call) else None
    if not isinstance(call.func, cst.Name):
        return None
    made = _made_at(value, ctx)
    return made if made is not None and _name(made, ctx) == call.func.value else None


def _made_at(value: Instance, ctx: Context) -> cst.Call | None:
    """The call of this file that makes an object."""
    found = (n for n in below(ctx.tree, cst.Call) if value.module == ctx.module and ctx.spans.get(n) == value.site)
    made = next(found, None)
    return made if isinstance(made, cst.Call) else None


def outside(made: cst.Call, ctx: Context) -> Outside:
    """The layer that a call makes, where all is known that its module needs. Raises `Unfit`."""
    value, name = _layer(made, ctx), _name(made, ctx)
    assert value is not None
    build = ModuleBuild("", "")
    maker = Maker(ctx, build)
    inputs = maker.inputs(made)
    if not inputs:
        raise Unfit("a layer outside of a model that is called with nothing known")
    if any(isinstance(x, Tensor) and x.origin == "keras" for x in inputs):
        raise Unfit("a layer made outside a model")
    part = maker.part(made)
    if part is None:
        raise Unfit(_reason(build.needs))
    found = Outside(name, made, value, part, build.needs)
    why = _unlike(found) or _sized(found, inputs) or (_used_otherwise(found, ctx) if name else "")
    if why:
        raise Unfit(f"{found.kind} outside of a model: {why}")
    return found


def _reason(needs: Needs) -> str:
    return next((f"{d.api}: {d.reason}" if d.api else d.reason for d in needs.declines), "a layer without a rule")


def _unlike(found: Outside) -> str:
    """Why a layer is no module or expression of its own, or ""."""
    code = found.part.code
    if found.part.function is not None or found.part.arguments:
        return "it has no form of its own"
    if code.form is not None or code.masked is not None or code.mask is not None:
        return "it takes or makes more than a tensor"
    if code.penalty or code.constraint or code.adds:
        return "a regulariser or constraint"
    if code.activation_name == FUNCTION and found.part.takes not in (None, LAST):
        return "an activation that only the run knows"
    return "input size unknown" if "nn.Lazy" in (code.module or "") else ""


def _sized(found: Outside, inputs: tuple[Value, ...]) -> str:
    """Why the sizes that a module is made with are not certain, or "": those of a loop or caller have no name here."""
    code = found.part.code
    shapes = [x.shape or (x.last,) for x in inputs if isinstance(x, Tensor)]
    open_ = {name for shape in shapes for dim in shape if isinstance(dim, Sym) for name in names(dim.text)}
    texts = (code.module, code.forward, code.activation, *code.init)
    return "input size unknown" if any(open_ & set(names(text)) for text in texts if text) else ""


def _used_otherwise(found: Outside, ctx: Context) -> str:
    """What else than calling it is done with a layer that has a name, or ""."""
    for node in _uses(found.name, found.made, ctx):
        parent = index_of(node).parents[node]
        if not _is_call(node, parent, found, ctx) and not _reads_weights(node, parent, found, ctx):
            return f"`{ctx.code(parent).strip()[:60]}`"
        if _elsewhere(node, ctx):
            return "a class, or a function that makes layers, uses it"
    return "another file uses it" if _imported(found.name, ctx) else ""


def _uses(name: str, made: cst.Call, ctx: Context) -> Iterator[cst.Name]:
    """Where a name is read that may be the layer made by a call."""
    for node in below(ctx.tree, cst.Name):
        if not isinstance(node, cst.Name) or node.value != name or node in index_of(node).words:
            continue
        value = ctx.value(node)
        one_of_several = isinstance(value, Unknown | Choice | Repeated)
        same = isinstance(value, Instance) and value.site in (None, ctx.spans[made])
        if (same or one_of_several) and not isinstance(index_of(node).parents[node], cst.AssignTarget):
            yield node


def _is_call(node: cst.Name, parent: cst.CSTNode, found: Outside, ctx: Context) -> bool:
    return isinstance(parent, cst.Call) and parent.func is node and called(parent, ctx) is found.made


def _reads_weights(node: cst.Name, parent: cst.CSTNode, found: Outside, ctx: Context) -> bool:
    """Whether an expression lists the variables of a layer, to take gradients for them say."""
    if not isinstance(parent, cst.Attribute) or parent.value is not node or found.part.code.module is None:
        return False
    listed = parent.attr.value in VARIABLES or (parent.attr.value in _ALL and all_learn(found.value, ctx))
    return listed or _weight(found, parent) is not None


def _weight(found: Outside, node: cst.Attribute) -> str | None:
    """A weight of a layer as Keras has it, where no more than its values or shape are read."""
    around = index_of(node).parents[node]
    param = next((p for p in found.part.code.params if p[0] == node.attr.value), None)
    read = isinstance(around, cst.Attribute) and around.attr.value in _READ
    if param is None or not (read or _is_shown(node)):
        return None
    turned = re.fullmatch(r"transpose\(([\d,]+)\)", param[2])
    view = {"": "", "T": ".T"}.get(param[2])
    if turned is not None:
        order = [int(axis) for axis in turned.group(1).split(",")]
        view = f".permute{tuple(sorted(range(len(order)), key=order.__getitem__))}"
    return None if view is None else f"{found.name}.{param[1]}{view}"


def _is_shown(node: cst.CSTNode) -> bool:
    """Whether an expression only stands there, as the last line of a notebook's cell does."""
    parents = index_of(node).parents
    around = parents[node]
    while isinstance(around, cst.Tuple | cst.Element):
        around = parents[around]
    return isinstance(around, cst.Expr)


def weight_text(node: cst.Attribute, ctx: Context) -> str | None:
    """What `layer.kernel` is in PyTorch, of a layer that belongs to no model; None for anything else."""
    value = _layer(node.value, ctx)
    if value is None or not isinstance(node.value, cst.Name) or node.attr.value not in _WEIGHTS:
        return None
    made = _made_at(value, ctx)
    if made is None or _name(made, ctx) != node.value.value:
        return None
    try:
        return _weight(outside(made, ctx), node)
    except Unfit:
        return None


def is_idle(line: cst.SimpleStatementLine, ctx: Context) -> bool:
    """Whether a line makes a layer that nothing ever calls: it has no weights, and does nothing."""
    part = line.body[0]
    if len(line.body) > 1 or not isinstance(part, cst.Expr | cst.Assign) or not isinstance(part.value, cst.Call):
        return False
    made = part.value
    if _layer(made, ctx) is None or not isinstance(ctx.value(made.func), Api):
        return False
    calls = [n for n in below(made, cst.Call) if isinstance(n, cst.Call)]
    if not all(isinstance(ctx.value(call.func), Api) for call in calls):
        return False
    name = _name(made, ctx)
    if isinstance(part, cst.Expr):
        return True
    return bool(name) and not any(_uses(name, made, ctx)) and not _imported(name, ctx)


def _elsewhere(node: cst.Name, ctx: Context) -> bool:
    """Whether a name is read where other code than that of scripts and plain functions is written."""
    for around in ancestors(node, ctx.tree):
        if isinstance(around, cst.ClassDef):
            return True
        if isinstance(around, cst.FunctionDef):
            facts = ctx.facts.function(f"{ctx.module}:{around.name.value}")
            params = [*around.params.params, *around.params.kwonly_params, *around.params.posonly_params]
            if (facts is not None and facts.role in _FACTORIES) or node.value in {p.name.value for p in params}:
                return True
    return False


def _imported(name: str, ctx: Context) -> bool:
    """Whether another file of the repository may read a name of this one."""
    word, here = re.compile(rf"\b{name}\b"), ctx.module.rpartition(".")[2]
    others = (other.tree.code for module, other in ctx.siblings.items() if module != ctx.module)
    return any(here in code and word.search(code) for code in others)


def inputs_of(call: cst.Call, found: Outside, ctx: Context) -> list[cst.BaseExpression]:
    """The tensors that a layer is called with. Raises `Unfit`."""
    flag = flag_of(call, ctx)
    given = [arg for arg in call.args if arg is not flag]
    if len(given) != 1 or given[0].star or given[0].keyword is not None:
        raise Unfit(f"{found.kind} outside of a model is called with more than its input")
    node = given[0].value
    listed = isinstance(node, cst.List | cst.Tuple)
    if listed != (found.part.joins is not None or "{x1}" in found.part.code.forward):
        raise Unfit(f"{found.kind} outside of a model: what it is called with is not certain")
    return [element.value for element in node.elements] if isinstance(node, cst.List | cst.Tuple) else [node]


def as_input(text: str, value: Value, found: Outside) -> str:
    """An input as a tensor of the type that Keras gives the layer: its floats are float32. Raises `Unfit`."""
    if not isinstance(value, Tensor) or value.origin == "keras" or value.dtype == "string":
        raise Unfit(f"{found.kind} outside of a model: nothing is known of `{text}`")
    array, dtype = value.origin == "numpy", value.dtype
    if dtype is None and array and not (found.part.code.params and found.kind not in _WHOLE_NUMBERS):
        raise Unfit(f"{found.kind} outside of a model: the dtype of `{text}` is not known")
    wide = dtype is not None and dtype != "float32" and dtype.startswith(("float", "bfloat"))
    whole = dtype is not None and not dtype.startswith(("float", "bfloat"))
    if whole and found.kind not in (*_WHOLE_NUMBERS, "Dense"):
        raise Unfit(f"{found.kind} outside of a model: integers go into it")
    cast = wide or (whole and found.kind == "Dense") or (array and dtype is None)
    if array:
        return f"torch.as_tensor({text}{', dtype=torch.float32' if cast else ''})"
    return f"{atom(text)}.float()" if cast else text


def standing(text: str, call: cst.Call) -> str:
    """The text in parentheses where what stands around the call asks for them."""
    alone = isinstance(
        index_of(call).parents[call], cst.Arg | cst.Assign | cst.Return | cst.Expr | cst.Lambda | cst.Element
    )
    return text if alone else atom(text)


def _layer(node: cst.BaseExpression, ctx: Context) -> Instance | None:
    """The layer of Keras that an expression is; those that prepare data have rules of their own."""
    value = ctx.value(node)
    if not isinstance(value, Instance) or not is_keras_layer(value.api):
        return None
    return None if ctx.rules.has_rule(value.api) else value


def _name(made: cst.Call, ctx: Context) -> str:
    """The variable that a call gives its result to, or ""."""
    around = ancestors(made, ctx.tree)
    part = around[1] if len(around) > 1 else None
    if not isinstance(part, cst.Assign) or len(part.targets) > 1 or not isinstance(part.targets[0].target, cst.Name):
        return ""
    return part.targets[0].target.value
