"""The facts of a repository: the evaluator's results behind the protocols of `migrator.values`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from migrator.facts import modules, names, parameters, roots, sizes, summaries
from migrator.facts.bindings import bound_names
from migrator.facts.expressions import evaluate
from migrator.facts.interpreter import Interpreter, Key, Use, key_span, span_key
from migrator.facts.modules import FunctionNode, Module
from migrator.facts.scopes import Resolver, tf_uses
from migrator.facts.statements import execute
from migrator.values import (
    ClassFacts,
    Dim,
    FunctionFacts,
    LayerUse,
    ModuleFacts,
    Span,
    Tensor,
    Unknown,
    Value,
)

_NOWHERE = Unknown("no expression there")


class FileFacts:
    """The facts of one file."""

    def __init__(self, module: Module, values: Mapping[Key, Value], resolver: Resolver) -> None:
        self.name = module.name
        self._module = module
        self._values = values
        self._resolver = resolver
        self._scopes = {use.key: use.scope for use in resolver.used}

    def at(self, span: Span) -> Value:
        """The value of the expression at `span`; Unknown where there is none."""
        return self._values.get(span_key(self._module, span), _NOWHERE)

    def canonical(self, dotted: str, span: Span | None = None) -> str | None:
        """The canonical TF name of a dotted source name where `span` stands, or None."""
        scope = None
        if span is not None:
            key = span_key(self._module, span)
            scope = self._scopes.get(key) or self._resolver.scope_at(key[0], key[1])
        found = self._resolver.resolve(dotted, scope)
        return names.canonical(found) if found is not None else None

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that the file binds, anywhere, to anything but what TensorFlow has under them."""
        found = set(bound_names(self._module.tree))
        return frozenset(name for name in found if self.canonical(name) is None)

    def uses(self) -> Iterator[tuple[str, Span]]:
        """Every use of a TensorFlow name with its span, in source order."""
        for name, use in tf_uses(self._resolver):
            yield name, key_span(self._module, use.key)


class RepoFacts:
    """The facts of the whole repository."""

    def __init__(self, it: Interpreter, files: Mapping[str, ModuleFacts], done: summaries.Summaries) -> None:
        self.modules = files
        self._it = it
        self._done = done
        self.errors = tuple(it.errors)

    def function(self, qualname: str) -> FunctionFacts | None:
        """The facts of a function or method by "package.module:name" or "package.module:Class.name"."""
        return self._done.functions.get(qualname) or self._it.methods.get(qualname)

    def cls(self, qualname: str) -> ClassFacts | None:
        """The facts of a class by "package.module:name"."""
        return self._done.classes.get(qualname)

    def layer(self, module: str, site: Span) -> LayerUse | None:
        """The use of the layer, model or repository module created at `site`; None if never called."""
        use = self._it.uses.get((module, site))
        if use is None or use.inputs is None or use.output is None:
            return None
        return LayerUse(module, site, use.layer, use.inputs, use.output, len(use.calls))

    def sizes_at(self, module: str, site: Span) -> tuple[tuple[str, Dim], ...]:
        """For a call of a class or factory with `sizes`: each size in the caller's scope."""
        return sizes_at(self._it, self._done, module, site)


def sizes_at(it: Interpreter, done: summaries.Summaries, module: str, site: Span) -> tuple[tuple[str, Dim], ...]:
    """Sizes of what is constructed at `site`, from what it is called with there."""
    use: Use | None = it.uses.get((module, site))
    for cls in done.classes.values():
        if (module, site) in cls.sites:
            return sizes.input_sizes(use, cls.sizes, cls.call_inputs)
    for qualname, function in done.functions.items():
        if (module, site) not in function.callers:
            continue
        if function.role in ("module-factory", "model-factory"):
            return sizes.input_sizes(use, function.sizes, ())
        calls = [c for c in it.observed.get(function.inner or qualname, []) if (c.module, c.site) == (module, site)]
        found: list[tuple[str, Dim]] = []
        for size in function.sizes:
            values = [dict(call.args).get(size.of) for call in calls]
            last = {value.channels for value in values if isinstance(value, Tensor)}
            found.append((size.name, next(iter(last)) if len(last) == 1 else None))
        return tuple(found)
    return ()


def analyse(sources: Mapping[str, str], packages: Collection[str] = ()) -> RepoFacts:
    """Analyse a repository: module import name → source text; `packages` are the `__init__` files."""
    parsed = modules.parse(sources, packages)
    it = Interpreter(parsed, evaluate, execute)
    done = summaries.Summaries()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 8000))
    try:
        _evaluate(it, done)
    finally:
        sys.setrecursionlimit(limit)
    resolvers: dict[str, Resolver] = {}
    for name, module in parsed.items():
        resolvers[name] = Resolver(module, resolvers)
    files: dict[str, ModuleFacts] = {n: FileFacts(m, it.values[n], resolvers[n]) for n, m in parsed.items()}
    return RepoFacts(it, files, done)


def _evaluate(it: Interpreter, done: summaries.Summaries) -> None:
    for module in modules.leaf_first(it.modules):
        _guarded(it, module.name, lambda module=module: summaries.module(it, module))
    tensors = parameters.Tensors(it)
    for qualname in roots.callers_first(it.definitions):
        if isinstance(it.definitions[qualname].node, FunctionNode):
            _guarded(it, qualname, lambda q=qualname: summaries.function(it, q, done, tensors))
        else:
            _guarded(it, qualname, lambda q=qualname: summaries.cls(it, q, done))
    _guarded(it, "sizes", lambda: _settle(it, done))


def _settle(it: Interpreter, done: summaries.Summaries) -> None:
    needs = {name: need for name, need in done.needs.items() if name in done.classes or name in done.functions}
    sizes.settle(it, needs, done.classes, done.functions)


def _guarded(it: Interpreter, what: str, step: object) -> None:
    """One scope that surprises the evaluator leaves the rest of the repository as it is: its values stay open."""
    assert callable(step)
    try:
        step()
    except Exception as error:
        it.errors.append(f"{what}: {type(error).__name__}: {error}")
