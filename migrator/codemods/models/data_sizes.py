"""Sizes of a model that are read off its data: the constructor takes them, and the data stay outside of the class."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from migrator.codemods.models.text import names

_READ = re.compile(r"(?<![\w.])(?:(\w+)\.shape\[(-?\d+)\]|len\((\w+)\))")


@dataclass
class DataSizes:
    """The sizes that one class takes: `given` has, for each parameter, the expression that its caller gives.

    `local`: tensors of the class, which know their own sizes. `scope`: names that the constructor has in any case.
    `moving`: variables that the script binds more than once; the class is given what they are where it is made.
    """

    local: Collection[str] = ()
    scope: Collection[str] = ()
    moving: Collection[str] = ()
    given: dict[str, str] = field(default_factory=dict)

    def named(self, text: str) -> str:
        """An expression of the constructor with parameters in the place of sizes of data."""
        found = _READ.sub(self._parameter, text)
        self.given |= {name: name for name in names(found) if name in self.moving and name not in self.given}
        return found

    def _parameter(self, found: re.Match[str]) -> str:
        array, axis, listed = found.groups()
        if array in self.local or listed in (*self.local, *self.scope):
            return found.group()
        known = next((name for name, text in self.given.items() if text == found.group()), None)
        if known is None:
            known = self._free(array, axis, listed)
            self.given[known] = found.group()
        return known

    def _free(self, array: str | None, axis: str | None, listed: str | None) -> str:
        """A parameter's name: the width of the data is that of the input."""
        name = f"num_{listed}" if listed else "in_features"
        if name in (*self.given, *self.scope):
            name = f"{array}_dim{axis}".lower().replace("-", "_") if array else f"{name}_"
        while name in (*self.given, *self.scope):
            name += "_"
        return name
