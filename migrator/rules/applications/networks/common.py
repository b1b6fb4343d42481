import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class Application(nn.Module):
    """A network for images of shape (N, H, W, 3), with the ends that Keras's applications have.

    With `include_top` it returns (N, classes), with `pooling` "avg" or "max" (N, channels), else a map of features
    (N, h, w, channels).
    """

    def __init__(self, include_top, pooling, classifier_activation):
        super().__init__()
        self.include_top, self.pooling = include_top, pooling
        self.classifier_activation = classifier_activation

    def finish(self, weights, name):
        """Starts as Keras does, or with `weights`: "imagenet" or the path of a state_dict in safetensors."""
        self.reset_parameters()
        if weights == "imagenet":
            file = f"{name}.safetensors" if self.include_top else f"{name}_notop.safetensors"
            weights = os.path.join(os.path.expanduser("~"), ".keras", "models", file)
        if weights is not None:
            self.load_state_dict(read_weights(weights))

    def reset_parameters(self):
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def classify(self, x):
        return self.predictions(x.mean(dim=(2, 3)))

    def forward(self, x):
        x = self.features(x.permute(0, 3, 1, 2))  # NHWC -> NCHW
        if self.include_top:
            x = self.classify(x)
            return F.softmax(x, dim=-1) if self.classifier_activation == "softmax" else x
        if self.pooling == "avg":
            return x.mean(dim=(2, 3))
        if self.pooling == "max":
            return x.amax(dim=(2, 3))
        return x.permute(0, 2, 3, 1)


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel by itself."""

    def __init__(self, channels, kernel_size, stride=1, padding=0, depth_multiplier=1):
        out = channels * depth_multiplier
        super().__init__(channels, out, kernel_size, stride, padding, groups=channels, bias=False)


class PointwiseConv2d(nn.Conv2d):
    """A convolution of all channels of a pixel, behind a depthwise one."""

    def __init__(self, channels, out):
        super().__init__(channels, out, 1, bias=False)


def conv_bn(channels, out, kernel_size=1, stride=1, momentum=0.01):
    conv = nn.Conv2d(channels, out, kernel_size, stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out, eps=1e-3, momentum=momentum))


def depthwise_bn(channels, kernel_size, stride, momentum=0.01):
    padding = kernel_size // 2 if stride == 1 else 0
    conv = DepthwiseConv2d(channels, kernel_size, stride, padding)
    return nn.Sequential(conv, nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum))


class SeparableConv2d(nn.Module):
    """A convolution of each channel, then one of all channels."""

    def __init__(self, channels, out, kernel_size, stride=1, padding=0):
        super().__init__()
        self.depthwise = DepthwiseConv2d(channels, kernel_size, stride, padding)
        self.pointwise = PointwiseConv2d(channels, out)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


def trained_size(input_shape, sizes):
    """The image size whose weights Keras takes: the network's own, where there are any for it."""
    height, width = (None, None) if input_shape is None else tuple(input_shape)[:2]
    return height if height == width and height in sizes else 224


def read_weights(path):
    """A state_dict; raises FileNotFoundError where Keras's weights were not converted yet."""
    try:
        return load_file(path)
    except FileNotFoundError:
        name = os.path.basename(path).removesuffix(".safetensors")
        command = f"migrator weights keras:{name} {path}"
        raise FileNotFoundError(f"{path} is not there; `{command}` makes it of Keras's weights") from None


def image_size(input_shape, include_top, default):
    """(height, width, channels); height and width are None where images of any size are taken."""
    if input_shape is None:
        return (default, default, 3) if include_top else (None, None, 3)
    return tuple(input_shape)


def divisible(channels, divisor=8):
    """The nearest multiple of `divisor` that is not less than nine tenths of `channels`."""
    found = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return found + divisor if found < 0.9 * channels else found


def pad_before_stride(x, kernel_size, any_size):
    """Zeros around images before a convolution of stride 2: a row less at the top where the size is even.

    In networks for images of `any_size` Keras takes every size for even.
    """
    half = kernel_size // 2
    height, width = (0, 0) if any_size else (x.shape[2] % 2, x.shape[3] % 2)
    return F.pad(x, (half - 1 + width, half, half - 1 + height, half))


def pad_same(x, kernel_size, stride, value=0.0):
    """TensorFlow's SAME padding, of which the odd row goes below."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


class ShiftedBatchNorm2d(nn.BatchNorm2d):
    """Normalisation with a shift and no scale."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-3, momentum=0.01)
        self.weight = None


class InceptionConv(nn.Sequential):
    """A convolution, normalised, and a ReLU."""

    def __init__(self, channels, out, kernel_size=1, stride=1, padding="same"):
        conv = nn.Conv2d(channels, out, kernel_size, stride, padding, bias=False)
        super().__init__(conv, ShiftedBatchNorm2d(out), nn.ReLU())


def average(x):
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def conv_chain(channels, *layers):
    """Convolutions (filters, kernel_size) one after the other; the last may be of stride 2, then without padding."""
    chain = nn.Sequential()
    for filters, kernel_size, *stride in layers:
        how = dict(stride=2, padding=0) if stride else {}
        chain.append(InceptionConv(channels, filters, kernel_size, **how))
        channels = filters
    return chain


class InceptionBlock(nn.Module):
    """Branches side by side; with a `pool_filters` the last is an average, else the largest of each 3x3, halved."""

    def __init__(self, channels, branches, pool_filters=None):
        super().__init__()
        self.branches = nn.ModuleList([conv_chain(channels, *branch) for branch in branches])
        self.pool = None if pool_filters is None else InceptionConv(channels, pool_filters)

    def forward(self, x):
        pooled = F.max_pool2d(x, 3, stride=2) if self.pool is None else self.pool(average(x))
        return torch.cat([*[branch(x) for branch in self.branches], pooled], dim=1)


def reset_efficientnet(network):
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels // layer.groups
            std = (2 / fan_out) ** 0.5 / 0.87962566103423978  # of the normal distribution before it is cut
            nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    if network.include_top:
        bound = network.predictions.out_features**-0.5
        nn.init.uniform_(network.predictions.weight, -bound, bound)
        nn.init.zeros_(network.predictions.bias)
