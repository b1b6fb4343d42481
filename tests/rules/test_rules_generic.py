"""What holds for every rule: idempotent, comments survive, every parameter is used."""

from __future__ import annotations

import ast

import libcst as cst
import pytest
from fake_facts import FakeModule, parsed
from programs import programs

from migrator.rules import rulebook
from migrator.rules.engine.records import Rule
from migrator.rules.engine.registry import all_rules
from migrator.rules.engine.rewriter import rewrite
from migrator.rules.engine.samples import Sample
from migrator.rules.engine.template import RAW

rulebook()
SAMPLES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_rules()
    for index, sample in enumerate(rule.samples)
    if not sample.declines
]


@pytest.mark.parametrize(("rule", "sample"), SAMPLES)
def test_idempotent(rule: Rule, sample: Sample) -> None:
    for program in programs(rule, sample)[:1]:
        once, _ = program.rewritten()
        tree, spans = parsed(once)
        again = rewrite(tree, FakeModule(once, {}), spans)
        assert isinstance(again.node, cst.Module)
        assert again.node.code == once
        assert not again.declines


@pytest.mark.parametrize(("rule", "sample"), SAMPLES)
def test_comments_survive(rule: Rule, sample: Sample) -> None:
    for program in programs(rule, sample)[:2]:
        source = commented(program.source)
        if source.count("#") < 2:
            continue
        tree, spans = parsed(source)
        made = rewrite(tree, program.facts(source), spans)
        assert isinstance(made.node, cst.Module)
        assert not made.declines
        for number in range(source.count("#")):
            assert f"# c{number}" in made.node.code, made.node.code


def commented(source: str) -> str:
    """The program with every argument of its call on a line of its own, a comment behind each."""
    head, _, tail = source.partition("return ")
    try:
        call = ast.parse(tail.strip(), mode="eval").body
    except SyntaxError:  # a sample of several statements
        return source
    if not isinstance(call, ast.Call):
        return source
    parts = [ast.unparse(a) for a in call.args] + [f"{k.arg}={ast.unparse(k.value)}" for k in call.keywords]
    lines = [f"        {part},  # c{i + 1}" for i, part in enumerate(parts)]
    return "\n".join([f"{head}return {ast.unparse(call.func)}(  # c0", *lines, "    )", ""])


@pytest.mark.parametrize("rule", [r for r in all_rules() if r.kind == "function"], ids=lambda r: r.api)
def test_no_argument_is_forgotten(rule: Rule) -> None:
    used = {n.id.removeprefix(RAW) for s in rule.template.body for n in ast.walk(s) if isinstance(n, ast.Name)}
    facts = {name.partition("_")[2] for name in rule.signature.facts}
    names = {rule.old.get(n, n) for n in rule.signature.names} - {""}
    forgotten = names - used - rule.ignored - facts
    assert not forgotten, f"neither used nor declined: {forgotten}"
