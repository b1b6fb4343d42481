"""Last touches on a generated class: numbered names, and names that collide with methods."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection
from dataclasses import replace

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.models.build import ModuleBuild, render
from migrator.codemods.models.owned import Owned
from migrator.codemods.units import bound_names


def finished(build: ModuleBuild, named: Collection[str] = ()) -> None:
    """`conv`, `conv2` → `conv1`, `conv2`; names that the original gave stay."""
    for name in sorted(build.taken):
        second = f"{name}2"
        numbered = second in build.taken and f"{name}1" not in build.taken and not name[-1:].isdigit()
        if numbered and name not in named and _is_attribute(build, name) and _is_attribute(build, second):
            rename(build, name, f"{name}1")


def check_names(build: ModuleBuild, ctx: Context, device: bool = False) -> None:
    """Decline a class that reads a name nobody gives: a size that was to be known and is not.

    `device`: the file has that name, for the steps of the class.
    """
    known = (
        module_names(ctx)
        | set(dir(builtins))
        | {"torch", "nn", "F", "np"}
        | set(build.needs.helpers)
        | build.hoisted.keys()
        | {name for line in build.needs.imports for name in bound_names(cst.parse_statement(line))}
    )
    known |= {"device"} if device else set()
    try:
        tree = ast.parse(render(build))
    except SyntaxError as error:
        build.needs.decline(f"the generated class is not valid Python: {error.msg}", ctx)
        return
    (made,) = (c for c in tree.body if isinstance(c, ast.ClassDef))
    _check_attributes(made, build, ctx)
    of_class = {t.id for n in made.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    for method in (m for m in made.body if isinstance(m, ast.FunctionDef)):
        names = [n for n in ast.walk(method) if isinstance(n, ast.Name)]
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {
            a.arg for a in ast.walk(method) if isinstance(a, ast.arg)
        }
        defaults = {n.id for d in method.args.defaults for n in ast.walk(d) if isinstance(n, ast.Name)}
        bound |= defaults & of_class  # defaults see what the class's body assigns
        missing = sorted({n.id for n in names} - bound - known - {build.name})
        if missing:
            build.needs.decline(f"`{missing[0]}` is not known in {method.name}", ctx)


_NAMES = """
    training forward train eval parameters named_parameters buffers modules named_modules children named_children
    to apply state_dict load_state_dict register_buffer register_parameter requires_grad_ zero_grad cpu cuda float
    half double get_parameter get_buffer get_submodule add_module extra_repr __class__ __dict__
"""
_MODULE = frozenset(_NAMES.split())
"""What every `nn.Module` has."""


def _check_attributes(tree: ast.ClassDef, build: ModuleBuild, ctx: Context) -> None:
    """Decline what reads an attribute that only Keras's base class has (`self.add_loss`, `self.losses`)."""
    selves = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    ]
    known = {n.attr for n in selves if isinstance(n.ctx, ast.Store)} | _MODULE
    known |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    known |= build.inherited | ctx.below.get(build.source, frozenset())
    known |= {t.id for n in tree.body for t in ast.walk(n) if isinstance(n, ast.Assign) and isinstance(t, ast.Name)}
    known |= {str(c.args[0].value) for c in ast.walk(tree) if _registers(c)}  # type: ignore[attr-defined]
    for name in sorted({n.attr for n in selves} - known):
        build.needs.decline(f"`self.{name}` is not there in a module", ctx)


def _registers(node: ast.AST) -> bool:
    """`self.register_buffer("name", …)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return False
    return node.func.attr.startswith("register_") and isinstance(node.args[0], ast.Constant)


def module_names(ctx: Context) -> set[str]:
    """The names that a file binds at its top level, imports among them."""
    found = set(ctx.class_names.values())
    for statement in ctx.tree.body:
        found |= set(bound_names(statement))
    return found


def _is_attribute(build: ModuleBuild, name: str) -> bool:
    return any(re.search(rf"\bself\.{name}\b", line) for line in build.init) and name not in build.captured.values()


def rename(build: ModuleBuild, old: str, new: str) -> None:
    """Give an attribute another name everywhere in the class."""

    def put(text: str) -> str:
        return re.sub(rf"\bself\.{old}\b", f"self.{new}", text)

    def owned(item: Owned) -> Owned:
        return Owned(tuple(map(put, item.templates)), put(item.target), tuple(map(put, item.frames)))

    build.init = [put(line) for line in build.init]
    build.methods = [[put(line) for line in method] for method in build.methods]
    build.resets = [owned(item) for item in build.resets]
    build.penalties = [owned(item) for item in build.penalties]
    build.constraints = [owned(item) for item in build.constraints]

    def moved(path: str) -> str:
        return re.sub(rf"^{old}(?=$|\.)", new, path)

    build.records = [replace(r, path=moved(r.path)) for r in build.records]
    build.sites = {site: moved(path) for site, path in build.sites.items()}
    for kept in (build.inferring, build.following, build.frozen):
        if f"self.{old}" in kept:
            kept.symmetric_difference_update({f"self.{old}", f"self.{new}"})
    build.taken = {new if name == old else name for name in build.taken}
