"""Convolutions of Keras 2 that share no weights between places."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.initializers import no_orthogonal
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.padding import Window, channels_last, window
from migrator.rules.layers.weights import Weights, bias_argument, is_named_late, is_own, value_of, weight

_IMPORTS = ("import torch", "from torch import nn")
LOCAL_1D = Helper(
    "LocallyConnected1d",
    '''class LocallyConnected1d(nn.Module):
    """A convolution over (N, C, L) with a kernel of its own at each of the `size` places of its result."""

    def __init__(self, in_channels, out_channels, size, kernel_size, stride=1, bias=True):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        self.weight = nn.Parameter(torch.empty(size, in_channels, kernel_size, out_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels, size)) if bias else None

    def forward(self, x):
        patches = x.unfold(2, self.kernel_size, self.stride)
        x = torch.einsum("nclk,lckf->nfl", patches, self.weight)
        return x if self.bias is None else x + self.bias
''',
    _IMPORTS,
)
LOCAL_2D = Helper(
    "LocallyConnected2d",
    '''class LocallyConnected2d(nn.Module):
    """A convolution over (N, C, H, W) with a kernel of its own at each of the `size` places of its result."""

    def __init__(self, in_channels, out_channels, size, kernel_size, stride=(1, 1), bias=True):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        self.weight = nn.Parameter(torch.empty(*size, in_channels, *kernel_size, out_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels, *size)) if bias else None

    def forward(self, x):
        (height, width), (down, across) = self.kernel_size, self.stride
        patches = x.unfold(2, height, down).unfold(3, width, across)
        x = torch.einsum("nchwij,hwcijf->nfhw", patches, self.weight)
        return x if self.bias is None else x + self.bias
''',
    _IMPORTS,
)
_HELPERS = {1: LOCAL_1D, 2: LOCAL_2D}


def _places(kernel: Window, stride: Window, call: LayerCall) -> list[int]:
    """The size of the result along each axis. Raises `Decline` where it is not known."""
    sizes = call.shape[1:-1]
    if kernel.sizes is None or stride.sizes is None or not all(isinstance(n, int) for n in sizes):
        raise Decline("input size unknown")
    return [(n - k) // s + 1 for n, k, s in zip(sizes, kernel.sizes, stride.sizes, strict=True)]  # type: ignore[operator]


def _weights(dims: int, filters: LayerArg, kernel: Window, places: list[int], how) -> Weights:
    """Keras has one row a place, of patches whose channels come last; its fans count the places."""
    initial, regularizer, constraint = how
    if is_named_late(initial) or is_own(initial):
        raise Decline("an initializer of the run, for a weight that has another form in torch")
    no_orthogonal(value_of(initial))
    sizes = ",".join(map(str, [*places, *(kernel.sizes or ()), -1, filters.known]))
    order = "0,2,1,3" if dims == 1 else "0,1,4,2,3,5"
    view = ".flatten(1, 2).permute(2, 1, 0)" if dims == 1 else ".flatten(2, 4).flatten(0, 1).permute(2, 1, 0)"
    return weight(
        "kernel", "weight", f"reshape({sizes}) transpose({order})", initial, regularizer, constraint, view=view
    )


def _local(dims: int, args: dict[str, LayerArg], call: LayerCall) -> LayerCode:
    channels_last(args["data_format"])
    if args["padding"].known != "valid" or args["implementation"].known != 1:
        raise Decline("padding, or another implementation, whose weights have another form")
    kernel, stride = window(args["kernel_size"], dims), window(args["strides"], dims)
    places = _places(kernel, stride, call)
    how = tuple(args[f"kernel_{part}"] for part in ("initializer", "regularizer", "constraint"))
    weights = _weights(dims, args["filters"], kernel, places, how)
    if args["use_bias"].known:
        order = ",".join(map(str, (dims, *range(dims))))
        bias = (args[f"bias_{part}"] for part in ("initializer", "regularizer", "constraint"))
        weights += weight("bias", "bias", f"transpose({order})", *bias)
    step = "" if set(stride.sizes or ()) == {1} else f", stride={_sizes(stride.sizes)}"
    sizes = f"{call.features}, {args['filters'].text}, {_sizes(tuple(places))}, {_sizes(kernel.sizes)}"
    template, name = activation_of(args["activation"], call)
    helper = _HELPERS[dims]
    return LayerCode(
        module=f"{helper.name}({sizes}{step}{bias_argument(args['use_bias'])})",
        forward="{self}({x})",
        stem="local",
        layout="nchw",
        activation=template,
        activation_name=name,
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=(helper, *weights.helpers),
    )


def _sizes(sizes: tuple[int, ...] | None) -> str:
    found = sizes or ()
    return str(found[0]) if len(found) == 1 else str(found)


@layer(
    "tf.keras.layers.LocallyConnected1D",
    keras=2,
    samples=[
        S(f32(2, 9, 3), 4, 3),
        S(f32(2, 9, 3), 4, 3, strides=2, activation="relu", use_bias=False, kernel_initializer="he_normal"),
        declines(f32(2, 9, 3), 4, 3, padding="same", implementation=2),
    ],
)
def locally_connected1d(
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format=None,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    implementation=1,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module around one product for all places."""
    return _local(1, dict(locals()), call)


@layer(
    "tf.keras.layers.LocallyConnected2D",
    keras=2,
    samples=[
        S(f32(2, 7, 6, 3), 4, (3, 2)),
        S(f32(2, 7, 6, 3), 4, 3, strides=(2, 1), activation="relu", kernel_regularizer="l2"),
        declines(f32(2, 7, 6, 3), 4, 3, implementation=3),
    ],
)
def locally_connected2d(
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format=None,
    activation=None,
    use_bias=True,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    implementation=1,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module around one product for all places."""
    return _local(2, dict(locals()), call)
