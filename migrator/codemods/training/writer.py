"""What the code of one model call is written with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import libcst as cst

from migrator.codemods.context import Context
from migrator.codemods.training.calls import arguments, is_none
from migrator.codemods.training.configuration import Configuration
from migrator.codemods.training.owners import Compiled
from migrator.codemods.training.place import embed, holders
from migrator.codemods.training.plan import FilePlan
from migrator.codemods.training.scope import Holder, Names, may_be_none
from migrator.codemods.training.sink import Sink
from migrator.model import Decline
from migrator.syntax import transform

Bound = dict[str, cst.BaseExpression]
IGNORED = frozenset({"max_queue_size", "workers", "use_multiprocessing"})


@dataclass(frozen=True)
class Code:
    """Statements to run before, and the expression that takes the call's place."""

    before: str
    value: str


class Unfit(Exception):
    """Raised where an argument has no certain spelling; becomes a decline."""


@dataclass
class Writer:
    """Writes the code of one call; `names` are those of its scope."""

    ctx: Context
    plan: FilePlan
    sink: Sink
    names: Names
    holder: Holder
    decided: Mapping[cst.CSTNode, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)  # of a function that is written in place

    def text(self, node: cst.BaseExpression) -> str:
        """An argument as torch source; calls inside that are decided already are put in their place."""
        inside = {n: t for n, t in self.decided.items() if n in holders(node, self.decided)}
        rewritten = embed(node, inside, self.ctx)
        self.sink.take(rewritten)
        made = transform(rewritten.node, Renamer(self.renames)) if self.renames else rewritten.node
        assert isinstance(made, cst.CSTNode)
        return cst.Module([]).code_for_node(made).strip()

    def bound(self, call: cst.Call, method: str, known: frozenset[str]) -> Bound:
        bound = arguments(call, method)
        if isinstance(bound, Decline):
            raise Unfit(bound.reason)
        for name, node in bound.items():
            if name not in known | IGNORED and not is_none(node, self.ctx):
                raise Unfit(f"argument `{name}` has no rule")
        return {name: node for name, node in bound.items() if name not in IGNORED and not is_none(node, self.ctx)}

    def size(self, node: cst.BaseExpression | None) -> str:
        """A batch size; Keras reads None as 32."""
        if node is None:
            return "32"
        text = self.text(node)
        return f"{text} or 32" if may_be_none(node, self.holder) else text


class Renamer(cst.CSTTransformer):
    """Puts arguments in the place of parameters."""

    def __init__(self, renames: Mapping[str, str]) -> None:
        super().__init__()
        self.renames = renames

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        text = self.renames.get(updated_node.value)
        return updated_node if text is None else cst.parse_expression(text)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)


def configured(compiled: Compiled | None) -> Configuration:
    if compiled is None:
        raise Unfit("which `compile` it belongs to is not certain")
    if isinstance(compiled.config, Decline):
        raise Unfit(compiled.config.reason)
    return compiled.config
