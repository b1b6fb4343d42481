"""From the expression that makes a layer to the part that takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context
from migrator.codemods.models import adapted, lambdas, named_sizes, own_cells
from migrator.codemods.models.build import ModuleBuild
from migrator.codemods.models.data_sizes import DataSizes
from migrator.codemods.models.layout import LAST, Layout, Several, first
from migrator.codemods.models.naming import attribute, stem
from migrator.codemods.models.observed import any_size
from migrator.codemods.models.part import APPLICATIONS, FEATURES, Part, keras_part
from migrator.codemods.models.regularizers import LATE, said
from migrator.codemods.models.sizes import required
from migrator.codemods.models.spread import written_out
from migrator.codemods.models.swap import rewrite
from migrator.codemods.models.text import names, substitute
from migrator.codemods.nodes import find
from migrator.model import CallForm, Decline, LayerCode, Rewritten
from migrator.syntax import transform
from migrator.values import (
    RESERVED,
    Dim,
    Instance,
    Literal,
    ModelValue,
    RepoClass,
    RepoFunction,
    RepoInstance,
    Scalar,
    Sequence,
    ShapeOf,
    Span,
    Sym,
    Tensor,
    Value,
)

_STRUCTURAL = frozenset({"name", "input_shape", "batch_input_shape", "batch_shape", "input_length", "batch_size"})
_READ = ("initializer", "regularizer", "constraint")  # arguments of which rules read the value of Keras's objects
_WRAPPERS = {
    "tf.keras.layers.Bidirectional": "layer",
    "tf.keras.layers.TimeDistributed": "layer",
    "tf.keras.layers.SpectralNormalization": "layer",
    "tf.keras.layers.RNN": "cell",
}
TRAINED = (
    "weights of ImageNet are read from ~/.keras/models, where `migrator weights keras:NAME` puts them; the checks ran "
    "without them, with the same others on both sides. On torchvision's networks of the same names see docs/weights.md"
)
_BASE = _STRUCTURAL | {"trainable", "dtype"}


@dataclass
class Maker:
    """Makes parts for one generated class.

    `scope`: names of the constructor's scope; where a layer's `forward` reads one of them, it is
    kept on `self`. `sizes`: input values for creation sites that the facts leave open.
    """

    ctx: Context
    build: ModuleBuild
    scope: set[str] = field(default_factory=set)
    loops: set[str] = field(default_factory=set)
    rename: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, Value] = field(default_factory=dict)  # arguments that every construction gives
    given: frozenset[str] = frozenset()  # names of what the caller gives: some calls say nothing about the others
    saved: set[str] = field(default_factory=set)  # names that the code itself keeps on `self`
    every_size: bool = False  # images of other sizes may come than the calls show
    said: dict[tuple[str, Span], str] = field(default_factory=dict)  # the sizes of the layers made so far, as written
    data: DataSizes | None = None  # sizes of data, where whoever makes the class gives them

    def static(self, node: cst.CSTNode) -> str:
        """An expression of the constructor: TensorFlow rewritten, sizes of tensors as the arguments they are."""
        rewritten = self.sized(node)
        self.build.needs.take(rewritten)
        self._no_factories(node)
        return self._of_data(substitute(self.ctx.code(rewritten.node).strip(), self.rename))

    def _of_data(self, text: str) -> str:
        """An expression with sizes of data as the parameters that they are."""
        if self.data is None:
            return text
        found = self.data.named(text)
        self.scope.update(self.data.given)
        return found

    def _no_factories(self, node: cst.CSTNode) -> None:
        """Decline `block = conv(64)` where `conv` becomes a module: what calls the block may make it more than once."""
        for call in find(node, m.Call()):
            callee = self.ctx.value(call.func) if isinstance(call, cst.Call) else None
            known = self.ctx.facts.function(callee.qualname) if isinstance(callee, RepoFunction) else None
            if known is not None and known.role == "layer-factory":
                name = known.qualname.rpartition(":")[2]
                self.build.needs.decline(f"{name} is called where it is not given its tensors", self.ctx, call)

    def sized(self, node: cst.CSTNode) -> Rewritten:
        """A piece of code rewritten, with the sizes that it reads off tensors written out."""
        sized = _Sizes(self.ctx)
        new = transform(node, sized)
        assert isinstance(new, cst.CSTNode)
        return rewrite(self.ctx, new, sized.spans, sized.gone)

    def is_layer(self, node: cst.BaseExpression) -> bool:
        """Whether an expression makes a layer, model or module of the repository."""
        if not isinstance(node, cst.Call):
            return False
        return self.kind(node) is not None

    def kind(self, node: cst.Call) -> str | None:
        """ "keras", "class", "factory", "application" or "model" for an expression that makes one of these."""
        value = self.ctx.value(node)
        if isinstance(value, Instance) and is_keras_layer(value.api):
            return "keras"
        if isinstance(value, RepoInstance) and value.kind in ("layer", "model"):
            return "class" if isinstance(self.ctx.value(node.func), RepoClass) else "factory"
        if isinstance(value, ModelValue) or (isinstance(value, Sequence) and self._repo_factory(node)):
            callee = self.ctx.value(node.func)
            if getattr(callee, "name", "").startswith(APPLICATIONS):
                return "application"
            return "factory" if isinstance(callee, RepoFunction) else "model"
        return None

    def _repo_factory(self, node: cst.Call) -> bool:
        callee = self.ctx.value(node.func)
        known = self.ctx.facts.function(callee.qualname) if isinstance(callee, RepoFunction) else None
        return known is not None and known.role == "module-factory"

    def part(self, node: cst.Call) -> Part | None:
        """The part made by a call; None (and a decline) when there is none."""
        made = self._part(node)
        if isinstance(made, Decline):
            span = made.span or self.ctx.spans.get(node)
            self.build.needs.declines.append(replace(made, span=span))
            return None
        return self._capture(made)

    def _part(self, node: cst.Call) -> Part | Decline:
        kind = self.kind(node)
        if kind == "keras":
            return self._keras(node)
        if kind in ("class", "factory"):
            return self._module(node, kind)
        if kind == "application":
            return self._application(node)
        return Decline(f"not a layer that can be made here: {self.ctx.code(node)}")

    def _keras(self, node: cst.Call) -> Part | Decline:
        value = self.ctx.value(node)
        assert isinstance(value, Instance)
        if value.api == lambdas.API:
            return lambdas.lambda_part(node, self.ctx)
        args = written_out(node, self.ctx).args
        base = {a.keyword.value: a.value for a in args if a.keyword and a.keyword.value in _BASE}
        own = [a for a in args if a.keyword is None or not _is_base(a.keyword.value, value.api)]
        bound = self.ctx.rules.bind(value.api, node.with_changes(args=own))
        if isinstance(bound, Decline):
            return bound
        given = {**{n: e for n, e in base.items() if n not in _STRUCTURAL}, **bound}
        if adapted.is_copied(node, value.api, given, self.ctx):
            return Decline("a layer that may be adapted where it is made", value.api)
        cell = own_cells.cell_of(given, self) if value.api == own_cells.API else None
        if cell is not None:
            return own_cells.running(node, cell, given, self)
        inputs = _one_by_one(value.api, self.inputs(node))
        made = self._built(value.api, given, inputs, self.ctx.spans.get(node))
        if isinstance(made, Decline):
            return made
        code = made.code
        named = self._given_name(base.get("name"))
        if named is not None and code.module is not None:
            made = replace(made, code=replace(made.code, stem=named))
        if code.adds and self._called_often(node):
            return Decline(
                "a layer that adds to the loss is called more than once, and Keras counts each call", value.api
            )
        use = self.use(node)
        shape = inputs[0].shape if len(inputs) == 1 and isinstance(inputs[0], Tensor) else None
        return replace(made, output=self._fixed_sizes(use[1]) if use else None, shape=shape)

    def _called_often(self, node: cst.Call) -> bool:
        """Whether a layer made here, or the module that owns it, is called in more than one place."""
        owner = self.ctx.facts.cls(self.build.owner)
        span = self.ctx.spans.get(node)
        made = [(self.ctx.module, span)] if span is not None else []
        uses = [self.ctx.facts.layer(*site) for site in (*made, *(owner.sites if owner is not None else ()))]
        return any(use is not None and use.calls > 1 for use in uses)

    def value(self, node: cst.BaseExpression) -> Value:
        """What is known of an argument."""
        name = self.ctx.code(node).strip().removeprefix("self.")
        return self.fixed.get(name) or self.ctx.value(node)

    def given_as(self, parameter: str, node: cst.BaseExpression) -> Value:
        """What is known of an argument: nothing of a regulariser or constraint that the caller chooses."""
        name = self.ctx.code(node).strip().removeprefix("self.")
        kind = next((kind for kind in LATE if parameter.endswith(kind)), "")
        if kind and name in self.given and name not in self.fixed:
            return LATE[kind]
        return said(self.value(node), node, self.ctx.tree.code)

    def _built(
        self,
        api: str,
        given: Mapping[str, cst.BaseExpression],
        inputs: tuple[Value, ...],
        place: Span | None = None,
    ) -> Part | Decline:
        texts = {n: self.text(n, e) for n, e in given.items()}
        inner = _WRAPPERS.get(api, "")
        if isinstance(given.get(inner), cst.Call | cst.List | cst.Tuple) or api == own_cells.API:
            texts[inner] = self._wrapped(given[inner])
        values = {n: self.given_as(n, e) for n, e in given.items()}
        code = self.ctx.rules.layer(api, texts, values, any_size(api, inputs) if self.every_size else inputs)
        if isinstance(code, Decline) and code.reason == "input size unknown":
            code = self.ctx.rules.lazy_layer(api, texts, values, inputs)
        if isinstance(code, Decline):
            return code if code.api else replace(code, api=api)
        if place is not None:
            code = self._by_name(api, texts, values, inputs, code, place)
        self.build.needs.take(code)
        joins = self._axis(given) if api == "tf.keras.layers.Concatenate" else None
        if api == "tf.keras.layers.Concatenate" and joins is None:
            return Decline("the axis of the concatenation is not a literal", api)
        return keras_part(api, code, inputs, joins)

    def _by_name(
        self,
        api: str,
        texts: Mapping[str, str],
        values: Mapping[str, Value],
        inputs: tuple[Value, ...],
        code: LayerCode,
        place: Span,
    ) -> LayerCode:
        """The code with the size of its input as the layer before says it, where that changes nothing else."""
        source = self.ctx.tree.code
        here = (self.ctx.module, place)
        said = {
            site: text
            for site, text in self.said.items()
            if site[0] == self.ctx.module and named_sizes.steady(text, site[1], place, source)
        }
        self.said.update((here, texts[name]) for name in named_sizes.ARGUMENTS if name in texts)
        by = named_sizes.by_name(inputs, said)
        if by == inputs:
            return code
        named = self.ctx.rules.layer(api, texts, values, any_size(api, by) if self.every_size else by)
        return named if isinstance(named, LayerCode) and named_sizes.same(code, named, inputs, by) else code

    def text(self, name: str, node: cst.BaseExpression) -> str:
        """An argument's source, as it is in torch where the layer's code repeats it."""
        read = name.endswith(_READ) and not isinstance(self.value(node), RepoInstance | RepoFunction)
        return self.ctx.code(node) if read else self.argument(node)

    def _wrapped(self, node: cst.BaseExpression) -> str:
        """A layer that is made where it is handed to another, with its arguments as they are in torch."""
        node = own_cells.written(node, self)
        if isinstance(node, cst.ListComp):
            return self.ctx.code(node.with_changes(elt=cst.parse_expression(self._wrapped(node.elt))))
        if isinstance(node, cst.List | cst.Tuple):
            return f"[{', '.join(self._wrapped(e.value) for e in node.elements)}]"
        if not isinstance(node, cst.Call):
            return self.argument(node)
        texts = [self._wrapped(a.value) if self.is_layer(a.value) else self._inside(a.value) for a in node.args]
        args = [a.with_changes(value=cst.parse_expression(t)) for a, t in zip(node.args, texts, strict=True)]
        return self.ctx.code(node.with_changes(args=args))

    def _inside(self, node: cst.BaseExpression) -> str:
        """An argument of a wrapped layer: a list of layers, or anything else."""
        node = own_cells.written(node, self)
        if isinstance(node, cst.ListComp) and self.is_layer(node.elt):
            return self._wrapped(node)
        layers = isinstance(node, cst.List) and node.elements and self.is_layer(node.elements[0].value)
        return self._wrapped(node) if layers else self.argument(node)

    def merge(self, api: str, node: cst.Call) -> Part | None:
        """The part of a merging layer that is called as a function (`layers.add([a, b])`)."""
        listed = node.args[0].value
        inputs = [e.value for e in listed.elements] if isinstance(listed, cst.List | cst.Tuple) else [listed]
        position = "axes" if api.endswith(".Dot") else "axis"
        more = {a.keyword.value if a.keyword else position: a.value for a in node.args[1:]}
        made = self._built(
            api, {n: e for n, e in more.items() if n != "name"}, tuple(self.ctx.value(i) for i in inputs)
        )
        if isinstance(made, Decline):
            self.build.needs.declines.append(replace(made, span=self.ctx.spans.get(node)))
            return None
        return made

    def argument(self, node: cst.BaseExpression) -> str:
        rewritten = self.sized(node)
        if rewritten.declines:
            return self.ctx.code(node)
        self.build.needs.take(rewritten)
        return self._of_data(substitute(self.ctx.code(rewritten.node), self.rename))

    def _axis(self, given: Mapping[str, cst.BaseExpression]) -> int | None:
        if "axis" not in given:
            return -1
        value = self.ctx.value(given["axis"])
        return value.value if isinstance(value, Literal) and isinstance(value.value, int) else None

    def _given_name(self, node: cst.BaseExpression | None) -> str | None:
        value = None if node is None else self.ctx.value(node)
        if isinstance(value, Literal) and isinstance(value.value, str):
            return attribute(value.value)
        return None

    def use(self, node: cst.Call) -> tuple[tuple[Value, ...], Value] | None:
        """(inputs, output) of the layer made here."""
        span = self.ctx.spans.get(node)
        found = None if span is None else self.ctx.facts.layer(self.ctx.module, span)
        return None if found is None else (found.inputs, found.output)

    def inputs(self, node: cst.Call) -> tuple[Value, ...]:
        found = self.use(node)
        return () if found is None else tuple(map(self._fixed_sizes, found[0]))

    def _fixed_sizes(self, value: Value) -> Value:
        """An input without sizes that the class does not take, since its callers do not know them."""
        if not isinstance(value, Tensor):
            return value
        shape = None if value.shape is None else tuple(map(self._fixed_dim, value.shape))
        return replace(value, shape=shape, last=self._fixed_dim(value.last))

    def _fixed_dim(self, dim: Dim) -> Dim:
        if not isinstance(dim, Sym):
            return dim
        open_ = {n for n in names(dim.text) if n.startswith(RESERVED)}
        open_ -= self.scope | self.build.sizes
        return None if open_ else Sym(self._of_data(dim.text))

    def _module(self, node: cst.Call, kind: str) -> Part | Decline:
        value = self.ctx.value(node)
        callee = self.ctx.value(node.func)
        qualname = getattr(callee, "qualname", "") or getattr(value, "qualname", "")
        text = self.construction(node, qualname)
        if isinstance(text, Decline):
            return text
        owner = value.qualname if isinstance(value, RepoInstance) else qualname
        inner = self.ctx.layouts.get(owner) or self.ctx.layouts.get(qualname)
        base = stem(qualname.rpartition(":")[2].rpartition(".")[2]) if kind == "class" else "block"
        code = inside(LayerCode(text, "{self}({x})", base), {owner, qualname}, self.ctx)
        use = self.use(node)
        output = use[1] if use else None
        takes: Layout = LAST if inner is None else inner
        return Part(owner, code, takes, result_layout(output, takes), arguments=kind == "class", output=output)

    def _application(self, node: cst.Call) -> Part:
        """A network of Keras."""
        value = self.ctx.value(node)
        assert isinstance(value, ModelValue)
        use = self.use(node)
        output = use[1] if use else value.outputs[0] if value.outputs else None
        text = self._network(node)
        if 'weights="imagenet"' in text:
            self.build.needs.note(TRAINED)
        return application_part(value, text, output)

    def _network(self, node: cst.Call) -> str:
        """The call that makes a network; what it was built on is only its input's shape."""
        given = next((a for a in node.args if a.keyword and a.keyword.value == "input_tensor"), None)
        value = self.ctx.value(given.value) if given is not None else None
        if given is None or not isinstance(value, Tensor) or value.shape is None or len(value.shape) != 4:
            return self.static(node)
        shape = tuple(d for d in value.shape[1:] if isinstance(d, int) or d is None)
        kept = [a for a in node.args if a.keyword is None or a.keyword.value not in ("input_tensor", "input_shape")]
        sized = cst.Arg(cst.parse_expression(repr(shape)), cst.Name("input_shape"), cst.AssignEqual())
        new = node.with_changes(args=[*kept, sized])
        made = rewrite(self.ctx, new, {new: self.ctx.spans[node]}, [self.ctx.spans.get(given.value)])
        self.build.needs.take(made)
        if len(shape) < 3:
            self.build.needs.decline("a network built on a tensor of a shape that is not known", self.ctx, node)
        return substitute(self.ctx.code(made.node).strip(), self.rename)

    def construction(self, node: cst.Call, qualname: str) -> str | Decline:
        """The call that makes a module of the repository, with the sizes it has gained."""
        args = self._kept_args(node, qualname)
        given = [self.ctx.code(node.func)]
        sizes = self.sizes(node, qualname)
        if isinstance(sizes, Decline):
            return sizes
        texts = [self._arg_text(a) for a in args]
        known = self.ctx.facts.function(qualname)
        factory = known is not None and known.role == "layer-factory"
        name = self.ctx.class_names.get(qualname, given[0]) if factory else given[0]
        return f"{name}({', '.join([*sizes, *texts])})"

    def _kept_args(self, node: cst.Call, qualname: str) -> list[cst.Arg]:
        """The arguments without those that the class no longer takes."""
        removed = {name for c in self.ctx.changes.get(qualname, ()) for name in c.removed}
        value = self.ctx.value(node)
        order = [name for name, _ in value.args] if isinstance(value, RepoInstance) else []
        gone = {i for i, name in enumerate(order) if name in removed}
        return [
            a
            for i, a in enumerate(node.args)
            if not _drops(a)
            and not (a.keyword and a.keyword.value in removed)
            and not (a.keyword is None and i in gone)
        ]

    def sizes(self, node: cst.Call, qualname: str) -> list[str] | Decline:
        """The sizes to put first at a construction."""
        wanted = required(self.ctx, qualname)
        if not wanted:
            return []
        span = self.ctx.spans.get(node)
        known = dict(self.ctx.facts.sizes_at(self.ctx.module, span)) if span is not None else {}
        texts = []
        for size in wanted:
            dim = known.get(size)
            if dim is None:
                return Decline(f"the size `{size}` that {qualname.rpartition(':')[2]} needs is unknown here")
            texts.append(str(dim) if isinstance(dim, int) else substitute(dim.text, self.rename))
        return texts

    def _arg_text(self, arg: cst.Arg) -> str:
        text = self.static(arg.value)
        return f"{arg.star}{arg.keyword.value}={text}" if arg.keyword else f"{arg.star}{text}"

    def _capture(self, part: Part) -> Part:
        """Names of the constructor that the layer's other texts read are kept on `self`."""
        code = part.code
        new = replace(
            code,
            forward=self.keep(code.forward),
            activation=None if code.activation is None else self.keep(code.activation),
            init=tuple(self.keep(t) for t in code.init),
            penalty=tuple(self.keep(t) for t in code.penalty),
            constraint=tuple(self.keep(t) for t in code.constraint),
            form=self._kept_form(code.form),
            masked=self._kept_form(code.masked),
        )
        return replace(part, code=new)

    def _kept_form(self, form: CallForm | None) -> CallForm | None:
        return None if form is None else replace(form, forward=self.keep(form.forward))

    def keep(self, text: str) -> str:
        """The text with the constructor's names read from `self`."""
        read = [name for name in names(text) if name in self.scope or name in self.loops]
        for name in read:
            if name in self.loops:
                self.build.needs.decline(f"`{name}` changes in a loop and is needed in forward", self.ctx)
        return substitute(text, {name: f"self.{self.kept_as(name)}" for name in read})

    def kept_as(self, name: str) -> str:
        """The attribute that keeps a name of the constructor; the code may have one already."""
        if name in self.saved:
            return name
        return self.build.capture(name)


def _one_by_one(api: str, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """The inputs of a layer; two of those that a list of open length holds, where it joins them all."""
    listed = inputs[0] if len(inputs) == 1 and api == "tf.keras.layers.Concatenate" else None
    open_ = isinstance(listed, Sequence) and listed.items is None
    return (listed.element, listed.element) if isinstance(listed, Sequence) and open_ else inputs


def inside(code: LayerCode, qualnames: set[str], ctx: Context) -> LayerCode:
    """A module of the repository inside another: penalised and constrained with it, and what it adds to the loss."""
    return replace(
        code,
        penalty=("{self}.regularization_loss()",) if qualnames & ctx.penalised else (),
        constraint=("{self}.constrain_weights()",) if qualnames & ctx.constrained else (),
        adds=bool(qualnames & ctx.adding),
    )


def application_part(value: ModelValue, text: str, output: Value | None) -> Part:
    """A network of Keras, which `text` makes or names: it takes NHWC, its `features` NCHW."""
    if value.api == FEATURES:
        return Part(value.api, LayerCode(text, "{self}({x})", "features"), LAST, LAST, output=output)
    if isinstance(output, Tensor) and output.rank == 4:
        return Part(value.api, LayerCode(text, "{self}.features({x})", "base"), first(4), first(4), output=output)
    return Part(value.api, LayerCode(text, "{self}({x})", "base"), LAST, LAST, output=output)


def is_keras_layer(api: str) -> bool:
    """Whether a canonical class name is that of a layer (not of `Input`)."""
    return (
        api.startswith("tf.keras.layers.")
        and api.rpartition(".")[2][:1].isupper()
        and not api.endswith((".Input", ".InputLayer"))
    )


def result_layout(output: Value | None, takes: Layout) -> Layout:
    """The layout of a repository module's result: its own kind for images when it works on them inside."""
    if takes == LAST or output is None:
        return LAST
    if isinstance(output, Sequence) and output.items is not None:
        return Several(tuple(result_layout(item, takes) for item in output.items))
    return takes if isinstance(output, Tensor) and first(output.rank) == takes else LAST


def _is_base(name: str, api: str) -> bool:
    """Whether an argument is one that every layer takes."""
    return name in _BASE or (name == "input_dim" and not api.endswith(".Embedding"))


def _drops(arg: cst.Arg) -> bool:
    return arg.keyword is not None and arg.keyword.value == "name"


class _Sizes(cst.CSTTransformer):
    """Puts sizes in place of expressions that read them off a tensor."""

    def __init__(self, ctx: Context) -> None:
        super().__init__()
        self.ctx = ctx
        self.spans: dict[cst.CSTNode, Span] = {}
        self.gone: list[Span | None] = []

    def _size(self, node: cst.BaseExpression) -> str | None:
        item = isinstance(node, cst.Subscript) and isinstance(self.ctx.value(node.value), ShapeOf)
        value = self.ctx.value(node)
        if not item and not reads_shape(node) and not _counts_inputs(node, value):
            return None
        if isinstance(value, Literal) and isinstance(value.value, int):
            return str(value.value)
        if isinstance(value, Scalar) and value.sym is not None:
            return value.sym.text
        return None

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Any:
        if isinstance(original_node, cst.Subscript | cst.Call):
            text = self._size(original_node)
            if text is not None:
                self.gone.append(self.ctx.spans.get(original_node))
                return cst.parse_expression(text)
        if original_node in self.ctx.spans:
            self.spans[updated_node] = self.ctx.spans[original_node]
        return updated_node


def _counts_inputs(node: cst.BaseExpression, value: Value) -> bool:
    """Whether an expression is the number of tensors that the layer is called with."""
    called = m.matches(node, m.Call(func=m.Name("len"), args=[m.Arg()]))
    return called and isinstance(value, Scalar) and value.sym is not None and value.sym.text.startswith("num_inputs")


def reads_shape(node: cst.BaseExpression) -> bool:
    """Whether an expression is an item of a shape: `x.shape[-1]`, `int(input_shape[-1])`, `K.int_shape(x)[1]`."""
    if isinstance(node, cst.Subscript):
        value = node.value
        if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value == "as_list":
            return True
        name = get_full_name_for_node(value) or ""
        return name.rpartition(".")[2] in {
            "shape",
            "input_shape",
            "int_shape",
            "get_shape",
            "inputs_shape",
            "input_shapes",
        }
    if (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value == "int"
        and len(node.args) == 1
    ):
        return reads_shape(node.args[0].value)
    return False
