"""One pass over a subtree that applies the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import libcst as cst

from migrator.model import Decline, Helper, Rewritten
from migrator.rules.engine import comments, mixed, texts, typing_names, versions
from migrator.rules.engine.aliases import module_named
from migrator.rules.engine.applying import Made, apply
from migrator.rules.engine.assumed import as_array, used_up
from migrator.rules.engine.declining import Decline as Declined
from migrator.rules.engine.devices import is_tensor_parameter, made_of_numbers
from migrator.rules.engine.names import Names
from migrator.rules.engine.numpy_calls import as_arrays, rounds_the_unknown
from migrator.rules.engine.one_version import OneVersion
from migrator.rules.engine.operators import statement, subscript
from migrator.rules.engine.receivers import TF_ONLY, kinds, known_kind, on_torch, without_counterpart
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import find, find_layer
from migrator.rules.engine.removal import nothing
from migrator.rules.engine.sizes import check_whole_shapes, is_root, operation
from migrator.rules.engine.views import of_variable
from migrator.syntax import transform
from migrator.values import ModuleFacts, ModuleRef, Span, Tensor, Unknown, Value


def rewrite(
    node: cst.CSTNode,
    here: ModuleFacts,
    spans: Mapping[cst.CSTNode, Span],
    keras: int = 3,
    device: str = "",
    exact: bool = False,
) -> Rewritten:
    """Rewrites every TF call, constant, attribute, method and operator below `node`.

    `spans`: positions of the original nodes, by which the facts of `here` are found. What no rule
    covers stays as it is and is in `declines`. `device`: source of the device of new tensors outside
    of any function; inside one it is taken from its tensor arguments. `exact`: rules that can close a
    documented difference do so.
    """
    run = Rewriter(here, spans, keras, device, exact)
    made = run.whole(transform(node, run))
    if run.pending:
        run.refuse("a comment inside the expression would be lost", "", None)
    run.check_uses(spans.get(node))
    return Rewritten(
        made,
        tuple(run.declines),
        frozenset(run.imports),
        tuple(run.helpers.values()),
        frozenset(),
        tuple(dict.fromkeys(run.notes)),
    )


N = TypeVar("N", bound=cst.CSTNode)


class Rewriter(OneVersion):
    """Applies rules bottom-up; `declines` tells what was left."""

    def __init__(
        self,
        here: ModuleFacts,
        spans: Mapping[cst.CSTNode, Span],
        keras: int,
        device: str = "",
        exact: bool = False,
    ) -> None:
        super().__init__()
        self.here, self.spans, self.keras, self.exact = here, spans, keras, exact
        self.names = Names(here, spans)
        self.callees: set[cst.CSTNode] = set()  # names that are called, and words that are no names
        self.methods: set[cst.CSTNode] = set()
        self.declines: list[Decline] = []
        self.imports: set[str] = set()
        self.helpers: dict[str, Helper] = {}
        self.notes: list[str] = []
        self.pending: list[cst.Comment] = []
        self.no_grad = False
        self.devices = [device]
        self.annotated: set[cst.CSTNode] = set()  # names in annotations
        self.consumed: set[cst.CSTNode] = set()  # what an expression reads and does not keep
        self.assumed: dict[cst.CSTNode, Tensor] = {}  # what only a tensor can be, or fails
        self.read: dict[cst.CSTNode, str] = {}  # what the tensors count as whose values are read

    # --- what is asked of the facts

    def value(self, node: cst.CSTNode) -> Value:
        span = self.spans.get(node)
        known = Unknown() if span is None else self.here.at(span)
        if isinstance(known, Unknown) and node in self.assumed:
            return self.assumed[node]
        return replace(known, origin=self.read[node]) if isinstance(known, Tensor) and node in self.read else known

    def refuse(self, reason: str, api: str, node: cst.CSTNode | None) -> None:
        span = self.spans.get(node) if node is not None else None
        self.declines.append(Decline(reason, api, span))

    def check_uses(self, whole: Span | None) -> None:
        """Declines every TF name that the facts list below this node and this pass did not meet."""
        if whole is None:
            return
        for api, span in self.names.uses.within(whole):
            if (span.line, span.column) not in self.names.met:
                self.declines.append(Decline("not rewritten", api, span))

    # --- names

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._stored(node.target)

    def visit_Assign(self, node: cst.Assign) -> bool:
        """A name for a module goes with its uses, which are written out."""
        if not module_named(node, self.value) or self.names.canonical(node.value) is None:
            return True
        self.idle.add(node)
        return False

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._stored(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._stored(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._stored(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._stored(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._stored(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._stored(node.name)

    def visit_Del(self, node: cst.Del) -> None:
        self._stored(node.target)

    def _stored(self, target: cst.BaseExpression) -> None:
        """What is bound is a name, whatever the facts know of its value; an attribute of TensorFlow is not replaced."""
        if isinstance(target, cst.Name):
            self.callees.add(target)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self._stored(element.value)
        elif isinstance(target, cst.StarredElement):
            self._stored(target.value)
        elif isinstance(target, cst.Attribute) and self.names.canonical(target) is not None:
            self.refuse("TensorFlow itself is changed", self.names.canonical(target) or "", target)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self.callees.add(node.keyword)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        found = [p.name for p in node.params.params if is_tensor_parameter(p, node, self.value, self.names)]
        tensors = [name.value for name in sorted(found, key=lambda name: not self._has_dtype(name))]
        self.devices.append(f"{tensors[0]}.device" if tensors else self.devices[-1] if len(self.devices) > 1 else "")

    def _has_dtype(self, name: cst.Name) -> bool:
        """Whether it is certain that a name is a tensor, not only that it may become one."""
        known = self.value(name)
        return isinstance(known, Tensor) and known.dtype is not None

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.BaseStatement:
        self.devices.pop()
        return updated_node

    def visit_Param(self, node: cst.Param) -> None:
        self.callees.add(node.name)

    def visit_Annotation(self, node: cst.Annotation) -> None:
        self.annotated.update(typing_names.named(node))

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if self.names.canonical(node) is not None:
            return False
        self.callees.add(node.attr)
        return True

    def visit_Call(self, node: cst.Call) -> None:
        named = self.names.canonical(node.func) is not None
        (self.callees if named else self.methods).add(node.func)
        self.shown.update(versions.shown(node))
        self.consumed.update(used_up(node))
        self.note_test(node)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self.consumed.update(used_up(node))

    def visit_Expr(self, node: cst.Expr) -> None:
        self.shown.add(node.value)  # the last line of a notebook's cell; nothing anywhere else

    def visit_Assert(self, node: cst.Assert) -> bool:
        if versions.only_asserted(node, self.names.canonical):
            self.idle.add(node)
        return node not in self.idle

    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        self.shown.update(versions.in_text(node))

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node in self.callees or original_node not in self.spans:
            return updated_node
        api = self.names.canonical(original_node)
        return updated_node if api is None else self._bare(api, original_node, updated_node)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if original_node in self.callees:
            return updated_node
        api = self.names.canonical(original_node)
        if api is not None:
            return self._bare(api, original_node, updated_node)
        fitted = super().leave_Attribute(original_node, updated_node)
        if original_node in self.methods:
            return fitted
        return self._attribute(original_node, fitted)

    def _bare(self, api: str, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """A TF name that is not called: a constant, or a function handed on."""
        found = find(api, self.keras)
        if api in versions.VERSIONS and original not in self.shown:
            self.refuse("a version that is not only shown", api, original)
            return updated
        if api in typing_names.TYPES and original in self.annotated:
            text, line = typing_names.TYPES[api]
            self.imports.add(line)
            return cst.parse_expression(text)
        if found is not None and found.kind == "constant":
            return self._apply(found, original, updated, None, None)
        if found is not None and found.torch_name:
            self.imports.add("import torch.nn.functional as F" if found.torch_name.startswith("F.") else "import torch")
            return cst.parse_expression(found.torch_name)
        if isinstance(self.value(original), ModuleRef):
            self.refuse("a TensorFlow module as a value", api, original)
        else:
            self.refuse(f"no rule for {api}" if found is None else "a function handed on, not called", api, original)
        return updated

    def _attribute(self, original: cst.Attribute, updated: cst.BaseExpression) -> cst.BaseExpression:
        receiver = self.value(original.value)
        name = original.attr.value
        found = self._member(receiver, name, "attribute")
        if found is not None and isinstance(updated, cst.Attribute):
            return self._apply(found, original, updated, original.value, updated.value)
        owner = known_kind(receiver) or without_counterpart(receiver, name)
        if owner is not None and self._member(receiver, name, "method") is None:
            self.refuse(f"no rule for attribute `{name}`", f"{owner}.{name}", original)
        return updated

    def _member(self, receiver: Value, name: str, kind: str) -> Rule | None:
        for owner in kinds(receiver):
            found = find(f"{owner}.{name}", self.keras)
            if found is not None and found.kind == kind:
                return found
        return None

    # --- calls

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if original_node in self.decided:
            return cst.Name(str(self.decided[original_node]))
        if original_node.func in self.callees:
            api = self.names.canonical(original_node.func)
            if api is not None:
                return self._call(api, original_node, updated_node)
        fitted = super().leave_Call(original_node, updated_node)
        if isinstance(fitted, cst.Call):
            if rounds_the_unknown(original_node, self.value):
                self.refuse("NumPy rounds what may be a tensor or an array", "", original_node)
            fitted = as_arrays(original_node, fitted, self.value)
        if isinstance(original_node.func, cst.Attribute) and isinstance(fitted, cst.Call):
            return self._method(original_node, original_node.func, fitted)
        if made_of_numbers(original_node, self.value, self.devices[-1]):
            place = cst.parse_expression(self.devices[-1])
            return cst.Call(cst.Attribute(cst.ensure_type(fitted, cst.Call), cst.Name("to")), [cst.Arg(place)])
        return fitted

    def _call(self, api: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        found = find(api, self.keras)
        if found is not None and found.kind == "context":
            return self._context(found, original, updated)
        if found is None or found.kind == "constant":
            layer = find_layer(api, self.keras)
            self.refuse(f"no rule for {api}" if layer is None else "a layer made outside a model", api, original)
            return updated
        return self._apply(found, original, updated, None, None)

    def _context(
        self,
        found: Rule,
        original: cst.Call,
        updated: cst.Call,
        receiver: cst.BaseExpression | None = None,
        new_receiver: cst.BaseExpression | None = None,
    ) -> cst.BaseExpression:
        if original not in self.entered:
            self.refuse("a context that no `with` opens", found.api, original)
            return updated
        before = len(self.declines)
        made = self._apply(found, original, updated, receiver, new_receiver)
        if len(self.declines) == before:
            if nothing(made):
                self.forget(original)
            self.left.add(original)
        return made

    def _method(self, original: cst.Call, func: cst.Attribute, updated: cst.Call) -> cst.BaseExpression:
        self._assume(original, func)
        receiver, name = self.value(func.value), func.attr.value
        entered = self._member(receiver, name, "context")
        if entered is not None and isinstance(updated.func, cst.Attribute):
            return self._context(entered, original, updated, func.value, updated.func.value)
        if name == "numpy" and of_variable(func.value, self.value):  # kept values do not change with it
            self.read[func.value] = "tf" if original in self.shown else "variable"
        found = self._member(receiver, name, "method")
        if found is not None and isinstance(updated.func, cst.Attribute):
            return self._apply(found, original, updated, func.value, updated.func.value)
        owner = known_kind(receiver) or without_counterpart(receiver, name)
        if owner is not None:
            self.refuse(f"no rule for method `{name}`", f"{owner}.{name}", original)
        elif (
            isinstance(receiver, Unknown) and name in TF_ONLY and func.value in self.spans and not on_torch(func.value)
        ):
            self.refuse(f"`.{name}()` of something unknown", f"Tensor.{name}", original)
        return updated

    def _assume(self, call: cst.Call, func: cst.Attribute) -> None:
        known = as_array(call, call in self.shown or call in self.consumed)
        if known is not None and func.value in self.spans and not on_torch(func.value):
            self.assumed[func.value] = known

    def _apply(
        self,
        found: Rule,
        original: cst.BaseExpression,
        updated: cst.BaseExpression,
        receiver: cst.BaseExpression | None,
        new_receiver: cst.BaseExpression | None,
    ) -> cst.BaseExpression:
        try:
            device, taken = self.devices[-1], self.here.bound
            made = apply(found, original, updated, receiver, new_receiver, self.value, device, self.exact, taken)
        except Declined as no:
            self.refuse(no.reason, found.api, original)
            return updated
        self._take(made)
        if not self.exact and found.closes_gaps:
            self.notes += [f"{found.api}: {gap}" for gap in found.gaps]
        span = self.spans.get(original)
        if span is None or span.line != span.end_line:  # on one line there is no room for a comment
            self.pending += comments.lost(updated, made.node)
        return made.node

    def _take(self, made: Made) -> None:
        self.imports |= made.imports
        self.helpers.update(dict(made.helpers))
        self.no_grad = self.no_grad or made.no_grad

    # --- operators and other statements

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        fitted = super().leave_Subscript(original_node, updated_node)
        assert isinstance(fitted, cst.Subscript)
        try:
            return subscript(self.value(original_node.value), fitted)
        except Declined as no:
            self.refuse(no.reason, "Tensor.__getitem__", original_node)
            return updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        try:
            made = operation(original_node, updated_node, self.value)
        except Declined as no:
            self.refuse(no.reason, "tf.shape", original_node)
            return updated_node
        if made is not updated_node and (is_root(made.left) or is_root(made.right)):
            self.imports.add("import math")
        text = self._of_text(original_node, updated_node)
        if text is not None:
            return text
        return super().leave_BinaryOperation(original_node, self._mixed(mixed.binary, original_node, made))

    def _of_text(
        self, original: cst.Comparison | cst.BinaryOperation, updated: cst.Comparison | cst.BinaryOperation
    ) -> cst.BaseExpression | None:
        """An operation on text; None where it is none."""
        name = texts.member(original, self.value)
        found = find(f"String.{name}", self.keras) if name else None
        if found is None:
            return None
        before, after = texts.called(original, name), texts.called(updated, name)
        made = self._apply(found, before, after, texts.sides(original)[0], texts.sides(updated)[0])
        return made if made is not after else updated

    def _mixed(self, convert: Callable[[N, N, mixed.Look], N], original: N, updated: N) -> N:
        """An operation with NumPy arrays beside tensors."""
        try:
            made = convert(original, updated, self.value)
        except Declined as no:
            self.refuse(no.reason, "tf.convert_to_tensor", original)
            return updated
        if made is not updated:
            self.imports.add("import torch")
        return made

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if original_node in self.decided:
            return cst.Name(str(self.decided[original_node]))
        text = self._of_text(original_node, updated_node)
        if text is not None:
            return text
        others = [c.comparator for c in original_node.comparisons]
        try:
            check_whole_shapes(self.value(original_node.left), *map(self.value, others))
        except Declined as no:
            self.refuse(no.reason, "tf.shape", original_node)
        return super().leave_Comparison(original_node, self._mixed(mixed.comparison, original_node, updated_node))

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        kept = comments.above(updated_node, self.pending)
        self.pending = []
        no_grad, self.no_grad = self.no_grad, False
        staying = [i for i, small in enumerate(original_node.body) if small not in self.idle]
        if not staying:
            return self.removal.drop(kept.leading_lines, kept.trailing_whitespace)
        if len(staying) < len(original_node.body):
            original_node = original_node.with_changes(body=[original_node.body[i] for i in staying])
            kept = kept.with_changes(body=[kept.body[i] for i in staying])
        return statement(original_node, kept, no_grad, self.value, self)
