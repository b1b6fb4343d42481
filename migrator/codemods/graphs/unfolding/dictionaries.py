"""Dictionaries whose entries are variables, as one name for each entry."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrator.codemods.graphs import tables
from migrator.codemods.graphs.program import Program, first_line, key_of
from migrator.codemods.graphs.unfolding.text import Edit, Text


@dataclass(frozen=True)
class Kept:
    """A dictionary: the statement that makes it, those that fill it, and where it is read."""

    key: str
    made: ast.Assign
    fills: tuple[ast.Assign, ...]
    reads: tuple[ast.Subscript, ...]


def without_dictionaries(text: Text, program: Program) -> Text | None:
    """The text without one dictionary of variables; None where there is none."""
    renamed = _without_alias(text, program)
    if renamed is not None:
        return renamed
    for one in _found(program):
        return _flat(text, program, one)
    return None


def _made(program: Program) -> Iterator[tuple[str, ast.Assign]]:
    for statement in ast.walk(program.tree):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and _is_dictionary(statement.value):
            yield key_of(statement.targets[0]), statement


def _is_dictionary(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node) == "dict()"
    return isinstance(node, ast.Dict) and all(_name(key) for key in node.keys)


def _name(node: ast.expr | None) -> str:
    """The entry that an expression names, where that can be part of a name."""
    name = node.value if isinstance(node, ast.Constant) else None
    return name if isinstance(name, str) and f"_{name}".isidentifier() else ""


def _found(program: Program) -> Iterator[Kept]:
    for key, made in ((key, made) for key, made in _made(program) if key):
        mentions = [n for n in ast.walk(program.tree) if isinstance(n, ast.Name | ast.Attribute) and key_of(n) == key]
        entries = [n for n in ast.walk(program.tree) if isinstance(n, ast.Subscript) and key_of(n.value) == key]
        if len(mentions) != len(entries) + 1 or not all(_name(n.slice) for n in entries):
            continue
        fills = [s for s in ast.walk(program.tree) if isinstance(s, ast.Assign) and s.targets[0] in entries]
        reads = [n for n in entries if isinstance(n.ctx, ast.Load)]
        values = [s.value for s in fills] + (list(made.value.values) if isinstance(made.value, ast.Dict) else [])
        names = [_name(s.targets[0].slice) for s in fills if isinstance(s.targets[0], ast.Subscript)]
        names += [_name(k) for k in made.value.keys] if isinstance(made.value, ast.Dict) else []
        plain = len(entries) == len(fills) + len(reads) and len(set(names)) == len(names)
        if plain and any(_makes(v, program) for v in values) and {_name(n.slice) for n in reads} <= set(names):
            yield Kept(key, made, tuple(fills), tuple(reads))


def _makes(node: ast.expr, program: Program) -> bool:
    return any(program.api(n) in tables.VARIABLES for n in ast.walk(node) if isinstance(n, ast.Call))


def _without_alias(text: Text, program: Program) -> Text | None:
    """The text with one name for a dictionary that has two: `weights = self.make()`, `self.weights = weights`."""
    keys = {key for key, _ in _made(program)} - {""}
    for statement in ast.walk(program.tree):
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or key_of(statement.value) not in keys:
            continue
        old, new = key_of(statement.value), key_of(statement.targets[0])
        stores = [
            n for n in ast.walk(program.tree) if key_of(n) == new and isinstance(getattr(n, "ctx", None), ast.Store)
        ]
        if new and new != old and len(stores) == 1:
            others = [n for n in ast.walk(program.tree) if isinstance(n, ast.Name | ast.Attribute) and key_of(n) == old]
            edits = [_edit(n, new) for n in others if n is not statement.value]
            text = text.edited(edits)
            return text.replaced(statement.lineno, statement.end_lineno or statement.lineno, [])
    return None


def _edit(node: ast.expr, new: str) -> Edit:
    return node.lineno, node.col_offset, node.end_col_offset or 0, new


def _flat(text: Text, program: Program, one: Kept) -> Text:
    entries = [*one.reads, *(s.targets[0] for s in one.fills)]
    taken = {n.id for n in ast.walk(program.tree) if isinstance(n, ast.Name)}
    taken |= {f"self.{n.attr}" for n in ast.walk(program.tree) if isinstance(n, ast.Attribute)}
    names: dict[str, str] = {}

    def named(entry: str) -> str:
        if entry not in names:
            wish = f"{one.key}_{entry}"
            while wish in taken or wish in names.values():
                wish += "_"
            names[entry] = wish
        return names[entry]

    inside = {id(n) for n in ast.walk(one.made)}
    edits = [_edit(n, named(_name(n.slice))) for n in entries if isinstance(n, ast.Subscript) and id(n) not in inside]
    text = text.edited(edits)
    lines = _assignments(text, program, one, named) if isinstance(one.made.value, ast.Dict) else []
    return text.replaced(first_line(one.made), one.made.end_lineno or 0, lines)


def _assignments(text: Text, program: Program, one: Kept, named: Callable[[str], str]) -> list[str]:
    """The entries of a dictionary that is written at once, its comments between them."""
    assert isinstance(one.made.value, ast.Dict)
    lead, out, after = " " * one.made.col_offset, list[str](), one.made.lineno
    for key, value in zip(one.made.value.keys, one.made.value.values, strict=True):
        start = key.lineno if key is not None else value.lineno
        out += [lead + c.strip() for c in program.lines[after : start - 1] if c.strip().startswith("#")]
        out.append(f"{lead}{named(_name(key))} = {ast.unparse(value)}")
        after = value.end_lineno or start
    return out
