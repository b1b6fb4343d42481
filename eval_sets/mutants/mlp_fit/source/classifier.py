"""Tabular classifier trained with fit."""
from tensorflow import keras
from tensorflow.keras import layers


def build_model(num_features=8, num_classes=3, hidden=256, rate=0.3):
    return keras.Sequential([
        layers.Input(shape=(num_features,)),
        layers.Dense(hidden, activation="relu", kernel_initializer="he_normal",
                     kernel_regularizer=keras.regularizers.l2(1e-2)),
        layers.Dropout(rate),
        layers.Dense(num_classes, activation="softmax"),
    ])


def train(model, x, y, x_val, y_val, epochs=2, batch_size=16):
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    history = model.fit(x, y, validation_data=(x_val, y_val), epochs=epochs, batch_size=batch_size, verbose=0)
    return history.history


def predict(model, x):
    """Class probabilities as an array."""
    return model.predict(x, verbose=0)
