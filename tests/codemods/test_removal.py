"""Set-up lines and contexts that say nothing in PyTorch, in whole files: nothing of them is left."""

from __future__ import annotations

import textwrap

import pytest

from tests.codemods.training_support import draft

HEAD = "import tensorflow as tf\n\n"


def text(source: str) -> str:
    made = draft(HEAD + textwrap.dedent(source))
    assert made.declines == ()
    return made.text.strip("\n")


def why(source: str) -> str:
    return "; ".join(d.reason for d in draft(HEAD + textwrap.dedent(source)).declines)


def test_memory_growth_goes_with_all_around_it() -> None:
    assert (
        text("""
        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            try:
                for gpu in gpus:
                    tf.config.experimental.set_memory_growth(gpu, True)
            except RuntimeError as error:
                print(error)
        tf.keras.backend.clear_session()
        print("ready")
        """)
        == 'print("ready")'
    )


def test_a_list_that_is_read_stays() -> None:
    source = """
        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        print(len(gpus))
        """
    made = text(source)
    assert made.startswith("gpus = [torch.device(")
    assert "for" not in made.splitlines()[1]
    assert made.endswith("print(len(gpus))")


def test_a_block_left_empty_has_pass() -> None:
    assert (
        text("""
        def setup():
            tf.config.run_functions_eagerly(True)
        """)
        == "def setup():\n    pass"
    )


def test_an_else_that_says_nothing_goes() -> None:
    made = text("""
        def setup(fast):
            if fast:
                print("fast")
            else:
                tf.config.run_functions_eagerly(True)
        """)
    assert made == 'def setup(fast):\n    if fast:\n        print("fast")'


def test_a_condition_that_acts_stays() -> None:
    made = text("""
        def setup():
            if ask():
                tf.config.run_functions_eagerly(True)
        """)
    assert made == "def setup():\n    if ask():\n        pass"


def test_comments_of_what_goes_stand_above_what_follows() -> None:
    made = text("""
        def f(x):
            # where it runs
            with tf.name_scope("a"):  # the first
                # twice
                y = 2 * x
            return y
        """)
    assert made == "def f(x):\n    # where it runs\n    # the first\n    # twice\n    y = 2 * x\n    return y"


def test_scopes_around_training() -> None:
    made = text("""
        def train(model, x, y, optimizer):
            with tf.name_scope("step"), tf.name_scope("inner"):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(model(x) - y))
                grads = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(grads, model.trainable_variables))
        """)
    assert "with" not in made
    assert "loss.backward()" in made


@pytest.mark.parametrize(
    "decorator",
    [
        "tf.function",
        "tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)], jit_compile=True)",
        "tf.autograph.experimental.do_not_convert",
    ],
)
def test_decorators_of_graphs_go_with_their_arguments(decorator: str) -> None:
    source = f"@{decorator}\n@keep\ndef f(x):\n    return tf.square(x)\n"
    assert text(source) == "@keep\ndef f(x):\n    return torch.square(x)"


def test_registration_for_saving_goes() -> None:
    source = "@tf.keras.utils.register_keras_serializable(package='p')\nclass Plain:\n    size = 3\n"
    assert text(source) == "class Plain:\n    size = 3"


def test_dependencies_that_do_something_stay_as_statements() -> None:
    made = text("""
        def f(x):
            with tf.control_dependencies([tf.debugging.assert_equal(x.shape[0], 3)]):
                return tf.square(x)
        """)
    assert made.splitlines()[1].strip().startswith("torch._assert(x.shape[0] == 3")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('with tf.name_scope("a") as scope:\n    print(scope)\n', "`scope` is used inside of the context"),
        ("with tf.name_scope(make()):\n    print(1)\n", "`name` may do something when it is evaluated"),
        ('scope = tf.name_scope("a")\n', "a context that no `with` opens"),
        ('with tf.name_scope("a"): print(1)\n', "a context with its block on one line"),
    ],
)
def test_declines(source: str, reason: str) -> None:
    assert reason in why(source)
