"""One canonical `tf.…` name for every spelling of a TensorFlow or Keras name, and TF's signatures.

The table `_names.json` is generated from TF's own export names (`python -m migrator.facts.generate`);
what the installed TF no longer exports is handled by the supplement below.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import Any

Signature = tuple[tuple[str, str | None], ...]

# Libraries that need TensorFlow: their use counts as TensorFlow left over, under their own names.
ECOSYSTEM = frozenset(
    {
        "tensorflow_addons",
        "tensorflow_datasets",
        "tensorflow_hub",
        "tensorflow_probability",
        "tensorflow_text",
        "tensorflow_io",
        "tensorflow_federated",
        "tensorflow_model_optimization",
        "tensorflow_transform",
        "tensorflow_graphics",
        "tf_slim",
        "tfx",
        "keras_cv",
        "keras_nlp",
        "keras_hub",
        "keras_tuner",
        "keras_core",
        "keras_contrib",
        "keras_applications",
        "keras_preprocessing",
        "tf_agents",
        "tflearn",
    }
)
_ROOTS = frozenset({"tensorflow", "keras", "tf_keras", "tf"})

_PREFIXES = (
    (re.compile(r"^tensorflow(?=\.|$)"), "tf"),
    (re.compile(r"^(tf_keras|keras)(?=\.|$)"), "tf.keras"),
    (re.compile(r"^tf\._api\.v2\.v2(?=\.|$)|^tf\.(compat\.v1\.)?compat\.v2(?=\.|$)"), "tf"),
    (re.compile(r"^tf\.(python|compat\.v1|compat\.v2)\.keras(?=\.|$)"), "tf.keras"),
    (re.compile(r"^tf\.keras\.(api\._v[12]\.keras|_tf_keras\.keras|api|src|_impl)(?=\.|$)"), "tf.keras"),
    (re.compile(r"^tf\.contrib\.keras(\.api\.keras|\.python\.keras)?(?=\.|$)"), "tf.keras"),
    (re.compile(r"^tf\.python\.util\.nest(?=\.|$)"), "tf.nest"),
    (re.compile(r"^tf\.(compat\.v1\.)?contrib\.rnn\.(?=static_)"), "tf.compat.v1.nn."),
    (re.compile(r"^tf\.(compat\.v1\.)?contrib\.rnn\.(?=[A-Z])"), "tf.compat.v1.nn.rnn_cell."),
    (re.compile(r"^tf\.nn\.rnn_cell(?=\.|$)"), "tf.compat.v1.nn.rnn_cell"),
    (re.compile(r"^tf\.(compat\.v1\.)?contrib\.layers\.flatten$"), "tf.compat.v1.layers.flatten"),
)
# Modules inside Keras from which people imported before everything was exported one level up.
_INNER = (
    (re.compile(r"^tf\.keras\.layers(\.[a-z_0-9]+)+\.(?=[A-Z])"), "tf.keras.layers."),
    (re.compile(r"^tf\.keras\.layers\.merge\.(?=[a-z])"), "tf.keras.layers."),
    (re.compile(r"^tf\.keras\.engine(\.[a-z_0-9]+)*\.(?=(Layer|InputSpec|InputLayer)\b)"), "tf.keras.layers."),
    (re.compile(r"^tf\.keras\.engine(\.[a-z_0-9]+)*\.(?=(Model|Input)\b)"), "tf.keras."),
    (re.compile(r"^tf\.keras\.(?:engine\.|models\.)?(?:sequential|functional|training|model)\.(?=[A-Z])"), "tf.keras."),
    (re.compile(r"^tf\.keras\.utils\.(np|vis|generic|data|layer|io|conv|multi_gpu)_utils\."), "tf.keras.utils."),
    (
        re.compile(
            r"^tf\.python\.ops\.init_ops(?:_v2)?\.(Zeros|Ones|Constant|[a-z]+_(?:normal|uniform))(_initializer)?$"
        ),
        r"tf.keras.initializers.\1",
    ),
    (re.compile(r"^tf\.keras\.optimizer(?:s|_v2|_v1)\.[a-z_0-9]+\.(?=[A-Z])"), "tf.keras.optimizers."),
    (
        re.compile(
            r"^tf\.keras\.(callbacks|losses|metrics|initializers|constraints|regularizers)\.[a-z_0-9]+\.(?=[A-Z])"
        ),
        "",
    ),
)
_RENAMED = {
    "tf.layers": "tf.compat.v1.layers",
    "tf.compat.v1.nn.tanh": "tf.tanh",
    "tf.compat.v1.nn.sigmoid": "tf.sigmoid",
    "tf.app.flags": "tf.compat.v1.flags",
    "tf.compat.v1.app.flags": "tf.compat.v1.flags",
    "tf.flags": "tf.compat.v1.flags",
    "tf.app": "tf.compat.v1.app",
    "tf.logging": "tf.compat.v1.logging",
    "tf.gfile": "tf.compat.v1.gfile",
    "tf.keras.layers.BatchNormalizationV2": "tf.keras.layers.BatchNormalization",
    "tf.keras.layers.Merge": "tf.keras.layers.Merge",
    "tf.keras.layers.Convolution1D": "tf.keras.layers.Conv1D",
    "tf.keras.layers.Convolution2D": "tf.keras.layers.Conv2D",
    "tf.keras.layers.Convolution3D": "tf.keras.layers.Conv3D",
    "tf.keras.layers.CuDNNLSTM": "tf.keras.layers.CuDNNLSTM",
    "tf.keras.layers.CuDNNGRU": "tf.keras.layers.CuDNNGRU",
}


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files(__package__ or "migrator.facts").joinpath("_names.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def canonical_names() -> tuple[str, ...]:
    """Every canonical name that the installed TensorFlow exports, aliases apart."""
    return tuple(_table()["signatures"])


def is_tf_root(module: str) -> bool:
    """Whether a dotted module name belongs to TensorFlow, Keras or a library that needs them."""
    root = module.split(".", 1)[0]
    return root in ECOSYSTEM or (root in _ROOTS and root != "tf")


def known(api: str) -> bool:
    """Whether a canonical name is one that the table knows."""
    return api in _table()["signatures"]


@functools.cache
def _by_canonical() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for alias, name in _table()["aliases"].items():
        found.setdefault(name, []).append(alias)
    return {name: tuple(sorted(spellings)) for name, spellings in found.items()}


def aliases(api: str) -> tuple[str, ...]:
    """Other names under which TensorFlow exports a canonical name."""
    return _by_canonical().get(api, ())


@functools.cache
def _modules() -> frozenset[str]:
    found = {"tf"}
    for section in ("signatures", "aliases"):
        for name in _table()[section]:
            head = name.rpartition(".")[0]
            while head and head not in found and head not in _table()["signatures"]:
                found.add(head)
                head = head.rpartition(".")[0]
    return frozenset(found)


def is_module(api: str) -> bool:
    """Whether a canonical name is a module of TensorFlow."""
    return api in _modules()


@functools.lru_cache(maxsize=8192)
def canonical(dotted: str) -> str | None:
    """The one canonical name of a dotted name rooted at `tensorflow`, `keras`, `tf_keras` or `tf`.

    A name of these libraries that no table knows comes back in the same form (`tf.contrib.foo`), so
    that it is still seen as theirs; a name of any other library gives None.
    """
    if dotted.split(".", 1)[0] not in _ROOTS:
        return None
    name = _normal(dotted)
    found = _known_name(name)
    if found is not None:
        return found
    for pattern, replacement in _INNER:
        shorter = pattern.sub(replacement or _keep_module, name)
        if shorter != name:
            found = _known_name(shorter)
            if found is not None:
                return found
    return _by_prefix(name)


def signature(api: str) -> Signature | None:
    """TF's parameters of a canonical name in order, each with the text of its default or None.

    `*args` and `**kwargs` keep their stars; a default that is no literal reads `...`.
    """
    rows = _table()["signatures"].get(api)
    return None if rows is None else tuple((name, default) for name, default in rows)


def _keep_module(match: re.Match[str]) -> str:
    return f"tf.keras.{match.group(1)}."


def _normal(dotted: str) -> str:
    name = dotted
    for pattern, replacement in _PREFIXES:
        name = pattern.sub(replacement, name, count=1)
    for old, new in _RENAMED.items():
        if name == old or name.startswith(old + "."):
            return new + name[len(old) :]
    return name


def _known_name(name: str) -> str | None:
    table = _table()
    if name in table["aliases"]:
        return str(table["aliases"][name])
    if name in table["signatures"]:
        return name
    if name.startswith("tf.") and not name.startswith(("tf.compat.v1.", "tf.keras.")):
        old = "tf.compat.v1." + name[3:]
        if old in table["aliases"]:
            return str(table["aliases"][old])
        if old in table["signatures"]:
            return old
    return None


def _by_prefix(name: str) -> str:
    """Members of a known class follow its canonical name (`tf.image.ResizeMethod.BILINEAR`)."""
    head, _, tail = name.rpartition(".")
    while head.count(".") >= 1:
        found = _known_name(head)
        if found is not None:
            return f"{found}.{tail}"
        head, _, last = head.rpartition(".")
        tail = f"{last}.{tail}"
    return _module_name(name)


def _module_name(name: str) -> str:
    """`tf.flags`-like modules that only v1 has keep their v1 name."""
    old = "tf.compat.v1." + name[3:]
    return old if name not in _modules() and old in _modules() else name
