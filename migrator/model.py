"""The values that the rooms exchange. Frozen; no behaviour beyond small conveniences."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from migrator.values import Span

if TYPE_CHECKING:
    import libcst as cst

# --- source -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceFile:
    """One file of the repository.

    `text` is None for a file that is copied as it is (`why` says so for a Python file).
    `encoding` and `newline` are restored on writing. `module` is its import name from the root.
    """

    path: PurePosixPath
    module: str | None = None
    text: str | None = None
    encoding: str = "utf-8"
    bom: bool = False
    newline: str = "\n"
    uses_tf: bool = False
    why: str = ""

    @property
    def import_root(self) -> str:
        """The folder on `sys.path` from which `module` is found, relative to the repository's root."""
        parts = self.path.with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        depth = len(parts) - len((self.module or "").split(".")) if self.module else 0
        return "/".join(parts[: max(depth, 0)])


@dataclass(frozen=True)
class SourceRepo:
    """A repository, folder or single file, read once. `root` is absolute.

    `package` is not empty when the root folder is itself a package: import names start with it,
    so the tree must stand in a folder of that name to be imported. `import_roots` are the folders
    (relative, "" is the root) that must be on `sys.path`.
    """

    root: str
    files: tuple[SourceFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()  # (path, reason)
    keras: int = 3  # which Keras the source means: 2 or 3
    keras_reason: str = ""
    package: str = ""
    tf1: frozenset[str] = frozenset()  # paths of files whose `import tensorflow as tf` means TensorFlow 1

    @property
    def import_roots(self) -> tuple[str, ...]:
        return tuple(sorted({f.import_root for f in self.files if f.module}))


# --- rewriting ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decline:
    """Why something was left as it is. `api` is the canonical name where one is concerned."""

    reason: str
    api: str = ""
    span: Span | None = None


@dataclass(frozen=True)
class Helper:
    """A small plain function or class that goes into the migrated file, once, when needed."""

    name: str
    source: str
    imports: tuple[str, ...] = ()  # "import torch", "from torch import nn", …
    needs: tuple[Helper, ...] = ()  # others that it calls
    plain: Helper | None = None  # the same for a file that never gives weights
    module: str = ""  # it stands in a module of this name beside the files that use it, not in each of them
    gaps: tuple[str, ...] = ()  # documented gaps that it carries


@dataclass(frozen=True)
class Rewritten:
    """An expression or statement with its TensorFlow rewritten, as far as the rules could.

    `declines` empty means that nothing of TensorFlow is left in `node`. `imports` are import
    statements that the new code needs ("import torch", "import torch.nn.functional as F",
    "from torch import nn"); `helpers` go into the file once.
    """

    node: cst.CSTNode
    declines: tuple[Decline, ...] = ()
    imports: frozenset[str] = frozenset()
    helpers: tuple[Helper, ...] = ()
    gaps: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WeightRecord:
    """How the weights of one Keras layer kind land in one torch submodule or parameter.

    `owner`: generated class, "package.module:Class". `path`: attribute in it ("conv1", "" for the
    class's own parameters; an entry of a ModuleList or Sequential is "blocks.*").
    `keras`: canonical class name of the Keras layer ("tf.keras.layers.Dense"), or the
    repository's class for own weights. `params`: Keras weight name → torch name below `path`,
    with a transform in the language of `migrator_validators.weights`.
    """

    owner: str
    path: str
    keras: str
    params: tuple[tuple[str, str, str], ...]  # (keras weight, torch name, transform)


@dataclass(frozen=True)
class InterfaceChange:
    """A permitted change of a public interface (OUTPUT_STYLE section 1.4).

    `kind`: adds-size, returns-optimizer, takes-optimizer, takes-model, factory-to-module,
    drops-parameter, drops-callbacks, drops-tuning, renames, written-out, call-to-forward,
    takes-channels-first (`detail` is the layout). `detail` is for the reader; `added`
    and `removed` are parameter names; `mapping` gives for an added parameter its value at a call.
    """

    qualname: str  # "package.module:name"
    kind: str
    detail: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    mapping: tuple[tuple[str, object], ...] = ()


class UnitKind(enum.StrEnum):
    """What a unit is; the ladder's rungs are declared per kind."""

    IMPORTS = "imports"
    CONSTANT = "constant"
    FUNCTION = "function"
    LAYER = "layer"
    MODEL = "model"  # a model class, or a function that returns a model
    TRAINING = "training"
    DATA = "data"
    SCRIPT = "script"  # top-level statements with effects, `if __name__ == "__main__"`
    CLASS = "class"


class Origin(enum.StrEnum):
    RULES = "rules"
    LLM = "llm"
    HYBRID = "hybrid"
    UNTOUCHED = "untouched"


@dataclass(frozen=True)
class Unit:
    """The smallest thing accepted or rejected alone: a top-level class, function or statement group.

    `id` is "path.py::name"; `start`/`end` are 1-based lines of the original, end inclusive.
    """

    id: str
    path: str
    name: str
    kind: UnitKind
    start: int
    end: int
    uses: tuple[tuple[str, Span], ...] = ()  # TF names used, canonical


MODES = frozenset({"tf.compat.v1.disable_v2_behavior", "tf.compat.v1.disable_eager_execution"})
"""Calls whose effect is part of everything that runs after them."""


@dataclass(frozen=True)
class UnitRewrite:
    """What became of a unit. `text` None: left as the original (`declines` say why)."""

    unit: Unit
    text: str | None
    origin: Origin
    declines: tuple[Decline, ...] = ()
    notes: tuple[str, ...] = ()  # what a reviewer should know
    changes: tuple[InterfaceChange, ...] = ()
    weights: tuple[WeightRecord, ...] = ()
    gaps: tuple[str, ...] = ()  # documented gaps the text carries: "adam-epsilon", "batchnorm-variance", …
    draft: str | None = None  # half-written text of a declined unit, for people and the model
    group: str = ""  # acceptance group: units that stand or fall together
    defines: tuple[str, ...] = ()  # top-level names that `text` binds

    @property
    def only_set_a_mode(self) -> bool:
        """Whether nothing is left of it, and it only said that TensorFlow's graphs are those of version 1."""
        left = self.text is None or self.text.strip()
        return not left and bool(self.unit.uses) and all(name in MODES for name, _ in self.unit.uses)

    @property
    def is_written_out(self) -> bool:
        """Whether it is a function of which nothing is left but what stands where it was called."""
        left = self.text is None or self.text.strip()
        return not left and any(change.kind == "written-out" for change in self.changes)


@dataclass(frozen=True)
class FileRewrite:
    """A migrated file: its whole text and its units in order. `beside`: new files that it imports, path and text."""

    path: str
    text: str
    units: tuple[UnitRewrite, ...]
    imports: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


# --- layers as rules write them --------------------------------------------------------------------


@dataclass(frozen=True)
class CallForm:
    """How a layer is called with more arguments than its input.

    `params`: the parameters of Keras's `call` in order, the input first. `forward`: as in `LayerCode`, with
    `, {given_mask}` or `, mask={given_mask}` for an argument `mask`, which goes where it is not given. `given`: for
    each of these the text of its hole over `{v}` (or over `{one}`: one tensor, also where Keras is given a list
    of one). `helpers`: what only this form needs.
    """

    params: tuple[str, ...]
    forward: str
    given: tuple[tuple[str, str], ...]
    helpers: tuple[Helper, ...] = ()


@dataclass(frozen=True)
class LayerCode:
    """The torch spelling of one Keras layer instance, as text, ready to be placed by a codemod.

    `module`: expression for `__init__`, or None when the layer has no state (`forward` says all).
    `forward`: expression with `{x}` for the input (or `{x0}`, `{x1}` … where it takes a list) and
    `{self}` for the submodule (`self.conv1`). `activation`: expression with `{x}` applied after it, or None;
    `activation_name` is Keras's name for it ("softmax"), which the output contract asks for.
    `init`: statements of `reset_parameters` with `{self}`. `penalty`: expressions of the
    regulariser with `{self}`; `constraint`: statements that follow each step of the optimizer. `params`: as in
    `WeightRecord`. `layout`: "nchw" (works on channels at axis 1), "last" (works on the last axis), "any"
    (elementwise), "flatten" (NHWC order is lost).
    `adds`: calling it leaves what it adds to the loss in `{self}.added_loss`. `entry`: the module that does all of
    `forward` by itself, for a chain of modules, where `module` does not.
    `stem`: base of the attribute name ("conv", "fc", "bn"). `form`: how it is called with more than its
    input; `masked`: the same, where a mask is among it. `mask`: over `{x}`, the mask that it gives what follows.
    """

    module: str | None
    forward: str
    stem: str
    layout: str = "any"
    activation: str | None = None
    activation_name: str | None = None
    init: tuple[str, ...] = ()
    penalty: tuple[str, ...] = ()
    constraint: tuple[str, ...] = ()
    params: tuple[tuple[str, str, str], ...] = ()
    helpers: tuple[Helper, ...] = ()
    imports: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    form: CallForm | None = None
    masked: CallForm | None = None
    mask: str | None = None
    adds: bool = False
    entry: str | None = None


# --- training objects as rules write them -----------------------------------------------------------


@dataclass(frozen=True)
class OutputFacts:
    """What is known of a model's output where a loss or metric sees it.

    `rank` counts the batch; `width` is the last axis. `activation` is Keras's name of a final
    softmax or sigmoid whose input the generated model offers as `logits(x)`, else "".
    """

    rank: int | None = None
    width: int | None = None
    activation: str = ""
    target_rank: int | None = None


@dataclass(frozen=True)
class LossCode:
    """The torch spelling of a Keras loss, over `{p}` (logits or output) and `{y}`.

    `mean` is the scalar; `rows` one value a row, for weights, or None where there is none.
    `on_logits`: `{p}` is what `model.logits(x)` returns. `target`: "ids" (integer classes),
    "output" (floats of the shape of the output), "column" (floats [N, 1]) or "float". `chosen`: what gives the
    function where the model is compiled, for a loss that only the run tells; `mean` calls it `loss_fn`.
    """

    api: str
    mean: str
    rows: str | None
    target: str
    on_logits: bool = False
    imports: tuple[str, ...] = ()
    helpers: tuple[Helper, ...] = ()
    chosen: str = ""


@dataclass(frozen=True)
class MetricCode:
    """The torch spelling of a Keras metric: `total` is the sum over the rows of a batch, a tensor
    expression over `{p}` and `{y}`; `result` makes the figure of an epoch from `{mean}`. `rows`: one
    value a row, for weights, or "". `by_batch`: the mean is over batches, whatever their size. `made`: instead of
    all of it, what makes an object that is shown each batch (`update_state`) and asked for the figure (`result`).
    `listed`: the figure is the mean of the numbers that `total` gives for the batches, some for each."""

    name: str
    total: str
    result: str = "{mean}"
    on_logits: bool = False  # `{p}` may be logits as well as the output
    imports: tuple[str, ...] = ()
    gathered: str = ""  # instead of `total`: the figure over all rows of an epoch, a number
    helpers: tuple[Helper, ...] = ()
    rows: str = ""
    by_batch: bool = False
    weighted: bool = False  # over the sum of the rows' weights
    made: str = ""
    listed: bool = False

    @property
    def kept(self) -> bool:
        """Whether something of its own is kept from batch to batch, in place of a sum."""
        return bool(self.made or self.listed)


@dataclass(frozen=True)
class OptimizerCode:
    """The torch spelling of a Keras optimizer over `{params}` (an iterable of parameters).

    `clip`: statements between `backward` and `step`, over `{params}`. `schedule`: expression of a
    callable from step to rate, for LambdaLR over a rate of 1.0; `before`: statements that it needs.
    `finish`: statements over `{optimizer}` after the last epoch.
    """

    call: str
    clip: tuple[str, ...] = ()
    schedule: str | None = None
    imports: tuple[str, ...] = ()
    helpers: tuple[Helper, ...] = ()
    gaps: tuple[str, ...] = ()
    finish: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


# --- verdicts ---------------------------------------------------------------------------------------


class Outcome(enum.StrEnum):
    PASS = "pass"
    GAP = "equal-with-gap"
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    UNVERIFIABLE = "unverifiable"
    INFRA = "infra-error"


class Status(enum.StrEnum):
    ACCEPTED = "accepted"
    NEEDS_REVIEW = "needs-review"
    UNVERIFIABLE = "unverifiable"
    INFRA_ERROR = "infra-error"
    UNTOUCHED = "untouched"  # no TensorFlow in it


class Rung(enum.StrEnum):
    """The ladder, lowest first."""

    SOURCE_RUNS = "source-runs"
    PARSES = "parses"
    NAMES = "names"
    IMPORTS = "imports"
    SPEC = "spec"
    WEIGHTS = "weights"
    INIT = "init"
    LINES = "lines"
    DEVICE = "device"
    FORWARD = "forward"
    TRAIN_FORWARD = "train-forward"
    GRADIENTS = "gradients"
    STEPS = "steps"
    TRAINING = "training"
    BATCHES = "batches"
    RUNS = "runs"


@dataclass(frozen=True)
class Verdict:
    """What one rung said of one unit.

    `measured` and `allowed` are figures (largest absolute difference and its tolerance, counts …);
    `inputs`: "recorded", "declared" or "invented"; `unchecked`: what was not compared, in words;
    `repro`: a command line that shows it again; `diverges`: of a failure, the first layer or statement whose
    value differs, with its figures; `limit`: "time" or "memory" where the migrated program went beyond a
    limit that the original kept.
    """

    rung: Rung
    outcome: Outcome
    detail: str
    measured: tuple[tuple[str, float], ...] = ()
    allowed: tuple[tuple[str, float], ...] = ()
    inputs: str = ""
    unchecked: tuple[str, ...] = ()
    repro: str = ""
    diverges: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Attempt:
    """One reply of a language model about one unit, or why there was none.

    `number` counts the questions from 1, `sample` the draws of one question from 0. `ending`: accepted,
    unverified (nothing could be compared), rejected (by the verifier), gate (refused before anything ran),
    same (an earlier reply again), refused, truncated, empty, malformed, failed (no reply), infra-error,
    spent, withheld, pending (not asked). `cost` in dollars, None where no price is known. `call` is the
    ledger's id.
    """

    number: int
    ending: str
    detail: str = ""
    sample: int = 0
    verdicts: tuple[Verdict, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    cached: bool = False
    call: int | None = None
    prompt: str = ""  # version of the prompt


@dataclass(frozen=True)
class UnitResult:
    """The end of a unit: its rewrite, the verdicts on it and the status they give."""

    rewrite: UnitRewrite
    status: Status
    reason: str
    verdicts: tuple[Verdict, ...] = field(default_factory=tuple)
    attempts: tuple[Attempt, ...] = ()
