"""A module under construction, and its text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from migrator.codemods.context import ModelPart
from migrator.codemods.models.modes import train_method
from migrator.codemods.models.needs import Needs
from migrator.codemods.models.owned import Owned, penalty_lines, reset_lines
from migrator.codemods.models.part import Part
from migrator.codemods.models.text import fresh, indent
from migrator.codemods.models.wrapping import wrapped
from migrator.model import WeightRecord
from migrator.values import Span


@dataclass
class ModuleBuild:
    """What is known of a generated class so far. Lines are relative to the method's body."""

    name: str
    owner: str  # "package.module:Class"
    source: str = ""  # the Keras class it was, for its own weights
    params: list[str] = field(default_factory=list)
    doc: list[str] = field(default_factory=list)
    init: list[str] = field(default_factory=list)
    captured: dict[str, str] = field(default_factory=dict)  # name of the constructor → attribute that keeps it
    resets: list[Owned] = field(default_factory=list)
    penalties: list[Owned] = field(default_factory=list)
    constraints: list[Owned] = field(default_factory=list)
    masks: bool = False  # a method tells which steps count
    adds: bool = False  # a submodule adds to the loss when it is called
    records: list[WeightRecord] = field(default_factory=list)
    sites: dict[Span, str] = field(default_factory=dict)  # where a layer of Keras was made → its path
    methods: list[list[str]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)  # class-level statements before the methods
    taken: set[str] = field(default_factory=lambda: {"training", "forward", "T"})
    sizes: frozenset[str] = frozenset()  # input sizes that the constructor gains, under names that are free
    needs: Needs = field(default_factory=Needs)
    base: str = "nn.Module"
    base_args: tuple[str, ...] = ()  # what the constructor of a base of the repository is given
    inherited: frozenset[str] = frozenset()  # attributes that such a base has
    inherits_init: bool = False  # there is no constructor of its own
    inferring: set[str] = field(default_factory=set)  # parts that are told not to train
    following: set[str] = field(default_factory=set)  # parts that are called without a word about it
    frozen: set[str] = field(default_factory=set)  # parts that stop learning
    kept: dict[str, bool] = field(default_factory=dict)  # parts that learn elsewhere; whether they normalise
    hoisted: dict[str, str] = field(default_factory=dict)  # classes of its parts, which stand before it, by name

    @property
    def both_modes(self) -> set[str]:
        """Parts that are told not to train in some calls only."""
        return self.inferring & self.following

    @property
    def initialises_inline(self) -> bool:
        """The base's constructor calls `reset_parameters` before the class's own weights are there."""
        return self.base != "nn.Module"

    @property
    def parts(self) -> tuple[ModelPart, ...]:
        """The layers of Keras that are attributes with weights, each made at one place."""
        paths = [*self.sites.values()]
        records = {r.path: r for r in self.records if "*" not in r.path and paths.count(r.path) == 1}
        return tuple(ModelPart(site, records[path]) for site, path in self.sites.items() if path in records)

    def attribute(self, stem: str) -> str:
        """A free attribute name."""
        name = fresh(stem, self.taken)
        self.taken.add(name)
        return name

    def capture(self, name: str) -> str:
        """The attribute that keeps a name of the constructor."""
        if name not in self.captured:
            kept = name if name not in self.taken else f"{name}_value"
            self.captured[name] = name if name in self.sizes else self.attribute(kept)
        return self.captured[name]

    def own(self, path: str, part: Part, target: str, frames: Sequence[str] = ()) -> None:
        """Take note of a submodule: how it is initialised, penalised, constrained and given its weights."""
        code = part.code
        if code.init:
            self.resets.append(Owned(code.init, target, tuple(frames)))
        if code.penalty:
            self.penalties.append(Owned(code.penalty, target, tuple(frames)))
        self.adds = self.adds or code.adds
        if code.constraint:
            self.constraints.append(Owned(code.constraint, target, tuple(frames)))
        if code.params:
            self.records.append(WeightRecord(self.owner, path, part.api, code.params))

    def reweigh(self, path: str, params: tuple[tuple[str, str, str], ...]) -> None:
        """Change how the weights of a submodule are carried over."""
        self.records = [replace(r, params=params) if r.path == path else r for r in self.records]


def render(build: ModuleBuild) -> str:
    """The class as text."""
    blocks = []
    if build.doc:
        blocks.append(list(build.doc))
    if build.body:
        blocks.append(list(build.body))
    if not build.inherits_init:
        blocks.append(_constructor(build))
    if build.resets and not build.initialises_inline:
        blocks.append(["def reset_parameters(self):", *indent(reset_lines(build.resets))])
    blocks += [method for method in [train_method(build)] if method]
    blocks += build.methods
    if build.penalties:
        blocks.append(["def regularization_loss(self):", *indent(penalty_lines(build.penalties))])
    if build.constraints:
        blocks.append(_constraints(build.constraints))
    lines = [f"class {build.name}({build.base}):"]
    for number, block in enumerate(blocks):
        lines += ([""] if number else []) + indent(block)
    return "\n".join(line.rstrip() for line in (lines if blocks else [*lines, "    pass"])) + "\n"


def _constructor(build: ModuleBuild) -> list[str]:
    kept = {line.strip() for line in build.init}
    captures = {n: line for n, attr in build.captured.items() if (line := f"self.{attr} = {n}") not in kept}
    late = [line for name, line in captures.items() if any(_assigns(text, name) for text in build.init)]
    early = [line for line in captures.values() if line not in late]
    reset = ["self.reset_parameters()"] if build.resets else []
    if build.initialises_inline:
        reset = reset_lines(build.resets)
    body = [f"super().__init__({', '.join(build.base_args)})", *early, *without_spent(build.init), *late, *reset]
    return [*signature("__init__", build.params), *(part for line in indent(body) for part in wrapped(line, before=4))]


def without_spent(lines: Sequence[str]) -> list[str]:
    """The lines without initialisers and regularisers in variables that nothing reads: layers have them written out."""
    made = {line: match[1] for line in lines if (match := _OBJECT.match(line))}
    read = {name for name in made.values() if len([line for line in lines if re.search(rf"\b{name}\b", line)]) > 1}
    return [line for line in lines if line not in made or made[line] in read]


_OBJECT = re.compile(r"(\w+) = \w+_(?:initializer|penalty)\(.*\)$")


def _assigns(line: str, name: str) -> bool:
    """Whether a line of the constructor binds a name: `padding = "same"`, `size //= 2`, `for size in sizes:`."""
    assigned = rf"\s*{name}\s*(?:[-+*/%@&|^]|//|\*\*|>>|<<)?=(?!=)"
    return re.match(rf"{assigned}|\s*for\b.*\b{name}\b.*\bin\b", line) is not None


def signature(name: str, params: Sequence[str]) -> list[str]:
    """The `def` line of a method, broken where it is long."""
    line = f"def {name}({', '.join(['self', *params])}):"
    if len(line) <= 110:
        return [line]
    return [f"def {name}(", *(f"    {p}," for p in ["self", *params]), "):"]


def _constraints(constraints: Sequence[Owned]) -> list[str]:
    body = ['"""Called after every step of the optimizer."""', *reset_lines(constraints)]
    return ["@torch.no_grad()", "def constrain_weights(self, *_):", *indent(body)]
