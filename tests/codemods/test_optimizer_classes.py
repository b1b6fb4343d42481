"""Optimizer classes of a repository: the same steps across a change of the rate, and what is no class of torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from tests.codemods.optimizer_sources import ADAM, SIGNS, SLOTS  # noqa: E402
from tests.codemods.training_support import HEAD, draft, torch_module  # noqa: E402

START = np.linspace(-1.0, 1.0, 6, dtype="float32").reshape(2, 3)
GRADIENTS = np.random.default_rng(0).normal(size=(12, 2, 3)).astype("float32")


def made(text: str, call: str) -> Any:
    """The draft of a class that a function of the file makes an object of."""
    return draft(f"{HEAD}{text}\ndef make():\n    return {call}\n", leave=("make",))


def ours(text: str, call: str, change: float) -> list[Any]:
    found = made(text, call)
    assert found.declines == ()
    scope = torch_module(found, "")
    parameter, other = torch.nn.Parameter(torch.tensor(START)), torch.nn.Parameter(torch.ones(3))
    scope["parameters"] = [parameter, other]  # the second gets no gradient, and stays
    optimizer = eval(call.replace("(", "(parameters, ", 1), scope)
    steps = []
    for step, gradient in enumerate(GRADIENTS):
        if step == 6:
            optimizer.param_groups[0]["lr"] *= change
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        steps.append(parameter.detach().clone().numpy())
    assert (other == 1).all()
    return steps


def theirs(text: str, call: str, change: float, api: Any) -> list[Any]:
    import tensorflow as tf

    scope: dict[str, Any] = {"tf": tf, "keras": api}
    exec(text.replace("tf.keras", "keras"), scope)
    optimizer, variable, steps = eval(call, scope), tf.Variable(START), []
    for step, gradient in enumerate(GRADIENTS):
        if step == 6:
            optimizer.learning_rate = float(np.asarray(optimizer.learning_rate)) * change
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        steps.append(variable.numpy())
    return steps


@pytest.mark.parametrize(
    ("text", "call"),
    [(SIGNS, "Signs(0.1)"), (SIGNS, "Signs(learning_rate=0.1, momentum=0.5)"), (ADAM, "Moments(0.01)")],
)
def test_steps_are_those_of_keras(text: str, call: str) -> None:
    np.testing.assert_allclose(ours(text, call, 0.1), theirs(text, call, 0.1, keras), rtol=2e-5, atol=1e-6)


def test_steps_are_those_of_keras_2() -> None:
    older = pytest.importorskip("tf_keras")
    np.testing.assert_allclose(
        ours(SLOTS, "Heavy(0.1)", 0.1), theirs(SLOTS, "Heavy(0.1)", 0.1, older), rtol=2e-5, atol=1e-6
    )


def test_a_wrong_momentum_is_told_apart() -> None:
    assert not np.allclose(ours(SIGNS, "Signs(0.1)", 0.1), theirs(SIGNS, "Signs(0.1, 0.5)", 0.1, keras))


def test_the_class_reads_as_torch_has_it() -> None:
    text = made(SIGNS, "Signs()").text
    assert text.strip() == TORCH.strip()


TORCH = '''
class Signs(torch.optim.Optimizer):
    """Steps by the sign of the momentum."""

    def __init__(self, params, learning_rate=0.01, momentum=0.9):
        super().__init__(params, {"lr": learning_rate})
        self.momentum = momentum

    @torch.no_grad()
    def step(self, closure=None):
        """Moves one parameter."""
        for group in self.param_groups:
            for variable in (p for p in group["params"] if p.grad is not None):
                gradient = variable.grad
                state = self.state[variable]
                if not state:
                    state["momentum"] = torch.zeros_like(variable)
                lr = group["lr"]
                m = state["momentum"]
                m.copy_(self.momentum * m + (1 - self.momentum) * gradient)
                variable.sub_(lr * torch.sign(m))  # the sign alone
'''


def test_an_object_of_the_class_is_given_the_parameters() -> None:
    uses = """
def main(model, x, y):
    optimizer = Signs(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), clipnorm=1.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


main(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), tf.ones((2, 3)), tf.ones((2, 1)))
"""
    text = draft(HEAD + SIGNS + uses).text
    assert "optimizer = Signs(model.parameters(), 1.0)" in text
    assert "LambdaLR(optimizer, lambda step: 0.1 * 0.5 ** (step / 2))" in text
    assert "clip_grad_norm_(p, max_norm=1.0)" in text


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("learning_rate=learning_rate, name", "name", "learning rate of an optimizer is not given"),
        ("name=name, **", "clipnorm=1.0, **", "base class is given `clipnorm`"),
        ('name="momentum"))', 'name="momentum", initializer="ones"))', "does not begin with zeros"),
        ('name="momentum"))', "name=variable.name))", "without a constant name"),
        ("self.momentums = []", "self.momentums = []\n        self.total = 0", "more than to make states"),
        ("tf.sign(m)", "tf.sign(m) * len(self.variables)", "`variables` of Keras's optimizers"),
        ("        m.assign(", "        if lr == 0:\n            return\n        m.assign(", "ends early"),
        ("update_step", "other_step", "uses what Keras's base class has"),
        ("= momentum\n", "= momentum\n        self.other = kwargs\n", "is read by an optimizer"),
        ("gradient, variable", "state, variable", "its own `state`"),
    ],
)
def test_what_is_declined(old: str, new: str, reason: str) -> None:
    assert old in SIGNS
    found = made(SIGNS.replace(old, new), "Signs()")
    assert any(reason in decline.reason for decline in found.declines), found.declines


def test_a_constructor_is_not_given_what_it_does_not_take() -> None:
    uses = "\nmodel = build_model()\nmodel.compile(Signs(0.1, beta=1.0), 'mse')\nmodel.fit(np.ones((2, 3)))\n"
    model = "\ndef build_model():\n    return keras.Sequential([keras.Input((3,)), layers.Dense(1)])\n"
    found = draft(HEAD + SIGNS + model + uses)
    assert any("argument `beta` of an optimizer" in decline.reason for decline in found.declines), found.declines
