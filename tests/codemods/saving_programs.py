"""Programs that save and load; what each returns must be equal on both sides."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, Program
from tests.codemods.training_support import HEAD

SAVING = (
    Program(
        "checkpoints by number",
        "import os\nimport tempfile\n"
        + HEAD
        + REGRESSOR_SOURCE
        + """def train(model, x, y, folder, epochs):
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    checkpoint = tf.train.Checkpoint(step=tf.Variable(0), optimizer=optimizer, net=model)
    manager = tf.train.CheckpointManager(checkpoint, folder, max_to_keep=2)
    checkpoint.restore(manager.latest_checkpoint)
    losses = []
    for epoch in range(epochs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        checkpoint.step.assign_add(1)
        losses.append(float(loss))
        path = manager.save()
    names = [os.path.basename(name) for name in manager.checkpoints]
    return losses, int(checkpoint.step), os.path.basename(path), names


def main(data, model):
    x, y, _, _ = data
    x, y = tf.constant(x), tf.constant(y.astype("float32")[:, None])
    folder = tempfile.mkdtemp()
    first = train(model, x, y, folder, 3)
    second = train(model, x, y, folder, 2)
    newest = tf.train.latest_checkpoint(folder)
    return first, second, os.path.basename(newest), tf.train.latest_checkpoint(tempfile.mkdtemp()) is None
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "a checkpoint by itself",
        "import os\nimport tempfile\n"
        + HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x = tf.constant(data[0])
    folder = tempfile.mkdtemp()
    count = tf.Variable(3.0)
    checkpoint = tf.train.Checkpoint(model=model, count=count)
    before = model(x, training=False)
    path = checkpoint.save(file_prefix=os.path.join(folder, "ckpt"))
    count.assign(7.0)
    checkpoint.restore(path).assert_existing_objects_matched()
    kept = checkpoint.write(os.path.join(folder, "single"))
    count.assign(9.0)
    status = checkpoint.read(kept)
    status.assert_consumed()
    moved = float(tf.reduce_max(tf.abs(before - model(x, training=False))))
    return moved, float(count), os.path.basename(path), os.path.basename(kept)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "a model from its file",
        "import os\nimport tempfile\n"
        + HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    path = os.path.join(tempfile.mkdtemp(), "whole.keras")
    trained = build_model()
    trained.compile(keras.optimizers.SGD(0.01), loss="mse")
    trained.fit(x, y, epochs=2, verbose=0)
    trained.save(path)
    before = trained.predict(x, verbose=0)
    trained.fit(x, y, epochs=1, verbose=0)
    again = keras.models.load_model(path)
    moved = abs(trained.predict(x, verbose=0) - before).max() > 0
    return again.predict(x, verbose=0) - before, bool(moved)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "weights carried over and kept",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    y = y.astype("float32")[:, None]
    target = build_model()
    target.set_weights(model.get_weights())
    start = model.get_weights()
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
    first = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    moved = model.predict(x, verbose=0)
    model.set_weights(start)
    again = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    return first, again, moved, target.predict(x, verbose=0)
""",
        REGRESSOR_MODEL,
    ),
)
