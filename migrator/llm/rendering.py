"""Prompts as text: jinja2 templates of `prompts/`, filled with a fragment or with what came of an attempt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from migrator import resources
from migrator.llm.fragment import Definition, Fragment, Parameter

NUMBER = "1"
"""Raised by hand when the prompts ask for something else; the digest behind it cannot be forgotten."""

TEMPLATES = ("system.j2", "fragment.j2", "repair.j2", "whole_file.j2")
SHORTEST_FENCE = 4

_LAYERS = re.compile(r"\.keras\.(layers|Model|Sequential|applications)\b|get_variable|\.layers\.|rnn_cell")
"""APIs that make layers, models or their weights."""

_MAKES = re.compile(r"\b(layers?|add_weight|get_variable|rnn|slim|Sequential|Model)\b|\bdef (__init__|build|call)\b")
"""What a hole has in it where layers, models or weights are made."""


@dataclass(frozen=True)
class Finding:
    """One thing that is told of an attempt; `verbatim` is text of a program, which is fenced."""

    text: str
    verbatim: str = ""


@dataclass(frozen=True)
class OtherFile:
    """A file for the whole-file prompt."""

    path: str
    text: str


@cache
def version() -> str:
    """The version of the prompts, for ledger and report: a number and a digest of the templates."""
    folder = resources.folder("prompts")
    digest = hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in TEMPLATES))
    return f"{NUMBER}-{digest.hexdigest()[:8]}"


def system(module: bool = True) -> str:
    """The system prompt; one for what is or makes a module, one for the rest, so that servers can keep them."""
    return _render("system.j2", module=module)


def system_of(value: Fragment) -> str:
    """The system prompt of a fragment."""
    if value.frame is not None:  # the rules wrote the module around its holes
        return system(module=any(_MAKES.search(hole.was) for hole in value.frame.holes))
    classes = any(d.kind == "class" for d in value.contract.definitions)
    return system(module=classes or any(_LAYERS.search(api) for api in value.apis))


def fragment(value: Fragment) -> str:
    """The first message about a fragment."""
    texts = [value.original, value.draft, *value.imports, *value.facts, *value.reasons, *value.interface]
    texts += value.acceptance
    texts += [n.text for n in (*value.uses, *value.used_by)]
    texts += [text for e in value.examples for text in (e.source, e.target)]
    texts += [value.frame.shown(), *value.frame.gone] if value.frame is not None else []
    lines = [describe(d) for d in value.contract.definitions]
    return _render("fragment.j2", f=value, contract=lines, fence=fence([*texts, *lines]))


def repair(heading: str, findings: Sequence[Finding], earlier: Sequence[str] = (), last: bool = False) -> str:
    """The message that follows a reply that was not accepted."""
    texts = [f.verbatim for f in findings]
    return _render("repair.j2", heading=heading, findings=findings, earlier=earlier, last=last, fence=fence(texts))


def whole_file(path: str, text: str, others: Sequence[OtherFile] = (), differences: Sequence[str] = ()) -> str:
    """The prompt of the ablation that sends files instead of fragments."""
    texts = [text, *(other.text for other in others)]
    return _render("whole_file.j2", path=path, text=text, others=others, differences=differences, fence=fence(texts))


def fence(texts: Sequence[str]) -> str:
    """A row of backticks longer than any in the texts, so that none of them can end it."""
    runs = [len(run) for text in texts for run in re.findall(r"`+", text)]
    return "`" * max(SHORTEST_FENCE, max(runs, default=0) + 1)


def quoted(name: str) -> str:
    """A path or name of the repository as it may stand between our own words: one line, no backticks of its own."""
    return f"`{' '.join(name.replace('`', chr(39)).split())}`"


def describe(definition: Definition) -> str:
    """What must be defined, in words: `def name(…)` or `class Name` with its constructor and methods."""
    if definition.kind == "function" and definition.parameters is not None:
        return f"`def {definition.name}({signature(definition.parameters, definition)})`"
    if definition.kind != "class":
        return f"`{definition.name}`"
    methods = [f"`{name}({', '.join(['self', *_shown(name, found)])})`" for name, found in definition.methods]
    if definition.parameters is not None:
        methods.insert(0, f"`__init__(self, {signature(definition.parameters, definition)})`".replace(", )", ")"))
    return f"`class {definition.name}`" + (f" with {', '.join(methods)}" if methods else "")


def signature(parameters: Sequence[Parameter], definition: Definition) -> str:
    """The parameters as they must be: added ones first, permitted removals gone."""
    kept = [p for p in parameters if p.name not in definition.removed]
    return ", ".join([*definition.added, *map(_parameter, kept)])


def _shown(method: str, found: Sequence[Parameter]) -> list[str]:
    """The parameters of a method; what a module knows by itself goes from `forward`."""
    gone = {"training", "mask"} if method == "forward" else set()
    return [_parameter(p) for p in found if p.name not in gone]


def _parameter(parameter: Parameter) -> str:
    stars = {"varargs": "*", "varkw": "**"}.get(parameter.kind, "")
    return f"{stars}{parameter.name}" + (f"={parameter.default}" if parameter.default else "")


def _render(name: str, **values: object) -> str:
    text = _environment().get_template(name).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resources.folder("prompts")),
        undefined=StrictUndefined,
        autoescape=False,  # plain text; the fence keeps data apart
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = quoted
    return environment
