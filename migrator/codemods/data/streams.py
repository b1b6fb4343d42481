"""Steps of a pipeline over whatever iterates: plain functions whose result can be read again and again."""

from __future__ import annotations

from migrator.model import Helper

STREAM = Helper(
    "Stream",
    '''class Stream(IterableDataset):
    """The samples that the iterator of `samples()` gives, begun anew on each pass."""

    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        return iter(self.samples())
''',
    ("from torch.utils.data import IterableDataset",),
)
APPLY = Helper(
    "apply_to_sample",
    '''def apply_to_sample(function, sample):
    """`function` of a sample, the parts of a tuple as its arguments."""
    return function(*sample) if isinstance(sample, (tuple, list)) else function(sample)
''',
)
STACK = Helper(
    "stack_samples",
    '''def stack_samples(samples):
    """A batch: tensors stacked, text as an array of objects, tuples and dicts part by part."""
    first = samples[0]
    if isinstance(first, (tuple, list)):
        return tuple(map(stack_samples, zip(*samples)))
    if isinstance(first, dict):
        return {name: stack_samples([sample[name] for sample in samples]) for name in first}
    if isinstance(first, (str, bytes)):
        return np.array([s.encode() if isinstance(s, str) else s for s in samples], dtype=object)
    if isinstance(first, np.ndarray) and first.dtype == object:
        return np.stack(samples)
    return torch.stack([torch.as_tensor(sample) for sample in samples])
''',
    ("import numpy as np", "import torch"),
)


def step(name: str, source: str, *needs: Helper, imports: tuple[str, ...] = ()) -> Helper:
    return Helper(name, source, imports, (STREAM, *needs))


MAPPED = step(
    "mapped_samples",
    '''def mapped_samples(dataset, function):
    """Each sample as `function` changes it."""
    return Stream(lambda: (apply_to_sample(function, sample) for sample in dataset))
''',
    APPLY,
)
FILTERED = step(
    "filtered_samples",
    '''def filtered_samples(dataset, predicate):
    """The samples that `predicate` holds for."""
    return Stream(lambda: (sample for sample in dataset if apply_to_sample(predicate, sample)))
''',
    APPLY,
)
TAKEN_WHILE = step(
    "samples_while",
    '''def samples_while(dataset, predicate):
    """The samples before the first that `predicate` does not hold for."""
    return Stream(lambda: itertools.takewhile(lambda sample: apply_to_sample(predicate, sample), dataset))
''',
    APPLY,
    imports=("import itertools",),
)
NUMBERED = step(
    "numbered_samples",
    '''def numbered_samples(dataset, start=0):
    """Each sample behind its number."""
    return Stream(lambda: ((torch.tensor(i), sample) for i, sample in enumerate(dataset, start)))
''',
    imports=("import torch",),
)
CHAINED = step(
    "chained_samples",
    '''def chained_samples(*datasets):
    """The samples of one dataset after the other."""
    return Stream(lambda: itertools.chain.from_iterable(datasets))
''',
    imports=("import itertools",),
)
ZIPPED = step(
    "zipped_samples",
    '''def zipped_samples(*datasets):
    """The samples of datasets side by side, as many as the shortest has."""
    return Stream(lambda: zip(*datasets))
''',
)
FIRST = step(
    "first_samples",
    '''def first_samples(dataset, count):
    """The first `count` samples; all where it is negative."""
    return Stream(lambda: itertools.islice(dataset, count if count >= 0 else None))
''',
    imports=("import itertools",),
)
REST = step(
    "samples_after",
    '''def samples_after(dataset, count):
    """The samples behind the first `count`; none where it is negative."""
    return Stream(lambda: itertools.islice(dataset, count, None) if count >= 0 else iter(()))
''',
    imports=("import itertools",),
)
REPEATED = step(
    "repeated_samples",
    '''def repeated_samples(dataset, count=None):
    """A dataset `count` times over, or without end where that is None or negative."""
    endless = count is None or count < 0

    def samples():
        for _ in itertools.count() if endless else range(count):
            yield from dataset

    return Stream(samples)
''',
    imports=("import itertools",),
)
SHARD = step(
    "every_nth_sample",
    '''def every_nth_sample(dataset, step, start):
    """Each `step`-th sample from number `start` on."""
    return Stream(lambda: itertools.islice(dataset, start, None, step))
''',
    imports=("import itertools",),
)
SHUFFLED = step(
    "shuffled_samples",
    '''def shuffled_samples(dataset, buffer_size, seed=None):
    """The samples in an order drawn from a buffer, another on each pass."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)

    def samples():
        buffer = []
        for sample in dataset:
            buffer.append(sample)
            if len(buffer) == buffer_size:
                yield buffer.pop(int(torch.randperm(len(buffer), generator=generator)[0]))
        for index in torch.randperm(len(buffer), generator=generator).tolist():
            yield buffer[index]

    return Stream(samples)
''',
    imports=("import torch",),
)
CACHED = Helper(
    "CachedDataset",
    '''class CachedDataset(IterableDataset):
    """The samples of the first whole pass, kept in memory."""

    def __init__(self, dataset):
        self.dataset = dataset
        self.samples = None

    def __iter__(self):
        if self.samples is not None:
            yield from self.samples
            return
        samples = []
        for sample in self.dataset:
            samples.append(sample)
            yield sample
        self.samples = samples
''',
    ("from torch.utils.data import IterableDataset",),
)
FLATTENED = step(
    "flattened_samples",
    '''def flattened_samples(dataset, function):
    """The samples of the datasets that `function` makes of the samples, one dataset after the other."""
    return Stream(lambda: (inner for sample in dataset for inner in apply_to_sample(function, sample)))
''',
    APPLY,
)
INTERLEAVED = step(
    "interleaved_samples",
    '''def interleaved_samples(dataset, function, cycle_length, block_length=1):
    """Samples of the datasets that `function` makes of the samples, `block_length` at a time of `cycle_length`."""

    def samples():
        sources = (iter(apply_to_sample(function, sample)) for sample in dataset)
        cycle = list(itertools.islice(sources, cycle_length))
        place = 0
        while cycle:
            block = list(itertools.islice(cycle[place], block_length))
            yield from block
            if len(block) == block_length:
                place += 1
            else:  # at its end: another takes its place, and its turn comes next time round
                following = next(sources, None)
                if following is None:
                    del cycle[place]
                else:
                    cycle[place] = following
                    place += 1
            place = place % len(cycle) if cycle else 0

    return Stream(samples)
''',
    APPLY,
    imports=("import itertools",),
)
UNBATCHED = step(
    "unbatched_samples",
    '''def unbatched_samples(dataset):
    """The rows of batches one by one."""
    return Stream(lambda: (row for batch in dataset for row in rows_of(batch)))


def rows_of(batch):
    """The rows of a batch: tensors, or tuples or dicts of them."""
    if isinstance(batch, (tuple, list)):
        return zip(*map(rows_of, batch))
    if isinstance(batch, dict):
        return (dict(zip(batch, values)) for values in zip(*map(rows_of, batch.values())))
    return batch
''',
)
SCANNED = step(
    "scanned_samples",
    '''def scanned_samples(dataset, state, function):
    """What `function(state, sample)` gives beside the next state."""

    def samples():
        current = state
        for sample in dataset:
            current, result = function(current, sample)
            yield result

    return Stream(samples)
''',
)
NUMPY = Helper(
    "numpy_samples",
    '''def numpy_samples(dataset):
    """The samples as NumPy arrays and scalars."""
    return (tree_map(lambda x: x.numpy()[()] if torch.is_tensor(x) else x, sample) for sample in dataset)
''',
    ("import torch", "from torch.utils._pytree import tree_map"),
)
