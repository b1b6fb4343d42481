"""The docstrings of the installed TensorFlow and Keras, read in the sandbox; nothing of them is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from migrator.errors import EnvironmentMissing
from migrator.evals.docs.blocks import Docstring
from migrator.facts.names import canonical_names

if TYPE_CHECKING:
    from migrator_validators.workers import Workers

_BATCH = 600
_SKIPPED = ("tf.raw_ops.", "tf.experimental.dtensor.", "tf.tpu.", "tf.lite.", "tf.distribute.experimental.rpc.")


def harvest(workers: Workers) -> tuple[Docstring, ...]:
    """Every docstring of a public API, each text once, TF2's names before those of `tf.compat.v1`."""
    names = [name for name in canonical_names() if not name.startswith(_SKIPPED)]
    ordered = sorted(names, key=lambda name: (name.startswith("tf.compat."), name))
    found: dict[str, str] = {}
    for start in range(0, len(ordered), _BATCH):
        found.update(_texts(ordered[start : start + _BATCH], workers, found))
    return tuple(Docstring(api, text) for text, api in found.items())


def _texts(names: Sequence[str], workers: Workers, known: dict[str, str]) -> dict[str, str]:
    reply = workers.run("tf", "tf_docstrings", {"names": list(names)})
    if reply.status != "ok":
        raise EnvironmentMissing(f"the docstrings of TensorFlow cannot be read: {reply.reason}")
    return {text: api for api, text in reply.result["docs"] if text not in known}
