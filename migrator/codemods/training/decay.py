"""`optimizer.exclude_from_weight_decay(...)`: groups of parameters of which one does not decay."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.nodes import find
from migrator.codemods.training.scope import Holder
from migrator.model import Helper

DECAY_GROUPS = Helper(
    "decay_groups",
    '''def decay_groups(model):
    """The parameters in two groups: biases, and the scales and shifts of normalisations, do not decay."""
    norms = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    decaying, others = [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            (others if "bias" in name or isinstance(module, norms) else decaying).append(parameter)
    return [{"params": decaying}, {"params": others, "weight_decay": 0.0}]
''',
    ("from torch import nn",),
)
_NAMES = {"bias", "gamma", "beta"}


def exclusion(line: cst.CSTNode) -> str:
    """The text of the optimizer whose biases and normalisations a line keeps from decaying; "" for any other line."""
    call = m.Call(func=m.Attribute(attr=m.Name("exclude_from_weight_decay")), args=[m.Arg(keyword=m.Name("var_names"))])
    if not m.matches(line, m.SimpleStatementLine(body=[m.Expr(value=call)])):
        return ""
    assert isinstance(line, cst.SimpleStatementLine)
    statement = line.body[0]
    assert isinstance(statement, cst.Expr)
    made = statement.value
    assert isinstance(made, cst.Call)
    assert isinstance(made.func, cst.Attribute)
    listed = made.args[0].value
    texts = listed.elements if isinstance(listed, cst.List | cst.Tuple) else ()
    words = {str(e.value.evaluated_value) for e in texts if isinstance(e.value, cst.SimpleString)}
    same = words == _NAMES and len(texts) == len(_NAMES)
    return cst.Module([]).code_for_node(made.func.value).strip() if same else ""


def excludes(target: str, holder: Holder) -> bool:
    """Whether a scope keeps the biases and normalisations of an optimizer from decaying."""
    return any(exclusion(line) == target for line in find(holder, m.SimpleStatementLine()))
