"""Which files mean TensorFlow 1 when they say `import tensorflow as tf`, and how they say it to a TensorFlow 2.

TensorFlow 2 still has version 1 inside, as `tensorflow.compat.v1`; its own upgrade script writes that import.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PLAIN = re.compile(r"^([ \t]*)import tensorflow as (\w+)[ \t]*(?=(#.*)?$)", re.MULTILINE)
_ONLY_1 = (
    r"(?:placeholder(?:_with_default)?|Session|InteractiveSession|get_variable|variable_scope|global_variables_initializer"
    r"|initialize_all_variables|trainable_variables|ConfigProto|get_collection"
    r"|layers\.\w+|train\.\w+Optimizer|train\.Saver)\s*\("
)
_NEW = re.compile(r"\b(?:GradientTape|keras\.Sequential|compat\.v2|enable_eager_execution)\b")


def tf1_files(texts: Mapping[str, str], edges: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The files, of path → text, written for TensorFlow 1: they use what 2 has not, or go with one that does.

    `edges`: file → files that it imports. A file that uses what only TensorFlow 2 has is none.
    """
    plain = {path for path, text in texts.items() if _PLAIN.search(text) and not _NEW.search(text)}
    found = {path for path in plain if _uses(texts[path])}
    while True:
        near = {target for path in found for target in edges.get(path, ())}
        near |= {path for path, targets in edges.items() if found & set(targets)}
        more = near & plain - found
        if not more:
            return frozenset(found)
        found |= more


def _uses(text: str) -> bool:
    return any(re.search(rf"\b{match[2]}\.{_ONLY_1}", text) for match in _PLAIN.finditer(text))


def for_tf2(text: str, graphs: bool) -> str:
    """The text with its imports as version 1; `graphs`: version 2's behaviour is switched off as well. Lines stay."""
    off = r"; \2.disable_v2_behavior()" if graphs else ""
    return _PLAIN.sub(rf"\1import tensorflow.compat.v1 as \2{off}", text)
