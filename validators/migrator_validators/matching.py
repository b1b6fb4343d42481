"""Weight maps on live objects: which source weights make each entry of the target's state.

Explicit pairs are taken as they are. The rules' records are resolved by order: Keras layers that
hold weights in creation order meet the torch sites of their record in registration order; equal
attribute paths win. Nothing may be left over on either side.
"""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from migrator_validators.cases import RecordedMap, WeightMap, WeightPair
from migrator_validators.graph_order import GRAPH, GraphOrder
from migrator_validators.proposals import PROPOSALS, is_known
from migrator_validators.weights import apply, apply_gradient

Described = Mapping[str, Any]
Arrays = Mapping[str, npt.NDArray[Any]]
KNOWN_BUFFERS = ("num_batches_tracked",)


@dataclass(frozen=True)
class Pair:
    """Source weights (indices, concatenated on axis 0 after the transform of each) that make one target entry."""

    source: tuple[int, ...]
    target: str
    transforms: tuple[str, ...]

    def array(self, sources: Sequence[npt.NDArray[Any]], gradient: bool = False) -> npt.NDArray[Any]:
        """The target array from the source's weights, or gradient from gradients."""
        change = apply_gradient if gradient else apply
        parts = [change(text, sources[i]) for i, text in zip(self.source, self.transforms, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=0)


@dataclass
class Matching:
    """A resolved map. `problems` make it useless; `notes` say what stayed as it was; `proposed`: nobody declared it."""

    pairs: list[Pair] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    proposed: bool = False

    def explicit(self) -> tuple[WeightPair, ...]:
        """The map as it can be written down."""
        out = []
        for pair in self.pairs:
            names = tuple(f"weights[{i}]" for i in pair.source)
            out.append(
                WeightPair(
                    source=names[0] if len(names) == 1 else names, target=pair.target, transform=pair.transforms[0]
                )
            )
        return tuple(out)


def match(weights: WeightMap, source: Described, target: Described) -> Matching:
    """Resolve a map on the descriptions of both objects (`tf_objects.describe`, `torch_objects.describe`)."""
    out = Matching()
    if weights.pairs:
        _explicit(weights, source, target, out)
    else:
        records = _present(weights, target)
        proposals = tuple(_propose(records, source, target))
        out.proposed = bool(proposals)
        _Recorded(records, proposals, source, target, out).resolve()
        _own_variables(source, target, out)
    _check_shapes(source, target, out)
    _check_left_over(weights, source, target, out)
    return out


# --- explicit --------------------------------------------------------------------------------------------


def _explicit(weights: WeightMap, source: Described, target: Described, out: Matching) -> None:
    names = {entry["name"] for entry in target["state"]}
    for pair in weights.pairs:
        places = (pair.source,) if isinstance(pair.source, str) else pair.source
        found = [source["sources"].get(place) for place in places]
        if None in found:
            out.problems.append(f"the source has no weight at {places[found.index(None)]}")
        elif pair.target not in names:
            out.problems.append(f"the target has no state {pair.target!r}")
        else:
            out.pairs.append(
                Pair(tuple(i for i in found if i is not None), pair.target, (pair.transform,) * len(found))
            )


def _own_variables(source: Described, target: Described, out: Matching) -> None:
    """Variables that a plain object holds itself (a count of steps), under their own names on both sides."""
    if target.get("module", True):
        return
    used = {i for pair in out.pairs for i in pair.source}
    filled = {pair.target for pair in out.pairs}
    inside = tuple(f"{module['name']}." for module in target["modules"])
    free = {e["name"] for e in target["state"] if e["name"] not in filled and not e["name"].startswith(inside)}
    for index, weight in enumerate(source["weights"]):
        name = weight.get("attribute", "")
        if index not in used and name in free:
            out.pairs.append(Pair((index,), name, ("",)))
            free.remove(name)


# --- by records --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A place in the target that a record speaks of: a module, or an owner's own parameters."""

    name: str
    record: RecordedMap


class _Recorded:
    """Pairs layers with sites, one Keras class at a time."""

    def __init__(
        self,
        records: Sequence[RecordedMap],
        proposals: Sequence[Site],
        source: Described,
        target: Described,
        out: Matching,
    ) -> None:
        self.records, self.proposals = records, proposals
        self.source, self.target, self.out = source, target, out

    def resolve(self) -> None:
        self._graph([record for record in self.records if record.keras == GRAPH])
        self.records = [record for record in self.records if record.keras != GRAPH]
        layers, sites = self._layers(), self._sites()
        for keras in dict.fromkeys([*layers, *sites]):
            ours, theirs = layers.get(keras, []), sites.get(keras, [])
            if len(ours) != len(theirs):
                self.out.problems.append(
                    f"{len(ours)} layers {keras} in the source, {len(theirs)} places for them in the target"
                )
                continue
            for layer, site in _paired(ours, theirs):
                self._pair(layer, site)

    def _graph(self, records: Sequence[RecordedMap]) -> None:
        """Weights of a graph have no layers: a record names the places in the order in which the graph makes them."""
        by_class = {record.owner: record for record in records}
        walk = GraphOrder(
            by_class,
            {m["name"]: m["class"] for m in self.target["modules"]},
            frozenset(entry["name"] for entry in self.target["state"]),
        )
        places = walk.places()
        if places and len(places) != len(self.source["weights"]):
            self.out.problems.append(
                f"{len(self.source['weights'])} weights in the source, {len(places)} places for them in the target"
            )
            return
        self.out.pairs += [
            Pair((n,), name, (transform,)) for n, parts in enumerate(places) for name, transform in parts
        ]

    def _layers(self) -> dict[str, list[Described]]:
        """Layers with weights that a record names, outermost first, by the record's class."""
        names = list(dict.fromkeys(r.keras for r in (*self.records, *(site.record for site in self.proposals))))
        taken: set[int] = set()
        found: dict[str, list[Described]] = defaultdict(list)
        for layer in sorted(self.source["layers"], key=lambda item: (-len(item["weights"]), -item.get("holds", 0))):
            keras = next((n for cls in layer["classes"] for n in names if _same_class(n, cls)), None)
            free = set(layer["own"] if keras is not None and ":" in keras else layer["weights"]) - taken
            if keras is not None and free:
                taken |= free
                found[keras].append(layer)
        return {keras: sorted(items, key=lambda item: item["ordinal"]) for keras, items in found.items()}

    def _sites(self) -> dict[str, list[Site]]:
        """Sites in the order in which their modules were made, or registered, by the record's Keras class."""
        modules = self.target["modules"]
        order = {module["name"]: i for i, module in enumerate(modules)}
        made = {module["name"]: module.get("made") for module in modules}
        known = all(count is not None for count in made.values())
        found: dict[str, dict[str, Site]] = defaultdict(dict)
        for owner in modules:
            for record in self.records:
                if _same_class(record.owner, owner["class"]):
                    for name in self._places(owner["name"], record, modules, order):
                        found[record.keras].setdefault(name, Site(name, record))
        for site in self.proposals:
            found[site.record.keras].setdefault(site.name, site)
        turns = {name: count if known and count is not None else order[name] for name, count in made.items()}
        return {keras: sorted(sites.values(), key=lambda s: turns[s.name]) for keras, sites in found.items()}

    def _places(
        self, owner: str, record: RecordedMap, modules: Sequence[Described], order: Mapping[str, int]
    ) -> list[str]:
        """The modules that a record means; of a container only those that can hold what it speaks of."""
        names = _below(owner, record.path, order)
        if "*" not in record.path:
            return names
        state = {entry["name"] for entry in self.target["state"]}
        kind = record.keras.rpartition(".")[2]
        return [
            name
            for name in names
            if any(f"{name}.{own}" in state for _, own, _ in record.params)
            and kind in PROPOSALS.get(_torch_name(modules[order[name]]["class"]), {kind: ()})
        ]

    def _pair(self, layer: Described, site: Site) -> None:
        targets: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for keras, name, transform in _each(site.record.params, layer):
            index = _weight_index(keras, layer, self.source["weights"])
            if index is None:
                continue
            full = f"{site.name}.{name}" if site.name else name
            targets[full].append((index, transform))
        known = {entry["name"] for entry in self.target["state"]}
        for name, parts in targets.items():
            if name not in known:
                self.out.problems.append(f"the target has no state {name!r} for layer {layer['name']!r}")
            else:
                self.out.pairs.append(Pair(tuple(i for i, _ in parts), name, tuple(t for _, t in parts)))


def _each(params: Sequence[tuple[str, str, str]], layer: Described) -> Iterator[tuple[str, str, str]]:
    """The weights of a record, those of a list ("kernels.*") one by one."""
    for keras, name, transform in params:
        if not keras.endswith(".*"):
            yield keras, name, transform
            continue
        for attribute in layer["attributes"].values():
            place = attribute.removeprefix(keras[:-1])
            if place.isdigit() and attribute.startswith(keras[:-1]):
                yield attribute, name.replace("*", place), transform


def _same_class(wanted: str, actual: str) -> bool:
    """Canonical names of a library agree by their last part, classes of the repository as a whole."""
    if ":" in wanted and ":" in actual:
        return wanted == actual
    if ":" in wanted or ":" in actual:
        return False
    return wanted.rsplit(".", 1)[-1] == actual.rsplit(".", 1)[-1]


def _torch_name(cls: str) -> str:
    return cls.rpartition(":")[2] if is_known(cls) else ""


def _below(owner: str, path: str, order: Mapping[str, int]) -> list[str]:
    """Module names that a record's path means below an owner; `*` stands for one entry."""
    if not path:
        return [owner]
    full = f"{owner}.{path}" if owner else path
    if "*" not in full:
        return [full] if full in order else []
    pattern = re.compile(fnmatch.translate(full).replace(".*", "[^.]+"))
    return [name for name in order if pattern.match(name)]


def _key(path: str | None) -> str | None:
    """An attribute path without the places inside a Sequential, where indices of the sides do not agree."""
    return None if path is None else path.split(".#")[0]


def _paired(layers: list[Described], sites: list[Site]) -> list[tuple[Described, Site]]:
    """Equal attribute paths first, the rest by order."""
    by_path: dict[str, list[Site]] = defaultdict(list)
    for site in sites:
        by_path[site.name].append(site)
    pairs, left = [], []
    for layer in layers:
        path = layer["path"]
        if path and "#" not in path and len(by_path.get(path, ())) == 1:
            pairs.append((layer, by_path.pop(path)[0]))
        else:
            left.append(layer)
    used = {id(site) for _, site in pairs}
    rest = [site for site in sites if id(site) not in used]
    return pairs + list(zip(left, rest, strict=True))


def _weight_index(keras: str, layer: Described, weights: Sequence[Described]) -> int | None:
    """The weight of a layer that a record calls "kernel", "forward/kernel" or "weights[0]"."""
    match = re.fullmatch(r"weights\[(\d+)\]", keras)
    if match:
        position = int(match.group(1))
        return layer["weights"][position] if position < len(layer["weights"]) else None
    for index in layer["weights"]:
        if layer["attributes"].get(str(index)) == keras:
            return int(index)
    parts = re.split(r"[/.]", keras)
    found = [i for i in layer["weights"] if _in_order(parts, re.split(r"[/:]", weights[i]["name"]))]
    return found[0] if len(found) == 1 else None


def _in_order(parts: Sequence[str], path: Sequence[str]) -> bool:
    """Whether the parts occur in a weight's path, in order, the last one as its name."""
    names = [p for p in path if not p.isdigit()]
    if not names or names[-1] != parts[-1]:
        return False
    at = 0
    for part in parts[:-1]:
        while at < len(names) - 1 and not names[at].startswith(part.removesuffix("_layer")):
            at += 1
        if at >= len(names) - 1:
            return False
        at += 1
    return True


# --- what must hold ---------------------------------------------------------------------------------------


def _check_shapes(source: Described, target: Described, out: Matching) -> None:
    """A parameter that is still lazy takes any shape; the first call of its module says whether that is right."""
    shapes = {e["name"]: None if e["shape"] is None else tuple(e["shape"]) for e in target["state"]}
    zeros = [np.zeros(w["shape"], "float32") for w in source["weights"]]
    for pair in out.pairs:
        try:
            made = pair.array(zeros).shape
        except (ValueError, IndexError) as error:
            out.problems.append(
                f"{pair.target}: {pair.transforms} does not fit {[zeros[i].shape for i in pair.source]}: {error}"
            )
            continue
        wanted = shapes[pair.target]
        if wanted is not None and made != wanted:
            names = ", ".join(source["weights"][i]["name"] for i in pair.source)
            out.problems.append(f"{pair.target} is {list(wanted)}, {names} gives {list(made)}")


def _statistics(source: Described) -> set[int]:
    """Weights that Keras computes from data and reads at no call: what it normalises by is a constant beside them."""
    return {
        index
        for layer in source["layers"]
        if any(_same_class("tf.keras.layers.Normalization", cls) for cls in layer["classes"])
        for index in layer["weights"]
    }


def _check_left_over(weights: WeightMap, source: Described, target: Described, out: Matching) -> None:
    used = {i for pair in out.pairs for i in pair.source}
    allowed = {source["sources"].get(name) for name in weights.unmapped_source} | _statistics(source)
    for index, weight in enumerate(source["weights"]):
        name = weight["name"]
        if index in used or index in allowed or name in weights.unmapped_source or "seed_generator" in name:
            continue
        out.problems.append(f"the source's weight {name} {weight['shape']} has no partner")
    filled = {pair.target for pair in out.pairs}
    twice = [name for name in filled if sum(pair.target == name for pair in out.pairs) > 1]
    out.problems += [f"{name} is filled twice" for name in twice]
    for entry in target["state"]:
        name = entry["name"]
        if name in filled or name in weights.unmapped_target or name.endswith(KNOWN_BUFFERS):
            continue
        if entry["parameter"] and entry["grad"]:
            out.problems.append(f"the target's parameter {name} {entry['shape']} has no partner")
        else:
            out.notes.append(f"{name} keeps its initial value")


# --- records and proposals ----------------------------------------------------------------------------


def _present(weights: WeightMap, target: Described) -> tuple[RecordedMap, ...]:
    """The declared records whose owner this target has."""
    owners = {module["class"] for module in target["modules"]}
    return tuple(r for r in weights.records if any(_same_class(r.owner, owner) for owner in owners))


def _propose(records: Sequence[RecordedMap], source: Described, target: Described) -> Iterator[Site]:
    """Sites that no record speaks of, by class: a Dense is a Linear, and so on; and own weights of equal names."""
    classes = {cls.rsplit(".", 1)[-1] for layer in source["layers"] for cls in layer["classes"][:1]}
    own = {cls for layer in source["layers"] if layer["own"] for cls in layer["classes"][:1] if ":" in cls}
    state = {entry["name"] for entry in target["state"]}
    covered = set(_covered(records, target["modules"]))
    for module in target["modules"]:
        name = module["name"]
        if name in covered:
            continue
        known = next((PROPOSALS[n] for n in (module["type"], *module.get("bases", ())) if n in PROPOSALS), {})
        possible = {keras: params for keras, params in known.items() if keras in classes and _has(name, params, state)}
        if possible:
            keras = max(possible, key=lambda k: len(possible[k]))  # both directions rather than one
            params = possible[keras]
            covered |= {f"{name}.{own.rpartition('.')[0]}" for _, own, _ in params if "." in own}
            yield Site(
                name, RecordedMap(owner=module["class"], path="", keras=f"tf.keras.layers.{keras}", params=params)
            )
        elif not is_known(module["class"]):
            twin = next((cls for cls in own if cls.rsplit(":", 1)[-1] == module["class"].rsplit(":", 1)[-1]), None)
            if twin is not None:
                params = _same_names(twin, source)
                yield Site(name, RecordedMap(owner=module["class"], path="", keras=twin, params=params))


def _covered(records: Sequence[RecordedMap], modules: Sequence[Described]) -> frozenset[str]:
    """Modules that a record speaks of, those inside its module that it fills among them."""
    order = {module["name"]: i for i, module in enumerate(modules)}
    return frozenset(
        f"{name}.{inner}".strip(".")
        for owner in modules
        for record in records
        if _same_class(record.owner, owner["class"])
        for name in _below(owner["name"], record.path, order)
        for inner in ("", *(target.rpartition(".")[0] for _, target, _ in record.params))
    )


def _has(name: str, params: Sequence[tuple[str, str, str]], state: Collection[str]) -> bool:
    """Whether a module has the entries that a proposal fills; a bias may be switched off."""
    prefix = f"{name}." if name else ""
    return all(f"{prefix}{own}" in state for _, own, _ in params if "bias" not in own)


def _same_names(cls: str, source: Described) -> tuple[tuple[str, str, str], ...]:
    names: dict[str, None] = {}
    for layer in source["layers"]:
        if layer["classes"][0] == cls:
            names.update(
                dict.fromkeys(layer["attributes"][str(i)] for i in layer["own"] if str(i) in layer["attributes"])
            )
    return tuple((name, name, "") for name in names)
