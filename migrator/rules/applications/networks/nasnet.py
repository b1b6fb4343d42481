def nasnet_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.0003)


class SeparableStack(nn.Module):
    """Twice a ReLU, a separable convolution and a normalisation; the first convolution may halve the image."""

    def __init__(self, channels, filters, kernel_size, stride=1):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        padding = kernel_size // 2
        self.conv1 = SeparableConv2d(channels, filters, kernel_size, stride, padding if stride == 1 else 0)
        self.bn1 = nasnet_norm(filters)
        self.conv2 = SeparableConv2d(filters, filters, kernel_size, padding=padding)
        self.bn2 = nasnet_norm(filters)

    def forward(self, x):
        x = F.relu(x)
        if self.stride == 2:
            x = pad_before_stride(x, self.kernel_size, any_size=False)
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class HalvedInput(nn.Module):
    """An image of half the size: one half of its channels of the even pixels, the other of the odd ones."""

    def __init__(self, channels, filters):
        super().__init__()
        self.even = nn.Conv2d(channels, filters // 2, 1, bias=False)
        self.odd = nn.Conv2d(channels, filters // 2, 1, bias=False)
        self.bn = nasnet_norm(filters // 2 * 2)

    def forward(self, x):
        x = F.relu(x)
        odd = F.pad(x, (0, 1, 0, 1))[:, :, 1::2, 1::2]
        return self.bn(torch.cat([self.even(x[:, :, ::2, ::2]), self.odd(odd)], dim=1))


def adjusted(channels, filters, halves):
    """Brings what an earlier cell gave to the size and channels of this one."""
    if halves:
        return HalvedInput(channels, filters)
    if channels == filters:
        return nn.Identity()
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels, filters, 1, bias=False), nasnet_norm(filters))


class NormalCell(nn.Module):
    """Keeps the size of the image; gives six times `filters` channels."""

    def __init__(self, channels, before, filters, halves):
        super().__init__()
        self.adjust = adjusted(before, filters, halves)
        self.conv, self.bn = nn.Conv2d(channels, filters, 1, bias=False), nasnet_norm(filters)
        self.left1, self.right1 = SeparableStack(filters, filters, 5), SeparableStack(filters, filters, 3)
        self.left2, self.right2 = SeparableStack(filters, filters, 5), SeparableStack(filters, filters, 3)
        self.left5 = SeparableStack(filters, filters, 3)

    def forward(self, x, before):
        before = self.adjust(before)
        x = self.bn(self.conv(F.relu(x)))
        pooled = average(before)
        return torch.cat(
            [
                before,
                self.left1(x) + self.right1(before),
                self.left2(before) + self.right2(before),
                average(x) + before,
                pooled + pooled,
                self.left5(x) + x,
            ],
            dim=1,
        )


class ReductionCell(nn.Module):
    """Halves the size of the image; gives four times `filters` channels."""

    def __init__(self, channels, before, filters, halves):
        super().__init__()
        # The first cell of all takes what comes in twice, as it is.
        self.adjust = nn.Identity() if before is None else adjusted(before, filters, halves)
        before = channels if before is None else filters
        self.conv, self.bn = nn.Conv2d(channels, filters, 1, bias=False), nasnet_norm(filters)
        self.left1, self.right1 = SeparableStack(filters, filters, 5, 2), SeparableStack(before, filters, 7, 2)
        self.right2 = SeparableStack(before, filters, 7, 2)
        self.right3 = SeparableStack(before, filters, 5, 2)
        self.left4 = SeparableStack(filters, filters, 3)

    def forward(self, x, before):
        before = self.adjust(before)
        x = self.bn(self.conv(F.relu(x)))
        padded = pad_before_stride(x, 3, any_size=False)
        largest = F.max_pool2d(padded, 3, stride=2)
        first = self.left1(x) + self.right1(before)
        second = largest + self.right2(before)
        third = F.avg_pool2d(padded, 3, stride=2) + self.right3(before)
        return torch.cat([second, third, second + average(first), self.left4(first) + largest], dim=1)


class NASNet(Application):
    """Cells that a search found, each of which takes what the two before it gave."""

    def __init__(
        self,
        name,
        filters,
        repeats,
        stem_filters,
        skips,
        size,
        input_shape,
        include_top,
        weights,
        pooling,
        classes,
        classifier_activation,
    ):
        super().__init__(include_top, pooling, classifier_activation)
        channels = image_size(input_shape, include_top, size)[2]
        self.skips = skips
        self.stem = nn.Sequential(nn.Conv2d(channels, stem_filters, 3, stride=2, bias=False), nasnet_norm(stem_filters))
        self.cells = nn.ModuleList()
        channels, before, halves = stem_filters, None, False
        kinds = [ReductionCell, ReductionCell, *[NormalCell] * repeats]
        widths = [filters // 4, filters // 2, *[filters] * repeats]
        for factor in (2, 4):
            kinds += [ReductionCell, *[NormalCell] * repeats]
            widths += [filters * factor] * (repeats + 1)
        for i, (kind, width) in enumerate(zip(kinds, widths)):
            self.cells.append(kind(channels, before, width, halves))
            halves = kind is ReductionCell
            if not (skips and halves and i > 1):
                before = channels
            channels = (4 if halves else 6) * width
        self.predictions = nn.Linear(channels, classes) if include_top else None
        self.finish(weights, name)

    def reset_parameters(self):
        super().reset_parameters()
        for layer in self.modules():
            if type(layer) is nn.Conv2d:
                std = (2 / (layer.in_channels * layer.kernel_size[0] ** 2)) ** 0.5 / 0.87962566103423978
                nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)

    def features(self, x):
        x = before = self.stem(x)
        for i, cell in enumerate(self.cells):
            y = cell(x, before)
            # Where the network skips, the cell after a reduction takes what the reduction took beside its input.
            if not (self.skips and isinstance(cell, ReductionCell) and i > 1):
                before = x
            x = y
        return F.relu(x)


def NASNetMobile(
    input_shape=None, include_top=True, weights=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    ends = (input_shape, include_top, weights, pooling, classes, classifier_activation)
    return NASNet("nasnet_mobile", 44, 4, 32, False, 224, *ends)


def NASNetLarge(
    input_shape=None, include_top=True, weights=None, pooling=None, classes=1000, classifier_activation="softmax"
):
    ends = (input_shape, include_top, weights, pooling, classes, classifier_activation)
    return NASNet("nasnet_large", 168, 6, 96, True, 331, *ends)
