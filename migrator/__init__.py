"""Migrate TensorFlow/Keras repositories to PyTorch, proven equal by execution."""

__version__ = "0.1.0"
