"""Keras's random changes of images and its batches from arrays and folders, as code of the migrated program."""

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.ops.keras_files import array_to_img, img_to_array, load_img

ImageBatches = Helper(
    "ImageBatches",
    '''class ImageBatches(Dataset):
    """Batches that `batch` makes of the numbers of their rows; `next` and `for` go on from pass to pass without end."""

    def __init__(self, batch, n, batch_size, shuffle, seed):
        self.batch, self.n, self.batch_size, self.shuffle, self.seed = batch, n, batch_size, shuffle, seed
        self.order, self.batch_index, self.total_batches_seen = None, 0, 0

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        self.reseed()
        if self.order is None:
            self.on_epoch_end()
        return self.rows(index)

    def __iter__(self):
        return self

    def __next__(self):
        self.reseed()
        if self.batch_index == 0:
            self.on_epoch_end()
        index, self.batch_index = self.batch_index, (self.batch_index + 1) % len(self)
        return self.rows(index)

    def reseed(self):
        """Begin another batch, with random numbers of its own where there is a seed."""
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def rows(self, index):
        return self.batch(self.order[index * self.batch_size : (index + 1) * self.batch_size])

    def on_epoch_end(self):
        self.order = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def reset(self):
        self.batch_index = 0
''',
    ("import numpy as np", "from torch.utils.data import Dataset"),
)

sample_affine = Helper(
    "sample_affine",
    '''def sample_affine(image, matrix, fill_mode, cval):
    """An image whose pixels are those of `image` at `matrix` times their (row, column, 1), bilinear between them."""
    height, width, _ = image.shape
    rows, columns = np.indices((height, width))
    y = matrix[0, 0] * rows + matrix[0, 1] * columns + matrix[0, 2]
    x = matrix[1, 0] * rows + matrix[1, 1] * columns + matrix[1, 2]
    grid = torch.from_numpy(np.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], axis=-1))
    pixels = torch.from_numpy(image).double().permute(2, 0, 1)
    padding = "reflection" if fill_mode == "reflect" else "border"
    sampled = F.grid_sample(pixels[None], grid[None], padding_mode=padding, align_corners=False)[0]
    sampled = sampled.permute(1, 2, 0).float().numpy()
    if fill_mode == "constant":
        inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
        return np.where(inside[:, :, None], sampled, np.float32(cval))
    return sampled
''',
    ("import numpy as np", "import torch", "import torch.nn.functional as F"),
)

image_paths = Helper(
    "image_paths",
    '''def image_paths(directory, classes, part):
    """Paths below `directory` of the images of each class, a folder, and the class of each; `part`: two shares."""
    endings = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
    names, labels = [], []
    for number, folder in enumerate(classes):
        found = []
        for root, _, files in sorted(os.walk(os.path.join(directory, folder))):
            files = (os.path.join(root, file) for file in sorted(files) if file.lower().endswith(endings))
            found += [os.path.relpath(path, directory) for path in files]
        found = found[int(part[0] * len(found)) : int(part[1] * len(found))]
        names += found
        labels += [number] * len(found)
    return names, np.array(labels, dtype="int32")
''',
    ("import numpy as np", "import os"),
)

ImageDataGenerator = Helper(
    "ImageDataGenerator",
    '''class ImageDataGenerator:
    """Batches of images from arrays and folders, which it changes at random and standardizes.

    Angles are in degrees. Shifts below 1 are shares of a side; whole numbers and lists say which pixels.
    """

    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        validation_split=0.0,
    ):
        self.featurewise_center = featurewise_center or featurewise_std_normalization
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.zoom_range = [1 - zoom_range, 1 + zoom_range] if np.isscalar(zoom_range) else list(zoom_range)
        self.brightness_range, self.channel_shift_range = brightness_range, channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.validation_split = validation_split
        self.mean = self.std = None

    def flow(self, x, y=None, batch_size=32, shuffle=True, sample_weight=None, seed=None, subset=None):
        """Batches of images (count, height, width, channels), with their targets and weights where there are some."""
        parts = [np.asarray(part) for part in (x, y, sample_weight) if part is not None]
        if subset is not None:
            held_out = int(len(x) * self.validation_split)
            parts = [part[:held_out] if subset == "validation" else part[held_out:] for part in parts]
        images, *rest = parts

        def batch(rows):
            changed = [self.standardize(self.random_transform(image)) for image in images[rows]]
            changed = np.array(changed, dtype="float32")
            return (changed, *(part[rows] for part in rest)) if rest else changed

        return ImageBatches(batch, len(images), batch_size, shuffle, seed)

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        subset=None,
        interpolation="nearest",
    ):
        """Batches of the images in the folders of `directory`, one a class, with their labels."""
        classes = classes or sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        split = self.validation_split
        part = {None: (0, 1), "validation": (0, split), "training": (split, 1)}[subset]
        names, labels = image_paths(directory, classes, part)
        paths = [os.path.join(directory, name) for name in names]
        print(f"Found {len(paths)} images belonging to {len(classes)} classes.")

        def batch(rows):
            images = (load_img(paths[row], color_mode, target_size, interpolation) for row in rows)
            changed = [self.standardize(self.random_transform(img_to_array(image))) for image in images]
            changed = np.array(changed, dtype="float32")
            if class_mode is None:
                return changed
            if class_mode == "categorical":
                return changed, np.eye(len(classes), dtype="float32")[labels[rows]]
            return changed, changed.copy() if class_mode == "input" else labels[rows].astype("float32")

        batches = ImageBatches(batch, len(paths), batch_size, shuffle, seed)
        batches.class_indices = {name: number for number, name in enumerate(classes)}
        batches.samples, batches.num_classes, batches.class_mode = len(paths), len(classes), class_mode
        batches.filenames, batches.filepaths, batches.classes, batches.labels = names, paths, labels, labels
        batches.image_shape = (*target_size, {"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode])
        return batches

    def random_transform(self, image):
        """The image turned, moved, sheared, zoomed, flipped and of other colours, each by chance."""
        image = np.asarray(image, dtype="float32")
        matrix = self.random_matrix(*image.shape[:2])
        if not np.array_equal(matrix, np.eye(3)):
            image = sample_affine(image, matrix, self.fill_mode, self.cval)
        flips = np.random.random(), np.random.random()
        if self.channel_shift_range:
            shift = np.random.uniform(-self.channel_shift_range, self.channel_shift_range)
            image = np.clip(image + np.float32(shift), image.min(), image.max())
        if self.horizontal_flip and flips[0] < 0.5:
            image = image[:, ::-1]
        if self.vertical_flip and flips[1] < 0.5:
            image = image[::-1]
        if self.brightness_range is not None:
            image = self.brightened(image, np.random.uniform(*self.brightness_range))
        return image.copy()

    def random_matrix(self, height, width):
        """Where the pixels (row, column, 1) of a changed image are in the original."""
        matrix = np.eye(3)
        if self.rotation_range:
            angle = np.deg2rad(np.random.uniform(-self.rotation_range, self.rotation_range))
            matrix[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        # As in Keras, the height's shift moves columns and the width's rows.
        down = self.random_shift(self.height_shift_range, height)
        across = self.random_shift(self.width_shift_range, width)
        matrix = matrix @ [[1, 0, across], [0, 1, down], [0, 0, 1]]
        if self.shear_range:
            angle = np.deg2rad(np.random.uniform(-self.shear_range, self.shear_range))
            matrix = matrix @ [[np.cos(angle), 0, 0], [-np.sin(angle), 1, 0], [0, 0, 1]]
        if self.zoom_range != [1, 1]:
            zoom = np.random.uniform(*self.zoom_range, 2)
            matrix = matrix @ np.diag([zoom[1], zoom[0], 1])
        centre = np.array([[1, 0, width / 2 - 0.5], [0, 1, height / 2 - 0.5], [0, 0, 1]])
        return centre @ matrix @ np.linalg.inv(centre)

    def random_shift(self, bound, side):
        if not bound:
            return 0
        if isinstance(bound, float):
            shift = np.random.uniform(-bound, bound)
        else:
            shift = np.random.choice(bound) * np.random.choice([-1, 1])
        return shift * side if np.max(bound) < 1 else shift

    def brightened(self, image, factor):
        """The image so many times as bright, cut to 0 to 255 or, where it goes beyond, to its own range."""
        low, high = image.min(), image.max()
        spread = low < 0 or high > 255
        enhanced = ImageEnhance.Brightness(array_to_img(image, scale=spread)).enhance(factor)
        return img_to_array(enhanced) / 255 * (high - low) + low if spread else img_to_array(enhanced)

    def standardize(self, image):
        """The image as the model is to see it; one that is `fit` has the mean and deviation of its data."""
        if self.preprocessing_function:
            image = self.preprocessing_function(image)
        if self.rescale:
            image = image * self.rescale
        if self.samplewise_center:
            image = image - image.mean()
        if self.samplewise_std_normalization:
            image = image / (image.std() + 1e-6)
        if self.mean is not None:
            image = image - self.mean
        return image if self.std is None else image / (self.std + 1e-6)

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Take the mean and deviation of each channel from images, where they are asked for."""
        if seed is not None:
            np.random.seed(seed)
        images = np.asarray(x, dtype="float32") * (self.rescale or 1)
        if augment:
            images = np.stack([self.random_transform(image) for _ in range(rounds) for image in images])
        if self.featurewise_center:
            self.mean = images.mean(axis=(0, 1, 2))
        if self.featurewise_std_normalization:
            self.std = (images - self.mean).std(axis=(0, 1, 2))
''',
    ("import numpy as np", "import os", "from PIL import ImageEnhance"),
    (ImageBatches, sample_affine, image_paths, load_img, img_to_array, array_to_img),
)
