class SqueezeExcite(nn.Module):
    """Scales each channel by what the means of all channels tell."""

    def __init__(self, channels):
        super().__init__()
        squeezed = divisible(channels * 0.25)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        scale = F.relu(self.squeeze(x.mean(dim=(2, 3), keepdim=True)))
        return x * F.hardsigmoid(self.excite(scale))


class SearchedResidual(nn.Module):
    """More channels inside than outside, with or without squeeze and excitation."""

    def __init__(self, channels, inner, out, kernel_size, stride, squeeze, activation, expand, any_size):
        super().__init__()
        self.kernel_size, self.stride, self.any_size = kernel_size, stride, any_size
        self.activation = activation
        self.adds = stride == 1 and channels == out
        self.expand = conv_bn(channels, inner, momentum=0.001) if expand else None
        self.depthwise = depthwise_bn(inner, kernel_size, stride, momentum=0.001)
        self.excite = SqueezeExcite(inner) if squeeze else nn.Identity()
        self.project = conv_bn(inner, out, momentum=0.001)

    def forward(self, inputs):
        x = inputs if self.expand is None else self.activation(self.expand(inputs))
        if self.stride == 2:
            x = pad_before_stride(x, self.kernel_size, self.any_size)
        x = self.project(self.excite(self.activation(self.depthwise(x))))
        return inputs + x if self.adds else x


class MobileNetV3(Application):
    """Inverted residuals that a search found, for pixels from 0 to 255; `alpha` scales all channels.

    A stage is (expansion, channels, kernel size, stride, whether it squeezes, activation).
    """

    def __init__(
        self,
        name,
        stages,
        last,
        input_shape,
        alpha,
        minimalistic,
        include_top,
        weights,
        classes,
        pooling,
        dropout_rate,
        classifier_activation,
        include_preprocessing,
    ):
        super().__init__(include_top, pooling, classifier_activation)
        height, _, in_channels = image_size(input_shape, False, None)
        self.include_preprocessing = include_preprocessing
        self.activation = F.relu if minimalistic else F.hardswish
        self.stem = conv_bn(in_channels, 16, 3, stride=2, momentum=0.001)
        self.blocks = nn.Sequential()
        channels = 16
        for i, (expansion, filters, kernel_size, stride, squeeze, activation) in enumerate(stages):
            inner, out = divisible(channels * expansion), divisible(filters * alpha)
            if minimalistic:
                kernel_size, squeeze, activation = 3, False, F.relu
            how = dict(expand=i > 0, any_size=height is None)
            block = SearchedResidual(channels, inner, out, kernel_size, stride, squeeze, activation, **how)
            self.blocks.append(block)
            channels = out
        self.conv_1 = conv_bn(channels, divisible(channels * 6), momentum=0.001)
        if include_top:
            last = divisible(last * alpha) if alpha > 1.0 else last
            self.conv_2 = nn.Conv2d(divisible(channels * 6), last, 1)
            self.dropout = nn.Dropout(dropout_rate)
            self.predictions = nn.Conv2d(last, classes, 1)
        self.finish(weights, f"{name}{'_minimalistic' if minimalistic else ''}_{alpha}_224")

    def features(self, x):
        if self.include_preprocessing:
            x = x / 127.5 - 1
        x = self.activation(self.stem(pad_same(x, 3, 2)))
        return self.activation(self.conv_1(self.blocks(x)))

    def classify(self, x):
        x = self.activation(self.conv_2(x.mean(dim=(2, 3), keepdim=True)))
        return self.predictions(self.dropout(x)).flatten(1)


def MobileNetV3Small(
    input_shape=None,
    alpha=1.0,
    minimalistic=False,
    include_top=True,
    weights=None,
    classes=1000,
    pooling=None,
    dropout_rate=0.2,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    stages = (
        (1, 16, 3, 2, True, F.relu),
        (72 / 16, 24, 3, 2, False, F.relu),
        (88 / 24, 24, 3, 1, False, F.relu),
        (4, 40, 5, 2, True, F.hardswish),
        (6, 40, 5, 1, True, F.hardswish),
        (6, 40, 5, 1, True, F.hardswish),
        (3, 48, 5, 1, True, F.hardswish),
        (3, 48, 5, 1, True, F.hardswish),
        (6, 96, 5, 2, True, F.hardswish),
        (6, 96, 5, 1, True, F.hardswish),
        (6, 96, 5, 1, True, F.hardswish),
    )
    shape = (input_shape, alpha, minimalistic)
    ends = (include_top, weights, classes, pooling, dropout_rate, classifier_activation, include_preprocessing)
    return MobileNetV3("mobilenet_v3_small", stages, 1024, *shape, *ends)


def MobileNetV3Large(
    input_shape=None,
    alpha=1.0,
    minimalistic=False,
    include_top=True,
    weights=None,
    classes=1000,
    pooling=None,
    dropout_rate=0.2,
    classifier_activation="softmax",
    include_preprocessing=True,
):
    stages = (
        (1, 16, 3, 1, False, F.relu),
        (4, 24, 3, 2, False, F.relu),
        (3, 24, 3, 1, False, F.relu),
        (3, 40, 5, 2, True, F.relu),
        (3, 40, 5, 1, True, F.relu),
        (3, 40, 5, 1, True, F.relu),
        (6, 80, 3, 2, False, F.hardswish),
        (2.5, 80, 3, 1, False, F.hardswish),
        (2.3, 80, 3, 1, False, F.hardswish),
        (2.3, 80, 3, 1, False, F.hardswish),
        (6, 112, 3, 1, True, F.hardswish),
        (6, 112, 3, 1, True, F.hardswish),
        (6, 160, 5, 2, True, F.hardswish),
        (6, 160, 5, 1, True, F.hardswish),
        (6, 160, 5, 1, True, F.hardswish),
    )
    shape = (input_shape, alpha, minimalistic)
    ends = (include_top, weights, classes, pooling, dropout_rate, classifier_activation, include_preprocessing)
    return MobileNetV3("mobilenet_v3_large", stages, 1280, *shape, *ends)
