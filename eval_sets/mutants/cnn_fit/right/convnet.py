"""Small convolutional classifier for 9x12 colour images."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

INPUT_SHAPE = (9, 12, 3)


class Model(nn.Module):
    """Takes NHWC images, returns class logits."""

    def __init__(self, num_classes=4, rate=0.2):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(8, eps=1e-3, momentum=0.01)
        self.depthwise = nn.Conv2d(8, 16, 3, padding="same", groups=8)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.dropout = nn.Dropout(rate)
        self.fc = nn.Linear(16 * 3 * 3, num_classes)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.conv.weight)
        # Keras counts the fan of the whole depthwise kernel: 3 * 3 * 8 in, 3 * 3 * 2 out
        limit = (6.0 / (3 * 3 * 8 + 3 * 3 * 2)) ** 0.5
        nn.init.uniform_(self.depthwise.weight, -limit, limit)
        nn.init.zeros_(self.depthwise.bias)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)  # NHWC -> NCHW
        # "SAME" at stride 2: 9 rows take one on each side, 12 columns one at the end
        x = self.conv(F.pad(x, (0, 1, 1, 1)))
        x = F.leaky_relu(self.bn(x), 0.3)
        x = self.pool(self.depthwise(x))
        x = torch.flatten(x, 1)
        return self.fc(self.dropout(x))


class Scorer(nn.Module):
    """Takes NHWC images, returns probabilities."""

    def __init__(self, channels=6):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding="same")
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.fc = nn.Linear(channels, 1)
        for layer in (self.conv, self.fc):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)  # NHWC -> NCHW
        x = self.pool(F.relu(self.conv(x)))
        return torch.sigmoid(self.fc(x.mean(dim=(2, 3))))


def build_model(num_classes=4, rate=0.2):
    return Model(num_classes, rate)


def build_scorer(channels=6):
    """Takes `channels` x `channels` images of as many channels."""
    return Scorer(channels)


def train(model, x, y, epochs=2, batch_size=8):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    dataset = TensorDataset(torch.as_tensor(x), torch.as_tensor(y).long())
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
    history = {"loss": []}
    for _ in range(epochs):
        model.train()
        total_loss = 0.0
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total_loss += loss.item() * len(x)
        history["loss"].append(total_loss / len(dataset))
    return history
