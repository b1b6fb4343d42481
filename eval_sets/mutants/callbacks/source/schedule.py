"""Linear model trained with callbacks."""
from tensorflow import keras
from tensorflow.keras import layers


def build_model(features=4):
    return keras.Sequential([layers.Input((features,)), layers.Dense(6, activation="elu"), layers.Dense(1)])


def rate_of(epoch, lr):
    # warms up over two epochs
    return 0.05 * (epoch + 1) / 2 if epoch < 2 else lr


def train(model, x, y, epochs=12, batch_size=16):
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse", metrics=["mae"])
    callbacks = [
        keras.callbacks.LearningRateScheduler(rate_of),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_delta=1e-2),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, min_delta=2e-2, restore_best_weights=True),
    ]
    history = model.fit(x, y, validation_split=0.25, epochs=epochs, batch_size=batch_size, callbacks=callbacks,
                        verbose=0)
    return history.history
