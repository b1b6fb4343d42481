"""TensorFlow 1: graphs and the sessions that run them, written as modules and plain code."""

from migrator.codemods.graphs.files import modern, modern_files
from migrator.codemods.graphs.folding import cuts, folded
from migrator.codemods.graphs.modern import Modern

__all__ = ["Modern", "cuts", "folded", "modern", "modern_files"]
