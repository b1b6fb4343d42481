"""Which optimizers of the program made a step: they are values, which no call of a function shows."""

import os
import sys
from typing import Any, Callable, Iterator, List

from torch.optim.optimizer import register_optimizer_step_post_hook

STEPPED: List[Any] = []


def watch(counts: Callable[[], bool]) -> None:
    """Note every optimizer that makes a step from now on, while steps count."""

    def note(optimizer: Any, args: Any, kwargs: Any) -> None:
        if counts() and all(known is not optimizer for known in STEPPED):
            STEPPED.append(optimizer)

    register_optimizer_step_post_hook(note)


def names(root: str) -> Iterator[str]:
    """Those that are variables of the program's modules, as "file:name"."""
    top = root.rstrip(os.sep) + os.sep
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.startswith(top):
            for name, value in list(vars(module).items()):
                if any(value is known for known in STEPPED):
                    yield "%s:%s" % (os.path.relpath(path, root), name)
