"""Random numbers that are the same on both sides; numpy only.

Seeds of two frameworks give different streams, so a program under test draws from here instead. A
number depends on what was asked for (kind, size) and on how many such draws came before it, never
on a seed or on the order of axes: NHWC and NCHW programs get the same noise at the same place.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

SPREAD = 0.9  # dropout factors are 1 + rate * s with |s| <= SPREAD: never zero, so nothing is lost


class Streams:
    """Counters of draws. `step` counts optimizer steps; dropout ordinals start again at each."""

    free: np.random.RandomState | None = None
    """While objects are made: their initial values are draws of their own, which are compared in distribution."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget all draws and events: both sides call this at the same point of a case."""
        self.free = None
        self.initial = False  # whether initial values of weights were drawn, which come from nowhere here
        self.step = 0
        self.dropouts = 0
        self.draws: dict[tuple[str, int], int] = {}
        self.events: list[dict[str, Any]] = []
        self.passes: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.feeding: dict[str, Any] | None = None
        self.fetching: list[Pass] = []

    def start_step(self) -> None:
        """Restart the ordinals, keeping events and notes."""
        self.step = 0
        self.dropouts = 0
        self.draws = {}

    def next_step(self, optimizer: int = 0) -> None:
        """An optimizer, of this number, made a step: the data fetched last feeds its training."""
        self.step += 1
        if self.feeding is not None:
            self.feeding["training"] = True
            if optimizer not in self.feeding["optimizers"]:
                self.feeding["optimizers"].append(optimizer)
        self.dropouts = 0

    def dropout(self, size: int, rate: float, fold: int = 1) -> np.ndarray:
        """Factors [size] of one dropout call over `size` rows; `fold` rows in a row are one sample."""
        ordinal = self.dropouts
        self.dropouts += 1
        rng = _generator("dropout", self.step, ordinal)
        samples = rng.uniform(-SPREAD, SPREAD, (size + fold - 1) // fold)
        factors: np.ndarray = 1.0 + rate * np.repeat(samples, fold)[:size]
        return factors

    def normal(self, shape: Sequence[int]) -> np.ndarray:
        """Standard normal numbers of this shape."""
        if self.free is not None:
            return np.asarray(self.free.standard_normal(tuple(shape)))
        rng = self._next("normal", shape)
        if len(shape) < 3:
            return np.asarray(rng.standard_normal(tuple(shape)))
        return np.asarray(_by_axis(shape, rng, np.random.RandomState.standard_normal) / np.sqrt(len(shape)))

    def uniform(self, shape: Sequence[int]) -> np.ndarray:
        """Numbers in [0, 1) of this shape."""
        if self.free is not None:
            return np.asarray(self.free.random_sample(tuple(shape)))
        rng = self._next("uniform", shape)
        if len(shape) < 3:
            return np.asarray(rng.random_sample(tuple(shape)))
        return np.asarray(np.mod(_by_axis(shape, rng, np.random.RandomState.random_sample), 1.0))

    def integers(self, low: Any, high: Any, shape: Sequence[int]) -> np.ndarray:
        """Whole numbers in [low, high). Where there is but one, nothing is drawn: a program may as well write it."""
        if np.all(np.asarray(high) - np.asarray(low) == 1):
            return np.full(tuple(shape), low, dtype=np.int64)
        return np.asarray(np.floor(low + self.uniform(shape) * (high - low)), dtype=np.int64)

    def choices(self, probabilities: np.ndarray, count: int) -> np.ndarray:
        """Class ids [rows, count] drawn from unnormalised `probabilities` [rows, classes]."""
        ladder = np.cumsum(probabilities / probabilities.sum(axis=-1, keepdims=True), axis=-1)
        draws = self.uniform((len(ladder), count))
        ids = (draws[:, :, None] >= ladder[:, None, :]).sum(axis=-1)
        return np.asarray(np.minimum(ids, ladder.shape[-1] - 1), dtype=np.int64)

    def event(self, kind: str, **fields: Any) -> None:
        """Note something both sides are compared on, such as a shuffle that was asked for."""
        self.events.append(dict(kind=kind, step=self.step, **fields))

    def note(self, text: str) -> None:
        """Note something that could not be injected."""
        if text not in self.notes:
            self.notes.append(text)

    def _next(self, kind: str, shape: Sequence[int]) -> np.random.RandomState:
        size = int(np.prod(shape)) if len(shape) else 1
        draws = self.fetching[-1].draws if self.fetching else self.draws
        ordinal = draws.get((kind, size), 0)
        draws[kind, size] = ordinal + 1
        return _generator(kind, size, ordinal)

    def report(self) -> dict[str, Any]:
        """What happened, as JSON."""
        return {
            "steps": self.step,
            "draws": [[kind, size, count] for (kind, size), count in sorted(self.draws.items())],
            "events": self.events,
            "passes": self.passes,
            "notes": self.notes,
        }


class Pass:
    """One walk over some data. It is a training pass once an optimizer stepped between two batches.

    Numbers that are drawn while it is fetched are counted from its beginning: Keras looks at a first batch before it
    trains, and how far ahead samples are made is nobody's business.
    """

    def __init__(self, streams: Streams, shuffled: bool) -> None:
        self.draws: dict[tuple[str, int], int] = {}
        self._streams = streams
        self._step = streams.step
        self._batches = 0
        self._record: dict[str, Any] = {"shuffled": bool(shuffled), "training": False, "batches": 0, "optimizers": []}
        streams.passes.append(self._record)

    def shuffle(self) -> None:
        """The order of the data is drawn while they are fetched."""
        self._record["shuffled"] = True

    @contextlib.contextmanager
    def fetch(self) -> Iterator[None]:
        """Fetch a batch inside of this."""
        self.advance()
        self._streams.fetching.append(self)
        try:
            yield
        finally:
            self._streams.fetching.pop()

    def advance(self) -> None:
        """A batch is fetched, or the data ends."""
        if self._batches and self._streams.step > self._step:
            self._record["training"] = True
        self._step = self._streams.step
        self._batches += 1
        self._record["batches"] = self._batches
        self._streams.feeding = self._record


def _generator(kind: str, first: int, second: int) -> np.random.RandomState:
    code = sum(ord(letter) * 31**i for i, letter in enumerate(kind)) % 100003
    return np.random.RandomState([code, first % (2**31), second % (2**31)])


def _by_axis(shape: Sequence[int], rng: np.random.RandomState, draw: Any) -> np.ndarray:
    """Sum over axes of a vector that depends on the axis's size alone: axes may be permuted freely."""
    total: Any = np.reshape(draw(rng, shape[0]), [shape[0]] + [1] * (len(shape) - 1))
    seed = int(rng.randint(2**31 - 1))
    for axis in range(1, len(shape)):
        vector = draw(np.random.RandomState([seed, shape[axis]]), shape[axis])
        total = total + np.reshape(vector, [-1 if i == axis else 1 for i in range(len(shape))])
    return np.asarray(total)


STREAMS = Streams()


def install_numpy_permutations() -> None:
    """`np.random.permutation` and `shuffle` keep the order and note that they were asked."""

    def permutation(x: Any) -> Any:
        STREAMS.event("permutation")
        return np.arange(x) if isinstance(x, (int, np.integer)) else np.array(x)

    def shuffle(x: Any) -> None:
        STREAMS.event("permutation")

    np.random.permutation = permutation
    np.random.shuffle = shuffle
