"""What sources of pipelines read: files, generators, arrays, other datasets."""

from __future__ import annotations

from migrator.codemods.data.streams import step
from migrator.model import Helper

GENERATED = step(
    "generated_samples",
    '''def generated_samples(generator, dtype, args=()):
    """What a generator function yields, as tensors of `dtype`, which is built like a sample."""
    args = [np.asarray(arg)[()] for arg in args]
    return Stream(lambda: (as_dtype(sample, dtype) for sample in generator(*args)))


def as_dtype(sample, dtype):
    """A sample as tensors; text stays bytes."""
    if isinstance(dtype, dict):
        return {name: as_dtype(sample[name], dtype[name]) for name in dtype}
    if isinstance(dtype, (tuple, list)):
        return tuple(map(as_dtype, sample, dtype))
    if dtype is not bytes:
        return torch.tensor(np.array(sample)).to(dtype)
    text = np.array(sample, dtype=object)
    encoded = np.array([s.encode() if isinstance(s, str) else s for s in text.flat], dtype=object)
    return encoded.reshape(text.shape)[()]
''',
    imports=("import numpy as np", "import torch"),
)
LINES = step(
    "lines_of_files",
    '''def lines_of_files(paths):
    """The lines of text files as bytes, without their ends."""

    def lines():
        for path in [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths:
            with open(path, "rb") as file:
                for line in file:
                    yield line.removesuffix(b"\\n").removesuffix(b"\\r")

    return Stream(lines)
''',
    imports=("import os",),
)
RECORDS = step(
    "records_of_files",
    '''def records_of_files(paths, compression=None):
    """The records of TFRecord files as bytes; the checksums are not looked at."""
    opened = {"GZIP": gzip.open, b"GZIP": gzip.open}.get(compression, open)

    def read():
        for path in [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths:
            with opened(path, "rb") as file:
                while header := file.read(12):
                    (size,) = struct.unpack("<Q", header[:8])
                    record = file.read(size)
                    if len(record) < size or len(file.read(4)) < 4:
                        raise EOFError(f"{path} ends within a record")
                    yield record

    return Stream(read)
''',
    imports=("import gzip", "import os", "import struct"),
)
COUNTED = step(
    "counting",
    '''def counting(start=0, step=1):
    """Whole numbers without end."""
    return Stream(lambda: map(torch.tensor, itertools.count(start, step)))
''',
    imports=("import itertools", "import torch"),
)
CHOSEN = step(
    "chosen_samples",
    '''def chosen_samples(datasets, choices, stop_on_empty_dataset=True):
    """Samples of several datasets in the order that `choices` says."""

    def samples():
        sources = [iter(dataset) for dataset in datasets]
        end = object()
        for choice in choices:
            sample = next(sources[int(choice)], end)
            if sample is not end:
                yield sample
            elif stop_on_empty_dataset:
                return

    return Stream(samples)
''',
)
SLICES = Helper(
    "slices_of",
    '''def slices_of(values):
    """A dataset of the rows of an array; of a tuple or dict of arrays the rows side by side."""
    if isinstance(values, dict):
        return StackDataset(**{name: slices_of(value) for name, value in values.items()})
    if isinstance(values, tuple):
        return StackDataset(*map(slices_of, values))
    if torch.is_tensor(values) or (array := np.asarray(values)).dtype.kind not in "OSU":
        return torch.as_tensor(values)
    return [item.encode() if isinstance(item, str) else item for item in array.tolist()]
''',
    ("import numpy as np", "import torch", "from torch.utils.data import StackDataset"),
)
SIDE_BY_SIDE = Helper(
    "ZippedDataset",
    '''class ZippedDataset(Dataset):
    """Samples of datasets side by side, as many as the shortest has."""

    def __init__(self, *datasets):
        self.datasets = datasets

    def __len__(self):
        return min(map(len, self.datasets))

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(index)
        return tuple(dataset[index] for dataset in self.datasets)
''',
    ("from torch.utils.data import Dataset",),
)
