def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01)


class ResidualBlock(nn.Module):
    """A bottleneck whose stride is in its first convolution; `filters` are a quarter of what goes out."""

    def __init__(self, channels, filters, stride, shortcut):
        super().__init__()
        out = 4 * filters
        self.shortcut = None
        if shortcut:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride), batch_norm(out))
        self.conv1, self.bn1 = nn.Conv2d(channels, filters, 1, stride), batch_norm(filters)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, padding=1), batch_norm(filters)
        self.conv3, self.bn3 = nn.Conv2d(filters, out, 1), batch_norm(out)

    def forward(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(shortcut + self.bn3(self.conv3(x)))


class ResNet(Application):
    """Four stages of bottlenecks."""

    def __init__(self, name, depths, include_top, weights, input_shape, pooling, classes, classifier_activation):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 224)[2]
        self.conv1, self.bn1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3), batch_norm(64)
        self.stages = nn.ModuleList()
        channels = 64
        for depth, filters, stride in zip(depths, (64, 128, 256, 512), (1, 2, 2, 2)):
            stage = nn.Sequential()
            for i in range(depth):
                stage.append(ResidualBlock(channels, filters, 1 if i else stride, shortcut=i == 0))
                channels = 4 * filters
            self.stages.append(stage)
        self.predictions = nn.Linear(channels, classes) if include_top else None
        self.finish(weights, name)

    def features(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=2)
        for stage in self.stages:
            x = stage(x)
        return x


def ResNet50(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 4, 6, 3)
    return ResNet("resnet50", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def ResNet101(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 4, 23, 3)
    return ResNet("resnet101", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def ResNet152(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (3, 8, 36, 3)
    return ResNet("resnet152", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)
