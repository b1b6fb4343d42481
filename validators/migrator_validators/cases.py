"""Cases: what to run on both sides, and with which inputs. Data only (JSON, TOML); no code.

A case says how to call one callable of the source tree and its counterpart in the target tree.
The pipeline writes cases from recorded calls and facts; people write them in `task.toml`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CASES_VERSION = 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- argument values ---------------------------------------------------------------------------------


class Lit(_Strict):
    """A JSON constant, given to both sides as it is."""

    kind: Literal["literal"] = "literal"
    value: Any = None


class Array(_Strict):
    """An array, made from a seed or stored.

    `as_`: "numpy" (ndarray on both sides), "tensor" (tf.Tensor there, torch.Tensor here; int64 for
    integer class ids is up to the torch side's own casts) or "variable".
    `shape`: a dim may be a name ("N", "H"): the same name has the same size within a case, and the
    harness varies it over batches (odd sizes, a partial batch). `dist`: "normal", "uniform"
    (low, high), "integers" (low, high exclusive), "bool", "onehot" (last axis), "sorted",
    "binary", "lengths" (1..high). `npz`/`values`: stored values instead. `dtype` "object" is text: a tensor of
    strings there, bytes or an array of them here. `ids`: floats that count something, as an `Input` without a dtype
    gives them to an `Embedding`; their signs and sizes are not varied.
    """

    kind: Literal["array"] = "array"
    as_: Literal["numpy", "tensor", "variable"] = Field("tensor", alias="as")
    shape: tuple[int | str, ...] = ()
    dtype: str = "float32"
    dist: Literal["normal", "uniform", "integers", "bool", "onehot", "sorted", "binary", "lengths"] = "normal"
    low: float = 0.0
    high: float = 1.0
    scale: float = 1.0
    seed: int = 0
    values: Any = None
    npz: str | None = None
    ids: bool = False

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Items(_Strict):
    kind: Literal["list", "tuple"] = "list"
    items: tuple[Arg, ...] = ()


class Mapping(_Strict):
    kind: Literal["dict"] = "dict"
    items: dict[str, Arg] = {}


class Batches(_Strict):
    """A dataset: tf.data.Dataset of known cardinality there, a list of tuples of tensors (or a
    DataLoader-like iterable with len) here. `element` arrays have the batch as first axis;
    `sizes` are the batch sizes, the last one smaller as a rule."""

    kind: Literal["dataset"] = "dataset"
    element: Arg
    sizes: tuple[int, ...] = (8, 8, 5)


class Made(_Strict):
    """An object made by calling something of either side first: a model, a layer, an optimizer.

    `label`: the same label within a case is the same object. `weights`: copy the weights of the
    source's object into the target's by `map`, or else by the case's weight map (models and layers).
    `build`: run on the source's object first, so that its weights exist (`source` is a method name,
    "__call__" as a rule; the target is not called).
    """

    kind: Literal["made"] = "made"
    label: str
    call: Call
    weights: bool = True
    map: WeightMap | None = None
    build: Call | None = None


class Name(_Strict):
    """A module attribute of either side (a constant, a global model, a function)."""

    kind: Literal["name"] = "name"
    source: str  # "package.module:attr"
    target: str = ""


Arg = Annotated[Lit | Array | Items | Mapping | Batches | Made | Name, Field(discriminator="kind")]


class Call(_Strict):
    """Calls on both sides. `source`/`target`: "package.module:attr.attr"; a target "" means the same.

    `on`: the call is a method call on this object (`source`/`target` are then plain method names; a
    `target` with a colon is a function all the same, for a method that became one).
    `target_args`/`target_kwargs`: only where an interface change makes them differ (None: as source).
    `result`: which part of the result is compared where the sides return different structures on
    purpose (an interface change): dotted path/indices such as "[0]" or "history", per side.
    """

    source: str
    target: str = ""
    on: Arg | None = None
    args: tuple[Arg, ...] = ()
    kwargs: dict[str, Arg] = {}
    target_args: tuple[Arg, ...] | None = None
    target_kwargs: dict[str, Arg] | None = None
    source_result: str = ""
    target_result: str = ""


# --- weights -------------------------------------------------------------------------------------------


class WeightPair(_Strict):
    """One tensor of the map.

    `source`: a Keras weight: `weights[3]`, or an attribute path from the object
    (`layers[2].kernel`, `cross_layers[0].u`, `get_layer(stem_conv).kernel`); a list is concatenated on axis 0
    after the transform of each. `target`: name in `state_dict`, or an attribute path where the
    object is no module but holds some (`encoder.embedding.weight`). `transform`: source array → target
    array, operations of `migrator_validators.weights` ("T", "transpose(3,2,0,1)",
    "reshape(6,6,64,10) transpose(3,2,0,1) reshape(10,-1)", …), inverted for gradients by itself.
    """

    source: str | tuple[str, ...]
    target: str
    transform: str = ""


class RecordedMap(_Strict):
    """The rules' own records, resolved on the live objects in creation order."""

    owner: str
    path: str
    keras: str
    params: tuple[tuple[str, str, str], ...]


class WeightMap(_Strict):
    """`pairs` (explicit) or `records` (from the rules). `unmapped_source`/`unmapped_target`: names
    that have no partner on purpose (`num_batches_tracked` is known by itself), each with a reason."""

    pairs: tuple[WeightPair, ...] = ()
    records: tuple[RecordedMap, ...] = ()
    unmapped_source: dict[str, str] = {}
    unmapped_target: dict[str, str] = {}


# --- cases -----------------------------------------------------------------------------------------------


class Training(_Strict):
    """How a training case is cut and what it compares.

    `steps`: optimiser steps compared. `lr_change`: after this step both rates are multiplied by
    `lr_factor` (0: never; not applied where the program schedules the rate itself). `hold`: after so many
    steps weights are put back after each one (0: never), so that nothing improves any more and what waits
    for that comes to its end. `most`: the run is stopped after so many steps. `kept`: the methods by which what
    is trained is saved and restored in between, `times`: how often the call is made (see `Launch`). `epochs`: so many
    in the place of those that both texts state (0: as stated).
    """

    steps: int = 5
    lr_change: int = 3
    lr_factor: float = 0.1
    history: bool = True
    hold: int = 0
    most: int = 120
    kept: tuple[str, ...] = ()
    times: int = 1
    epochs: int = 0


class Hints(_Strict):
    """What the original's text says is worth varying in a call.

    `params`: names of the positional parameters. `whole`: those that are whole numbers. `others`: parameter → other
    values for it. `near`: numbers that the code compares with, so that inputs lie on and around them. `sizes`: whole
    numbers that it or its rewrite compares sizes with. `special`: it looks for NaN or infinity itself, so that other
    results for these are a difference and no footnote. `sorts`: it picks by order, and TensorFlow promises nothing of
    equal elements.
    """

    params: tuple[str, ...] = ()
    whole: dict[str, int] = {}
    others: dict[str, tuple[Arg, ...]] = {}
    near: tuple[float, ...] = ()
    sizes: tuple[int, ...] = ()
    special: bool = False
    sorts: bool = False


class Case(_Strict):
    """One thing to check: `call` run on both sides and compared by the rungs of its `kind`.

    kind: "function" (call, compare results and input gradients) · "model" and "layer" (`call` makes
    the object; it is then called with `inputs`; weights, init, forward, train-forward, gradients) ·
    "training" (`call` trains; optimiser hooks) · "data" (`call` returns an iterable of batches) ·
    "constant" (`call.source` names a value, or a module whose `names` are compared) · "script" (`call.source`
    is "module:__main__").
    `inputs`: positional arguments of the model or layer, batch first. `grad`: whether gradients apply.
    `inputs_from`: "recorded", "declared" or "invented". `gaps`: documented gaps that may explain a
    difference ("adam-epsilon", "batchnorm-variance", "sgd-velocity").
    `layout`: what the migrated model or layer works on, where only other modules use it: its inputs and
    outputs of that rank are permuted on the target's side.
    `hints`: the call is varied by them, as far as the original accepts it (`variations.py`); None: it is not.
    `tolerance`: name of a row of the tolerance table, for a case whose reason is stated there.
    `held`: "module:name" of what a function finds in its module; models and layers among these get the same weights
    on both sides, as made objects do.
    """

    id: str
    unit: str = ""
    kind: Literal["function", "model", "layer", "training", "data", "constant", "script"]
    call: Call
    inputs: tuple[Arg, ...] = ()
    input_kwargs: dict[str, Arg] = {}
    sizes: dict[str, tuple[int, ...]] = {}  # named dim → sizes over the batches tried
    batches: int = 3
    grad: bool = True
    random: bool = False  # draws random numbers (injected on both sides)
    init: bool = True  # initial values are compared in distribution
    training: Training = Training()
    weights: WeightMap = WeightMap()
    gaps: tuple[str, ...] = ()
    inputs_from: Literal["recorded", "declared", "invented"] = "declared"
    tolerance: str = ""
    layout: Literal["last", "ncl", "nchw", "ncdhw"] = "last"
    unchecked: tuple[str, ...] = ()
    hints: Hints | None = None
    names: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class Change(_Strict):
    """A permitted change of an interface, as `migrator.model.InterfaceChange`."""

    qualname: str
    kind: str
    detail: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class CaseFile(_Strict):
    """Cases for one pair of trees. `source`/`target` are folders, relative to the file.

    `package`, `roots`: as the trees import. `tf_remains`: units of the target are still TensorFlow. `foreign`: see
    `workers.Tree`. `replaced`: files of the target (path → text) as they were when the cases ran, where they were not
    kept so.
    """

    version: int = CASES_VERSION
    source: str = ""
    target: str = ""
    keras: Literal[2, 3] = 3
    package: str = ""
    roots: tuple[str, ...] = ("",)
    tf_remains: bool = False
    foreign: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    replaced: dict[str, str] = {}
    cases: tuple[Case, ...] = ()


for _m in (Items, Mapping, Batches, Made, Call, Hints, Case):
    _m.model_rebuild()
