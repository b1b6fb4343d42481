"""What a call leaves behind beside its result: plain attributes of its object, and containers that its caller passed.

Plain are numbers, texts, arrays of NumPy, tensors without axes, and containers of nothing else; weights are compared
elsewhere.
"""

from __future__ import annotations

import collections
import copy
import pickle
from typing import Any, Callable, Dict, List

import numpy as np

from . import wire

LARGEST = 100_000
"""Numbers of one attribute that are looked at."""

LIBRARIES = ("tensorflow", "torch")
DATA = (bool, int, float, str, bytes)
COPIED = (*DATA, list, tuple, dict, collections.deque, np.ndarray)


class NotPlain(Exception):
    """Something in it has no value of its own."""


class Left:
    """What there was before a call, and what is different afterwards. `owner`: the object whose method is called."""

    def __init__(self, owner: Any, containers: List[Any]) -> None:
        self.owner, self.containers = owner, containers
        self.before = self._places()

    def changed(self) -> bool:
        """Whether anything is another than before."""
        return any(self._differs(name, value) for name, value in self._places().items())

    def keep(self) -> Callable[[], None]:
        """What puts the plain attributes of the object back, as they are now.

        Those that are new then go, unless there are others among them, such as layers that a first call makes.
        """
        held = getattr(self.owner, "__dict__", {})
        own = [name for name in held if "attribute %s" % name in self.before and type(held[name]) in COPIED]
        kept = {name: copy.deepcopy(held[name]) for name in own}
        names = set(held)

        def put_back() -> None:
            more = [name for name in held if name not in names]
            if all(type(held[name]) in COPIED for name in more):
                for name in more:
                    del held[name]
            held.update(kept)

        return put_back

    def told(self, sink: wire.Sink) -> Dict[str, Any]:
        """For the report: what there is now by place, and the places where there was something else before."""
        now = self._places()
        changed = [name for name, value in now.items() if self._differs(name, value)]
        return {"now": {name: wire.encode(pickle.loads(v), sink) for name, v in now.items()}, "changed": changed}

    def _differs(self, name: str, value: bytes) -> bool:
        return self.before.get(name) != value

    def _places(self) -> Dict[str, bytes]:
        names = getattr(self.owner, "__dict__", {})
        found = {"attribute %s" % name: value for name, value in names.items() if not name.startswith("_")}
        found.update({"container %d" % i: value for i, value in enumerate(self.containers)})
        return {name: made for name, made in ((n, _pickled(v)) for n, v in found.items()) if made}


def _pickled(value: Any) -> bytes:
    """A plain value, as it is now; nothing for any other."""
    try:
        return pickle.dumps(_plain(value, [LARGEST]))
    except NotPlain:
        return b""


def _plain(value: Any, room: List[int]) -> Any:
    """Numbers of a library as Python's, other lists as lists. `room`: how many numbers there may be."""
    room[0] -= int(np.size(value)) if isinstance(value, np.ndarray) else 1
    if room[0] < 0:
        raise NotPlain
    if isinstance(value, (list, tuple, collections.deque)):
        items = [_plain(item, room) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {str(name): _plain(item, room) for name, item in value.items()}
    if value is None or type(value) in DATA:
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fiub":
        return value.item() if value.ndim == 0 else value
    return _number(value)


def _number(value: Any) -> Any:
    """The number that a tensor without axes holds."""
    if type(value).__module__.split(".")[0] not in LIBRARIES:  # others may do anything when they are asked
        raise NotPlain
    learns = getattr(value, "requires_grad", False) or hasattr(value, "assign")
    if wire.tensor_kind(value) != "tensor" or learns or len(value.shape):
        raise NotPlain
    return wire.plain(value).item()
