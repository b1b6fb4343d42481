class InceptionResidual(nn.Module):
    """Branches side by side, of which a part is added to what comes in."""

    def __init__(self, channels, branches, scale, activation=F.relu):
        super().__init__()
        self.scale, self.activation = scale, activation
        self.branches = nn.ModuleList([conv_chain(channels, *branch) for branch in branches])
        inner = sum(branch[-1][0] for branch in branches)
        self.up = nn.Conv2d(inner, channels, 1)

    def forward(self, x):
        mixed = torch.cat([branch(x) for branch in self.branches], dim=1)
        x = x + self.scale * self.up(mixed)
        return x if self.activation is None else self.activation(x)


class InceptionResNetV2(Application):
    """Blocks of branches side by side whose results are added to what comes in."""

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
        block35 = [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]]
        block17 = [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]]
        block8 = [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]]
        self.mixed = nn.Sequential(
            InceptionBlock(192, [[(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]], 64),
            *[InceptionResidual(320, block35, 0.17) for _ in range(10)],
            InceptionBlock(320, [[(384, 3, 2)], [(256, 1), (256, 3), (384, 3, 2)]]),
            *[InceptionResidual(1088, block17, 0.1) for _ in range(20)],
            InceptionBlock(1088, [[(256, 1), (384, 3, 2)], [(256, 1), (288, 3, 2)], [(256, 1), (288, 3), (320, 3, 2)]]),
            *[InceptionResidual(2080, block8, 0.2) for _ in range(9)],
            InceptionResidual(2080, block8, 1.0, activation=None),
            InceptionConv(2080, 1536),
        )
        self.predictions = nn.Linear(1536, classes) if include_top else None
        self.finish(weights, "inception_resnet_v2")

    def features(self, x):
        return self.mixed(self.stem(x))
