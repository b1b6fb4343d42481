"""The set `docs`: the examples in the docstrings of the installed TensorFlow and Keras.

Nobody here wrote them, and nothing of them is kept: they are read at run time in the sandbox. Each
block becomes a program, the rules rewrite it, both are run and every value that is shown or bound
is compared.
"""

from __future__ import annotations

from migrator.evals.docs.run import run_docs

__all__ = ["run_docs"]
