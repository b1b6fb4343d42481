"""Small functions and modules that recurrent layers need in the migrated code."""

from __future__ import annotations

from migrator.model import Helper

_NN = ("from torch import nn",)
_TORCH = ("import torch", "from torch import nn")

INIT_LSTM = Helper(
    "init_lstm",
    '''def init_lstm(lstm):
    """Keras's initial values: Glorot, orthogonal, and a forget bias of one."""
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        elif name.startswith("bias_ih"):
            nn.init.zeros_(weight)
            nn.init.ones_(weight[lstm.hidden_size : 2 * lstm.hidden_size])
        else:  # Keras has one bias: the other stays zero
            nn.init.zeros_(weight.requires_grad_(False))
''',
    _NN,
)
INIT_GRU = Helper(
    "init_gru",
    '''def init_gru(gru):
    """Keras's initial values: Glorot, orthogonal, zero biases."""
    for name, weight in gru.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
''',
    _NN,
)
INIT_RNN = Helper(
    "init_rnn",
    '''def init_rnn(rnn):
    """Keras's initial values: Glorot, orthogonal, zero biases."""
    for name, weight in rnn.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            weight.requires_grad_(name.startswith("bias_ih"))  # Keras has one bias: the other stays zero
''',
    _NN,
)

BOTH_ENDS = Helper(
    "both_ends",
    '''def both_ends(outputs):
    """The last output of each direction: that of the backward one stands at the first step."""
    units = outputs.shape[-1] // 2
    return torch.cat([outputs[:, -1, :units], outputs[:, 0, units:]], dim=-1)
''',
    ("import torch",),
)

DROP_FEATURES = Helper(
    "drop_features",
    '''def drop_features(x, rate, training):
    """Dropout of whole features of [batch, time, features], the same at every step."""
    return x * F.dropout(torch.ones_like(x[:, :1]), rate, training)
''',
    ("import torch", "import torch.nn.functional as F"),
)

MASKED_RNN = Helper(
    "masked_rnn",
    '''def masked_rnn(rnn, x, mask, state=None, zeros=False):
    """Runs an RNN over the steps where `mask` is true; at the others the last output is repeated, or zero stands."""
    order = torch.argsort(~mask, dim=1, stable=True)  # true steps first, in their order
    lengths, count = mask.sum(dim=1), mask.cumsum(dim=1)
    steps = x.gather(1, order.unsqueeze(-1).expand_as(x))
    packed = pack_padded_sequence(steps, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    packed, last = rnn(packed, state)
    outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    directions = 2 if rnn.bidirectional else 1
    sources = [count - 1, count - mask.long()][:directions]  # the last true step, or the next one
    parts = []
    for part, source in zip(outputs.chunk(directions, dim=-1), sources):
        known = mask if zeros else (source >= 0) & (source < lengths.unsqueeze(1))
        index = source.clamp(0, x.shape[1] - 1).unsqueeze(-1).expand_as(part)
        parts.append(part.gather(1, index) * known.unsqueeze(-1))
    empty = (lengths == 0).unsqueeze(-1)  # a row without true steps keeps its first state
    last = last if isinstance(last, tuple) else (last,)
    first = state if isinstance(state, tuple) else (state,) * len(last)
    last = tuple(
        torch.where(empty, torch.zeros_like(new) if old is None else old, new) for new, old in zip(last, first)
    )
    return torch.cat(parts, dim=-1), last if len(last) > 1 else last[0]
''',
    ("import torch", "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"),
)


def with_states(kind: str, both: bool, sequences: bool) -> Helper:
    """The function that takes a result of torch apart as Keras gives it: the output, then each state."""
    lstm = kind == "LSTM"
    names = ("h", "c") if lstm else ("h",)
    states = ", ".join(f"{n}[{d}]" for d in range(2 if both else 1) for n in names)
    first = "outputs" if sequences else "both_ends(outputs)" if both else "outputs[:, -1]"
    unpacked = "outputs, (h, c)" if lstm else "outputs, h"
    name = ("outputs" if sequences else "last_output") + ("_and_states" if lstm or both else "_and_state")
    described = "The outputs" if sequences else "The last output"
    source = f'''def {name}(result):
    """{described} and the last states, [batch, units] each."""
    {unpacked} = result
    return {first}, {states}
'''
    return Helper(name, source, ("import torch",) if both and not sequences else ())


ACTIVATED_LSTM = Helper(
    "ActivatedLSTM",
    '''class ActivatedLSTM(nn.Module):
    """An LSTM over [batch, time, features] with activations that nn.LSTM does not have."""

    bidirectional = False

    def __init__(self, input_size, hidden_size, activation=torch.tanh, gate=torch.sigmoid, bias=True):
        super().__init__()
        self.hidden_size, self.activation, self.gate = hidden_size, activation, gate
        self.weight_ih_l0 = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(4 * hidden_size)) if bias else None

    def forward(self, x, state=None):
        zeros = x.new_zeros(x.shape[0], self.hidden_size)
        h, c = (zeros, zeros) if state is None else (state[0][0], state[1][0])
        outputs = []
        for step in F.linear(x, self.weight_ih_l0, self.bias_ih_l0).unbind(dim=1):
            i, f, g, o = (step + F.linear(h, self.weight_hh_l0)).chunk(4, dim=-1)
            c = self.gate(f) * c + self.gate(i) * self.activation(g)
            h = self.gate(o) * self.activation(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h[None], c[None])
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
ACTIVATED_GRU = Helper(
    "ActivatedGRU",
    '''class ActivatedGRU(nn.Module):
    """A GRU over [batch, time, features] with other activations, or a reset before the product, which nn.GRU lacks."""

    bidirectional = False

    def __init__(
        self, input_size, hidden_size, activation=torch.tanh, gate=torch.sigmoid, bias=True, reset_after=True
    ):
        super().__init__()
        self.hidden_size, self.activation, self.gate = hidden_size, activation, gate
        self.reset_after = reset_after
        self.weight_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(3 * hidden_size)) if bias else None
        self.bias_hh_l0 = nn.Parameter(torch.empty(3 * hidden_size)) if bias and reset_after else None

    def forward(self, x, state=None):
        h = x.new_zeros(x.shape[0], self.hidden_size) if state is None else state[0]
        outputs = []
        for step in F.linear(x, self.weight_ih_l0, self.bias_ih_l0).unbind(dim=1):
            r, z, n = step.chunk(3, dim=-1)
            if self.reset_after:
                own = F.linear(h, self.weight_hh_l0, self.bias_hh_l0).chunk(3, dim=-1)
                r, z = self.gate(r + own[0]), self.gate(z + own[1])
                n = self.activation(n + r * own[2])
            else:
                weights = self.weight_hh_l0.chunk(3)
                r, z = self.gate(r + F.linear(h, weights[0])), self.gate(z + F.linear(h, weights[1]))
                n = self.activation(n + F.linear(r * h, weights[2]))
            h = z * h + (1.0 - z) * n
            outputs.append(h)
        return torch.stack(outputs, dim=1), h[None]
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
ACTIVATED_RNN = Helper(
    "ActivatedRNN",
    '''class ActivatedRNN(nn.Module):
    """A simple RNN over [batch, time, features] with an activation that nn.RNN does not have."""

    bidirectional = False

    def __init__(self, input_size, hidden_size, activation=torch.tanh, bias=True):
        super().__init__()
        self.hidden_size, self.activation = hidden_size, activation
        self.weight_ih_l0 = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(hidden_size)) if bias else None

    def forward(self, x, state=None):
        h = x.new_zeros(x.shape[0], self.hidden_size) if state is None else state[0]
        outputs = []
        for step in F.linear(x, self.weight_ih_l0, self.bias_ih_l0).unbind(dim=1):
            h = self.activation(step + F.linear(h, self.weight_hh_l0))
            outputs.append(h)
        return torch.stack(outputs, dim=1), h[None]
''',
    ("import torch", "import torch.nn.functional as F", "from torch import nn"),
)
