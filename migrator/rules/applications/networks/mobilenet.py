def conv_bn_relu6(conv):
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels, eps=1e-3, momentum=0.01), nn.ReLU6())


class DepthwiseBlock(nn.Module):
    """A 3x3 convolution of each channel, then one of all channels."""

    def __init__(self, channels, out, stride, depth_multiplier):
        super().__init__()
        inner = channels * depth_multiplier
        pad = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 else nn.ZeroPad2d(1)
        conv = DepthwiseConv2d(channels, 3, stride, depth_multiplier=depth_multiplier)
        self.depthwise = nn.Sequential(pad, *conv_bn_relu6(conv))
        self.pointwise = conv_bn_relu6(nn.Conv2d(inner, out, 1, bias=False))

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class MobileNet(Application):
    """Depthwise separable convolutions; `alpha` scales all channels."""

    def __init__(
        self,
        input_shape=None,
        alpha=1.0,
        depth_multiplier=1,
        dropout=0.001,
        include_top=True,
        weights=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
    ):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 224)[2]
        self.stem = conv_bn_relu6(nn.Conv2d(channels, int(32 * alpha), 3, stride=2, bias=False))
        channels = int(32 * alpha)
        self.blocks = nn.Sequential()
        for out in (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024):
            halves = len(self.blocks) in (1, 3, 5, 11)
            self.blocks.append(DepthwiseBlock(channels, int(out * alpha), 2 if halves else 1, depth_multiplier))
            channels = int(out * alpha)
        self.dropout = nn.Dropout(dropout)
        self.predictions = nn.Conv2d(channels, classes, 1) if include_top else None
        self.finish(weights, f"mobilenet_{alpha}_{trained_size(input_shape, (128, 160, 192, 224))}")

    def features(self, x):
        return self.blocks(self.stem(pad_same(x, 3, 2)))

    def classify(self, x):
        x = self.dropout(x.mean(dim=(2, 3), keepdim=True))
        return self.predictions(x).flatten(1)
