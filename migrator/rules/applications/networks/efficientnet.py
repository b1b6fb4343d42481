import math


class ChannelNormalization(nn.Module):
    """Colours less their mean, by their deviation: constants that come with the weights."""

    def __init__(self, channels):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x):
        deviation = self.variance.sqrt().clamp(min=1e-7)
        return (x - self.mean[:, None, None]) / deviation[:, None, None]


class MBConv(nn.Module):
    """An inverted residual with squeeze and excitation; in training some of its `drop_rate` of images skip it."""

    def __init__(self, channels, out, kernel_size, stride, expansion, drop_rate, any_size):
        super().__init__()
        inner, squeezed = channels * expansion, max(1, channels // 4)
        self.kernel_size, self.stride, self.any_size = kernel_size, stride, any_size
        self.adds = stride == 1 and channels == out
        self.drop_rate = drop_rate
        self.expand = conv_bn(channels, inner) if expansion > 1 else None
        self.depthwise = depthwise_bn(inner, kernel_size, stride)
        self.squeeze = nn.Conv2d(inner, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, inner, 1)
        self.project = conv_bn(inner, out)

    def forward(self, inputs):
        x = inputs if self.expand is None else F.silu(self.expand(inputs))
        if self.stride == 2:
            x = pad_before_stride(x, self.kernel_size, self.any_size)
        x = F.silu(self.depthwise(x))
        scale = F.silu(self.squeeze(x.mean(dim=(2, 3), keepdim=True)))
        x = self.project(x * torch.sigmoid(self.excite(scale)))
        if not self.adds:
            return x
        keep = F.dropout(x.new_ones(len(x), 1, 1, 1), self.drop_rate, self.training)
        return inputs + x * keep


class EfficientNet(Application):
    """Inverted residuals whose number of channels and depth grow together. Takes pixels from 0 to 255."""

    def __init__(
        self,
        name,
        width,
        depth,
        size,
        dropout,
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        classifier_activation,
    ):
        super().__init__(include_top, pooling, classifier_activation)
        height, _, in_channels = image_size(input_shape, include_top, size)
        self.any_size = height is None
        self.normalization = ChannelNormalization(in_channels)
        # The weights of ImageNet were trained with colours scaled once more.
        self.scale = [0.229**-0.5, 0.224**-0.5, 0.225**-0.5] if weights == "imagenet" else None
        channels = divisible(32 * width)
        self.stem = conv_bn(in_channels, channels, 3, stride=2)
        stages = (
            (1, 16, 3, 1),
            (2, 24, 3, 2),
            (2, 40, 5, 2),
            (3, 80, 3, 2),
            (3, 112, 5, 1),
            (4, 192, 5, 2),
            (1, 320, 3, 1),
        )
        total = sum(math.ceil(depth * repeats) for repeats, *_ in stages)
        self.blocks = nn.Sequential()
        for repeats, filters, kernel_size, stride in stages:
            out = divisible(filters * width)
            for i in range(math.ceil(depth * repeats)):
                expansion = 1 if filters == 16 else 6
                drop_rate = 0.2 * len(self.blocks) / total
                block = MBConv(channels, out, kernel_size, 1 if i else stride, expansion, drop_rate, self.any_size)
                self.blocks.append(block)
                channels = out
        last = divisible(1280 * width)
        self.last = conv_bn(channels, last)
        self.dropout = nn.Dropout(dropout)
        self.predictions = nn.Linear(last, classes) if include_top else None
        self.finish(weights, name)

    def reset_parameters(self):
        reset_efficientnet(self)

    def features(self, x):
        x = self.normalization(x / 255)
        if self.scale is not None:
            x = x * torch.tensor(self.scale, device=x.device)[:, None, None]
        x = F.silu(self.stem(pad_before_stride(x, 3, self.any_size)))
        return F.silu(self.last(self.blocks(x)))

    def classify(self, x):
        return self.predictions(self.dropout(x.mean(dim=(2, 3))))


def EfficientNetB0(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.0, depth=1.0, size=224, dropout=0.2)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb0", *scaling.values(), *ends)


def EfficientNetB1(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.0, depth=1.1, size=240, dropout=0.2)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb1", *scaling.values(), *ends)


def EfficientNetB2(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.1, depth=1.2, size=260, dropout=0.3)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb2", *scaling.values(), *ends)


def EfficientNetB3(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.2, depth=1.4, size=300, dropout=0.3)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb3", *scaling.values(), *ends)


def EfficientNetB4(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.4, depth=1.8, size=380, dropout=0.4)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb4", *scaling.values(), *ends)


def EfficientNetB5(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.6, depth=2.2, size=456, dropout=0.4)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb5", *scaling.values(), *ends)


def EfficientNetB6(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=1.8, depth=2.6, size=528, dropout=0.5)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb6", *scaling.values(), *ends)


def EfficientNetB7(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    scaling = dict(width=2.0, depth=3.1, size=600, dropout=0.5)
    ends = (include_top, weights, input_shape, pooling, classes, classifier_activation)
    return EfficientNet("efficientnetb7", *scaling.values(), *ends)
