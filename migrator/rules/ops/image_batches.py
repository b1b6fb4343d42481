"""`ImageDataGenerator` and the batches that it gives: Keras's own NumPy code in short, without SciPy."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import attribute, method, rule
from migrator.rules.engine.samples import Sample, block, declined_block, no_grad
from migrator.rules.ops.directories import FOLDERS
from migrator.rules.ops.image_batches_code import ImageDataGenerator
from migrator.rules.ops.pieces import given, own_call, written_length

_API = "tf.keras.preprocessing.image.ImageDataGenerator"
_BATCHES = "tf.keras.preprocessing.image.Iterator"
_PIXELS = """
x = np.random.RandomState(0).uniform(0, 255, (7, 6, 8, 3)).astype('float32')
y = np.arange(7) * 10
np.random.seed(3)
"""
_AXES = "channels first, another interpolation or a dtype"


def _from_arrays(parameters: str, result: str = "[next(batches) for _ in range(4)]", flow: str = "x, y, 3") -> Sample:
    made = f"images = {_API}({parameters})\nbatches = images.flow({flow})\nreturn {result}"
    return no_grad(block(_PIXELS + made))


def _fitted(parameters: str, fit: str = "x") -> Sample:
    made = f"images = {_API}({parameters})\nimages.fit({fit})\nreturn next(images.flow(x, batch_size=4))"
    return no_grad(block(_PIXELS + made))


_CHANGES = (
    "",
    "rescale=1 / 255, horizontal_flip=True, vertical_flip=True",
    "channel_shift_range=40.0, samplewise_center=True",
    "brightness_range=(0.3, 1.6)",
    "samplewise_std_normalization=True, preprocessing_function=lambda image: image - 3",
)


@rule(
    _API,
    samples=[
        *map(_from_arrays, _CHANGES),
        _fitted("featurewise_center=True"),
        _fitted("featurewise_std_normalization=True, rescale=0.1"),
        _fitted("False, False, True, horizontal_flip=True", "x, augment=True, rounds=2, seed=4"),
        declined_block(f"return {_API}(zca_whitening=True)"),
        declined_block(f"return {_API}(data_format='channels_first')"),
        declined_block(f"return {_API}(rotation_range=10, fill_mode='wrap')"),
    ],
)
def generator(
    featurewise_center=False,
    samplewise_center=False,
    featurewise_std_normalization=False,
    samplewise_std_normalization=False,
    zca_whitening=False,
    zca_epsilon: Ignored = 1e-6,
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
    data_format=None,
    validation_split=0.0,
    interpolation_order=1,
    dtype=None,
):
    if zca_whitening:
        raise Decline("ZCA whitening")
    if fill_mode not in ("nearest", "constant", "reflect"):
        raise Decline("pixels beyond an edge that are those of the other side")
    if (data_format is not None and data_format != "channels_last") or interpolation_order != 1 or given(dtype):
        raise Decline(_AXES)
    return ImageDataGenerator(
        featurewise_center=featurewise_center,
        samplewise_center=samplewise_center,
        featurewise_std_normalization=featurewise_std_normalization,
        samplewise_std_normalization=samplewise_std_normalization,
        rotation_range=rotation_range,
        width_shift_range=width_shift_range,
        height_shift_range=height_shift_range,
        brightness_range=brightness_range,
        shear_range=shear_range,
        zoom_range=zoom_range,
        channel_shift_range=channel_shift_range,
        fill_mode=fill_mode,
        cval=cval,
        horizontal_flip=horizontal_flip,
        vertical_flip=vertical_flip,
        rescale=rescale,
        preprocessing_function=preprocessing_function,
        validation_split=validation_split,
    )


_WEIGHED = "x, y, 2, sample_weight=y / 10, seed=5"


@method(
    f"{_API}.flow",
    samples=[
        _from_arrays("", "len(batches), batches[1], batches[0], batches.n, batches.batch_size"),
        _from_arrays("", flow="x, batch_size=4, shuffle=False"),
        _from_arrays("horizontal_flip=True", flow=_WEIGHED),
        _from_arrays("validation_split=0.3", "next(batches)", "x, subset='validation'"),
        _from_arrays("validation_split=0.3", "len(batches), next(batches)", "x, batch_size=2, subset='training'"),
        _from_arrays("", "[images.shape for _, images in zip(range(5), batches)]", "x, batch_size=3"),
        declined_block(f"return {_API}().flow([x, x], y)"),
        declined_block(f"return {_API}().flow(x, save_to_dir='a')"),
    ],
)
def flow(
    self,
    x,
    y=None,
    batch_size=32,
    shuffle=True,
    sample_weight=None,
    seed=None,
    save_to_dir=None,
    save_prefix: Ignored = "",
    save_format: Ignored = "png",
    ignore_class_split: Ignored = False,
    subset=None,
):
    if written_length(x) is not None:
        raise Decline("images together with other inputs")
    if given(save_to_dir):
        raise Decline("images that are saved")
    return own_call("flow", self, 2 if given(y) else 1, x, y, batch_size, shuffle, sample_weight, seed, subset)


_SEEN = "[next(batches) for _ in range(4)], batches.class_indices, batches.classes, batches.filenames"


def _from_folders(more: str, result: str = _SEEN, parameters: str = "rescale=1 / 255") -> Sample:
    made = f"images = {_API}({parameters})\nbatches = images.flow_from_directory('data'{more})\nreturn {result}"
    return no_grad(block(f"{FOLDERS}\nnp.random.seed(7)\n{made}"))


_NUMBERS = "batches.samples, batches.num_classes, batches.image_shape, batches.class_mode, batches.labels"


@method(
    f"{_API}.flow_from_directory",
    samples=[
        _from_folders(", target_size=(9, 12), batch_size=4"),
        _from_folders(", (9, 12), 'grayscale', class_mode='sparse', batch_size=4, seed=2"),
        _from_folders(", target_size=(5, 5), classes=['c', 'a'], class_mode='binary', shuffle=False"),
        _from_folders(", target_size=(5, 5), class_mode='input', interpolation='bilinear'", "next(batches)"),
        _from_folders(", target_size=(5, 5), class_mode=None, shuffle=False", _NUMBERS + ", next(batches)"),
        _from_folders(", target_size=(5, 5), subset='training'", _SEEN, "validation_split=0.5"),
        _from_folders(", target_size=(5, 5), subset='validation'", _SEEN, "validation_split=0.5"),
        declined_block(f"return {_API}().flow_from_directory('a', save_to_dir='b')"),
        declined_block(f"return {_API}().flow_from_directory('a', keep_aspect_ratio=True)"),
    ],
)
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
    save_to_dir=None,
    save_prefix: Ignored = "",
    save_format: Ignored = "png",
    follow_links=False,
    subset=None,
    interpolation="nearest",
    keep_aspect_ratio=False,
):
    if given(save_to_dir) or follow_links or keep_aspect_ratio:
        raise Decline("images that are saved, links or aspect ratios")
    return own_call(
        "flow_from_directory",
        self,
        1,
        directory,
        target_size,
        color_mode,
        classes,
        class_mode,
        batch_size,
        shuffle,
        seed,
        subset,
        interpolation,
    )


@method(f"{_API}.fit", samples=[_fitted("featurewise_center=True")])
def fit(self, x, augment=False, rounds=1, seed=None):
    return own_call("fit", self, 1, x, augment, rounds, seed)


@method(f"{_API}.standardize", samples=[_from_arrays("rescale=0.5", "images.standardize(x[0])")])
def standardize(self, x):
    return self.standardize(x)


@method(f"{_API}.random_transform", samples=[_from_arrays("horizontal_flip=True", "images.random_transform(x[0])")])
def random_transform(self, x, seed=None):
    if given(seed):
        raise Decline("a seed")
    return self.random_transform(x)


@method(f"{_BATCHES}.reset", samples=[_from_arrays("", "next(batches), batches.reset(), next(batches)")])
def reset(self):
    return self.reset()


@method(f"{_BATCHES}.on_epoch_end", samples=[_from_arrays("", "batches[0], batches.on_epoch_end(), batches[0]")])
def on_epoch_end(self):
    return self.on_epoch_end()


@method(f"{_BATCHES}.next", samples=())
def following(self):
    return next(self)


for _name in ("n", "batch_size", "shuffle", "seed", "batch_index", "total_batches_seen"):
    attribute(f"{_BATCHES}.{_name}", f"x.{_name}", samples=[_from_arrays("", f"batches.{_name}")])
for _name in ("class_indices", "classes", "labels", "filenames", "filepaths", "samples", "num_classes", "image_shape"):
    attribute(f"{_BATCHES}.{_name}", f"x.{_name}", samples=[_from_folders("", f"batches.{_name}")])
attribute(f"{_BATCHES}.class_mode", "x.class_mode", samples=[_from_folders("", "batches.class_mode")])
