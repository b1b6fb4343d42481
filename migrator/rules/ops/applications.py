"""Keras's applications: the calls that make a network."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.rules.applications.code import network
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, declined_block, f32

ALIKE = {
    **dict.fromkeys(("VGG16", "VGG19"), "vgg"),
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), "resnet"),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), "resnet_v2"),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), "densenet"),
    **{f"EfficientNetB{i}": "efficientnet" for i in range(8)},
    "Xception": "xception",
    "InceptionV3": "inception_v3",
    "InceptionResNetV2": "inception_resnet_v2",
}
"""Functions whose arguments are the same → file of their network."""
FILES = {
    **ALIKE,
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenet_v2",
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), "mobilenet_v3"),
    **{f"EfficientNetV2{size}": "efficientnet_v2" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")},
    **dict.fromkeys(("NASNetMobile", "NASNetLarge"), "nasnet"),
    **{f"ConvNeXt{size}": "convnext" for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
}
"""Every function → file of its network."""

_LARGE = {"VGG19", "ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2", "DenseNet169", "DenseNet201", "InceptionV3"}
_LARGE |= {f"EfficientNetB{i}" for i in range(1, 8)} | {
    "InceptionResNetV2",
    "NASNetMobile",
    "NASNetLarge",
    "MobileNetV3Large",
}
_LARGE |= {f"EfficientNetV2{size}" for size in ("B1", "B2", "B3", "S", "M", "L")}
_LARGE |= {f"ConvNeXt{size}" for size in ("Small", "Base", "Large", "XLarge")}
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


def _usual(input_tensor, weights, pooling, classifier_activation) -> None:
    """Declines what no network here takes: a tensor to begin with, weights of a file, other ends."""
    if input_tensor is not None:
        raise Decline(_TENSOR)
    if weights not in (None, "imagenet"):
        raise Decline(_FILE)
    if pooling not in (None, "avg", "max") or classifier_activation not in (None, "softmax"):
        raise Decline(_ENDS)


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
        _usual(input_tensor, weights, pooling, classifier_activation)
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
    _usual(input_tensor, weights, pooling, classifier_activation)
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
    _usual(input_tensor, weights, pooling, classifier_activation)
    return _mobilenet_v2(
        input_shape=input_shape,
        alpha=alpha,
        include_top=include_top,
        weights=weights,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
    )


def _register_mobilenet_v3(api: str) -> None:
    build = network("mobilenet_v3", api)

    @rule(f"tf.keras.applications.{api}", samples=_samples(api))
    def mobilenet_v3(
        input_shape=None,
        alpha=1.0,
        minimalistic=False,
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        classes=1000,
        pooling=None,
        dropout_rate=0.2,
        classifier_activation="softmax",
        include_preprocessing=True,
        name=None,
    ):
        _usual(input_tensor, weights, pooling, classifier_activation)
        return build(
            input_shape=input_shape,
            alpha=alpha,
            minimalistic=minimalistic,
            include_top=include_top,
            weights=weights,
            classes=classes,
            pooling=pooling,
            dropout_rate=dropout_rate,
            classifier_activation=classifier_activation,
            include_preprocessing=include_preprocessing,
        )


def _register_efficientnet_v2(api: str) -> None:
    build = network("efficientnet_v2", api)

    @rule(f"tf.keras.applications.{api}", samples=_samples(api))
    def efficientnet_v2(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        include_preprocessing=True,
        name=None,
    ):
        _usual(input_tensor, weights, pooling, classifier_activation)
        return build(
            include_top=include_top,
            weights=weights,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            include_preprocessing=include_preprocessing,
        )


def _register_nasnet(api: str) -> None:
    build = network("nasnet", api)

    @rule(f"tf.keras.applications.{api}", samples=_samples(api))
    def nasnet(
        input_shape=None,
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=None,
    ):
        _usual(input_tensor, weights, pooling, classifier_activation)
        return build(
            input_shape=input_shape,
            include_top=include_top,
            weights=weights,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )


def _register_convnext(api: str) -> None:
    build = network("convnext", api)

    def convnext(
        include_top=True,
        include_preprocessing=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        name=None,
    ):
        _usual(input_tensor, weights, pooling, classifier_activation)
        return build(
            include_top=include_top,
            include_preprocessing=include_preprocessing,
            weights=weights,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )

    rule(f"tf.keras.applications.{api}", samples=_samples(api), keras=3)(convnext)

    @rule(f"tf.keras.applications.{api}", samples=[], keras=2)
    def named_convnext(
        model_name: Ignored = None,
        include_top=True,
        include_preprocessing=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
    ):
        _usual(input_tensor, weights, pooling, classifier_activation)
        return build(
            include_top=include_top,
            include_preprocessing=include_preprocessing,
            weights=weights,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )


_REGISTER = {
    "mobilenet_v3": _register_mobilenet_v3,
    "efficientnet_v2": _register_efficientnet_v2,
    "nasnet": _register_nasnet,
    "convnext": _register_convnext,
}
for _name, _file in FILES.items():
    if _file in _REGISTER:
        _REGISTER[_file](_name)
