"""Tabular classifier trained with fit."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Model(nn.Module):
    """Returns class probabilities."""

    def __init__(self, num_features=8, num_classes=3, hidden=256, rate=0.3):
        super().__init__()
        self.fc1 = nn.Linear(num_features, hidden)
        self.dropout = nn.Dropout(rate)
        self.fc2 = nn.Linear(hidden, num_classes)
        self.reset_parameters()

    def reset_parameters(self):
        std = (2.0 / self.fc1.in_features) ** 0.5 / 0.87962566103423978
        nn.init.trunc_normal_(self.fc1.weight, std=std, a=-2 * std, b=2 * std)
        nn.init.zeros_(self.fc1.bias)
        nn.init.xavier_uniform_(self.fc2.weight)
        nn.init.zeros_(self.fc2.bias)

    def logits(self, x):
        x = F.relu(self.fc1(x))
        return self.fc2(self.dropout(x))

    def forward(self, x):
        return F.softmax(self.logits(x), dim=1)

    def regularization_loss(self):
        return 1e-2 * self.fc1.weight.square().sum()


def build_model(num_features=8, num_classes=3, hidden=256, rate=0.3):
    return Model(num_features, num_classes, hidden, rate)


def run_epoch(model, loader, optimizer=None):
    """One pass over the data; trains when an optimizer is given."""
    training = optimizer is not None
    model.train(training)
    total_loss, correct, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            logits = model.logits(x)
            loss = F.cross_entropy(logits, y) + model.regularization_loss()
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total_loss += loss.item() * len(x)
            correct += (logits.argmax(dim=1) == y).sum().item()
            count += len(x)
    return total_loss / count, correct / count


def make_loader(x, y, batch_size, shuffle=False):
    dataset = TensorDataset(torch.as_tensor(x), torch.as_tensor(y).long())
    return DataLoader(dataset, batch_size=batch_size, shuffle=shuffle)


def train(model, x, y, x_val, y_val, epochs=2, batch_size=16):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, eps=1e-7)
    loader = make_loader(x, y, batch_size, shuffle=True)
    val_loader = make_loader(x_val, y_val, batch_size)
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        loss, accuracy = run_epoch(model, loader, optimizer)
        val_loss, val_accuracy = run_epoch(model, val_loader)
        history["loss"].append(loss)
        history["accuracy"].append(accuracy)
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    return history


@torch.inference_mode()
def predict(model, x):
    """Class probabilities as an array."""
    model.eval()
    return model(torch.as_tensor(x)).numpy()
