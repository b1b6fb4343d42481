"""The classifier."""
from tensorflow import keras
from tensorflow.keras import layers, regularizers

from .config import CHANNELS, IMAGE_SIZE, NUM_CLASSES, WEIGHT_DECAY
from .layers import ChannelGate


def build_model(width=16, dropout=0.3):
    """Two residual stages and a softmax over the ten digits."""
    inputs = keras.Input(shape=(IMAGE_SIZE, IMAGE_SIZE, CHANNELS))
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D()(x)

    # residual stage with channel gating
    shortcut = x
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(width, 3, padding="same")(x)
    x = ChannelGate(ratio=4)(x)
    x = layers.Add()([x, shortcut])
    x = layers.ReLU()(x)

    x = layers.Conv2D(2 * width, 3, strides=2, padding="same", activation="relu",
                      kernel_regularizer=regularizers.l2(WEIGHT_DECAY))(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="digits")
