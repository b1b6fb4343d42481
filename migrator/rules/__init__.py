"""The rules: one TensorFlow API to its PyTorch spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.rules.book import Rulebook

__all__ = ["rulebook"]


def rulebook(keras: int = 3, exact: bool = False) -> Rulebook:
    """All rules, read as Keras 2 or 3 means them; what codemods call `Rules`.

    `exact`: a few lines of plain code where torch's own spelling differs in a documented way.
    """
    from migrator.rules.book import Rulebook

    return Rulebook(keras, exact)
