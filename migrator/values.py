"""Abstract values: what is known of an expression without running it.

The evaluator in `migrator.facts` leaves one of these on every expression; rules and codemods read
them. All are frozen and hashable. `Unknown` is the answer wherever nothing is provably known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, order=True)
class Span:
    """Where a node stands: 1-based lines, 0-based columns in code points, end exclusive.

    Equal to libcst's `PositionProvider` range and to `ast`'s positions once byte columns are
    turned into code points, so that both trees meet on it. Parentheses are outside.
    """

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Sym:
    """A size known only as a Python expression over the names of the enclosing scope.

    `text` is valid source there: a constructor or function argument (`units`), a constant
    (`NUM_CLASSES`), or arithmetic on them (`64 * side * side`). Some names are reserved for input
    sizes that the TF code never names: `in_channels` and `in_features` for the last axis, and others (with
    `_<parameter>` behind where a callable has several tensor inputs).
    """

    text: str


RESERVED = ("in_channels", "in_features", "in_length", "in_height", "in_width", "in_size", "num_inputs")
"""What the names of sizes begin with that the TF code never names."""


class Given(int):
    """A number that an argument of a layer says; `site`: the module and span of the call that makes the layer."""

    site: tuple[str, Span]

    def __new__(cls, number: int, site: tuple[str, Span]) -> Given:
        made = super().__new__(cls, number)
        made.site = site
        return made

    def __reduce__(self) -> tuple[type[Given], tuple[int, tuple[str, Span]]]:
        return Given, (int(self), self.site)


Dim = int | Sym | None
"""A dimension: a number, a symbolic size, or unknown (None), as the batch nearly always is."""

Shape = tuple[Dim, ...]


@dataclass(frozen=True)
class Value:
    """Base of all abstract values."""


@dataclass(frozen=True)
class Unknown(Value):
    """Nothing is known; `reason` says why, for the decline that follows.

    `sym`: the expression that holds it, where it is simple enough to repeat (it may turn out a size).
    """

    reason: str = ""
    sym: Sym | None = None


MIXED = "a number or a tensor"
"""Reason of an `Unknown` that is a number for some callers and a tensor for others."""


def is_mixed(value: Value) -> bool:
    """Whether a value is a number for some callers and a tensor for others."""
    return isinstance(value, Unknown) and value.reason == MIXED


@dataclass(frozen=True)
class Literal(Value):
    """A Python constant: None, bool, int, float, complex, str, bytes or Ellipsis."""

    value: object


@dataclass(frozen=True)
class Scalar(Value):
    """A Python number or string that is not a literal: `type` is int, float, bool, str or None when open.

    `sym` is its expression over the enclosing scope where that is simple enough to repeat.
    `default` is the literal default when it is a parameter.
    """

    type: str | None = None
    sym: Sym | None = None
    default: Value | None = None


@dataclass(frozen=True)
class Sequence(Value):
    """A tuple, list or set. `items` is None when the length is open; `element` joins the items.

    `sym`: the name of a parameter that holds it (`widths`); its `items`, where given, are then those of
    the observed length, and other callers may pass another. `count`: its length, where that is open.
    """

    kind: str
    items: tuple[Value, ...] | None
    element: Value = field(default_factory=Unknown)
    sym: Sym | None = None
    count: Sym | None = None


@dataclass(frozen=True)
class Dict(Value):
    """A dict with literal keys, or `items` None; `element` joins the values of one whose keys are open."""

    items: tuple[tuple[object, Value], ...] | None
    element: Value = field(default_factory=Unknown)


@dataclass(frozen=True)
class Tensor(Value):
    """A tensor or array.

    `origin`: "tf" (eager or symbolic tensor), "keras" (KerasTensor of a Functional graph),
    "variable" (tf.Variable or layer weight), "numpy" (ndarray).
    `dtype`: TF's name ("float32") or None. `shape`: None when the rank is unknown.
    `layout`: "channels_last" when the last axis is known to be an image's or sequence's channels.
    """

    shape: Shape | None = None
    dtype: str | None = None
    origin: str = "tf"
    layout: str | None = None
    last: Dim = None  # the last axis, where it is known although the rank is not

    @property
    def channels(self) -> Dim:
        """The size of the last axis."""
        return self.shape[-1] if self.shape else self.last

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)


@dataclass(frozen=True)
class ShapeOf(Value):
    """`x.shape`, `tf.shape(x)`, `input_shape` of `build`: the shape itself, indexable."""

    dims: Shape | None
    dynamic: bool = False  # tf.shape: a tensor in TF, a plain size in torch
    last: Dim = None  # the last axis, where it is known although the rank is not


@dataclass(frozen=True)
class ModuleRef(Value):
    """A Python module: canonical for TensorFlow ("tf.keras.layers"), its import name otherwise."""

    name: str


@dataclass(frozen=True)
class Api(Value):
    """A TensorFlow/Keras object by canonical name, not called: function, class or constant."""

    name: str


@dataclass(frozen=True)
class External(Value):
    """Something of another library or of builtins, by dotted name (`numpy.argmax`, `range`)."""

    name: str


@dataclass(frozen=True)
class DType(Value):
    """A dtype object or its string name, TF's spelling.

    `numpy`: an object of NumPy's. `passed`: what a parameter was seen to hold; other callers may pass another.
    """

    name: str
    numpy: bool = False
    passed: bool = False


@dataclass(frozen=True)
class Instance(Value):
    """An object made by calling a TF/Keras class or factory: a layer, loss, metric, optimizer, tape, dataset …

    `api`: canonical class name ("tf.keras.layers.Dense"). `site`: span of the creating call.
    `module`: the file's module name, for `site`. `args`: the bound arguments by TF's parameter
    names, as values (defaults absent). Instances are equal when they stem from the same site.
    """

    api: str
    module: str = ""
    site: Span | None = None
    args: tuple[tuple[str, Value], ...] = ()

    def arg(self, name: str) -> Value | None:
        return next((value for key, value in self.args if key == name), None)


OWN_OPTIMIZERS = ("tf.keras.optimizers.Optimizer", "tf.keras.optimizers.legacy.Optimizer")
"""The classes that optimizers of a repository derive from; objects of such a class count as of the first."""
SLOT = "tf.keras.optimizers.Optimizer._index_dict"
"""The place of a variable among the states of an optimizer."""
STRATEGIES = (
    "tf.distribute.MirroredStrategy",
    "tf.distribute.OneDeviceStrategy",
    "tf.distribute.Strategy",
    "tf.distribute.get_strategy",
)
"""What makes a distribution strategy of one machine, which is one replica here."""


IMAGE_BATCHES = "tf.keras.preprocessing.image.Iterator"
"""Batches of an `ImageDataGenerator`: the argument `element` is what each of them holds."""
ITERATOR = "tf.data.Iterator"
"""What `iter` makes of a dataset; its instances hold the `element`."""


@dataclass(frozen=True)
class Dataset(Value):
    """A tf.data.Dataset (or batched iterable): `element` is the abstract element."""

    element: Value = field(default_factory=Unknown)
    batched: bool = False


@dataclass(frozen=True)
class Repeated(Value):
    """Layers that a loop or comprehension adds an unknown number of times, or (`optional`) an `if` once or not."""

    items: tuple[Value, ...]
    optional: bool = False


@dataclass(frozen=True)
class Choice(Value):
    """One of several callable objects: layers, models or functions that different branches made."""

    options: tuple[Value, ...]


@dataclass(frozen=True)
class ModelValue(Value):
    """A Keras model that is a graph: Sequential or Functional.

    `layers` are its layer instances in creation order where they are all known, else None.
    `inputs`/`outputs` are tensors (a Sequential without an input shape has `inputs` None).
    """

    api: str  # "tf.keras.Sequential" or "tf.keras.Model"
    module: str = ""
    site: Span | None = None
    layers: tuple[Value, ...] | None = None
    inputs: tuple[Value, ...] | None = None
    outputs: tuple[Value, ...] | None = None
    parts: tuple[Value, ...] = ()  # of a Sequential: as `layers`, with `Repeated` where a loop adds some
    given: tuple[tuple[str, Value], ...] = ()  # of an application: what the call that makes it says


@dataclass(frozen=True)
class LayerOf(Value):
    """A layer that an application is asked for; `name`: Keras's, "" where only the run tells it."""

    network: ModelValue
    name: str


@dataclass(frozen=True)
class LayerOutput(Tensor):
    """What a layer of an application gives in its graph; `layer`: Keras's name, "" where only the run tells it."""

    network: Value = field(default_factory=Unknown)
    layer: str = ""


@dataclass(frozen=True)
class RepoFunction(Value):
    """A function or method of the repository, by qualified name "package.module:Class.method"."""

    qualname: str
    bound_to: Value | None = None


@dataclass(frozen=True)
class RepoClass(Value):
    qualname: str


@dataclass(frozen=True)
class RepoInstance(Value):
    """An instance of a class of the repository; `kind` is "layer", "model" or "other" by its bases."""

    qualname: str
    kind: str = "other"
    module: str = ""
    site: Span | None = None
    args: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class History(Value):
    """What `model.fit` returned."""


@dataclass(frozen=True)
class SizeParam:
    """An input size that a constructor or factory must gain, because torch modules need it.

    `name`: the reserved symbol (`in_channels` …). `of`: the parameter of `call` (or of the
    factory function) whose last axis it is, or a place in a list (`inputs[1]`); with `@2` behind it is that axis, with
    `@count` the length of the list. `default`: the literal when every observed use agrees.
    """

    name: str
    of: str
    default: int | None = None

    @property
    def place(self) -> tuple[str, int | None]:
        """The parameter, and the place in the list that it is (None where it is the tensor itself)."""
        parameter, _, index = self.of.partition("@")[0].partition("[")
        return parameter, int(index.rstrip("]")) if index else None

    @property
    def axis(self) -> int | str | None:
        """The axis, "count" for the length of a list; None for the last one."""
        axis = self.of.partition("@")[2]
        return int(axis) if axis.isdigit() else axis or None


@dataclass(frozen=True)
class LayerUse:
    """How a layer creation site is used: all inputs it is called with, joined, and its output."""

    module: str
    site: Span
    layer: Value  # Instance, RepoInstance or ModelValue
    inputs: tuple[Value, ...]
    output: Value
    calls: int  # distinct call expressions; > 1 means shared


@dataclass(frozen=True)
class Carried:
    """The last axis of a tensor that a loop carries round, kept in a variable of the migrated code.

    Inside the loop, and after it, that axis is `Sym(name)` when the code says `name = init` before the
    outermost loop (`start`) and `name = update` at the end of the body of the loop `loop`. Nested loops
    share one name: then `init` of the inner one is the name itself and needs no statement. `at`: the place
    in the loop where something that `update` reads is bound again; `name = update` stands before that.
    """

    variable: str  # the tensor ("x")
    name: str  # "channels", or "channels_2" … where that name is taken
    init: str
    update: str
    start: Span
    loop: Span
    at: Span | None = None


@dataclass(frozen=True)
class FunctionFacts:
    """What is known of one function or method.

    `params`: joined argument values. `returns`: joined result. `role`: "layer-factory" (tensor in,
    tensor out, builds layers), "module-factory" (returns a layer, Sequential or list of layers),
    "model-factory" (returns a Model), "training" (compiles, fits or applies gradients),
    "data" (returns a Dataset), or "plain". `sizes`: what it must gain when it becomes torch.
    `inner`: the nested function that takes the tensors, where the factory returns one (`conv_bn(64)(x)`);
    `params` are those of both then.
    """

    qualname: str
    params: tuple[tuple[str, Value], ...]
    returns: Value
    role: str = "plain"
    sizes: tuple[SizeParam, ...] = ()
    callers: tuple[tuple[str, Span], ...] = ()  # (module, span of the call)
    carried: tuple[Carried, ...] = ()
    arrays: tuple[str, ...] = ()  # parameters that are NumPy arrays for some caller and tensors from the first line on
    inner: str = ""


@dataclass(frozen=True)
class ClassFacts:
    """What is known of a class; `kind` is "layer", "model" or "other". `attrs`: `self.x` joined.

    `init`: the constructor's parameters, without `self`, `*args` and `**kwargs`. `bases`: the
    TensorFlow classes that it derives from, also through classes of the repository; `parents`: those, nearest first.
    """

    qualname: str
    kind: str
    attrs: tuple[tuple[str, Value], ...]
    call_inputs: tuple[tuple[str, Value], ...]
    call_output: Value
    sizes: tuple[SizeParam, ...] = ()
    sites: tuple[tuple[str, Span], ...] = ()  # constructions: (module, span of the call)
    carried: tuple[Carried, ...] = ()  # of all its methods
    init: tuple[tuple[str, Value], ...] = ()
    bases: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    derived: bool = False  # other classes of the repository derive from it

    @property
    def related(self) -> bool:
        """Whether it derives from a class of the repository, or one from it."""
        return bool(self.parents) or self.derived

    def attr(self, name: str) -> Value | None:
        return dict(self.attrs).get(name)


class ModuleFacts(Protocol):
    """The facts of one file. `bound`: the names that it binds, anywhere, to anything but TensorFlow's."""

    name: str

    @property
    def bound(self) -> frozenset[str]: ...

    def at(self, span: Span) -> Value:
        """The value of the expression at `span`; Unknown where there is none."""

    def canonical(self, dotted: str, span: Span | None = None) -> str | None:
        """The canonical TF name of a dotted source name (`K.mean` → `tf.keras.backend.mean`), or None."""

    def uses(self) -> Iterator[tuple[str, Span]]:
        """Every use of a TF name: canonical name (or the source's dotted name, if unknown) and span."""


class Facts(Protocol):
    """The facts of the whole repository."""

    modules: Mapping[str, ModuleFacts]

    def function(self, qualname: str) -> FunctionFacts | None: ...

    def cls(self, qualname: str) -> ClassFacts | None: ...

    def layer(self, module: str, site: Span) -> LayerUse | None:
        """The use of the layer, model or repository module created at `site`."""

    def sizes_at(self, module: str, site: Span) -> tuple[tuple[str, Dim], ...]:
        """For a call of a class or factory with `sizes`: the value of each size in the caller's scope."""
