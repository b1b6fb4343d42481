class WideInceptionBlock(nn.Module):
    """Branches that end in a 1x3 and a 3x1 convolution side by side."""

    def __init__(self, channels):
        super().__init__()
        self.branch1x1 = InceptionConv(channels, 320)
        self.branch3x3 = InceptionConv(channels, 384)
        self.split3x3 = nn.ModuleList([InceptionConv(384, 384, (1, 3)), InceptionConv(384, 384, (3, 1))])
        self.branch3x3dbl = conv_chain(channels, (448, 1), (384, 3))
        self.split3x3dbl = nn.ModuleList([InceptionConv(384, 384, (1, 3)), InceptionConv(384, 384, (3, 1))])
        self.pool = InceptionConv(channels, 192)

    def forward(self, x):
        one, two = self.branch3x3(x), self.branch3x3dbl(x)
        split = [*[conv(one) for conv in self.split3x3], *[conv(two) for conv in self.split3x3dbl]]
        return torch.cat([self.branch1x1(x), *split, self.pool(average(x))], dim=1)


class InceptionV3(Application):
    """Eleven blocks of branches side by side."""

    def __init__(
        self,
        include_top=True,
        weights=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
    ):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 299)[2]
        self.stem = nn.Sequential(
            InceptionConv(channels, 32, 3, 2, 0),
            InceptionConv(32, 32, 3, 1, 0),
            InceptionConv(32, 64, 3),
            nn.MaxPool2d(3, stride=2),
            InceptionConv(64, 80),
            InceptionConv(80, 192, 3, 1, 0),
            nn.MaxPool2d(3, stride=2),
        )
        small = [[(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]]
        self.mixed = nn.Sequential(
            InceptionBlock(192, small, 32),
            InceptionBlock(256, small, 64),
            InceptionBlock(288, small, 64),
            InceptionBlock(288, [[(384, 3, 2)], [(64, 1), (96, 3), (96, 3, 2)]]),
        )
        for n in (128, 160, 160, 192):
            once = [(n, 1), (n, (1, 7)), (192, (7, 1))]
            twice = [(n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7))]
            self.mixed.append(InceptionBlock(768, [[(192, 1)], once, twice], 192))
        halving = [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)]
        self.mixed.append(InceptionBlock(768, [[(192, 1), (320, 3, 2)], halving]))
        self.mixed.append(WideInceptionBlock(1280))
        self.mixed.append(WideInceptionBlock(2048))
        self.predictions = nn.Linear(2048, classes) if include_top else None
        self.finish(weights, "inception_v3")

    def features(self, x):
        return self.mixed(self.stem(x))
