"""Settings that a parameter holds: an object or a dict of them."""

from __future__ import annotations

from tests.facts.programs import check


def test_what_an_object_holds_goes_by_its_name() -> None:
    check("""
        from dataclasses import dataclass, field

        @dataclass
        class Settings:
            units: int
            rate: float = 0.1
            deep: bool = False
            act: str = "relu"
            sizes: list = field(default_factory=list)

        def build(settings):
            a = settings.units  # int settings.units
            b = settings.rate * 2  # float settings.rate * 2
            c = settings.deep  # bool settings.deep
            d = settings.act  # 'relu'
            e = settings.sizes  # unknown
            return a, b, c, d, e

        build(Settings(8))
        build(Settings(units=6, rate=0.5))
        """)


def test_a_class_with_a_constructor_is_an_object_of_settings_too() -> None:
    check("""
        class Settings:
            width = 3

            def __init__(self, units=8):
                self.units = units

        def build(s):
            a = s.units  # int s.units
            b = s.width  # int s.width
            return a, b

        build(Settings())
        """)


def test_what_objects_say_otherwise_is_open() -> None:
    check("""
        class Settings:
            def __init__(self, act):
                self.act = act

        def build(s):
            a = s.act  # str s.act
            return a

        build(Settings("relu"))
        build(Settings("tanh"))
        """)


def test_what_a_dict_holds_goes_by_its_key() -> None:
    check("""
        def build(config):
            a = config["units"]  # int config["units"]
            b = config["inner"]["rate"]  # float config["inner"]["rate"]
            return a, b

        build({"units": 8, "inner": {"rate": 0.1}})
        """)


def test_a_dataclass_has_what_it_is_made_with() -> None:
    check("""
        from dataclasses import dataclass

        @dataclass
        class Settings:
            units: int = 3
            rate: float = 0.1

        settings = Settings(5)
        a = settings.units  # 5
        b = settings.rate  # 0.1
        """)


def test_what_a_function_counts_up_to_is_a_number() -> None:
    check("""
        import numpy as np
        import tensorflow as tf

        def angles(positions, size):
            rates = 1 / np.power(10000, (2 * (np.arange(size) // 2)) / np.float32(size))  # Nany[size]
            return positions * rates

        def steps(count, other):
            a = count  # int count
            b = other  # unknown other
            for _ in range(count):
                pass
            return a, b
        """)


def test_vocabularies_of_a_tokenizer() -> None:
    check("""
        import tensorflow as tf

        def start(tokenizer):
            a = tokenizer.word_index["<start>"]  # int
            b = tokenizer.index_word[3]  # str
            return a, b
        """)
