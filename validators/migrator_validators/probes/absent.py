"""Stand-ins for libraries that the original imports and that are not installed, so that what does not need one is run.

Modules of its own that a build makes (compiled, generated) and that are not there are treated alike.

Only an import statement of the program itself gets one, and not one in `try: import x except ImportError`, which has
an answer of its own. What only shows something (plots, bars of progress) does nothing. Anything else raises the
ModuleNotFoundError of its import as soon as a unit under test uses it, and never gives a plain value: no length, no
number, no truth, so that nothing can be compared that came from a stand-in.
"""

from __future__ import annotations

import ast
import contextlib
import dis
import functools
import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any, Iterable, Iterator, List, Sequence, Set, Tuple

SHOWS = ("matplotlib", "mpl_toolkits", "pylab", "seaborn", "plotly", "bokeh", "IPython")
BARS = "tqdm"
WHY = "which the original imports"
_state = {"armed": False}


@contextlib.contextmanager
def armed() -> Iterator[None]:
    """Inside, every use of a library that is not installed raises; outside, module level code may name it."""
    before, _state["armed"] = _state["armed"], True
    try:
        yield
    finally:
        _state["armed"] = before


def _raise(name: str) -> Any:
    known = [module for module in sys.modules if isinstance(sys.modules[module], _Module)]
    library = next((module for module in known if name.startswith(module)), name.split(".")[0])
    raise ModuleNotFoundError("No module named %r, %s" % (library, WHY), name=library)


class _Base:
    """Stands where a class derives from something of the library."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _raise(type(self).__name__)


class Absent:
    """Something of a library that is not installed."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def _touch(self) -> None:
        if _state["armed"]:
            _raise(self._name)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        self._touch()
        return type(self)(self._name + "." + attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        self._touch()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._touch()
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            return args[0]  # a decorator
        return type(self)(self._name + "()")

    def __mro_entries__(self, bases: Tuple[Any, ...]) -> Tuple[type, ...]:
        self._touch()
        return (_Base,)

    def __getitem__(self, key: Any) -> Any:
        self._touch()
        return type(self)(self._name + "[]")

    def __enter__(self) -> Any:
        self._touch()
        return self

    def __exit__(self, *exc: Any) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(_raise(self._name))

    def __eq__(self, other: Any) -> bool:
        if other is None or isinstance(other, (type, Absent)) or type(other).__module__ == "typing":
            return self is other  # an annotation
        return bool(_raise(self._name))

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        return str(_raise(self._name))

    def __format__(self, how: str) -> str:
        return str(_raise(self._name))

    def __repr__(self) -> str:
        return "<%s, which is not installed>" % self._name


def _plain(self: Absent, *others: Any) -> Any:
    """Every way to a plain value."""
    _raise(self._name)


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "matmul", "lshift", "rshift")
_PLAIN = (
    "len",
    "bool",
    "int",
    "float",
    "index",
    "complex",
    "contains",
    "neg",
    "pos",
    "abs",
    "invert",
    "lt",
    "le",
    "gt",
    "ge",
    "ne",
    "array",
    "round",
    "next",
    "reversed",
)
for _method in (*_PLAIN, *_BINARY, *("r" + name for name in _BINARY)):
    setattr(Absent, "__%s__" % _method, _plain)


class Shown(Absent):
    """Something that shows what it is given: nothing is seen of it, and nothing comes back."""

    def _touch(self) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._name.endswith(".subplots"):
            return type(self)(self._name + "()"), self._axes(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def _axes(self, nrows: int = 1, ncols: int = 1, *, squeeze: bool = True, **others: Any) -> Any:
        """The axes of a figure, by row and column as matplotlib gives them."""
        import numpy as np

        made = np.empty((nrows, ncols), object)
        for place in np.ndindex(nrows, ncols):
            made[place] = type(self)(self._name + "()")
        if not squeeze:
            return made
        return made[0, 0] if made.size == 1 else made.reshape(-1) if 1 in made.shape else made

    def __iter__(self) -> Iterator[Any]:
        count = _unpacked(sys._getframe(1))
        if count is None:
            _raise(self._name)
        return iter([type(self)(self._name + "[]") for _ in range(count or 0)])

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def _unpacked(frame: Any) -> Any:
    """Into how many names a frame unpacks what it asks for right now; None where it does something else."""
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti:
            return instruction.arg if instruction.opname == "UNPACK_SEQUENCE" else None
    return None


class Bar:
    """A bar of progress without the bar: what it goes through is what it is given."""

    def __init__(self, iterable: Iterable[Any] = (), *args: Any, **kwargs: Any) -> None:
        self.iterable, self.n, self.total = iterable, 0, kwargs.get("total")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exc: Any) -> None:
        return None

    def update(self, n: float = 1) -> None:
        self.n += n  # type: ignore[assignment]

    def _quiet(self, *args: Any, **kwargs: Any) -> None:
        return None

    set_description = set_description_str = set_postfix = set_postfix_str = refresh = close = clear = reset = _quiet

    @staticmethod
    def write(text: str, *args: Any, **kwargs: Any) -> None:
        print(text)


def _range(*args: Any, **kwargs: Any) -> Bar:
    return Bar(range(*args), **kwargs)


class _Module(types.ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        library = self.__name__.split(".")[0]
        if library == BARS and attribute in ("tqdm", "tqdm_notebook", "trange", "tnrange"):
            return _range if attribute.endswith("range") else Bar
        kind = Shown if library in SHOWS else Absent
        return getattr(kind(self.__name__), attribute)


# --- imports ----------------------------------------------------------------------------------------


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `libraries` where nothing else did, for the code below `root`."""

    def __init__(self, libraries: Sequence[str], root: str) -> None:
        self.libraries, self.root = frozenset(libraries), root
        self.stood_in: Set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        library = name if name in self.libraries else name.split(".")[0]
        if library not in self.libraries or not (library in self.stood_in or self._asked()):
            return None
        self.stood_in.add(library)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def _asked(self) -> bool:
        """Whether a plain import statement of the program asks."""
        frame: Any = sys._getframe(2)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if frame is None or not frame.f_code.co_filename.startswith(self.root):
            return False
        return frame.f_lineno in plain_imports(frame.f_code.co_filename)

    def create_module(self, spec: Any) -> types.ModuleType:
        module = _Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@functools.lru_cache(maxsize=256)
def plain_imports(path: str) -> Set[int]:
    """The lines of a file with imports that no handler answers."""
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    found: Set[int] = set()
    _gather(tree.body, found)
    return found


def _gather(body: List[Any], found: Set[int]) -> None:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.With) and any("suppress" in ast.dump(item) for item in node.items):
            continue
        for field, value in ast.iter_fields(node):
            if isinstance(node, ast.Try) and node.handlers and field == "body":
                continue
            if isinstance(value, list):
                _gather([part for part in value if isinstance(part, ast.AST)], found)


def install(libraries: Sequence[str], root: str) -> None:
    """Make imports of these libraries succeed in the code below `root`, where they are not installed."""
    sys.meta_path.append(Finder(libraries, root))
