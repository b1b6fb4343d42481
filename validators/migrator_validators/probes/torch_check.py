"""PyTorch side of a check. Requests are those of `tf_check`, with `mode` "describe" first: the state
and modules of the objects and their initial values over several seeds. Arrays `s.<label>.<name>` are
the state to load. `gaps` names the documented gaps to remove, `train_mode` the modules' mode."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import nn

from . import torch_objects as objects
from . import wire
from .effects import Effects, watching
from .left import Left
from .printed import stop_clocks
from .streams import STREAMS
from .torch_program import recorder

SELF = "self"
Request = Dict[str, Any]


class Batches(list):  # type: ignore[type-arg]
    """A dataset as migrated code sees one: it has a length and can be iterated again."""

    @property
    def dataset(self) -> Any:
        return self


RANKS = {"ncl": 3, "nchw": 4, "ncdhw": 5}


def moved(value: Any, rank: int, source: int, target: int) -> Any:
    """Tensors of this rank, also in lists and tuples, with their channels at another axis."""
    if isinstance(value, torch.Tensor):
        return value.movedim(source, target) if rank and value.dim() == rank else value
    if type(value) in (list, tuple):
        return type(value)(moved(item, rank, source, target) for item in value)
    return value


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Check:
    """One request on the PyTorch side."""

    def __init__(self, request: Request, arrays: wire.Arrays) -> None:
        self.request, self.arrays = request, arrays
        self.out: wire.Arrays = {}
        self.grad = False
        self.program = self.new_program()
        self.loaded: Dict[str, Dict[str, np.ndarray]] = {}
        self.clones: Dict[int, Any] = {}
        self.effects = Effects(recorder(self.out))

    def new_program(self) -> wire.Program:
        return wire.Program(self.arrays, self.tensor, Batches)

    def tensor(self, array: np.ndarray, as_: str) -> Any:
        """A tensor; int32 becomes int64 where the request says so. As a variable it is a parameter."""
        if as_ == "text":
            return array[()]  # bytes, or an array of them
        made = torch.from_numpy(array)
        if self.request.get("widen") and made.dtype == torch.int32:
            made = made.long()
        if as_ == "variable":
            return nn.Parameter(made, requires_grad=made.is_floating_point())
        return made.requires_grad_(self.grad and made.is_floating_point())

    def invoke(self, batch: Dict[str, Any]) -> Any:
        """The subject's call on one batch, its arguments already made."""
        if self.request["kind"] != "object":
            return self.program.bind(batch["call"], self.clone)
        subject = self.program.made[SELF]
        rank = RANKS.get(self.request.get("layout", "last"), 0)
        args = [moved(self.clone(self.program.value(arg)), rank, -1, 1) for arg in batch["args"]]
        kwargs = {
            name: moved(self.clone(self.program.value(arg)), rank, -1, 1) for name, arg in batch["kwargs"].items()
        }
        return lambda: moved(wire.guard(subject, *args, **kwargs), rank, 1, -1)

    def clone(self, value: Any) -> Any:
        """What the program gets is no leaf: it may write into its arguments where TensorFlow would copy."""
        if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter) and value.requires_grad:
            self.clones[id(value)] = value.clone()
            return self.clones[id(value)]
        if type(value) is tuple:
            return tuple(self.clone(item) for item in value)
        if type(value) is list:
            value[:] = [self.clone(item) for item in value]
        if type(value) is dict:
            value.update({name: self.clone(item) for name, item in value.items()})
        return value

    def build(self, seed: int) -> None:
        """Make every object of the case."""
        # modules draw before any seed of an object, and from the streams, which both sides begin alike
        wire.import_modules([self.request["call"], self.request["batches"]])
        seed_all(seed)
        if self.request["initial"]:
            STREAMS.free = np.random.RandomState(seed)
        self.program = self.new_program()
        if self.request["kind"] == "object":
            self.program.object({"k": "made", "label": SELF, "weights": True, "call": self.request["call"]})
        else:
            for batch in self.request["batches"][:1]:
                self.invoke(batch)
        self.program.hold(self.request["held"], lambda value: isinstance(value, nn.Module))
        if self.request["kind"] == "object" and objects.is_lazy(self.program.made[SELF]):
            self._call_once()
        if self.request["floatx"] == "float64":
            for value in self.program.made.values():
                for _, module in objects.modules_of(value):
                    module.double()

    def _call_once(self) -> None:
        """The first batch in evaluation mode, so that lazy modules have their sizes."""
        for value in self.program.made.values():
            objects.set_mode(value, False)
        with torch.no_grad():
            self.invoke(self.request["batches"][0])()

    def weighted(self) -> Dict[str, Any]:
        made = self.program.made
        return {label: made[label] for label in self.program.weighted if objects.is_weighted(made[label])}

    def describe(self) -> Dict[str, Any]:
        described: Dict[str, Any] = {}
        for number, seed in enumerate(reversed(self.request["seeds"])):
            self.build(seed)
            for label, value in self.weighted().items():
                described[label] = objects.describe(value)
                for name, t in objects.sized(value).items():
                    if self.request["initial"] and label not in self.request["held"]:
                        self.out["i.%s.%d.%s" % (label, number, name)] = wire.plain(t)
        return described

    def load(self) -> None:
        for label, value in self.weighted().items():
            prefix = "s.%s." % label
            objects.load(value, {k[len(prefix) :]: a for k, a in self.arrays.items() if k.startswith(prefix)})
            self.loaded[label] = {name: wire.plain(t) for name, t in objects.sized(value).items()}
        for value in self.program.made.values():
            objects.set_mode(value, self.request["train_mode"])

    def _left(self, batch: Dict[str, Any]) -> Left:
        """What there is before a call that its object or its caller keeps."""
        on = batch.get("call", {}).get("on") or {}
        owner = self.program.made.get(on["label"]) if on.get("k") == "made" else None
        return Left(owner, self.program.containers if self.request["kind"] == "function" else [])

    def observe(self, number: int, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Output, gradients of the first batches, and the state that the call changed."""
        self.program.fresh()
        self.clones = {}
        self.grad = bool(self.request["grad"]) and (number < self.request["graded"] or bool(batch.get("graded")))
        run = watching(self.effects, self.invoke(batch), self.out, number)
        left = self._left(batch)
        output = run()
        seen: Dict[str, Any] = {"number": number}
        seen["left"] = left.told(wire.Sink(self.out, "left.%d" % number))
        seen["effects"] = self.effects.told()
        if self.grad:
            seen["grads"] = self._gradients(number, output)
        self._losses(number)
        seen["written"] = self.program.written(lambda value: self.clones.get(id(value), value))
        seen["output"] = wire.encode(output, wire.Sink(self.out, "o.%d" % number))
        for label, value in self.weighted().items():
            before = self.loaded.get(label, {})
            for name, t in objects.sized(value).items():
                after = wire.plain(t)
                if name not in before or not wire.same(before[name], after):
                    self.out["a.%d.%s.%s" % (number, label, name)] = after
        return seen

    def _losses(self, number: int) -> None:
        """What the module says that it adds to a loss: by its weights ("penalty"), and by its last call ("added")."""
        subject = self.program.made.get(SELF)
        if not isinstance(subject, nn.Module):
            return
        penalty = getattr(subject, "regularization_loss", None)
        if callable(penalty):
            self.out["l.%d.penalty" % number] = np.asarray(float(wire.guard(penalty)), np.float64)
        added = [float(m.added_loss) for m in subject.modules() if hasattr(m, "added_loss")]
        if added:
            self.out["l.%d.added" % number] = np.asarray(sum(added), np.float64)

    def _gradients(self, number: int, output: Any) -> Dict[str, Any]:
        total: Optional[torch.Tensor] = None
        for path, leaf in wire.float_leaves(output):
            if leaf.requires_grad:
                direction = torch.from_numpy(np.asarray(wire.projection(path, leaf.shape))).to(leaf.dtype)
                term = (leaf * direction).sum().double()
                total = term if total is None else total + term
        inputs = {key: t for key, t in self.program.inputs.items() if t.requires_grad}
        weights = {
            "%s.%s" % (label, name): t
            for label, value in self.weighted().items()
            for name, t in objects.sized(value).items()
            if t.requires_grad
        }
        targets = list(inputs.values()) + list(weights.values())
        found: Any = [None] * len(targets)
        if total is not None and targets:
            with wire.program("backward"):
                found = torch.autograd.grad(total, targets, allow_unused=True)
        names = ["gi.%d.%s" % (number, key) for key in inputs] + ["gw.%d.%s" % (number, key) for key in weights]
        connected = [self._put(name, gradient) for name, gradient in zip(names, found)]
        keys, split = list(inputs) + list(weights), len(inputs)
        return {
            "inputs": dict(zip(keys[:split], connected[:split])),
            "weights": dict(zip(keys[split:], connected[split:])),
        }

    def _put(self, name: str, gradient: Any) -> bool:
        if gradient is None:
            return False
        self.out[name] = wire.plain(gradient.to_dense() if gradient.is_sparse else gradient)
        return True


def run(request: Request, arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Perform a check; see the module's docstring."""
    injection = prepare(request)
    if request["kind"] == "constant":
        out: wire.Arrays = {}
        return {"output": wire.constants(request, wire.Sink(out, "o"))}, out
    check = Check(request, arrays)
    if request["mode"] == "describe":
        return {"objects": check.describe(), "signature": subject_signature(request)}, check.out
    check.build(0)
    seen: List[Dict[str, Any]] = []
    for batch in request["batches"]:
        check.load()
        if injection is not None:
            injection.restart()
            injection.start_step()
        try:
            seen.append(check.observe(batch["number"], batch))
        except wire.ProgramError as error:
            if not batch.get("varied"):
                raise
            cause = error.__cause__
            seen.append({"number": batch["number"], "error": str(cause)[:300], "type": type(cause).__name__})
    answer = {"batches": seen, "signature": subject_signature(request), "globals": changed_globals(request)}
    return answer, check.out


def changed_globals(request: Request) -> List[str]:
    """What the program left changed for the whole process: all other code in it computes otherwise then."""
    expected = torch.float64 if request["floatx"] == "float64" else torch.float32
    found = ["default dtype"] if torch.get_default_dtype() is not expected else []
    return found + ([] if torch.is_grad_enabled() else ["gradients"])


def prepare(request: Request) -> Optional[Any]:
    """Settings before the program is imported; the injection's module where randomness is injected."""
    seed_all(request.get("seed", 0))
    stop_clocks()
    torch.set_num_threads(1)
    if request["floatx"] == "float64":
        from .torch_injection import widen

        widen()
    injection: Any = None
    if request["inject"] or request["gaps"]:
        from . import torch_injection

        injection = torch_injection if request["inject"] else None
        if request["inject"]:
            torch_injection.install()
        if request["gaps"]:
            torch_injection.remove_gaps(request["gaps"])
    return injection


def subject_signature(request: Request) -> Any:
    """The signature of what the case calls, where it is a plain reference."""
    ref = request["call"]["ref"]
    if ":" not in ref:
        return None
    value = wire.resolve(ref)
    return {"parameters": wire.signature(value), "class": isinstance(value, type)}
