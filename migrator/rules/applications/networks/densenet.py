def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01)


class DenseLayer(nn.Module):
    """Adds 32 channels to those that come in."""

    def __init__(self, channels):
        super().__init__()
        self.bn1, self.conv1 = batch_norm(channels), nn.Conv2d(channels, 128, 1, bias=False)
        self.bn2, self.conv2 = batch_norm(128), nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, x):
        new = self.conv1(F.relu(self.bn1(x)))
        return torch.cat([x, self.conv2(F.relu(self.bn2(new)))], dim=1)


class DenseNet(Application):
    """Blocks of layers that see the outputs of all layers before them, with transitions that halve both sizes."""

    def __init__(self, name, depths, include_top, weights, input_shape, pooling, classes, classifier_activation):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, 224)[2]
        self.conv1, self.bn1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False), batch_norm(64)
        self.blocks = nn.ModuleList()
        channels = 64
        for stage, depth in enumerate(depths):
            block = nn.Sequential()
            if stage:
                half = nn.Conv2d(channels, channels // 2, 1, bias=False)
                block += nn.Sequential(batch_norm(channels), nn.ReLU(), half, nn.AvgPool2d(2))
                channels //= 2
            for _ in range(depth):
                block.append(DenseLayer(channels))
                channels += 32
            self.blocks.append(block)
        self.bn = batch_norm(channels)
        self.predictions = nn.Linear(channels, classes) if include_top else None
        self.finish(weights, name)

    def features(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=2)
        for block in self.blocks:
            x = block(x)
        return F.relu(self.bn(x))


def DenseNet121(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (6, 12, 24, 16)
    return DenseNet("densenet121", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def DenseNet169(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (6, 12, 32, 32)
    return DenseNet("densenet169", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def DenseNet201(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (6, 12, 48, 32)
    return DenseNet("densenet201", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)
