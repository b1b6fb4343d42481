class FlattenPixels(nn.Module):
    """Rows of the pixels of maps (N, channels, h, w), each with its channels."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class VGG(Application):
    """Blocks of 3x3 convolutions, each followed by a pooling that halves the image."""

    def __init__(self, name, depths, include_top, weights, input_shape, pooling, classes, classifier_activation):
        super().__init__(include_top, pooling, classifier_activation)
        height, width, channels = image_size(input_shape, include_top, 224)
        self.blocks = nn.ModuleList()
        for depth, filters in zip(depths, (64, 128, 256, 512, 512)):
            block = nn.Sequential()
            for _ in range(depth):
                block += nn.Sequential(nn.Conv2d(channels, filters, 3, padding="same"), nn.ReLU())
                channels = filters
            self.blocks.append(block.append(nn.MaxPool2d(2)))
        if include_top:
            self.size = (height // 32, width // 32)
            self.flatten = FlattenPixels()
            self.fc1 = nn.Sequential(nn.Linear(512 * self.size[0] * self.size[1], 4096), nn.ReLU())
            self.fc2 = nn.Sequential(nn.Linear(4096, 4096), nn.ReLU())
            self.predictions = nn.Linear(4096, classes)
        self.finish(weights, name)

    def features(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def layer(self, name):
        """The module that gives what a layer of Keras does, by its name: "block4_conv2", "block4_pool", "fc1"."""
        if name in ("flatten", "fc1", "fc2"):
            return getattr(self, name)
        block, kind = name.removeprefix("block").split("_")
        layers = self.blocks[int(block) - 1]
        return layers[-1] if kind == "pool" else layers[2 * int(kind.removeprefix("conv")) - 1]

    def classify(self, x):
        return self.predictions(self.fc2(self.fc1(self.flatten(x))))


def VGG16(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (2, 2, 3, 3, 3)
    return VGG("vgg16", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)


def VGG19(
    include_top=True, weights=None, input_shape=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    depths = (2, 2, 4, 4, 4)
    return VGG("vgg19", depths, include_top, weights, input_shape, pooling, classes, classifier_activation)
