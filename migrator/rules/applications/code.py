"""The PyTorch code of the architectures, cut into the definitions that a migrated file needs."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from migrator.model import Helper

MODULE = "keras_networks"
"""The module of a migrated repository that has them."""
_FOLDER = Path(__file__).parent / "networks"
_IMPORTS = {
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "math": "import math",
    "os": "import os",
    "load_file": "from safetensors.torch import load_file",
}


def network(file: str, name: str) -> Helper:
    """A definition of `networks/FILE.py` with what it needs of that file and of `networks/common.py`."""
    made = _helper(name, _sources(file), ())
    return replace(made, gaps=("batchnorm-variance",)) if _normalises(made) else made


def _normalises(helper: Helper) -> bool:
    return "nn.BatchNorm" in helper.source or any(map(_normalises, helper.needs))


@cache
def _sources(file: str) -> dict[str, str]:
    known = {} if file == "common" else dict(_sources("common"))
    text = (_FOLDER / f"{file}.py").read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known[node.name] = f"{ast.get_source_segment(text, node)}\n"
    return known


def _helper(name: str, sources: dict[str, str], above: tuple[str, ...]) -> Helper:
    source = sources[name]
    words = set(re.findall(r"\w+", source)) - {name, *above}
    needs = tuple(_helper(other, sources, (*above, name)) for other in sources if other in words)
    own = {line for word, line in _IMPORTS.items() if re.search(rf"(?<![\w.]){word}\b[.(]", source)}
    return Helper(name, source, tuple(sorted(own)), needs, module=MODULE)
