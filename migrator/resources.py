"""Files that come with the tool but are no Python: prompts and evaluation sets."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `name` ("prompts", "eval_sets"): inside an installed wheel, else of the checkout.

    Raises FileNotFoundError when neither has it.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name}: not part of this installation")
