"""`image_dataset_from_directory`, `text_dataset_from_directory` and `timeseries_dataset_from_array` as loaders."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import attribute, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.image_files import decode_image, decode_jpeg
from migrator.rules.ops.raw_files import decode_png

labelled_files = Helper(
    "labelled_files",
    '''def labelled_files(directory, endings, labels, class_names, shuffle, seed, validation_split, subset):
    """Paths of files, their labels and the names of the classes, which are the folders in `directory`."""
    folders = sorted(e.name for e in os.scandir(directory) if e.is_dir() and not e.name.startswith("."))
    classes = list(class_names or folders) if labels is not None else [""]
    found = []
    for number, name in enumerate(classes):
        for root, _, files in sorted(os.walk(os.path.join(directory, name))):
            paths = (os.path.join(root, file) for file in sorted(files) if file.lower().endswith(endings))
            found += [(path, number) for path in paths]
    if shuffle:
        np.random.RandomState(seed).shuffle(found)
    print(f"Found {len(found)} files" + (f" belonging to {len(classes)} classes." if labels is not None else "."))
    if validation_split:
        held_out = int(validation_split * len(found))
        found = found[:-held_out] if subset == "training" else found[-held_out:]
        print(f"Using {len(found)} files for {subset}.")
    return [path for path, _ in found], [label for _, label in found], classes if labels is not None else None
''',
    ("import numpy as np", "import os"),
)
LabelledFiles = Helper(
    "LabelledFiles",
    '''class LabelledFiles(Dataset):
    """What `read` makes of files, each with its label as `label_mode` says."""

    def __init__(self, read, paths, labels, classes, label_mode):
        self.read, self.paths, self.labels = read, paths, labels
        self.classes, self.label_mode = classes, label_mode

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        sample, label = self.read(self.paths[index]), self.labels[index]
        if self.label_mode is None or self.classes is None:
            return sample
        if self.label_mode == "categorical":
            return sample, F.one_hot(torch.tensor(label), len(self.classes)).float()
        return sample, torch.tensor([label]).float() if self.label_mode == "binary" else torch.tensor(label)


class FileLoader(DataLoader):
    """Batches of files; knows their paths and the names of the classes."""

    @property
    def class_names(self):
        return self.dataset.classes

    @property
    def file_paths(self):
        return self.dataset.paths
''',
    ("import torch", "import torch.nn.functional as F", "from torch.utils.data import DataLoader, Dataset"),
)
image_loader = Helper(
    "image_loader",
    '''def image_loader(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    channels=3,
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
):
    """Batches of (images, labels) from the folders of a directory; images are (height, width, channels) of 0 to 255."""

    def read(path):
        with open(path, "rb") as file:
            image = decode_image(file.read(), channels, expand_animations=False).permute(2, 0, 1)[None]
        if interpolation == "nearest":
            resized = F.interpolate(image, tuple(image_size), mode="nearest-exact")
        else:
            resized = F.interpolate(image.float(), tuple(image_size), mode="bilinear", align_corners=False)
        return resized[0].permute(1, 2, 0)

    endings = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
    paths, labels, classes = labelled_files(
        directory, endings, labels, class_names, shuffle, seed, validation_split, subset
    )
    return FileLoader(LabelledFiles(read, paths, labels, classes, label_mode), batch_size, shuffle=shuffle)
''',
    ("import torch.nn.functional as F",),
    (labelled_files, LabelledFiles, decode_image, decode_jpeg, decode_png),
)
text_loader = Helper(
    "text_loader",
    '''def text_loader(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
):
    """Batches of (texts, labels) from the `.txt` files in the folders of a directory; texts are arrays of bytes."""

    def read(path):
        with open(path, "rb") as file:
            return file.read()[:max_length]

    def collate(samples):
        if not isinstance(samples[0], tuple):
            return np.array(samples, dtype=object)
        return np.array([text for text, _ in samples], dtype=object), torch.stack([label for _, label in samples])

    paths, labels, classes = labelled_files(
        directory, (".txt",), labels, class_names, shuffle, seed, validation_split, subset
    )
    files = LabelledFiles(read, paths, labels, classes, label_mode)
    return FileLoader(files, batch_size, shuffle=shuffle, collate_fn=collate)
''',
    ("import numpy as np", "import torch"),
    (labelled_files, LabelledFiles),
)

FOLDERS = """
from PIL import Image
y, x = np.mgrid[:33, :47]
for number, name in enumerate(('b/one.png', 'b/two.jpg', 'a/three.png', 'a/deep/four.jpg', 'c/five.bmp', 'c/six.png')):
    os.makedirs(os.path.dirname('data/' + name), exist_ok=True)
    pixels = np.stack([x * number + y, y * 7, x * y], -1).astype('uint8')
    Image.fromarray(pixels).save('data/' + name)
    os.makedirs('clear/' + name[0], exist_ok=True)
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(f'clear/{name[0]}/{number}.png')
    with open('data/' + name[:-3] + 'txt', 'w') as file:
        file.write(f'text number {number}')
def told(ds):
    rows = [row for batch in ds for row in (zip(*batch) if isinstance(batch, (tuple, list)) else batch)]
    return len(rows), rows
"""


def _told(call: str, extra: str = "") -> Sample:
    return no_grad(block(f"{FOLDERS}ds = tf.keras.utils.{call}\nreturn told(ds){extra}"))


def _ordered(name: str, more: str, extra: str = "") -> Sample:
    return _told(f"{name}('data', shuffle=False{more})", extra)


_IMAGES = "image_dataset_from_directory"
_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


@rule(
    f"tf.keras.utils.{_IMAGES}",
    samples=[
        _ordered(_IMAGES, ", image_size=(9, 12)", ", ds.class_names, ds.file_paths"),
        _ordered(_IMAGES, ", image_size=(9, 12), label_mode='categorical', batch_size=4"),
        _ordered(_IMAGES, ", image_size=(40, 12), label_mode=None, interpolation='nearest'"),
        _ordered(_IMAGES, ", image_size=(8, 8), labels=None, color_mode='rgb'"),
        _ordered(_IMAGES, ", image_size=(8, 8), color_mode='grayscale', class_names=['a', 'b']"),
        _told(f"{_IMAGES}('clear', shuffle=False, image_size=(40, 50), color_mode='rgba')"),
        _ordered(_IMAGES, ", image_size=(8, 8), class_names=['c', 'a']", ", ds.class_names"),
        _ordered(_IMAGES, ", image_size=[8, 8], class_names=['c', 'a'], label_mode='binary'"),
        _ordered(_IMAGES, ", image_size=(8, 8), validation_split=0.4, subset='training', seed=3"),
        _told(f"{_IMAGES}('data', seed=5, image_size=(8, 8), validation_split=0.5, subset='validation').file_paths"),
        declined_block(f"return tf.keras.utils.{_IMAGES}('a', color_mode='cmyk')"),
        declined_block(f"return tf.keras.utils.{_IMAGES}('a', interpolation='area')"),
    ],
    gaps=["the loader shuffles over all files, not in a buffer"],
)
def images(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    format="tf",
    verbose: Ignored = True,
):
    if color_mode not in _CHANNELS or interpolation not in ("bilinear", "nearest"):
        raise Decline("images of other colours, or another interpolation")
    if follow_links or crop_to_aspect_ratio or pad_to_aspect_ratio or data_format is not None or format != "tf":
        raise Decline("links, aspect ratios or another format")
    if subset == "both" or isinstance(labels, (list, tuple)):
        raise Decline("two datasets at once, or labels that are listed")
    return image_loader(
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        channels=_CHANNELS[color_mode],
        batch_size=batch_size,
        image_size=image_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        interpolation=interpolation,
    )


_TEXTS = "text_dataset_from_directory"


@rule(
    f"tf.keras.utils.{_TEXTS}",
    samples=[
        _ordered(_TEXTS, "", ", ds.class_names"),
        _ordered(_TEXTS, ", batch_size=4, max_length=6, label_mode='categorical'"),
        _ordered(_TEXTS, ", labels=None"),
        _ordered(_TEXTS, ", validation_split=0.3, subset='validation', seed=1"),
        declined_block(f"return tf.keras.utils.{_TEXTS}('a', subset='both', validation_split=0.2)"),
    ],
    gaps=["the loader shuffles over all files, not in a buffer"],
)
def texts(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    format="tf",
    verbose: Ignored = True,
):
    if follow_links or format != "tf" or subset == "both" or isinstance(labels, (list, tuple)):
        raise Decline("links, another format, two datasets at once, or labels that are listed")
    return text_loader(
        directory,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        max_length=max_length,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
    )


attribute("tf.data.Dataset.class_names", "x.class_names", samples=[_ordered(_TEXTS, "", ", ds.class_names")])
attribute("tf.data.Dataset.file_paths", "x.file_paths", samples=[_ordered(_IMAGES, "", ", ds.file_paths")])

timeseries_loader = Helper(
    "timeseries_loader",
    '''def timeseries_loader(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
):
    """Batches of windows over the rows of `data`, with the target of each window where there are targets."""
    data = torch.as_tensor(np.asarray(data)[start_index:end_index])
    rows = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = torch.as_tensor(np.asarray(targets)[start_index:end_index])
        rows = min(rows, len(targets))
    starts = np.arange(0, rows, sequence_stride)
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)

    def window(start):
        stop = start + (sequence_length - 1) * sampling_rate + 1
        found = data[start:stop:sampling_rate]
        return found if targets is None else (found, targets[start])

    return DataLoader([window(start) for start in starts.tolist()], batch_size, shuffle=shuffle)
''',
    ("import numpy as np", "import torch", "from torch.utils.data import DataLoader"),
)
_SERIES = "x = np.arange(40, dtype='float32').reshape(20, 2)\ny = np.arange(20) * 10\n"
_LISTED = "[item for batch in ds for item in (batch if isinstance(batch, (tuple, list)) else [batch])]"


def _windows(*arguments: str) -> list[Sample]:
    call = "ds = tf.keras.utils.timeseries_dataset_from_array({})\nreturn {}"
    return [no_grad(block(_SERIES + call.format(text, _LISTED))) for text in arguments]


@rule(
    "tf.keras.utils.timeseries_dataset_from_array",
    samples=[
        *_windows(
            "x, y, 5", "x, None, sequence_length=4, sequence_stride=3, batch_size=3", "x, y[3:], 3, batch_size=7"
        ),
        *_windows("x, y, 4, sampling_rate=2, batch_size=5", "x, y, 4, start_index=3, end_index=15"),
        *_windows("x[:, 0], y, sequence_length=3, sequence_stride=2, sampling_rate=3"),
    ],
    gaps=["the loader shuffles over all windows, not in a buffer"],
)
def timeseries(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
    format="tf",
):
    if format != "tf":
        raise Decline("another format")
    return timeseries_loader(
        data,
        targets,
        sequence_length,
        sequence_stride=sequence_stride,
        sampling_rate=sampling_rate,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        start_index=start_index,
        end_index=end_index,
    )
