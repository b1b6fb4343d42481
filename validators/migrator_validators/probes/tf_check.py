"""TensorFlow side of a check: make the object or call the function, and observe.

Request: `call`, `kind` ("object": `call` makes it, `batches` give its arguments; "function": each
batch has its own `call`; "constant"), `mode` ("plain": evaluation with randomised weights and
initial values; "train": training mode with injected randomness, given weights and gradients),
`graded` (the first batches whose gradients are taken), `seeds` for initial values, `initial` (whether they
are wanted), `large` (so many parameters are drawn once), `draws` (with how many seeds at least, and up to how
many numbers in all), `sources` of weight maps by label, `floatx`, `grad`, `inject`.
"""

from __future__ import annotations

import os
import random
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import tensorflow as tf

from . import tf_initializers, tf_wide, wire
from . import tf_objects as objects
from .effects import Effects, watching
from .left import Left
from .printed import stop_clocks
from .raised import refusal
from .streams import STREAMS
from .tf_program import recorder
from .tf_stamps import stamp_layers
from .tf_states import reset_states

SELF = "self"
Request = Dict[str, Any]


def tensor(array: np.ndarray, as_: str) -> Any:
    return tf.Variable(array) if as_ == "variable" else tf.constant(array)


def dataset(batches: List[Any]) -> Any:
    """A dataset of known cardinality, whatever the sizes of its batches."""
    made = tf.data.Dataset.from_tensors(batches[0])
    for batch in batches[1:]:
        made = made.concatenate(tf.data.Dataset.from_tensors(batch))
    return made


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    tf.keras.utils.set_random_seed(seed)


def takes(function: Any, name: str) -> bool:
    parameters = wire.signature(function) or []
    return any(p[0] == name or p[1] == "VAR_KEYWORD" for p in parameters)


def call_object(value: Any, args: List[Any], kwargs: Dict[str, Any], training: bool) -> Any:
    """Call a model with its training flag, where it has one."""
    if objects.is_layer(value) or takes(value, "training"):
        kwargs = dict(kwargs, training=training)
    return wire.guard(value, *args, **kwargs)


def total_of(losses: List[Any]) -> np.ndarray:
    """The sum of some losses."""
    return np.asarray(sum(float(tf.reduce_sum(loss)) for loss in losses), np.float64)


class Check:
    """One request on the TensorFlow side."""

    def __init__(self, request: Request, arrays: wire.Arrays) -> None:
        self.request, self.arrays = request, arrays
        self.out: wire.Arrays = {}
        self.training = request["mode"] == "train"
        self.program = wire.Program(arrays, tensor, dataset)
        self.loaded: Dict[str, List[np.ndarray]] = {}
        self.effects = Effects(recorder(self.out))
        self.graphs: List[Any] = []
        self.begun = False

    def invoke(self, batch: Dict[str, Any]) -> Any:
        """The subject's call on one batch, its arguments already made, so that a tape can watch them."""
        if self.request["kind"] != "object":
            return self.program.bind(batch["call"])
        args = [self.program.value(arg) for arg in batch["args"]]
        kwargs = {name: self.program.value(arg) for name, arg in batch["kwargs"].items()}
        return lambda: call_object(self.program.made[SELF], args, kwargs, self.training)

    def build(self, seed: int) -> None:
        """Make the objects and run the first batch once, so that every weight exists."""
        # modules draw before any seed of an object, and from the streams, which both sides begin alike
        wire.import_modules([self.request["call"], self.request["batches"]])
        seed_all(seed)
        if self.request["initial"]:
            STREAMS.free = np.random.RandomState(seed)
        self._enter_graph()
        self.program = wire.Program(self.arrays, tensor, dataset)
        if self.request["kind"] == "object":
            self.program.object({"k": "made", "label": SELF, "weights": True, "call": self.request["call"]})
        kept, self.training = self.training, False
        call = self.invoke(self.request["batches"][0])
        self.program.hold(self.request["held"], objects.is_layer)
        for value in list(self.program.made.values()):
            objects.give_first_values(value)
        put_back = self._left(self.request["batches"][0]).keep()
        call()
        put_back()
        reset_states(self.program.made.values())
        self.training = kept

    def _enter_graph(self) -> None:
        """Objects that build on the graph that there is get one each; where modules began one, they go on with it."""
        wire.import_modules([self.request["call"], self.request["batches"]])
        if tf.executing_eagerly():
            return
        if not self.graphs:
            self.begun = bool(tf.compat.v1.get_default_graph().get_operations())
        if not self.begun:
            self.graphs.append(tf.Graph().as_default())
            self.graphs[-1].__enter__()

    def weighted(self) -> Dict[str, Any]:
        made = self.program.made
        return {label: made[label] for label in self.program.weighted if objects.is_weighted(made[label])}

    def initial(self) -> Dict[str, Any]:
        """Initial values over several seeds (one for a large object), and the objects of the last build described."""
        described: Dict[str, Any] = {}
        wire.import_modules([self.request["call"], self.request["batches"]])
        held = [(variable, variable.numpy()) for variable in module_variables()]
        for number, seed in enumerate(reversed(self.request["seeds"])):
            self.build(seed)
            count = 0
            for label, value in self.weighted().items():
                for i, weight in enumerate(objects.weights_of(value)):
                    count += int(np.prod(weight.shape))
                    if self.request["initial"] and label not in self.request["held"]:
                        self.out["i.%s.%d.%d" % (label, number, i)] = wire.plain(weight)
                described[label] = objects.describe(value, self.request["sources"].get(label, []))
            if count > self.request["large"] or not count or self._drawn_enough(number + 1, count):
                break
        for variable, value in held:  # the calls above may have trained what modules hold
            variable.assign(value)
        return described

    def _drawn_enough(self, builds: int, count: int) -> bool:
        """Whether initial values of `count` numbers, from so many seeds, tell one distribution from another."""
        few, draws = self.request["draws"]
        return bool(builds >= few and builds * count > draws)

    def randomise(self) -> None:
        for label, value in self.weighted().items():
            for i, weight in enumerate(objects.weights_of(value)):
                path = str(getattr(weight, "path", None) or weight.name)
                name = "w.%s.%d" % (label, i)
                self.out[name] = objects.randomised(wire.plain(weight), path.split(":")[0], bool(weight.trainable), i)
        self.load(self.out)

    def load(self, arrays: wire.Arrays) -> None:
        for label, value in self.weighted().items():
            weights = objects.weights_of(value)
            unadapted = objects.unadapted(value)
            self.loaded[label] = [arrays["w.%s.%d" % (label, i)] for i in range(len(weights))]
            for weight, array in zip(weights, self.loaded[label]):
                if array.dtype.kind not in "OSU":
                    weight.assign(array)
            for layer in unadapted:
                layer.finalize_state()

    def _left(self, batch: Dict[str, Any]) -> Left:
        """What there is before a call that its object or its caller keeps."""
        on = batch.get("call", {}).get("on") or {}
        owner = self.program.made.get(on["label"]) if on.get("k") == "made" else None
        return Left(owner, self.program.containers if self.request["kind"] == "function" else [])

    def observe(self, number: int, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Output, gradients of the first batches, and the weights that the call changed."""
        self.program.fresh()
        run = watching(self.effects, self.invoke(batch), self.out, number)
        left = self._left(batch)
        seen: Dict[str, Any] = {"number": number}
        if self.request["grad"] and (number < self.request["graded"] or batch.get("graded")):
            with tf.GradientTape(persistent=False) as tape:
                for value in self.program.inputs.values():
                    if value.dtype.is_floating:
                        tape.watch(value)
                output = run()
                total = self._project(output)
            seen["grads"] = self._gradients(number, tape, total)
        else:
            output = run()
        seen["output"] = wire.encode(output, wire.Sink(self.out, "o.%d" % number))
        seen["left"] = left.told(wire.Sink(self.out, "left.%d" % number))
        seen["effects"] = self.effects.told()
        self._losses(number)
        seen["inputs"] = sorted(self.program.inputs)
        seen["written"] = self.program.written()
        self._after(number)
        return seen

    def _losses(self, number: int) -> None:
        """What the object adds to a model's loss: by its weights ("penalty"), and by its last call ("added")."""
        subject: Any = self.program.made.get(SELF)
        if not objects.is_layer(subject):
            return
        total, penalty = total_of(subject.losses), total_of(objects.penalties(subject))
        if subject.losses:
            self.out["l.%d.penalty" % number] = penalty
            self.out["l.%d.added" % number] = total - penalty

    def _project(self, output: Any) -> Any:
        total = None
        for path, leaf in wire.float_leaves(output):
            term = tf.reduce_sum(leaf * tf.cast(wire.projection(path, leaf.shape), leaf.dtype))
            term = tf.cast(term, tf.float64)
            total = term if total is None else total + term
        return total

    def _gradients(self, number: int, tape: Any, total: Any) -> Dict[str, Any]:
        known = not objects.ESTIMATED[0]
        inputs = {key: v for key, v in self.program.inputs.items() if v.dtype.is_floating and known}
        weights = {
            "%s.%d" % (label, i): w
            for label, value in self.weighted().items()
            for i, w in enumerate(objects.weights_of(value))
            if w.trainable
        }
        if total is None:
            return {"inputs": {}, "weights": {}, "total": False}
        targets = list(inputs.values()) + [
            getattr(w, "value", w) if not isinstance(w, tf.Variable) else w for w in weights.values()
        ]
        try:
            found = tape.gradient(total, targets)
        except LookupError:  # TensorFlow has no gradient for an operation: nothing can be trained through it
            return {"inputs": {}, "weights": {}, "total": False}
        names = ["gi.%d.%s" % (number, key) for key in inputs] + ["gw.%d.%s" % (number, key) for key in weights]
        connected = [self._put(name, gradient) for name, gradient in zip(names, found)]
        keys = list(inputs) + list(weights)
        split = len(inputs)
        return {
            "inputs": dict(zip(keys[:split], connected[:split])),
            "weights": dict(zip(keys[split:], connected[split:])),
            "total": True,
            "estimated": not known,
        }

    def _put(self, name: str, gradient: Any) -> bool:
        if gradient is None:
            return False
        self.out[name] = wire.plain(tf.convert_to_tensor(gradient))
        return True

    def _after(self, number: int) -> None:
        for label, value in self.weighted().items():
            for i, (weight, before) in enumerate(zip(objects.weights_of(value), self.loaded[label])):
                after = wire.plain(weight)
                if before.dtype.kind not in "OSU" and not wire.same(before, after):
                    self.out["a.%d.%s.%d" % (number, label, i)] = after


def module_variables() -> List[Any]:
    """Variables that modules of the program hold under names of their own, once each."""
    roots = tuple({os.path.join(path, "") for path in (os.getcwd(), sys.path[0])})
    modules = [m for m in list(sys.modules.values()) if str(getattr(m, "__file__", None) or "").startswith(roots)]
    held = {id(v): v for module in modules for v in vars(module).values() if isinstance(v, tf.Variable)}
    return [variable for variable in held.values() if not getattr(variable, "_in_graph_mode", False)]


def run(request: Request, arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Perform a check; see the module's docstring."""
    injection = prepare(request)
    if request["kind"] == "constant":
        out: wire.Arrays = {}
        return {"output": wire.constants(request, wire.Sink(out, "o"))}, out
    check = Check(request, arrays)
    described = check.initial()
    given = any(name.startswith("w.") for name in arrays)
    if not given:
        check.randomise()
    seen = []
    for batch in request["batches"]:
        check.load(arrays if given else check.out)
        if injection is not None:
            injection.restart()
            injection.start_step()
        try:
            seen.append(check.observe(batch["number"], batch))
        except wire.ProgramError as error:
            if not batch.get("optional"):
                raise
            seen.append({"number": batch["number"], "error": str(error.__cause__)[:300]})
            seen[-1]["refusal"] = refusal(error.__cause__)
    dtypes = [] if tf.keras.backend.floatx() == request["floatx"] else ["default dtype"]
    answer = {"globals": dtypes, "objects": described, "batches": seen, "signature": subject_signature(request)}
    return dict(answer, inference=objects.INFERENCE[0]), check.out


def prepare(request: Request) -> Optional[Any]:
    """Settings before the program is imported; the injection's module where randomness is injected."""
    seed_all(request.get("seed", 0))
    stop_clocks()
    if request["floatx"] != "float32":
        tf_wide.widen()
    stamp_layers()
    objects.note_inference()
    objects.note_estimates()
    tf_initializers.install()
    if not request["inject"]:
        return None
    from . import tf_injection

    tf_injection.install()
    return tf_injection


def subject_signature(request: Request) -> Any:
    """The signature of what the case calls, where it is a plain reference."""
    ref = request["call"]["ref"]
    if ":" not in ref:
        return None
    value = wire.resolve(ref)
    return {"parameters": wire.signature(value), "class": isinstance(value, type)}
