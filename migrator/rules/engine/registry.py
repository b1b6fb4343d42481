"""Where rules register themselves, by canonical TF name."""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from migrator.model import LayerCode
from migrator.rules.engine.records import LayerRule, Rule
from migrator.rules.engine.samples import Sample
from migrator.rules.engine.signature import Signature
from migrator.rules.engine.template import Template

_Function = TypeVar("_Function", bound=Callable[..., object])
_RULES: dict[tuple[str, int | None], Rule] = {}
_LAYERS: dict[tuple[str, int | None], LayerRule] = {}


def rule(
    api: str, *, samples: Sequence[Sample], gaps: Sequence[str] = (), keras: int | None = None, name: str = ""
) -> Callable[[_Function], _Function]:
    """Registers a function whose body is the torch spelling of `api`; `name` is the bare torch function."""
    return _registering(api, "function", samples, gaps, keras, name)


def method(
    api: str, *, samples: Sequence[Sample], gaps: Sequence[str] = (), keras: int | None = None
) -> Callable[[_Function], _Function]:
    """Registers a method of a kind of receiver (`Tensor.numpy`); the first parameter is the receiver."""
    return _registering(api, "method", samples, gaps, keras, "")


def context(api: str, *, samples: Sequence[Sample], gaps: Sequence[str] = ()) -> Callable[[_Function], _Function]:
    """Registers what `with api(…):` leaves behind: `None`, or a list of what still has to be evaluated."""
    return _registering(api, "context", samples, gaps, None, "")


def _registering(
    api: str, kind: str, samples: Sequence[Sample], gaps: Sequence[str], keras: int | None, name: str
) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        tree = _definition(function)
        template = Template(tree.body, function.__globals__, inspect.getclosurevars(function).nonlocals)
        record = Rule(api, kind, Signature.of_ast(tree.args), template, tuple(samples), tuple(gaps), name, keras)
        _add(_RULES, record)
        return function

    return register


def same(
    api: str,
    torch_code: str,
    params: str = "x: Tensor, name=None",
    *,
    samples: Sequence[Sample],
    gaps: Sequence[str] = (),
    keras: int | None = None,
) -> None:
    """Registers a function that torch has under another name: `same("tf.sin", "torch.sin", samples=…)`.

    `torch_code` is a dotted name, or an expression over the parameters.
    """
    signature = Signature.of_text(params)
    bare = torch_code.startswith(("torch.", "F.")) and torch_code.replace(".", "").replace("_", "").isalnum()
    text = f"{torch_code}({signature.names[0]})" if bare else torch_code
    _one_line(api, "function", text, signature, samples, torch_code if bare else "", keras, gaps)


def legacy(api: str, params: str, of: str, *, samples: Sequence[Sample], old: Mapping[str, str] | None = None) -> None:
    """Registers an old spelling of a rule: `legacy("tf.compat.v1.assign", "ref, value", of=…)`.

    `old`: its parameter names that differ, and today's; "" for one that changes nothing. Of TensorFlow 1's
    spellings the rule of today's name takes them too, as old programs have them. `of` is registered already.
    """
    base, renamed = _RULES[(of, None)], dict(old or {})
    if api.startswith("tf.compat.v1."):
        base.old.update(renamed)
    signature = Signature.of_text(params)
    record = Rule(
        api, base.kind, signature, base.template, tuple(samples), base.gaps, base.torch_name, None, base, renamed
    )
    _add(_RULES, record)


def also_keras_2(api: str, **names: object) -> None:
    """Registers the rule of today's Keras for Keras 2 as well, where it reads `names` differently."""
    base = _RULES[(api, 3)]
    template = copy.copy(base.template)
    template.names = ChainMap(names, base.template.names)  # type: ignore[arg-type]
    _add(_RULES, replace(base, keras=2, template=template, samples=()))


def attribute(api: str, torch_code: str, *, samples: Sequence[Sample] = ()) -> None:
    """Registers an attribute of a kind of receiver: `attribute("Shape.rank", "len(x)")`."""
    _one_line(api, "attribute", torch_code, Signature.of_text("x"), samples)


def constant(api: str, torch_code: str) -> None:
    """Registers a name that is a value: `constant("tf.float32", "torch.float32")`."""
    _one_line(api, "constant", torch_code, Signature(()), ())


def _one_line(
    api: str,
    kind: str,
    text: str,
    signature: Signature,
    samples: Sequence[Sample],
    name: str = "",
    keras: int | None = None,
    gaps: Sequence[str] = (),
) -> None:
    names = sys._getframe(2).f_globals
    body: list[ast.stmt] = [ast.Return(ast.parse(text, mode="eval").body)]
    _add(_RULES, Rule(api, kind, signature, Template(body, names), tuple(samples), tuple(gaps), name, keras))


def layer(
    api: str, *, samples: Sequence[Sample], gaps: Sequence[str] = (), keras: int | None = None
) -> Callable[[Callable[..., LayerCode]], Callable[..., LayerCode]]:
    """Registers a function that makes the `LayerCode` of a Keras layer from its bound arguments."""

    def register(function: Callable[..., LayerCode]) -> Callable[..., LayerCode]:
        _add(_LAYERS, LayerRule(api, function, tuple(samples), tuple(gaps), keras))
        return function

    return register


_Record = TypeVar("_Record", Rule, LayerRule)


def _add(table: dict[tuple[str, int | None], _Record], record: _Record) -> None:
    key = (record.api, record.keras)
    if key in table:
        raise ValueError(f"two rules for {record.api}")
    table[key] = record


def find(api: str, keras: int) -> Rule | None:
    """The rule for a canonical name as this Keras means it."""
    return _RULES.get((api, keras)) or _RULES.get((api, None))


def find_layer(api: str, keras: int) -> LayerRule | None:
    """The layer rule for a canonical name as this Keras means it."""
    return _LAYERS.get((api, keras)) or _LAYERS.get((api, None))


def all_rules() -> Iterator[Rule]:
    """Every rule in the order of registration."""
    yield from _RULES.values()


def all_layers() -> Iterator[LayerRule]:
    """Every layer rule in the order of registration."""
    yield from _LAYERS.values()


@cache
def _definitions(filename: str) -> dict[int, ast.FunctionDef]:
    """The function definitions of a file, by their first line (that of the first decorator)."""
    tree = ast.parse(Path(filename).read_text(encoding="utf-8"))
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    return {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in found}


def _definition(function: Callable[..., object]) -> ast.FunctionDef:
    code = inspect.unwrap(function).__code__
    return _definitions(code.co_filename)[code.co_firstlineno]
