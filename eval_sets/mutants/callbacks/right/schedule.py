"""Linear model trained with callbacks."""
import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset


class Model(nn.Module):
    def __init__(self, features=4):
        super().__init__()
        self.fc1 = nn.Linear(features, 6)
        self.fc2 = nn.Linear(6, 1)
        for layer in (self.fc1, self.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.fc2(F.elu(self.fc1(x)))


def build_model(features=4):
    return Model(features)


def rate_of(epoch, lr):
    # warms up over two epochs
    return 0.05 * (epoch + 1) / 2 if epoch < 2 else lr


def make_loader(x, y, batch_size, shuffle=False):
    return DataLoader(TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), batch_size, shuffle=shuffle)


def run_epoch(model, loader, optimizer=None):
    """One pass over the data; trains when an optimizer is given."""
    training = optimizer is not None
    model.train(training)
    squares = absolutes = count = 0.0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            error = model(x) - y
            loss = error.square().mean()
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            squares += loss.item() * len(x)
            absolutes += error.abs().sum().item()
            count += len(x)
    return squares / count, absolutes / count


def train(model, x, y, epochs=12, batch_size=16):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    # patience=0: PyTorch acts on the epoch after its patience runs out
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=1e-2, threshold_mode="abs")
    split = int(len(x) * 0.75)  # the last quarter validates
    loader = make_loader(x[:split], y[:split], batch_size, shuffle=True)
    val_loader = make_loader(x[split:], y[split:], batch_size)
    history = {"loss": [], "mae": [], "val_loss": [], "val_mae": [], "learning_rate": []}
    best_loss, best_state, wait = float("inf"), None, 0
    for epoch in range(epochs):
        lr = rate_of(epoch, optimizer.param_groups[0]["lr"])
        optimizer.param_groups[0]["lr"] = lr
        loss, mae = run_epoch(model, loader, optimizer)
        val_loss, val_mae = run_epoch(model, val_loader)
        for name, value in zip(history, (loss, mae, val_loss, val_mae, lr)):
            history[name].append(value)
        plateau.step(val_loss)
        wait += 1
        if val_loss < best_loss - 2e-2:
            best_loss, wait = val_loss, 0
            best_state = copy.deepcopy(model.state_dict())
        if wait >= 3:
            break
    if best_state is not None:
        model.load_state_dict(best_state)
    return history
