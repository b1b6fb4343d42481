"""Which Keras the source means, 2 or 3: its own statements first, its requirements next, its spellings last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from packaging.specifiers import InvalidSpecifier, SpecifierSet

MANIFEST = re.compile(
    r"(^|/)(requirements[^/]*\.(txt|in)|requirements/[^/]+\.txt|constraints[^/]*\.txt|setup\.(py|cfg)"
    r"|pyproject\.toml|Pipfile|environment[^/]*\.ya?ml|conda[^/]*\.ya?ml)$"
)

_PIN = re.compile(
    r"(?<![-\w./])(?P<name>tensorflow(?:[-_](?:gpu|cpu|macos|intel))?|tf[-_]keras|keras)(?![-\w./])"
    r"(?:\[[^\]]*\])?[\"']?\s*(?P<spec>(?:=\s*[\"'][^\"']+[\"']|[=<>!~^][^#;\"'\n]*)?)",
    re.IGNORECASE,
)
_TF_VERSIONS = [
    f"{major}.{minor}.{patch}" for major, last in ((1, 15), (2, 40)) for minor in range(last + 1) for patch in range(6)
]
_KERAS_VERSIONS = [f"{major}.{minor}.{patch}" for major in (1, 2, 3) for minor in range(20) for patch in range(6)]

_STATED_2 = (
    (re.compile(r"TF_USE_LEGACY_KERAS\W+(?:1|True|true)\b"), "sets TF_USE_LEGACY_KERAS"),
    (re.compile(r"^\s*(?:import|from)\s+tf_keras\b", re.M), "imports tf_keras"),
)
_STATED_3 = (
    (re.compile(r"KERAS_BACKEND"), "names KERAS_BACKEND"),
    (
        re.compile(r"^\s*(?:import\s+keras\.ops|from\s+keras\s+import\s+.*\bops\b|from\s+keras\.ops)\b", re.M),
        "uses keras.ops",
    ),
    (re.compile(r"\bkeras_(?:core|hub|cv)\b"), "uses a library that needs Keras 3"),
    (re.compile(r"\bkeras\.(?:ops|random|saving\.register_keras_serializable)\b"), "uses an API of Keras 3"),
)
_SPELLED_2 = (
    (
        re.compile(
            r"keras\.layers\.(?:advanced_activations|core|convolutional|normalization|pooling|recurrent|merge|embeddings)\b"
        ),
        "imports of Keras 2's inner modules",
    ),
    (
        re.compile(
            r"keras\.(?:utils\.np_utils|engine|legacy|wrappers\.scikit_learn|layers\.experimental|optimizers\.legacy|optimizers\.experimental)\b"
        ),
        "modules that Keras 3 no longer has",
    ),
    (
        re.compile(r"\b(?:Adam|SGD|RMSprop|Adagrad|Adadelta|Adamax|Nadam|Ftrl)\([^()]*\b(?:lr|decay)\s*="),
        "`lr=` or `decay=` of an optimizer",
    ),
    (re.compile(r"\boptimizers\.[A-Z]\w+\((?s:.)*?\bopt(?!imize\.)\w*\.minimize\("), "`minimize` of a Keras optimizer"),
    (
        re.compile(r"\.(?:fit|predict|evaluate)_generator\(|\.predict_classes\(|\w*model\w*\.reset_states\("),
        "methods that Keras 3 no longer has",
    ),
    (
        re.compile(
            r"\b(?:layers\.(?:DenseFeatures|LocallyConnected[12]D|ThresholdedReLU|RandomHeight|RandomWidth)"
            r"|metrics\.(?:MeanRelativeError|MeanTensor))\b"
        ),
        "classes that Keras 3 no longer has",
    ),
    (re.compile(r"\bbatch_input_shape\s*=(?!=)"), "an argument that Keras 3 no longer has"),
    (
        re.compile(r"\btf\.(?:contrib|placeholder|Session|layers|get_variable)\b|tensorflow\.contrib"),
        "TensorFlow 1 names",
    ),
)

_OWNER = r"(?<![\w.])([A-Za-z_][\w.]*)"
_FROZEN = re.compile(rf"{_OWNER}\.trainable\s*=\s*False\b")
_LEARNS = re.compile(rf"{_OWNER}\.trainable\s*=(?!\s*False\b)")


def keras_version(manifests: Mapping[str, str], sources: Mapping[str, str]) -> tuple[int, str]:
    """(2 or 3, why). `manifests` and `sources`: path → text; only sources that use TensorFlow."""
    for patterns, version in ((_STATED_2, 2), (_STATED_3, 3)):
        for path, why in _matches(sources, patterns):
            return version, f"{path} {why}"
    for path, text in manifests.items():
        for version, why in _pins(text):
            return version, f"{path} {why}"
    for path, why in _matches(sources, _SPELLED_2):
        return 2, f"{path} has {why}"
    for path, text in sources.items():
        if name := _trains_frozen(text):
            return 2, f"{path} trains `{name}`, compiled before it was frozen, which Keras 3 would not"
    return 3, "nothing in the repository says otherwise"


def _trains_frozen(text: str) -> str:
    """A model that is compiled, then frozen for good as a part of another, and trained all the same; "" for none.

    Keras 2 trains what learned when `compile` was called, Keras 3 what learns now: nothing, and it only warns.
    """
    frozen = set(_FROZEN.findall(text)) - set(_LEARNS.findall(text))
    used = {name: set(re.findall(rf"{_OWNER}\.{name}\(", text)) for name in ("compile", "train_on_batch")}
    return min(frozen & used["compile"] & used["train_on_batch"], default="")


def _matches(
    sources: Mapping[str, str], patterns: tuple[tuple[re.Pattern[str], str], ...]
) -> Iterator[tuple[str, str]]:
    for path, text in sources.items():
        for pattern, why in patterns:
            if pattern.search(text):
                yield path, why


def _pins(text: str) -> Iterator[tuple[int, str]]:
    """The verdict of each requirement that leaves only one Keras."""
    for line in text.splitlines():
        for match in _PIN.finditer(line.split("#")[0]):
            version = _pin(match["name"].lower().replace("_", "-"), match["spec"].strip())
            if version:
                yield version, f"asks for {match[0].strip()}"


def _pin(name: str, spec: str) -> int | None:
    if name == "tf-keras" or name == "tensorflow-gpu":  # tensorflow-gpu ended at 2.12
        return 2
    specifier = _specifier(spec)
    if specifier is None:
        return None
    if name == "keras":
        majors = {3 if v.startswith("3") else 2 for v in _KERAS_VERSIONS if specifier.contains(v)}
    else:  # TensorFlow brings Keras 3 since 2.16
        majors = {3 if _tf(v) >= (2, 16) else 2 for v in _TF_VERSIONS if specifier.contains(v)}
    return majors.pop() if len(majors) == 1 else None


def _tf(version: str) -> tuple[int, int]:
    major, minor, _ = version.split(".")
    return int(major), int(minor)


def _specifier(spec: str) -> SpecifierSet | None:
    """pip's, Poetry's and conda's spellings of a version range; None when there is none."""
    table = re.fullmatch(r"=\s*[\"']([^\"']+)[\"']", spec)
    text = (table[1] if table else spec).strip().rstrip(",]) ")
    if re.fullmatch(r"=\d[\w.]*(=\S*)?", text):  # conda: =2.4 means 2.4.*
        text = "==" + text[1:].split("=")[0] + ".*"
    if text.startswith("^"):
        text = f"~={text[1:]}" if text.count(".") == 1 else f"~={'.'.join(text[1:].split('.')[:2])}"
    elif re.fullmatch(r"\d[\w.]*", text):
        text = f"=={text}"
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None
