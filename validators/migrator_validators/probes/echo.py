"""A probe that gives back what it gets, or runs the text of `request["code"]`: for tests of the sandbox itself."""

from __future__ import annotations

from typing import Any, Dict, Tuple


def run(request: Dict[str, Any], arrays: Dict[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    scope: Dict[str, Any] = {"arrays": arrays, "result": dict(request)}
    if "code" in request:
        exec(compile(request["code"], "tree_code", "exec"), scope)
    scope["result"].pop("code", None)
    return scope["result"], scope["arrays"]
