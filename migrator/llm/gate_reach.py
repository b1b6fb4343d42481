"""The part of the gate that limits what a candidate can touch: imports, names, attributes, text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrator.llm.fragment import Contract
from migrator.llm.gate_lists import (
    CLOSED_ATTRIBUTES,
    CLOSED_NAMES,
    CLOSED_PARTS,
    FILE_PARTS,
    FRAMEWORKS,
    OPEN_ROOTS,
    PLAIN_DUNDERS,
    PLAIN_MODULES,
    SAVES,
)

Import = ast.Import | ast.ImportFrom


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

    def keeps_files(self) -> bool:
        """Whether it saves or loads weights itself."""
        return any(chain.rpartition(".")[2] in SAVES for chain in self.chains)


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
    yield from _foreign_targets(whole, bindings)
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
    """Whether a part of torch or numpy is one that no rewrite needs."""
    if dotted in before.chains:
        return False
    if dotted in FILE_PARTS:
        return not before.keeps_files()
    private = any(part.startswith("_") and not part.startswith("__") for part in dotted.split("."))
    return private or any(dotted == part or dotted.startswith(f"{part}.") for part in CLOSED_PARTS)


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
    yield from _bare_modules(
        tree, {n for n, to in bindings.items() if to.split(".")[0] in OPEN_ROOTS and "." not in to}
    )


def _computed(tree: ast.AST, before: _Seen) -> Iterator[str]:
    """Attributes by a name that is put together at run time; weights read without their guard."""
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
        elif root in OPEN_ROOTS and _closed(chain, before):
            yield f"`{chain}` may not be used"
        elif root in others:
            yield f"`{chain}` may not be used: the unit used only other parts of `{root}`"


def _foreign_targets(tree: ast.AST, bindings: Mapping[str, str]) -> Iterator[str]:
    """Assignments into imported modules and classes: the rest of the program would change with them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            value: ast.AST = node
            while isinstance(value, ast.Attribute | ast.Subscript):
                value = value.value
            if isinstance(value, ast.Name) and value.id in bindings:
                yield f"it changes `{ast.unparse(node)}`, which is not the unit's"


# --- text ---------------------------------------------------------------------------------------------


def _texts(tree: ast.AST, before: _Seen) -> Iterator[str]:
    """Text that names the interpreter's insides is only good for reaching them."""
    documentation = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        inside = node.value.startswith("__") and node.value.endswith("__") and node.value not in PLAIN_DUNDERS
        if (inside or node.value in CLOSED_ATTRIBUTES) and node.value not in before.texts:
            yield f"the text {node.value!r} may not be used"
