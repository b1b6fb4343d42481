"""Layers that make spectrograms of signals."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Any

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.padding import channels_last
from migrator.rules.ops.signal import mel_matrix

STFT = Helper(
    "STFTSpectrogram",
    '''class STFTSpectrogram(nn.Module):
    """Spectra of frames of [batch, time, channels], by trained filters that start as those of a Fourier transform."""

    def __init__(
        self, mode="log", frame_length=256, frame_step=None, fft_length=None, window="hann", periodic=False,
        scaling="density", expand_dims=False,
    ):
        super().__init__()
        self.mode, self.expand_dims = mode, expand_dims
        self.frame_step = frame_step or frame_length // 2
        fft_length = fft_length or 2 ** math.ceil(math.log2(frame_length))
        taper = torch.ones(frame_length)
        if window is not None:
            taper = getattr(torch, f"{window}_window")(frame_length, periodic=periodic)
            scales = {"density": taper.square().sum().sqrt(), "spectrum": taper.abs().sum(), None: 1.0}
            taper = taper / scales[scaling]
        angles = -2 * torch.pi / fft_length * torch.arange(fft_length // 2 + 1)[:, None] * torch.arange(frame_length)
        self.real = nn.Parameter((angles.cos() * taper)[:, None])
        self.imag = nn.Parameter((angles.sin() * taper)[:, None])

    def forward(self, x):
        signals = x.transpose(1, 2).flatten(0, 1).unsqueeze(1)
        real, imag = (F.conv1d(signals, kernel, stride=self.frame_step) for kernel in (self.real, self.imag))
        spectra = self.spectra(real, imag).unflatten(0, x.shape[::2])  # [batch, channels, frequencies, frames]
        return spectra.transpose(1, 3) if self.expand_dims else spectra.flatten(1, 2).transpose(1, 2)

    def spectra(self, real, imag):
        if self.mode == "stft":
            return torch.cat([real, imag], dim=1)
        if self.mode == "angle":
            return torch.atan2(imag, real)
        power = real.square() + imag.square()
        if self.mode == "psd":
            return power + F.pad(power[:, 1:-1], (0, 0, 1, 1))
        magnitude = power.clamp(min=1e-7).sqrt()
        return magnitude if self.mode == "magnitude" else magnitude.clamp(min=1e-7).log()
''',
    ("import math", "import torch", "import torch.nn.functional as F", "from torch import nn"),
)
MEL: Any = Helper(
    "MelSpectrogram",
    '''class MelSpectrogram(nn.Module):
    """The power of signals [..., time] in bands of the mel scale, in decibels: [..., bands, frames]."""

    def __init__(
        self, fft_length=2048, sequence_stride=512, sequence_length=None, window="hann", sampling_rate=16000,
        num_mel_bins=128, min_freq=20.0, max_freq=None, power_to_db=True, top_db=80.0, mag_exp=2.0, min_power=1e-10,
        ref_power=1.0,
    ):
        super().__init__()
        self.fft_length, self.stride = fft_length, sequence_stride
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.reference = min_power, 10.0 * math.log10(max(abs(ref_power), min_power))
        window = getattr(torch, f"{window}_window")(sequence_length or fft_length)
        mel = linear_to_mel_weight_matrix(
            num_mel_bins, fft_length // 2 + 1, sampling_rate, min_freq, max_freq or sampling_rate // 2
        )
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel", mel.T, persistent=False)

    def forward(self, x):
        spectrum = torch.stft(
            x, self.fft_length, self.stride, len(self.window), self.window, center=True, return_complex=True
        )
        bands = self.mel @ spectrum.abs() ** self.mag_exp
        if not self.power_to_db:
            return bands
        decibels = 10.0 * bands.clamp(min=self.min_power).log10() - self.reference
        return torch.maximum(decibels, decibels.max() - self.top_db)
''',
    ("import math", "import torch", "from torch import nn"),
    (mel_matrix,),
)
_WINDOWS = ("hann", "hamming", "blackman")
_X = f32(2, 40, 1)


def _options(*args: tuple[LayerArg, object]) -> str:
    return ", ".join(f"{a.name}={a.text}" for a, default in args if not a.is_known or a.known != default)


@layer(
    "tf.keras.layers.STFTSpectrogram",
    samples=[
        S(_X, frame_length=16, window=None),
        S(f32(2, 40, 3), "magnitude", 16, 5, window=None),
        S(f32(2, 40, 2), "psd", 12, expand_dims=True, window=None, scaling=None),
        S(_X, mode="stft", frame_length=16, fft_length=32, window=None),
        S(_X, mode="angle", frame_length=8, window=None),
        declines(_X, mode="real", frame_length=16),
        declines(_X, frame_length=16, padding="same"),
        declines(_X, frame_length=16, window="flattop"),
    ],
)
def stft_spectrogram(
    mode="log",
    frame_length=256,
    frame_step=None,
    fft_length=None,
    window="hann",
    periodic=False,
    scaling="density",
    padding="valid",
    expand_dims=False,
    data_format=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module of two convolutions."""
    channels_last(data_format)
    if mode.known not in ("log", "magnitude", "psd", "angle", "stft"):
        raise Decline("one part of the spectrum alone, which has other weights")
    if window.known not in (None, *_WINDOWS) or padding.known != "valid":
        raise Decline("another window, or padding")
    rest = ((window, "hann"), (periodic, False), (scaling, "density"), (expand_dims, False))
    options = _options((mode, "log"), (frame_length, 256), (frame_step, None), (fft_length, None), *rest)
    return LayerCode(
        module=f"{STFT.name}({options})",
        forward="{self}({x})",
        stem="spectrogram",
        layout="last",
        params=(("real_kernel", "real", "transpose(2,1,0)"), ("imag_kernel", "imag", "transpose(2,1,0)")),
        helpers=(STFT,),
    )


@layer(
    "tf.keras.layers.MelSpectrogram",
    samples=[
        S(f32(2, 500), 64, 16, num_mel_bins=8, sampling_rate=4000, min_freq=100.0),
        S(f32(500), fft_length=64, sequence_stride=20, sequence_length=40, num_mel_bins=4, window="hamming"),
        S(f32(2, 500), 128, 30, num_mel_bins=6, power_to_db=False, mag_exp=1.0, max_freq=3000),
        S(f32(2, 500), 64, 16, num_mel_bins=8, top_db=10.0, ref_power=0.5, min_power=0.01),
        declines(f32(2, 500), window=None),
    ],
)
def mel_spectrogram(
    fft_length=2048,
    sequence_stride=512,
    sequence_length=None,
    window="hann",
    sampling_rate=16000,
    num_mel_bins=128,
    min_freq=20.0,
    max_freq=None,
    power_to_db=True,
    top_db=80.0,
    mag_exp=2.0,
    min_power=1e-10,
    ref_power=1.0,
    *,
    call: LayerCall,
) -> LayerCode:
    """A small module around `torch.stft`."""
    if window.known not in _WINDOWS[:2]:
        raise Decline("another window")
    frames = ((fft_length, 2048), (sequence_stride, 512), (sequence_length, None), (window, "hann"))
    bands = ((sampling_rate, 16000), (num_mel_bins, 128), (min_freq, 20.0), (max_freq, None))
    powers = ((power_to_db, True), (top_db, 80.0), (mag_exp, 2.0), (min_power, 1e-10), (ref_power, 1.0))
    module = f"{MEL.name}({_options(*frames, *bands, *powers)})"
    return LayerCode(module, "{self}({x})", "spectrogram", layout="last", helpers=(mel_matrix, MEL))
