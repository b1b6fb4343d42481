import math


class ScaledPixels(nn.Module):
    """Pixels of 0 to 255 from -1 to 1, or less the mean colour of ImageNet and divided by its deviation."""

    def __init__(self, standardizes):
        super().__init__()
        self.standardizes = standardizes

    def forward(self, x):
        if not self.standardizes:
            return x / 128 - 1
        mean, deviation = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        return (x / 255 - mean[:, None, None]) / deviation[:, None, None]


class DroppableResidual(nn.Module):
    """Adds what comes in where the sizes allow it; in training some of its `drop_rate` of images skip the rest."""

    def __init__(self, channels, out, stride, drop_rate):
        super().__init__()
        self.stride, self.drop_rate = stride, drop_rate
        self.adds = stride == 1 and channels == out

    def forward(self, inputs):
        x = self.inner(inputs)
        if not self.adds:
            return x
        keep = F.dropout(x.new_ones(len(x), 1, 1, 1), self.drop_rate, self.training)
        return inputs + x * keep


class ExcitedMBConv(DroppableResidual):
    """An inverted residual with squeeze and excitation."""

    def __init__(self, channels, out, kernel_size, stride, expansion, drop_rate):
        super().__init__(channels, out, stride, drop_rate)
        wide, squeezed = channels * expansion, max(1, channels // 4)
        self.kernel_size = kernel_size
        self.expand = conv_bn(channels, wide, momentum=0.1)
        self.depthwise = depthwise_bn(wide, kernel_size, stride, momentum=0.1)
        self.squeeze = nn.Conv2d(wide, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, wide, 1)
        self.project = conv_bn(wide, out, momentum=0.1)

    def inner(self, x):
        x = F.silu(self.expand(x))
        if self.stride == 2:
            x = pad_same(x, self.kernel_size, 2)
        x = F.silu(self.depthwise(x))
        scale = F.silu(self.squeeze(x.mean(dim=(2, 3), keepdim=True)))
        return self.project(x * torch.sigmoid(self.excite(scale)))


class FusedMBConv(DroppableResidual):
    """An inverted residual whose first convolution takes all channels; without an expansion the only one."""

    def __init__(self, channels, out, kernel_size, stride, expansion, drop_rate):
        super().__init__(channels, out, stride, drop_rate)
        self.kernel_size = kernel_size
        self.conv = conv_bn(
            channels, out if expansion == 1 else channels * expansion, kernel_size, stride, momentum=0.1
        )
        self.project = None if expansion == 1 else conv_bn(channels * expansion, out, momentum=0.1)

    def inner(self, x):
        x = F.silu(self.conv(pad_same(x, self.kernel_size, self.stride)))
        return x if self.project is None else self.project(x)


def multiple_of_8(channels):
    return max(8, int(channels + 4) // 8 * 8)


class EfficientNetV2(Application):
    """Inverted residuals, the first stages of whole convolutions. Takes pixels from 0 to 255.

    A stage is (repeats, channels, stride, expansion, kind of block).
    """

    def __init__(
        self,
        name,
        stages,
        width,
        depth,
        size,
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        include_preprocessing,
    ):
        super().__init__(include_top, pooling, classifier_activation)
        in_channels = image_size(input_shape, include_top, size)[2]
        standardizes = in_channels == 3 and name.startswith("efficientnetv2-b")
        self.preprocessing = ScaledPixels(standardizes) if include_preprocessing else nn.Identity()
        channels = multiple_of_8((32 if name.startswith(("efficientnetv2-b", "efficientnetv2-l")) else 24) * width)
        self.stem = conv_bn(in_channels, channels, 3, stride=2, momentum=0.1)
        total = sum(stage[0] for stage in stages)
        self.blocks = nn.Sequential()
        for repeats, filters, stride, expansion, kind in stages:
            out = multiple_of_8(filters * width)
            for i in range(math.ceil(depth * repeats)):
                drop_rate = 0.2 * len(self.blocks) / total
                self.blocks.append(kind(channels, out, 3, 1 if i else stride, expansion, drop_rate))
                channels = out
        last = multiple_of_8(1280 * width)
        self.last = conv_bn(channels, last, momentum=0.1)
        self.dropout = nn.Dropout(0.2)
        self.predictions = nn.Linear(last, classes) if include_top else None
        self.finish(weights, name)

    def reset_parameters(self):
        reset_efficientnet(self)

    def features(self, x):
        x = F.silu(self.stem(pad_same(self.preprocessing(x), 3, 2)))
        return F.silu(self.last(self.blocks(x)))

    def classify(self, x):
        return self.predictions(self.dropout(x.mean(dim=(2, 3))))


def efficientnet_v2_b(name, width, depth, size, *ends):
    stages = (
        (1, 16, 1, 1, FusedMBConv),
        (2, 32, 2, 4, FusedMBConv),
        (2, 48, 2, 4, FusedMBConv),
        (3, 96, 2, 4, ExcitedMBConv),
        (5, 112, 1, 6, ExcitedMBConv),
        (8, 192, 2, 6, ExcitedMBConv),
    )
    return EfficientNetV2(name, stages, width, depth, size, *ends)


def EfficientNetV2B0(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return efficientnet_v2_b("efficientnetv2-b0", 1.0, 1.0, 224, *ends)


def EfficientNetV2B1(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return efficientnet_v2_b("efficientnetv2-b1", 1.0, 1.1, 240, *ends)


def EfficientNetV2B2(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return efficientnet_v2_b("efficientnetv2-b2", 1.1, 1.2, 260, *ends)


def EfficientNetV2B3(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return efficientnet_v2_b("efficientnetv2-b3", 1.2, 1.4, 300, *ends)


def EfficientNetV2S(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    stages = (
        (2, 24, 1, 1, FusedMBConv),
        (4, 48, 2, 4, FusedMBConv),
        (4, 64, 2, 4, FusedMBConv),
        (6, 128, 2, 4, ExcitedMBConv),
        (9, 160, 1, 6, ExcitedMBConv),
        (15, 256, 2, 6, ExcitedMBConv),
    )
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return EfficientNetV2("efficientnetv2-s", stages, 1.0, 1.0, 384, *ends)


def EfficientNetV2M(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    stages = (
        (3, 24, 1, 1, FusedMBConv),
        (5, 48, 2, 4, FusedMBConv),
        (5, 80, 2, 4, FusedMBConv),
        (7, 160, 2, 4, ExcitedMBConv),
        (14, 176, 1, 6, ExcitedMBConv),
        (18, 304, 2, 6, ExcitedMBConv),
        (5, 512, 1, 6, ExcitedMBConv),
    )
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return EfficientNetV2("efficientnetv2-m", stages, 1.0, 1.0, 480, *ends)


def EfficientNetV2L(
    include_top=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    stages = (
        (4, 32, 1, 1, FusedMBConv),
        (7, 64, 2, 4, FusedMBConv),
        (7, 96, 2, 4, FusedMBConv),
        (10, 192, 2, 4, ExcitedMBConv),
        (19, 224, 1, 6, ExcitedMBConv),
        (25, 384, 2, 6, ExcitedMBConv),
        (7, 640, 1, 6, ExcitedMBConv),
    )
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation, include_preprocessing)
    return EfficientNetV2("efficientnetv2-l", stages, 1.0, 1.0, 480, *ends)
