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
    r"|layers\.\w+|train\.\w+Optimizer|train\.Saver|contrib\.[\w.]+|app\.[\w.]+|flags\.\w+"
    r"|nn\.(?:rnn_cell\.\w+|dynamic_rnn|static_rnn|bidirectional_dynamic_rnn))"
)
_CELLS = r"(?:BasicLSTMCell|LSTMCell|GRUCell|BasicRNNCell|MultiRNNCell|DropoutWrapper|ResidualWrapper|LSTMStateTuple)"
_LOOPS = r"(?:static_rnn|static_bidirectional_rnn)"
_ROOM = re.compile(r"^([ \t]*)from tensorflow\.contrib import rnn(?=[ \t]*(#.*)?$)", re.MULTILINE)
_MOVED = (
    (re.compile(rf"\bcontrib\.rnn\.({_CELLS})\b"), r"nn.rnn_cell.\1"),
    (re.compile(rf"\bcontrib\.rnn\.({_LOOPS})\b"), r"nn.\1"),
    (re.compile(r"\bcontrib\.layers\.xavier_initializer\((?=\)|seed=|dtype=)"), "glorot_uniform_initializer("),
    (re.compile(r"\bcontrib\.layers\.flatten\("), "layers.flatten("),
)
"""Names of `tf.contrib` for what version 1 has elsewhere as well."""
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_ASKS = re.compile(r"""(?:__version__|\bversion\.VERSION)\b.*['"]2\b""")
_NEW = re.compile(r"\b(?:GradientTape|keras\.Sequential|compat\.v2|enable_eager_execution)\b")


def tf1_files(texts: Mapping[str, str], edges: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The files, of path → text, written for TensorFlow 1: they use what 2 has not, or go with one that does.

    `edges`: file → files that it imports. A file that uses what only TensorFlow 2 has is none, nor is one that asks
    whether it has a TensorFlow 2: what is installed is one.
    """
    code = {path: _COMMENT.sub("", text) for path, text in texts.items()}
    plain = {p for p, text in code.items() if _PLAIN.search(text) and not _NEW.search(text) and not _ASKS.search(text)}
    found = {path for path in plain if _uses(code[path])}
    while True:
        near = {target for path in found for target in edges.get(path, ())}
        near |= {path for path, targets in edges.items() if found & set(targets)}
        more = near & plain - found
        if not more:
            return frozenset(found)
        found |= more


def _uses(text: str) -> bool:
    """Whether a file calls what only version 1 has, and does not call the same of `compat.v1` as well."""
    return any(
        f"{match[2]}.compat.v1.{called[1]}(" not in text
        for match in _PLAIN.finditer(text)
        for called in re.finditer(rf"\b{match[2]}\.({_ONLY_1})\s*\(", text)
    )


def for_tf2(text: str, graphs: bool) -> str:
    """The text with its imports as version 1; `graphs`: to be run, with version 2's behaviour switched off and names of
    what has left `tf.contrib`. Lines stay."""
    off = r"; \2.disable_v2_behavior()" if graphs else ""
    names = {match[2] for match in _PLAIN.finditer(text)}
    text = _PLAIN.sub(rf"\1import tensorflow.compat.v1 as \2{off}", text)
    return _without_contrib(text, min(names)) if graphs and names else text


def _without_contrib(text: str, tf: str) -> str:
    for pattern, replacement in _MOVED:
        text = pattern.sub(replacement, text)
    if _ROOM.search(text):
        text = _ROOM.sub(r"\1from tensorflow.compat.v1.nn import rnn_cell as rnn", text)
        text = re.sub(rf"(?<![\w.])rnn\.({_LOOPS})\b", rf"{tf}.nn.\1", text)
    return text
