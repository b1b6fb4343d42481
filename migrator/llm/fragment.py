"""A fragment: the smallest thing that is put to a model, with all that is known of it, as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrator.llm.frame import Frame


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function. `default` is its source text, "" when it must be given."""

    name: str
    kind: str = "plain"  # plain, keyword, varargs, varkw
    default: str = ""


@dataclass(frozen=True)
class Definition:
    """A name that the unit must go on defining.

    `kind`: "function", "class" or "value". `parameters` are the original's (of `__init__` for a class);
    `added` and `removed` the permitted changes. `methods`: name → its parameters without `self`, under the
    names that they must have in torch (`call` is `forward`).
    """

    name: str
    kind: str
    parameters: tuple[Parameter, ...] | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    methods: tuple[tuple[str, tuple[Parameter, ...]], ...] = ()


@dataclass(frozen=True)
class Contract:
    """What the static gate holds a candidate to.

    `definitions`: what must be there. `taken`: names of the file that belong to others. `imports`: import
    statements of the original file that bind something which the unit reads. `tf_names`: names that those
    of TensorFlow bind. `repository`: top-level modules of the repository. `statements`: the original has
    top-level statements that do work (a script), so the candidate may.
    """

    original: str
    definitions: tuple[Definition, ...] = ()
    taken: frozenset[str] = frozenset()
    imports: tuple[str, ...] = ()
    tf_names: frozenset[str] = frozenset()
    repository: frozenset[str] = frozenset()
    statements: bool = False


@dataclass(frozen=True)
class Neighbour:
    """Something of the repository that the unit refers to, or that refers to it.

    `text`: migrated where it is, else the original. `signature`: its heads, for when the text does not fit.
    `state`: what stands in `text`, in words.
    """

    name: str
    path: str
    signature: str
    text: str
    state: str = ""


@dataclass(frozen=True)
class Example:
    """A pair that was accepted: how a unit looked and what became of it. `apis`: canonical names in it."""

    name: str
    source: str
    target: str
    apis: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fragment:
    """One unit to be written by a model.

    `id` is the unit's. `reasons`: why the rules stopped. `draft`: what the rules wrote and the verifier refused,
    "" where nothing; `frame`: what they wrote with holes where they stopped, for a unit that is written but for
    those. `interface`: the permitted changes in words. `facts`: one line each. `acceptance`: the test in words
    and figures. `left_out`: what did not fit, in words.
    """

    id: str
    path: str
    name: str
    kind: str
    original: str
    contract: Contract
    apis: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    draft: str = ""
    interface: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    uses: tuple[Neighbour, ...] = ()
    used_by: tuple[Neighbour, ...] = ()
    differences: tuple[str, ...] = ()
    acceptance: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    left_out: tuple[str, ...] = ()
    frame: Frame | None = None
    imports: tuple[str, ...] = field(default=())  # of the file, as it will stand, for what the unit may use
