"""Regression with hand-written training loops."""
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

L2 = 1e-2


class Regressor(nn.Module):
    def __init__(self, features=5, units=8):
        super().__init__()
        self.hidden = nn.Linear(features, units)
        self.out = nn.Linear(units, 1)
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def loss_fn(model, x, y):
    """Mean squared error plus the halved squares of the kernels."""
    error = (model(x) - y).square().mean()
    return error + L2 * sum(w.square().sum() / 2 for w in (model.hidden.weight, model.out.weight))


def train(model, loader, epochs=2):
    """Loss of each step, with a decaying rate and clipped gradients."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    scheduler = LambdaLR(optimizer, lambda step: 0.5 ** (step / 2))
    losses = []
    for _ in range(epochs):
        for x, y in loader:
            loss = loss_fn(model, x, y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
    return losses


class RMSprop(torch.optim.Optimizer):
    """RMSprop with Keras's epsilon, inside the root."""

    def __init__(self, params, lr=1e-2, rho=0.9, eps=1e-7):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                state = self.state[param]
                if not state:
                    state["square"] = torch.zeros_like(param)
                square = state["square"].lerp_(param.grad.square(), 1 - group["rho"])
                param.sub_(group["lr"] * param.grad / torch.sqrt(square + group["eps"]))


def train_adaptive(model, loader, epochs=2):
    """Mean loss of each epoch, with RMSprop."""
    optimizer = RMSprop(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(epochs):
        batch_losses = []
        for x, y in loader:
            loss = loss_fn(model, x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            batch_losses.append(loss.item())
        losses.append(sum(batch_losses) / len(batch_losses))
    return losses


def input_gradient(model, x):
    """How the summed output moves with each input."""
    x = x.detach().requires_grad_()
    gradient, = torch.autograd.grad(model(x).sum(), x)
    return gradient
