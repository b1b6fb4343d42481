"""Sizes that only the data of a script say, as text that is valid where a layer is made."""

from __future__ import annotations

import textwrap

from migrator.facts import analyse
from tests.facts.programs import check, facts_of, render, site

HEAD = """
import numpy as np
import other
from tensorflow import keras
from tensorflow.keras import layers
"""


def first_input(source: str, text: str) -> str:
    """The input of the layer that the call reading `text` makes, in a file that begins with the imports."""
    source = HEAD + textwrap.dedent(source)
    use = facts_of(source).layer("m", site(source, text))
    return "nothing" if use is None else ", ".join(map(render, use.inputs))


def test_sizes_are_read_off_variables_of_a_script() -> None:
    check("""
        import other
        data = other.load()
        a = data.shape[1]  # unknown data.shape[1]
        b = len(data)  # int len(data)
        c = data.shape[1:]  # shape
        d = a * 2 + 1  # unknown a * 2 + 1
        e = c[-1]  # int c[-1]
        """)


def test_the_last_binding_counts() -> None:
    source = """
        data = other.load()
        data = other.scaled(data)
        model = keras.Sequential([layers.Dense(3, input_shape=data.shape[1:])])
        """
    assert first_input(source, "layers.Dense(3, input_shape=data.shape[1:])") == "Kfloat32[..., data.shape[-1]]"


def test_a_size_is_that_of_where_the_layer_is_made() -> None:
    source = """
        data = other.load()
        model = keras.Sequential([layers.Dense(3, input_shape=(data.shape[1],))])
        data = other.more(data)
        """
    assert first_input(source, "layers.Dense(3, input_shape=(data.shape[1],))") == "Kfloat32[?, data.shape[1]]"
    looped = """
        for part in other.parts():
            model = keras.Sequential([layers.Dense(3, input_dim=part.shape[1])])
        """
    assert first_input(looped, "layers.Dense(3, input_dim=part.shape[1])") == "Kfloat32[?, part.shape[1]]"


def test_what_a_variable_said_before_it_was_bound_again_is_forgotten() -> None:
    check("""
        import other
        data = other.load()
        rows = [data.shape[1]]
        a = rows  # [unknown data.shape[1]]
        data = other.more(data)
        b = rows  # [unknown]
        """)
    source = """
        data = other.load()
        shape = (data.shape[1],)
        data = other.more(data)
        model = keras.Sequential([layers.Dense(3, input_shape=shape)])
        """
    assert first_input(source, "layers.Dense(3, input_shape=shape)") == "Kfloat32[?, ?]"


def test_a_variable_that_functions_assign_says_nothing() -> None:
    source = """
        data = other.load()
        def grow():
            global data
            data = other.more(data)
        model = keras.Sequential([layers.Dense(3, input_dim=data.shape[1])])
        """
    assert first_input(source, "layers.Dense(3, input_dim=data.shape[1])") == "nothing"


def test_what_a_model_is_trained_on_tells_its_input() -> None:
    source = """
        x, y = other.load()
        model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, y)
        model.predict(other.load())
        """
    assert first_input(source, "layers.Dense(3)") == "float32[..., x.shape[-1]]"


def test_later_data_are_other_names_for_the_same_sizes() -> None:
    source = """
        x, y = np.zeros((20, other.n)), other.load()
        z = np.zeros((20, other.m))
        model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, y)
        model.predict(z)
        """
    assert first_input(source, "layers.Dense(3)") == "float32[?, x.shape[1]]"
    declared = """
        names = sorted(other.load())
        x = np.zeros((20, 7, len(names)))
        z = np.zeros((20, 7, other.n))
        model = keras.Sequential([layers.LSTM(3, input_shape=(7, len(names))), layers.Dense(1)])
        model.fit(x, x)
        model.predict(z)
        """
    text = "layers.LSTM(3, input_shape=(7, len(names)))"
    assert first_input(declared, text) == "float32[?, 7, len(names)]"


def test_batches_and_data_that_come_later_tell_nothing() -> None:
    alone = """
        batches = other.load()
        model = keras.Sequential([layers.Dense(3)])
        model.fit(batches)
        """
    assert first_input(alone, "layers.Dense(3)") == "nothing"
    late = """
        model = keras.Sequential([layers.Dense(3)])
        x, y = other.load()
        model.fit(x, y)
        """
    assert first_input(late, "layers.Dense(3)") == "float32[...]"
    again = """
        x, y = other.load()
        model = keras.Sequential([layers.Dense(3)])
        x = other.more(x)
        model.fit(x, y)
        """
    assert first_input(again, "layers.Dense(3)") == "float32[...]"
    changed = """
        x, y = other.load()
        model = keras.Sequential([layers.Dense(3)])
        x["more"] = 1
        model.fit(x, y)
        """
    assert first_input(changed, "layers.Dense(3)") == "float32[...]"


def test_functions_see_the_variables_of_their_file() -> None:
    source = """
        data = other.load()
        data = other.scaled(data)
        def build():
            return keras.Sequential([layers.Dense(3, input_dim=data.shape[1])])
        def build_other(other):
            return keras.Sequential([layers.Dense(4, input_dim=width)])
        def build_own(data):
            return keras.Sequential([layers.Dense(5, input_dim=width)])
        width = len(data)
        """
    assert first_input(source, "layers.Dense(3, input_dim=data.shape[1])") == "Kfloat32[?, data.shape[1]]"
    assert first_input(source, "layers.Dense(4, input_dim=width)") == "Kfloat32[?, width]"
    assert first_input(source, "layers.Dense(5, input_dim=width)") == "Kfloat32[?, width]"


def test_another_name_hides_a_variable() -> None:
    source = """
        width = other.load()
        size = width + 1
        def build(size):
            width = 3
            return keras.Sequential([layers.Dense(width, input_dim=total)])
        total = size * 2
        """
    assert first_input(source, "layers.Dense(width, input_dim=total)") == "Kfloat32[?, total]"
    hidden = source.replace("total = size", "Total = size").replace("=total", "=TOTAL * width").replace("3", "other.n")
    assert "TOTAL" not in first_input(hidden, "layers.Dense(width, input_dim=TOTAL * width)")


def test_names_of_other_files_stay_there() -> None:
    facts = analyse({"data": "import other\nx = other.load()\n", "m": "import data\na = data.x\n"})
    assert render(facts.modules["m"].at(site("import data\na = data.x\n", "data.x"))) == "unknown"
