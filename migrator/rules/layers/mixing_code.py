"""Modules that mix the images of a batch, or several changes of them, while training, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.layers import random_colour_code as colours
from migrator.rules.layers import random_image_code as images
from migrator.rules.layers.random_colour_code import drawn, strengths
from migrator.rules.layers.random_image_code import image_module

mix_up = image_module(
    "MixUp",
    "Mixes every image with another of its batch while training.",
    """    def __init__(self, alpha=0.2):
        super().__init__()
        self.alpha = alpha
""",
    """        others = x[torch.randperm(len(x), device=x.device)]
        share = torch.distributions.Beta(self.alpha, self.alpha).sample((len(x), 1, 1, 1)).to(x)
        return share * x + (1 - share) * others
""",
)
cut_mix = image_module(
    "CutMix",
    "Fills a rectangle of every image with that of another of its batch while training.",
    """    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = strengths(factor)
""",
    """        alpha = float(drawn(self.factor, 1, device="cpu")) + 1e-6
        share = torch.distributions.Beta(alpha, alpha).sample((len(x), 1)).to(x)
        columns = self.band(x.shape[-1], (1 - share).sqrt())
        rows = self.band(x.shape[-2], (1 - share).sqrt())
        others = x[torch.randperm(len(x), device=x.device)]
        return torch.where(rows[:, None, :, None] & columns[:, None, None, :], others, x)

    def band(self, size, shares):
        \"\"\"Which of the places along one axis are within a random band (N, size) of these shares of it.\"\"\"
        length, places = shares * size, torch.arange(size, device=shares.device)
        start = torch.rand(len(shares), 1, device=shares.device) * (size - length)
        return (places >= start) & (places < start + length)
""",
    (strengths, drawn),
)
_PARTS = (
    images.random_translation,
    images.random_rotation,
    images.random_brightness,
    images.random_contrast,
    colours.random_shear,
    colours.random_color_degeneration,
    colours.random_sharpness,
    colours.random_posterization,
    colours.random_solarization,
    colours.auto_contrast,
    colours.equalization,
)
changes: Any = Helper(
    "image_changes",
    '''def image_changes(value_range, factor, interpolation):
    """Random changes of images, each of at most this strength: two of its ends, or the upper one."""
    factor = strengths(factor)
    moved = [
        RandomShear(factor, factor, interpolation=interpolation),
        RandomTranslation(factor, factor, interpolation=interpolation),
        RandomRotation(factor, interpolation=interpolation),
    ]
    lit = [
        RandomBrightness(factor, value_range),
        RandomColorDegeneration(factor, value_range),
        RandomContrast(factor, value_range),
        RandomSharpness(factor, value_range),
    ]
    toned = [
        RandomPosterization(max(1, int(8 * factor[1])), value_range),
        Solarization(factor, factor, value_range),
        partial(auto_contrast, value_range=value_range),
        Equalization(value_range),
    ]
    return moved, lit, toned
''',
    ("from functools import partial",),
    tuple(dict.fromkeys(need for part in _PARTS for need in (*part.needs, part))),
)
rand_augment = image_module(
    "RandAugment",
    "Makes some of eleven random changes of a batch of images while training.",
    """    def __init__(self, value_range=(0, 255), num_ops=2, factor=0.5, interpolation="bilinear"):
        super().__init__()
        moved, lit, toned = image_changes(value_range, factor, interpolation)
        self.num_ops, self.changes = num_ops, moved + lit + toned
""",
    """        for index in torch.randint(0, len(self.changes), (self.num_ops,)).tolist():
            x = self.changes[index](x)
        return x
""",
    (*changes.needs, changes),
)
aug_mix = image_module(
    "AugMix",
    "Mixes images with chains of random changes of them while training.",
    """    def __init__(
        self,
        value_range=(0, 255),
        num_chains=3,
        chain_depth=3,
        factor=0.3,
        alpha=1.0,
        all_ops=True,
        interpolation="bilinear",
    ):
        super().__init__()
        moved, lit, toned = image_changes(value_range, factor, interpolation)
        self.changes = moved + toned + (lit if all_ops else [])
        self.num_chains, self.chain_depth = num_chains, chain_depth
        self.alpha, self.value_range = alpha, value_range
""",
    """        shares = torch.distributions.Dirichlet(torch.full((self.num_chains,), float(self.alpha))).sample()
        kept = float(torch.distributions.Beta(self.alpha, self.alpha).sample())
        mixed = sum(share * self.chain(x) for share in shares.tolist())
        return (kept * x + (1 - kept) * mixed).clamp(*self.value_range)

    def chain(self, x):
        \"\"\"The images after a few random changes; each of them may be none.\"\"\"
        for index in torch.randint(0, len(self.changes) + 1, (self.chain_depth,)).tolist():
            x = self.changes[index](x) if index < len(self.changes) else x
        return x
""",
    (*changes.needs, changes),
)
