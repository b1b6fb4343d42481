"""Operations of which nothing more is told than that they give one tensor."""

from __future__ import annotations

from migrator.facts.shapes import ops
from migrator.facts.shapes.ops import Args, dtype_of
from migrator.facts.words import words
from migrator.values import Tensor, Value


def _some(args: Args) -> Value:
    return Tensor(dtype=dtype_of(args.get("dtype")))


_ONE_TENSOR = words("""tf.math.confusion_matrix tf.image.crop_and_resize tf.linalg.tensor_diag
tf.linalg.tensor_diag_part tf.linalg.det tf.linalg.solve tf.linalg.cross
tf.linalg.cholesky_solve tf.linalg.pinv tf.linalg.adjoint tf.linalg.matrix_rank
tf.linalg.eigvalsh tf.linalg.lstsq tf.signal.stft tf.signal.frame tf.signal.rfft
tf.signal.rfft2d tf.signal.irfft tf.signal.irfft2d tf.signal.fft tf.signal.fft2d tf.signal.fft3d
tf.signal.ifft tf.signal.ifft2d tf.signal.ifft3d tf.signal.hann_window tf.signal.hamming_window
tf.signal.mfccs_from_log_mel_spectrograms tf.signal.linear_to_mel_weight_matrix
tf.signal.overlap_and_add tf.math.real tf.math.imag tf.math.angle tf.complex tf.random.gamma
tf.random.stateless_normal tf.random.stateless_uniform tf.dynamic_stitch
tf.math.unsorted_segment_prod tf.image.sobel_edges tf.image.transpose tf.unravel_index
tf.histogram_fixed_width tf.io.parse_tensor tf.keras.backend.eye tf.keras.backend.repeat
tf.keras.backend.switch tf.keras.backend.binary_crossentropy
tf.keras.backend.categorical_crossentropy""")
for _name in _ONE_TENSOR:
    ops.OPS.setdefault(_name, _some)
