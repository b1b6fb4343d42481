"""Trained weights of Keras's applications: which file a name means, and a program that has just the network."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrator.errors import UsageError

PREFIX = "keras:"
_PLAIN = {
    name.lower(): name
    for name in (
        *("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
        *("DenseNet121", "DenseNet169", "DenseNet201", "Xception", *(f"EfficientNetB{i}" for i in range(8))),
    )
} | {
    "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
    "nasnet_mobile": "NASNetMobile",
    "nasnet_large": "NASNetLarge",
    **{f"efficientnetv2-{size.lower()}": f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")},
    **{f"convnext_{size.lower()}": f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
}
_MOBILE = {"mobilenet": "MobileNet", "mobilenet_v2": "MobileNetV2"}
_NAME = re.compile(r"(?P<stem>mobilenet(?:_v2)?)_(?P<alpha>[\d.]+)_(?P<size>\d+)")
_NAME_V3 = re.compile(r"mobilenet_v3_(?P<size>small|large)(?P<minimalistic>_minimalistic)?_(?P<alpha>[\d.]+)_224")


@dataclass(frozen=True)
class Network:
    """A network with trained weights: Keras's class and its arguments, as text."""

    name: str
    options: str

    def call(self, weights: str) -> str:
        """The call that makes it."""
        return f"{self.name}({self.options}, weights={weights})"

    @property
    def program(self) -> str:
        """A repository of one file that makes it without trained weights."""
        lines = ["from tensorflow import keras", "", "", "def build():", '    """The network alone."""']
        made = f"    return keras.applications.{self.call('None')}"
        return "\n".join([*lines, made, "", "", 'if __name__ == "__main__":', "    build()", ""])


def named(name: str) -> Network:
    """The network of a name such as "vgg16_notop" or "mobilenet_v2_1.0_224". Raises UsageError for others."""
    stem = name.removesuffix("_notop")
    top = f"include_top={stem == name}"
    found = _NAME.fullmatch(stem)
    if found:
        size = found["size"]
        return Network(_MOBILE[found["stem"]], f"{top}, alpha={found['alpha']}, input_shape=({size}, {size}, 3)")
    found = _NAME_V3.fullmatch(stem)
    if found:
        minimalistic = ", minimalistic=True" if found["minimalistic"] else ""
        name = f"MobileNetV3{found['size'].capitalize()}"
        return Network(name, f"{top}, alpha={found['alpha']}{minimalistic}")
    if stem not in _PLAIN:
        mobile = [*(f"{mobile}_ALPHA_SIZE" for mobile in _MOBILE), "mobilenet_v3_small_ALPHA_224"]
        known = ", ".join([*_PLAIN, *mobile, "mobilenet_v3_large_minimalistic_1.0_224"])
        raise UsageError(f"{name}: no such network; there are {known}, and each with _notop")
    return Network(_PLAIN[stem], top)


def downloaded(network: Network, python: str) -> Path:
    """The file of trained weights as Keras keeps it, fetched by Keras where it is not there yet.

    Raises UsageError where it cannot be fetched.
    """
    program = (
        "import keras; from keras.src.utils import file_utils as f; g = f.get_file\n"
        "def get_file(*a, **k):\n    path = g(*a, **k); print('FILE', path); return path\n"
        f"f.get_file = get_file\nkeras.applications.{network.call(repr('imagenet'))}\n"
    )
    done = subprocess.run([python, "-c", program], capture_output=True, text=True)
    found = [line[5:] for line in done.stdout.splitlines() if line.startswith("FILE ")]
    if done.returncode or not found:
        why = (done.stderr.strip().splitlines() or ["Keras asked for no file"])[-1]
        raise UsageError(f"Keras could not fetch the weights of {network.name} ({why}); give their file with --network")
    return Path(found[-1])


def migrated(network: Network, run: Callable[[Path, Path], None], folder: Path) -> Path:
    """A migrated repository with the network alone, below `folder`; `run` migrates a source into an output."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    (source / "net.py").write_text(network.program, encoding="utf-8")
    run(source, out)
    return out


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone in the end."""
    return tempfile.TemporaryDirectory(prefix="migrator-network-")
