"""SAME padding: literal where the size is known, a helper where it is not."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.layers.call import LayerArg, LayerCall

PAD_SAME = Helper(
    "pad_same",
    '''def pad_same(x, kernel_size, stride, value=0.0):
    """Pads like TensorFlow's "SAME": when uneven, the extra row/column goes last."""
    dims = x.dim() - 2
    kernel_size = (kernel_size,) * dims if isinstance(kernel_size, int) else kernel_size
    stride = (stride,) * dims if isinstance(stride, int) else stride
    pads = []
    for size, k, s in zip(x.shape[2:], kernel_size, stride):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads = [total // 2, total - total // 2, *pads]
    return F.pad(x, pads, value=value)
''',
    ("import torch.nn.functional as F",),
)

CONV_SAME = {
    dims: Helper(
        f"Conv{dims}dSame",
        f'''class Conv{dims}dSame(nn.Conv{dims}d):
    """A convolution with TensorFlow's "SAME" padding."""

    def forward(self, x):
        return super().forward(pad_same(x, self.kernel_size, self.stride))
''',
        ("from torch import nn",),
        (PAD_SAME,),
    )
    for dims in (1, 2, 3)
}
MAX_POOL_SAME = {
    dims: Helper(
        f"MaxPool{dims}dSame",
        f'''class MaxPool{dims}dSame(nn.MaxPool{dims}d):
    """Max pooling with TensorFlow's "SAME" padding."""

    def forward(self, x):
        return super().forward(pad_same(x, self.kernel_size, self.stride, -torch.inf))
''',
        ("import torch", "from torch import nn"),
        (PAD_SAME,),
    )
    for dims in (1, 2, 3)
}


@dataclass(frozen=True)
class Window:
    """A kernel, stride or dilation: its numbers where they are known, and its source."""

    sizes: tuple[int, ...] | None
    text: str

    @property
    def is_one(self) -> bool:
        return self.sizes is not None and all(s == 1 for s in self.sizes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and (self.sizes, self.text) == (other.sizes, other.text)


def window(arg: LayerArg, dims: int) -> Window:
    """A size argument of a convolution or pooling over `dims` dimensions."""
    if not arg.is_known:
        return Window(None, arg.text)
    known = arg.known
    sizes = (known,) * dims if isinstance(known, int) else tuple(known)
    if len(sizes) != dims or not all(isinstance(s, int) for s in sizes):
        raise Decline(f"`{arg.name}` does not fit {dims} dimensions")
    if not arg.is_written:
        return Window(sizes, arg.text)
    return of_sizes(sizes)


def of_sizes(sizes: tuple[int, ...]) -> Window:
    """A window of known sizes, written as one number where all are the same."""
    return Window(sizes, str(sizes[0]) if len(set(sizes)) == 1 else str(sizes))


def widened(kernel: Window, dilation: Window) -> Window:
    """The extent of a dilated kernel."""
    if dilation.is_one:
        return kernel
    if kernel.sizes is None or dilation.sizes is None:
        return Window(None, f"{reach(kernel, dilation)} + 1")
    return of_sizes(tuple((k - 1) * d + 1 for k, d in zip(kernel.sizes, dilation.sizes, strict=True)))


def reach(kernel: Window, dilation: Window) -> str:
    """Source of how far a dilated kernel reaches behind its first entry; each is one number where it is not known."""
    known = kernel.sizes is not None and dilation.sizes is not None
    if known and len(kernel.sizes or ()) == 1:
        return str(((kernel.sizes or (1,))[0] - 1) * (dilation.sizes or (1,))[0])
    one = str(kernel.sizes[0] - 1) if _square(kernel) and kernel.sizes else f"({_atom(kernel)} - 1)"
    return one if dilation.is_one else f"{one} * {_atom(dilation)}"


def _square(window: Window) -> bool:
    return window.sizes is not None and len(set(window.sizes)) == 1


def _atom(window: Window) -> str:
    if window.sizes is not None and not _square(window):
        raise Decline("a dilated kernel of several sizes, one of them unknown")
    return window.text if window.text.isidentifier() or window.text.isdigit() else f"({window.text})"


def same_pads(kernel: Window, stride: Window, call: LayerCall) -> list[tuple[int, int]] | None:
    """(before, after) for each spatial dimension where all sizes are known, else None."""
    sizes = call.shape[1:-1]
    if kernel.sizes is None or stride.sizes is None:
        return None
    pads = []
    for n, k, s in zip(sizes, kernel.sizes, stride.sizes, strict=True):
        if k == 1:
            pads.append((0, 0))
            continue
        if not isinstance(n, int):
            return None
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def literal_pads(pads: list[tuple[int, int]]) -> str:
    """The argument of `F.pad`: last dimension first."""
    return "(" + ", ".join(f"{before}, {after}" for before, after in reversed(pads)) + ")"


def padded(pads: list[tuple[int, int]] | None, kernel: Window, stride: Window, value: str = "") -> str:
    """The padded input, as an expression over `{x}`."""
    fill = f", value={value}" if value else ""
    if pads is None:
        return f"pad_same({{x}}, {kernel.text}, {stride.text}{fill})"
    return f"F.pad({{x}}, {literal_pads(pads)}{fill})"


def channels_last(data_format: LayerArg) -> None:
    """Declines `data_format="channels_first"`."""
    if data_format.known not in (None, "channels_last"):
        raise Decline("channels_first data")
