"""Trained weights of the original, carried over to the migrated program."""

from migrator.weights.carry import Carried, carry

__all__ = ["Carried", "carry"]
