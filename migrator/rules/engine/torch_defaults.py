"""Arguments of torch that need not be written, because they are torch's own defaults."""

from __future__ import annotations

import ast
from functools import cache

_REDUCTION: dict[str, object] = {"dim": None, "keepdim": False}

DEFAULTS: dict[str, dict[str, object]] = {
    "torch.sum": _REDUCTION,
    "torch.mean": _REDUCTION,
    "torch.prod": _REDUCTION,
    "torch.all": _REDUCTION,
    "torch.any": _REDUCTION,
    "torch.var": _REDUCTION,
    "torch.std": _REDUCTION,
    "torch.var_mean": _REDUCTION,
    "torch.amax": {"keepdim": False},
    "torch.amin": {"keepdim": False},
    "torch.argmax": {"dim": None, "keepdim": False},
    "torch.argmin": {"dim": None, "keepdim": False},
    "torch.logsumexp": {"keepdim": False},
    "torch.count_nonzero": {"dim": None},
    "torch.linalg.vector_norm": {"ord": 2, "dim": None, "keepdim": False},
    "torch.cat": {"dim": 0},
    "torch.stack": {"dim": 0},
    "torch.unbind": {"dim": 0},
    "torch.sort": {"dim": -1, "descending": False, "stable": False},
    "torch.argsort": {"dim": -1, "descending": False, "stable": False},
    "torch.topk": {"dim": -1, "largest": True, "sorted": True},
    "torch.zeros": {"dtype": None},
    "torch.ones": {"dtype": None},
    "torch.zeros_like": {"dtype": None},
    "torch.ones_like": {"dtype": None},
    "torch.tensor": {"dtype": None},
    "torch.as_tensor": {"dtype": None},
    "torch.arange": {"dtype": None},
    "torch.cross": {"dim": None},
    "F.elu": {"alpha": 1.0},
    "F.gelu": {"approximate": "none"},
    "F.pad": {"mode": "constant", "value": 0},
    "F.conv1d": {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "F.conv2d": {"bias": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "F.normalize": {"p": 2, "dim": 1, "eps": 1e-12},
    "F.dropout": {"p": 0.5, "training": True},
}


@cache
def helper_defaults(name: str, source: str) -> dict[str, object]:
    """The literal defaults of a function, or of the constructor of a class, that goes into the migrated file."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _defaults(node)
        if isinstance(node, ast.ClassDef) and node.name == name:
            inherited = [helper_defaults(b.id, source) for b in node.bases if isinstance(b, ast.Name)]
            own = [_defaults(f) for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
            return {key: value for found in (*inherited, *own) for key, value in found.items()}
    return {}


def _defaults(node: ast.FunctionDef) -> dict[str, object]:
    args, values = [*node.args.args, *node.args.kwonlyargs], [*node.args.defaults, *node.args.kw_defaults]
    named = zip(args[len(args) - len(values) :], values, strict=True)
    return {a.arg: ast.literal_eval(v) for a, v in named if isinstance(v, (ast.Constant, ast.UnaryOp))}


def is_default(function: str, keyword: str, value: object, helper: str = "") -> bool:
    """Whether `function(keyword=value)` says what it does anyway; `helper`: the source of one of ours."""
    defaults = helper_defaults(function, helper) if helper else DEFAULTS.get(function, {})
    if keyword not in defaults:
        return False
    default = defaults[keyword]
    plain = isinstance(default, (int, float)) and isinstance(value, (int, float))
    if plain and not isinstance(default, bool) and not isinstance(value, bool):
        return default == value
    return type(default) is type(value) and default == value
