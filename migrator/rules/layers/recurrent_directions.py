"""Both directions of a recurrent layer as two layers, where torch's `bidirectional=True` computes something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.layers.recurrent_helpers import DROP_FEATURES

if TYPE_CHECKING:
    from migrator.rules.layers.recurrent_code import Recurrent

_TORCH = ("import torch", "from torch import nn")


def _directions(name: str, doc: str, given: str, kept: str, source: str, imports: tuple[str, ...] = ()) -> Helper:
    """The module under a name; `source`: what each direction sees of the sequence."""
    text = f'''class {name}(nn.Module):
    """{doc}"""

    bidirectional = True

    def __init__(self, ahead, back{given}):
        super().__init__()
        self.ahead, self.back{kept}

    def forward(self, x):
        ahead, first = self.ahead({source})
        back, last = self.back({source}.flip(1))
        outputs = torch.cat([ahead, back.flip(1)], dim=-1)
        if isinstance(first, tuple):
            return outputs, tuple(torch.cat(pair) for pair in zip(first, last))
        return outputs, torch.cat([first, last])
'''
    return Helper(name, text, (*_TORCH, *imports))


_DOC = "One recurrent layer over the sequence and one against it"
PLAIN = _directions("BothDirections", f"{_DOC}.", "", " = ahead, back", "x")
_DROPPED = (", dropout", ", self.dropout = ahead, back, dropout")
FEATURES = _directions(
    "DroppedDirections",
    f"{_DOC}, each with dropout of whole features of its own.",
    *_DROPPED,
    "drop_features(x, self.dropout, self.training)",
)
STEPS = _directions(
    "StepDroppedDirections",
    f"{_DOC}, each with dropout of its own.",
    *_DROPPED,
    "F.dropout(x, self.dropout, self.training)",
    ("import torch.nn.functional as F",),
)


def two_layers(spec: Recurrent, result: str, shaping: tuple[Helper, ...]) -> LayerCode:
    """The code; `result`: what Keras returns, over `{run}`. A mask has no rule."""
    for name in ("stateful", "go_backwards"):
        if spec.flag(name):
            raise Decline(f"`{name}` in both directions, which torch's layer does not compute")
    module, options, needed = _module(spec)
    init, initialising = spec.init(("_l0",))
    return LayerCode(
        module=f"{module.name}({spec.module()}, {spec.module()}{options})",
        forward=result.replace("{run}", "{self}({x})"),
        stem=spec.kind.lower(),
        layout="last",
        init=_each(init),
        penalty=_each(spec.penalties(("_l0",))),
        constraint=_each(spec.constraints(("_l0",))),
        params=tuple(
            (f"{keras}/{name}", f"{own}.{target}", how)
            for keras, own in (("forward", "ahead"), ("backward", "back"))
            for name, target, how in spec.params()
        ),
        helpers=(*initialising, *spec.loops, *needed, module, *shaping),
    )


def _module(spec: Recurrent) -> tuple[Helper, str, tuple[Helper, ...]]:
    """The module, its options, and what it needs."""
    rate = spec.rate("dropout")
    if not rate or (spec.drops_state and "dropout" in spec.inside):
        return PLAIN, "", ()
    if spec.drops_each_step:
        return STEPS, f", dropout={rate}", ()
    return FEATURES, f", dropout={rate}", (DROP_FEATURES,)


def _each(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line.replace("{self}", f"{{self}}.{own}") for own in ("ahead", "back") for line in lines)
