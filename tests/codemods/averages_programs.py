"""Programs whose optimizers keep averages of the weights, migrated and run on both sides."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, Program
from tests.codemods.training_support import HEAD

AVERAGES = (
    Program(
        "averages of weights",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, x_val, y_val = data
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.8)
    model.compile(optimizer=optimizer, loss="mse")
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, validation_data=(x_val, y_val))
    first = model.predict(x_val)
    more = model.fit(x, y, batch_size=8, epochs=1, shuffle=False)
    return history.history, first, more.history, model.predict(x_val)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "averages take the place of weights on the way",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, x_val, y_val = data
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3, clipnorm=0.5)
    model.compile(optimizer, loss="mse")
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False)
    return history.history, model.evaluate(x_val, y_val)
""",
        REGRESSOR_MODEL,
    ),
)
