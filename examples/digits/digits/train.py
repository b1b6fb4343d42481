"""Trains with compile and fit: python -m digits.train"""
import numpy as np
from tensorflow import keras

from .config import BATCH_SIZE, LEARNING_RATE
from .data import load_digits
from .model import build_model


def train(model, x_train, y_train, x_val, y_val, epochs=5, batch_size=BATCH_SIZE):
    """Fits the model and returns the history of losses and accuracies."""
    model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE),
                  loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs,
                        validation_data=(x_val, y_val))
    return history.history


def main():
    x_train, y_train = load_digits(256, seed=0)
    x_val, y_val = load_digits(64, seed=1)
    model = build_model()
    model.summary()
    history = train(model, x_train, y_train, x_val, y_val, epochs=3)
    print("best validation accuracy:", max(history["val_accuracy"]))

    loss, accuracy = model.evaluate(x_val, y_val, verbose=0)
    print("validation loss:", loss, "accuracy:", accuracy)
    predictions = np.argmax(model.predict(x_val[:8], verbose=0), axis=1)
    print("predicted:", predictions, "expected:", y_val[:8])
    model.save_weights("digits.weights.h5")


if __name__ == "__main__":
    main()
