"""Small convolutional classifier for 9x12 colour images."""
from tensorflow import keras
from tensorflow.keras import layers

INPUT_SHAPE = (9, 12, 3)


def build_model(num_classes=4, rate=0.2):
    inputs = keras.Input(shape=INPUT_SHAPE)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.LeakyReLU()(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(rate)(x)
    outputs = layers.Dense(num_classes)(x)
    return keras.Model(inputs, outputs)


def build_scorer(channels=6):
    """Takes `channels` x `channels` images of as many channels."""
    inputs = keras.Input(shape=(channels, channels, channels))
    x = layers.Conv2D(channels, 3, padding="same", activation="relu")(inputs)
    x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def train(model, x, y, epochs=2, batch_size=8):
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0).history
