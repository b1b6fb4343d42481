"""The shapes of Keras's applications: what comes out for an image of a given size."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from migrator.facts.arithmetic import dims_of
from migrator.network_layers import layers_of
from migrator.values import Dim, LayerOf, LayerOutput, Literal, ModelValue, Tensor, Unknown, Value

PREFIX = "tf.keras.applications."
FEATURES = "tf.keras.applications.Features"
"""What models are that give what layers of an application give."""
# What becomes of a height or width on the way: halved and rounded up (c) or down (f), by a convolution or pooling
# of 3 without padding at stride 2 (v) or 1 (m), of 4 at stride 4 (q).
_STEPS = {
    "VGG": "fffff",
    "ResNet": "ccccc",
    "DenseNet": "ccfff",
    "MobileNet": "cffff",
    "MobileNetV2": "ccccc",
    "EfficientNet": "ccccc",
    "Xception": "vmcccc",
    "InceptionV3": "vmvmvvv",
    "NASNet": "vcccc",
    "ConvNeXt": "qfff",
}
_HALVED: dict[str, Callable[[int], int]] = {
    "c": lambda n: -(-n // 2),
    "f": lambda n: n // 2,
    "v": lambda n: (n - 3) // 2 + 1,
    "m": lambda n: n - 2,
    "q": lambda n: n // 4,
}
_DENSENETS = {"DenseNet121": 1024, "DenseNet169": 1664, "DenseNet201": 1920}
_EFFICIENTNETS = (1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560)
_EFFICIENTNETS_V2 = {"B0": 1280, "B1": 1280, "B2": 1408, "B3": 1536, "S": 1280, "M": 1280, "L": 1280}
_CONVNEXTS = {"Tiny": 768, "Small": 768, "Base": 1024, "Large": 1536, "XLarge": 2048}
FAMILIES = {
    "VGG16": ("VGG", 512),
    "VGG19": ("VGG", 512),
    **{f"ResNet{depth}{version}": ("ResNet", 2048) for depth in (50, 101, 152) for version in ("", "V2")},
    **{name: ("DenseNet", channels) for name, channels in _DENSENETS.items()},
    "MobileNet": ("MobileNet", 1024),
    "MobileNetV2": ("MobileNetV2", 1280),
    **{f"EfficientNetB{i}": ("EfficientNet", channels) for i, channels in enumerate(_EFFICIENTNETS)},
    "Xception": ("Xception", 2048),
    "InceptionV3": ("InceptionV3", 2048),
    "InceptionResNetV2": ("InceptionV3", 1536),
    "MobileNetV3Small": ("MobileNetV2", 96),
    "MobileNetV3Large": ("MobileNetV2", 160),
    **{f"EfficientNetV2{size}": ("EfficientNet", channels) for size, channels in _EFFICIENTNETS_V2.items()},
    "NASNetMobile": ("NASNet", 1056),
    "NASNetLarge": ("NASNet", 4032),
    **{f"ConvNeXt{size}": ("ConvNeXt", channels) for size, channels in _CONVNEXTS.items()},
}
"""Class name → (family whose sizes it has, channels of its features; of MobileNetV3 those of its last block)."""
_EFFICIENTNET_SIZES = (224, 240, 260, 300, 380, 456, 528, 600)
_DEFAULT_SIZES = {
    **dict.fromkeys(("Xception", "InceptionV3", "InceptionResNetV2"), 299),
    "NASNetLarge": 331,
    **{f"EfficientNetB{i}": size for i, size in enumerate(_EFFICIENTNET_SIZES)},
    **{
        f"EfficientNetV2{size}": n
        for size, n in {"B1": 240, "B2": 260, "B3": 300, "S": 384, "M": 480, "L": 480}.items()
    },
}
_TOP = ("flatten", "fc1", "fc2")
"""The layers of a VGG between its maps of features and its classes."""
_ANY_SIZE = ("MobileNetV3Small", "MobileNetV3Large")


def name_of(api: str) -> str:
    """The class of a canonical name ("tf.keras.applications.vgg16.VGG16" → "VGG16"); "" for anything else."""
    return api.rpartition(".")[2] if api.startswith(PREFIX) and api.rpartition(".")[2] in FAMILIES else ""


def input_of(name: str, args: Mapping[str, Value]) -> Tensor:
    """The images that an application was built for."""
    given = args.get("input_tensor")
    if isinstance(given, Tensor) and given.shape is not None and len(given.shape) == 4:
        return Tensor((None, *given.shape[1:]), "float32", "keras")
    shape = args.get("input_shape", Literal(None))
    if shape != Literal(None):
        found = dims_of(shape)
        return Tensor((None, *found) if found is not None and len(found) == 3 else (None,) * 4, "float32", "keras")
    top = args.get("include_top", Literal(True)) != Literal(False)
    fixed = name == "NASNetMobile" or (top and name not in _ANY_SIZE)
    size = default_size(name) if fixed else None
    return Tensor((None, size, size, 3), "float32", "keras")


def default_size(name: str) -> int:
    """The height and width of images of ImageNet as an application takes them."""
    return _DEFAULT_SIZES.get(name, 224)


def output_of(name: str, args: Mapping[str, Value], images: Tensor) -> Tensor:
    """What comes out: class scores, pooled features or a map of them."""
    if args.get("include_top", Literal(True)) != Literal(False):
        classes = args.get("classes", Literal(1000))
        known = classes.value if isinstance(classes, Literal) and isinstance(classes.value, int) else None
        return Tensor((None, known), "float32", "keras")
    family, _ = FAMILIES[name]
    channels = _channels(name, args)
    if args.get("pooling", Literal(None)) != Literal(None):
        return Tensor((None, channels), "float32", "keras")
    height, width = (None, None) if images.shape is None else images.shape[1:3]
    return Tensor((None, _reduced(height, family), _reduced(width, family), channels), "float32", "keras")


def layers(network: ModelValue) -> tuple[Value, ...] | None:
    """All layers of a network, in Keras's order; None where they are not known, as those of most tops are."""
    name, given = name_of(network.api), dict(network.given)
    names = [layer.name for layer in layers_of(name)]
    if _has_top(network) is not False:
        names = [*names, *_TOP, "predictions"] if _has_top(network) and FAMILIES.get(name, ("",))[0] == "VGG" else []
    elif given.get("pooling", Literal(None)) != Literal(None):
        return None
    return tuple(LayerOf(network, each) if each else Unknown() for each in names) or None


def _has_top(network: ModelValue) -> bool | None:
    """Whether a network has layers for classes; None where only the run tells."""
    top = dict(network.given).get("include_top", Literal(True))
    return top.value if isinstance(top, Literal) and isinstance(top.value, bool) else None


def layer_output(layer: LayerOf) -> Value:
    """What a layer of a VGG gives in its graph; Unknown for other networks, and for a layer that is not there."""
    name = name_of(layer.network.api)
    if FAMILIES.get(name, ("",))[0] != "VGG":
        return Unknown()
    if not layer.name:
        return LayerOutput(None, "float32", "keras", network=layer.network)
    if layer.name in _TOP and _has_top(layer.network):
        width = None if layer.name == "flatten" else 4096
        return LayerOutput((None, width), "float32", "keras", network=layer.network, layer=layer.name)
    found = re.fullmatch(r"block(\d)_(?:conv\d|(pool))", layer.name)
    if found is None or layer.name not in {known.name for known in layers_of(name)}:
        return Unknown()
    block, pooled = int(found[1]), found[2] is not None
    images = layer.network.inputs[0] if layer.network.inputs else None
    sizes = images.shape[1:3] if isinstance(images, Tensor) and images.shape else (None, None)
    small = tuple(n >> (block - 1 + pooled) if isinstance(n, int) else None for n in sizes)
    shape = (None, *small, min(32 << block, 512))
    return LayerOutput(shape, "float32", "keras", network=layer.network, layer=layer.name)


def _channels(name: str, args: Mapping[str, Value]) -> int | None:
    channels = FAMILIES[name][1]
    alpha = args.get("alpha", Literal(1.0))
    if not isinstance(alpha, Literal) or not isinstance(alpha.value, int | float):
        return None
    if name == "MobileNet":
        return int(channels * alpha.value)
    if name.startswith("MobileNetV3"):
        return _divisible(_divisible(channels * alpha.value) * 6)
    return _divisible(channels * alpha.value) if name == "MobileNetV2" and alpha.value > 1 else channels


def _divisible(channels: float) -> int:
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


def _reduced(size: Dim, family: str) -> int | None:
    if not isinstance(size, int):
        return None
    left: int = size
    for step in _STEPS[family]:
        left = _HALVED[step](left)
    return left


__all__ = ["FAMILIES", "FEATURES", "PREFIX", "default_size", "input_of", "layer_output", "name_of", "output_of"]
