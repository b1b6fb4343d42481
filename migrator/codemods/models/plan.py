"""What must be known of all model code before any file is rewritten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from migrator.codemods.models.layout import LAST, first
from migrator.codemods.models.losses import adding
from migrator.codemods.models.naming import class_name
from migrator.codemods.models.regularizers import agreed
from migrator.codemods.models.sizes import size_change
from migrator.model import InterfaceChange
from migrator.values import (
    Choice,
    Facts,
    Instance,
    Literal,
    ModelValue,
    Repeated,
    RepoInstance,
    Sequence,
    Span,
    Tensor,
    Value,
)


@dataclass(frozen=True)
class ModelPlan:
    """Decisions about the repository's model code.

    `changes`: interface changes by qualified name. `class_names`: the class made of a factory.
    `layouts`: layout of the images that a module used only inside others works on.
    `penalised`: classes and factories that have a `regularization_loss()`; `constrained`: those that have
    `constrain_weights()`. `below`: for each class of the
    repository from which others derive, the attributes and methods that those have of their own.
    `adding`: those that add to the loss when they are called.
    """

    changes: Mapping[str, tuple[InterfaceChange, ...]] = field(default_factory=dict)
    class_names: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)
    penalised: frozenset[str] = frozenset()
    constrained: frozenset[str] = frozenset()
    adding: frozenset[str] = frozenset()
    below: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Definition:
    qualname: str
    node: ast.FunctionDef | ast.ClassDef
    module: str


def plan_models(facts: Facts, trees: Mapping[str, ast.Module]) -> ModelPlan:
    """The plan of a repository: module name → tree of its source."""
    found = [d for module, tree in trees.items() for d in _definitions(module, tree)]
    names = _class_names(facts, found, trees)
    changes = {d.qualname: c for d in found if (c := _changes(facts, d, names))}
    layouts = {d.qualname: x for d in found if (x := _inner_layout(facts, d, found, trees)) is not None}
    for d in found:
        function = facts.function(d.qualname)
        chained = _first_layout(function.returns, layouts) if function and function.role == "module-factory" else None
        if chained is not None and chained != LAST:
            layouts[d.qualname] = chained
    modules = {d.qualname: d.node for d in found if _role(facts, d) in ("layer", "model", *_FACTORIES)}
    penalised, constrained, active = (_given_some(facts, found, kind) for kind in _ARGUMENTS)
    return ModelPlan(changes, names, layouts, penalised, constrained, adding(modules) | active, _below(facts, found))


def _below(facts: Facts, found: list[_Definition]) -> dict[str, frozenset[str]]:
    """Classes from which others derive, with what the bodies of those define."""
    below: dict[str, frozenset[str]] = {}
    for d in found:
        for parent in _parents(facts, d.qualname):
            below[parent] = below.get(parent, frozenset()) | _defined(d.node)
    return below


def _defined(node: ast.AST) -> frozenset[str]:
    """The methods of a class and the attributes that they set."""
    nodes = list(ast.walk(node))
    return frozenset(
        {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
        | {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    )


_FACTORIES = ("layer-factory", "model-factory", "module-factory")


def _definitions(module: str, tree: ast.Module) -> Iterator[_Definition]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield _Definition(f"{module}:{node.name}", node, module)


def _role(facts: Facts, definition: _Definition) -> str:
    """ "layer", "model", a factory's role, or "other"."""
    if isinstance(definition.node, ast.ClassDef):
        known = facts.cls(definition.qualname)
        return known.kind if known is not None else "other"
    function = facts.function(definition.qualname)
    return function.role if function is not None else "other"


def _class_names(facts: Facts, found: list[_Definition], trees: Mapping[str, ast.Module]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken = {module: _bound(tree) for module, tree in trees.items()}
    for d in found:
        if _role(facts, d) not in ("layer-factory", "model-factory"):
            continue
        name = class_name(d.node.name)
        # the class takes the place of a factory of blocks, and so may have its name
        own = {d.node.name} if _role(facts, d) == "layer-factory" else set()
        while name in taken[d.module] - own:
            name = f"{name}Net" if not name.endswith("Net") else f"{name}Module"
        names[d.qualname] = name
        if _role(facts, d) == "layer-factory" or _builds(d.node):
            taken[d.module].add(name)
        else:
            del names[d.qualname]
    return names


def _builds(node: ast.AST) -> bool:
    """Whether a function makes a model itself (and so gets a class)."""
    calls = [c for c in ast.walk(node) if isinstance(c, ast.Call)]
    return any(_tail(c.func) in ("Model", "Sequential") for c in calls)


def _tail(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _bound(tree: ast.Module) -> set[str]:
    """Every name that a file binds or reads."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _changes(facts: Facts, definition: _Definition, names: Mapping[str, str]) -> tuple[InterfaceChange, ...]:
    role = _role(facts, definition)
    if role == "layer-factory":
        return (_factory_change(facts, definition, names),)
    found = []
    change = size_change(facts, definition.qualname) if role != "other" else None
    if change is not None:
        found.append(change)
    if role in ("layer", "model"):
        dropped = tuple(agreed(facts, definition.qualname, _init_params(definition.node)))
        if dropped:
            detail = f"no longer takes {', '.join(dropped)}"
            found.append(InterfaceChange(definition.qualname, "drops-parameter", detail, removed=dropped))
        found.append(InterfaceChange(f"{definition.qualname}.call", "call-to-forward", "call is forward"))
    return tuple(found)


def _init_params(node: ast.AST) -> list[str]:
    """Parameters of a class's constructor."""
    init = next(
        (n for n in ast.iter_child_nodes(node) if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None
    )
    return [] if init is None else [a.arg for a in [*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs]]


def _factory_change(facts: Facts, definition: _Definition, names: Mapping[str, str]) -> InterfaceChange:
    function = facts.function(definition.qualname)
    assert function is not None
    assert isinstance(definition.node, ast.FunctionDef)
    tensors = [name for name, value in function.params if isinstance(value, Tensor)]
    removed = [name for name, _ in function.params if _only_names(definition.node, name)]
    new = names.get(definition.qualname, "")
    detail = f"{definition.node.name} is the module {new}"
    added = tuple(s.name for s in function.sizes)
    return InterfaceChange(definition.qualname, "factory-to-module", detail, added, (*tensors, *removed))


def _only_names(node: ast.FunctionDef, param: str) -> bool:
    """Whether a parameter only goes into names of layers."""
    total = sum(isinstance(n, ast.Name) and n.id == param for s in node.body for n in ast.walk(s))
    named = sum(
        isinstance(n, ast.Name) and n.id == param
        for k in ast.walk(node)
        if isinstance(k, ast.keyword) and k.arg in ("name", "block_name")
        for n in ast.walk(k.value)
    )
    return total == named and (named > 0 or param == "name")


# --- modules inside others ---


def _inner_layout(
    facts: Facts, definition: _Definition, found: list[_Definition], trees: Mapping[str, ast.Module]
) -> str | None:
    """The channels-first layout of a module that only other modules use on images, or None."""
    role = _role(facts, definition)
    if role in ("layer", "model"):
        known = facts.cls(definition.qualname)
        if known is None or not known.sites or known.related:
            return None
        inputs, output, sites = known.call_inputs, known.call_output, known.sites
    elif role == "layer-factory":
        function = facts.function(definition.qualname)
        if function is None or not function.callers:
            return None
        inputs, output, sites = function.params, function.returns, function.callers
    else:
        return None
    if not _is_images(inputs, output):
        return None
    inside = {"layer", "model"} | (set() if role == "model" else {"layer-factory", "model-factory", "module-factory"})
    return first(4) if all(_is_inside(facts, s, found, inside) for s in sites) else None


def _is_images(inputs: tuple[tuple[str, Value], ...], output: Value) -> bool:
    tensors = {name: value for name, value in inputs if isinstance(value, Tensor)}
    if any(value.rank is None for value in tensors.values()):
        return False
    return any(value.rank == 4 and not _is_mask(name, value) for name, value in tensors.items()) and _known(output)


def _is_mask(name: str, value: Tensor) -> bool:
    """Whether a tensor of four axes says where to attend: over [batch, heads, queries, keys], which are no images."""
    return "mask" in name or (value.shape is not None and value.shape[1] == 1)


def _known(output: Value) -> bool:
    if isinstance(output, Choice):
        return all(map(_known, output.options))
    if isinstance(output, Sequence):
        return output.items is not None and all(_known(item) for item in output.items)
    return isinstance(output, Tensor) and output.rank is not None


def _is_inside(facts: Facts, site: tuple[str, Span], found: list[_Definition], roles: set[str]) -> bool:
    module, span = site
    for d in found:
        if d.module == module and d.node.lineno <= span.line <= (d.node.end_lineno or span.line):
            return _role(facts, d) in roles and not _returned(d.node, span)
    return False


def _returned(node: ast.AST, span: Span) -> bool:
    """Whether what is made at the site is returned as it is by a function."""
    if not isinstance(node, ast.FunctionDef):
        return False
    for statement in ast.walk(node):
        if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Call):
            at = statement.value
            if (at.lineno, at.end_lineno) == (span.line, span.end_line) and at.col_offset <= span.column:
                return _tail(at.func)[:1].isupper()
    return False


def _first_layout(value: Value, layouts: Mapping[str, str]) -> str | None:
    """The layout that the first layer of a chain works on; None when any will do."""
    if isinstance(value, RepoInstance):
        return layouts.get(value.qualname, LAST)
    if isinstance(value, Instance):
        dims = re.search(r"([123])D", value.api)
        if dims:
            return LAST if value.api.endswith("Pooling1D") and ".Global" in value.api else first(int(dims.group(1)) + 2)
        return None if value.api.rpartition(".")[2] in _ANYWHERE else LAST
    if isinstance(value, ModelValue | Repeated):
        items = value.items if isinstance(value, Repeated) else value.parts or value.layers or ()
        return next((x for item in items if (x := _first_layout(item, layouts)) is not None), None)
    return None


_ANYWHERE = (
    "Activation",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "ThresholdedReLU",
    "Identity",
    "Dropout",
    "AlphaDropout",
    "GaussianNoise",
    "GaussianDropout",
    "Rescaling",
    "InputLayer",
    "BatchNormalization",
)


# --- penalties and constraints ---


_ARGUMENTS = (r"(?!activity_).*regularizer", r".*constraint", r"activity_regularizer")
"""Names of arguments by which layers have a penalty, a constraint, or add to the loss when they are called."""


def _given_some(facts: Facts, found: list[_Definition], kind: str) -> frozenset[str]:
    """Classes and layer factories in which, or in what they make, a layer is given an argument of this name."""
    owners = {d.qualname: d for d in found if _role(facts, d) in ("layer", "model", "layer-factory")}
    result = {q for q, d in owners.items() if _gives(d.node, kind, _without(facts, d))}
    names = {q.rpartition(":")[2]: q for q in owners}
    while True:
        more = {
            q
            for q, d in owners.items()
            if q not in result
            and (
                any(names.get(_tail(c.func)) in result for c in ast.walk(d.node) if isinstance(c, ast.Call))
                or any(parent in result for parent in _parents(facts, q))
            )
        }
        if not more:
            return frozenset(result)
        result |= more


def _parents(facts: Facts, qualname: str) -> tuple[str, ...]:
    known = facts.cls(qualname)
    return known.parents if known is not None else ()


def _without(facts: Facts, definition: _Definition) -> set[str]:
    """Regulariser and constraint parameters of a class that are None wherever it is constructed."""
    params = _init_params(definition.node) if isinstance(definition.node, ast.ClassDef) else []
    return {name for name, value in agreed(facts, definition.qualname, params).items() if value == Literal(None)}


def _gives(node: ast.AST, kind: str, without: set[str]) -> bool:
    return any(
        isinstance(k, ast.keyword)
        and re.fullmatch(kind, k.arg or "") is not None
        and not (isinstance(k.value, ast.Constant) and k.value.value is None)
        and _given_name(k.value) not in without
        for k in ast.walk(node)
    )


def _given_name(node: ast.expr) -> str:
    """The parameter that an argument hands on: `regularizer`, `self.regularizer`, `regularizers.get(regularizer)`."""
    if isinstance(node, ast.Call) and _tail(node.func) == "get" and len(node.args) == 1:
        return _given_name(node.args[0])
    return _tail(node)


def plan_changes(
    facts: Facts, trees: Mapping[str, ast.Module] | None = None
) -> Mapping[str, tuple[InterfaceChange, ...]]:
    """The interface changes of the repository's model code, by qualified name."""
    return plan_models(facts, trees or {}).changes


def class_names(facts: Facts, trees: Mapping[str, ast.Module] | None = None) -> Mapping[str, str]:
    """The class that each factory becomes or builds, by the factory's qualified name."""
    return plan_models(facts, trees or {}).class_names
