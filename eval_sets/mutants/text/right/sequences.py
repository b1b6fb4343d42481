"""Recurrent models over word ids."""
import torch
import torch.nn.functional as F
from torch import nn


class Reader(nn.Module):
    """A GRU over the words, an LSTM over its outputs, one probability at the end."""

    def __init__(self, vocab_size=20, embed_dim=6, units=5, rate=0.2):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.dropout = nn.Dropout(rate)
        self.gru = nn.GRU(embed_dim, units, batch_first=True)
        self.lstm = nn.LSTM(units, units, batch_first=True)
        self.out = nn.Linear(units, 1)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        for rnn in (self.gru, self.lstm):
            nn.init.xavier_uniform_(rnn.weight_ih_l0)
            nn.init.orthogonal_(rnn.weight_hh_l0)
            nn.init.zeros_(rnn.bias_ih_l0)
            nn.init.zeros_(rnn.bias_hh_l0)
        nn.init.ones_(self.lstm.bias_ih_l0[self.lstm.hidden_size:2 * self.lstm.hidden_size].data)  # forget gate
        self.lstm.bias_hh_l0.requires_grad_(False)  # Keras has one bias
        nn.init.xavier_uniform_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def logits(self, ids):
        x = self.dropout(self.embedding(ids))
        x, _ = self.gru(x)
        x, _ = self.lstm(x)
        return self.out(x[:, -1])

    def forward(self, ids):
        return torch.sigmoid(self.logits(ids))


class OldGRU(nn.Module):
    """GRU that resets the state before it is multiplied, gates in the order z, r, h."""

    def __init__(self, input_size, units):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(input_size, 3 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 3 * units))
        self.bias = nn.Parameter(torch.zeros(3 * units))
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.recurrent.T)

    def forward(self, x):
        units = self.recurrent.shape[0]
        kernel_zr, kernel_h = self.recurrent.split([2 * units, units], dim=1)
        state = x.new_zeros(len(x), units)
        for step in (x @ self.kernel + self.bias).unbind(dim=1):
            gates, candidate = step.split([2 * units, units], dim=1)
            z, r = torch.sigmoid(gates + state @ kernel_zr).chunk(2, dim=1)
            candidate = torch.tanh(candidate + (r * state) @ kernel_h)
            state = z * state + (1 - z) * candidate
        return state


class OldCell(nn.Module):
    """The older GRU, which resets the state before it is multiplied."""

    def __init__(self, in_features, units=5):
        super().__init__()
        self.gru = OldGRU(in_features, units)

    def forward(self, x):
        return self.gru(x)


def train(model, loader, epochs=2):
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=5e-3, eps=1e-7)
    history = {"loss": [], "accuracy": []}
    for _ in range(epochs):
        model.train()
        total_loss, hits, count = 0.0, 0, 0
        for ids, labels in loader:
            logits = model.logits(ids)
            loss = F.binary_cross_entropy_with_logits(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(ids)
            hits += ((logits > 0) == (labels == 1)).sum().item()
            count += len(ids)
        history["loss"].append(total_loss / count)
        history["accuracy"].append(hits / count)
    return history
