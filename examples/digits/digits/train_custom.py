"""Trains with a hand-written loop: python -m digits.train_custom"""
import tensorflow as tf

from .config import BATCH_SIZE, LEARNING_RATE
from .data import load_digits, make_dataset
from .model import build_model

loss_object = tf.keras.losses.SparseCategoricalCrossentropy()


@tf.function
def train_step(model, optimizer, images, labels):
    """One optimiser step; returns the loss of the batch."""
    with tf.GradientTape() as tape:
        probabilities = model(images, training=True)
        loss = loss_object(labels, probabilities) + tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


def accuracy(model, dataset):
    """Share of correctly classified images."""
    correct, total = 0, 0
    for images, labels in dataset:
        predicted = tf.argmax(model(images, training=False), axis=-1)
        correct += int(tf.reduce_sum(tf.cast(predicted == labels, tf.int32)))
        total += len(labels)
    return correct / total


def train(model, dataset, epochs=1):
    """Trains for some epochs and returns the mean loss of each."""
    optimizer = tf.keras.optimizers.SGD(10 * LEARNING_RATE, momentum=0.9)
    losses = []
    for epoch in range(epochs):
        total, steps = 0.0, 0
        for images, labels in dataset:
            total += float(train_step(model, optimizer, images, labels))
            steps += 1
        losses.append(total / steps)
        print(f"epoch {epoch + 1}: loss {losses[-1]:.4f}")
    return losses


def main():
    images, labels = load_digits(256, seed=0)
    dataset = make_dataset(images, labels, BATCH_SIZE, training=True)
    validation = make_dataset(*load_digits(64, seed=1), BATCH_SIZE)
    model = build_model()
    train(model, dataset, epochs=3)
    print("validation accuracy:", accuracy(model, validation))


if __name__ == "__main__":
    main()
