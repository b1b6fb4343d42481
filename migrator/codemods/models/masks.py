"""What Keras 3's layers do with a mask that reaches them (measured on `supports_masking` and `call`)."""

_PASSES = """
Activation ActivityRegularization Add Average AlphaDropout Concatenate Dense Dropout ELU GaussianDropout GaussianNoise
GroupNormalization Identity LayerNormalization LeakyReLU Masking Maximum Minimum Multiply Normalization PReLU ReLU
Rescaling SpatialDropout1D SpatialDropout2D SpatialDropout3D Subtract ThresholdedReLU TimeDistributed
UnitNormalization
"""
PASSES_MASK = frozenset(_PASSES.split())
"""Layers whose output has the mask of their input; others that do not read masks end them."""

OTHERWISE_IN_KERAS_2 = frozenset({"Identity", "Normalization", "Rescaling", "TimeDistributed"})
"""Those that end masks in Keras 2, or make another."""
RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"})
"""Layers that do with masks in Keras 2 what they do in Keras 3."""

_READS = """
BatchNormalization Softmax Lambda Attention AdditiveAttention MultiHeadAttention ConvLSTM1D ConvLSTM2D ConvLSTM3D
GroupQueryAttention
"""
READS_MASK = frozenset(_READS.split())
"""Layers that compute something else where a mask reaches them."""
