"""What goes into a graph and comes out of it, under the names that Keras knows them by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context, Ends, Entry, Head
from migrator.codemods.models.ends import ends, is_input
from migrator.codemods.models.output import Output
from migrator.codemods.nodes import find
from migrator.model import OutputFacts
from migrator.values import Instance, Literal, ModelValue, Tensor, Value

_EMBEDDING = "tf.keras.layers.Embedding"


def ends_of(call: cst.Call, statements: Sequence[cst.BaseStatement], ctx: Context) -> Ends | None:
    """The ends of the graph that `Model(inputs, outputs)` closes; None for one input and one output, or no lists."""
    bound = ends(call)
    if bound is None:
        return None
    inputs, outputs = (_listed(node) for node in bound)
    if inputs is None or outputs is None or len(inputs) == len(outputs) == 1:
        return None
    return Ends(
        tuple(_entry(node, statements, ctx) for node in inputs),
        tuple(_head(node, statements, ctx) for node in outputs),
    )


def without_activations(ends: Ends, output: Output | None) -> Ends:
    """The ends as a training sees them: with the activations that `logits` leaves out."""
    if output is None:
        return ends
    names = [part.activation for part in output.several] or [output.activation]
    pairs = zip(ends.outputs, names, strict=True)
    return replace(ends, outputs=tuple(replace(h, output=replace(h.output, activation=a)) for h, a in pairs))


def _listed(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """The tensors of one end; None where they come as a dict."""
    if isinstance(node, cst.List | cst.Tuple):
        return [element.value for element in node.elements]
    return None if isinstance(node, cst.Dict) else [node]


def _entry(node: cst.BaseExpression, statements: Sequence[cst.BaseStatement], ctx: Context) -> Entry:
    made = _bound(node, statements)
    value = ctx.value(made) if made is not None and is_input(made, ctx) else None
    if not isinstance(value, Tensor) or not isinstance(made, cst.Call) or value.dtype is None:
        return Entry()
    name = next((a.value for a in made.args if a.keyword is not None and a.keyword.value == "name"), None)
    ids = value.dtype.startswith(("int", "uint")) or _only_embedded(node, statements, ctx)
    kind = "ids" if ids else "float" if value.dtype.startswith("float") else None
    return Entry(_word(ctx.value(name)) if name is not None else "", kind)


def _only_embedded(node: cst.BaseExpression, statements: Sequence[cst.BaseStatement], ctx: Context) -> bool:
    """Whether nothing but what takes ids reads an input, so that it is ids although Keras has it as floats."""
    if not isinstance(node, cst.Name):
        return False
    calls = [c for s in statements for c in find(s, m.Call()) if isinstance(c, cst.Call)]
    readers = [c for c in calls if any(_takes_ids(c, node.value, ctx))]
    reads = sum(len(find(s, m.Name(node.value))) for s in statements)
    return bool(readers) and reads == len(readers) + 1  # and its own line


def _takes_ids(call: cst.Call, name: str, ctx: Context) -> Iterator[bool]:
    """Whether a call on a tensor of this name, alone or in a list, is one of an embedding or of a model's ids."""
    if len(call.args) != 1 or call.args[0].keyword is not None:
        return
    given, model = _listed(call.args[0].value) or [], ctx.value(call.func)
    for place, tensor in enumerate(given):
        if m.matches(tensor, m.Name(name)):
            yield (len(given) == 1 and _layer(call.func, ctx) == _EMBEDDING) or _is_ids(model, place)


def _is_ids(model: Value, place: int) -> bool:
    entry = model.inputs[place] if isinstance(model, ModelValue) and place < len(model.inputs or ()) else None  # type: ignore[index]
    return isinstance(entry, Tensor) and str(entry.dtype).startswith(("int", "uint"))


def _layer(func: cst.BaseExpression, ctx: Context) -> str:
    value = ctx.value(func)
    return value.api if isinstance(value, Instance) else ""


def _head(node: cst.BaseExpression, statements: Sequence[cst.BaseStatement], ctx: Context) -> Head:
    made, value = _bound(node, statements), ctx.value(node)
    name = _name_of(made, ctx) if isinstance(made, cst.Call) else None
    shape = value.shape if isinstance(value, Tensor) else None
    width = shape[-1] if shape else None
    facts = OutputFacts(rank=len(shape), width=width if isinstance(width, int) else None) if shape else OutputFacts()
    return Head(_word(name), facts)


def _name_of(call: cst.Call, ctx: Context) -> Value | None:
    """The name of the layer that a call applies, or that the function of the file applies last that is called."""
    layer = ctx.value(call.func)
    if isinstance(layer, Instance):
        return layer.arg("name")
    functions = [s for s in ctx.tree.body if isinstance(s, cst.FunctionDef)]
    function = next((f for f in functions if m.matches(call.func, m.Name(f.name.value))), None)
    returns = find(function, m.Return()) if function is not None else []
    if function is None or len(returns) != 1 or not isinstance(function.body, cst.IndentedBlock):
        return None
    value = returns[0].value if isinstance(returns[0], cst.Return) else None
    made = _bound(value, [s for s in function.body.body if isinstance(s, cst.BaseStatement)]) if value else None
    if not isinstance(made, cst.Call) or not isinstance(made.func, cst.Call):
        return None
    given = next((a.value for a in made.func.args if a.keyword is not None and a.keyword.value == "name"), None)
    if not isinstance(given, cst.Name):
        return ctx.value(given) if given is not None else None
    return _argument(call, function, given.value, ctx)


def _argument(call: cst.Call, function: cst.FunctionDef, name: str, ctx: Context) -> Value | None:
    """What a call gives for a parameter that the function does not bind anew."""
    params = [p.name.value for p in function.params.params]
    if name not in params or any(a.star for a in call.args) or find(function, m.AssignTarget(target=m.Name(name))):
        return None
    by_name = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
    by_place = dict(zip(params, (a.value for a in call.args if a.keyword is None), strict=False))
    given = {**by_place, **by_name}.get(name)
    return ctx.value(given) if given is not None else None


def _word(value: Value | None) -> str:
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else ""


def _bound(node: cst.BaseExpression, statements: Sequence[cst.BaseStatement]) -> cst.BaseExpression | None:
    """What a name is bound to last, where no branch or loop binds it; any other expression itself."""
    if not isinstance(node, cst.Name):
        return node
    found = list(_bindings(node.value, statements))
    return found[-1] if found else None


def _bindings(name: str, statements: Sequence[cst.BaseStatement]) -> Iterator[cst.BaseExpression | None]:
    target = m.AssignTarget(target=m.Name(name))
    for statement in statements:
        part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        if isinstance(part, cst.Assign) and any(m.matches(t, target) for t in part.targets):
            yield part.value
        elif find(statement, m.Name(name)) and find(statement, target | m.AugAssign(target=m.Name(name))):
            yield None
