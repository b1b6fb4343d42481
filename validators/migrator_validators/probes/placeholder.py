"""A stand-in for TensorFlow in trees where some units are still TensorFlow.

Such a file imports TensorFlow, so a migrated unit in it could not be reached without one. While
modules are imported the stand-in swallows what top-level code does with it (attributes, calls,
decorators, base classes); once armed, every touch raises, so that a unit that was migrated cannot
lean on it unnoticed.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any, Iterator, List, Set, Tuple

ROOTS = ("tensorflow", "keras", "tf_keras", "tensorflow_addons", "tensorflow_probability", "tensorflow_datasets")
_state = {"armed": False}


class StillTensorFlow(Exception):
    """Code that runs touched something of TensorFlow."""


def _touch(name: str) -> None:
    if _state["armed"]:
        raise StillTensorFlow("TensorFlow was used: %s" % name)


class Base:
    """Stands where a class derives from something of TensorFlow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _touch(type(self).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        _touch(type(self).__name__)


class Anything:
    """Any attribute of the stand-in."""

    _name: str

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        _touch(self._name + "." + attribute)
        return Anything(self._name + "." + attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        _touch(self._name + "." + attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _touch(self._name)
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            return args[0]  # a decorator
        return Anything(self._name + "()")

    def __mro_entries__(self, bases: Tuple[Any, ...]) -> Tuple[type, ...]:
        _touch(self._name)
        return (Base,)

    def __iter__(self) -> Iterator[Any]:
        _touch(self._name)
        return iter(())

    def __len__(self) -> int:
        _touch(self._name)
        return 0

    def __getitem__(self, key: Any) -> Any:
        _touch(self._name)
        return Anything(self._name + "[]")

    def __enter__(self) -> Any:
        _touch(self._name)
        return self

    def __exit__(self, *exc: Any) -> None:
        return None

    def __bool__(self) -> bool:
        _touch(self._name)
        return False

    def __repr__(self) -> str:
        return "<%s>" % self._name


def _operator(method: str) -> Any:
    def apply(self: Anything, *others: Any) -> Anything:
        _touch(self._name)
        return Anything(self._name)

    apply.__name__ = method
    return apply


for _method in [
    "add",
    "radd",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "truediv",
    "rtruediv",
    "floordiv",
    "mod",
    "pow",
    "neg",
    "lt",
    "le",
    "gt",
    "ge",
    "and",
    "or",
    "matmul",
]:
    setattr(Anything, "__%s__" % _method, _operator("__%s__" % _method))


class _Module(types.ModuleType):
    __version__ = "2.16.0"

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "__all__":
            return _starred()
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        _touch(self.__name__ + "." + attribute)
        return Anything(self.__name__ + "." + attribute)


def _starred() -> List[str]:
    """What `from tensorflow... import *` binds: the names that the file reads and nothing else in it binds."""
    frame: Any = sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return []
    bound = {i.argval for i in dis.get_instructions(frame.f_code) if i.opname in ("STORE_NAME", "STORE_GLOBAL")}
    return sorted(_read(frame.f_code) - bound - set(frame.f_globals) - set(dir(builtins)))


def _read(code: types.CodeType) -> Set[str]:
    """Global names that a piece of code reads, its functions and classes included."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    return names.union(*[_read(inner) for inner in code.co_consts if isinstance(inner, types.CodeType)])


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] not in ROOTS:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        _touch("import " + spec.name)
        module = _Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> None:
    """Make imports of TensorFlow succeed with the stand-in."""
    for name in [n for n in sys.modules if n.split(".")[0] in ROOTS]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())


@contextlib.contextmanager
def armed() -> Iterator[None]:
    """Inside, every touch raises `StillTensorFlow`."""
    before, _state["armed"] = _state["armed"], True
    try:
        yield
    finally:
        _state["armed"] = before
