"""Keras's applications: the calls that make a network, and what prepares its images."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

import numpy as np

from migrator.model import Helper
from migrator.rules.applications.code import network
from migrator.rules.engine.asked import dtype, is_float, kind
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, Sample, block, declined_block, declines, f32, pos

ALIKE = {
    **dict.fromkeys(("VGG16", "VGG19"), "vgg"),
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), "resnet"),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), "resnet_v2"),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), "densenet"),
    **{f"EfficientNetB{i}": "efficientnet" for i in range(8)},
    "Xception": "xception",
    "InceptionV3": "inception_v3",
}
"""Functions whose arguments are the same → file of their network."""


_LARGE = {"VGG19", "ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2", "DenseNet169", "DenseNet201", "InceptionV3"}
_LARGE |= {f"EfficientNetB{i}" for i in range(1, 8)}
_TENSOR = "`input_tensor` of an application"
_FILE = "weights of a file of Keras; `migrator weights` makes a state_dict of them"
_ENDS = "another `pooling` or `classifier_activation` than Keras's own"


def _samples(name: str) -> list[Sample]:
    made = f"tf.keras.applications.{name}"
    if name in _LARGE:
        return [declined_block(f'return {made}(include_top=False, weights="{name}.h5")(x).shape', x=f32(1, 96, 96, 3))]
    return [
        block(
            f'base = {made}(include_top=False, weights=None, pooling="avg")\nreturn base(x).shape', x=f32(1, 96, 96, 3)
        ),
        declined_block(
            f'base = {made}(include_top=False, weights="{name}.h5")\nreturn base(x).shape', x=f32(1, 96, 96, 3)
        ),
    ]


def _unknown(pooling, classifier_activation) -> bool:
    """Whether the ends of a network are others than the code has."""
    return pooling not in (None, "avg", "max") or classifier_activation not in (None, "softmax")


def _register(api: str, file: str) -> None:
    build = network(file, api)

    @rule(f"tf.keras.applications.{api}", samples=_samples(api))
    def application(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=None,
    ):
        if input_tensor is not None:
            raise Decline(_TENSOR)
        if weights not in (None, "imagenet"):
            raise Decline(_FILE)
        if _unknown(pooling, classifier_activation):
            raise Decline(_ENDS)
        return build(
            include_top=include_top,
            weights=weights,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )


for _name, _file in ALIKE.items():
    _register(_name, _file)

_mobilenet, _mobilenet_v2 = network("mobilenet", "MobileNet"), network("mobilenet_v2", "MobileNetV2")


@rule("tf.keras.applications.MobileNet", samples=_samples("MobileNet"))
def mobilenet(
    input_shape=None,
    alpha=1.0,
    depth_multiplier=1,
    dropout=0.001,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name=None,
):
    if input_tensor is not None:
        raise Decline(_TENSOR)
    if weights not in (None, "imagenet"):
        raise Decline(_FILE)
    if _unknown(pooling, classifier_activation):
        raise Decline(_ENDS)
    return _mobilenet(
        input_shape=input_shape,
        alpha=alpha,
        depth_multiplier=depth_multiplier,
        dropout=dropout,
        include_top=include_top,
        weights=weights,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
    )


@rule("tf.keras.applications.MobileNetV2", samples=_samples("MobileNetV2"))
def mobilenet_v2(
    input_shape=None,
    alpha=1.0,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name=None,
):
    if input_tensor is not None:
        raise Decline(_TENSOR)
    if weights not in (None, "imagenet"):
        raise Decline(_FILE)
    if _unknown(pooling, classifier_activation):
        raise Decline(_ENDS)
    return _mobilenet_v2(
        input_shape=input_shape,
        alpha=alpha,
        include_top=include_top,
        weights=weights,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
    )


# --- what prepares images ---

_caffe = Helper(
    "preprocess_caffe",
    '''def preprocess_caffe(images):
    """RGB images of 0 to 255 as BGR, less the mean colour of ImageNet."""
    return images.flip(-1) - torch.tensor([103.939, 116.779, 123.68], dtype=images.dtype, device=images.device)
''',
    ("import torch",),
)
_caffe_arrays = Helper(
    "preprocess_caffe_arrays",
    '''def preprocess_caffe_arrays(images):
    """RGB images of 0 to 255 as BGR, less the mean colour of ImageNet; arrays."""
    return images[..., ::-1] - np.array([103.939, 116.779, 123.68], images.dtype)
''',
    ("import numpy as np",),
)
_standardized = Helper(
    "preprocess_torch",
    '''def preprocess_torch(images):
    """RGB images of 0 to 255, less the mean colour of ImageNet, by its deviation."""
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=images.dtype).to(images.device)
    return (images / 255.0 - mean) / deviation
''',
    ("import torch",),
)
_standardized_arrays = Helper(
    "preprocess_torch_arrays",
    '''def preprocess_torch_arrays(images):
    """RGB images of 0 to 255, less the mean colour of ImageNet, by its deviation; arrays."""
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], images.dtype)
    return (images / images.dtype.type(255.0) - mean) / deviation
''',
    ("import numpy as np",),
)
_FORMAT = "images with their channels first"
_KIND = "whether images are arrays or tensors, and of which dtype, must be known when rewriting"


def _arrays(x, data_format) -> bool:
    """Whether images are arrays, which Keras makes float32 where they hold integers."""
    if data_format not in (None, "channels_last"):
        raise Decline(_FORMAT)
    if kind(x) == "numpy" and dtype(x) is not None:
        return True
    if kind(x) != "tensor" or not (dtype(x) is None or is_float(dtype(x))):
        raise Decline(_KIND)
    return False


def _integers(x) -> bool:
    return not is_float(dtype(x))


def _images(module: str) -> list[Sample]:
    call = f"tf.keras.applications.{module}.preprocess_input"
    return [
        S(f32(2, 3, 4, 3)),
        S(pos(3, 4, 3)),
        block(f'return {call}(np.ones((2, 3, 4, 3), dtype="float32"))', x=f32(1)),
        block(f'return {call}(np.ones((2, 3, 4, 3), dtype="uint8"))', x=f32(1)),
        declines(f32(2, 3, 4, 3), data_format="channels_first"),
    ]


for _module in ("mobilenet", "mobilenet_v2", "inception_v3", "inception_resnet_v2", "nasnet", "resnet_v2", "xception"):

    @rule(f"tf.keras.applications.{_module}.preprocess_input", samples=_images(_module))
    def scaled(x, data_format=None):
        if _arrays(x, data_format) and _integers(x):
            return x.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        return x / 127.5 - 1.0


for _module in ("vgg16", "vgg19", "resnet"):

    @rule(f"tf.keras.applications.{_module}.preprocess_input", samples=_images(_module))
    def caffe(x, data_format=None):
        if _arrays(x, data_format):
            if _integers(x):
                return _caffe_arrays(x.astype(np.float32))
            return _caffe_arrays(x)
        return _caffe(x)


@rule("tf.keras.applications.densenet.preprocess_input", samples=_images("densenet"))
def standardized(x, data_format=None):
    if _arrays(x, data_format):
        if _integers(x):
            return _standardized_arrays(x.astype(np.float32))
        return _standardized_arrays(x)
    return _standardized(x)


for _module in ("efficientnet", "efficientnet_v2", "mobilenet_v3", "convnext"):

    @rule(f"tf.keras.applications.{_module}.preprocess_input", samples=[S(f32(2, 3, 4, 3))])
    def unchanged(x, data_format: Ignored = None):
        return x
