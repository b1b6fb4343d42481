"""Operations that no rule knows, so that a language model is asked about them."""
import tensorflow as tf


def squash(x, slope=0.3):
    """Twice the leaky ramp."""
    return tf.raw_ops.LeakyRelu(features=x, alpha=slope) * 2.0


def soft_rank(scores, temperature=1.0):
    """How many scores of the same row are larger, softly: [rows, n] like `scores`."""
    gaps = scores[:, tf.newaxis, :] - scores[:, :, tf.newaxis]
    return tf.raw_ops.Sum(input=tf.sigmoid(gaps / temperature), axis=[-1]) - 0.5


if __name__ == "__main__":
    print(squash(tf.random.normal([3, 4])).shape, soft_rank(tf.random.normal([2, 5])).shape)
