"""What prepares images for Keras's applications."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

import numpy as np

from migrator.model import Helper
from migrator.rules.engine.asked import dtype, is_float, kind
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import S, Sample, block, declines, f32, pos

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
