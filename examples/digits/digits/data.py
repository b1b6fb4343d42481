"""Synthetic digit images, so that the example needs no download."""
import numpy as np
import tensorflow as tf

from .config import IMAGE_SIZE, NUM_CLASSES

# seven-segment patterns: top, top-left, top-right, middle, bottom-left, bottom-right, bottom
SEGMENTS = ("1110111", "0010010", "1011101", "1011011", "0111010",
            "1101011", "1101111", "1010010", "1111111", "1111011")


def draw_digit(digit, size=IMAGE_SIZE):
    """One clean image [size, size] with values 0 or 1."""
    image = np.zeros((size, size), dtype="float32")
    lo, mid, hi = 3, size // 2, size - 4
    top, top_left, top_right, middle, bottom_left, bottom_right, bottom = (s == "1" for s in SEGMENTS[digit])
    if top:
        image[lo, lo:hi + 1] = 1.0
    if middle:
        image[mid, lo:hi + 1] = 1.0
    if bottom:
        image[hi, lo:hi + 1] = 1.0
    if top_left:
        image[lo:mid + 1, lo] = 1.0
    if top_right:
        image[lo:mid + 1, hi] = 1.0
    if bottom_left:
        image[mid:hi + 1, lo] = 1.0
    if bottom_right:
        image[mid:hi + 1, hi] = 1.0
    return image


def load_digits(count=512, seed=0):
    """Noisy, shifted digits: images [count, size, size, 1] in [0, 1] and integer labels [count]."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, NUM_CLASSES, size=count)
    images = np.stack([draw_digit(label) for label in labels])
    # shift by up to one pixel, then add noise
    for i, (dy, dx) in enumerate(rng.integers(-1, 2, size=(count, 2))):
        images[i] = np.roll(images[i], (dy, dx), axis=(0, 1))
    images = np.clip(images + rng.normal(scale=0.2, size=images.shape), 0.0, 1.0)
    return images[..., np.newaxis].astype("float32"), labels.astype("int64")


def standardize(image, label):
    """Zero mean and unit variance for one image."""
    mean = tf.reduce_mean(image)
    std = tf.math.reduce_std(image)
    return (image - mean) / tf.maximum(std, 1e-3), label


def make_dataset(images, labels, batch_size, training=False):
    """Batches of (image, label); shuffled when training."""
    ds = tf.data.Dataset.from_tensor_slices((images, labels))
    ds = ds.map(standardize, num_parallel_calls=tf.data.AUTOTUNE)
    if training:
        ds = ds.shuffle(len(images))
    return ds.batch(batch_size).prefetch(tf.data.AUTOTUNE)
