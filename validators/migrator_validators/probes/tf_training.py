"""Runs a training function of the source and reports every optimizer step.

Request: `call` and `roots` ([{"label": …, "paths": [source paths]}], see `training`), `inside` (source
paths of models made inside), `steps`, `most` (the run is stopped after so many), `lr_change`,
`lr_factor`, `float64`, `parts` (steps of one session that have no weights in common are those of several models);
the array "given/start/v3" is what that variable has when training begins, instead of its own
value. Result: `roots`, `optimizers`, `result`, `finished`, `streams`, `outputs` (for each root what
Keras's own training gave it first, and what it makes of that at the end, without training; None for others).
Arrays: "start/v3" and "end/v3" of every variable that matters, "first/v3" of those in no model (before their first
step), "step/0/2/grad/v3" and "step/0/2/after/v3" for optimizer 0, step 2.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from . import tf_exports, tf_injection, tf_objects, wire
from .launch import Launch
from .streams import STREAMS
from .tf_program import recorder
from .tf_rates import far_rates, is_constant
from .tf_sessions import SESSIONS
from .tf_stamps import stamp_layers

GIVEN = "given/start/"
"""Before the names of variables: the values with which training begins, instead of their own."""


class Stop(BaseException):
    """Enough steps were made."""


def run(request: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """Train, and report."""
    tf_injection.install()
    stamp_layers()
    if request.get("float64"):
        tf_injection.widen()
    log = Log(request, {key.removeprefix(GIVEN): value for key, value in arrays.items() if key.startswith(GIVEN)})
    log.install()
    program = wire.Program(arrays, _tensor, _dataset)
    call = request["call"]
    out: wire.Arrays = {}
    launch = Launch(program, call, recorder(out), request.get("kept", ()), request.get("times", 1))
    tf_injection.restart()
    log.armed = True
    result, finished = _finish(launch)
    report, found = _report(request, log, program, result, finished, call)
    return dict(report, program=launch.told()), {**found, **out}


def _finish(launch: Any) -> Any:
    """(result, True), or (None, False) where the run was stopped."""
    try:
        return launch(), True
    except wire.ProgramError as error:
        if isinstance(error.__cause__, Stop):
            return None, False
        raise


def _report(request: dict[str, Any], log: Log, program: Any, result: Any, finished: bool, call: Any) -> Any:
    roots = []
    for root in request["roots"]:
        roots.append(_root(log, program.made[root["label"]], root["label"], root["paths"]))
    known = {name for root in roots for name in root["weights"]}
    made = [
        _root(log, owner, "", request.get("inside", []))
        for optimizer in log.optimizers
        if optimizer["variables"] and not set(optimizer["variables"]) <= known
        if (owner := log.owner(optimizer)) is not None
    ]
    roots += sorted(_outermost(made), key=lambda root: getattr(root["object"], "place", 0))
    out = log.arrays(roots)
    sink = wire.Sink(out, "result")
    tree = wire.encode(_plain(wire.pick(result, call.get("pick") or "")), sink) if finished else None
    for optimizer in log.optimizers:
        optimizer["far"] = far_rates(optimizer["object"])
    steps = [{key: value for key, value in o.items() if key not in ("object", "statistics")} for o in log.optimizers]
    answer = {"roots": roots, "optimizers": steps, "result": tree, "finished": finished, "streams": STREAMS.report()}
    models = [root.pop("object") for root in roots]
    answer["outputs"] = [
        _output(log, model, wire.Sink(out, f"output{i}")) for i, model in enumerate(models) if finished
    ]
    return answer, out


def _output(log: Log, model: Any, sink: Any) -> Any:
    """What a model was given first, tensor by tensor, and what it gives for that now; None where it does not say."""
    given = next((x for known, x in log.inputs if known is model), None)
    tensors = None if given is None else _in_order(given, model)
    if tensors is None:
        return None
    try:
        gives = wire.encode(model(given, training=False), sink)
    except Exception:  # its training alone can do with it
        return None
    trees = [wire.encode(tensor, sink) for tensor in tensors]
    return {"given": trees, "gives": gives} if all("key" in tree for tree in trees) else None


def _in_order(given: Any, model: Any) -> list[Any] | None:
    """The tensors of an input; those of a dict as a graph takes them, where it takes a list."""
    if isinstance(given, dict):
        names = [getattr(tensor, "name", "").split(":")[0] for tensor in getattr(model, "inputs", None) or []]
        return [given[name] for name in names] if sorted(names) == sorted(given) else None
    tensors = list(given) if isinstance(given, (list, tuple)) else [given]
    return tensors if all(hasattr(tensor, "shape") for tensor in tensors) else None


def _outermost(roots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Roots that are not parts of others: while a part of a model is frozen, an optimizer has the rest alone."""
    kept: list[dict[str, Any]] = []
    for root in roots:
        own = set(root["weights"])
        if not any(own <= set(other["weights"]) for other in kept):
            kept = [other for other in kept if not set(other["weights"]) < own] + [root]
    return kept


def _plain(result: Any) -> Any:
    """Keras's History as its dict, in containers too."""
    if type(result).__name__ == "History":
        return dict(result.history)
    if type(result) in (list, tuple):
        return type(result)([_plain(item) for item in result])
    return result


def _root(log: Log, value: Any, label: str, paths: list[str]) -> dict[str, Any]:
    """What a root has: its weights and layers, and the names of its variables in the order of its weights."""
    names = [log.name(v) for v in tf_objects.weights_of(value)]
    described, session = tf_objects.describe(value, paths), isinstance(value, tf_objects.SessionRoot)
    return {"label": label, "described": described, "weights": names, "session": session, "object": value}


def _tensor(array: Any, as_: str) -> Any:
    return tf.Variable(array) if as_ == "variable" else tf.constant(array)


def _dataset(batches: list[Any]) -> Any:
    parts = [tf.data.Dataset.from_tensors(batch) for batch in batches]
    return functools.reduce(lambda a, b: a.concatenate(b), parts)


def raw(variable: Any) -> Any:
    """The tf.Variable behind a variable of Keras 3."""
    return getattr(variable, "_value", variable) if hasattr(variable, "trainable") else variable


class Log:
    """Variables, their first values, and the steps of all optimizers."""

    def __init__(self, request: dict[str, Any], given: dict[str, Any]) -> None:
        self.request = request
        self.given = given
        self.armed = False
        self.begun = False
        self.scheduled = False
        self.optimizers: list[dict[str, Any]] = []
        self.inputs: list[tuple[Any, Any]] = []  # models with what their own steps were given first
        self._variables: dict[int, tuple[str, Any]] = {}
        self._starts: dict[str, Any] = {}
        self._stored: dict[str, Any] = {}
        self._layers: list[Any] = []
        self._pending: Any = None
        self._total = 0

    # hooks

    def install(self) -> None:
        """Watch variables, layers, the beginning of training and every step."""
        from tensorflow.python.ops import resource_variable_ops

        self._after(resource_variable_ops.ResourceVariable, "__init__", lambda v: self.name(v))
        SESSIONS.log = self
        keras = tf_exports.keras_package()
        self._after(keras.layers.Layer, "__init__", self._layers.append)
        self._after(tf.Module, "__init__", self._module)
        trainer = next(c for c in keras.Model.__mro__ if "fit" in c.__dict__)
        for cls, name in ((trainer, "fit"), (trainer, "train_on_batch"), (tf.GradientTape, "__enter__")):
            self._before(cls, name, self.begin)
        for name in ("train_step", "test_step"):
            cls = next(c for c in keras.Model.__mro__ if name in c.__dict__)
            setattr(cls, name, self._given_first(getattr(cls, name)))
        for cls, name in tf_exports.step_methods():
            setattr(cls, name, self._stepping(getattr(cls, name)))
        for cls, name in tf_exports.update_methods():
            setattr(cls, name, self._updating(getattr(cls, name)))

    def _module(self, module: Any) -> None:
        """A module that is no layer has variables as one."""
        if tf_objects.is_module(module):
            self._layers.append(module)

    def _after(self, cls: Any, name: str, note: Any) -> None:
        original = getattr(cls, name)

        @functools.wraps(original)
        def call(self_: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self_, *args, **kwargs)
            note(self_)
            return result

        call.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # Keras reads it
        setattr(cls, name, call)

    def _before(self, cls: Any, name: str, note: Any) -> None:
        original = getattr(cls, name)

        @functools.wraps(original)
        def call(self_: Any, *args: Any, **kwargs: Any) -> Any:
            note(args, kwargs)
            return original(self_, *args, **kwargs)

        setattr(cls, name, call)

    def _given_first(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(model: Any, data: Any) -> Any:
            if self.armed and all(known is not model for known, _ in self.inputs):
                self.inputs.append((model, data[0] if isinstance(data, tuple) else data))
            return original(model, data)

        return call

    def begin(self, args: Any = (), kwargs: Any = None) -> None:
        """Training begins: the values that all variables have now are the common start."""
        callbacks = [
            c for value in [*args, *(kwargs or {}).values()] if isinstance(value, (list, tuple)) for c in value
        ]
        self.scheduled = self.scheduled or any(_schedules(c) for c in callbacks)
        if not self.armed or self.begun:
            return
        self.begun = True
        for name, variable in self._variables.values():
            self._starts[name] = self._begun(name, variable)

    def _begun(self, name: str, variable: Any) -> Any:
        """The value of a variable as training begins, which is the given one where that fits."""
        own, given = _value(variable), self.given.get(name)
        if given is None or own.shape != given.shape or own.dtype.kind != "f" or not own.size:
            return own
        variable.assign(given.astype(own.dtype))
        return _value(variable)

    # names

    def name(self, variable: Any) -> str:
        """A variable's own name in the report."""
        variable = raw(variable)
        if id(variable) not in self._variables:
            name = f"v{len(self._variables)}"
            self._variables[id(variable)] = (name, variable)
            self._starts[name] = _value(variable)
        return self._variables[id(variable)][0]

    def owner(self, optimizer: dict[str, Any]) -> Any:
        """The model that was compiled with an optimizer; else the smallest layer or model that has all its
        variables, the outermost of equals."""
        names, best, size = optimizer["variables"], None, 0
        compiled = [layer for layer in self._layers if getattr(layer, "optimizer", None) is optimizer["object"]]
        if compiled and not self._trains_beside(compiled[0], optimizer):
            return compiled[0]
        for session in SESSIONS.used:
            weights = {w.variable.name: self.name(w) for w in tf_objects.session_weights(session)}
            if set(names) <= set(weights.values()):
                trained = {name for name, known in weights.items() if known in names}
                place, part = SESSIONS.part(session, trained) if self.request.get("parts") else (0, None)
                return tf_objects.SessionRoot(session, part, place)
        for layer in self._layers:
            try:
                own = {self.name(v) for v in tf_objects.weights_of(layer)}
            except Exception:
                continue
            if set(names) <= own and (best is None or len(own) < size or (len(own) == size and best in _below(layer))):
                best, size = layer, len(own)
        return best

    def _trains_beside(self, model: Any, optimizer: dict[str, Any]) -> bool:
        """Whether a part of a compiled model has an optimizer of its own, and the model's leaves that part alone."""
        inside, names = _below(model), set(optimizer["variables"])
        others = [o for o in self.optimizers if o is not optimizer and not names & set(o["variables"])]
        found = {id(o["object"]) for o in others if o["variables"]}
        return any(id(getattr(layer, "optimizer", None)) in found for layer in inside)

    # steps

    def _stepping(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            args = tuple(list(a) if hasattr(a, "__next__") or type(a).__name__ == "zip" else a for a in args)
            if type(tf.compat.v1.get_default_graph()) is tf.Graph and not tf.executing_eagerly():
                made = original(optimizer, *args, **kwargs)
                SESSIONS.note(optimizer, _given(args, kwargs), made)
                return made
            if self._pending is not None or not self.armed or not tf.executing_eagerly():
                return original(optimizer, *args, **kwargs)
            self.begin()
            self._pending = _given(args, kwargs)
            held = self._held(optimizer, self._pending)
            for variable in (v for _, v in self._pending):
                self._stored.setdefault("first/" + self.name(variable), _value(raw(variable)))
            try:
                rate = _rate(optimizer)
                result = original(optimizer, *args, **kwargs)
                entry = self._step(optimizer, rate, self._pending)
                for variable, value in held:
                    variable.assign(value)
                self._change_rate(optimizer, entry, len(entry["rates"]))
            finally:
                self._pending = None
            self._advance(entry)
            return result

        return call

    def _updating(self, original: Any) -> Any:
        """The inner method that gets gradients after the optimizer's own clipping."""

        @functools.wraps(original)
        def call(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            given = _given(args, kwargs)
            if self._pending is not None and given:
                self._pending = given
            return original(optimizer, *args, **kwargs)

        return call

    def _held(self, optimizer: Any, given: Any) -> list[Any]:
        """Variables with their values, where they are put back after this step."""
        hold = self.request.get("hold", 0)
        if not hold or len(self._entry(optimizer)["rates"]) < hold:
            return []
        trained = [(variable, np.array(_value(raw(variable)))) for gradient, variable in given if gradient is not None]
        return [*trained, *self._statistics(self._entry(optimizer))]

    def _statistics(self, entry: dict[str, Any]) -> list[Any]:
        """Moving statistics with the values that they had when the weights began to be held."""
        if "statistics" not in entry:
            owner = self.owner(entry)
            weights = [] if owner is None else tf_objects.weights_of(owner)
            kept = [w for w in weights if not getattr(w, "trainable", True) and self.name(w) not in entry["variables"]]
            values = [(w, np.array(_value(raw(w)))) for w in kept]
            entry["statistics"] = [(w, value) for w, value in values if value.dtype.kind == "f"]
        return list(entry["statistics"])

    def _advance(self, entry: dict[str, Any]) -> None:
        STREAMS.next_step(self.optimizers.index(entry))
        self._total += 1
        if self._total >= self.request["most"]:
            raise Stop()

    def _step(self, optimizer: Any, rate: float, given: Any) -> dict[str, Any]:
        entry = self._entry(optimizer)
        number, count = self.optimizers.index(entry), len(entry["rates"])
        entry["rates"].append(rate)
        pairs = [(g, v) for g, v in given if g is not None]
        names = [self.name(v) for _, v in pairs]
        entry["variables"] += [n for n in names if n not in entry["variables"]]
        if count < self.request["steps"]:
            for name, (gradient, variable) in zip(names, pairs):
                self._stored[f"step/{number}/{count}/grad/{name}"] = _array(gradient)
                self._stored[f"step/{number}/{count}/after/{name}"] = _value(raw(variable))
        return entry

    def stepped(self, optimizer: Any, rate: float, pairs: Any) -> float | None:
        """A session made a step; the factor by which its rate is to change now, or None."""
        entry = self._step(optimizer, rate, pairs)
        self._advance(entry)
        due = len(entry["rates"]) == self.request.get("lr_change", 0) and len(set(entry["rates"])) == 1
        return float(self.request["lr_factor"]) if due else None

    def rate_changed(self, optimizer: Any) -> None:
        """The rate of a session's optimizer was changed after its last step."""
        entry = self._entry(optimizer)
        entry["changed"] = len(entry["rates"])

    def _entry(self, optimizer: Any) -> dict[str, Any]:
        for entry in self.optimizers:
            if entry["object"] is optimizer:
                return entry
        entry = {"object": optimizer, "class": type(optimizer).__name__, "rates": [], "variables": [], "changed": 0}
        entry["epsilon"] = _epsilon(optimizer)
        self.optimizers.append(entry)
        return entry

    def _change_rate(self, optimizer: Any, entry: dict[str, Any], done: int) -> None:
        """After `lr_change` steps the rate is multiplied, unless the program varies it by itself."""
        varies = self.scheduled or not is_constant(optimizer) or len(set(entry["rates"])) > 1
        if varies or done != self.request.get("lr_change", 0):
            return
        try:
            optimizer.learning_rate = entry["rates"][-1] * self.request["lr_factor"]
            entry["changed"] = done
        except (AttributeError, TypeError, ValueError):
            return

    def arrays(self, roots: list[dict[str, Any]]) -> dict[str, Any]:
        """Everything stored, with first and last values of the variables that matter."""
        names = {n for root in roots for n in root["weights"]}
        names |= {n for entry in self.optimizers for n in entry["variables"]}
        owned = {"first/" + n for root in roots for n in root["weights"]}
        out = {key: value for key, value in self._stored.items() if key not in owned}
        for name, variable in self._variables.values():
            if name in names:
                out["start/" + name] = self._starts[name]
                out["end/" + name] = _value(variable)
        return out


def _value(variable: Any) -> Any:
    try:
        return np.array(variable.numpy())
    except (AttributeError, NotImplementedError, ValueError):
        return np.zeros(0, "float32")  # of a graph: never compared


def _array(gradient: Any) -> Any:
    return np.array(gradient) if isinstance(gradient, np.ndarray) else _value(tf.convert_to_tensor(gradient))


def _given(args: Any, kwargs: Any) -> Any:
    """(gradient, variable) pairs from the arguments of any optimizer's methods."""
    first = args[0] if args else kwargs.get("grads_and_vars", kwargs.get("grads"))
    second = args[1] if len(args) > 1 else kwargs.get("trainable_variables")
    if first is None:
        return []
    items = list(first)
    if items and isinstance(items[0], tuple):
        return items
    return list(zip(items, second)) if second is not None else []


def _rate(optimizer: Any) -> float:
    for name in ("learning_rate", "lr", "_lr", "_learning_rate"):
        value = getattr(optimizer, name, None)
        if value is not None:
            value = (
                value() if callable(value) and not hasattr(value, "numpy") and not hasattr(value, "_value") else value
            )
            return float(value)
    return float("nan")


def _epsilon(optimizer: Any) -> Any:
    """Of the Adam family, whose meaning both frameworks share but for its place."""
    if type(optimizer).__name__ not in ("Adam", "AdamW", "Nadam", "Adamax", "Adagrad", "AdamOptimizer"):
        return None
    value = getattr(optimizer, "epsilon", getattr(optimizer, "_epsilon", None))
    return None if value is None else float(value)


def _schedules(callback: Any) -> bool:
    """Can this callback set the rate? Keras's own ones that cannot are known; of others it may be."""
    bases = [c for c in type(callback).__mro__ if c.__name__ == "Callback"]
    if not bases:
        return False
    name, own = type(callback).__name__, type(callback).__module__.split(".")[0] in ("keras", "tf_keras")
    return not own or name in ("LearningRateScheduler", "ReduceLROnPlateau", "LambdaCallback")


def _below(layer: Any) -> list[Any]:
    try:
        return tf_objects.inner_layers(layer)
    except Exception:
        return []
