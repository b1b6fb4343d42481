from __future__ import annotations

import pytest

from migrator.source.keras_version import MANIFEST, keras_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("tensorflow==2.3.0\n", 2),
        ("numpy\ntensorflow-gpu\n", 2),
        ("tensorflow<2.16 ; python_version < '3.12'\n", 2),
        ("tensorflow~=2.15.0\n", 2),
        ("tensorflow>=2.16\n", 3),
        ("tensorflow[and-cuda]==2.17.1\n", 3),
        ("keras==2.2.4\n", 2),
        ("keras>=3\n", 3),
        ("tf-keras\n", 2),
        ("  - tensorflow=2.4\n", 2),
        ("  - tensorflow=2.4.1=gpu_py38h8a7d6ce_0\n", 2),
        ('tensorflow = "^2.4.1"\n', 3),  # Poetry's caret allows every later 2.x … which is undecided
        ('install_requires=["tensorflow>=2.17", "numpy"],\n', 3),
        ("    'tensorflow==1.15',\n", 2),
    ],
)
def test_requirements_decide(text: str, version: int) -> None:
    assert keras_version({"requirements.txt": text}, {})[0] == version


@pytest.mark.parametrize(
    "text",
    [
        "tensorflow\n",
        "tensorflow>=2.0\n",
        "keras-tcn==3.0\n",
        "tensorflow-addons==0.1\n",
        "# tensorflow==2.3\n",
        "tensorflow==not.a.version\n",
    ],
)
def test_requirements_that_leave_both_decide_nothing(text: str) -> None:
    assert keras_version({"requirements.txt": text}, {}) == (3, "nothing in the repository says otherwise")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("os.environ['TF_USE_LEGACY_KERAS'] = '1'\nimport tensorflow", 2),
        ("import tf_keras as keras", 2),
        ("from keras import ops, layers", 3),
        ("from keras.layers.advanced_activations import LeakyReLU", 2),
        ("opt = tf.keras.optimizers.Adam(lr=1e-3)", 2),
        ("opt = tf.keras.optimizers.Adam(1e-3)\nopt.minimize(loss, [w])", 2),
        ("opt = tf.keras.optimizers.Adam(1e-3)\nscipy.optimize.minimize(loss, w)", 3),
        ("opt = SGD(0.1, decay=1e-6)", 2),
        ("model.fit_generator(gen)", 2),
        ("generator_model.reset_states()", 2),
        ("metric.reset_states()", 3),
        ("x = layers.DenseFeatures(columns)(batch)", 2),
        ("m = tf.keras.metrics.MeanTensor()", 2),
        ("class DenseFeatures: pass\nDenseFeatures()", 3),
        ("layers.LSTM(3, batch_input_shape=(1, 2, 3))", 2),
        ("with tf.Session() as s: pass", 2),
        ("opt = tf.keras.optimizers.Adam(learning_rate=1e-3)\nlr = 3", 3),
        ("model.fit(x, y)", 3),
    ],
)
def test_the_code_decides(text: str, version: int) -> None:
    assert keras_version({}, {"train.py": text})[0] == version


def test_a_statement_outweighs_requirements_and_they_outweigh_spellings() -> None:
    assert keras_version({"requirements.txt": "tensorflow==2.17"}, {"a.py": "import tf_keras"})[0] == 2
    assert keras_version({"requirements.txt": "tensorflow==2.17"}, {"a.py": "Adam(lr=1)"})[0] == 3


@pytest.mark.parametrize(
    "path",
    [
        "requirements.txt",
        "sub/requirements-dev.txt",
        "requirements/base.txt",
        "setup.py",
        "pyproject.toml",
        "environment.yml",
    ],
)
def test_manifests_are_known(path: str) -> None:
    assert MANIFEST.search(path)


@pytest.mark.parametrize("path", ["my_setup.py", "notes.txt", "setup.py.bak"])
def test_other_files_are_no_manifests(path: str) -> None:
    assert not MANIFEST.search(path)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("d.compile(loss='mse')\nd.trainable = False\ng.compile()\nd.train_on_batch(x, y)\n", 2),
        ("self.d.compile()\nself.d.trainable=False\nself.d.train_on_batch(x, y)\n", 2),
        ("d.compile()\nd.trainable = False\nd.trainable = True\nd.train_on_batch(x, y)\n", 3),
        ("base.trainable = False\nd.compile()\nd.train_on_batch(x, y)\n", 3),
        ("d.compile()\nd.trainable = False\nd.fit(x, y)\n", 3),
    ],
)
def test_what_keras_3_would_not_train_was_written_for_keras_2(text: str, version: int) -> None:
    assert keras_version({}, {"gan.py": text})[0] == version
