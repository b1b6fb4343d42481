"""Loose tensor functions."""
import json

import tensorflow as tf

DELTA = 1.5


def accuracy(logits, labels):
    """Share of rows whose largest logit is at the label; [batch, time, classes] against [batch, time]."""
    hits = tf.equal(tf.argmax(logits, axis=-1), labels)
    return tf.reduce_mean(tf.cast(hits, tf.float32))


def masked_softmax(scores, mask):
    """Softmax over the last axis where `mask` is true."""
    scores = tf.where(mask, scores, tf.fill(tf.shape(scores), -1e9))
    return tf.nn.softmax(scores, axis=-1)


def smoothed_loss(targets, logits, smoothing=0.1):
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    return loss(targets, logits)


def normalize(x, epsilon=1e-5):
    """Zero mean and unit variance over each row."""
    mean, variance = tf.nn.moments(x, axes=[1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + epsilon)


def huber(y_true, y_pred, delta=DELTA):
    error = y_pred - y_true
    small = tf.abs(error) <= delta
    loss = tf.where(small, 0.5 * tf.square(error), delta * tf.abs(error) - 0.5 * delta ** 2)
    return tf.reduce_mean(loss, axis=-1)


def thirds(x):
    """The three parts of the last axis, the middle one doubled."""
    first, middle, last = tf.split(x, 3, axis=-1)
    return first, middle * 2.0, last


def upsample_rows(x, times=2):
    return tf.repeat(x, times, axis=0)


def bucket(values, width):
    """Whole buckets below each value, as 32-bit integers; negative values go down."""
    return tf.cast(values // width, tf.int32)


def safe_ratio(a, b):
    return tf.math.divide_no_nan(a, b)


def statistics(x):
    """Mean and largest element of a batch, as NumPy arrays."""
    return {"mean": tf.reduce_mean(x, axis=0).numpy(), "max": tf.reduce_max(x, axis=0).numpy()}


def attend(query, key, value):
    scores = tf.matmul(query, key, transpose_b=True) / tf.sqrt(tf.cast(tf.shape(key)[-1], tf.float32))
    return tf.matmul(tf.nn.softmax(scores), value)


def rank(x):
    """Indices that sort each row from the largest down."""
    return tf.argsort(x, axis=-1, direction="DESCENDING")


def report(path, scores):
    """Prints the best column of each row, and writes the mean of each column."""
    for row, column in enumerate(tf.argmax(scores, axis=-1).numpy()):
        print("row", row, "best column", column)
    with open(path, "w") as file:
        json.dump([round(float(mean), 4) for mean in tf.reduce_mean(scores, axis=0).numpy()], file)
