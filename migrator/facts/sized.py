"""What Keras fixes of a layer's input: the last axis by its weights, the rank by its kind."""

from __future__ import annotations

from dataclasses import replace

from migrator.facts.join import join
from migrator.facts.words import words
from migrator.values import RepoInstance, Tensor, Unknown, Value

CELLS = frozenset(f"tf.keras.layers.{name}" for name in ("LSTMCell", "GRUCell", "SimpleRNNCell"))
# Layers whose torch module is made with the size of its input.
SIZED = (
    frozenset(
        f"tf.keras.layers.{name}"
        for name in words("""Dense Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose SeparableConv1D
    SeparableConv2D DepthwiseConv1D DepthwiseConv2D BatchNormalization LayerNormalization GroupNormalization
    RMSNormalization UnitNormalization LSTM GRU SimpleRNN RNN Bidirectional TimeDistributed PReLU MultiHeadAttention
    EinsumDense LocallyConnected1D LocallyConnected2D ConvLSTM2D SpectralNormalization CuDNNLSTM CuDNNGRU Attention
    AdditiveAttention GroupQueryAttention""")
    )
    | CELLS
)

_RANKS = (
    (("Conv1D", "SeparableConv1D", "DepthwiseConv1D", "MaxPooling1D", "AveragePooling1D", "UpSampling1D"), 3, True),
    (("Conv1DTranspose", "ZeroPadding1D", "Cropping1D"), 3, True),
    (("LSTM", "GRU", "SimpleRNN", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Bidirectional"), 3, False),
    (("MultiHeadAttention", "RNN", "SpatialDropout1D"), 3, False),
    (("Conv2D", "SeparableConv2D", "DepthwiseConv2D", "Conv2DTranspose", "MaxPooling2D", "AveragePooling2D"), 4, True),
    (("GlobalAveragePooling2D", "GlobalMaxPooling2D", "UpSampling2D", "ZeroPadding2D", "Cropping2D"), 4, True),
    (("SpatialDropout2D",), 4, True),
    (("Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D", "GlobalAveragePooling3D"), 5, True),
)
RANK_OF = {f"tf.keras.layers.{name}": (rank, conv) for layers, rank, conv in _RANKS for name in layers}


def join_inputs(layer: Value, a: tuple[Value, ...], b: tuple[Value, ...]) -> tuple[Value, ...]:
    """The inputs of a layer that is called twice.

    A layer with weights takes one size of the last axis only, whatever is known of the other call; so does a layer of
    the repository's own, of which only these sizes are asked.
    """
    sized = isinstance(layer, RepoInstance) or getattr(layer, "api", "") in SIZED
    joined = _sized if sized else join
    return tuple(joined(x, y) for x, y in zip(a, b, strict=False))


def _sized(a: Value, b: Value) -> Value:
    both = join(a, b)
    one, other = (a, b) if isinstance(a, Tensor) else (b, a)
    if not isinstance(one, Tensor) or not isinstance(other, Tensor | Unknown):
        return both
    last = one.channels if not isinstance(other, Tensor) or other.channels is None else other.channels
    if last is None or (isinstance(other, Tensor) and None not in (one.channels, other.channels)):
        return both
    if not isinstance(both, Tensor) or both.shape is None:
        return Tensor(None, None, last=last)
    return replace(both, shape=(*both.shape[:-1], last))
