class ColourNormalization(nn.Module):
    """Pixels of 0 to 255 less the mean colour of ImageNet, by its deviation."""

    def forward(self, x):
        mean, deviation = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]) * 255
        return (x - mean[:, None, None]) / deviation[:, None, None]


class ChannelLayerNorm(nn.LayerNorm):
    """Normalises the channels of each pixel."""

    def __init__(self, channels):
        super().__init__(channels, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """A learned factor for each channel, almost zero in the beginning."""

    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x):
        return x * self.gamma


class ConvNeXtBlock(nn.Module):
    """A 7x7 convolution of each channel by itself, then two layers over the channels of each pixel."""

    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding="same", groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.wide, self.narrow = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.scale = LayerScale(channels)

    def forward(self, inputs):
        x = self.norm(self.depthwise(inputs).permute(0, 2, 3, 1))  # NCHW -> NHWC
        x = self.scale(self.narrow(F.gelu(self.wide(x))))
        return inputs + x.permute(0, 3, 1, 2)


class ConvNeXt(Application):
    """Convolutions built as transformers are. Takes pixels from 0 to 255."""

    def __init__(
        self,
        name,
        depths,
        sizes,
        include_top,
        include_preprocessing,
        weights,
        input_shape,
        pooling,
        classes,
        classifier_activation,
    ):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 224)[2]
        self.normalization = ColourNormalization() if include_preprocessing and channels == 3 else nn.Identity()
        stem = nn.Sequential(nn.Conv2d(channels, sizes[0], 4, stride=4), ChannelLayerNorm(sizes[0]))
        self.halvings = nn.ModuleList([stem])
        for i, size in enumerate(sizes[1:]):
            self.halvings.append(nn.Sequential(ChannelLayerNorm(sizes[i]), nn.Conv2d(sizes[i], size, 2, stride=2)))
        blocks = [[ConvNeXtBlock(size) for _ in range(depth)] for depth, size in zip(depths, sizes)]
        self.stages = nn.ModuleList([nn.Sequential(*stage) for stage in blocks])
        self.norm = nn.LayerNorm(sizes[-1], eps=1e-6)
        self.predictions = nn.Linear(sizes[-1], classes) if include_top else None
        self.finish(weights, name)

    def features(self, x):
        x = self.normalization(x)
        for halving, stage in zip(self.halvings, self.stages):
            x = stage(halving(x))
        if self.include_top or self.pooling is not None:
            return x
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def classify(self, x):
        return self.predictions(self.norm(x.mean(dim=(2, 3))))

    def forward(self, x):
        x = super().forward(x)
        return x if self.include_top or self.pooling is None else self.norm(x)


def ConvNeXtTiny(
    include_top=True,
    include_preprocessing=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    ends = (include_top, include_preprocessing, weights, input_shape, pooling, classes, classifier_activation)
    return ConvNeXt("convnext_tiny", (3, 3, 9, 3), (96, 192, 384, 768), *ends)


def ConvNeXtSmall(
    include_top=True,
    include_preprocessing=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    ends = (include_top, include_preprocessing, weights, input_shape, pooling, classes, classifier_activation)
    return ConvNeXt("convnext_small", (3, 3, 27, 3), (96, 192, 384, 768), *ends)


def ConvNeXtBase(
    include_top=True,
    include_preprocessing=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    ends = (include_top, include_preprocessing, weights, input_shape, pooling, classes, classifier_activation)
    return ConvNeXt("convnext_base", (3, 3, 27, 3), (128, 256, 512, 1024), *ends)


def ConvNeXtLarge(
    include_top=True,
    include_preprocessing=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    ends = (include_top, include_preprocessing, weights, input_shape, pooling, classes, classifier_activation)
    return ConvNeXt("convnext_large", (3, 3, 27, 3), (192, 384, 768, 1536), *ends)


def ConvNeXtXLarge(
    include_top=True,
    include_preprocessing=True,
    weights=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    ends = (include_top, include_preprocessing, weights, input_shape, pooling, classes, classifier_activation)
    return ConvNeXt("convnext_xlarge", (3, 3, 27, 3), (256, 512, 1024, 2048), *ends)
