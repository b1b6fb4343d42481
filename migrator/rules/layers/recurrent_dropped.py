"""Recurrent layers that drop parts of their state, as modules of loops: torch's own layers drop between layers only."""

from __future__ import annotations

from migrator.model import Helper

_IMPORTS = ("import torch", "import torch.nn.functional as F", "from torch import nn")
GATE_MASKS = Helper(
    "gate_masks",
    '''def gate_masks(x, rate, count, training):
    """A dropout mask like `x` for each of `count` gates; None where nothing is dropped."""
    return [F.dropout(torch.ones_like(x), rate) for _ in range(count)] if training and rate else None
''',
    _IMPORTS[:2],
)
EACH_GATE = Helper(
    "each_gate",
    '''def each_gate(x, masks, weight, bias=None):
    """`F.linear` of all gates, each of which sees `x` through its own mask."""
    if masks is None:
        return F.linear(x, weight, bias)
    products = torch.cat([F.linear(x * m, w) for m, w in zip(masks, weight.chunk(len(masks)))], dim=-1)
    return products if bias is None else products + bias
''',
    _IMPORTS[:2],
)
DROPPED_LSTM = Helper(
    "DroppedLSTM",
    '''class DroppedLSTM(nn.Module):
    """An LSTM over [batch, time, features] with dropout of its input and state, the same at every step."""

    bidirectional = False

    def __init__(
        self,
        input_size,
        hidden_size,
        dropout=0.0,
        recurrent_dropout=0.0,
        activation=torch.tanh,
        gate=torch.sigmoid,
        bias=True,
    ):
        super().__init__()
        self.hidden_size, self.activation, self.gate = hidden_size, activation, gate
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.weight_ih_l0 = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(4 * hidden_size)) if bias else None

    def forward(self, x, state=None):
        zeros = x.new_zeros(x.shape[0], self.hidden_size)
        h, c = (zeros, zeros) if state is None else (state[0][0], state[1][0])
        masks = gate_masks(x[:, :1], self.dropout, 4, self.training)
        steps = each_gate(x, masks, self.weight_ih_l0, self.bias_ih_l0)
        masks, outputs = gate_masks(h, self.recurrent_dropout, 4, self.training), []
        for step in steps.unbind(dim=1):
            i, f, g, o = (step + each_gate(h, masks, self.weight_hh_l0)).chunk(4, dim=-1)
            c = self.gate(f) * c + self.gate(i) * self.activation(g)
            h = self.gate(o) * self.activation(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h[None], c[None])
''',
    _IMPORTS,
)
DROPPED_GRU = Helper(
    "DroppedGRU",
    '''class DroppedGRU(nn.Module):
    """A GRU over [batch, time, features] with dropout of its input and state, the same at every step."""

    bidirectional = False

    def __init__(
        self,
        input_size,
        hidden_size,
        dropout=0.0,
        recurrent_dropout=0.0,
        activation=torch.tanh,
        gate=torch.sigmoid,
        bias=True,
        reset_after=True,
    ):
        super().__init__()
        self.hidden_size, self.activation, self.gate = hidden_size, activation, gate
        self.dropout, self.recurrent_dropout, self.reset_after = dropout, recurrent_dropout, reset_after
        self.weight_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size)) if bias else None
        self.bias_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size)) if bias and reset_after else None

    def masks(self, x, rate):
        """One mask for each of r, z and n; that of z is drawn first."""
        masks = gate_masks(x, rate, 3, self.training)
        return masks and [masks[1], masks[0], masks[2]]

    def forward(self, x, state=None):
        h = x.new_zeros(x.shape[0], self.hidden_size) if state is None else state[0]
        steps = each_gate(x, self.masks(x[:, :1], self.dropout), self.weight_ih_l0, self.bias_ih_l0)
        masks, outputs = self.masks(h, self.recurrent_dropout), []
        for step in steps.unbind(dim=1):
            r, z, n = step.chunk(3, dim=-1)
            if self.reset_after:
                own = each_gate(h, masks, self.weight_hh_l0, self.bias_hh_l0).chunk(3, dim=-1)
                r, z = self.gate(r + own[0]), self.gate(z + own[1])
                n = self.activation(n + r * own[2])
            else:
                weights = self.weight_hh_l0.chunk(3)
                seen = [h * mask for mask in masks] if masks else [h] * 3
                r, z = self.gate(r + F.linear(seen[0], weights[0])), self.gate(z + F.linear(seen[1], weights[1]))
                n = self.activation(n + F.linear(r * seen[2], weights[2]))
            h = z * h + (1.0 - z) * n
            outputs.append(h)
        return torch.stack(outputs, dim=1), h[None]
''',
    _IMPORTS,
)
DROPPED_RNN = Helper(
    "DroppedRNN",
    '''class DroppedRNN(nn.Module):
    """A simple RNN over [batch, time, features] with dropout of its state, the same at every step."""

    bidirectional = False

    def __init__(self, input_size, hidden_size, recurrent_dropout=0.0, activation=torch.tanh, bias=True):
        super().__init__()
        self.hidden_size, self.activation, self.recurrent_dropout = hidden_size, activation, recurrent_dropout
        self.weight_ih_l0 = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(hidden_size)) if bias else None

    def forward(self, x, state=None):
        h = x.new_zeros(x.shape[0], self.hidden_size) if state is None else state[0]
        mask, outputs = F.dropout(torch.ones_like(h), self.recurrent_dropout, self.training), []
        for step in F.linear(x, self.weight_ih_l0, self.bias_ih_l0).unbind(dim=1):
            h = self.activation(step + F.linear(h * mask, self.weight_hh_l0))
            outputs.append(h)
        return torch.stack(outputs, dim=1), h[None]
''',
    _IMPORTS,
)
BY_KIND = {
    "LSTM": (GATE_MASKS, EACH_GATE, DROPPED_LSTM),
    "GRU": (GATE_MASKS, EACH_GATE, DROPPED_GRU),
    "RNN": (DROPPED_RNN,),
}
"""What a layer of each kind needs; the module comes last."""
