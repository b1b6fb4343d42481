"""Modules that change the colours of images, most of them at random while training, as helpers of migrated files."""

from __future__ import annotations

from typing import Any

from migrator.model import Helper
from migrator.rules.layers.random_image_code import KEPT, OPTIONS, affine, image_module, pair
from migrator.rules.ops.image_colour import hsv_to_rgb, rgb_to_hsv

strengths: Any = Helper(
    "strengths",
    '''def strengths(factor):
    """The least and the greatest of a random strength: two numbers, or zero and one number."""
    return sorted(factor) if isinstance(factor, (tuple, list)) else [0.0, abs(factor)]
''',
)
drawn: Any = Helper(
    "drawn",
    '''def drawn(ends, *shape, device):
    """Random numbers between two ends."""
    low, high = ends
    return low + (high - low) * torch.rand(*shape, device=device)
''',
    ("import torch",),
)
to_range: Any = Helper(
    "to_range",
    '''def to_range(x, old, new):
    """Values of one range, given by its ends, in another."""
    return (x - old[0]) * ((new[1] - new[0]) / (old[1] - old[0])) + new[0]
''',
)
grey: Any = Helper(
    "grey",
    '''def grey(images):
    """The brightness of RGB images (N, 3, H, W) as one channel."""
    weights = torch.tensor([0.2989, 0.5870, 0.1140], dtype=images.dtype, device=images.device)
    return (images * weights[:, None, None]).sum(dim=1, keepdim=True)
''',
    ("import torch",),
)


def _with_factor(how: str) -> str:
    return f"""    def __init__(self, factor, value_range=(0, 255)):
        super().__init__()
        self.factor, self.value_range = {how}(factor), sorted(value_range)
"""


random_grayscale = image_module(
    "RandomGrayscale",
    "Makes a share of the RGB images grey while training.",
    """    def __init__(self, factor=0.5):
        super().__init__()
        self.factor = factor
""",
    """        chosen = torch.rand(len(x), device=x.device) < self.factor
        return torch.where(chosen[:, None, None, None], grey(x), x)
""",
    (grey,),
)
random_color_degeneration = image_module(
    "RandomColorDegeneration",
    "Takes colour from RGB images at random while training.",
    _with_factor("limits"),
    """        factor = drawn(self.factor, len(x), 1, 1, 1, device=x.device)
        return (x + factor * (grey(x) - x)).clamp(*self.value_range)
""",
    (pair, drawn, grey),
)
random_invert = image_module(
    "RandomInvert",
    "Inverts images at random while training, with a random probability.",
    """    def __init__(self, factor=1.0, value_range=(0, 255)):
        super().__init__()
        self.factor, self.value_range = strengths(factor), value_range
""",
    """        probability = drawn(self.factor, len(x), device=x.device)
        chosen = torch.rand(len(x), device=x.device) < probability
        return torch.where(chosen[:, None, None, None], self.value_range[1] - x, x)
""",
    (strengths, drawn),
)
random_saturation = image_module(
    "RandomSaturation",
    "Makes the colours of RGB images stronger or weaker at random while training.",
    _with_factor("limits"),
    """        factor = drawn(self.factor, len(x), device=x.device)
        factor = factor / (1 - factor + 1e-7)
        hue, saturation, value = rgb_to_hsv(x.movedim(1, -1)).unbind(-1)
        saturation = (saturation * factor[:, None, None]).clamp(*self.value_range)
        return hsv_to_rgb(torch.stack([hue, saturation, value], dim=-1)).movedim(-1, 1)
""",
    (pair, drawn, rgb_to_hsv, hsv_to_rgb),
)
random_hue = image_module(
    "RandomHue",
    "Turns the hue of RGB images at random while training, by up to half of the circle.",
    _with_factor("strengths"),
    """        sign = torch.where(torch.rand(len(x), device=x.device) > 0.5, -1.0, 1.0)
        turn = sign * drawn(self.factor, len(x), device=x.device) * 0.5
        hue, saturation, value = rgb_to_hsv(to_range(x, self.value_range, (0, 1)).movedim(1, -1)).unbind(-1)
        turned = torch.stack([(hue + turn[:, None, None]) % 1.0, saturation, value], dim=-1)
        return to_range(hsv_to_rgb(turned).movedim(-1, 1).clamp(0, 1), (0, 1), self.value_range)
""",
    (strengths, drawn, to_range, rgb_to_hsv, hsv_to_rgb),
)
random_sharpness = image_module(
    "RandomSharpness",
    "Blurs or sharpens images at random while training: at 0.5 they stay.",
    _with_factor("strengths"),
    """        factor = drawn(self.factor, len(x), device=x.device)[:, None, None, None] * 2
        kernel = torch.full((3, 3), 1 / 13, dtype=x.dtype, device=x.device)
        kernel[1, 1] = 5 / 13
        smooth = F.conv2d(x, kernel.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        return (x + (1 - factor) * (smooth - x)).clamp(*self.value_range)
""",
    (strengths, drawn),
    ("import torch.nn.functional as F",),
)
random_posterization = image_module(
    "RandomPosterization",
    "Leaves a random number of the eight bits of each value while training.",
    """    def __init__(self, factor, value_range=(0, 255)):
        super().__init__()
        self.bits = sorted(factor) if isinstance(factor, (tuple, list)) else [1, factor]
        self.value_range = sorted(value_range)
""",
    """        low, high = self.bits
        bits = torch.randint(low, max(high, low + 1), (len(x),), device=x.device)
        step = (2 ** (8 - bits))[:, None, None, None]
        values = to_range(x, self.value_range, (0, 255)).trunc()
        return to_range(values - values % step, (0, 255), self.value_range)
""",
    (to_range,),
)
random_solarization = image_module(
    "Solarization",
    "Inverts what is above a random threshold while training, of a range of 0 to 255.",
    """    def __init__(self, addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255)):
        super().__init__()
        self.additions, self.thresholds = strengths(addition_factor), strengths(threshold_factor)
        self.value_range = sorted(value_range)
""",
    """        (low, high), (least, most) = self.additions, self.thresholds
        additions = drawn((low, high * 255), len(x), 1, 1, 1, device=x.device)
        thresholds = drawn((least, most * 255), len(x), 1, 1, 1, device=x.device)
        values = (to_range(x, self.value_range, (0, 255)) + additions).clamp(0, 255)
        return to_range(torch.where(values < thresholds, values, 255 - values), (0, 255), self.value_range)
""",
    (strengths, drawn, to_range),
)
random_erasing = image_module(
    "RandomErasing",
    "Fills a random rectangle of images while training, with noise where there is no value for it.",
    """    def __init__(self, factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255)):
        super().__init__()
        self.factor, self.scale = strengths(factor), strengths(scale)
        self.fill_value, self.value_range = fill_value, value_range
""",
    """        shares = drawn(self.scale, len(x), 2, device=x.device).sqrt()
        columns = self.band(x.shape[-1], shares[:, :1])
        rows = self.band(x.shape[-2], shares[:, 1:])
        probability = drawn(self.factor, len(x), device=x.device)
        chosen = torch.rand(len(x), device=x.device) < probability
        if self.fill_value is None:
            fill = torch.randn_like(x) * self.value_range[1]
        else:
            fill = torch.as_tensor(self.fill_value, dtype=x.dtype, device=x.device).reshape(-1, 1, 1)
        erased = chosen[:, None, None, None] & rows[:, None, :, None] & columns[:, None, None, :]
        return torch.where(erased, fill.clamp(*self.value_range), x)

    def band(self, size, shares):
        \"\"\"Which of the places along one axis are within a random band (N, size) of these shares of it.\"\"\"
        length, places = shares * size, torch.arange(size, device=shares.device)
        start = torch.rand(len(shares), device=shares.device)[:, None] * (size - length)
        return (places >= start) & (places < start + length)
""",
    (strengths, drawn),
)
random_gaussian_blur = image_module(
    "RandomGaussianBlur",
    "Blurs images at random while training.",
    """    def __init__(self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255)):
        super().__init__()
        self.factor, self.sigma = strengths(factor), strengths(sigma)
        self.kernel_size, self.value_range = kernel_size, value_range
""",
    """        probability = drawn(self.factor, len(x), device=x.device)
        chosen = torch.rand(len(x), device=x.device) < probability
        sigma = drawn(self.sigma, 2, device=x.device) + 1e-6
        places = torch.arange(self.kernel_size, dtype=x.dtype, device=x.device) - (self.kernel_size - 1) / 2
        across, down = torch.softmax(-0.5 * (places / sigma[:, None]) ** 2, dim=-1)
        kernel = torch.outer(down, across).expand(x.shape[1], 1, -1, -1)
        blurred = F.conv2d(x, kernel, padding="same", groups=x.shape[1])
        return torch.where(chosen[:, None, None, None], blurred, x).clamp(*self.value_range)
""",
    (strengths, drawn),
    ("import torch.nn.functional as F",),
)
random_shear = image_module(
    "RandomShear",
    "Shears images at random while training.",
    f"""    def __init__(self, x_factor=0.0, y_factor=0.0, {OPTIONS}):
        super().__init__()
        self.across, self.down = limits(x_factor), limits(y_factor)
        {KEPT}
""",
    """        sign = torch.where(torch.rand(len(x), 1, device=x.device)[:, 0] > 0.5, -1.0, 1.0)
        down = sign * drawn(self.down, len(x), 1, device=x.device)[:, 0]
        across = sign * drawn(self.across, len(x), 1, device=x.device)[:, 0]
        one, zero = torch.ones_like(sign), torch.zeros_like(sign)
        return affine(x, torch.stack([one, across, zero, down, one, zero], dim=1), *self.fill)
""",
    (pair, drawn, affine),
)
random_crop = image_module(
    "RandomCrop",
    "The same random part of all images while training, and the whole images in evaluation.",
    """    def __init__(self, height, width):
        super().__init__()
        self.height, self.width = height, width
""",
    """        top = int(torch.rand(()) * (x.shape[-2] - self.height + 1))
        left = int(torch.rand(()) * (x.shape[-1] - self.width + 1))
        return x[..., top : top + self.height, left : left + self.width]
""",
)
random_perspective = image_module(
    "RandomPerspective",
    "Shows images as from another place at random while training: their corners move.",
    """    def __init__(self, factor=1.0, scale=1.0, interpolation="bilinear", fill_value=0.0):
        super().__init__()
        self.factor, self.scale = strengths(factor), scale
        self.fill = ("constant", interpolation, fill_value)
""",
    """        probability = drawn(self.factor, len(x), device=x.device)
        chosen = torch.rand(len(x), device=x.device) < probability
        moves = drawn((-0.5 * self.scale, 0.5 * self.scale), len(x), 4, 2, device=x.device)
        bottom, right = x.shape[-2] - 1.0, x.shape[-1] - 1.0
        corners = torch.tensor([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]], device=x.device)
        return torch.where(chosen[:, None, None, None], self.projected(x, corners, corners * (1 + moves)), x)

    def projected(self, x, corners, moved):
        ones, zeros = torch.ones_like(moved[..., :1]), torch.zeros_like(moved)
        across = torch.cat([moved, ones, zeros, zeros[..., :1], -corners[:, :1] * moved], dim=-1)
        down = torch.cat([zeros, zeros[..., :1], moved, ones, -corners[:, 1:] * moved], dim=-1)
        solved = torch.linalg.solve(torch.cat([across, down], dim=1), corners.T.flatten().expand(len(x), -1))
        a, b, c, d, e, f, g, h = solved.T[..., None, None]
        rows, columns = (torch.arange(size, device=x.device) for size in x.shape[-2:])
        rows, depth = rows[:, None], g * columns + h * rows[:, None] + 1
        return read(x, (a * columns + b * rows + c) / depth, (d * columns + e * rows + f) / depth, *self.fill)
""",
    (strengths, drawn, affine),
)
equalization = image_module(
    "Equalization",
    "Spreads the values of each channel of a batch evenly over their range while training.",
    """    def __init__(self, value_range=(0, 255), bins=256):
        super().__init__()
        self.value_range, self.bins = sorted(value_range), bins
""",
    """        values = to_range(x, self.value_range, (0, 255))
        equal = torch.stack([self.equalize(channel) for channel in values.unbind(1)], dim=1)
        return to_range(equal, (0, 255), self.value_range)

    def equalize(self, values):
        places = (values * (self.bins - 1) / 255).int().clamp(0, self.bins - 1)
        counts = torch.bincount(places.flatten(), minlength=self.bins)
        if counts.count_nonzero() <= 1:
            return values
        totals = counts.cumsum(0)
        first = totals[totals > 0][0]
        table = ((totals - first) * 255 / (totals[-1] - first)).round().clamp(0, 255)
        return table.to(values.dtype)[(values / 255 * (self.bins - 1)).clamp(0, self.bins - 1).long()]
""",
    (to_range,),
)
auto_contrast: Any = Helper(
    "auto_contrast",
    '''def auto_contrast(images, value_range=(0, 255)):
    """Images (N, C, H, W) with each channel spread over the whole range, where it has more than one value."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    start, end = sorted(value_range)
    spread = torch.where(high > low, high - low, 1.0)
    return torch.where(high > low, (images - low) / spread * (end - start) + start, images)
''',
    ("import torch",),
)
