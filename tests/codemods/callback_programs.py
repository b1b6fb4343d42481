"""Programs whose callbacks are named, added, shared or made on a condition; both sides must give the same figures."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, Program
from tests.codemods.training_support import HEAD

CALLBACKS = (
    Program(
        "callbacks that are shared and added",
        HEAD
        + REGRESSOR_SOURCE
        + """class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])


def train(model, x, y, data, decays=True, patience=2, plateau=None):
    seen = Losses()
    stop = keras.callbacks.EarlyStopping(patience=patience, min_delta=0.01, restore_best_weights=True)
    callbacks = [seen]
    callbacks.append(stop)
    if decays and patience > 1:
        callbacks.append(keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9))
    if plateau is None:
        callbacks += [keras.callbacks.TerminateOnNaN()]
    else:
        callbacks.extend([keras.callbacks.ReduceLROnPlateau(factor=plateau, patience=1)])
    model.compile(keras.optimizers.SGD(0.2), loss="mse")
    first = model.fit(x, y, epochs=9, validation_data=data, shuffle=False, verbose=0, callbacks=callbacks)
    second = model.fit(x, y, epochs=9, validation_data=data, shuffle=False, verbose=0, callbacks=[stop])
    callbacks = [seen] if decays else []
    third = model.fit(x, y, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    return first.history, second.history, third.history, seen.losses


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y.astype("float32")[:, None], y_val.astype("float32")[:, None]
    return [
        train(model, x, y, (x_val, y_val)),
        train(model, x, y, (x_val, y_val), decays=False, plateau=0.5),
        train(model, x, y, (x_val, y_val), patience=1),
    ]
""",
        REGRESSOR_MODEL,
    ),
)
