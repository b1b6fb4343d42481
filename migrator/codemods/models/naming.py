"""Names of generated classes and attributes."""

from __future__ import annotations

import keyword
import re

_VERBS = (
    "build",
    "create",
    "make",
    "get",
    "define",
    "construct",
    "generate",
    "new",
    "init",
    "setup",
    "load",
    "compile",
)
_ACRONYMS = {
    "bn": "BN",
    "cnn": "CNN",
    "dnn": "DNN",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "mlp": "MLP",
    "vae": "VAE",
    "gan": "GAN",
    "tcn": "TCN",
    "fcn": "FCN",
    "nn": "NN",
    "resnet": "ResNet",
    "densenet": "DenseNet",
    "unet": "UNet",
    "vgg": "VGG",
    "lenet": "LeNet",
    "alexnet": "AlexNet",
    "mobilenet": "MobileNet",
    "se": "SE",
    "relu": "ReLU",
    "ffn": "FFN",
}


def class_name(function: str) -> str:
    """The class made of a factory function: `build_resnet` → `ResNet`, `conv_bn` → `ConvBN`."""
    words = [word for word in re.split(r"_+", _snake(function)) if word]
    while len(words) > 1 and words[0] in _VERBS:
        words = words[1:]
    if not words or words[0] in _VERBS:
        words = ["model"]
    name = "".join(_word(word) for word in words)
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"Net{name}"


def _word(word: str) -> str:
    head = re.match(r"[a-z]+", word)
    if head and head.group() in _ACRONYMS:
        return _ACRONYMS[head.group()] + word[head.end() :]
    return word[:1].upper() + word[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def stem(name: str) -> str:
    """The base of an attribute that holds an instance of a class: `ResidualBlock` → `residual_block`."""
    return _snake(name).strip("_") or "layer"


def attribute(name: str) -> str | None:
    """A layer's `name=` as an attribute, when it can be one."""
    text = re.sub(r"[^0-9a-zA-Z_]", "_", name).strip("_").lower()
    return text if text.isidentifier() and not keyword.iskeyword(text) else None


def plural(name: str) -> str:
    """The name of a list of such things."""
    return f"{name}es" if name.endswith(("s", "x", "ch")) else f"{name}s"
