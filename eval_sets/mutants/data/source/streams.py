"""Input pipelines of arrays and sequences."""
import tensorflow as tf


def scale(image, label):
    image = tf.cast(image, tf.float32) / 127.5 - 1.0
    return image, tf.one_hot(label, 5)


def image_stream(images, labels, batch_size=4, training=False):
    ds = tf.data.Dataset.from_tensor_slices((images, labels))
    if training:
        ds = ds.shuffle(100)
    ds = ds.map(scale)
    return ds.batch(batch_size, drop_remainder=training).prefetch(1)


def next_steps(series, window=5, batch_size=3):
    """Batches of (window, next value)."""
    count = len(series) - window
    past = [series[i:i + window] for i in range(count)]
    ds = tf.data.Dataset.from_tensor_slices((past, series[window:]))
    return ds.batch(batch_size)


def records(features, targets, batch_size=4):
    """Batches of named columns; rows with a negative target are left out."""
    ds = tf.data.Dataset.from_tensor_slices(({"a": features[:, 0], "b": features[:, 1]}, targets))
    return ds.filter(lambda x, t: t >= 0.0).batch(batch_size)
