"""A simulated GPU, for machines without one: a program that mixes devices fails here as it would there.

While `SimulatedGpu` is entered CUDA seems to be there. Tensors that are moved to it stay in the memory of the CPU, say
that they are on `cuda:0`, and refuse what CUDA refuses: tensors of both devices in one operation (but for numbers
without axes), and being read by NumPy. What kernels compute is the CPU's. Tensors of which it is not known who made
them (autograd and `vmap` do) are at home everywhere.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
MARK = "_on_simulated_gpu"


class DeviceError(RuntimeError):
    """What CUDA would have refused."""


def home(value: Any) -> Optional[bool]:
    """Whether a tensor is on the simulated GPU; None where it is not known."""
    return getattr(value, MARK, None)


def on_gpu(value: Any) -> bool:
    """Whether this is a tensor on the simulated GPU."""
    return isinstance(value, Tensor) and home(value) is True


def put(value: Any, gpu: Optional[bool] = True) -> Any:
    """The same tensor, from now on at home on the simulated GPU, or on the CPU; where it is if that is not known."""
    if gpu is not None:
        setattr(value, MARK, gpu)
    return value


def asks_gpu(device: Any) -> bool:
    return isinstance(device, int) or torch.device(device).type == "cuda"


JOINING = {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack"}
"""Here numbers without axes may not be on the other device either."""
ANYWHERE = {
    "copy_", "__set__", "type_as", "is_same_size", "set_", "_has_compatible_shallow_copy_type", "as_tensor",
    "tensor", "swap_tensors", "to", "data_ptr", "is_set_to", "ctc_loss", "is_tensor", "is_floating_point",
}  # fmt: skip
"""Tensors of both devices may meet here."""
READING = {Tensor.numpy, Tensor.__array__}
PACKED = {"_pack_padded_sequence", "_pad_packed_sequence", "lstm", "gru", "rnn_tanh", "rnn_relu"}
"""Lengths and batch sizes stay on the CPU."""
INDEXED = {"__getitem__", "__setitem__", "index_put", "index_put_"}
AS_THE_SECOND = {"type_as"}
AS_THE_FIRST = {"copy_", "set_", "to"}


class SimulatedGpu(TorchFunctionMode):  # type: ignore[misc]
    """Entered: everything that the program does with tensors is watched, and `torch.cuda` seems to be there."""

    def __enter__(self) -> Any:
        self.kept: List[Tuple[Any, str, Any]] = []
        for owner, name, value in _stand_ins():
            self.kept.append((owner, name, owner.__dict__[name]))
            setattr(owner, name, value)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for owner, name, value in self.kept:
            setattr(owner, name, value)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Optional[Dict[str, Any]] = None) -> Any:
        special = SPECIAL.get(func)
        if special is not None:
            return special(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        args, kwargs, asked = _without_device(name, args, dict(kwargs or {}))
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(on_gpu(t) for t in given):
            _check(func, name, given, args)
        result = func(*args, **kwargs)
        gpu = asked if asked is not None else _home(name, args, given)
        return _placed(result, gpu, given, asked is not None or name in AS_THE_SECOND)


def _without_device(name: str, args: Any, kwargs: Dict[str, Any]) -> Tuple[Any, Dict[str, Any], Optional[bool]]:
    """The arguments as the CPU takes them, and whether they ask for the GPU; None where they ask for no device."""
    asked: Optional[bool] = None
    if name == "to":
        rest = []
        for value in args[1:]:
            if isinstance(value, Tensor):
                asked = on_gpu(value)
            elif isinstance(value, (torch.device, str)) or type(value) is int:
                asked, value = asks_gpu(value), CPU
            rest.append(value)
        args = (args[0], *rest)
    if kwargs.get("device") is not None:
        asked, kwargs["device"] = asks_gpu(kwargs["device"]), CPU
    return args, kwargs, asked


def _check(func: Any, name: str, given: List[Tensor], args: Any) -> None:
    if func in READING:
        raise DeviceError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
    if name in ANYWHERE:
        return
    for t in given:
        if home(t) is False and not _may_stay(name, t, args):
            shape = tuple(t.shape)
            raise DeviceError(
                "Expected all tensors to be on the same device, but found cuda:0 and cpu: %s, %s" % (name, shape)
            )


def _may_stay(name: str, t: Tensor, args: Any) -> bool:
    """Whether a tensor of the CPU may be given beside those of the GPU."""
    first = bool(args) and t is args[0]
    if t.dim() == 0:
        written = first and (name in WRITING or (name.endswith("_") and not name.endswith("__")))
        return name not in JOINING and not written
    if name in PACKED:
        return bool(t.dim() == 1 and t.dtype == torch.int64)
    return name in INDEXED and home(args[0]) is True and all(t is not value for value in args[2:3])


WRITING = {"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ifloordiv__", "__imod__", "__ipow__"}
"""Operators that write into their first operand, as all methods do whose names end with a line."""


def _home(name: str, args: Any, given: Sequence[Tensor]) -> Optional[bool]:
    """Where what an operation makes is."""
    if name in AS_THE_FIRST:
        return home(args[0])
    if name in AS_THE_SECOND:
        return home(args[1])
    if name == "tensor" or not given:
        return False
    homes = {home(t) for t in given}
    return True if True in homes else False if False in homes else None


def _placed(result: Any, gpu: Optional[bool], given: Iterable[Tensor], moving: bool) -> Any:
    """Everything that was made is put there; what was given stays where it is, or a copy is made."""
    if isinstance(result, Tensor):
        if any(result is t for t in given):
            return put(result.clone(), gpu) if moving and home(result) is not gpu else result
        return put(result, gpu)
    if isinstance(result, (tuple, list)):
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and not any(leaf is t for t in given):
                put(leaf, gpu)
    return result


def _gradients(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    found = torch.autograd.grad(outputs, inputs, *args, **kwargs)
    for gradient, of in zip(found, wanted):
        if gradient is not None:
            put(gradient, home(of))
    return found


def _rows(t: Tensor) -> Any:
    return iter([put(row, home(t)) for row in t.unbind(0)])


def _gradient(t: Tensor, *owner: Any) -> Any:
    found = Tensor.grad.__get__(t, *owner)
    return found if found is None else put(found, home(t))


def _set_data(t: Tensor, data: Tensor) -> None:
    Tensor.data.__set__(t, data)
    put(t, home(data))


def _packed(data: Tensor, lengths: Tensor, *args: Any) -> Any:
    if on_gpu(lengths):
        raise DeviceError("'lengths' argument should be a 1D CPU int64 tensor, but got 1D cuda:0 Long tensor")
    found = torch._VF._pack_padded_sequence(data, lengths, *args)
    put(found[0], home(data))
    return found


def _to_cpu(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return put(t.clone(), False) if on_gpu(t) else t


def _to_gpu(t: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return t if on_gpu(t) else put(t.clone())


SPECIAL: Dict[Any, Callable[..., Any]] = {
    Tensor.device.__get__: lambda t, *owner: GPU if on_gpu(t) else CPU,
    Tensor.is_cuda.__get__: lambda t, *owner: on_gpu(t),
    Tensor.is_cpu.__get__: lambda t, *owner: not on_gpu(t),
    Tensor.grad.__get__: _gradient,
    Tensor.data.__set__: _set_data,
    Tensor.cpu: _to_cpu,
    Tensor.cuda: _to_gpu,
    Tensor.__iter__: _rows,
    Tensor.get_device: lambda t: 0 if on_gpu(t) else -1,
    torch.autograd.grad: _gradients,
    torch._VF._pack_padded_sequence: _packed,
}


def _stand_ins() -> List[Tuple[Any, str, Any]]:
    """(owner, name, value): what is replaced while the GPU is simulated."""
    load, from_numpy = torch.load, torch.from_numpy

    def loaded(file: Any, map_location: Any = None, **kwargs: Any) -> Any:
        found = load(file, map_location=CPU, **kwargs)
        if isinstance(map_location, (str, torch.device)):
            for leaf in tree_leaves(found):
                if isinstance(leaf, Tensor):
                    put(leaf, asks_gpu(map_location))
        return found

    cuda = torch.cuda
    return [
        (cuda, "is_available", lambda: True),
        (cuda, "device_count", lambda: 1),
        (cuda, "current_device", lambda: 0),
        (cuda, "synchronize", lambda device=None: None),
        (cuda, "get_device_name", lambda device=None: "simulated"),
        (torch, "load", loaded),
        (torch, "from_numpy", lambda array: put(from_numpy(array), False)),
        (nn.Parameter, "__new__", _parameter(nn.Parameter.__new__)),
    ]


def _parameter(new: Any) -> Any:
    def made(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
        return put(new(cls, data, requires_grad), home(data))

    return staticmethod(made)
