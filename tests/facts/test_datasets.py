"""tf.data pipelines and training data."""

from __future__ import annotations

from tests.facts.programs import check


def test_a_pipeline_of_slices() -> None:
    check("""
        import numpy as np
        import tensorflow as tf
        x = np.zeros((100, 28, 28), dtype="float32")
        y = np.zeros((100,), dtype="int32")
        def scale(image, label):
            return image[..., tf.newaxis] / 255.0, tf.one_hot(label, 10)
        ds = tf.data.Dataset.from_tensor_slices((x, y))  # dataset of (float32[28, 28], int32[])
        ds = ds.shuffle(100).map(scale, num_parallel_calls=tf.data.AUTOTUNE)
        a = ds  # dataset of (float32[28, 28, 1], float32[10])
        ds = ds.batch(32).prefetch(1)
        b = ds  # dataset of (float32[?, 28, 28, 1], float32[?, 10])
        c = ds.batch(4, drop_remainder=True)  # dataset of (float32[4, ?, 28, 28, 1], float32[4, ?, 10])
        for images, labels in ds:
            d = images  # float32[?, 28, 28, 1]
        for step, (images, labels) in enumerate(ds):
            e = labels  # float32[?, 10]
        f = ds.unbatch().take(3)  # dataset of (float32[28, 28, 1], float32[10])
        """)


def test_other_constructors() -> None:
    check("""
        import tensorflow as tf
        a = tf.data.Dataset.range(10)  # dataset of int64[]
        b = tf.data.Dataset.zip((a, a.map(lambda n: tf.cast(n, tf.float32))))  # dataset of (int64[], float32[])
        c = tf.data.Dataset.from_tensors(tf.zeros((2, 3)))  # dataset of float32[2, 3]
        d = tf.data.Dataset.from_tensor_slices({"x": tf.zeros((5, 2))})  # dataset of {'x': float32[2]}
        e = tf.data.TextLineDataset("f.txt")  # dataset of string[]
        (x, y), (u, v) = tf.keras.datasets.cifar10.load_data()
        f = x  # Nuint8[50000, 32, 32, 3]
        g = v  # Nuint8[10000, 1]
        """)


def test_generators_windows_and_groups() -> None:
    check("""
        import tensorflow as tf
        signature = (tf.TensorSpec(shape=(None, 3), dtype=tf.float32), {"n": tf.TensorSpec([], tf.string)})
        def rows():
            yield [[1.0, 2.0, 3.0]], {"n": "a"}
        make = tf.data.Dataset.from_generator
        a = make(rows, output_signature=signature)  # dataset of (float32[?, 3], {'n': string[]})
        b = tf.data.Dataset.from_generator(rows, tf.int32)  # dataset of int32[...]
        c = tf.data.Dataset.range(9).window(3, shift=1)  # dataset of dataset of int64[]
        d = c.flat_map(lambda w: w.batch(3))  # dataset of int64[?]
        e = tf.data.Dataset.range(9).group_by_window(lambda n: n % 2, lambda k, g: g.batch(2), 2)  # dataset of int64[?]
        f = tf.data.Dataset.range(9).map(lambda n: tf.zeros((2, 3))).padded_batch(4)  # dataset of float32[?, ?, ?]
        g = tf.data.Dataset.zip(((c, b), a.take_while(lambda x, y: True)))
        h = tf.data.Dataset.range(9).map(lambda n: (n, tf.zeros(2))).get_single_element()  # (int64[], float32[2])
        """)


def test_batches_of_images() -> None:
    check("""
        import numpy as np
        from tensorflow.keras.preprocessing.image import ImageDataGenerator
        x = np.zeros((100, 28, 28, 3), dtype="uint8")
        images = ImageDataGenerator(rescale=1 / 255)
        batches = images.flow(x, np.zeros((100,), dtype="int32"), batch_size=8)
        a = next(batches)[0]  # Nfloat32[?, 28, 28, 3]
        for seen, labels in batches:
            b = labels  # Nint32[?]
            break
        c = images.flow(x)[0]  # Nfloat32[?, 28, 28, 3]
        folders = images.flow_from_directory("data", (9, 12), class_mode="binary")
        d = folders[0][0]  # Nfloat32[?, 9, 12, 3]
        e = next(folders)[1]  # Nfloat32[?]
        f = next(images.flow_from_directory("data", color_mode="grayscale", classes=["a", "b"]))[1]  # Nfloat32[?, 2]
        g = next(images.flow_from_directory("data", class_mode=None))  # Nfloat32[?, 256, 256, 3]
        h = images.standardize(x[0])  # Nfloat32[28, 28, 3]
        """)


def test_batches_from_folders() -> None:
    check("""
        import tensorflow as tf
        folder, load = "data", tf.keras.utils.image_dataset_from_directory
        a = load(folder, image_size=(8, 9))  # dataset of (float32[?, ?, ?, 3], int32[?])
        b = load(folder, color_mode="grayscale")  # dataset of (float32[?, ?, ?, 1], int32[?])
        c = load(directory=folder, color_mode="rgba")  # dataset of (float32[?, ?, ?, 4], int32[?])
        """)


def test_training_results() -> None:
    facts = check("""
        import numpy as np
        import tensorflow as tf
        def build():
            model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation="softmax")])
            model.compile(optimizer="adam", loss="mse")
            return model
        def train(model, x, y):
            history = model.fit(x, y, epochs=3)  # history
            return history.history
        def data():
            return tf.data.Dataset.range(3)
        model = build()
        x = np.zeros((10, 4), dtype="float32")
        p = model.predict(x)  # Nfloat32[?, 3]
        e = model.evaluate(x, p)  # [float, ...]
        h = train(model, x, p)
        """)
    roles = {name: facts.function(f"m:{name}") for name in ("build", "train", "data")}
    assert {n: f.role for n, f in roles.items() if f} == {"build": "model-factory", "train": "training", "data": "data"}


def test_steps_with_a_tape() -> None:
    facts = check("""
        import tensorflow as tf
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.optimizer = tf.keras.optimizers.Adam()
            def step(self, x, y):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(self.model(x) - y))
                grads = tape.gradient(loss, self.model.trainable_variables)
                self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables))
                return loss
        net = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        t = Trainer(net)
        a = t.step(tf.zeros((2, 3)), tf.zeros((2, 1)))  # float32[]
        """)
    step = facts.function("m:Trainer.step")
    assert step is not None
    assert step.role == "training"
