"""Names of trained networks, as their code asks for them, and the programs that have just the network."""

from __future__ import annotations

import re

import pytest

from migrator.errors import UsageError
from migrator.rules.applications.code import _sources
from migrator.rules.ops.applications import FILES
from migrator.weights.networks import named


@pytest.mark.parametrize(
    ("name", "network", "options"),
    [
        ("vgg16_notop", "VGG16", "include_top=False"),
        ("efficientnetv2-b0", "EfficientNetV2B0", "include_top=True"),
        ("convnext_xlarge_notop", "ConvNeXtXLarge", "include_top=False"),
        ("nasnet_mobile", "NASNetMobile", "include_top=True"),
        ("inception_resnet_v2", "InceptionResNetV2", "include_top=True"),
        ("mobilenet_v2_0.35_96_notop", "MobileNetV2", "include_top=False, alpha=0.35, input_shape=(96, 96, 3)"),
        ("mobilenet_v3_small_0.75_224", "MobileNetV3Small", "include_top=True, alpha=0.75"),
        (
            "mobilenet_v3_large_minimalistic_1.0_224_notop",
            "MobileNetV3Large",
            "include_top=False, alpha=1.0, minimalistic=True",
        ),
    ],
)
def test_names(name: str, network: str, options: str) -> None:
    assert (named(name).name, named(name).options) == (network, options)


@pytest.mark.parametrize("name", ["vgg17", "mobilenet_v3_small_1.0_96", "mobilenet_v3_1.0_224", "efficientnetv2b0"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(UsageError, match="no such network"):
        named(name)


def test_every_plain_name_of_the_code() -> None:
    """What `weights="imagenet"` asks for is a name that the command takes."""
    quoted = re.compile(r'"([a-z][a-z0-9]+(?:[_-]v?[a-z0-9]+)*)"')
    for api, file in FILES.items():
        names = [n for n in quoted.findall(_sources(file)[api]) if n not in ("softmax", "avg", "max")]
        if file in ("vgg", "resnet", "resnet_v2", "densenet", "efficientnet", "efficientnet_v2", "nasnet", "convnext"):
            assert [named(n).name for n in names] == [api]
