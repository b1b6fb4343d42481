"""Call texts made of the rules' samples, and their rewriting."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files

import libcst as cst
from fake_facts import FakeModule, parsed

from migrator.facts import analyse
from migrator.model import Decline, Rewritten
from migrator.rules.engine.records import Rule
from migrator.rules.engine.rewriter import rewrite
from migrator.rules.engine.samples import Array, Code, Sample
from migrator.values import ModuleFacts, Tensor


@dataclass(frozen=True)
class Program:
    """A function `f` over the arrays of a sample, as TF source. `whole`: analysed as a file of its own."""

    source: str
    arrays: dict[str, Array]
    whole: bool = False

    def facts(self, source: str, known: bool = True) -> ModuleFacts:
        """What is known of the program, written as `source`; nothing of its arrays where not `known`."""
        if self.whole:
            return analyse({"sample": source}).modules["sample"]
        return FakeModule(source, {n: Tensor(a.shape, a.dtype) for n, a in self.arrays.items()} if known else {})

    def rewritten(self, facts: bool = True, exact: bool = False) -> tuple[str, Rewritten]:
        """The function in torch, and all that the rewriter says; `exact` as with `--fidelity exact`."""
        tree, spans = parsed(self.source)
        made = rewrite(tree, self.facts(self.source, facts), spans, exact=exact)
        assert isinstance(made.node, cst.Module)
        return "\n".join(sorted(made.imports)) + "\n" + made.node.code, made


def programs(rule: Rule, sample: Sample) -> list[Program]:
    """The sample's call in its own, in keyword and in positional spelling; its statements as they are."""
    if sample.body:
        return [_statements(sample)]
    arrays: dict[str, Array] = {}
    args = [_text(value, arrays) for value in sample.args]
    kwargs = {name: _text(value, arrays) for name, value in sample.kwargs}
    names = list(rule.signature.names)
    texts = [_call(rule, [*args, *(f"{n}={t}" for n, t in kwargs.items())])]
    variadic = any(p.variadic for p in rule.signature.parameters)
    if rule.kind == "function" and not variadic:
        texts.append(_call(rule, [f"{n}={t}" for n, t in [*zip(names, args, strict=False), *kwargs.items()]]))
        if list(kwargs) == names[len(args) : len(args) + len(kwargs)]:
            texts.append(_call(rule, [*args, *kwargs.values()]))
    return [Program(_function(text, arrays), arrays) for text in dict.fromkeys(texts)]


def _statements(sample: Sample) -> Program:
    """Numbers and arrays come in as tensors, which the text says, since no caller shows it."""
    arrays = dict(sample.arrays)
    lines = [f"{name} = tf.convert_to_tensor({name})" for name in arrays]
    body = textwrap.indent("\n".join([*lines, textwrap.dedent(sample.body).strip("\n")]), "    ")
    return Program(
        f"import os\nimport numpy as np\nimport tensorflow as tf\n\n\ndef f({', '.join(arrays)}):\n{body}\n",
        arrays,
        True,
    )


def _call(rule: Rule, args: list[str]) -> str:
    if rule.kind == "function":
        return f"{_exported(rule.api)}({', '.join(args)})"
    member = rule.api.rpartition(".")[2]
    return f"{args[0]}.{member}" + (f"({', '.join(args[1:])})" if rule.kind == "method" else "")


@cache
def _exported(api: str) -> str:
    """The name itself, or another of the same object when the installed TensorFlow no longer has it."""
    import tensorflow as tf

    table = json.loads((files("migrator.facts") / "_names.json").read_text(encoding="utf-8"))["aliases"]
    for name in (api, *(alias for alias, canonical in table.items() if canonical == api)):
        try:
            reduce(getattr, name.split(".")[1:], tf)
        except AttributeError:
            continue
        return name
    return api


def _function(text: str, arrays: dict[str, Array]) -> str:
    return f"def f({', '.join(arrays)}):\n    return {text}\n"


def _text(value: object, arrays: dict[str, Array]) -> str:
    if isinstance(value, Array):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return name
    if isinstance(value, Code):
        arrays.update(value.arrays)
        return value.text
    return repr(value)


def reasons(declines: tuple[Decline, ...]) -> str:
    return "; ".join(f"{d.api}: {d.reason}" for d in declines)
