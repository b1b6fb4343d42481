"""Windows and padded batches of whatever iterates."""

from __future__ import annotations

from migrator.codemods.data.streams import APPLY, STACK, step

WINDOWS = step(
    "sample_windows",
    '''def sample_windows(dataset, size, shift=None, stride=1, drop_remainder=False):
    """Windows of up to `size` samples, `stride` apart, each begun `shift` after the last; a tuple for each part."""
    shift = size if shift is None else shift

    def samples():
        source, buffer = iter(dataset), []
        reach = (size - 1) * stride + 1
        while True:
            buffer += itertools.islice(source, reach - len(buffer))
            window = buffer[::stride]
            if not window or (drop_remainder and len(window) < size):
                return
            yield window_parts(window)
            skipped = max(shift - len(buffer), 0)
            buffer = buffer[shift:]
            for _ in itertools.islice(source, skipped):
                pass

    return Stream(samples)


def window_parts(window):
    """A list of samples as a dataset: of tuples and dicts a dataset for each part."""
    if isinstance(window[0], (tuple, list)):
        return tuple(window_parts(list(column)) for column in zip(*window))
    if isinstance(window[0], dict):
        return {name: window_parts([sample[name] for sample in window]) for name in window[0]}
    return Stream(window.__iter__)
''',
    imports=("import itertools",),
)
PADDED = step(
    "padded_batches",
    '''def padded_batches(dataset, batch_size, padded_shapes=None, padding_values=None, drop_remainder=False):
    """Batches whose samples are filled up to their largest, or to the sizes that `padded_shapes` says."""

    def batches():
        source = iter(dataset)
        while batch := list(itertools.islice(source, batch_size)):
            if len(batch) == batch_size or not drop_remainder:
                yield padded_batch(batch, padded_shapes, padding_values)

    return Stream(batches)


def padded_batch(samples, sizes, value):
    """One padded batch; `sizes` and `value` are built like a sample, or None."""
    if isinstance(samples[0], (tuple, list)):
        columns = zip(*samples)
        return tuple(padded_batch(c, sizes and sizes[i], padding_of(value, i)) for i, c in enumerate(columns))
    if isinstance(samples[0], dict):
        columns = {name: [s[name] for s in samples] for name in samples[0]}
        return {n: padded_batch(c, sizes and sizes[n], padding_of(value, n)) for n, c in columns.items()}
    if isinstance(samples[0], (str, bytes)) or getattr(samples[0], "dtype", None) == object:
        samples = [np.array(s.encode() if isinstance(s, str) else s, dtype=object) for s in samples]
        empty = b"" if value is None else value
    else:
        samples = [torch.as_tensor(s) for s in samples]
        empty = 0 if value is None else value
    wanted = [None] * samples[0].ndim if sizes is None else list(sizes)
    longest = [max(s.shape[i] for s in samples) if w in (None, -1) else w for i, w in enumerate(wanted)]
    if any(s.shape[i] > n for s in samples for i, n in enumerate(longest)):
        raise ValueError(f"a sample is larger than the padded shape {longest}")
    if isinstance(samples[0], np.ndarray):
        batch = np.full((len(samples), *longest), empty, dtype=object)
    else:
        batch = samples[0].new_full((len(samples), *longest), empty)
    for row, sample in zip(batch if longest else (), samples):
        row[tuple(slice(n) for n in sample.shape)] = sample
    return batch if longest else stack_samples(samples)


def padding_of(value, name):
    """The padding value of one part; one value may stand for all."""
    return value[name] if isinstance(value, (tuple, list, dict)) else value
''',
    STACK,
    imports=("import itertools", "import numpy as np", "import torch"),
)
GROUPED = step(
    "grouped_samples",
    '''def grouped_samples(dataset, key_func, reduce_func, window_size):
    """What `reduce_func(key, samples)` gives of each `window_size` samples of the same key."""

    def samples():
        groups = {}
        for sample in dataset:
            key = int(apply_to_sample(key_func, sample))
            groups.setdefault(key, []).append(sample)
            if len(groups[key]) == window_size:
                yield from reduce_func(torch.tensor(key), Stream(groups.pop(key).__iter__))
        for key, left in sorted(groups.items()):
            yield from reduce_func(torch.tensor(key), Stream(left.__iter__))

    return Stream(samples)
''',
    APPLY,
    imports=("import torch",),
)
BUCKETED = step(
    "bucketed_batches",
    '''def bucketed_batches(
    dataset,
    element_length_func,
    bucket_boundaries,
    bucket_batch_sizes,
    padded_shapes=None,
    padding_values=None,
    drop_remainder=False,
):
    """Padded batches of samples of similar length; each bucket has its own batch size."""
    def batches():
        buckets = [[] for _ in bucket_batch_sizes]
        for sample in dataset:
            bucket = bisect.bisect_right(bucket_boundaries, int(apply_to_sample(element_length_func, sample)))
            buckets[bucket].append(sample)
            if len(buckets[bucket]) == bucket_batch_sizes[bucket]:
                yield padded_batch(buckets[bucket], padded_shapes, padding_values)
                buckets[bucket] = []
        for left in buckets:
            if left and not drop_remainder:
                yield padded_batch(left, padded_shapes, padding_values)

    return Stream(batches)
''',
    APPLY,
    PADDED,
    STACK,
    imports=("import bisect",),
)
