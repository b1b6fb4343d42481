"""Signals: Fourier transforms, frames and windows."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Tensor
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import S, declines, f32, no_grad, src
from migrator.rules.engine.template import device_here
from migrator.rules.ops.pieces import torch_dtype

if TYPE_CHECKING:
    import torch

_COMPLEX = src("tf.complex(a, b)", a=f32(2, 3, 5), b=f32(2, 3, 5))
for _name, _torch in (
    ("fft", "torch.fft.fft(input)"),
    ("ifft", "torch.fft.ifft(input)"),
    ("fft2d", "torch.fft.fft2(input)"),
    ("ifft2d", "torch.fft.ifft2(input)"),
    ("fft3d", "torch.fft.fftn(input, dim=(-3, -2, -1))"),
    ("ifft3d", "torch.fft.ifftn(input, dim=(-3, -2, -1))"),
):
    same(f"tf.signal.{_name}", _torch, "input: Tensor, name=None", samples=[no_grad(S(_COMPLEX))])


@rule("tf.signal.rfft", samples=[no_grad(S(f32(2, 5))), no_grad(S(f32(2, 5), [8])), no_grad(S(f32(6), [4]))])
def rfft(input_tensor: Tensor, fft_length=None, name=None):
    if fft_length is None:
        return torch.fft.rfft(input_tensor)
    size = fft_length[0]
    return torch.fft.rfft(input_tensor, n=size)


_SPECTRUM = src("tf.signal.rfft(a)", a=f32(2, 6))


@rule("tf.signal.irfft", samples=[no_grad(S(_SPECTRUM)), no_grad(S(_SPECTRUM, [5]))])
def irfft(input_tensor: Tensor, fft_length=None, name=None):
    if fft_length is None:
        return torch.fft.irfft(input_tensor)
    size = fft_length[0]
    return torch.fft.irfft(input_tensor, n=size)


@rule("tf.signal.rfft2d", samples=[no_grad(S(f32(2, 5, 6))), no_grad(S(f32(5, 6), [8, 8]))])
def rfft2d(input_tensor: Tensor, fft_length=None, name=None):
    if fft_length is None:
        return torch.fft.rfft2(input_tensor)
    return torch.fft.rfft2(input_tensor, s=fft_length)


@rule("tf.signal.irfft2d", samples=[no_grad(S(src("tf.signal.rfft2d(a)", a=f32(5, 6))))])
def irfft2d(input_tensor: Tensor, fft_length=None, name=None):
    if fft_length is None:
        return torch.fft.irfft2(input_tensor)
    return torch.fft.irfft2(input_tensor, s=fft_length)


for _name in ("fftshift", "ifftshift"):
    same(
        f"tf.signal.{_name}",
        f"torch.fft.{_name}(x, dim=axes)",
        "x: Tensor, axes=None, name=None",
        samples=[S(f32(4, 5)), S(f32(4, 5), axes=[1])],
    )

frame = Helper(
    "frame",
    '''def frame(signal, length, step, pad_end=False, pad_value=0):
    """Overlapping frames (…, frames, length) of signals (…, time); `pad_end` keeps those that begin before the end."""
    if pad_end:
        count = -(-signal.shape[-1] // step)
        signal = F.pad(signal, (0, max((count - 1) * step + length - signal.shape[-1], 0)), value=pad_value)
    elif signal.shape[-1] < length:
        return signal.new_zeros((*signal.shape[:-1], 0, length))
    return signal.unfold(-1, length, step)
''',
    ("import torch.nn.functional as F",),
)


@rule(
    "tf.signal.frame",
    samples=[
        *(S(f32(2, 11), 4, 3), S(f32(10), 4, 2, True), S(f32(11), 4, 3, pad_end=True, pad_value=1.5)),
        *(S(f32(3), 5, 2), S(f32(7), frame_length=3, frame_step=5, pad_end=True)),
    ],
)
def frame_rule(signal: Tensor, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    if axis != -1:
        raise Decline("an axis other than the last")
    if pad_end:
        return frame(signal, frame_length, frame_step, pad_end=True, pad_value=pad_value)
    return frame(signal, frame_length, frame_step)


stft = Helper(
    "stft",
    '''def stft(signals, frame_length, frame_step, fft_length=None):
    """Short-time Fourier transform (…, frames, frequencies) with a Hann window and no centering.

    The window is periodic for even lengths. `fft_length` is the next power of two where it is not given.
    """
    size, even = fft_length or 1 << (frame_length - 1).bit_length(), frame_length % 2 == 0
    window = torch.hann_window(frame_length, periodic=even, dtype=signals.dtype, device=signals.device)
    return torch.fft.rfft(signals.unfold(-1, frame_length, frame_step) * window, n=size)
''',
    ("import torch",),
)


@rule(
    "tf.signal.stft",
    samples=[
        *(no_grad(S(f32(2, 30), 7, 3)), no_grad(S(f32(40), frame_length=16, frame_step=8))),
        *(no_grad(S(f32(40), 10, 5, 32)), declines(f32(40), 10, 5, pad_end=True)),
    ],
)
def stft_rule(signals: Tensor, frame_length, frame_step, fft_length=None, window_fn="hann", pad_end=False, name=None):
    if window_fn != "hann" or pad_end:
        raise Decline("another window, or padding at the end")
    if fft_length is None:
        return stft(signals, frame_length, frame_step)
    return stft(signals, frame_length, frame_step, fft_length)


def torch_periodic(length: object, periodic: object) -> bool:
    """TensorFlow makes windows of odd length symmetric, whatever `periodic` says."""
    if not isinstance(length, int):
        raise Decline("whether the length is even is not known")
    return bool(periodic) and length % 2 == 0


_WINDOWS = [S(8), S(7), S(8, periodic=False), S(5, False)]


@rule("tf.signal.hann_window", samples=_WINDOWS)
def hann_window(window_length, periodic=True, dtype="float32", name=None):
    target = torch_dtype(dtype)
    even = torch_periodic(window_length, periodic)
    if dtype != "float32":
        return torch.hann_window(window_length, periodic=even, dtype=target, device=device_here)
    return torch.hann_window(window_length, periodic=even, device=device_here)


@rule("tf.signal.hamming_window", samples=_WINDOWS)
def hamming_window(window_length, periodic=True, dtype="float32", name=None):
    target = torch_dtype(dtype)
    even = torch_periodic(window_length, periodic)
    if dtype != "float32":
        return torch.hamming_window(window_length, periodic=even, dtype=target, device=device_here)
    return torch.hamming_window(window_length, periodic=even, device=device_here)


overlap_and_add = Helper(
    "overlap_and_add",
    '''def overlap_and_add(frames, step):
    """Signals (…, time) from overlapping frames (…, frames, length)."""
    count, length = frames.shape[-2:]
    out = frames.new_zeros((*frames.shape[:-2], (count - 1) * step + length))
    for i in range(count):
        out[..., i * step : i * step + length] += frames[..., i, :]
    return out
''',
)


@rule("tf.signal.overlap_and_add", samples=[S(f32(3, 4), 2), S(f32(2, 3, 4), frame_step=3)])
def overlap_and_add_rule(signal: Tensor, frame_step, name=None):
    return overlap_and_add(signal, frame_step)


dct = Helper(
    "dct",
    '''def dct(x, norm=None):
    """The discrete cosine transform of type 2 over the last axis; `norm`: None or "ortho"."""
    n = x.shape[-1]
    k = torch.arange(n, device=x.device)
    basis = 2 * torch.cos(torch.pi / (2 * n) * (2 * k + 1)[:, None] * k).to(x.dtype)
    if norm == "ortho":
        basis = basis * torch.where(k == 0, (1 / (4 * n)) ** 0.5, (1 / (2 * n)) ** 0.5).to(x.dtype)
    return x @ basis
''',
    ("import torch",),
)


@rule("tf.signal.dct", samples=[S(f32(2, 5)), S(f32(2, 6), norm="ortho"), declines(f32(2, 5), 3)])
def dct_rule(input: Tensor, type=2, n=None, axis=-1, norm=None, name=None):
    if type != 2 or n is not None or axis != -1:
        raise Decline("a transform of another type, length or axis")
    if norm is None:
        return dct(input)
    return dct(input, norm)


@rule("tf.signal.mfccs_from_log_mel_spectrograms", samples=[S(f32(2, 5)), S(f32(2, 3, 8))])
def mfccs(log_mel_spectrograms: Tensor, name=None):
    return mfcc(log_mel_spectrograms)


mfcc = Helper(
    "mfcc",
    '''def mfcc(log_mel):
    """Cepstral coefficients of log mel spectrograms (…, bands): a cosine transform scaled as HTK does."""
    n = log_mel.shape[-1]
    k = torch.arange(n, device=log_mel.device)
    basis = torch.cos(torch.pi / (2 * n) * (2 * k + 1)[:, None] * k).to(log_mel.dtype)
    return log_mel @ (basis * (2 / n) ** 0.5)
''',
    ("import torch",),
)


mel_matrix = Helper(
    "linear_to_mel_weight_matrix",
    '''def linear_to_mel_weight_matrix(num_mel_bins=20, num_bins=129, sample_rate=8000, low=125.0, high=3800.0):
    """Weights (frequencies, mel bands) of triangles that are even on the HTK mel scale; none for the first bin."""

    def mel(hertz):
        return 1127.0 * torch.log1p(torch.as_tensor(hertz, dtype=torch.float64) / 700.0)

    frequencies = mel(torch.linspace(0.0, sample_rate / 2.0, num_bins, dtype=torch.float64)[1:])[:, None]
    edges = torch.linspace(mel(low).item(), mel(high).item(), num_mel_bins + 2, dtype=torch.float64)
    left, center, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - left) / (center - left), (right - frequencies) / (right - center)
    weights = torch.minimum(rising, falling).clamp(min=0.0)
    return torch.cat([weights.new_zeros(1, num_mel_bins), weights]).float()
''',
    ("import torch",),
)
linear_to_mel_weight_matrix = mel_matrix


@rule("tf.signal.linear_to_mel_weight_matrix", samples=[S(), S(12, 65, 16000, 20.0, 7600.0)])
def mel(
    num_mel_bins=20,
    num_spectrogram_bins=129,
    sample_rate=8000,
    lower_edge_hertz=125.0,
    upper_edge_hertz=3800.0,
    dtype="float32",
    name=None,
):
    torch_dtype(dtype)
    if dtype != "float32":
        raise Decline("another dtype")
    return linear_to_mel_weight_matrix(
        num_mel_bins, num_spectrogram_bins, sample_rate, lower_edge_hertz, upper_edge_hertz
    )
