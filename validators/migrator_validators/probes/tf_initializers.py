"""Seeds of Keras's initialisers, which say nothing to another framework."""

from __future__ import annotations

import functools
from typing import Any

from .tf_exports import LEGACY, keras_package


def install() -> None:
    """Initialisers draw anew at every call, from seeds that Python's generator gives.

    One that was given a seed, or was made when its module was imported, would start at the same values whatever
    the seed of the check: its distribution is what can be compared.
    """
    if LEGACY:
        generator = keras_package().src.backend.RandomGenerator
        original = generator.__init__

        @functools.wraps(original)
        def unseeded(self: Any, seed: Any = None, rng_type: Any = None, **kwargs: Any) -> None:
            original(self, None if rng_type == "stateless" else seed, rng_type=rng_type, **kwargs)

        generator.__init__ = unseeded
        return
    source = keras_package().src
    made = source.random.seed_generator.make_default_seed
    base = source.initializers.random_initializers.RandomInitializer
    base.seed = property(lambda self: made(), lambda self, value: None)
