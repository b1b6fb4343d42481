"""Recurrent layers with `stateful=True`: batches go on from where the ones before have ended."""

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, LayerCode

STATEFUL = Helper(
    "Stateful",
    '''class Stateful(nn.Module):
    """A recurrent layer that goes on from the states of the batch before, without their gradients, until a reset."""

    def __init__(self, rnn):
        super().__init__()
        self.rnn, self.state = rnn, None

    def forward(self, x, state=None):
        outputs, last = self.rnn(x, self.state if state is None else state)
        with torch.inference_mode(False):  # a training may go on from what was predicted
            self.state = tuple(s.detach().clone() for s in last) if isinstance(last, tuple) else last.detach().clone()
        return outputs, last

    def reset_states(self):
        self.state = None
''',
    ("import torch", "from torch import nn"),
)


def stateful(code: LayerCode) -> LayerCode:
    """The layer around which `Stateful` stands; a mask has no rule."""

    def inner(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(line.replace("{self}", "{self}.rnn") for line in lines)

    return replace(
        code,
        module=f"Stateful({code.module})",
        init=inner(code.init),
        penalty=inner(code.penalty),
        constraint=inner(code.constraint),
        params=tuple((keras, f"rnn.{torch}", how) for keras, torch, how in code.params),
        helpers=(*code.helpers, STATEFUL),
        masked=None,
    )
