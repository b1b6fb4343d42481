def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01)


class PreactivationBlock(nn.Module):
    """A bottleneck that normalises first; the last one of a stage halves the image."""

    def __init__(self, channels, filters, stride, shortcut):
        super().__init__()
        out = 4 * filters
        self.stride = stride
        self.bn0 = batch_norm(channels)
        self.shortcut = nn.Conv2d(channels, out, 1, stride) if shortcut else None
        self.conv1, self.bn1 = nn.Conv2d(channels, filters, 1, bias=False), batch_norm(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, padding=1, bias=False)
        self.bn2 = batch_norm(filters)
        self.conv3 = nn.Conv2d(filters, out, 1)

    def forward(self, x):
        start = F.relu(self.bn0(x))
        if self.shortcut is not None:
            shortcut = self.shortcut(start)
        else:
            shortcut = x[:, :, :: self.stride, :: self.stride]
        x = F.relu(self.bn1(self.conv1(start)))
        x = F.relu(self.bn2(self.conv2(x)))
        return shortcut + self.conv3(x)


class ResNetV2(Application):
    """Four stages of bottlenecks that normalise before they convolve."""

    def __init__(self, name, depths, include_top, weights, input_shape, pooling, classes, classifier_activation):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 224)[2]
        self.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3)
        self.stages = nn.ModuleList()
        channels = 64
        for depth, filters, stride in zip(depths, (64, 128, 256, 512), (2, 2, 2, 1)):
            stage = nn.Sequential()
            for i in range(depth):
                last = i == depth - 1
                stage.append(PreactivationBlock(channels, filters, stride if last else 1, shortcut=i == 0))
                channels = 4 * filters
            self.stages.append(stage)
        self.bn = batch_norm(channels)
        self.predictions = nn.Linear(channels, classes) if include_top else None
        self.finish(weights, name)

    def features(self, x):
        x = F.max_pool2d(F.pad(self.conv1(x), (1, 1, 1, 1)), 3, stride=2)
        for stage in self.stages:
            x = stage(x)
        return F.relu(self.bn(x))


def ResNet50V2(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 4, 6, 3)
    return ResNetV2("resnet50v2", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def ResNet101V2(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 4, 23, 3)
    return ResNetV2("resnet101v2", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def ResNet152V2(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 8, 36, 3)
    return ResNetV2("resnet152v2", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)
