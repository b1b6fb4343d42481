"""Programs whose training is migrated and run on both sides: TF source, and the torch model by hand."""

from __future__ import annotations

from dataclasses import dataclass

from tests.codemods.training_support import HEAD


@dataclass(frozen=True)
class Program:
    """`source`: the TF file with `build_model()`; `model`: torch text that defines the same name."""

    name: str
    source: str
    model: str


SOFTMAX_SOURCE = """
def build_model():
    return keras.Sequential([
        keras.Input(shape=(6,)),
        layers.Dense(8, activation="tanh", kernel_regularizer=keras.regularizers.l2(1e-2)),
        layers.Dense(3, activation="softmax"),
    ])


"""
SOFTMAX_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.fc2 = nn.Linear(8, 3)

    def logits(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))

    def forward(self, x):
        return F.softmax(self.logits(x), dim=1)

    def regularization_loss(self):
        return 1e-2 * self.fc1.weight.square().sum()


def build_model():
    return Model().to(device)
"""
LOGITS_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))

    def regularization_loss(self):
        return 1e-2 * self.fc1.weight.square().sum()


def build_model():
    return Model().to(device)
"""
REGRESSOR_SOURCE = """
def build_model():
    inputs = keras.Input(shape=(6,))
    x = layers.Dense(8, activation="tanh")(inputs)
    return keras.Model(inputs, layers.Dense(1)(x))


"""
REGRESSOR_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


def build_model():
    return Model().to(device)
"""
BOUNDED_SOURCE = """
def build_model():
    inputs = keras.Input(shape=(6,))
    x = layers.Dense(8, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(0.6))(inputs)
    return keras.Model(inputs, layers.Dense(1, kernel_constraint="non_neg", bias_constraint="non_neg")(x))


"""
SPARSE_SOURCE = REGRESSOR_SOURCE.replace('activation="tanh"', 'activation="tanh", activity_regularizer="l1"')
SPARSE_MODEL = REGRESSOR_MODEL.replace(
    "return self.fc2(torch.tanh(self.fc1(x)))",
    "x = torch.tanh(self.fc1(x))\n        self.added_loss = 0.01 * x.abs().sum() / len(x)\n        return self.fc2(x)",
)
BOUNDED_MODEL = REGRESSOR_MODEL.replace(
    "def build_model",
    """    @torch.no_grad()
    def constrain_weights(self, *_):
        self.fc1.weight.renorm_(p=2, dim=0, maxnorm=0.6)
        self.fc2.weight.clamp_(min=0.0)
        self.fc2.bias.clamp_(min=0.0)


def build_model""",
)
BINARY_SOURCE = REGRESSOR_SOURCE.replace("layers.Dense(1)", 'layers.Dense(1, activation="sigmoid")')
BINARY_MODEL = REGRESSOR_MODEL.replace(
    "    def forward(self, x):\n        return",
    "    def forward(self, x):\n        return torch.sigmoid(self.logits(x))\n\n"
    "    def logits(self, x):\n        return",
)

PROGRAMS = (
    Program(
        "classifier",
        HEAD
        + SOFTMAX_SOURCE
        + """def train(model, x, y, x_val, y_val):
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=8, epochs=3, validation_data=(x_val, y_val), shuffle=False)
    return history.history


def main(data, model):
    x, y, x_val, y_val = data
    y, y_val = y % 3, y_val % 3
    figures = train(model, x, y, x_val, y_val)
    score = model.evaluate(x_val, y_val, verbose=0)
    named = model.evaluate(x_val, y_val, return_dict=True, verbose=0)
    return figures, score, sorted(named.items()), model.predict(x_val, verbose=0)
""",
        SOFTMAX_MODEL,
    ),
    Program(
        "compiled elsewhere",
        HEAD
        + SOFTMAX_SOURCE.replace(', activation="softmax"', "")
        + '''def compile_model(model, rate=0.05):
    """Nesterov and smoothed labels."""
    model.compile(
        optimizer=keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
        loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy", tf.keras.metrics.TopKCategoricalAccuracy(k=2, name="top2")],
    )
    return model


def train(model, x, y, epochs=1):
    # one-hot targets
    return model.fit(x, y, epochs=epochs, shuffle=False, validation_split=0.25, batch_size=7, verbose=0).history


def main(data, model):
    x, y, _, _ = data
    compile_model(model, 0.1)
    return train(model, x, np.eye(3, dtype="float32")[y % 3], epochs=3)
''',
        LOGITS_MODEL,
    ),
    Program(
        "regression",
        HEAD
        + REGRESSOR_SOURCE
        + """def train(model, x, y, epochs=5, batch_size=8):
    optimizer = keras.optimizers.SGD(learning_rate=0.1, clipnorm=0.5)
    model.compile(optimizer=optimizer, loss=keras.losses.Huber(),
                  metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")])
    h = model.fit(x, y, epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0)
    return h.history


def main(data, model):
    x, y, _, _ = data
    return train(model, x, y.astype("float64"))
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "bounded weights",
        HEAD
        + BOUNDED_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    out = model.fit(x, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
    return out.history, model.predict(x, verbose=0)
""",
        BOUNDED_MODEL,
    ),
    Program(
        "sparse activity",
        HEAD
        + SPARSE_SOURCE
        + """def main(data, model):
    x, y, x_val, y_val = data
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    out = model.fit(x, y, epochs=3, batch_size=8, validation_data=(x_val, y_val), shuffle=False, verbose=0)
    return out.history, model.evaluate(x_val, y_val, verbose=0)
""",
        SPARSE_MODEL,
    ),
    Program(
        "bounded weights by a tape",
        HEAD
        + BOUNDED_SOURCE
        + """def train(model, x, y, steps):
    optimizer = keras.optimizers.SGD(0.2, momentum=0.5)
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
    return losses


def main(data, model):
    x, y, _, _ = data
    return train(model, tf.constant(x), tf.constant(y[:, None].astype("float32")), 6)
""",
        BOUNDED_MODEL,
    ),
    Program(
        "weights and callbacks",
        HEAD
        + BINARY_SOURCE
        + """def warm(epoch, lr):
    return 0.05 * (epoch + 1) if epoch < 2 else lr


def train(model, x, y):
    callbacks = [
        keras.callbacks.LearningRateScheduler(warm),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_lr=1e-4),
        keras.callbacks.EarlyStopping(patience=3, min_delta=1e-3, restore_best_weights=True),
    ]
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    return model.fit(x, y, validation_split=0.25, epochs=30, class_weight={0: 1.0, 1: 2.5},
                     shuffle=False, callbacks=callbacks, verbose=0).history


def main(data, model):
    x, y, x_val, _ = data
    return train(model, x, (y > 2).astype("int32")), model.predict(x_val, batch_size=4)
""",
        BINARY_MODEL,
    ),
    Program(
        "schedule",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4, 9], [0.1, 0.05, 0.01])
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=schedule), loss="mse")
    out = model.fit(x, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
    return out.history["loss"], model.evaluate(x, y, verbose=0)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "tape",
        HEAD
        + SOFTMAX_SOURCE
        + '''loss_object = tf.keras.losses.SparseCategoricalCrossentropy()
train_loss = tf.keras.metrics.Mean(name="train_loss")
train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()


@tf.function
def train_step(model, optimizer, x, y):
    """One step."""
    with tf.GradientTape() as tape:
        probabilities = model(x, training=True)
        loss = loss_object(y, probabilities) + tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    gradients, _ = tf.clip_by_global_norm(gradients, 0.2)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)
    train_accuracy.update_state(y, probabilities)
    return loss


def train(model, dataset, epochs):
    optimizer = tf.keras.optimizers.SGD(0.2, momentum=0.9)
    losses = []
    for epoch in range(epochs):
        train_loss.reset_state()
        for x, y in dataset:
            losses.append(float(train_step(model, optimizer, x, y)))
        losses.append(float(train_loss.result()))
    losses.append(float(train_accuracy.result()))
    return losses


def main(data, model):
    x, y, _, _ = data
    dataset = tf.data.Dataset.from_tensor_slices((x, y % 3)).batch(8).prefetch(tf.data.AUTOTUNE)
    return train(model, dataset, 2)
''',
        SOFTMAX_MODEL,
    ),
    Program(
        "fit on a dataset",
        HEAD
        + REGRESSOR_SOURCE
        + """def scaled(x, y):
    return x * 2.0, y


def make_dataset(x, y, batch_size=8, training=False):
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    ds = ds.map(scaled, num_parallel_calls=tf.data.AUTOTUNE)
    if training:
        # a different order each time
        ds = ds.shuffle(64)
    return ds.batch(batch_size).prefetch(1)


def main(data, model):
    x, y, x_val, y_val = data
    train, val = make_dataset(x, y), make_dataset(x_val, y_val)
    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss="mae", metrics=["mse"])
    out = model.fit(train, validation_data=val, epochs=3, verbose=0)
    seen = [float(tf.reduce_sum(b)) for b, _ in val.take(2)]
    return out.history, model.evaluate(val), seen
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "callbacks of one's own",
        HEAD
        + REGRESSOR_SOURCE
        + """class Halve(keras.callbacks.Callback):
    \"\"\"Halves the rate every so often, and stops when the loss is low.\"\"\"

    def __init__(self, every, enough):
        super().__init__()
        self.every, self.enough = every, enough
        self.rates = []

    def on_train_begin(self, logs=None):
        self.rates = [-1.0]

    def on_epoch_begin(self, epoch, logs=None):
        if epoch and epoch % self.every == 0:
            self.model.optimizer.learning_rate.assign(self.rates[-1] * 0.5)

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate.numpy()))
        logs["halved"] = self.rates[-1]
        if logs["loss"] < self.enough:
            self.model.stop_training = True


def train(model, x, y, x_val, y_val):
    halve, seen = Halve(2, 0.9), []
    model.compile(keras.optimizers.SGD(0.1), loss="mae")
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["val_loss"]))),
        halve,
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.EarlyStopping(patience=9, baseline=0.9, start_from_epoch=1),
    ]
    out = model.fit(x, y, epochs=25, callbacks=callbacks, validation_data=(x_val, y_val), shuffle=False, verbose=0)
    return out.history, halve.rates, seen


def main(data, model):
    return train(model, *data)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "weighted and own metrics",
        HEAD
        + REGRESSOR_SOURCE
        + """def spread(y_true, y_pred):
    return tf.reduce_max(tf.abs(y_true - y_pred))


def main(data, model):
    x, y, x_val, y_val = data
    y = y.astype("float32")[:, None]
    weights = np.linspace(0.0, 2.0, 30)
    metrics = ["mae", spread, "mape"]
    model.compile(keras.optimizers.SGD(0.05), loss="mse", metrics=metrics, weighted_metrics=["mean_absolute_error"])
    out = model.fit(x, y, sample_weight=weights, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return out.history
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "own schedule and loss",
        HEAD
        + REGRESSOR_SOURCE
        + """class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    \"\"\"Rises, then falls.\"\"\"

    def __init__(self, peak, steps):
        super().__init__()
        self.peak = peak
        self.steps = tf.cast(steps, tf.float32)

    def __call__(self, step):
        \"\"\"The rate of a step.\"\"\"
        step = tf.cast(step, tf.float32)
        return self.peak * tf.math.minimum(tf.math.rsqrt(step + 1.0), (step + 1.0) * self.steps ** -1.5)


class Weighted(keras.losses.Loss):
    def __init__(self, factor, name="weighted"):
        super().__init__(name=name)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def train(model, x, y):
    schedule = Warmup(0.5, 4)
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss=Weighted(2.0))
    return model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0).history


def steps(model, x, y):
    loss_object = Weighted(0.5)
    schedule = Warmup(0.5, 4)
    optimizer = keras.optimizers.SGD(schedule)
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = loss_object(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        losses.append(float(loss))
    return losses


def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    return train(model, x, y), steps(model, tf.constant(x), tf.constant(y)), float(Warmup(0.5, 4)(2))
""",
        REGRESSOR_MODEL,
    ),
)
