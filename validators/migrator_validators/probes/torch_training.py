"""Runs a training function of the target and reports every optimizer step.

Request: `call`, `roots` ([{"label": …, "state": {target name: array key}}]), `inside` (a list of such
states for models made inside, in the order of their optimizers), `gaps`, `keras`, `steps`, `most`,
`models` (the run is stopped at the first step after which so many models are known; 0 for never),
`whole` (the source's model is all that a session has), `lr_changes` (per optimizer: after which step its rate
changes, 0 for never), `lr_factor`, `hold`, `float64`, `widen`, `idle` (numbers of optimizers, as they find their
models, of which importing the file alone makes steps: they are no roots).
Weights are loaded into made objects before the call, and into models made inside when their
optimizer is constructed. `given`: the first of `outputs` of the source, for modules of which the training
calls `logits` alone. Result and arrays as of `tf_training`, tensors called "r0:conv.weight" (root 0), or
"alone:variable 0" where they belong to no module.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from . import torch_injection, torch_objects, wire
from .launch import Launch
from .streams import STREAMS
from .torch_program import recorder


class Stop(BaseException):
    """Enough steps were made."""


def run(request: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """Train, and report."""
    torch_injection.install()
    torch_injection.remove_gaps(request.get("gaps", ()), request.get("keras", 3))
    if request.get("float64"):
        torch_injection.widen()
    log = Log(request, arrays)
    log.install()
    program = Loaded(arrays, _widening if request.get("widen") else tensor, Batches)
    program.log = log
    call = request["call"]
    kept: wire.Arrays = {}
    launch = Launch(program, call, recorder(kept), request.get("kept", ()), request.get("times", 1))
    torch_injection.restart()
    log.armed = True
    result, finished = _finish(launch)
    out = log.arrays()
    sink = wire.Sink(out, "result")
    tree = wire.encode(wire.pick(result, call.get("pick") or ""), sink) if finished else None
    for number, optimizer in enumerate(log.optimizers):
        asked = request.get("far") or []
        optimizer["far"] = log.far_rates(optimizer, asked[number] if number < len(asked) else [])
    steps = [{key: value for key, value in o.items() if key not in ("object", "statistics")} for o in log.optimizers]
    roots = [
        {"label": root["label"], "described": torch_objects.describe(root["object"]), "idle": log.idle(root)}
        for root in log.roots
    ]
    answer = {"roots": roots, "optimizers": steps, "result": tree, "finished": finished, "streams": STREAMS.report()}
    models = [root["object"] for root in log.roots]
    sinks = [wire.Sink(out, f"output{i}") for i in range(len(models))]
    answer["outputs"] = [_output(log, i, m, sinks[i]) for i, m in enumerate(models) if finished]
    return dict(answer, program=launch.told()), {**out, **kept}


def _output(log: Log, number: int, model: Any, sink: Any) -> Any:
    """What a module gives for what the source's was given first, where its `logits` were given the like; or None."""
    asked = log.request.get("given") or []
    own = next((args for known, args in log.inputs if known is model), None)
    given = asked[number] if number < len(asked) else None
    if given is None or own is None or len(own) != 1:
        return None
    tensors = list(own[0]) if isinstance(own[0], (list, tuple)) else [own[0]]
    arrays = [log.given[tree["key"]] for tree in given]
    if [tuple(t.shape) for t in tensors] != [a.shape for a in arrays]:
        return None
    inputs = [torch.as_tensor(a).to(t) for a, t in zip(arrays, tensors)]
    model.eval()
    with torch.no_grad(), wire.program("call the trained model"):
        gives = model(type(own[0])(inputs) if isinstance(own[0], (list, tuple)) else inputs[0])
    return {"gives": wire.encode(gives, sink)}


def _finish(launch: Any) -> Any:
    """(result, True), or (None, False) where the run was stopped."""
    try:
        return launch(), True
    except wire.ProgramError as error:
        if isinstance(error.__cause__, Stop):
            return None, False
        raise


def tensor(array: Any, as_: str) -> torch.Tensor:
    made = torch.as_tensor(array)
    return torch.nn.Parameter(made, requires_grad=made.is_floating_point()) if as_ == "variable" else made


def _widening(array: Any, as_: str) -> torch.Tensor:
    made = tensor(array, as_)
    return made.long() if made.dtype == torch.int32 else made


class Batches(list):  # type: ignore[type-arg]
    """Batches as migrated code sees a loader: with a length, a `dataset` of samples and a `batch_size`."""

    @property
    def dataset(self) -> Any:
        return [sample for batch in self for sample in _samples(batch)]

    @property
    def batch_size(self) -> int:
        return len(_samples(self[0]))


def _samples(batch: Any) -> Any:
    """The samples of a batch of tensors, tuples or dicts."""
    if isinstance(batch, dict):
        columns = [_samples(value) for value in batch.values()]
        return [dict(zip(batch, row)) for row in zip(*columns)]
    if isinstance(batch, (tuple, list)):
        return list(zip(*[_samples(value) for value in batch]))
    return list(batch)


class Loaded(wire.Program):
    """A program whose made objects get the source's weights."""

    log: Log

    def object(self, tree: dict[str, Any]) -> Any:
        if tree["label"] in self.made:
            return super().object(tree)
        with self.log.making():
            value = super().object(tree)
            self.log.prepare(tree["label"], value)
        return value


class Log:
    """Roots, whose tensors are compared, and the steps of all optimizers."""

    def __init__(self, request: dict[str, Any], arrays: dict[str, Any]) -> None:
        self.request = request
        self.given = arrays
        self.armed = False
        self.roots: list[dict[str, Any]] = []
        self.optimizers: list[dict[str, Any]] = []
        self.inputs: list[tuple[Any, Any]] = []  # modules with what their `logits` were given first
        self._modules: list[torch.nn.Module] = []
        self._stored: dict[str, Any] = {}
        self._inside = list(request.get("inside", ()))
        self._total = 0
        self._owners = 0  # of optimizers, found so far
        self._held: list[Any] = []
        self._schedulers: list[Any] = []
        self._depth = 0
        self._waiting: list[Any] = []
        self._alone: list[torch.Tensor] = []  # trained, and of no module

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """While an object is made that gets weights, optimizers that it makes wait: they may be of its own weights."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        while self._waiting and not self._depth:
            self._constructed(self._waiting.pop(0))

    def install(self) -> None:
        """Watch modules, the construction of optimizers and every step."""
        optimizer = torch.optim.Optimizer
        start, module_start = optimizer.__init__, torch.nn.Module.__init__
        scheduled = torch.optim.lr_scheduler.LambdaLR.__init__

        @functools.wraps(scheduled)
        def scheduler_init(made: Any, *args: Any, **kwargs: Any) -> None:
            scheduled(made, *args, **kwargs)
            self._schedulers.append(made)

        torch.optim.lr_scheduler.LambdaLR.__init__ = scheduler_init

        @functools.wraps(module_start)
        def module_init(module: Any, *args: Any, **kwargs: Any) -> None:
            self._modules.append(module)
            self._watch_logits(type(module))
            module_start(module, *args, **kwargs)

        @functools.wraps(start)
        def optimizer_init(made: Any, *args: Any, **kwargs: Any) -> None:
            start(made, *args, **kwargs)
            self._constructed(made)

        torch.nn.Module.__init__ = module_init
        optimizer.__init__ = optimizer_init
        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)

    def _watch_logits(self, cls: Any) -> None:
        """Note what a training gives `logits`, which leaves `forward` out."""
        original = cls.__dict__.get("logits")
        if not callable(original) or hasattr(original, "__wrapped__"):
            return

        @functools.wraps(original)
        def logits(module: Any, *args: Any, **kwargs: Any) -> Any:
            alone = sys._getframe(1).f_code.co_name != "forward"
            if alone and self.armed and all(known is not module for known, _ in self.inputs):
                self.inputs.append((module, args))
            return original(module, *args, **kwargs)

        cls.logits = logits

    def prepare(self, label: str, value: Any) -> None:
        """Load the weights of a made object."""
        for root in self.request["roots"]:
            if root["label"] == label:
                self._add_root(label, value, root["state"])

    def idle(self, root: dict[str, Any]) -> int | None:
        """The number of an optimizer's model that makes no step while the call runs: importing the file trained it."""
        return None if root["stepped"] else root["number"]

    def _add_root(self, label: str, value: Any, state: dict[str, str], number: int | None = None) -> None:
        tensors = torch_objects.state_of(value)
        known = {id(t) for root in self.roots for t in root["tensors"].values()}
        for name, key in state.items():
            if id(tensors.get(name)) in known:
                continue  # of a model that was trained before: what it has learned stays
            with wire.program(f"load weight {name}"):
                self._load(tensors[name], self.given[key], name)
        self.roots.append({"label": label, "object": value, "tensors": tensors, "number": number, "stepped": False})

    @staticmethod
    def _load(tensor: torch.Tensor, array: Any, name: str) -> None:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            tensor.materialize(array.shape)  # the lazy module keeps it; its first call fails if it does not fit
        if tuple(tensor.shape) != tuple(array.shape):
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, the source's is {tuple(array.shape)}")
        with torch.no_grad():
            tensor.copy_(torch.as_tensor(array))

    def _constructed(self, optimizer: Any) -> None:
        """An optimizer was made: its model's weights become the source's, unless they are already."""
        if self._depth:
            self._waiting.append(optimizer)
            return
        wanted = {id(p) for group in optimizer.param_groups for p in group["params"]}
        known = {id(t) for root in self.roots for t in root["tensors"].values()}
        if wanted <= known:
            return
        owner = self._owner(wanted)
        if owner is None:
            return
        number, self._owners = self._owners, self._owners + 1
        if number not in self.request.get("idle", ()):
            self._add_root("", owner, self._inside.pop(0) if self._inside else {}, number)

    def _owner(self, wanted: set[int]) -> Any:
        """The smallest module that has all these parameters; the outermost of equals. The largest, where the source
        trains all that a session has."""
        best, size, whole = None, 0, self.request.get("whole")
        for module in self._modules:
            own = {id(t) for t in torch_objects.state_of(module).values()} if hasattr(module, "_parameters") else set()
            better = len(own) > size if whole else len(own) < size
            if wanted <= own and (best is None or better or (len(own) == size and best in module.modules())):
                best, size = module, len(own)
        return best

    # steps

    def _names(self, tensor: torch.Tensor) -> list[str]:
        """What a tensor is called: a trainer and the model that it is given have the same ones."""
        tensors = ((n, name, other) for n, root in enumerate(self.roots) for name, other in root["tensors"].items())
        found = [f"r{number}:{name}" for number, name, other in tensors if other is tensor]
        if found:
            return found
        numbers = {id(known): number for number, known in enumerate(self._alone)}
        if id(tensor) not in numbers:
            self._alone.append(tensor)
        return [wire.ALONE + str(numbers.get(id(tensor), len(numbers)))]

    def _store_all(self, prefix: str, tensor: torch.Tensor, value: torch.Tensor) -> None:
        for name in self._names(tensor):
            self._store(prefix + name, value)

    def _entry(self, optimizer: Any) -> dict[str, Any]:
        for entry in self.optimizers:
            if entry["object"] is optimizer:
                return entry
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        names = [self._names(p)[0] for p in parameters]
        for root in self._roots_of(parameters):
            root["stepped"] = True
        entry = {"object": optimizer, "class": type(optimizer).__name__, "rates": [], "variables": names, "changed": 0}
        known = type(optimizer) in (
            torch.optim.Adam,
            torch.optim.AdamW,
            torch.optim.NAdam,
            torch.optim.Adamax,
            torch.optim.Adagrad,
        )
        entry["epsilon"] = float(optimizer.defaults["eps"]) if known else None
        self.optimizers.append(entry)
        return entry

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        if not self.armed:
            return None
        entry = self._entry(optimizer)
        number, count = self.optimizers.index(entry), len(entry["rates"])
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            name = self._names(parameter)[0]
            if name.startswith(wire.ALONE) and "first/" + name not in self._stored:
                self._store("first/" + name, parameter)
        hold = self.request.get("hold", 0)
        if hold and count >= hold:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            self._held = [*((p, p.detach().clone()) for p in parameters), *self._statistics(entry, parameters)]
        entry["rates"].append(float(optimizer.param_groups[0]["lr"]))
        closure = kwargs.get("closure", args[1] if len(args) > 1 else None)
        if closure is None:
            self._store_gradients(optimizer, number, count)
            return None

        def noted() -> Any:  # the gradients are there once the step has called its closure
            loss = closure()
            self._store_gradients(optimizer, number, count)
            return loss

        return args[:1], dict(kwargs, closure=noted)

    def _roots_of(self, parameters: list[Any]) -> list[dict[str, Any]]:
        """The roots that have any of these parameters."""
        wanted = {id(p) for p in parameters}
        return [r for r in self.roots if wanted & {id(t) for t in r["tensors"].values()}]

    def _statistics(self, entry: dict[str, Any], parameters: list[Any]) -> list[Any]:
        """Moving statistics with the values that they had when the weights began to be held."""
        if "statistics" not in entry:
            owners = self._roots_of(parameters)
            buffers = [t for root in owners for t in root["tensors"].values() if not isinstance(t, torch.nn.Parameter)]
            entry["statistics"] = [(t, t.detach().clone()) for t in buffers if t.is_floating_point()]
        return list(entry["statistics"])

    def _store_gradients(self, optimizer: Any, number: int, count: int) -> None:
        if count >= self.request["steps"]:
            return
        for parameter in (p for group in optimizer.param_groups for p in group["params"]):
            if parameter.grad is not None:
                self._store_all(f"step/{number}/{count}/grad/", parameter, parameter.grad)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not self.armed:
            return
        entry = self._entry(optimizer)
        number, count = self.optimizers.index(entry), len(entry["rates"])
        if count <= self.request["steps"]:
            for parameter in (p for group in optimizer.param_groups for p in group["params"]):
                self._store_all(f"step/{number}/{count - 1}/after/", parameter, parameter)
        with torch.no_grad():
            for parameter, value in self._held:
                parameter.copy_(value)
        self._held = []
        self._change_rate(optimizer, entry, number, count)
        STREAMS.next_step(number)
        self._total += 1
        models = self.request.get("models", 0)
        if self._total >= self.request["most"] or (models and sum(self.idle(r) is None for r in self.roots) >= models):
            raise Stop()

    def _change_rate(self, optimizer: Any, entry: dict[str, Any], number: int, done: int) -> None:
        changes = self.request.get("lr_changes", [])
        if number < len(changes) and changes[number] == done:
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * self.request["lr_factor"]
            entry["changed"] = done

    def far_rates(self, entry: dict[str, Any], steps: list[str]) -> dict[str, float]:
        """Step → rate of the optimizer's LambdaLR, where the program moves that on once a step."""
        own = [s for s in self._schedulers if s.optimizer is entry["object"]]
        if len(own) != 1 or abs(own[0].last_epoch - len(entry["rates"])) > 1:
            return {}
        rate, base = own[0].lr_lambdas[0], own[0].base_lrs[0]
        with wire.program("ask the schedule for a rate"):
            return {step: float(base * rate(int(step))) for step in steps}

    def _store(self, key: str, tensor: torch.Tensor) -> None:
        self._stored[key] = wire.plain(tensor.to_dense() if tensor.is_sparse else tensor).copy()

    def arrays(self) -> dict[str, Any]:
        """Everything stored, with the last values of all roots and of what is in none."""
        for tensor in self._alone:
            self._store("end/" + self._names(tensor)[0], tensor)
        for number, root in enumerate(self.roots):
            for name, tensor in root["tensors"].items():
                self._store(f"end/r{number}:{name}", tensor)
        return dict(self._stored)
