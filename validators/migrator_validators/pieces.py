"""Top-level statements of a module: what each runs, mentions and imports, whole and when nothing calls it."""

from __future__ import annotations

import ast
import copy
import functools
import hashlib
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

TENSORFLOW = frozenset({"tensorflow", "keras", "tf_keras"})

BY_TEXT = frozenset(
    {"globals", "locals", "eval", "exec", "__import__", "import_module", "importlib", "inspect", "runpy", "pkgutil"}
    | {"pickle", "dill", "cloudpickle", "joblib", "gc", "attrgetter", "methodcaller", "__subclasses__", "__globals__"}
    | {"_getframe", "ctypes", "locate", "pydoc"}
)
"""Names of what finds definitions without mentioning them."""

BY_NAME = frozenset({"getattr", "vars", "dir", "setattr", "delattr"})
"""The same, where they are given something other than the object itself and a written name."""


@dataclass(frozen=True)
class Part:
    """What runs of a piece: its digest, the identifiers in it, (module, relative level) of its imports.

    `dynamic`: it may reach anything.
    """

    digest: str
    names: frozenset[str]
    imports: frozenset[tuple[str, int]]
    dynamic: bool


NOTHING = Part("", frozenset(), frozenset(), False)


@dataclass(frozen=True)
class Piece:
    """One top-level statement. `names`: of what counts only when it is mentioned; none: it always does.

    `header` is what runs of it otherwise; `guarded`: an `if __name__ == "__main__"`; `stand_in`: an import
    of TensorFlow alone, which does nothing where a stand-in takes its place.
    """

    names: frozenset[str]
    whole: Part
    header: Part
    guarded: bool = False
    stand_in: bool = False

    def part(self, mentioned: Set[str], program: bool, stand_in: bool) -> Part:
        """What runs of it, where these identifiers are mentioned.

        `program`: the module is run, not imported; `stand_in`: TensorFlow is nothing but a stand-in.
        """
        if self.guarded:
            return self.whole if program else self.header
        if self.stand_in and not stand_in:
            return self.whole
        return self.whole if not self.names or self.names & mentioned else self.header


def _parsed(content: bytes) -> ast.Module:
    """Parsed, once more where CPython's count of depths was upset by another thread (gh-106905, mended in 3.11.8)."""
    try:
        return ast.parse(content)
    except SystemError:
        return ast.parse(content)


@functools.lru_cache(maxsize=4096)
def pieces(content: bytes) -> tuple[Piece, ...]:
    """The pieces of a file. One that does not parse is a single piece that may reach anything."""
    try:
        tree = _parsed(content)
    except (SyntaxError, ValueError):
        opaque = Part(hashlib.sha256(content).hexdigest(), frozenset(), frozenset(), True)
        return (Piece(frozenset(), opaque, opaque),)
    return tuple(_piece(statement) for statement in tree.body)


def _piece(statement: ast.stmt) -> Piece:
    whole = _part([statement])
    if _is_export_list(statement):
        whole = replace(whole, names=frozenset())  # who takes something through it mentions it as well
    if isinstance(statement, ast.If) and is_guard(statement.test):
        return Piece(frozenset(), whole, _part(statement.orelse), guarded=True)
    if isinstance(statement, ast.Import | ast.ImportFrom) and _is_tensorflow(statement):
        bound = frozenset((alias.asname or alias.name).split(".")[0] for alias in statement.names)
        return Piece(frozenset(), whole, whole) if "*" in bound else Piece(bound, whole, NOTHING, stand_in=True)
    if not isinstance(statement, Definition) or _runs_by_itself(statement):
        return Piece(frozenset(), whole, whole)
    named = Part(f"defines {statement.name}", frozenset(), frozenset(), False)
    return Piece(frozenset((statement.name,)), whole, named if _is_quiet(statement) else _part([_header(statement)]))


def _is_tensorflow(statement: ast.Import | ast.ImportFrom) -> bool:
    modules = (
        [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module or ""]
    )
    return all(module.split(".")[0] in TENSORFLOW for module in modules) and not getattr(statement, "level", 0)


def _is_quiet(node: ast.AST | None) -> bool:
    """Whether a definition or an expression, when nothing calls it, does no more than look names up."""
    if isinstance(node, FUNCTIONS):
        decorated = any(ast.unparse(d) not in ("staticmethod", "classmethod", "property") for d in node.decorator_list)
        values = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        hook = node.name == "__init_subclass__"  # runs for classes that nothing mentions
        return not decorated and not hook and all(_is_quiet(value) for value in (*values, *_annotations(node)))
    if isinstance(node, ast.ClassDef):
        return not node.keywords and not node.decorator_list and all(map(_is_quiet, (*node.bases, *node.body)))
    if isinstance(node, ast.Expr | ast.Assign):
        return _is_quiet(node.value)
    if isinstance(node, ast.BinOp):  # `int | None`
        return isinstance(node.op, ast.BitOr) and _is_quiet(node.left) and _is_quiet(node.right)
    if isinstance(node, ast.Subscript):
        return _is_quiet(node.value) and _is_quiet(node.slice)
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_quiet, node.elts))
    if isinstance(node, ast.Attribute | ast.UnaryOp):
        return _is_quiet(node.value if isinstance(node, ast.Attribute) else node.operand)
    return isinstance(node, ast.Constant | ast.Name | ast.Pass)


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    found = [arg.annotation for arg in every if arg is not None]
    return [annotation for annotation in (*found, function.returns) if annotation is not None]


def is_guard(test: ast.expr) -> bool:
    """`__name__ == "__main__"` alone; anything more is an ordinary condition."""
    return ast.unparse(test) in ("__name__ == '__main__'", "'__main__' == __name__")


def _is_export_list(statement: ast.stmt) -> bool:
    names = statement.targets if isinstance(statement, ast.Assign) else ()
    return any(isinstance(name, ast.Name) and name.id == "__all__" for name in names)


def _runs_by_itself(statement: Definition) -> bool:
    """Whether it may be called without being mentioned: a decorator, a metaclass or Python itself knows it."""
    special = statement.name.startswith("__")
    keywords = isinstance(statement, ast.ClassDef) and bool(statement.keywords)
    return bool(statement.decorator_list) or special or keywords


def _header(statement: Definition) -> Definition:
    """The definition with nothing in its functions: defaults, bases and the class's own statements run all the same."""
    out = copy.copy(statement)
    if isinstance(statement, FUNCTIONS):
        out.body = []
    else:
        out.body = [_header(s) if isinstance(s, Definition) else s for s in statement.body]
    return out


def _part(statements: list[ast.stmt] | list[Definition]) -> Part:
    if not statements:
        return NOTHING
    text = "\n".join(ast.dump(s) for s in statements)
    names: set[str] = set()
    imports: set[tuple[str, int]] = set()
    dynamic = False
    for statement in statements:
        for node in ast.walk(statement):
            names.update(_names(node))
            imports.update(_imports(node))
            dynamic |= _is_dynamic(node)
    return Part(
        hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest(),
        frozenset(names),
        frozenset(imports),
        dynamic or bool(names & BY_TEXT),
    )


def _names(node: ast.AST) -> Iterator[str]:
    """Identifiers by which something could be meant; also a text that is one, for `getattr(x, "name")`."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield from node.name.split(".")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        yield node.value


def _imports(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, 0
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        yield module, node.level
        for alias in node.names:
            yield f"{module}.{alias.name}".strip("."), node.level


def _is_dynamic(node: ast.AST) -> bool:
    if isinstance(node, FUNCTIONS):
        return node.name == "__init_subclass__"  # it learns of classes that nothing mentions
    if isinstance(node, ast.ClassDef):
        return any(
            k.arg == "metaclass" and ast.unparse(k.value) not in ("ABCMeta", "abc.ABCMeta") for k in node.keywords
        )
    if isinstance(node, ast.Attribute):
        on_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        in_sys = isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr == "modules"
        return in_sys or (node.attr == "__dict__" and not on_itself)
    if isinstance(node, ast.ImportFrom):
        return node.module == "sys" and any(alias.name == "modules" for alias in node.names)
    if isinstance(node, ast.Name) and node.id in BY_NAME:
        return False  # a call of it is judged as a whole, below
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME:
        return not _finds_what_is_written(node)
    return any(isinstance(value, ast.Name) and value.id in BY_NAME for value in _handed_on(node))


def _finds_what_is_written(call: ast.Call) -> bool:
    """Whether a `getattr` and its like looks at the object itself, or for a name that stands there."""
    if not call.args:
        return False
    on_itself = isinstance(call.args[0], ast.Name) and call.args[0].id in ("self", "cls")
    written = len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    return on_itself or written


def _handed_on(node: ast.AST) -> Iterator[ast.AST]:
    """Expressions that are given to something else under another name."""
    if isinstance(node, ast.Call):
        yield from node.args
        yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.Return) and node.value is not None:
        yield node.value
