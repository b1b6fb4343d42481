"""Input pipelines of arrays and sequences."""
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset


def scale(image, label):
    image = image.float() / 127.5 - 1.0
    return image, F.one_hot(label.long(), 5).float()


class ImageDataset(Dataset):
    def __init__(self, images, labels):
        self.images = torch.as_tensor(images)
        self.labels = torch.as_tensor(labels)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return scale(self.images[index], self.labels[index])


def image_stream(images, labels, batch_size=4, training=False):
    return DataLoader(ImageDataset(images, labels), batch_size, shuffle=training, drop_last=training)


def next_steps(series, window=5, batch_size=3):
    """Batches of (window, next value)."""
    series = torch.as_tensor(series)
    return DataLoader(TensorDataset(series.unfold(0, window, 1)[:-1], series[window:]), batch_size)


class RecordDataset(Dataset):
    def __init__(self, features, targets):
        targets = torch.as_tensor(targets)
        keep = targets >= 0.0
        self.features = torch.as_tensor(features)[keep]
        self.targets = targets[keep]

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        a, b = self.features[index]
        return {"a": a, "b": b}, self.targets[index]


def records(features, targets, batch_size=4):
    """Batches of named columns; rows with a negative target are left out."""
    return DataLoader(RecordDataset(features, targets), batch_size)
