"""Objects and dicts of settings that a parameter holds: what is in them goes by how the function reads it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many

from migrator.facts.calls import linear_bases
from migrator.facts.interpreter import UNKNOWN, Interpreter
from migrator.facts.join import join_all
from migrator.values import Dict, Literal, RepoInstance, Scalar, Span, Sym, Value

_TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "str"}


def named(it: Interpreter, values: Many[Value], sym: Sym | None, site: tuple[str, Span]) -> Value | None:
    """What a parameter of this name holds, if all that is passed are settings of one kind; else None.

    `site`: the module and place of the parameter, for which the object counts as made.
    """
    objects = [value for value in values if isinstance(value, RepoInstance) and value.kind == "other"]
    if sym is None or not values:
        return None
    if len(objects) == len(values) and len({value.qualname for value in objects}) == 1:
        return _object(it, objects, sym, site)
    joined = join_all(values)
    return _dict(joined, sym) if isinstance(joined, Dict) and joined.items else None


def fields(it: Interpreter, qualname: str) -> Mapping[str, str | None]:
    """The annotated attributes of a class, with the type of those that are numbers or texts, in their order."""
    found: dict[str, str | None] = {}
    for cls in reversed(linear_bases(it, qualname)):
        definition = it.definitions.get(cls)
        for part in (
            definition.node.body if definition is not None and isinstance(definition.node, ast.ClassDef) else ()
        ):
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                kind = part.annotation
                found[part.target.id] = _TYPES.get(kind.id) if isinstance(kind, ast.Name) else None
    return found


def _object(it: Interpreter, objects: Many[RepoInstance], sym: Sym, site: tuple[str, Span]) -> RepoInstance:
    made = RepoInstance(objects[0].qualname, "other", *site)
    typed = fields(it, made.qualname)
    names = {name for each in objects for name in it.attrs.get(each, {})} | typed.keys() | set(_constants(it, made))
    found: dict[str, Value] = {}
    for name in sorted(names):
        value = join_all(_attribute(it, each, name) for each in objects)
        agreed = isinstance(value, Literal) and isinstance(value.value, str)  # what all say may be written out
        plain = None if agreed else _plain(value) or typed.get(name)
        known = Scalar(plain, Sym(f"{sym.text}.{name}")) if plain else value
        if known != UNKNOWN:
            found[name] = known
    it.attrs[made] = found
    return made


def _attribute(it: Interpreter, instance: RepoInstance, name: str) -> Value:
    own = it.attrs.get(instance, {}).get(name)
    return own if own is not None else dict(_of_class(it, instance)).get(name, UNKNOWN)


def _constants(it: Interpreter, instance: RepoInstance) -> Iterator[str]:
    return (name for name, value in _of_class(it, instance) if _plain(value))


def _of_class(it: Interpreter, instance: RepoInstance) -> Iterator[tuple[str, Value]]:
    for cls in reversed(linear_bases(it, instance.qualname)):
        yield from it.class_attrs.get(cls, {}).items()


def _dict(value: Dict, sym: Sym) -> Dict:
    return Dict(tuple((key, _item(item, Sym(f"{sym.text}[{_key(key)}]"))) for key, item in value.items or ()))


def _item(value: Value, sym: Sym) -> Value:
    from migrator.facts.parameters import opened

    if isinstance(value, Dict) and value.items:
        return _dict(value, sym)
    plain = _plain(value)
    return Scalar(plain, sym) if plain else opened(value)


def _key(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) and '"' not in key else repr(key)


def _plain(value: Value) -> str | None:
    """The type of a number, a text or a truth value."""
    kind = type(value.value).__name__ if isinstance(value, Literal) else value.type if isinstance(value, Scalar) else ""
    return _TYPES.get(kind or "")
