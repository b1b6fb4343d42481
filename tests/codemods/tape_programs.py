"""Programs with gradient tapes, migrated and run on both sides."""

from __future__ import annotations

from tests.codemods.training_programs import REGRESSOR_MODEL, REGRESSOR_SOURCE, Program
from tests.codemods.training_support import HEAD

TAPES = (
    Program(
        "variables",
        HEAD
        + REGRESSOR_SOURCE
        + '''def fit_line(x, y, steps):
    """Least squares over plain variables, clipped, the rate halved on the way."""
    w = tf.Variable([[0.5], [-1.0]])
    b = tf.Variable([0.0])
    variables = [w, b]
    rate = tf.keras.optimizers.schedules.ExponentialDecay(0.3, 3, 0.5, staircase=True)
    optimizer = tf.keras.optimizers.SGD(rate, clipnorm=0.7)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y))
        grads = tape.gradient(loss, variables)
        optimizer.apply_gradients(grads_and_vars=zip(grads, variables))
    return w.numpy(), b.numpy()


def main(data, model):
    x, y, _, _ = data
    x, y = tf.constant(x[:, :2]), tf.constant(y[:, None].astype("float32"))
    return fit_line(x, y, 7)
''',
        REGRESSOR_MODEL,
    ),
    Program(
        "one replica",
        HEAD
        + REGRESSOR_SOURCE
        + '''strategy = tf.distribute.get_strategy()
GLOBAL_BATCH = 7 * strategy.num_replicas_in_sync


def main(data, model):
    """Steps over shares of a batch, as the guides to distribution write them."""
    x, y, _, _ = data
    with strategy.scope():
        scale = tf.Variable(2.0)

    def step(inputs):
        features, targets = inputs
        with tf.GradientTape() as tape:
            errors = tf.square(model(features, training=True)[:, 0] * scale - targets)
            loss = tf.nn.compute_average_loss(errors, global_batch_size=GLOBAL_BATCH)
        grads = tape.gradient(loss, [scale])
        scale.assign_sub(0.1 * grads[0])
        return loss, errors

    def share(inputs):
        loss, errors = strategy.run(step, args=(inputs,))
        mean = strategy.reduce(tf.distribute.ReduceOp.MEAN, errors, axis=0)
        return strategy.reduce("SUM", loss, axis=None), mean, strategy.experimental_local_results(loss)

    dataset = tf.data.Dataset.from_tensor_slices((x, y.astype("float32"))).batch(GLOBAL_BATCH)
    total, means, locals_ = 0.0, [], []
    for inputs in strategy.experimental_distribute_dataset(dataset):
        loss, mean, local = share(inputs)
        total += float(loss)
        means.append(float(mean))
        locals_.append(float(local[0]))
    return total, means, locals_
''',
        REGRESSOR_MODEL,
    ),
    Program(
        "orders and pauses",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x = tf.Variable([3.0, -2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(x ** 3)
        slope = inner.gradient(y, x)
    curve = outer.gradient(slope, x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        z = tf.square(x) * x[0]
        first = tape.gradient(z, x)
        with tape.stop_recording():
            again = tape.gradient(z, x)
    second = tape.gradient(first, x)
    del tape
    return slope.numpy(), curve.numpy(), first.numpy(), again.numpy(), second.numpy()
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "jacobians and inputs",
        HEAD
        + REGRESSOR_SOURCE
        + """def jacobians(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.concat([x ** 2, tf.reduce_sum(x, axis=1, keepdims=True)], axis=1)
    return tape.jacobian(y, x), tape.batch_jacobian(y, x), tape.gradient(y, x)


def pair(a, b):
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        y = tf.reduce_sum(a * a * b)
    da, db = tape.gradient(y, [a, b])
    return da.numpy(), db.numpy()


def unconnected(a, b):
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        y = tf.reduce_sum(a * a)
    grads = tape.gradient(y, [a, b], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [g.numpy() for g in grads]


def main(data, model):
    x, _, x_val, _ = data
    full, rows, grad = jacobians(tf.reshape(tf.constant(x[:4, :3]), (4, 3)))
    a, b = tf.constant(x[0]), tf.constant(x_val[0])
    return full.numpy(), rows.numpy(), grad.numpy(), pair(a, b), unconnected(a, b)
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "accumulated gradients",
        HEAD
        + REGRESSOR_SOURCE
        + """def loss_and_gradients(model, x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(y - model(x, training=True)))
    return loss, tape.gradient(loss, model.trainable_variables)


def main(data, model):
    x, y, _, _ = data
    x, y = tf.reshape(tf.constant(x), (30, 6)), tf.reshape(tf.constant(y.astype("float32")), (30, 1))
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipvalue=1.5)
    losses = []
    for _ in range(3):
        total = [tf.zeros_like(v) for v in model.trainable_variables]
        for start in range(0, 30, 10):
            loss, grads = loss_and_gradients(model, x[start : start + 10], y[start : start + 10])
            total = [a + g / 3.0 for a, g in zip(total, grads)]
            losses.append(float(loss))
        optimizer.apply_gradients(zip(total, model.trainable_variables))
    return losses
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "parts of a model",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    x, y = tf.constant(x), tf.constant(y[:, None].astype("float32"))
    scale = tf.Variable(1.5)
    slow = tf.keras.optimizers.SGD(0.01)
    fast = tf.keras.optimizers.SGD(0.2)
    losses = []
    for _ in range(4):
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_mean(tf.abs(scale * model(x, training=True) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        slow.apply_gradients((g, v) for g, v in zip(grads, model.trainable_variables) if g is not None)
        grads = tape.gradient(loss, [scale])
        fast.apply_gradients(zip(grads, [scale]))
        losses.append(float(loss))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(scale * model(x, training=True) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    slow.apply_gradients(zip(gradients, model.trainable_variables))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(scale * model(x, training=True) - y))
    gradients = tape.gradient(loss, [scale])
    fast.apply_gradients(zip(gradients, [scale]))
    return losses, scale.numpy(), model(x).numpy()
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "pairs",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    x, y = tf.constant(x[:, 0]), tf.constant(y.astype("float32"))
    slope = tf.Variable(0.5)
    offset = tf.Variable(-1.0)
    both = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(slope * x + offset - y))
        d_slope, d_offset = tape.gradient(loss, [slope, offset])
        both.apply_gradients(zip([d_slope, d_offset], [slope, offset]))
    bend = tf.Variable(1.0)
    alone = tf.keras.optimizers.SGD(0.02)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(bend * x * x - y))
    alone.apply_gradients([(tape.gradient(loss, bend), bend)])
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(bend * x * x - y))
        grad = tape.gradient(loss, bend)
        alone.apply_gradients(grads_and_vars=[(grad, bend)])
    shift = tf.Variable([0.1, 0.2])
    scaled = tf.keras.optimizers.SGD(0.3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(shift - 1.0))
    grad = tape.gradient(loss, shift)
    scaled.apply_gradients([(0.5 * grad, shift)])
    return slope.numpy(), offset.numpy(), bend.numpy(), shift.numpy(), grad.numpy()
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "mixed sources",
        HEAD
        + REGRESSOR_SOURCE
        + """def ascend(model, image, rate):
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = tf.reduce_mean(model(image))
    grad = tape.gradient(score, image)
    image += rate * tf.math.l2_normalize(grad)
    return image


def main(data, model):
    x, _, _, _ = data
    w = tf.Variable([1.0, 2.0])
    a = tf.constant([3.0, -1.0])
    with tf.GradientTape() as tape:
        tape.watch(a)
        b = w * a
        c = tf.reduce_sum(b ** 2)
    dw, da, db = tape.gradient(c, [w, a, b])
    image = tf.constant(x[:2])
    for _ in range(3):
        image = ascend(model, image, 0.5)
    return dw.numpy(), da.numpy(), db.numpy(), image.numpy()
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "counted steps",
        HEAD
        + REGRESSOR_SOURCE
        + """def main(data, model):
    x, y, _, _ = data
    x, y = tf.constant(x), tf.constant(y[:, None].astype("float32"))
    optimizer = keras.optimizers.SGD(0.05)
    optimizer.build(model.trainable_variables)
    seen = []
    for _ in range(6):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(grads, model.trainable_variables)
        if tf.math.mod(optimizer.iterations, 2) == 0:
            seen.append((int(optimizer.iterations), float(loss)))
        if optimizer.iterations == 4:
            optimizer.learning_rate.assign(0.5)
    return seen, optimizer.iterations.numpy()
""",
        REGRESSOR_MODEL,
    ),
    Program(
        "steps until the slope is small",
        HEAD
        + REGRESSOR_SOURCE
        + """w = tf.Variable(3.0)
optimizer = tf.keras.optimizers.SGD(0.2)


def descend(steps):
    for _ in range(steps):
        with tf.GradientTape() as tape:
            cost = tf.square(w - 1.0)
        slope = tape.gradient(cost, w)
        optimizer.apply_gradients([(slope, w)])
        if tf.abs(slope) < 0.9:
            break
    return optimizer.iterations.numpy()


first = descend(30)
w = tf.Variable(-2.0)
optimizer = tf.keras.optimizers.SGD(0.1)
second = descend(3)


def main(data, model):
    return first, second, w.numpy()
""",
        REGRESSOR_MODEL,
    ),
)
