"""The training kind: a right counterpart passes, wrong ones fail at the rung that is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrator_validators.cases import Array as ArrayArg
from migrator_validators.cases import Batches, Call, Case, Lit, Made, WeightMap, WeightPair
from migrator_validators.training import check_training
from migrator_validators.workers import Reply, Workers

from migrator.model import Outcome, Rung, Verdict
from tests.validators import training_programs as programs

SOURCES: dict[str, dict[str, Reply]] = {}


def check(workers: Workers, target: str, optimizer: str = "sgd", gaps: tuple[str, ...] = ()) -> dict[Rung, Verdict]:
    """Verdicts by rung; the source runs once an optimizer."""
    verdicts = check_training(
        programs.case(gaps),
        {"program.py": programs.source(optimizer)},
        {"program.py": target},
        workers,
        sources=SOURCES.setdefault(optimizer, {}),
    )
    return {v.rung: v for v in verdicts}


def test_a_right_program_passes_but_for_the_documented_gap(workers: Workers) -> None:
    verdicts = check(workers, programs.target("sgd"), gaps=("batchnorm-variance",))
    assert verdicts[Rung.GRADIENTS].outcome is Outcome.PASS
    assert verdicts[Rung.STEPS].outcome is Outcome.PASS
    assert "after step 3" in verdicts[Rung.STEPS].detail
    assert verdicts[Rung.TRAINING].outcome is Outcome.GAP
    figures = dict(verdicts[Rung.TRAINING].measured)
    assert figures["gap removed"] < 1e-4 < figures["as shipped"]


def test_without_the_documented_gap_the_same_difference_is_a_failure(workers: Workers) -> None:
    assert check(workers, programs.target("sgd"))[Rung.TRAINING].outcome is Outcome.FAIL


def test_adam_passes_with_its_gaps(workers: Workers) -> None:
    verdicts = check(workers, programs.target("adam"), "adam", ("adam-epsilon", "batchnorm-variance"))
    assert {v.outcome for v in verdicts.values()} <= {Outcome.PASS, Outcome.GAP}


def test_a_wrong_epsilon_fails(workers: Workers) -> None:
    wrong = programs.target("adam").replace("eps=1e-7", "eps=1e-8")
    verdict = check(workers, wrong, "adam", ("adam-epsilon", "batchnorm-variance"))[Rung.STEPS]
    assert verdict.outcome is Outcome.FAIL
    assert "epsilon" in verdict.detail


@pytest.mark.parametrize("name", programs.MUTANTS)
def test_a_wrong_program_fails_at_its_rung(workers: Workers, name: str) -> None:
    old, new, rung = programs.MUTANTS[name]
    right = programs.target("sgd")
    assert old in right
    verdicts = check(workers, right.replace(old, new), gaps=("batchnorm-variance",))
    first = next(v for v in verdicts.values() if v.outcome is not Outcome.PASS)
    assert (first.rung, first.outcome) == (Rung(rung), Outcome.FAIL), first


def test_a_target_that_raises_fails_with_its_line(workers: Workers) -> None:
    wrong = programs.target("sgd").replace("loss.backward()", "loss.backwards()")
    verdicts = check(workers, wrong)
    assert verdicts[Rung.STEPS].outcome is Outcome.FAIL
    assert "program.py:" in verdicts[Rung.STEPS].detail


def test_a_target_that_cannot_be_imported_fails_at_imports(workers: Workers) -> None:
    verdicts = check(workers, "import tensorflow\n" + programs.target("sgd"))
    assert verdicts[Rung.IMPORTS].outcome is Outcome.FAIL


def test_a_wrong_weight_map_fails_at_weights(workers: Workers) -> None:
    pairs = programs.MAP.pairs[:-1]
    case = programs.case(weights=WeightMap(pairs=pairs))
    source, target = {"program.py": programs.source("sgd")}, {"program.py": programs.target("sgd")}
    (verdict,) = check_training(case, source, target, workers)
    assert (verdict.rung, verdict.outcome) == (Rung.WEIGHTS, Outcome.FAIL)


def test_a_source_that_raises_says_nothing_of_the_target(workers: Workers) -> None:
    source = {"program.py": programs.source("sgd").replace("sparse_categorical_crossentropy", "no_such_loss")}
    (verdict,) = check_training(programs.case(), source, {"program.py": programs.target("sgd")}, workers)
    assert (verdict.rung, verdict.outcome) == (Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE)


def test_a_source_without_steps_cannot_be_verified(workers: Workers) -> None:
    source = {"program.py": programs.source("sgd").replace("epochs=epochs", "epochs=0")}
    (verdict,) = check_training(programs.case(), source, {"program.py": programs.target("sgd")}, workers)
    assert verdict.outcome is Outcome.UNVERIFIABLE


LOOP_SOURCE = """
import tensorflow as tf
from tensorflow import keras


def make(units, out):
    return keras.Sequential([keras.Input((units,)), keras.layers.Dense(out, activation="tanh")])


class GAN:
    def __init__(self, generator, discriminator):
        self.generator = generator
        self.discriminator = discriminator
        self.g_optimizer = keras.optimizers.SGD(0.1)
        self.d_optimizer = keras.optimizers.SGD(0.2)

    @tf.function
    def train_step(self, real, noise):
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(noise, training=True)
            d_fake = tf.reduce_mean(self.discriminator(fake, training=True))
            d_loss = d_fake - tf.reduce_mean(self.discriminator(real, training=True))
            g_loss = -d_fake
        g_vars, d_vars = self.generator.trainable_variables, self.discriminator.trainable_variables
        g_grads, d_grads = tape.gradient(g_loss, g_vars), tape.gradient(d_loss, d_vars)
        self.g_optimizer.apply_gradients(zip(g_grads, g_vars))
        self.d_optimizer.apply_gradients(zip(d_grads, d_vars))
        return g_loss, d_loss

    def train(self, dataset, epochs):
        losses = []
        for _ in range(epochs):
            for real in dataset:
                noise = tf.random.normal([tf.shape(real)[0], 3])
                g_loss, d_loss = self.train_step(real, noise)
                losses.append((float(g_loss), float(d_loss)))
        return losses
"""

LOOP_TARGET = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, units, out):
        super().__init__()
        self.fc = nn.Linear(units, out)

    def forward(self, x):
        return torch.tanh(self.fc(x))


def make(units, out):
    return Model(units, out)


class GAN:
    def __init__(self, generator, discriminator):
        self.generator = generator
        self.discriminator = discriminator
        self.g_optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
        self.d_optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.2)

    def train_step(self, real, noise):
        fake = self.generator(noise)
        d_fake = self.discriminator(fake).mean()
        d_loss = d_fake - self.discriminator(real).mean()
        g_loss = -d_fake
        g_params, d_params = list(self.generator.parameters()), list(self.discriminator.parameters())
        g_grads = torch.autograd.grad(g_loss, g_params, retain_graph=True)
        d_grads = torch.autograd.grad(d_loss, d_params)
        for param, grad in zip(g_params + d_params, g_grads + d_grads):
            param.grad = grad
        self.g_optimizer.step()
        self.d_optimizer.step()
        return g_loss.detach(), d_loss.detach()

    def train(self, loader, epochs):
        losses = []
        for _ in range(epochs):
            for real in loader:
                noise = torch.randn(len(real), 3)
                g_loss, d_loss = self.train_step(real, noise)
                losses.append((float(g_loss), float(d_loss)))
        return losses
"""

DENSE = WeightMap(
    pairs=(
        WeightPair(source="weights[0]", target="fc.weight", transform="T"),
        WeightPair(source="weights[1]", target="fc.bias"),
    )
)


def gan_case() -> Case:
    def model(label: str, units: int, out: int) -> Made:
        call = Call(source="program:make", args=(Lit(value=units), Lit(value=out)))
        return Made(label=label, call=call, map=DENSE)

    models = (model("generator", 3, 4), model("discriminator", 4, 1))
    gan = Made(label="gan", call=Call(source="program:GAN", args=models), weights=False)
    data = Batches(element=ArrayArg(shape=(8, 4)), sizes=(5, 5, 2))
    return Case(id="gan", kind="training", call=Call(source="train", on=gan, args=(data, Lit(value=2))))


@pytest.mark.parametrize(
    ("old", "new", "rung"),
    [
        ("", "", None),
        ("lr=0.2", "lr=0.1", Rung.STEPS),
        ("g_loss = -d_fake", "g_loss = -2 * d_fake", Rung.GRADIENTS),
        ("torch.randn(len(real), 3)", "torch.rand(len(real), 3)", Rung.GRADIENTS),
        ("        self.d_optimizer.step()\n", "", Rung.STEPS),
    ],
    ids=["right", "rate", "loss", "noise", "one optimizer"],
)
def test_two_optimizers_in_a_loop_of_its_own(workers: Workers, old: str, new: str, rung: Rung | None) -> None:
    target = LOOP_TARGET.replace(old, new) if old else LOOP_TARGET
    verdicts = check_training(
        gan_case(), {"program.py": LOOP_SOURCE}, {"program.py": target}, workers, sources=SOURCES.setdefault("gan", {})
    )
    failed = [v.rung for v in verdicts if v.outcome is not Outcome.PASS]
    assert failed[:1] == ([] if rung is None else [rung]), verdicts


def test_a_trainer_and_its_models_have_the_same_weights(workers: Workers) -> None:
    case = gan_case()
    (gan,) = [case.call.on]
    assert isinstance(gan, Made)
    parts = [("generator.fc.weight", 0), ("discriminator.fc.weight", 2)]
    pairs = [WeightPair(source=f"weights[{i}]", target=target, transform="T") for target, i in parts]
    pairs += [WeightPair(source=f"weights[{i + 1}]", target=target.replace("weight", "bias")) for target, i in parts]
    whole = gan.model_copy(update={"weights": True, "map": WeightMap(pairs=tuple(pairs))})
    case = case.model_copy(update={"call": case.call.model_copy(update={"on": whole})})
    verdicts = check_training(case, {"program.py": LOOP_SOURCE}, {"program.py": LOOP_TARGET}, workers)
    assert [v for v in verdicts if v.outcome is not Outcome.PASS] == []
    wrong = LOOP_TARGET.replace("g_loss = -d_fake", "g_loss = -2 * d_fake")
    verdicts = check_training(case, {"program.py": LOOP_SOURCE}, {"program.py": wrong}, workers)
    assert next(v.rung for v in verdicts if v.outcome is not Outcome.PASS) is Rung.GRADIENTS


INSIDE_SOURCE = """
import numpy as np
from tensorflow import keras


def run(x, y):
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    return model.predict(x, verbose=0), history.history["loss"]
"""

INSIDE_TARGET = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 4)
        self.fc2 = nn.Linear(4, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def run(x, y):
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(torch.as_tensor(x), torch.as_tensor(y)), batch_size=4, shuffle=True)
    losses = []
    for _ in range(2):
        total = 0.0
        for xb, yb in loader:
            loss = nn.functional.mse_loss(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        losses.append(total / len(x))
    with torch.no_grad():
        return model(torch.as_tensor(x)).numpy(), losses
"""


def inside_case() -> Case:
    pairs = [WeightPair(source=f"layers[{i}].kernel", target=f"fc{i + 1}.weight", transform="T") for i in (0, 1)]
    pairs += [WeightPair(source=f"layers[{i}].bias", target=f"fc{i + 1}.bias") for i in (0, 1)]
    x = ArrayArg(**{"as": "numpy"}, shape=(10, 3), seed=1)
    y = ArrayArg(**{"as": "numpy"}, shape=(10, 1), seed=2)
    call = Call(source="program:run", args=(x, y))
    return Case(id="inside", kind="training", call=call, weights=WeightMap(pairs=tuple(pairs)))


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ("torch.relu(self.fc1(x))", "self.fc1(x)"), (", shuffle=True", "")],
    ids=["right", "no activation", "not shuffled"],
)
@pytest.mark.parametrize("data", ["arrays", "dataset"])
def test_a_model_made_inside_starts_from_the_weights_of_the_source(
    workers: Workers, data: str, old: str, new: str
) -> None:
    source, target = INSIDE_SOURCE, INSIDE_TARGET.replace(old, new) if old else INSIDE_TARGET
    if data == "dataset":
        made = "tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10).batch(4).prefetch(1)"
        source = source.replace("x, y, batch_size=4", made).replace("import numpy as np", "import tensorflow as tf")
    verdicts = check_training(inside_case(), {"program.py": source}, {"program.py": target}, workers)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == (not old), verdicts


@pytest.mark.parametrize("activation", ["torch.relu(self.fc1(x))", "self.fc1(x)"], ids=["right", "no activation"])
def test_a_training_while_the_file_is_imported_is_none_of_the_call(workers: Workers, activation: str) -> None:
    below = '\n\nrun(np.ones((10, 3), "float32"), np.ones((10, 1), "float32"))\n'
    source = "import numpy as np\n" + INSIDE_SOURCE + below
    target = "import numpy as np\n" + INSIDE_TARGET.replace("torch.relu(self.fc1(x))", activation) + below
    verdicts = check_training(inside_case(), {"program.py": source}, {"program.py": target}, workers)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == ("relu" in activation), verdicts


@pytest.mark.parametrize("activation", ["torch.relu(self.fc1(x))", "self.fc1(x)"], ids=["right", "no activation"])
def test_lazy_modules_start_from_the_weights_of_the_source(workers: Workers, activation: str) -> None:
    lazy = INSIDE_TARGET.replace("nn.Linear(3, 4)", "nn.LazyLinear(4)").replace("nn.Linear(4, 1)", "nn.LazyLinear(1)")
    target = lazy.replace("torch.relu(self.fc1(x))", activation)
    verdicts = check_training(inside_case(), {"program.py": INSIDE_SOURCE}, {"program.py": target}, workers)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == ("relu" in activation), verdicts


GENERATOR_SOURCE = """
from tensorflow import keras


def batches(x, y):
    while True:
        for i in range(0, len(x), 4):
            yield x[i : i + 4], y[i : i + 4]


def run(x, y):
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(batches(x, y), steps_per_epoch=3, epochs=2, verbose=0)
    return model.predict(x, verbose=0), history.history["loss"]
"""


@pytest.mark.parametrize(("old", "new"), [("", ""), ("mse_loss", "l1_loss")], ids=["right", "another loss"])
def test_keras_2_trains_on_a_generator(workers: Workers, old: str, new: str) -> None:
    target = INSIDE_TARGET.replace(", shuffle=True", "")
    target = target.replace(old, new) if old else target
    verdicts = check_training(inside_case(), {"program.py": GENERATOR_SOURCE}, {"program.py": target}, workers, keras=2)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == (not old), verdicts


def test_stored_arrays_are_read_from_the_folder(workers: Workers, tmp_path: Path) -> None:
    import numpy as np

    x = np.random.default_rng(0).normal(size=(28, 6)).astype("float32")
    np.savez(tmp_path / "arrays.npz", x=x)
    case = programs.case(("batchnorm-variance",))
    stored = ArrayArg(**{"as": "numpy"}, shape=x.shape, npz="arrays.npz#x")
    call = case.call.model_copy(update={"args": (case.call.args[0], stored, case.call.args[2])})
    source, target = {"program.py": programs.source("sgd")}, {"program.py": programs.target("sgd")}
    verdicts = check_training(case.model_copy(update={"call": call}), source, target, workers, folder=tmp_path)
    assert not any(v.outcome is Outcome.FAIL for v in verdicts)


SCRIPT_SOURCE = """
import numpy as np
from tensorflow import keras

x = np.random.normal(size=(10, 3)).astype("float32")
y = np.random.normal(size=(10, 1)).astype("float32")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
print("loss", model.evaluate(x, y, verbose=0))
"""

SCRIPT_TARGET = """
import numpy as np
import torch
from torch import nn

x = torch.as_tensor(np.random.normal(size=(10, 3)).astype("float32"))
y = torch.as_tensor(np.random.normal(size=(10, 1)).astype("float32"))
model = nn.Sequential(nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(2):
    for xb, yb in zip(x.split(4), y.split(4)):
        loss = nn.functional.mse_loss(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print("loss", nn.functional.mse_loss(model(x), y).item())
"""


@pytest.mark.parametrize(("old", "new"), [("", ""), ("lr=0.01", "lr=0.02"), ("mse_loss", "l1_loss")])
def test_a_script_is_compared_as_a_whole(workers: Workers, old: str, new: str) -> None:
    pairs = (
        WeightPair(source="weights[0]", target="0.weight", transform="T"),
        WeightPair(source="weights[1]", target="0.bias"),
    )
    case = Case(id="script", kind="training", call=Call(source="script:__main__"), weights=WeightMap(pairs=pairs))
    target = SCRIPT_TARGET.replace(old, new) if old else SCRIPT_TARGET
    verdicts = check_training(case, {"script.py": SCRIPT_SOURCE}, {"script.py": target}, workers)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == (not old), verdicts


SEVERAL_SOURCE = """
import numpy as np
from tensorflow import keras


def make(units):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)])


def run(x, y):
    first = make(4)
    first.compile(keras.optimizers.SGD(0.05), "mse")
    first.fit(x, y, batch_size=4, epochs=2, verbose=0)
    second = make(5)
    second.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    second.fit(x, -y, batch_size=5, epochs=2, verbose=0)
    first.compile(keras.optimizers.SGD(0.02), "mae")
    tuned = first.fit(x, y, batch_size=4, epochs=1, verbose=0)
    return first.predict(x, verbose=0), second.predict(x, verbose=0), tuned.history["loss"]
"""

SEVERAL_TARGET = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make(units):
    return nn.Sequential(nn.Linear(3, units), nn.ReLU(), nn.Linear(units, 1))


def fit(model, optimizer, loss_fn, x, y, batch_size, epochs, shuffle=True):
    data = TensorDataset(torch.as_tensor(x), torch.as_tensor(y))
    loader = DataLoader(data, batch_size=batch_size, shuffle=shuffle)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for xb, yb in loader:
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        losses.append(total / len(x))
    return losses


def run(x, y):
    first = make(4)
    fit(first, torch.optim.SGD(first.parameters(), lr=0.05), nn.functional.mse_loss, x, y, 4, 2)
    second = make(5)
    optimizer = torch.optim.SGD(second.parameters(), lr=0.01, momentum=0.9)
    fit(second, optimizer, nn.functional.mse_loss, x, -y, 5, 2)
    tuned = fit(first, torch.optim.SGD(first.parameters(), lr=0.02), nn.functional.l1_loss, x, y, 4, 1)
    with torch.no_grad():
        return first(torch.as_tensor(x)).numpy(), second(torch.as_tensor(x)).numpy(), tuned
"""

SECOND = "    fit(second, optimizer, nn.functional.mse_loss, x, -y, 5, 2)\n"
THIRD = "    tuned = fit(first, torch.optim.SGD(first.parameters(), lr=0.02), nn.functional.l1_loss, x, y, 4, 1)\n"
SEVERAL_MUTANTS = {
    "right": ("", ""),
    "rate of the second": ("lr=0.01", "lr=0.02"),
    "other optimizer": (
        "SGD(second.parameters(), lr=0.01, momentum=0.9)",
        "SGD(second.parameters(), lr=0.01)",
    ),
    "data of the second": ("x, -y, 5, 2", "x, y, 5, 2"),
    "the second is not shuffled": ("x, -y, 5, 2", "x, -y, 5, 2, shuffle=False"),
    "the first is not shuffled": ("x, y, 4, 2)", "x, y, 4, 2, shuffle=False)"),
    "gradients are kept in the third": (THIRD, "    torch.optim.SGD.zero_grad = lambda self: None\n" + THIRD),
    "loss of the third": ("nn.functional.l1_loss", "nn.functional.mse_loss"),
    "another model is tuned": ("SGD(first.parameters(), lr=0.02)", "SGD(second.parameters(), lr=0.02)"),
    "tuned from the start": (THIRD, "    first = make(4)\n" + THIRD),
    "one left out": (SECOND, ""),
    "one too many": (SECOND, SECOND + SECOND),
    "order": (SECOND + THIRD, THIRD + SECOND),
}


@pytest.mark.parametrize("name", SEVERAL_MUTANTS)
def test_models_trained_one_after_another(workers: Workers, name: str) -> None:
    old, new = SEVERAL_MUTANTS[name]
    assert old in SEVERAL_TARGET
    x = ArrayArg(**{"as": "numpy"}, shape=(10, 3), seed=1)
    y = ArrayArg(**{"as": "numpy"}, shape=(10, 1), seed=2)
    case = Case(id="several", kind="training", call=Call(source="program:run", args=(x, y)))
    target = SEVERAL_TARGET.replace(old, new) if old else SEVERAL_TARGET
    sources = SOURCES.setdefault("several", {})
    verdicts = check_training(case, {"program.py": SEVERAL_SOURCE}, {"program.py": target}, workers, sources=sources)
    assert all(v.outcome is Outcome.PASS for v in verdicts) == (name == "right"), verdicts
    assert all(v.outcome in (Outcome.PASS, Outcome.FAIL) for v in verdicts), verdicts
