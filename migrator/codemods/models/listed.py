"""Lists of layers in the statements of a graph: `blocks = [block(64), block(128)]`, which `forward` goes through."""

from __future__ import annotations

import libcst as cst

from migrator.codemods.models.forward import comments
from migrator.codemods.models.graph import GraphLowerer
from migrator.codemods.models.part import Part, alike
from migrator.codemods.models.term import Bound


def is_list_of_layers(node: cst.BaseSmallStatement, lower: GraphLowerer) -> bool:
    """Whether a statement binds a name to a list of layers, all of which it makes."""
    if not isinstance(node, cst.Assign) or not isinstance(node.value, cst.List | cst.Tuple):
        return False
    made = [lower.maker.is_layer(e.value) for e in node.value.elements if isinstance(e, cst.Element)]
    name = len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name)
    return name and bool(made) and all(made) and len(made) == len(node.value.elements)


def listed(node: cst.SimpleStatementLine, lower: GraphLowerer) -> list[str]:
    """The lines of the constructor."""
    small = node.body[0]
    assert isinstance(small, cst.Assign)
    assert isinstance(small.value, cst.List | cst.Tuple)
    assert isinstance(small.targets[0].target, cst.Name)
    name = small.targets[0].target.value
    parts = [lower.maker.part(e.value) for e in small.value.elements if isinstance(e.value, cst.Call)]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return []
    if lower.inside is not None or lower.guards or lower.series is not None:
        lower.build.needs.decline("a list of layers that is made in a loop or under a condition", lower.ctx, node)
        return []
    if not all(part.stateful and alike(known[0], part) for part in known):
        lower.build.needs.decline(f"the layers in `{name}` are called in different ways", lower.ctx, node)
        return []
    attr = lower.build.attribute(name)
    lower.named.add(attr)
    for index, part in enumerate(known):
        lower.build.own(f"{attr}.{index}", part, f"self.{attr}[{index}]")
    lower.lists[name] = Bound(known[0], f"self.{attr}", f"{attr}.*")
    return [*comments(node), *_written(attr, known)]


def _written(attr: str, parts: list[Part]) -> list[str]:
    modules = [part.code.module or "" for part in parts]
    line = f"self.{attr} = nn.ModuleList([{', '.join(modules)}])"
    if len(line) <= 100:
        return [line]
    return [f"self.{attr} = nn.ModuleList([", *(f"    {module}," for module in modules), "])"]
