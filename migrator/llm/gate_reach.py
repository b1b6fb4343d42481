"""The part of the gate that limits what a candidate can touch: imports, names, attributes, text."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from migrator.llm.fragment import Contract
from migrator.llm.gate_lists import (
    CLOSED_ATTRIBUTES,
    CLOSED_NAMES,
    CLOSED_PARTS,
    FILE_PARTS,
    FRAMEWORKS,
    HARMLESS_PARTS,
    OPEN_ROOTS,
    PLAIN_DUNDERS,
    PLAIN_MODULES,
    SAVES,
    SUMMARIES,
)

Import = ast.Import | ast.ImportFrom

NAMED_TUPLES = frozenset({"_replace", "_asdict", "_fields", "_make"})
_FORMATTED = re.compile(r"\{[^{}]*\._")
_MODULES = frozenset({"torch.nn", "torch.nn.functional", "torch.nn.init", "torch.utils", "torch.utils.data"})
"""Modules of torch that are imported under a name of their own as a rule."""


@dataclass(frozen=True)
class _Seen:
    """What the original imports (name → dotted), names, reaches and says."""

    bindings: Mapping[str, str]
    names: frozenset[str]
    chains: frozenset[str]
    texts: frozenset[str]
    repository: frozenset[str]

    @classmethod
    def of(cls, tree: ast.Module, contract: Contract) -> _Seen:
        lines = [node for text in contract.imports for node in ast.parse(text).body]
        inner = [n for n in ast.walk(tree) if isinstance(n, Import)]
        bindings = {name: to for name, to in _bindings([*lines, *inner]).items() if name not in contract.tf_names}
        names = frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
        texts = frozenset(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        return cls(bindings, names, frozenset(_chains(tree, bindings)), texts, contract.repository)

    def writes_summaries(self) -> bool:
        """Whether it writes event files itself."""
        return any("summary" in chain.lower() or "TensorBoard" in chain for chain in self.chains)

    def keeps_files(self) -> bool:
        """Whether it saves or loads weights itself, or through what it is given for that."""
        saves = any(chain.rpartition(".")[2] in SAVES for chain in self.chains)
        return saves or any("checkpoint" in name.lower() for name in self.names)


def reach(
    tree: ast.Module, helpers: ast.Module, imports: ast.Module, original: ast.Module, contract: Contract
) -> Iterator[str]:
    """What the candidate must not touch, unless the original touched the same."""
    before = _Seen.of(original, contract)
    if any(not isinstance(node, Import) for node in imports.body):
        yield "`imports` may hold import statements only"
    whole = ast.Module([*imports.body, *helpers.body, *tree.body], [])
    found = [node for node in ast.walk(whole) if isinstance(node, Import)]
    bindings = {**before.bindings, **_bindings(found)}
    for node in found:
        yield from _imported(node, before)
    yield from _names(whole, bindings, before, contract)
    yield from _attributes(whole, bindings, before)
    yield from _private(whole, original)
    yield from _foreign_targets(whole, bindings)
    yield from _globals(whole, original, contract)
    yield from _texts(whole, before)


# --- imports -----------------------------------------------------------------------------------------


def _bindings(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Name → dotted module or member that an import binds it to."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{_base(node)}.{alias.name}" for alias in node.names}
    return found


def _base(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _imported(node: Import, before: _Seen) -> Iterator[str]:
    plain = isinstance(node, ast.Import)
    if any(alias.name == "*" for alias in node.names):
        yield "`import *` hides what it brings"
    for name in [alias.name if plain else f"{_base(node)}.{alias.name}" for alias in node.names]:  # type: ignore[arg-type]
        root = name.split(".")[0]
        if root in FRAMEWORKS:
            yield f"TensorFlow must be gone, but `{name}` is imported"
        elif _known(name, before):
            continue
        elif root in before.repository or name.startswith("."):
            yield f"`{name}`: of the repository only what the unit imported already may be imported"
        elif root not in OPEN_ROOTS | PLAIN_MODULES:
            yield f"`{name}` may not be imported: only torch, numpy and what computes of the standard library"
        elif _closed(name, before):
            yield f"`{name}` may not be used"


def _known(name: str, before: _Seen) -> bool:
    """Whether the original imports the same, or from the same module of the repository."""
    others = before.bindings.values()
    module = name.rpartition(".")[0]
    of_repository = name.startswith(".") or name.split(".")[0] in before.repository
    return name in others or (of_repository and any(module == to or to.startswith(f"{module}.") for to in others))


def _closed(dotted: str, before: _Seen) -> bool:
    """Whether a part of an open library is one that no rewrite needs, or leads out of it."""
    if dotted in before.chains:
        return False
    if dotted in FILE_PARTS:
        return not before.keeps_files()
    if dotted.startswith(SUMMARIES):
        return not before.writes_summaries()
    root, *parts = dotted.split(".")
    private = any(part.startswith("_") and not part.startswith("__") for part in parts)
    if private or any(dotted == part or dotted.startswith(f"{part}.") for part in CLOSED_PARTS):
        return True
    if root in PLAIN_MODULES:
        return bool(parts) and parts[0] not in _public(root)
    return dotted != "torch.signal" and not dotted.startswith("torch.signal.") and any(map(_leads_out, parts))


def _leads_out(part: str) -> bool:
    """Whether it names a module of the standard library, which torch and numpy import and so hold as their own."""
    return part in sys.stdlib_module_names and part not in HARMLESS_PARTS


@cache
def _public(module: str) -> frozenset[str]:
    """What a plain module offers as its own; the modules that it imports are not."""
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [n for n, v in vars(found).items() if not inspect.ismodule(v)]
    return frozenset(name for name in names if not name.startswith("_")) | (
        {"abc"} if module == "collections" else set()
    )


# --- names -------------------------------------------------------------------------------------------


def _names(tree: ast.AST, bindings: Mapping[str, str], before: _Seen, contract: Contract) -> Iterator[str]:
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    own |= set(_bindings(n for n in ast.walk(tree) if isinstance(n, Import)))
    used = sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})
    for name in used:
        if name in contract.tf_names | {"tf", "keras", "tensorflow"} and name not in own:
            yield f"TensorFlow must be gone, but `{name}` is used"
        elif name in CLOSED_NAMES and name not in before.names:
            yield f"`{name}` may not be used"
    yield from _computed(tree, before)
    modules = {name for name, to in bindings.items() if to in OPEN_ROOTS | PLAIN_MODULES | _MODULES}
    yield from _bare_modules(tree, modules)


def _computed(tree: ast.AST, before: _Seen) -> Iterator[str]:
    """Attributes by a name that is put together at run time; weights read without their guard."""
    called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    loose = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "getattr" and id(n) not in called]
    if loose and "getattr" not in before.names:
        yield "`getattr` may only be called"
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        named = isinstance(call.func, ast.Name) and call.func.id == "getattr" and "getattr" not in before.names
        if named and not (len(call.args) >= 2 and isinstance(call.args[1], ast.Constant)):
            yield "`getattr` with a name that is computed may not be used"
        for keyword in call.keywords:
            if keyword.arg == "weights_only" and getattr(keyword.value, "value", None) is not True:
                yield "`weights_only` must stay True: other files can run code"


def _bare_modules(tree: ast.AST, modules: set[str]) -> Iterator[str]:
    """A module as a value (`t = torch`) would hide what is reached through it."""
    bases = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in modules and id(node) not in bases:
            yield f"the module `{node.id}` may not be passed about"


# --- attributes ----------------------------------------------------------------------------------------


def _chains(tree: ast.AST, bindings: Mapping[str, str]) -> Iterator[str]:
    """Dotted names read, the root spelled as what it is bound to ("?" where it is no name)."""
    for node in ast.walk(tree):
        parts: list[str] = []
        value: ast.AST = node
        while isinstance(value, ast.Attribute):
            parts.append(value.attr)
            value = value.value
        if parts:
            root = bindings.get(value.id, value.id) if isinstance(value, ast.Name) else "?"
            yield ".".join([root, *reversed(parts)])


def _attributes(tree: ast.AST, bindings: Mapping[str, str], before: _Seen) -> Iterator[str]:
    others = {to.split(".")[0] for to in bindings.values()} - OPEN_ROOTS - PLAIN_MODULES - before.repository - {""}
    for chain in sorted(set(_chains(tree, bindings)) - before.chains):
        root, *parts = chain.split(".")
        bad = [p for p in parts if p in CLOSED_ATTRIBUTES or (p.startswith("__") and p not in PLAIN_DUNDERS)]
        if bad:
            yield f"`{bad[0]}` may not be used"
        elif root in OPEN_ROOTS | PLAIN_MODULES and _closed(chain, before):
            yield f"`{chain}` may not be used"
        elif root in others:
            yield f"`{chain}` may not be used: the unit used only other parts of `{root}`"


def _foreign_targets(tree: ast.AST, bindings: Mapping[str, str]) -> Iterator[str]:
    """Assignments into imported modules and classes, also under other names, and into the class of a value:
    the rest of the program would change with them."""
    foreign = {*bindings, *_aliases(tree, bindings)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            value, through = _root(node)
            call = isinstance(value, ast.Call) and ast.unparse(value.func) in ("type", "getattr")
            owned = isinstance(value, ast.Call) and not call
            if "__class__" in through or not (owned or (isinstance(value, ast.Name) and value.id not in foreign)):
                yield f"it changes `{ast.unparse(node)}`, which is not the unit's"


def _root(node: ast.AST) -> tuple[ast.AST, set[str]]:
    """What an attribute or item is reached from, and the attributes on the way."""
    through = set()
    while isinstance(node, ast.Attribute | ast.Subscript):
        through |= {node.attr} if isinstance(node, ast.Attribute) else set()
        node = node.value
    return node, through


def _aliases(tree: ast.AST, bindings: Mapping[str, str]) -> Iterator[str]:
    """Names that are given an imported module or class, or a part of one."""
    pairs: list[tuple[ast.AST, ast.AST | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs += [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            pairs.append((node.target, node.value))
        elif isinstance(node, ast.For | ast.comprehension):
            pairs.append((node.target, node.iter))
        elif isinstance(node, ast.arguments):
            plain = [*node.posonlyargs, *node.args]
            pairs += zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True)
            pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
    for target, value in pairs:
        reached = (_root(part)[0] for part in _parts(value))
        if any(isinstance(part, ast.Name) and part.id in bindings for part in reached):
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
            yield from (n.arg for n in ast.walk(target) if isinstance(n, ast.arg))


def _parts(value: ast.AST | None) -> Iterator[ast.AST]:
    """A value, or the entries of a list of values; what a call gives is another value."""
    if isinstance(value, ast.Attribute | ast.Name | ast.Subscript):
        yield value
    elif isinstance(value, ast.List | ast.Tuple | ast.Set):
        for item in value.elts:
            yield from _parts(item)
    elif isinstance(value, ast.IfExp):
        yield from _parts(value.body)
        yield from _parts(value.orelse)


def _private(tree: ast.AST, original: ast.AST) -> Iterator[str]:
    """Private attributes that neither the original has nor the candidate makes."""
    made = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    made |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    made |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    known = made | {n.attr for n in ast.walk(original) if isinstance(n, ast.Attribute)} | NAMED_TUPLES
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if node.attr.startswith("_") and not node.attr.startswith("__") and node.attr not in known and not own:
                yield f"`{node.attr}` is private, and not the unit's"
        elif isinstance(node, ast.MatchClass):
            hidden = [name for name in node.kwd_attrs if name.startswith("_")]
            yield from (f"`{name}` may not be used" for name in hidden)


def _globals(tree: ast.AST, original: ast.AST, contract: Contract) -> Iterator[str]:
    """Names of the file that a function rebinds: other units use them."""
    before = {name for n in ast.walk(original) if isinstance(n, ast.Global) for name in n.names}
    own = before | {definition.name for definition in contract.definitions}
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from (f"`global {name}`: it is not the unit's" for name in node.names if name not in own)


# --- text ---------------------------------------------------------------------------------------------


def _texts(tree: ast.AST, before: _Seen) -> Iterator[str]:
    """Text that names the interpreter's insides is only good for reaching them."""
    documentation = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if _FORMATTED.search(node.value) and node.value not in before.texts:
            yield f"the text {node.value!r} may not be used"
        inside = node.value.startswith("__") and node.value.endswith("__") and node.value not in PLAIN_DUNDERS
        if (inside or node.value in CLOSED_ATTRIBUTES) and node.value not in before.texts:
            yield f"the text {node.value!r} may not be used"
