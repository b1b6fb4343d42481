"""Programs through the model codemods with the real facts and rules, and both sides run."""

from __future__ import annotations

import ast
import fnmatch
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from migrator_validators.proposals import PROPOSALS

from migrator.codemods.context import Context, Draft
from migrator.codemods.models import class_unit, factory_unit, model_statements, plan_models
from migrator.codemods.training import training_body
from migrator.facts import analyse
from migrator.model import UnitKind
from migrator.rules import rulebook
from migrator.values import Span

CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell")
FACTORIES = ("layer-factory", "module-factory", "model-factory")
HEADER = """import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

"""
DEVICE = 'device = torch.device("cpu")\n\n\n'


@dataclass(frozen=True)
class Migrated:
    """The new text of a program and the drafts that it is made of, by name."""

    text: str
    drafts: dict[str, Draft]

    @property
    def declines(self) -> list[str]:
        return [d.reason for draft in self.drafts.values() for d in draft.declines]


def context(source: str, module: str = "program", keras: int = 3) -> Context:
    """The context of a program of one file."""
    facts = analyse({module: source})
    plan = plan_models(facts, {module: ast.parse(source)})
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    spans = {
        node: Span(at.start.line, at.start.column, at.end.line, at.end.column)
        for node, at in wrapper.resolve(PositionProvider).items()
    }
    return Context(
        f"{module}.py",
        module,
        wrapper.module,
        spans,
        facts,
        rulebook(keras),
        keras=keras,
        changes=plan.changes,
        class_names=plan.class_names,
        layouts=plan.layouts,
        penalised=plan.penalised,
        constrained=plan.constrained,
        adding=plan.adding,
        below=plan.below,
    )


def migrate(source: str, keras: int = 3) -> Migrated:
    """Every class and function that makes models; other statements by the rules, imports left out."""
    ctx = context(source, keras=keras)
    texts: list[str] = []
    drafts: dict[str, Draft] = {}
    helpers: dict[str, str] = {}
    for statement in ctx.tree.body:
        draft = _draft(statement, ctx)
        if draft is None:
            texts.append("" if _is_import(statement) else ctx.code(ctx.rewrite(statement).node).strip() + "\n")
            continue
        name = getattr(getattr(statement, "name", None), "value", f"line{len(drafts)}")
        drafts[name] = draft
        texts.append(f"{draft.hoisted}\n\n{draft.text}" if draft.hoisted else draft.text)
        helpers.update({h.name: h.source for h in draft.helpers})
    body = "\n\n".join(t for t in texts if t.strip())
    device = DEVICE if any(d.needs_device for d in drafts.values()) else ""
    text = HEADER + device + "".join(f"{h}\n\n" for h in helpers.values()) + body
    return Migrated(f"from functools import partial\n\n{text}" if "partial(" in text else text, drafts)


def _is_import(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Import | cst.ImportFrom)


def _draft(statement: cst.BaseStatement, ctx: Context) -> Draft | None:
    if isinstance(statement, cst.ClassDef):
        known_class = ctx.facts.cls(f"{ctx.module}:{statement.name.value}")
        if known_class is not None and known_class.kind == "other":
            return training_body([statement], ctx, UnitKind.SCRIPT)
        return class_unit(statement, ctx)
    if isinstance(statement, cst.FunctionDef):
        known = ctx.facts.function(f"{ctx.module}:{statement.name.value}")
        return factory_unit(statement, ctx) if known is not None and known.role in FACTORIES else None
    return None


def script(source: str, name_hint: str = "") -> Draft | None:
    """The draft of the statements of a script that build a model (imports left out)."""
    ctx = context(source)
    return model_statements([s for s in ctx.tree.body if not _is_import(s)], ctx, name_hint)


def execute(text: str, name: str) -> types.ModuleType:
    """A module made of text."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


# --- weights ---


def transfer(keras_layers: list[Any], torch_model: Any, drafts: dict[str, Draft]) -> None:
    """Copy the weights of Keras layers, in order of creation, by the records of the drafts."""
    import torch

    records = [r for d in drafts.values() for r in d.weights]
    waiting: dict[str, list[Any]] = {}
    for layer in keras_layers:
        if own_weights(layer):
            name = type(layer).__name__
            # the weights of a recurrent layer belong to its cell
            waiting.setdefault(name.removesuffix("Cell") if name in CELLS else name, []).append(layer)
    with torch.no_grad():
        for keras, module, params in _targets(torch_model, records):
            layer = waiting[keras.rpartition(".")[2].rpartition(":")[2]][0]
            weights = {w.name.rpartition("/")[2].partition(":")[0]: w.numpy() for w in own_weights(layer)}
            for attribute, made in layer.__dict__.items():
                for place, weight in enumerate(made if isinstance(made, list) and attribute[0] != "_" else []):
                    if getattr(weight, "name", "") in weights:
                        weights[f"{attribute}.{place}"] = weights.pop(weight.name)
            held_by = set(weights)
            for source, target, transform in each(params, weights):
                if target not in dict(module.named_parameters()) and target not in dict(module.named_buffers()):
                    continue
                if source not in held_by and any(p[1] == target and p[0] in held_by for p in params):
                    continue  # the same place has another weight, by how the layer was configured
                value = torch.as_tensor(apply(weights.pop(source), transform))
                held = (
                    module.get_parameter(target)
                    if target in dict(module.named_parameters())
                    else module.get_buffer(target)
                )
                assert held.shape == value.shape, (keras, source, held.shape, value.shape)
                held.copy_(value)
            layer.__dict__["_left"] = weights
            if not weights or keras.startswith("tf."):
                waiting[keras.rpartition(".")[2].rpartition(":")[2]].pop(0)
    left = {k: v for k, v in waiting.items() if v and not k.startswith(tuple("_"))}
    assert not any(own_weights(x) for v in left.values() for x in v if "_left" not in x.__dict__), left


def each(params: Any, weights: Any) -> Iterator[tuple[str, str, str]]:
    """The weights of a record, those of a list ("kernels.*") one by one."""
    for source, target, transform in params:
        names = fnmatch.filter(weights, source) if "*" in source else [source]
        yield from ((name, target.replace("*", name.rpartition(".")[2]), transform) for name in list(names))


def own_weights(layer: Any) -> list[Any]:
    nested = {id(w) for sub in layer._flatten_layers(include_self=False) for w in sub.weights}
    return [w for w in layer.weights if id(w) not in nested and "seed_generator" not in w.path]


def _targets(model: Any, records: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    owners = {r.owner.rpartition(":")[2] for r in records}
    for prefix, module in model.named_modules():
        owner, path = _owner(model, prefix, owners)
        own: list[tuple[str, str, str]] = []
        for record in records:
            if record.owner.rpartition(":")[2] != owner:
                continue
            if record.path == "" and type(module).__name__ == owner:
                own += record.params
                keras = record.keras
            elif path and fnmatch.fnmatch(path, record.path) and _fits(module, record):
                yield record.keras, module, record.params
                break
        if own:
            yield keras, module, own


def _fits(module: Any, record: Any) -> bool:
    kind = record.keras.rpartition(".")[2]
    if kind not in PROPOSALS.get(type(module).__name__, {kind: ()}):
        return False  # another entry of the same container, as the verifier tells them apart
    names = {n for n, _ in module.named_parameters(recurse=False)} | {n for n, _ in module.named_buffers(recurse=False)}
    return any(p[1] in names for p in record.params)  # a bias may be there or not


def _owner(model: Any, prefix: str, owners: set[str]) -> tuple[str, str]:
    parts = prefix.split(".") if prefix else []
    for cut in range(len(parts), -1, -1):
        at = model.get_submodule(".".join(parts[:cut]))
        if type(at).__name__ in owners and (cut < len(parts) or not parts or type(at).__name__ in owners):
            if cut == len(parts) and parts and any(r for r in owners if r == type(at).__name__):
                return type(at).__name__, ""
            return type(at).__name__, ".".join(parts[cut:])
    return "", prefix


def apply(value: Any, transform: str) -> Any:
    """A transform of the records on an array."""
    for step in transform.split():
        name, _, rest = step.partition("(")
        sizes = tuple(int(n) for n in re.findall(r"-?\d+", rest))
        value = value.T if name == "T" else value.transpose(sizes) if name == "transpose" else value.reshape(sizes)
    return value
