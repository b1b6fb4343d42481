"""What a program says of its graph, read off its statements: placeholders, variables, layers, tensors, steps."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from migrator.codemods.graphs.program import key_of, keys_read


@dataclass(frozen=True)
class Placeholder:
    """`dtype` is its source; `scalar`: a plain number is fed. `default`: the source of what is used where nothing is
    fed. `parameter`: its name in the module. `shape`: its source, or None. `open`: numbers of any shape may be fed."""

    parameter: str
    dtype: str
    scalar: bool
    default: str = ""
    shape: ast.expr | None = None
    open: bool = False


@dataclass(frozen=True)
class Piece:
    """A layer or variable: the attribute that holds it and the statement that makes it, in a constructor."""

    attribute: str
    made: ast.stmt
    comments: tuple[str, ...] = ()
    build: bool = False  # it needs the shape of the input
    each: int = 0  # number of the loop that makes one in every turn
    inside: bool = False  # it is a layer of the file's own
    names: tuple[str, ...] = ()  # of its variables that train, in the graph


PieceRef = tuple[str, int, bool]
"""Attribute of a piece, `each` and `inside`."""


def refs(pieces: Iterable[Piece]) -> tuple[PieceRef, ...]:
    return tuple((p.attribute, p.each, p.inside) for p in pieces if p.attribute)


@dataclass(frozen=True)
class Computed:
    """A statement that computes tensors. `defines` and `uses` are versioned keys: ("x", 2) is x's third value."""

    statement: ast.stmt
    defines: tuple[tuple[str, int], ...]
    uses: frozenset[tuple[str, int]]
    comments: tuple[str, ...]
    layers: bool = False
    random: bool = False


@dataclass(frozen=True)
class Optimizer:
    """`key` is its own name or ""; `made` the source of the Keras one."""

    key: str
    made: str
    api: str
    scheduled: bool = False
    fed: str = ""  # the placeholder that gives its rate
    number: int = 0  # no other optimizer has it


@dataclass(frozen=True)
class Gradients:
    """Gradients of a loss for some variables, by attribute (none: all); `clip`: statements over `{g}`, the list of
    them."""

    loss: tuple[str, int]
    clip: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """An operation that trains: what it minimises, with which optimizer; `clip`: as of `Gradients`.
    `updates`: moving averages are updated before."""

    loss: tuple[str, int]
    optimizer: Optimizer
    clip: str = ""
    updates: bool = False
    variables: tuple[str, ...] = ()
    counted: bool = False  # the global step goes on with it


@dataclass(frozen=True)
class Saver:
    """What saves all variables that there are: those of `optimizers`, by number, and `counts`, the steps, among them.

    `max_to_keep` is its source, or ""; `pieces`: how many pieces there were.
    """

    max_to_keep: str
    optimizers: frozenset[int]
    counts: bool
    pieces: int


@dataclass(frozen=True)
class Copy:
    """Variables (attributes of their pieces) that are set from others; `value` is computed from both `names`."""

    targets: tuple[str, ...]
    sources: tuple[str, ...]
    names: tuple[str, str]
    value: ast.expr


@dataclass(frozen=True)
class Summary:
    """What is logged under a tag: "scalar", "histogram" or "image" of a tensor (of a variable: number -1).

    `most` is the source of how many images, or ""."""

    kind: str
    tag: str
    tensor: tuple[str, int]
    most: str = ""


@dataclass(frozen=True)
class Cell:
    """A Keras layer and the source of its units; `name`: what its variables are named by."""

    keras: str
    units: str
    name: str


@dataclass(frozen=True)
class State:
    """The last state of a cell under the names of its parts; `h` is the last output. An LSTM's is the pair (c, h)."""

    h: str
    c: str = ""


@dataclass
class Graph:
    """All that one graph consists of. `versions` counts the values that a name has had."""

    placeholders: dict[str, Placeholder] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)  # key → attribute
    pieces: list[Piece] = field(default_factory=list)
    computed: list[Computed] = field(default_factory=list)
    optimizers: dict[str, Optimizer] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)  # key → source of the Keras schedule
    trained: dict[str, tuple[str, ...]] = field(default_factory=dict)  # lists of variables that train; none: all
    tests: dict[str, Callable[[str], bool | None]] = field(default_factory=dict)  # the same lists, by what is in them
    counted: int = -1  # how many pieces there were when all variables were asked for first
    gradients: dict[str, Gradients] = field(default_factory=dict)
    pairs: dict[str, Gradients] = field(default_factory=dict)  # gradients with their variables
    steps: dict[str, Step] = field(default_factory=dict)
    inits: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    global_steps: set[str] = field(default_factory=set)
    updates: set[str] = field(default_factory=set)
    savers: dict[str, Saver] = field(default_factory=dict)
    held: dict[str, set[int]] = field(default_factory=dict)  # variables that are rates → numbers of optimizers
    first: dict[str, str] = field(default_factory=dict)  # of these the source of the first value
    updates_of_rates: dict[str, tuple[str, ast.expr]] = field(default_factory=dict)  # operations that assign these
    copies: dict[str, Copy] = field(default_factory=dict)
    logged: list[Summary] = field(default_factory=list)
    summaries: dict[str, tuple[Summary, ...]] = field(default_factory=dict)
    writers: set[str] = field(default_factory=set)  # of summaries
    sizes: dict[str, ast.expr] = field(default_factory=dict)  # names for sizes of tensors → how these are read
    cells: dict[str, Cell] = field(default_factory=dict)  # of recurrent networks, each until it is applied
    zero_states: set[str] = field(default_factory=set)  # from which a cell starts by itself
    states: dict[str, State] = field(default_factory=dict)  # last states of cells
    unstacked: dict[str, ast.expr] = field(default_factory=dict)  # lists of the steps of a sequence
    concatenated: dict[str, str] = field(default_factory=dict)  # source of a pair → its concatenation by features
    sequences: dict[str, str] = field(default_factory=dict)  # lists of what a cell gives → all of it as a tensor
    other: set[str] = field(default_factory=set)  # tf.Graph objects
    versions: dict[str, int] = field(default_factory=dict)
    mode: set[str] = field(default_factory=set)  # placeholders that say whether layers train
    normalised: bool = False  # moving averages are among the layers
    moded: bool = False  # some layer computes something else while it trains
    plain: set[str] = field(default_factory=set)  # what must be Python's own numbers, as a rate of dropout

    @property
    def keys(self) -> set[str]:
        """Every name that is something of the graph."""
        own: Iterable[Iterable[str]] = (
            self.placeholders, self.variables, self.optimizers, self.steps, self.inits, self.sessions,
            self.global_steps, self.updates, self.other, self.versions, self.rates, self.trained, self.gradients,
            self.pairs, self.tests, self.savers, self.summaries, self.writers,
            self.held, self.updates_of_rates, self.copies, self.cells, self.zero_states, self.states, self.unstacked,
            self.of_cells,
        )  # fmt: skip
        return {key for keys in own for key in keys}

    @property
    def of_cells(self) -> set[str]:
        """Names of states, and of outputs that are no tensor of their own."""
        pairs = {key for pair in self.concatenated for key in keys_read(ast.parse(pair))}
        return {*self.states, *self.sequences, *pairs}

    @property
    def tensors(self) -> set[str]:
        """Names of what a session can fetch."""
        return {*self.placeholders, *self.variables, *self.versions}

    def parameter(self, key: str) -> str:
        """The name of a placeholder in the module: one that says whether layers train is `training` there."""
        return "training" if key in self.mode else self.placeholders[key].parameter

    def is_plain(self, key: str) -> bool:
        """Whether a placeholder is given to something that takes Python's own numbers only."""
        known = set(self.plain)
        for one in reversed(self.computed):
            if known & {name for name, _ in one.defines}:
                known |= set(keys_read(one.statement)) & self.placeholders.keys()
        made = self.placeholders[key]
        return any(self.placeholders[k] is made for k in known if k in self.placeholders)

    def listed(self, owner: str, attributes: Sequence[str]) -> str:
        """The source of the list of some variables of a module, by attribute; none: all."""
        if not attributes:
            return f"{owner}.trainable_variables"
        single = {p.attribute for p in self.pieces if "add_weight" in ast.unparse(p.made)}
        if all(name in single for name in attributes):
            return f"[{', '.join(f'{owner}.{name}' for name in attributes)}]"
        lists = [f"[{owner}.{n}]" if n in single else f"{owner}.{n}.trainable_variables" for n in attributes]
        return " + ".join(lists)

    def version(self, key: str) -> tuple[str, int]:
        return key, self.versions[key]

    def slice(self, tensors: Iterable[tuple[str, int]]) -> set[int]:
        """The statements, by position, that are needed for some tensors."""
        needed, found = set(tensors), set()
        for at in range(len(self.computed) - 1, -1, -1):
            one = self.computed[at]
            if needed & set(one.defines):
                found.add(at)
                needed |= one.uses
        return found

    def places(self, at: Iterable[int]) -> Iterator[Computed]:
        return (self.computed[i] for i in sorted(at))


def local(key: str) -> str:
    """The name of a tensor inside of a method."""
    return key.removeprefix("self.")


def runs(node: ast.AST, graph: Graph) -> bool:
    """Whether an expression asks a session: `sess.run(…)`, `x.eval(…)`, `train.run(…)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = key_of(node.func.value)
    return (node.func.attr == "run" and owner in graph.keys - graph.tensors) or (
        node.func.attr == "eval" and owner in graph.tensors
    )
