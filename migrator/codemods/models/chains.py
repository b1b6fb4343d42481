"""`Sequential` models as `nn.Sequential`."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrator.codemods.models.applying import reordered
from migrator.codemods.models.layout import LAST, Flat, Layout
from migrator.codemods.models.part import Part, chain
from migrator.model import LayerCode


@dataclass
class Entries:
    """The entries of an `nn.Sequential` so far, and the layouts of what goes through it."""

    modules: list[str] = field(default_factory=list)
    parts: list[tuple[Part, int]] = field(default_factory=list)  # with the index of the module that has its weights
    takes: Layout | None = None
    now: Layout | None = None
    problem: str | None = None

    def add(self, part: Part) -> list[str]:
        """Append a part; the modules that it is. Sets `problem` when it cannot be one of a chain."""
        if part.flattens:
            return self._flatten(part)
        part = part.alone
        if isinstance(self.now, Flat):
            part = self._on_flat(part)
        if part.takes is not None:
            if self.now is None:
                self.takes = self.now = part.takes
            elif self.now != part.takes:
                self.problem = f"{part.api} works on another layout than the layers before it"
                return []
        modules = chain(part, part.gives if part.gives is not None else self.now or LAST)
        if modules is None:
            self.problem = f"{part.api} is more than a module"
            return []
        self._place(part, modules)
        if part.gives is not None:
            self.now = part.gives
        return modules

    def _place(self, part: Part, modules: list[str]) -> None:
        if part.stateful and part.code.module in modules:
            self.parts.append((part, len(self.modules) + modules.index(part.code.module)))
        self.modules += modules

    def _flatten(self, part: Part) -> list[str]:
        shape = part.shape
        sizes = tuple(d for d in shape[1:] if isinstance(d, int)) if shape else ()
        if self.now not in (None, LAST):
            if shape is None or len(sizes) != len(shape) - 1:
                self.problem = "the size of what is flattened is unknown"
                return []
            self.now = LAST if all(d == 1 for d in sizes[:-1]) or sizes[-1] == 1 else Flat(sizes)
        else:
            if self.now is None:
                self.takes = LAST
            self.now = LAST
        self.modules.append("nn.Flatten()")
        return ["nn.Flatten()"]

    def _on_flat(self, part: Part) -> Part:
        assert isinstance(self.now, Flat)
        if part.takes is None:
            return part
        if part.api != "tf.keras.layers.Dense":
            self.problem = f"{part.api} on a flattened image"
            return part
        part = part.with_params(tuple(reordered(p, self.now.sizes) for p in part.code.params))
        self.now = LAST
        return part

    @property
    def part(self) -> Part:
        """The whole chain as one part."""
        gives = self.now if self.now is not None and not isinstance(self.now, Flat) else None
        return Part("tf.keras.Sequential", LayerCode("nn.Sequential()", "{self}({x})", "layers"), self.takes, gives)

    def text(self, width: int = 90) -> list[str]:
        """`nn.Sequential(...)`, one entry a line where it is long."""
        line = f"nn.Sequential({', '.join(self.modules)})"
        if len(line) <= width:
            return [line]
        return ["nn.Sequential(", *(f"    {module}," for module in self.modules), ")"]
