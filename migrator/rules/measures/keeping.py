"""Questions about the arguments of losses and metrics, asked when rewriting."""

from __future__ import annotations

from migrator.rules.engine.declining import Decline

_ALLOWED = {
    "axis": (-1,),
    "ignore_class": (None,),
    "dtype": (None, "float32"),
    "from_sorted_ids": (False,),
    "num_labels": (None,),
    "whole_dtype": (None, "int", "int32"),
}


def kept(value: object, **others: object) -> object:
    """The value; declines where another argument asks for what the class does not have."""
    for name, other in others.items():
        if other not in _ALLOWED[name]:
            raise Decline(f"`{name.removeprefix('whole_')}` is given")
    return value


def how(reduction: object, **others: object) -> object:
    """The reduction by its name of today."""
    return kept("sum_over_batch_size" if isinstance(reduction, str) and reduction == "auto" else reduction, **others)


def titled(name: object, default: str) -> object:
    """The name, where it is another than the class has by itself."""
    return None if isinstance(name, str) and name == default else name


def absent(value: object) -> bool:
    """Whether an argument is not given, or given as None in so many words."""
    return value is None
