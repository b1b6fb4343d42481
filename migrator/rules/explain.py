"""What the rules say of an API, as data: for `migrator explain`, `migrator rules` and the documentation."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from migrator.rules.book import load_all
from migrator.rules.engine.records import LayerRule, Rule
from migrator.rules.engine.registry import all_layers, all_rules, find, find_layer
from migrator.rules.engine.template import RAW
from migrator.values import Facts


@dataclass(frozen=True)
class Explanation:
    """One rule for people.

    `kind`: function, method, attribute, constant or layer. `signature`: TF's. `torch`: the spelling, a line
    for each way out. `declines`: reasons it may give. `gaps`: documented differences. `samples`: how many
    calls are compared with TensorFlow.
    """

    api: str
    kind: str
    signature: str
    torch: tuple[str, ...]
    declines: tuple[str, ...]
    gaps: tuple[str, ...]
    samples: int
    keras: int | None = None

    @property
    def tested(self) -> bool:
        """Whether calls of it are compared with TensorFlow, or its value where it is a constant."""
        return self.samples > 0 or self.kind == "constant"


@dataclass(frozen=True)
class Coverage:
    """Uses of one API in a repository and whether a rule covers it."""

    api: str
    uses: int
    covered: bool


def explain(api: str, keras: int = 3) -> Explanation | None:
    """The rule for a canonical name, or None where there is none."""
    load_all()
    found = find(api, keras) or find_layer(api, keras)
    return None if found is None else _explained(found)


def rules_table() -> tuple[Explanation, ...]:
    """Every rule, sorted by name."""
    load_all()
    records: list[Rule | LayerRule] = [*all_rules(), *all_layers()]
    return tuple(sorted(map(_explained, records), key=lambda e: (e.api, e.keras or 0)))


def coverage(facts: Facts, keras: int = 3) -> tuple[Coverage, ...]:
    """How often each API is used and whether a rule covers it, the most used first."""
    load_all()
    return covered_uses((api for module in facts.modules.values() for api, _ in module.uses()), keras)


def covered_uses(apis: Iterable[str], keras: int = 3) -> tuple[Coverage, ...]:
    """The same for plain names."""
    load_all()
    counts = Counter(apis)
    rows = (Coverage(a, n, bool(find(a, keras) or find_layer(a, keras))) for a, n in counts.items())
    return tuple(sorted(rows, key=lambda row: (-row.uses, row.api)))


def _explained(record: Rule | LayerRule) -> Explanation:
    torch, declines = _layer_texts(record) if isinstance(record, LayerRule) else _template_texts(record)
    compared = sum(not s.declines for s in record.samples)
    return Explanation(
        record.api, record.kind, _signature(record), torch, declines, record.gaps, compared, record.keras
    )


def _signature(record: Rule | LayerRule) -> str:
    parts = []
    for p in record.signature.parameters:
        shown = ("*" if p.variadic else "") + p.name
        known = p.variadic or p.default is inspect.Parameter.empty or type(p.default) is object
        parts.append(shown if known else f"{shown}={p.default!r}")
    return f"({', '.join(parts)})"


def _template_texts(rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    nodes = [n for s in rule.template.body for n in ast.walk(s)]
    torch = [_result(n.value) for n in nodes if isinstance(n, ast.Return)] if rule.kind != "constant" else []
    torch = torch or [ast.unparse(n.value) for n in nodes if isinstance(n, ast.Return) and n.value is not None]
    declines = [_reason(n) for n in nodes if isinstance(n, ast.Raise)]
    return tuple(dict.fromkeys(map(_readable, torch))), tuple(dict.fromkeys(d for d in declines if d))


def _result(value: ast.expr | None) -> str:
    """A result as code; "goes" for a call of which nothing is left."""
    return "goes" if value is None or ast.unparse(value) == "None" else ast.unparse(value)


def _readable(text: str) -> str:
    """A template without the marks that only the engine reads."""
    plain = text.replace(", device=device_here", "").replace(RAW, "")
    plain = re.sub(r"\b(?:titled|how)\((\w+)[^()]*\)", r"\1", plain)  # questions about an argument, which they return
    plain = re.sub(r"\bkept\((\w+)[^()]*\)", r"\1", plain)
    return re.sub(r"is_none\((\w+)\)", r"\1 is None", plain)


def _reason(node: ast.Raise) -> str:
    argument = node.exc.args[0] if isinstance(node.exc, ast.Call) and node.exc.args else None
    return str(argument.value) if isinstance(argument, ast.Constant) else ""


def _layer_texts(rule: LayerRule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    doc = inspect.getdoc(rule.build) or ""
    nodes = list(ast.walk(ast.parse(inspect.getsource(rule.build))))
    declines = [_reason(n) for n in nodes if isinstance(n, ast.Raise)]
    return (doc.replace("`", ""),), tuple(dict.fromkeys(d for d in declines if d))
