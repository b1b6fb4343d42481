"""A class deriving from Layer or Model as an `nn.Module`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from migrator.codemods.context import Context, Draft
from migrator.codemods.models import inheriting, losses, observed, own_calls
from migrator.codemods.models.build import ModuleBuild, render, signature
from migrator.codemods.models.checks import Checks, is_rank, knows_its_input, rank_variables, reads, shape_parameter
from migrator.codemods.models.class_nodes import definition, steps_of
from migrator.codemods.models.constructor import KERAS_STATE, Constructor
from migrator.codemods.models.create import Maker
from migrator.codemods.models.finish import check_names
from migrator.codemods.models.forward import Body, Line, body_of, comments
from migrator.codemods.models.graph import assigned
from migrator.codemods.models.inheriting import Inherited
from migrator.codemods.models.layout import LAST, Layout, first, rank
from migrator.codemods.models.lower import Lowerer
from migrator.codemods.models.methods import appended, assigned_often, attributes, makers_of, set_once, walked
from migrator.codemods.models.output import Output, with_logits
from migrator.codemods.models.owned import Owned
from migrator.codemods.models.params import kept_params, param_text, unread
from migrator.codemods.models.regularizers import agreed, chosen
from migrator.codemods.models.sizes import gained, has_default, size_change, with_sizes
from migrator.codemods.models.steps import raw_layers
from migrator.codemods.models.text import indent
from migrator.codemods.models.weight_lists import is_filled
from migrator.codemods.nodes import find
from migrator.model import Decline, InterfaceChange, UnitKind
from migrator.values import Instance, RepoClass, Tensor, Value

_GONE = {
    "get_config": "get_config is gone: constructor arguments and state_dict replace it",
    "from_config": "from_config is gone with get_config",
    "compute_output_shape": "compute_output_shape is gone: PyTorch needs no static shapes",
    "compute_mask": None,
}
_DECORATORS = ("register_keras_serializable", "tf.function", "tf.Module.with_name_scope")


Steps = Callable[[cst.FunctionDef, Context], Draft]


def class_unit(node: cst.ClassDef, ctx: Context, steps: Steps | None = None) -> Draft:
    """The draft of a class that derives from Layer or Model.

    `steps` rewrites the methods by which a model trains itself (`train_step`, whatever has a tape).
    """
    made, unflattened = _Class(node, ctx, steps).make()
    if unflattened:
        made, _ = _Class(node, ctx, steps, flatten_last=True).make()
    return made


@dataclass
class _Class:
    node: cst.ClassDef
    ctx: Context
    steps: Steps | None = None
    flatten_last: bool = False
    logits: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    fixed: dict[str, Value] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    needs_device: bool = False
    above: Inherited | None = None
    checks: list[list[str]] = field(default_factory=list)  # of the input's shape, at the start of forward
    flagged: Mapping[str, cst.FunctionDef] = field(default_factory=dict)  # methods that are told whether they train
    infer: frozenset[str] = frozenset()  # methods that predict unless something says otherwise

    def make(self) -> tuple[Draft, bool]:
        methods, maker = self.begin()
        unflattened = self._rest(methods, maker)
        lines = [line for method in self.build.methods for line in method]
        self.needs_device |= self.ctx.device == "device" and any("device=device" in line for line in lines)
        check_names(self.build, self.ctx, self.needs_device)
        return self._draft(), unflattened

    def begin(self) -> tuple[dict[str, cst.FunctionDef], Maker]:
        """Everything up to the constructor; the methods and what makes their parts."""
        ctx, name = self.ctx, self.node.name.value
        self.qualname = f"{ctx.module}:{name}"
        facts = ctx.facts.cls(self.qualname)
        self.kind = facts.kind if facts is not None else "layer"
        self.build = build = ModuleBuild(name, self.qualname, source=self.qualname)
        self._decorators()
        methods = {s.name.value: s for s in body_of(self.node) if isinstance(s, cst.FunctionDef)}
        self.called = "__call__" if "call" not in methods and self._is_module() else "call"
        build.taken |= set(methods)
        self._inherit(methods)
        self._bases()
        self._losses(methods)
        self._class_body()
        makers = makers_of(methods, ctx)
        methods = {name: method for name, method in methods.items() if name not in makers}
        maker = self._maker(methods.get("__init__"), methods.get("build"), *makers.values())
        self.constructor = Constructor(
            ctx,
            build,
            maker,
            drops={f"self.{name}" for name in self.fixed} | self._unread_state() | self._written_out(methods, makers),
            often=assigned_often(methods, makers),
            walked=walked(methods, ctx),
            makers=makers,
            once=set_once(self.node),
        )
        lists = appended(methods, makers)
        weights = {name for name in lists if self._takes_weights(name, {**methods, **makers}, makers)}
        self.constructor.weights_to_be, self.constructor.lists_to_be = weights, lists - weights
        if self.above is not None:
            self.constructor.bound.update(self.above.bound)
            self.constructor.lists.update(self.above.lists)
        self._construct(methods)
        return methods, maker

    def _inherit(self, methods: dict[str, cst.FunctionDef]) -> None:
        """What the class has from one of the repository above it."""
        facts = self.ctx.facts.cls(self.qualname)
        self.above = of_parent(self.ctx, facts.parents[0]) if facts is not None and facts.parents else None
        if self.above is None:
            return
        self.build.base = self.ctx.code(self.node.bases[0].value)
        self.build.inherited = self.above.attributes
        self.build.taken |= self.above.attributes
        self.build.records += inheriting.records_of(self.above, self.qualname)
        why = inheriting.problem(methods, self.above)
        if why:
            self.build.needs.decline(why, self.ctx, self.node)

    def _is_module(self) -> bool:
        """Whether it derives from `tf.Module` alone, which has no `call` beside `__call__`."""
        facts = self.ctx.facts.cls(self.qualname)
        return facts is not None and set(facts.bases) == {"tf.Module"}

    def _unread_state(self) -> set[str]:
        """Attributes that only Keras's base class reads."""
        names = [get_full_name_for_node(n) for n in find(self.node, m.Attribute(value=m.Name("self")))]
        stored = [
            get_full_name_for_node(t.target)
            for t in find(self.node, m.AssignTarget())
            if isinstance(t, cst.AssignTarget)
        ]
        return {name for name in KERAS_STATE if names.count(name) == stored.count(name)}

    def _written_out(self, methods: dict[str, cst.FunctionDef], makers: dict[str, cst.FunctionDef]) -> set[str]:
        """Attributes that hold a known initialiser, regulariser or constraint, and are only handed to weights."""
        facts = self.ctx.facts.cls(self.qualname)
        held = {n for n, v in facts.attrs if isinstance(v, Instance) and v.api.startswith(_OBJECTS)} if facts else set()
        held -= self.given
        kept = [method for name, method in [*methods.items(), *makers.items()] if name not in _GONE]
        for method in kept:
            handed = {id(a.value) for a in find(method, m.Arg()) if isinstance(a, cst.Arg) and _takes_object(a)}
            stored = {id(t.target) for t in find(method, m.AssignTarget()) if isinstance(t, cst.AssignTarget)}
            for node in find(method, m.Attribute(value=m.Name("self"))):
                assert isinstance(node, cst.Attribute)
                if id(node) not in handed | stored:
                    held.discard(node.attr.value)
        return {f"self.{name}" for name in held}

    def _takes_weights(self, name: str, methods: dict[str, cst.FunctionDef], makers: Iterable[str]) -> bool:
        return any(
            is_filled(name, methods[method], self.constructor)
            for method in ("__init__", "build", *makers)
            if method in methods
        )

    # --- header ---

    def _decorators(self) -> None:
        for decorator in self.node.decorators:
            text = self.ctx.code(decorator.decorator)
            if "register_keras_serializable" not in text:
                self.build.needs.decline(f"decorator {text}", self.ctx, self.node)

    def _bases(self) -> None:
        for base in self.node.bases:
            value = self.ctx.value(base.value)
            name = getattr(value, "name", "")
            if self.above is not None and isinstance(value, RepoClass) and len(self.node.bases) == 1:
                continue
            if name.rpartition(".")[2] not in ("Layer", "Model", "Module", "AbstractRNNCell"):
                self.build.needs.decline(f"base class {self.ctx.code(base.value)}", self.ctx, self.node)

    def _class_body(self) -> None:
        for statement in body_of(self.node):
            if isinstance(statement, cst.FunctionDef):
                continue
            if isinstance(statement, cst.SimpleStatementLine) and _is_doc(statement):
                self.build.doc += self.ctx.code(statement).strip().splitlines()
                self.build.doc = _dedented(self.build.doc)
            else:
                text = self.build.needs.text(statement, self.ctx)
                self.build.body += text.splitlines() if text != "pass" else []

    def _maker(self, init: cst.FunctionDef | None, build: cst.FunctionDef | None, *others: cst.FunctionDef) -> Maker:
        scope = {p.name.value for p in _params(init)} | set(assigned(init.body) if init else ())
        scope |= set(assigned(build.body) if build else ())
        scope |= {name for other in others for name in assigned(other.body)}
        sizes = {s.name for s in gained(self.ctx.facts, self.qualname)}
        self.build.taken |= sizes
        saved, other = attributes([m for m in (init, build, *others) if m], self.ctx)
        self.build.sizes = frozenset(sizes - saved - other - self.build.inherited)
        self.build.taken |= saved | other
        self.fixed = agreed(self.ctx.facts, self.qualname, [p.name.value for p in _params(init)])
        given = {p.name.value for p in _params(init)} - set(self.fixed) - {"self"}
        self.given = chosen([m for m in (init, build, *others) if m], given)
        names = (scope - {"self", "training"} - set(self.fixed)) | sizes
        return Maker(
            self.ctx,
            self.build,
            scope=names,
            saved=saved - other,
            fixed=self.fixed,
            given=self.given,
            every_size=observed.takes_every_size(self.node),
        )

    def _losses(self, methods: dict[str, cst.FunctionDef]) -> None:
        """What the class adds to the loss is kept in an attribute."""
        self.added = losses.calls(methods)
        self.adds_once = losses.once(self.added, methods.get(self.called))
        if not self.added:
            return
        self.build.taken.add(losses.ATTRIBUTE)
        why = losses.problem(self.added, self.qualname, self.ctx)
        if why:
            self.build.needs.decline(why, self.ctx, self.node)

    # --- constructor ---

    def _construct(self, methods: dict[str, cst.FunctionDef]) -> None:
        init, build = methods.get("__init__"), methods.get("build")
        lines: list[str] = []
        params: list[str] = []
        if init is not None:
            kept = kept_params(init) - set(self.fixed)
            gone = tuple(p for p in (q.name.value for q in _params(init)) if p != "self" and p not in kept)
            self.removed = gone
            params = [
                param_text(p, star, self.ctx)
                for p, star in _with_stars(init)
                if ("*" if star == "bare" else p.name.value) in kept
            ]
            lines += self.constructor.block(_without_doc(body_of(init)))
        if self.above is not None:
            params = self._base_call(init, params, self.above)
            self.build.inherits_init = init is None and build is None
        if build is not None:
            lines += self.constructor.block(self._unchecked(build, methods.get(self.called)))
        sizes = gained(self.ctx.facts, self.qualname)
        if self.above is not None and (gap := inheriting.sizes_differ(self.above, sizes, self.build.inherits_init)):
            self.build.needs.decline(gap, self.ctx, self.node)
        head = [s.name for s in sizes if not has_default(self.ctx.facts, self.qualname, s)]
        tail = [f"{s.name}={s.default}" for s in sizes if has_default(self.ctx.facts, self.qualname, s)]
        self.build.params = with_sizes(params, head, tail)
        added = [f"self.{losses.ATTRIBUTE} = 0.0  # what the last call adds to the loss"] if self.added else []
        self.build.init = [*added, *_strip(self.constructor.without_leftovers(lines))]

    def _base_call(self, init: cst.FunctionDef | None, params: list[str], above: Inherited) -> list[str]:
        """Note what the constructor above is given; the parameters that the class's own takes."""
        if init is None:
            more = ("**kwargs",) if above.open else ()
            self.build.base_args = (*above.sizes, *above.takes, *more)
            return [*above.params, *more]
        call = inheriting.base_init(init)
        stars = init.params.star_kwarg
        open_ = call is not None and stars is not None and inheriting.wants_more(call, above)
        found = inheriting.base_arguments(call, above, self.constructor, open_) if call is not None else ""
        if isinstance(found, str):
            self.build.needs.decline(found or "how the base class is constructed", self.ctx, init)
            return params
        given = {p.name.value for p in _params(init)} | {s.name for s in gained(self.ctx.facts, self.qualname)}
        if late := sorted((inheriting.early_names(found) & set(assigned(init.body))) - given):
            self.build.needs.decline(f"the base class is constructed with `{late[0]}`", self.ctx, init)
        self.build.base_args = tuple(found)
        starred = f"**{stars.name.value}" if stars is not None else ""
        return [*params, starred] if open_ and starred not in params else params

    def _unchecked(self, build: cst.FunctionDef, call: cst.FunctionDef | None) -> list[cst.BaseStatement]:
        """The statements of `build` without the tests of the input's shape, which go to `forward`."""
        statements = list(_without_doc(body_of(build)))
        shape, params = shape_parameter(build), [p.name.value for p in _params(call) if p.name.value != "self"]
        if not shape or not params or not knows_its_input(self.ctx, build):
            return statements
        permuted = self.ctx.layouts.get(self.qualname, LAST) != LAST
        ranks = rank_variables(build, shape)
        checks = Checks(self.ctx, self.constructor.maker, shape, params[0], permuted, ranks)
        kept = []
        for statement in statements:
            moved = checks.moved(statement)
            if moved is None:
                kept.append(statement)
            elif moved:
                self.checks.append(moved)
        if self.checks:
            self.build.needs.note(f"{self.node.name.value} checks the shape of its input at every call")
        read = {
            name for s in kept if not is_rank(s, ranks) and not self._is_dropped(s) for name in ranks if reads(s, name)
        }
        return [s for s in kept if not is_rank(s, ranks - read)]

    def _is_dropped(self, node: cst.BaseStatement) -> bool:
        """Whether a statement only sets what nothing reads any more."""
        if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Assign):
            return False
        return all(get_full_name_for_node(t.target) in self.constructor.drops for t in node.body[0].targets)

    # --- methods ---

    def _rest(self, methods: dict[str, cst.FunctionDef], maker: Maker) -> bool:
        unflattened = False
        steps = steps_of(methods, self.ctx)
        self.flagged = own_calls.flagged(methods, steps if self.kind == "model" else (), self.called)
        self.infer = own_calls.only_infers(methods, self.flagged)
        for name, method in methods.items():
            if name in ("__init__", "build"):
                continue
            if name in _GONE:
                note = _GONE[name]
                if note:
                    self.build.needs.note(f"{self.node.name.value}.{note}")
                continue
            if self.kind == "model" and name in steps:
                self._step(method)
                continue
            unflattened |= self._method(name, method, maker)
        return unflattened

    def _step(self, method: cst.FunctionDef) -> None:
        """A method that trains: it is rewritten as any training code."""
        if self.steps is None or method.name.value == "predict_step" or method.decorators:
            self.build.needs.decline(f"a `{method.name.value}` of its own", self.ctx, method)
            return
        for call in raw_layers(method, self.ctx):
            self.build.needs.decline(f"`{self.ctx.code(call.func)}`, a layer, is called in a step", self.ctx, call)
        draft = self.steps(method, self.ctx)
        needs = self.build.needs
        needs.declines += draft.declines
        needs.imports |= draft.imports
        needs.helpers.update({h.name: h for h in draft.helpers})
        needs.gaps |= draft.gaps
        needs.notes.update(dict.fromkeys(draft.notes))
        self.needs_device = self.needs_device or draft.needs_device
        if "self.optimizer." in draft.text and "optimizer" not in self.build.taken:
            self.build.taken.add("optimizer")
            self.build.init.append("self.optimizer = None  # set where the model is trained")
        self.build.methods.append([*(c for c in comments(method) if c), *draft.text.strip("\n").splitlines()])

    def _method(self, name: str, method: cst.FunctionDef, maker: Maker) -> bool:
        texts = [t for d in method.decorators if not _goes(t := self.ctx.code(d.decorator))]
        if not set(texts) <= {"property", "staticmethod", "classmethod"}:
            self.build.needs.decline(f"decorator {texts[0]}", self.ctx, method)
        plain = self._lower(method, maker, entry=False)
        text = plain.text
        if name == self.called and plain.lower.permutes:
            entered = self._lower(method, maker, entry=True)
            if entered.lower.permutes < plain.lower.permutes and not (len(entered.declines) > len(plain.declines)):
                plain, text = entered, entered.text
        self.build.needs.declines += [d for d in plain.declines if d not in self.build.needs.declines]
        if name == self.called:
            count = len(self.build.methods)
            self._forward(method, plain)
            self.build.methods[count][:0] = [c for c in comments(method) if c]
        else:
            decorators = [f"@{t}" for t in texts]
            told = {"self", own_calls.FLAG} if name in self.flagged else {"self"}
            params = [param_text(p, s, self.ctx) for p, s in _with_stars(method) if p.name.value not in told]
            static = "@staticmethod" in decorators
            head = signature(name, params) if not static else [f"def {name}({', '.join(params)}):"]
            above = [c for c in comments(method) if c]
            self.build.methods.append([*above, *decorators, *head, *indent(text or ["pass"])])
        return plain.lower.unflattened

    def _forward(self, method: cst.FunctionDef, lowered: _Lowered) -> None:
        kept = [
            (p, star)
            for p, star in _with_stars(method)
            if p.name.value not in ("self", "training") and not unread(method, p.name.value, ("kwargs",))
        ]
        kept = [(p, s) for p, s in kept if not (s == "**" and unread(method, p.name.value, (p.name.value,)))]
        kept = [(p, s) for i, (p, s) in enumerate(kept) if s != "bare" or any(star == "" for _, star in kept[i + 1 :])]
        params = [param_text(p, s, self.ctx) for p, s in kept]
        facts = self.ctx.facts.cls(self.qualname)
        alone = facts is None or not facts.related  # another `forward` of the family may come with these `logits`
        whole = alone and self.kind == "model" and "logits" not in self.build.taken
        output = with_logits(lowered.lines) if whole else None
        if output is None:
            self.build.methods.append([*signature("forward", params), *indent(lowered.text or ["pass"])])
            return
        self._logits(output, params, [p.name.value for p, _ in kept])

    def _logits(self, output: Output, params: list[str], names: list[str]) -> None:
        body = [t for line in output.lines for t in line.text]
        self.build.methods.append([*signature("logits", params), *indent(_strip(body))])
        call = f"self.logits({', '.join(names)})"
        self.build.methods.append([*signature("forward", params), *indent(output.forward(call))])
        self.logits[self.node.name.value] = output.activation

    def _lower(self, method: cst.FunctionDef, maker: Maker, entry: bool) -> _Lowered:
        declines = list(self.build.needs.declines)
        ctx = replace(self.ctx, device=self._device_of(method))
        lower = Lowerer(ctx, self.build, maker, flatten_last=self.flatten_last)
        lower.bound = dict(self.constructor.bound)
        if self.above is not None:
            lower.bound["super().call"] = inheriting.forward_above(self.above)
        lower.lists = dict(self.constructor.lists)
        lower.flagged, lower.infers = self.flagged, method.name.value in self.infer
        inner = self.ctx.layouts.get(self.qualname, LAST)
        if any(p.name.value == "training" for p, _ in _with_stars(method)):
            lower.rename["training"] = "self.training"
        head: list[str] = []
        for param in _params(method):
            if param.name.value not in ("self", "training"):
                lower.layouts[param.name.value] = self._param(method, param, inner)
        if entry:
            head = self._enter(method, lower)
        body = Body(lower, inner, adds_once=self.adds_once)
        lines = body.block(body_of(method))
        if self.added and not self.adds_once and method.name.value == self.called:
            head = [f"self.{losses.ATTRIBUTE} = 0.0", *head]
        doc = 1 if body_of(method) and _is_doc(body_of(method)[0]) else 0
        if method.name.value == self.called:
            head = [*self._checks([t for line in lines[doc:] for t in line.text]), *head]
        if head:
            lines = [*lines[:doc], Line(head), *lines[doc:]]
        added = [d for d in self.build.needs.declines if d not in declines]
        self.build.needs.declines = declines
        return _Lowered(lower, lines, added)

    def _device_of(self, method: cst.FunctionDef) -> str:
        """Source of the device on which a method makes tensors: that of the first one it is given, else the model's."""
        facts = self.ctx.facts.cls(self.qualname)
        known = dict(facts.call_inputs) if facts is not None and method.name.value == self.called else {}
        params = [p for p in _params(method) if p.name.value != "self" and p.default is None]
        values = ((p.name.value, known.get(p.name.value, self.ctx.value(p.name))) for p in params)
        called = method.name.value == self.called  # which is given tensors whatever the original was
        found = ((n, v) for n, v in values if isinstance(v, Tensor) and v.dtype != "string")
        tensors = (n for n, v in found if called or v.origin != "numpy")
        return next((f"{n}.device" for n in tensors), "next(self.parameters()).device" if self._has_own() else "")

    def _has_own(self) -> bool:
        """Whether it is a model with weights, in whatever it holds."""
        return self.kind == "model" and any(bound.part.stateful for bound in self.constructor.bound.values())

    def _checks(self, body: list[str]) -> list[str]:
        """The tests of the input's shape that the method does not make itself."""
        return [line for check in self.checks if "\n".join(check) not in "\n".join(body) for line in check]

    def _param(self, method: cst.FunctionDef, param: cst.Param, inner: Layout) -> Layout:
        if inner == LAST or method.name.value != self.called:
            return LAST
        facts = self.ctx.facts.cls(self.qualname)
        value = dict(facts.call_inputs).get(param.name.value) if facts else None
        return inner if isinstance(value, Tensor) and value.rank == rank(inner) else LAST

    def _enter(self, method: cst.FunctionDef, lower: Lowerer) -> list[str]:
        """Permute the images that come in, before anything else."""
        lines = []
        facts = self.ctx.facts.cls(self.qualname)
        known = dict(facts.call_inputs) if facts else {}
        for param in _params(method):
            value = known.get(param.name.value)
            layout = first(value.rank) if isinstance(value, Tensor) and value.rank == 4 else None
            if layout is not None and lower.layouts.get(param.name.value) == LAST:
                lines.append(f"{param.name.value} = {param.name.value}.permute(0, 3, 1, 2)  # NHWC -> NCHW")
                lower.layouts[param.name.value] = layout
                lower.permutes += 1
        return lines

    # --- result ---

    def _draft(self) -> Draft:
        build, needs = self.build, self.build.needs
        changes = [c for c in [size_change(self.ctx.facts, self.qualname)] if c]
        if self.removed:
            detail = f"no longer takes {', '.join(self.removed)}"
            changes.append(InterfaceChange(self.qualname, "drops-parameter", detail, removed=self.removed))
        changes.append(InterfaceChange(f"{self.qualname}.call", "call-to-forward", "call is forward"))
        for name in self.flagged:
            if name != self.called:
                detail = "no longer takes training, which the mode of the module says"
                changes.append(
                    InterfaceChange(f"{self.qualname}.{name}", "drops-parameter", detail, removed=("training",))
                )
        if self.above is not None and self.above.penalised and build.penalties:
            build.penalties.insert(0, Owned(("{self}.regularization_loss()",), "super()"))
        if self.above is not None and self.above.constrained and build.constraints:
            build.constraints.insert(0, Owned(("{self}.constrain_weights()",), "super()"))
        constrained = build.constraints or (self.above is not None and self.above.constrained)
        penalised = build.penalties or (self.above is not None and self.above.penalised)
        penalty = frozenset({build.name}) if penalised else frozenset()
        text, hoisted = render(build), "\n\n\n".join(build.hoisted.values())
        return Draft(
            text,
            UnitKind.MODEL if self.kind == "model" else UnitKind.LAYER,
            declines=tuple(needs.declines),
            imports=frozenset(needs.imports | {"import torch", "import torch.nn.functional as F"}),
            helpers=needs.helpers_of(hoisted + text),
            changes=tuple(changes),
            weights=tuple(build.records),
            gaps=frozenset(needs.gaps),
            notes=tuple(needs.notes),
            hoisted=hoisted,
            has_logits=dict(self.logits),
            has_penalty=penalty,
            has_constraints=frozenset({build.name}) if constrained else frozenset(),
            has_additions=frozenset({build.name}) if build.adds else frozenset(),
            needs_device=self.needs_device,
        )


def of_parent(ctx: Context, qualname: str) -> Inherited | None:
    """What a class of the repository gives to those that derive from it; None where its source is not at hand."""
    found = definition(ctx, qualname)
    if found is None:
        return None
    there, node = found
    there.begin()
    made = _Class(node, there)
    made.begin()
    ctx.begin()
    return inheriting.of(there, qualname, node, made.build, made.constructor, made.above)


@dataclass
class _Lowered:
    lower: Lowerer
    lines: list[Line]
    declines: list[Decline]

    @property
    def text(self) -> list[str]:
        return _strip([t for line in self.lines for t in line.text])


def _params(method: cst.FunctionDef | None) -> list[cst.Param]:
    return [p for p, _ in _with_stars(method)] if method is not None else []


def _with_stars(method: cst.FunctionDef) -> list[tuple[cst.Param, str]]:
    p = method.params
    found = [(x, "") for x in [*p.posonly_params, *p.params]]
    if isinstance(p.star_arg, cst.Param):
        found.append((p.star_arg, "*"))
    elif p.kwonly_params:
        found.append((cst.Param(cst.Name("_")), "bare"))  # libcst has no parameter called `*`
    found += [(x, "") for x in p.kwonly_params]
    return [*found, (p.star_kwarg, "**")] if p.star_kwarg else found


def _goes(decorator: str) -> bool:
    """Whether a method's decorator says nothing in PyTorch."""
    return "tf.function" in decorator or decorator.endswith("Module.with_name_scope")


def _is_doc(statement: cst.BaseStatement) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _without_doc(statements: Sequence[cst.BaseStatement]) -> Sequence[cst.BaseStatement]:
    return statements[1:] if statements and _is_doc(statements[0]) else statements


def _dedented(lines: list[str]) -> list[str]:
    """A docstring's lines relative to the class body."""
    return [lines[0], *(line[4:] if line.startswith("    ") else line for line in lines[1:])] if lines else lines


def _strip(lines: list[str]) -> list[str]:
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [line for line in lines if line != "pass"] or lines[:0]


_OBJECTS = tuple(
    f"tf.keras.{kind}.{first}"
    for kind in ("initializers", "regularizers", "constraints")
    for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # not `get`, which only the run answers
)


def _takes_object(arg: cst.Arg) -> bool:
    return arg.keyword is not None and arg.keyword.value.endswith(("initializer", "regularizer", "constraint"))


__all__ = ["class_unit"]
