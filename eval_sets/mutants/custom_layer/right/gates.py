"""Residual network of gated layers."""
import torch
from torch import nn


class Gate(nn.Module):
    """x + sigmoid(x W + b) * x V, where the gate itself is not trained through its input."""

    def __init__(self, dim, slope=0.5):
        super().__init__()
        self.slope = slope
        self.kernel = nn.Parameter(torch.empty(dim, dim))
        self.value = nn.Parameter(torch.empty(dim, dim))
        self.bias = nn.Parameter(torch.empty(dim))
        self.register_buffer("seen", torch.zeros(()))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.kernel)
        nn.init.orthogonal_(self.value)
        nn.init.constant_(self.bias, self.slope)

    def forward(self, inputs):
        gate = torch.sigmoid(inputs.detach() @ self.kernel + self.bias)
        if self.training:
            self.seen += len(inputs)
        return inputs + gate * (inputs @ self.value)


class GatedNet(nn.Module):
    def __init__(self, dim=6, depth=2):
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=1e-3)
        self.gates = nn.ModuleList([Gate(dim, 0.5 * (i + 1)) for i in range(depth)])
        self.head = nn.Linear(dim, 2)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs):
        x = self.norm(inputs)
        for gate in self.gates:
            x = gate(x)
        return x, torch.tanh(self.head(x))
