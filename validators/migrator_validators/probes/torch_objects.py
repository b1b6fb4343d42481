"""PyTorch side: the state and modules of an object, whatever it is."""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import torch
from torch import nn

from . import wire


def is_weighted(value: Any) -> bool:
    return not isinstance(value, torch.optim.Optimizer)


def held(value: Any) -> Iterator[Tuple[str, Any]]:
    """(attribute path, module or tensor) that a plain object holds, lists and dicts walked."""
    seen, queue = {id(value)}, [("", value)]
    while queue:
        path, item = queue.pop(0)
        if isinstance(item, (list, tuple)):
            below = [(str(i), v) for i, v in enumerate(item)]
        elif isinstance(item, dict):
            below = [(str(k), v) for k, v in item.items()]
        else:
            below = list(getattr(item, "__dict__", {}).items())
        for step, v in below:
            name = step if not path else path + "." + step
            if isinstance(v, (nn.Module, torch.Tensor)):
                yield name, v
            elif id(v) not in seen and (isinstance(v, (list, tuple, dict)) or _is_repository(v)):
                seen.add(id(v))
                queue.append((name, v))


def _is_repository(value: Any) -> bool:
    top = type(value).__module__.split(".")[0]
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type)
        and top not in ("torch", "numpy", "builtins", "functools")
    )


def modules_of(value: Any) -> List[Tuple[str, nn.Module]]:
    """(name, module) in registration order, of a module or of all a plain object holds; shared ones once."""
    if isinstance(value, nn.Module):
        return list(value.named_modules())
    out = []
    seen: Set[nn.Module] = set()
    for path, item in held(value):
        if isinstance(item, nn.Module):
            out += [(path + ("." + name if name else ""), module) for name, module in item.named_modules(seen)]
    return out


def state_of(value: Any) -> Dict[str, torch.Tensor]:
    """The tensors of an object's state by name, parameters and persistent buffers; shared ones once."""
    if isinstance(value, torch.Tensor):
        return {"": value}
    if isinstance(value, nn.Module):
        tensors = value.state_dict(keep_vars=True).items()
    else:
        tensors = {}
        for path, item in held(value):
            below = state_of(item)
            tensors.update({path + ("." + name if name else ""): t for name, t in below.items()})
        tensors = tensors.items()
    out: Dict[str, torch.Tensor] = {}
    seen = set()
    for name, t in tensors:
        if torch.is_tensor(t) and id(t) not in seen:
            seen.add(id(t))
            out[name] = t
    return out


_MADE: Dict[int, Tuple[Any, int]] = {}


def note_creation() -> None:
    """From now on the order in which modules are made is known: a loop may fill several lists in turn."""
    original = nn.Module.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        key = id(self)
        _MADE[key] = (weakref.ref(self, lambda _: _MADE.pop(key, None)), next(_COUNT))

    nn.Module.__init__ = __init__


_COUNT = itertools.count()
note_creation()


def _made(module: Any) -> Optional[int]:
    """The place of a module in the order in which all were made; None of one that was copied, or made before."""
    ref, count = _MADE.get(id(module), (None, None))
    return count if ref is not None and ref() is module else None


def describe(value: Any) -> Dict[str, Any]:
    """State entries and modules, in registration order; the shape of what is lazy is None before the first call."""
    state = [
        {
            "name": name,
            "shape": None if is_open(t) else list(t.shape),
            "dtype": wire.dtype_name(t),
            "parameter": isinstance(t, nn.Parameter),
            "grad": bool(t.requires_grad),
        }
        for name, t in state_of(value).items()
    ]
    modules = [
        {
            "name": name,
            "class": wire.module_of(type(m)) + ":" + type(m).__qualname__,
            "type": type(m).__name__,
            "bases": [c.__name__ for c in type(m).__mro__[1:] if c.__module__.startswith("torch.")],
            "made": _made(m),
        }
        for name, m in modules_of(value)
    ]
    return {"state": state, "modules": modules, "module": isinstance(value, nn.Module)}


def is_lazy(value: Any) -> bool:
    """Whether some parameter has no shape before the first call."""
    return any(is_open(p) for _, m in modules_of(value) for p in m.parameters(False))


def is_open(tensor: Any) -> bool:
    """Whether a parameter is lazy and was not given its shape yet."""
    return isinstance(tensor, nn.parameter.UninitializedTensorMixin)


def sized(value: Any) -> Dict[str, torch.Tensor]:
    """The state but for what is lazy and was never called."""
    return {name: t for name, t in state_of(value).items() if not is_open(t)}


def load(value: Any, arrays: Dict[str, np.ndarray]) -> None:
    """Copy arrays into the state, in place: optimizers and shared tensors keep their hold."""
    with torch.no_grad():
        for name, t in state_of(value).items():
            if name in arrays:
                if is_open(t):
                    t.materialize(
                        arrays[name].shape
                    )  # the lazy module keeps it; its first call fails if it does not fit
                t.copy_(torch.from_numpy(np.array(arrays[name])))


def set_mode(value: Any, training: bool) -> None:
    """Training or evaluation mode of everything an object holds; parts follow as their module has it."""
    done: Set[int] = set()
    for _, module in modules_of(value):
        if id(module) not in done:
            module.train(training)
            done |= {id(part) for part in module.modules()}
