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
MAPPED_LOADER = Helper(
    "MappedLoader",
    '''class MappedLoader:
    """A loader with `transform` applied to each batch."""

    def __init__(self, loader, transform):
        self.loader = loader
        self.transform = transform

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        for batch in self.loader:
            yield self.transform(*batch) if isinstance(batch, (list, tuple)) else self.transform(batch)
''',
)
FILTERED = Helper(
    "FilteredDataset",
    '''class FilteredDataset(Dataset):
    """The samples that `predicate` holds for."""

    def __init__(self, dataset, predicate):
        self.dataset = dataset
        samples = (dataset[i] for i in range(len(dataset)))
        kept = (predicate(*s) if isinstance(s, tuple) else predicate(s) for s in samples)
        self.indices = [i for i, keep in enumerate(kept) if keep]

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        return self.dataset[self.indices[index]]
''',
    ("from torch.utils.data import Dataset",),
)
ENUMERATED = Helper(
    "EnumeratedDataset",
    '''class EnumeratedDataset(Dataset):
    """Each sample behind its number."""

    def __init__(self, dataset, start=0):
        self.dataset = dataset
        self.start = start

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return self.start + index, self.dataset[index]
''',
    ("from torch.utils.data import Dataset",),
)
