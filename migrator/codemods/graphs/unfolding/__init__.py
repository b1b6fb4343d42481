"""Files whose graphs are spread over helper functions and dictionaries, with these written out where they are used.

What comes out is a TensorFlow 1 program that builds the very same graph.
"""

from migrator.codemods.graphs.unfolding.unfold import Unfolded, unfolded

__all__ = ["Unfolded", "unfolded"]
