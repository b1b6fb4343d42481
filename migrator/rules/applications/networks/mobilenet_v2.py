class InvertedResidual(nn.Module):
    """Six times as many channels inside as outside; what comes in is added where the sizes allow it."""

    def __init__(self, channels, out, stride, expansion, any_size):
        super().__init__()
        inner = channels * expansion
        self.stride, self.any_size = stride, any_size
        self.adds = stride == 1 and channels == out
        self.expand = conv_bn(channels, inner, momentum=0.001) if expansion > 1 else None
        self.depthwise = depthwise_bn(inner, 3, stride, momentum=0.001)
        self.project = conv_bn(inner, out, momentum=0.001)

    def forward(self, inputs):
        x = inputs if self.expand is None else F.relu6(self.expand(inputs))
        if self.stride == 2:
            x = pad_before_stride(x, 3, self.any_size)
        x = self.project(F.relu6(self.depthwise(x)))
        return inputs + x if self.adds else x


class MobileNetV2(Application):
    """Inverted residuals with linear bottlenecks; `alpha` scales all channels."""

    def __init__(
        self,
        input_shape=None,
        alpha=1.0,
        include_top=True,
        weights=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
    ):
        super().__init__(include_top, pooling, classifier_activation)
        height, _, in_channels = image_size(input_shape, include_top, 224)
        channels = divisible(32 * alpha)
        self.stem = conv_bn(in_channels, channels, 3, stride=2, momentum=0.001)
        self.blocks = nn.Sequential()
        stages = ((1, 16, 1), (2, 24, 2), (3, 32, 2), (4, 64, 2), (3, 96, 1), (3, 160, 2), (1, 320, 1))
        for depth, filters, stride in stages:
            out = divisible(int(filters * alpha))
            for i in range(depth):
                expansion = 6 if self.blocks else 1
                block = InvertedResidual(channels, out, 1 if i else stride, expansion, any_size=height is None)
                self.blocks.append(block)
                channels = out
        last = divisible(1280 * alpha) if alpha > 1.0 else 1280
        self.last = conv_bn(channels, last, momentum=0.001)
        self.predictions = nn.Linear(last, classes) if include_top else None
        self.finish(weights, f"mobilenet_v2_{alpha}_{trained_size(input_shape, (96, 128, 160, 192, 224))}")

    def features(self, x):
        x = F.relu6(self.stem(pad_same(x, 3, 2)))
        return F.relu6(self.last(self.blocks(x)))
