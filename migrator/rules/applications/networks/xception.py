import math


def xception_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def separable_bn(channels, out):
    return nn.Sequential(SeparableConv2d(channels, out, 3, padding=1), xception_norm(out))


class XceptionBlock(nn.Module):
    """Separable convolutions, each behind a ReLU, and what comes in: halved by a convolution, or as it is."""

    def __init__(self, channels, filters, halves, relu_first=True):
        super().__init__()
        self.relu_first, self.shortcut = relu_first, None
        if halves:
            conv = nn.Conv2d(channels, filters[-1], 1, stride=2, bias=False)
            self.shortcut = nn.Sequential(conv, xception_norm(filters[-1]))
        sizes = zip((channels, *filters), filters)
        self.convs = nn.ModuleList([separable_bn(before, after) for before, after in sizes])

    def forward(self, inputs):
        x = inputs
        for i, conv in enumerate(self.convs):
            x = conv(F.relu(x) if i or self.relu_first else x)
        if self.shortcut is None:
            return inputs + x
        return F.max_pool2d(pad_same(x, 3, 2, -math.inf), 3, stride=2) + self.shortcut(inputs)


class Xception(Application):
    """Fourteen blocks of depthwise separable convolutions."""

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
        self.conv1, self.bn1 = nn.Conv2d(channels, 32, 3, stride=2, bias=False), xception_norm(32)
        self.conv2, self.bn2 = nn.Conv2d(32, 64, 3, bias=False), xception_norm(64)
        self.blocks = nn.Sequential(
            XceptionBlock(64, (128, 128), halves=True, relu_first=False),
            XceptionBlock(128, (256, 256), halves=True),
            XceptionBlock(256, (728, 728), halves=True),
            *[XceptionBlock(728, (728, 728, 728), halves=False) for _ in range(8)],
            XceptionBlock(728, (728, 1024), halves=True),
        )
        self.conv3, self.conv4 = separable_bn(1024, 1536), separable_bn(1536, 2048)
        self.predictions = nn.Linear(2048, classes) if include_top else None
        self.finish(weights, "xception")

    def features(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.blocks(x)
        return F.relu(self.conv4(F.relu(self.conv3(x))))
