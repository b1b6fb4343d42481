"""The steps of a chain in torch, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.data import batching, streams
from migrator.codemods.data.chains import FINAL, Step
from migrator.codemods.data.helpers import ENUMERATED, FILTERED, LOADER, MAP_DATASET, MAPPED_LOADER
from migrator.codemods.data.state import State, has_text, is_random
from migrator.model import Helper

Text = Callable[[cst.BaseExpression], str]
_IDLE = frozenset({"prefetch", "with_options"})
SHUFFLES_ALL = "the loader shuffles over all rows; the buffer of `shuffle` has no counterpart"
_PASSED_ON = {
    "flat_map": streams.FLATTENED,
    "unbatch": streams.UNBATCHED,
    "take_while": streams.TAKEN_WHILE,
    "window": batching.WINDOWS,
    "padded_batch": batching.PADDED,
    "group_by_window": batching.GROUPED,
    "bucket_by_sequence_length": batching.BUCKETED,
}
"""Steps whose helper takes the dataset and their own arguments."""
_UNKNOWN = frozenset({"window_size_func", "pad_to_bucket_boundary", "no_padding"})
"""Arguments of theirs that the helpers do not take."""


@dataclass
class Written:
    """An expression under way: its text, its state, what it needs, and why it cannot be written.

    `by_number`: datasets in arguments whose samples are read by number. `repeats`: whether the result may be
    iterated more than once.
    """

    ctx: Context
    text: Text
    expression: str
    state: State
    by_number: Collection[cst.CSTNode] = ()
    repeats: bool = True
    imports: set[str] = field(default_factory=set)
    helpers: list[Helper] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def use(self, helper: Helper) -> str:
        self.helpers += [helper, *helper.needs]
        return helper.name

    def stream(self, helper: Helper, *arguments: str) -> None:
        """The samples as a helper gives them."""
        self.settle()
        self.expression = f"{self.use(helper)}({', '.join((self.expression, *arguments))})"
        self.state = replace(self.state, stream=True)

    def settle(self) -> None:
        """Draws the order that the loader was to draw."""
        if not self.state.shuffle:
            return
        if self.state.shuffle != "True":
            self.problems.append("shuffling under a condition, of data that no loader reads by number")
        arguments = [self.expression, self.size(self.state.buffer)]
        if self.state.seed is not None and self.text(self.state.seed) != "None":
            arguments.append(f"seed={self.text(self.state.seed)}")
        self.expression = f"{self.use(streams.SHUFFLED)}({', '.join(arguments)})"
        self.state = replace(self.state, stream=True, shuffle=None, seed=None, buffer=None)

    def size(self, buffer: cst.BaseExpression | None) -> str:
        return f"len({self.expression})" if buffer is None else self.text(buffer)

    def argument(self, step: Step, name: str, default: str = "") -> str:
        """The text of an argument, or the default."""
        return self.text(step.args[name]) if name in step.args else default

    def given(self, step: Step, *names: str) -> list[str]:
        """Given arguments by keyword."""
        return [f"{name}={self.text(step.args[name])}" for name in names if name in step.args]

    # --- steps ------------------------------------------------------------------------------------------

    def take_step(self, step: Step) -> None:
        """Adds one step."""
        if step.method in _IDLE:
            return
        own = getattr(self, f"_{step.method}", None)
        if own is not None:
            own(step)
        elif step.args.keys() & _UNKNOWN:
            self.problems.append(f"Dataset.{step.method} in this form has no rule")
        elif step.method in _PASSED_ON:
            self._passed_on(step)
        else:
            self.problems.append(f"Dataset.{step.method} has no rule")
        if step.method in FINAL:
            self.state = State(stream=True)

    def _bucket_by_sequence_length(self, step: Step) -> None:
        if any(self.argument(step, name, "False") != "False" for name in ("pad_to_bucket_boundary", "no_padding")):
            self.problems.append("batches that are padded to the boundary of their bucket, or not at all")
        self._passed_on(step)

    def _passed_on(self, step: Step) -> None:
        arguments = [self.text(a) if i == 0 else f"{n}={self.text(a)}" for i, (n, a) in enumerate(ordered(step))]
        self.stream(_PASSED_ON[step.method], *arguments)
        self.state = replace(self.state, open=True)

    def _map(self, step: Step) -> None:
        function = self.argument(step, "map_func")
        mapped = self.ctx.code(step.args["map_func"]).strip() if "map_func" in step.args else ""
        if self.state.rows:
            self.expression = f"{self.use(MAP_DATASET)}({self.expression}, {function})"
        elif self.state.stream:
            self.stream(streams.MAPPED, function)
        else:
            self.expression = f"{self.use(MAPPED_LOADER)}({self.expression}, {function})"
        self.state = replace(self.state, mapped=(*self.state.mapped, mapped))

    def _filter(self, step: Step) -> None:
        if self.state.plain and not is_random(self.state, self.ctx):
            self.expression = f"{self.use(FILTERED)}({self.expression}, {self.argument(step, 'predicate')})"
        else:
            self.stream(streams.FILTERED, self.argument(step, "predicate"))

    def _enumerate(self, step: Step) -> None:
        start = [self.argument(step, "start")] if "start" in step.args else []
        if self.state.plain:
            self.expression = f"{self.use(ENUMERATED)}({', '.join([self.expression, *start])})"
        else:
            self.stream(streams.NUMBERED, *start)

    def _concatenate(self, step: Step) -> None:
        other = self.argument(step, "dataset")
        if self.state.plain and step.args.get("dataset") in self.by_number:
            self.imports.add("from torch.utils.data import ConcatDataset")
            self.expression = f"ConcatDataset([{self.expression}, {other}])"
        else:
            self.stream(streams.CHAINED, other)

    def _shuffle(self, step: Step) -> None:
        again, seed = self.argument(step, "reshuffle_each_iteration", "True"), step.args.get("seed")
        if again not in ("True", "None", "False"):
            self.problems.append("whether the order is drawn again is not known")
        elif again == "False" and not self.state.plain:
            self.problems.append("an order of a stream that is shuffled once")
        elif again == "False":
            self.imports |= {"import torch", "from torch.utils.data import Subset"}
            drawn = f"torch.randperm(len({self.expression}){', ' + self.generator(seed) if seed is not None else ''})"
            self.expression = f"Subset({self.expression}, {drawn}.tolist())"
            self.notes.append(SHUFFLES_ALL)
        elif self.state.rows:
            self.state = replace(self.state, shuffle="True", seed=seed, buffer=step.args.get("buffer_size"))
        else:
            self.stream(streams.SHUFFLED, self.argument(step, "buffer_size"), *self.given(step, "seed"))

    def generator(self, seed: cst.BaseExpression) -> str:
        seeded = f"torch.Generator().manual_seed({self.text(seed)})"
        constant = isinstance(seed, cst.Integer)
        return f"generator={seeded if constant else f'None if {self.text(seed)} is None else {seeded}'}"

    def _batch(self, step: Step) -> None:
        state = self.state
        if state.batched and not state.stream:
            self.problems.append("batches of batches")
        parts = [self.expression, f"batch_size={self.text(step.args['batch_size'])}"]
        if state.shuffle:
            parts.append(f"shuffle={state.shuffle}")
            self.notes.append(SHUFFLES_ALL)
        if self.argument(step, "drop_remainder", "False") != "False":
            parts.append(f"drop_last={self.argument(step, 'drop_remainder')}")
        text = has_text(step.on, self.ctx)
        if text or (text is None and (state.stream or state.open)):
            parts.append(f"collate_fn={self.use(streams.STACK)}")
        if state.shuffle and state.seed is not None and self.text(state.seed) != "None":
            parts.append(self.generator(state.seed))
        self.imports |= {LOADER, "import torch"}
        self.expression = f"DataLoader({', '.join(parts)})"
        self.state = replace(state, batched=True, stream=False, shuffle=None, seed=None, buffer=None)

    def _repeat(self, step: Step) -> None:
        self.stream(streams.REPEATED, *([self.text(step.args["count"])] if "count" in step.args else []))

    def _cache(self, step: Step) -> None:
        on_disk = self.argument(step, "filename", '""') not in ('""', "''")
        if on_disk:
            self.notes.append("what a file was to keep is kept in memory")
        elif self.state.plain and not is_random(self.state, self.ctx):
            return
        self.settle()
        self.expression = f"{self.use(streams.CACHED)}({self.expression})"
        self.state = replace(self.state, stream=True)

    def _take(self, step: Step) -> None:
        count = self.argument(step, "count")
        if count.startswith("-"):
            return
        if self.state.plain:
            self.imports.add("from torch.utils.data import Subset")
            self.expression = f"Subset({self.expression}, range(min({count}, len({self.expression}))))"
        elif self.state.batched and not self.repeats:
            self.imports.add("import itertools")
            self.expression = f"itertools.islice({self.expression}, {count})"
            self.state = replace(self.state, stream=True)
        else:
            self.stream(streams.FIRST, count)

    def _skip(self, step: Step) -> None:
        count = self.argument(step, "count")
        if self.state.plain and not count.startswith("-"):
            self.imports.add("from torch.utils.data import Subset")
            self.expression = f"Subset({self.expression}, range({count}, len({self.expression})))"
        else:
            self.stream(streams.REST, count)

    def _shard(self, step: Step) -> None:
        shards, index = self.argument(step, "num_shards"), self.argument(step, "index")
        if self.state.plain:
            self.imports.add("from torch.utils.data import Subset")
            self.expression = f"Subset({self.expression}, range({index}, len({self.expression}), {shards}))"
        else:
            self.stream(streams.SHARD, shards, index)

    def _interleave(self, step: Step) -> None:
        function = self.argument(step, "map_func")
        if "cycle_length" in step.args:
            self.stream(streams.INTERLEAVED, function, *self.given(step, "cycle_length", "block_length"))
        elif "num_parallel_calls" in step.args and self.argument(step, "num_parallel_calls") != "None":
            self.stream(streams.FLATTENED, function)
            self.notes.append("interleave reads one dataset after the other: how many at once was left to TensorFlow")
        else:
            self.imports.add("import os")
            self.stream(streams.INTERLEAVED, function, "cycle_length=os.cpu_count()", *self.given(step, "block_length"))
        self.state = replace(self.state, open=True)

    def _scan(self, step: Step) -> None:
        self.imports.add("import torch")
        state = f"torch.as_tensor({self.argument(step, 'initial_state')})"
        self.stream(streams.SCANNED, state, self.argument(step, "scan_func"))

    # --- the ends ---------------------------------------------------------------------------------------

    def _reduce(self, step: Step) -> None:
        self.settle()
        self.imports |= {"import functools", "import torch"}
        state = f"torch.as_tensor({self.argument(step, 'initial_state')})"
        self.expression = f"functools.reduce({self.argument(step, 'reduce_func')}, {self.expression}, {state})"

    def _get_single_element(self, step: Step) -> None:
        self.settle()
        self.expression = f"next(iter({self.expression}))"

    def _as_numpy_iterator(self, step: Step) -> None:
        self.settle()
        self.expression = f"{self.use(streams.NUMPY)}({self.expression})"

    def _cardinality(self, step: Step) -> None:
        if self.state.stream:
            self.problems.append("the length of a stream is not known")
        self.imports.add("import torch")
        self.expression = f"torch.tensor(len({self.expression}))"


def ordered(step: Step) -> list[tuple[str, cst.BaseExpression]]:
    """The arguments of a step that count, in the order in which they were given."""
    return [(name, arg) for name, arg in step.args.items() if name not in ("name", "deterministic")]
