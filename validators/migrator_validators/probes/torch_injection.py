"""Torch side: randomness taken from `streams`, shuffles made sequential and noted, gaps removed.

`install()` once before the program under test is imported. Patches are module attributes of torch,
so `F.dropout`, `nn.Dropout`, `torch.randn` and `DataLoader(shuffle=True)` are reached however they
are spelled, except for names bound by a `from torch import …` that ran before.
"""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils import data as torch_data

from .streams import STREAMS, Pass, install_numpy_permutations

_FOLD = [1]  # rows of one sample that follow each other: the heads of nn.MultiheadAttention


def install() -> None:
    """Replace every source of randomness that a program may use."""
    restart()
    _install_dropout()
    _install_draws()
    _install_methods()
    _install_permutations()
    _install_loaders()


def restart() -> None:
    """Begin the streams again, and numpy's and Python's own generators."""
    STREAMS.restart()
    np.random.seed(0)
    random.seed(0)
    torch.manual_seed(0)


def start_step() -> None:
    """Restart the ordinals of all draws: both sides call this before a batch that is compared."""
    STREAMS.start_step()


# --- dropout ----------------------------------------------------------------------------------------


def _scale(x: torch.Tensor, rate: float) -> torch.Tensor:
    rows = x.shape[0] if x.dim() else 1
    factors = torch.as_tensor(STREAMS.dropout(rows, float(rate), _FOLD[0])).to(x.device, x.dtype)
    return x * factors.reshape([rows] + [1] * (x.dim() - 1)) if x.dim() else x * factors[0]


def _dropout(input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    if not training or p == 0:
        return input
    out = torch.zeros_like(input) if p == 1 else _scale(input, p)
    return input.copy_(out) if inplace else out


def _module_dropout(input: torch.Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> torch.Tensor:
    return _dropout(input, p, training, inplace)


def _functional_dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    return _dropout(input, p, training, inplace)


def _install_dropout() -> None:
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d"):
        setattr(F, name, _functional_dropout)
    for name in ("alpha_dropout", "feature_alpha_dropout"):
        setattr(F, name, _module_dropout)
    torch.dropout = lambda input, p, train: _dropout(input, p, train)
    torch.dropout_ = lambda input, p, train: _dropout(input, p, train, True)
    attention = F.scaled_dot_product_attention

    @functools.wraps(attention)
    def scaled_dot_product_attention(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *args: Any, **kwargs: Any
    ) -> Any:
        # a factor per sample on the attention weights is the same factor on the result
        return _dropout(attention(query, key, value, attn_mask, 0.0, *args, **kwargs), dropout_p)

    F.scaled_dot_product_attention = scaled_dot_product_attention
    multi_head = F.multi_head_attention_forward

    @functools.wraps(multi_head)
    def multi_head_attention_forward(*args: Any, **kwargs: Any) -> Any:
        weighted = kwargs.get("need_weights", True)
        heads = kwargs.get("num_heads", args[4] if len(args) > 4 else 1)
        _FOLD[0] = heads if weighted else 1
        try:
            return multi_head(*args, **kwargs)
        finally:
            _FOLD[0] = 1

    F.multi_head_attention_forward = multi_head_attention_forward
    _install_recurrent_note()


def _install_recurrent_note() -> None:
    forward = torch.nn.RNNBase.__setattr__

    def noting(self: Any, name: str, value: Any) -> None:
        if name == "dropout" and value and getattr(self, "num_layers", 1) > 1:
            STREAMS.note(f"dropout between the layers of {type(self).__name__} is drawn inside torch")
        forward(self, name, value)

    torch.nn.RNNBase.__setattr__ = noting


# --- draws --------------------------------------------------------------------------------------------


def _shape(size: Sequence[Any]) -> list[int]:
    if len(size) == 1 and isinstance(size[0], (tuple, list, torch.Size)):
        size = size[0]
    return [int(n) for n in size]


def _options(kwargs: dict[str, Any], like: Any = None) -> dict[str, Any]:
    dtype = kwargs.get("dtype") or (like.dtype if like is not None else torch.get_default_dtype())
    device = kwargs.get("device") or (like.device if like is not None else None)
    return {"dtype": dtype, "device": device}


def _make(values: np.ndarray, kwargs: dict[str, Any], like: Any = None) -> torch.Tensor:
    made = torch.as_tensor(values).to(**_options(kwargs, like))
    return made.requires_grad_() if kwargs.get("requires_grad") else made


def _randn(*size: Any, **kwargs: Any) -> torch.Tensor:
    return _make(STREAMS.normal(_shape(kwargs.get("size", size))), kwargs)


def _rand(*size: Any, **kwargs: Any) -> torch.Tensor:
    return _make(STREAMS.uniform(_shape(kwargs.get("size", size))), kwargs)


def _randn_like(input: torch.Tensor, **kwargs: Any) -> torch.Tensor:
    return _make(STREAMS.normal(input.shape), kwargs, input)


def _rand_like(input: torch.Tensor, **kwargs: Any) -> torch.Tensor:
    return _make(STREAMS.uniform(input.shape), kwargs, input)


def _randint(*args: Any, **kwargs: Any) -> torch.Tensor:
    names = ("low", "high", "size")
    given = list(args)
    if len(given) + sum(name in kwargs for name in names) < 3:
        given.insert(0, 0)  # randint(high, size)
    bound = dict(zip(names, given), **{name: kwargs[name] for name in names if name in kwargs})
    made = torch.as_tensor(STREAMS.integers(bound.get("low", 0), bound["high"], _shape([bound["size"]])))
    return made.to(kwargs.get("dtype") or torch.int64).to(kwargs.get("device"))


def _randint_like(input: torch.Tensor, low: int, high: Any = None, **kwargs: Any) -> torch.Tensor:
    low, high = (0, low) if high is None else (low, high)
    return torch.as_tensor(STREAMS.integers(low, high, input.shape)).to(**_options(kwargs, input))


def _normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, **kwargs: Any) -> torch.Tensor:
    like = next((v for v in (mean, std) if isinstance(v, torch.Tensor)), None)
    if size is None:
        size = torch.broadcast_shapes(*[v.shape for v in (mean, std) if isinstance(v, torch.Tensor)])
    return _make(STREAMS.normal(_shape([size])), kwargs, like) * std + mean


def _bernoulli(input: torch.Tensor, p: Any = None, **kwargs: Any) -> torch.Tensor:
    draws = torch.as_tensor(STREAMS.uniform(input.shape))
    return (draws < (input if p is None else p)).to(input.dtype)


def _multinomial(input: torch.Tensor, num_samples: int, replacement: bool = False, **kwargs: Any) -> torch.Tensor:
    rows = input.detach().double().cpu().numpy()
    ids = torch.as_tensor(STREAMS.choices(np.atleast_2d(rows), num_samples))
    return ids if rows.ndim == 2 else ids[0]


def _install_draws() -> None:
    patches: dict[str, Callable[..., Any]] = {
        "randn": _randn,
        "rand": _rand,
        "randn_like": _randn_like,
        "rand_like": _rand_like,
        "randint": _randint,
        "randint_like": _randint_like,
        "normal": _normal,
        "bernoulli": _bernoulli,
        "multinomial": _multinomial,
    }
    for name, patch in patches.items():
        setattr(torch, name, patch)


def _fill(original: Callable[..., Any], draw: Callable[..., Any]) -> Callable[..., Any]:
    """An in-place draw; parameters keep torch's own, since initial values are no part of the stream."""

    def method(self: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self, torch.nn.Parameter) or self.requires_grad:
            STREAMS.initial = True
            return original(self, *args, **kwargs)
        kwargs.pop("generator", None)
        with torch.no_grad():
            return self.copy_(torch.as_tensor(draw(self, *args, **kwargs)))

    return method


def _install_methods() -> None:
    tensor = torch.Tensor
    tensor.normal_ = _fill(tensor.normal_, lambda x, mean=0.0, std=1.0: STREAMS.normal(x.shape) * std + mean)
    tensor.uniform_ = _fill(
        tensor.uniform_, lambda x, low=0.0, high=1.0, **kw: low + STREAMS.uniform(x.shape) * (kw.get("to", high) - low)
    )
    tensor.bernoulli_ = _fill(tensor.bernoulli_, lambda x, p=0.5: (STREAMS.uniform(x.shape) < np.asarray(p)) * 1.0)
    tensor.bernoulli = lambda self, *args, **kwargs: _bernoulli(self, *args, **kwargs)
    tensor.multinomial = lambda self, *args, **kwargs: _multinomial(self, *args, **kwargs)


# --- order --------------------------------------------------------------------------------------------


def _install_permutations() -> None:
    def randperm(n: int, **kwargs: Any) -> torch.Tensor:
        STREAMS.event("permutation")
        if STREAMS.fetching:
            STREAMS.fetching[-1].shuffle()  # drawn while a batch is fetched, it is the order of the data
        return torch.arange(n, dtype=kwargs.get("dtype") or torch.int64, device=kwargs.get("device"))

    torch.randperm = randperm
    install_numpy_permutations()


def _install_loaders() -> None:
    from torch.utils.data import dataloader

    def sequential(self: Any) -> Any:
        count = self.num_samples
        for start in range(0, count, max(len(self.data_source), 1)):
            yield from range(min(len(self.data_source), count - start))

    torch_data.RandomSampler.__iter__ = sequential
    torch_data.SubsetRandomSampler.__iter__ = lambda self: iter(list(self.indices))
    base = dataloader._BaseDataLoaderIter
    start, advance = base.__init__, base.__next__

    def __init__(self: Any, loader: Any) -> None:
        start(self, loader)
        samplers = (loader.sampler, getattr(loader.batch_sampler, "sampler", None))
        random_order = (torch_data.RandomSampler, torch_data.SubsetRandomSampler)
        self._migrator_pass = Pass(STREAMS, any(isinstance(sampler, random_order) for sampler in samplers))

    def __next__(self: Any) -> Any:
        with self._migrator_pass.fetch():
            return advance(self)

    base.__init__, base.__next__ = __init__, __next__
    base.next = __next__


# --- precision ------------------------------------------------------------------------------------------


def widen() -> None:
    """Everything in float64, where the program says float32 too: what still differs then is no rounding."""
    double, single = torch.float64, torch.float32
    _read_back(torch.zeros(1))
    torch.set_default_dtype(double)
    for name in ("as_tensor", "from_numpy", "tensor"):
        setattr(torch, name, _widened(getattr(torch, name), single))
    torch.float32 = torch.float = double
    torch.FloatTensor = torch.DoubleTensor
    torch.Tensor.float = torch.Tensor.double
    torch.nn.Module.float = torch.nn.Module.double


def _read_back(tensor: Any) -> None:
    """Save and load once: PyTorch keeps then which storage has which dtype, as these are called now."""
    file = io.BytesIO()
    torch.save(tensor, file)
    file.seek(0)
    torch.load(file)


def _widened(original: Callable[..., Any], single: Any) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        return made.double() if made.dtype == single and not made.requires_grad else made

    return call


# --- documented gaps ----------------------------------------------------------------------------------


def remove_gaps(names: Sequence[str], keras: int = 3) -> None:
    """Make torch follow Keras where a documented difference is known, for a second run of a case.

    `names`: "adam-epsilon" (Keras adds epsilon before the bias correction), "batchnorm-variance"
    (running variance from the biased batch variance; Keras 2 uses the unbiased one for images),
    "sgd-velocity" (Keras's velocity contains the learning rate of its own step).
    """
    if "adam-epsilon" in names:
        register_optimizer_step_pre_hook(_keras_epsilon)
        register_optimizer_step_post_hook(_stock_epsilon)
    if "sgd-velocity" in names:
        register_optimizer_step_pre_hook(_keras_velocity)
    if "batchnorm-variance" in names:
        _biased_variance(keras)


def _keras_epsilon(optimizer: Any, args: Any, kwargs: Any) -> None:
    if not isinstance(optimizer, (torch.optim.Adam, torch.optim.AdamW)):
        return
    for group in optimizer.param_groups:
        done = [int(optimizer.state[p]["step"]) for p in group["params"] if "step" in optimizer.state[p]]
        group["migrator_eps"] = group["eps"]
        group["eps"] = group["eps"] / (1.0 - float(group["betas"][1]) ** (max(done, default=0) + 1)) ** 0.5


def _stock_epsilon(optimizer: Any, args: Any, kwargs: Any) -> None:
    for group in optimizer.param_groups:
        if "migrator_eps" in group:
            group["eps"] = group.pop("migrator_eps")


def _keras_velocity(optimizer: Any, args: Any, kwargs: Any) -> None:
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for index, group in enumerate(optimizer.param_groups):
        last = optimizer.__dict__.setdefault("_migrator_rates", {})
        old, new = last.get(index), float(group["lr"])
        last[index] = new
        if old is None or old == new or new == 0:
            continue
        for parameter in group["params"]:
            buffer = optimizer.state[parameter].get("momentum_buffer")
            if buffer is not None:
                buffer.mul_(old / new)


def _biased_variance(keras: int) -> None:
    base = torch.nn.modules.batchnorm._BatchNorm
    stock = base.forward

    def forward(self: Any, input: torch.Tensor) -> torch.Tensor:
        tracks = self.training and self.running_var is not None and not (keras == 2 and input.dim() == 4)
        old = self.running_var.clone() if tracks else None
        out: torch.Tensor = stock(self, input)
        if old is not None:
            n = input.numel() / input.shape[1]
            rate = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
            with torch.no_grad():
                kept = old * (1 - rate)
                # not in place: backward still needs the buffer as it was saved
                self.running_var.data = kept + (self.running_var - kept) * (n - 1) / n
        return out

    base.forward = forward
