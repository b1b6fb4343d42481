"""Regression with hand-written training loops."""
import tensorflow as tf
from tensorflow.keras import layers

L2 = 1e-2


class Regressor(tf.keras.Model):
    def __init__(self, features=5, units=8):
        super().__init__()
        self.hidden = layers.Dense(units, activation="tanh")
        self.out = layers.Dense(1)
        self.build((None, features))

    def call(self, x):
        return self.out(self.hidden(x))


def loss_fn(model, x, y):
    """Mean squared error plus the halved squares of the kernels."""
    error = tf.reduce_mean(tf.square(model(x) - y))
    return error + L2 * tf.add_n([tf.nn.l2_loss(w) for w in (model.hidden.kernel, model.out.kernel)])


def train(model, dataset, epochs=2):
    """Loss of each step, with a decaying rate and clipped gradients."""
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.2, decay_steps=2, decay_rate=0.5)
    optimizer = tf.keras.optimizers.SGD(schedule)
    losses = []
    for _ in range(epochs):
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = loss_fn(model, x, y)
            gradients = tape.gradient(loss, model.trainable_variables)
            gradients, _ = tf.clip_by_global_norm(gradients, 0.5)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            losses.append(float(loss))
    return losses


def train_adaptive(model, dataset, epochs=2):
    """Mean loss of each epoch, with RMSprop."""
    optimizer = tf.keras.optimizers.RMSprop(1e-2)
    mean = tf.keras.metrics.Mean()
    losses = []
    for _ in range(epochs):
        mean.reset_state()
        for x, y in dataset:
            with tf.GradientTape() as tape:
                loss = loss_fn(model, x, y)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            mean.update_state(loss)
        losses.append(float(mean.result()))
    return losses


def input_gradient(model, x):
    """How the summed output moves with each input."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(model(x))
    return tape.gradient(y, x)
