"""Sessions of TensorFlow 1: what a run fetches, which optimizer steps it makes, and what these saw.

`apply_gradients` in a graph only makes an operation. It is remembered with its gradients and its rate; a run of a
session that needs the operation makes a step, and is asked for the gradients and the rate as well: the same numbers
that the step itself uses, since a run computes every tensor once.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.client import session as session_lib

from . import tf_graph_draws
from .tf_objects import session_weight, session_weights

_RATES = ("_learning_rate_tensor", "_lr_t")


@dataclass(frozen=True)
class GraphStep:
    """The operation that makes a step, and the tensors that say what it does."""

    optimizer: Any
    op: Any
    gradients: tuple[Any, ...]
    variables: tuple[Any, ...]
    rate: Any


@dataclass
class Sessions:
    """Watches `Session.run`; `log`, where there is one, is told of every step (`tf_training.Log`)."""

    log: Any = None
    steps: list[GraphStep] = field(default_factory=list)
    used: list[Any] = field(default_factory=list)
    _changed: dict[int, tuple[Any, float]] = field(default_factory=dict)
    _quiet: bool = False

    def install(self) -> None:
        """Watch all sessions from now on."""
        base = session_lib.BaseSession
        original = base.run

        @functools.wraps(original)
        def run(
            session: Any, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None
        ) -> Any:
            if self._quiet:
                return original(session, fetches, feed_dict, options, run_metadata)
            return self._run(session, fetches, dict(feed_dict or {}), options, run_metadata)

        base.run = run
        close = base.close

        @functools.wraps(close)
        def closing(session: Any) -> None:
            for weight in session_weights(session) if any(session is other for other in self.used) else ():
                weight.last = weight.numpy()
            close(session)

        base.close = closing

    def made(self, operation: Any) -> None:
        """A step that is only counted when a session runs it: what an optimizer returned."""
        op = getattr(operation, "op", operation)
        self.steps.append(GraphStep(None, op, (), (), None))

    def part(self, session: Any, trained: set[str]) -> tuple[int, set[str] | None]:
        """The part of a session's weights that steps of some of them, by name, have to do with, and its place among the
        parts; all (None) where the parts leave some out."""
        parts: list[set[str]] = []
        weights = {w.variable.name: w.variable.op for w in session_weights(session)}
        for step in (s for s in self.steps if s.optimizer is not None and s.op.graph is session.graph):
            needed = _needed(session.graph, list(step.gradients), [])
            own = {v.name for v in step.variables} | {name for name, op in weights.items() if op in needed}
            met = [other for other in parts if other & own]
            if met:
                met[0].update(own, *met[1:])
                parts = [other for other in parts if not any(other is gone for gone in met[1:])]
            else:
                parts.append(own)
        if not set().union(*parts) >= weights.keys():
            return 0, None
        return next(((n, other) for n, other in enumerate(parts) if trained <= other), (0, None))

    def watch_steps(self, step: Any) -> None:
        """From now on `step` is called for every step that some session makes; nothing else is changed."""
        base = session_lib.BaseSession
        original = base.run

        @functools.wraps(original)
        def run(session: Any, fetches: Any, feed_dict: Any = None, *rest: Any, **more: Any) -> Any:
            result = original(session, fetches, feed_dict, *rest, **more)
            if not self._quiet and self.steps:
                graph = session.graph
                needed = _needed(graph, _elements(graph, fetches), _elements(graph, list(_flat(dict(feed_dict or {})))))
                for made in self.steps:
                    if made.op in needed:
                        step()
            return result

        base.run = run

    def note(self, optimizer: Any, pairs: Any, made: Any) -> None:
        """An optimizer was asked in a graph to apply these gradients; `made` is what it returned."""
        pairs = [(g, v) for g, v in pairs if g is not None]
        gradients = tuple(tf.convert_to_tensor(g) for g, _ in pairs)
        rate = next((t for t in (getattr(optimizer, name, None) for name in _RATES) if t is not None), None)
        op = getattr(made, "op", made)
        self.steps.append(GraphStep(optimizer, op, gradients, tuple(v for _, v in pairs), rate))

    def _run(self, session: Any, fetches: Any, feeds: dict[Any, Any], options: Any, run_metadata: Any) -> Any:
        graph = session.graph
        needed = _needed(graph, _elements(graph, fetches), _elements(graph, list(_flat(feeds))))
        feeds.update(tf_graph_draws.feeds(graph, needed, feeds, lambda f, given: self._alone(session, f, given)))
        steps = [s for s in self.steps if s.op in needed]
        if not steps or self.log is None or not self.log.armed:
            return self._alone(session, fetches, feeds, options, run_metadata)
        return self._step(session, fetches, feeds, steps)

    def _step(self, session: Any, fetches: Any, feeds: dict[Any, Any], steps: list[GraphStep]) -> Any:
        self._begin(session)
        feeds.update(
            tensor_and_rate
            for s in steps
            for tensor_and_rate in [self._changed.get(id(s.optimizer))]
            if tensor_and_rate
        )
        extra = [[list(s.gradients), [] if s.rate is None else [s.rate]] for s in steps]
        result, seen = self._alone(session, [fetches, extra], feeds)
        for step, (gradients, rates) in zip(steps, seen):
            weights = [session_weight(v, session) for v in step.variables]
            pairs = [(np.asarray(g), w) for g, w in zip(gradients, weights)]
            rate = float(rates[0]) if rates else float("nan")
            factor = self.log.stepped(step.optimizer, rate, pairs)
            if factor is not None and step.rate is not None and step.rate.op.type == "Const":
                self._changed[id(step.optimizer)] = (step.rate, rate * factor)
                self.log.rate_changed(step.optimizer)
        return result

    def _begin(self, session: Any) -> None:
        if not any(session is other for other in self.used):
            self.used.append(session)
            for weight in session_weights(session):
                self.log.name(weight)
        self.log.begin()

    def _alone(self, session: Any, fetches: Any, feeds: Any, *rest: Any) -> Any:
        """Run without being watched."""
        kept, self._quiet = self._quiet, True
        try:
            return session.run(fetches, feeds, *rest)
        finally:
            self._quiet = kept


SESSIONS = Sessions()


def _flat(feeds: dict[Any, Any]) -> Any:
    for key in feeds:
        yield from key if isinstance(key, tuple) else [key]


def _elements(graph: Any, fetches: Any) -> list[Any]:
    """Tensors and operations of what a session may be asked for or fed with."""
    with graph.as_default():
        found = session_lib._FetchMapper.for_fetch(fetches).unique_fetches()
    return [graph.as_graph_element(fetch, allow_tensor=True, allow_operation=True) for fetch in found]


def _needed(graph: Any, fetched: list[Any], fed: list[Any]) -> set[Any]:
    """The operations that a run computes."""
    stop = {tensor.name for tensor in fed}
    seen: set[Any] = set()
    queue = [getattr(f, "op", f) for f in fetched if f.name not in stop]
    while queue:
        op = queue.pop()
        if op in seen:
            continue
        seen.add(op)
        queue += [t.op for t in op.inputs if t.name not in stop]
        queue += op.control_inputs
    return seen
