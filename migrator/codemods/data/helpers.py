"""Small dataset classes that migrated pipelines use."""

from migrator.model import Helper

LOADER = "from torch.utils.data import DataLoader"
MAP_DATASET = Helper(
    "MapDataset",
    '''class MapDataset(Dataset):
    """A dataset with `transform` applied to each sample when it is read."""

    def __init__(self, dataset, transform):
        self.dataset = dataset
        self.transform = transform

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        sample = self.dataset[index]
        return self.transform(*sample) if isinstance(sample, tuple) else self.transform(sample)
''',
    ("from torch.utils.data import Dataset",),
)
