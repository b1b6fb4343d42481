"""Programs whose callbacks are named, added, shared or made on a condition; both sides must give the same figures."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, SOFTMAX_MODEL, SOFTMAX_SOURCE, Program
from tests.codemods.training_support import HEAD

INTERRUPTED = """import os


def main(data, model):
    x, y = data[0], data[1].astype("float32")[:, None]
    folder = "backup/states"
    model.compile(keras.optimizers.SGD({rate}), loss="mse")
    keep = keras.callbacks.BackupAndRestore(backup_dir=folder, delete_checkpoint=False)
    first = model.fit(x, y, epochs=2, shuffle=False, verbose=0, callbacks=[keep])
    model.fit(x, y, epochs=1, shuffle=False, verbose=0)
    log = keras.callbacks.CSVLogger("log.csv")
    go_on = keras.callbacks.BackupAndRestore("backup/states")
    second = model.fit(x, y, initial_epoch=1, epochs=4, shuffle=False, verbose=0, callbacks=[log, go_on])
    with open("log.csv") as lines:
        logged = [float(line.split(",")[0]) for line in list(lines)[1:]]
    return first.history, second.history, logged, os.path.exists(folder)
"""
POSTED = """def main(data, model):
    from unittest import mock

    import requests

    x, y = data[0], data[1].astype("float32")[:, None]
    kept = []

    def post(url, data=None, json=None, headers=None):
        kept.append([url, data is None and json["epoch"], data is None and list(json), str(headers)])
        if data is not None:
            raise requests.exceptions.ConnectionError(data["figures"][:12])

    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    first = keras.callbacks.RemoteMonitor("http://here", "/a/", headers={"Run": "7"}, send_as_json=True)
    second = keras.callbacks.RemoteMonitor(field="figures")
    with mock.patch("requests.post", post):
        model.fit(x, y, epochs=2, shuffle=False, verbose=0, callbacks=[first, second])
    return kept
"""
CALLBACKS = (
    Program("figures that are posted to a server", HEAD + REGRESSOR_SOURCE + POSTED, REGRESSOR_MODEL),
    Program(
        "a training that goes on where another was interrupted",
        HEAD + REGRESSOR_SOURCE + INTERRUPTED.format(rate="0.1, momentum=0.9"),
        REGRESSOR_MODEL,
    ),
    Program(
        "a training with a schedule that goes on",
        HEAD + REGRESSOR_SOURCE + INTERRUPTED.format(rate="keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.5)"),
        REGRESSOR_MODEL,
    ),
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
    Program(
        "weights of all passes",
        HEAD
        + REGRESSOR_SOURCE
        + """def falling(start, share):
    def rate(epoch):
        return start * share**epoch

    return rate


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y.astype("float32")[:, None], y_val.astype("float32")[:, None]
    weights, weights_val = np.linspace(0.0, 2.0, 30), np.linspace(1.0, 3.0, 11)
    model.compile(keras.optimizers.SGD(0.05), loss="mse", metrics=["mae"])
    rates = [keras.callbacks.LearningRateScheduler(falling(0.05, 0.5))]
    first = model.fit(
        x, y, sample_weight=weights, validation_data=(x_val, y_val, weights_val), batch_size=8, epochs=2,
        shuffle=False, verbose=0, callbacks=rates,
    )
    second = model.fit(
        x, y, sample_weight=weights * 0.5, validation_split=0.3, epochs=2, shuffle=False, verbose=0,
    )
    model.train_on_batch(x[:9], y[:9], sample_weight=weights[:9])
    scores = model.evaluate(x_val, y_val, sample_weight=weights_val, batch_size=4, verbose=0, callbacks=[])
    return first.history, second.history, scores, model.predict(x_val, verbose=0, callbacks=None)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "metrics that are objects",
        HEAD
        + SOFTMAX_SOURCE
        + """class Spread(keras.metrics.Metric):
    def __init__(self, factor=2.0, name="spread", **kwargs):
        super().__init__(name=name, **kwargs)
        self.factor = factor
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = tf.one_hot(tf.cast(y_true, tf.int32), 3)
        self.total.assign_add(self.factor * tf.reduce_max(tf.abs(labels - y_pred)))
        self.count.assign_add(1.0)

    def result(self):
        return self.total / self.count


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y % 3, y_val % 3
    model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", metrics=[
        "accuracy",
        Spread(3.0),
        keras.metrics.IoU(num_classes=3, target_class_ids=(0, 2), sparse_y_pred=False),
        keras.metrics.MeanIoU(num_classes=3, sparse_y_pred=False, name="miou"),
        Spread(name="other"),
    ])
    out = model.fit(
        x, y, validation_data=(x_val, y_val), batch_size=8, epochs=2, shuffle=False, verbose=0
    )
    return out.history, model.evaluate(x_val, y_val, batch_size=4, verbose=0)
""",
        SOFTMAX_MODEL,
    ),
    Program(
        "scores of regressors",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    metrics = [keras.metrics.R2Score(), keras.metrics.ConcordanceCorrelation(name="concordance")]
    model.compile(keras.optimizers.SGD(0.05), loss="mse", metrics=metrics)
    return model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "functions whose values have any shape",
        HEAD
        + REGRESSOR_SOURCE
        + """def last(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true[:, -1:] - y_pred[:, -1:]), axis=-1)


def cube(y_true, y_pred):
    return tf.abs(y_true - y_pred) ** 3


def worst(y_true, y_pred):
    return tf.reduce_max(tf.abs(y_true - y_pred))


def create_huber(threshold=1.0):
    def huber(y_true, y_pred):
        error = tf.abs(y_true - y_pred)
        return tf.where(error < threshold, tf.square(error) / 2, threshold * error - threshold**2 / 2)

    return huber


def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    model.compile(keras.optimizers.SGD(0.05), loss=create_huber(0.5), metrics=[last, cube, worst])
    return model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "files within epochs",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    import glob
    import os
    import tempfile

    folder = tempfile.mkdtemp()
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    every = 3
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            folder + "/{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=every + 0
        ),
        keras.callbacks.CSVLogger(folder + "/log.csv", append=True),
    ]
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    more = keras.callbacks.CSVLogger(folder + "/log.csv", append=True)
    model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0, callbacks=[more])
    with open(folder + "/log.csv") as file:
        rows = [line.split(",")[:1] for line in file.read().split()]
    return rows, sorted(os.path.basename(path).split(".")[0] for path in glob.glob(folder + "/*-*"))
""",
        REGRESSOR_MODEL,
    ),
)
