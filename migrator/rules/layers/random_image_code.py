"""Modules that change images at random while training, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper

_IMPORTS = ("import torch", "from torch import nn")
pair: Any = Helper(
    "limits",
    '''def limits(factor):
    """The lowest and the highest of a random factor: two numbers, or one to either side of zero."""
    return sorted(factor) if isinstance(factor, (tuple, list)) else [-abs(factor), abs(factor)]
''',
)
affine: Any = Helper(
    "affine",
    '''def affine(images, rows, fill_mode="reflect", interpolation="bilinear", fill_value=0.0):
    """Images (N, C, H, W), every pixel read at (a x + b y + c, d x + e y + f) for `rows` (N, 6) of these six."""
    y, x = (torch.arange(size, device=images.device) for size in images.shape[-2:])
    a, b, c, d, e, f = rows.to(images).T[..., None, None]
    return read(images, a * x + b * y[:, None] + c, d * x + e * y[:, None] + f, fill_mode, interpolation, fill_value)


def read(images, x, y, fill_mode, interpolation, fill_value):
    """The values of images at places (N, H, W), also between pixels and outside."""
    x, y = filled(x, images.shape[-1], fill_mode), filled(y, images.shape[-2], fill_mode)
    if interpolation == "nearest":  # halves are rounded away from zero
        x, y = (v.sign() * (v.abs() + 0.5).floor() for v in (x, y))
        return pixels(images, x.long(), y.long(), fill_value)
    left, above = x.floor().long(), y.floor().long()
    right, below = (x - left)[:, None], (y - above)[:, None]
    upper = (1 - right) * pixels(images, left, above, fill_value) + right * pixels(images, left + 1, above, fill_value)
    left_below, right_below = (pixels(images, at, above + 1, fill_value) for at in (left, left + 1))
    return (1 - below) * upper + below * ((1 - right) * left_below + right * right_below)


def filled(places, size, fill_mode):
    """Places along one axis, those outside taken to where the image goes on."""
    if fill_mode == "constant":
        return places
    if fill_mode == "reflect":  # d c b a | a b c d | d c b a
        places = places % (2 * size)
        places = torch.where(places >= size, 2 * size - 1 - places, places)
    elif fill_mode == "wrap" and size > 1:
        rounds = (places / (size - 1)).trunc()
        beyond = torch.where(places > size - 1, places - size * rounds, places)
        places = torch.where(places < 0, places + size * (1 - rounds), beyond)
    return places.clamp(0, size - 1)


def pixels(images, x, y, fill_value):
    """The pixels at whole places (N, H, W), and the fill value outside."""
    height, width = images.shape[-2:]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    at = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).flatten(1)[:, None]
    found = images.flatten(2).gather(2, at.expand(-1, images.shape[1], -1)).reshape(images.shape)
    return torch.where(inside[:, None], found, torch.full_like(found, fill_value))
''',
    ("import torch",),
)
OPTIONS = 'fill_mode="reflect", interpolation="bilinear", fill_value=0.0'
KEPT = "self.fill = (fill_mode, interpolation, fill_value)"


def image_module(
    name: str, doc: str, init: str, body: str, needs: tuple[Helper, ...] = (), imports: tuple[str, ...] = ()
) -> Any:
    """A module that changes images while training alone."""
    source = f'''class {name}(nn.Module):
    """{doc}"""

{init}
    def forward(self, x):
        if not self.training:
            return x
{body}'''
    return Helper(name, source, (*_IMPORTS, *imports), needs)


random_flip = image_module(
    "RandomFlip",
    "Mirrors images at random while training; in both directions together.",
    """    def __init__(self, mode="horizontal_and_vertical"):
        super().__init__()
        self.axes = [{"horizontal": -1, "vertical": -2}[word] for word in mode.split("_and_")]
""",
    """        flips = torch.rand(len(x), 1, 1, 1, device=x.device) <= 0.5
        return torch.where(flips, x.flip(self.axes), x)
""",
)
random_rotation = image_module(
    "RandomRotation",
    "Turns images around their centre at random while training, by a share of a full turn.",
    f"""    def __init__(self, factor, {OPTIONS}):
        super().__init__()
        self.factor = limits(factor)
        {KEPT}
""",
    """        low, high = self.factor
        angle = (low + (high - low) * torch.rand(len(x), device=x.device)) * 2 * torch.pi
        center_x, center_y = (x.shape[-1] - 1) / 2, (x.shape[-2] - 1) / 2
        cos, sin = angle.cos(), angle.sin()
        across = (cos, -sin, center_x - center_x * cos + center_y * sin)
        down = (sin, cos, center_y - center_x * sin - center_y * cos)
        return affine(x, torch.stack([*across, *down], dim=1), *self.fill)
""",
    (pair, affine),
)
random_zoom = image_module(
    "RandomZoom",
    "Zooms images around their centre at random while training: negative factors come closer.",
    f"""    def __init__(self, height_factor, width_factor=None, {OPTIONS}):
        super().__init__()
        self.height = limits(height_factor)
        self.width = None if width_factor is None else limits(width_factor)
        {KEPT}
""",
    """        (low, high), zero = self.height, torch.zeros(len(x), device=x.device)
        down = across = 1 + low + (high - low) * torch.rand(len(x), 1, device=x.device)[:, 0]
        if self.width is not None:
            low, high = self.width
            across = 1 + low + (high - low) * torch.rand(len(x), 1, device=x.device)[:, 0]
        left, above = (x.shape[-1] - 1) / 2 * (1 - across), (x.shape[-2] - 1) / 2 * (1 - down)
        return affine(x, torch.stack([across, zero, left, zero, down, above], dim=1), *self.fill)
""",
    (pair, affine),
)
random_translation = image_module(
    "RandomTranslation",
    "Moves images at random while training, by shares of their height and width.",
    f"""    def __init__(self, height_factor, width_factor, {OPTIONS}):
        super().__init__()
        self.height, self.width = limits(height_factor), limits(width_factor)
        {KEPT}
""",
    """        moves = []
        for (low, high), size in ((self.height, x.shape[-2]), (self.width, x.shape[-1])):
            moves.append((low + (high - low) * torch.rand(len(x), 1, device=x.device)[:, 0]) * size)
        one, zero = torch.ones_like(moves[0]), torch.zeros_like(moves[0])
        return affine(x, torch.stack([one, zero, -moves[1], zero, one, -moves[0]], dim=1), *self.fill)
""",
    (pair, affine),
)
random_contrast = image_module(
    "RandomContrast",
    "Spreads the values of each channel around their mean at random while training.",
    """    def __init__(self, factor, value_range=(0, 255)):
        super().__init__()
        self.factor = sorted(factor) if isinstance(factor, (tuple, list)) else [0.0, abs(factor)]
        self.value_range = value_range
""",
    """        low, high = 1 - self.factor[0], 1 + self.factor[1]
        spread = low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)
        mean = x.mean(dim=(-2, -1), keepdim=True)
        return ((x - mean) * spread + mean).clamp(*self.value_range)
""",
)
random_brightness = image_module(
    "RandomBrightness",
    "Makes images lighter or darker at random while training.",
    """    def __init__(self, factor, value_range=(0, 255)):
        super().__init__()
        self.factor, self.value_range = limits(factor), sorted(value_range)
""",
    """        low, high = self.factor
        change = (low + (high - low) * torch.rand(len(x), 1, 1, 1, device=x.device)) * (
            self.value_range[1] - self.value_range[0]
        )
        return (x + change).clamp(*self.value_range)
""",
    (pair,),
)
