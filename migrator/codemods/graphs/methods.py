"""Which methods a module has so that every fetched tensor can be computed, and computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.codemods.graphs.graph import Computed, Graph, local
from migrator.codemods.graphs.program import NotUnderstood, keys_read
from migrator.codemods.graphs.reading import TAKEN

Tensor = tuple[str, int]


@dataclass(frozen=True)
class Method:
    """`tensors`: what of the graph it is given before the `placeholders`. `calls`: other methods whose result it
    needs."""

    name: str
    returns: tuple[Tensor, ...]
    tensors: tuple[Tensor, ...]
    placeholders: tuple[str, ...]
    body: tuple[Computed, ...]
    calls: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class Methods:
    """`forward` computes what the others begin with, which are `others`, by the tensor that they give."""

    forward: Method
    others: dict[Tensor, Method]


def methods(graph: Graph, fetched: Sequence[Tensor]) -> Methods:
    """The methods for some fetched tensors; raises `NotUnderstood` where they have nothing in common."""
    fetched = tuple(dict.fromkeys(fetched))
    shared, frontier = _shared(graph, fetched)
    forward = _method(graph, "call", frontier, graph.places(shared))
    others: dict[Tensor, Method] = {}
    for tensor in sorted(fetched, key=lambda t: max(graph.slice([t]), default=-1)):
        if tensor not in frontier:
            others[tensor] = _other(graph, tensor, frontier, others)
    return Methods(forward, others)


def _shared(graph: Graph, fetched: Sequence[Tensor]) -> tuple[set[int], tuple[Tensor, ...]]:
    """The statements that all begin with, and the tensors that come out of them."""
    slices = [graph.slice([tensor]) for tensor in fetched]
    if len(fetched) == 1:
        return slices[0], tuple(fetched)
    counts = Counter(at for one in slices for at in one)
    shared = {at for at, count in counts.items() if count > 1}
    outside = [graph.computed[at] for at in counts if at not in shared]
    made = [t for one in graph.places(shared) for t in one.defines]
    wanted = {t for one in outside for t in one.uses} | set(fetched)
    frontier = tuple(t for t in made if t in wanted)
    if not frontier:
        raise NotUnderstood("tensors are fetched that have nothing in common")
    for first in frontier:
        if all(_follows(graph, first, other, False) for other in frontier if other != first):
            return graph.slice([first]), (first,)
    for first in (f for f in frontier if f in fetched):  # what is asked for by itself, as a generator's output
        if all(_follows(graph, first, other, True) for other in frontier if other != first):
            return graph.slice([first]), (first,)
    return shared, frontier


def _follows(graph: Graph, first: Tensor, other: Tensor, layers: bool) -> bool:
    """Whether a tensor can be computed from the first one, with nothing random in between, and maybe `layers`."""
    rest = list(graph.places(graph.slice([other]) - graph.slice([first])))
    known = {first} | {t for one in rest for t in one.defines}
    return bool(rest) and not any((one.layers and not layers) or one.random or one.uses - known for one in rest)


def _placeholders(graph: Graph, body: Iterable[Computed]) -> tuple[str, ...]:
    """Keys of the placeholders that some statements read, in the order of the graph, one a placeholder."""
    read = {key for one in body for key in keys_read(one.statement)}
    found = {id(made): key for key, made in graph.placeholders.items() if key in read}
    return tuple(found.values())


def _method(graph: Graph, name: str, returns: tuple[Tensor, ...], body: Iterable[Computed]) -> Method:
    body = tuple(body)
    return Method(name, returns, (), _placeholders(graph, body), body)


def _other(graph: Graph, tensor: Tensor, frontier: Sequence[Tensor], others: dict[Tensor, Method]) -> Method:
    needed, body, given, calls = {tensor}, list[Computed](), set[Tensor](), set[Tensor]()
    for at in range(len(graph.computed) - 1, -1, -1):
        one = graph.computed[at]
        if not needed & set(one.defines):
            continue
        body.insert(0, one)
        given |= one.uses & set(frontier)
        calls |= one.uses & others.keys()
        needed |= one.uses - set(frontier) - others.keys()
    if any(one.random for call in calls for one in others[call].body):
        raise NotUnderstood("random numbers in what several fetched tensors share")
    given |= {t for call in calls for t in others[call].tensors}
    own = _placeholders(graph, body)
    more = [p for call in calls for p in others[call].placeholders if p not in own]
    tensors = tuple(t for t in frontier if t in given)
    return Method(_named(graph, tensor), (tensor,), tensors, (*own, *dict.fromkeys(more)), tuple(body), tuple(calls))


def _named(graph: Graph, tensor: Tensor) -> str:
    name = local(tensor[0])
    held = {piece.attribute for piece in graph.pieces}
    return f"compute_{name}" if name in TAKEN or name in held else name
