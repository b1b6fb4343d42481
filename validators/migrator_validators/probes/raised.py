"""Exceptions that the program under test raises by a statement of its own: to refuse an input is what it does then."""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import sys
from types import TracebackType
from typing import Optional, Tuple

REFUSALS = (ast.Raise, ast.Assert)


def refusal(error: Optional[BaseException]) -> str:
    """The name of Python's own exception that a `raise` or `assert` of the program raised; "" for any other."""
    if error is None or getattr(builtins, type(error).__name__, None) is not type(error):
        return ""
    path, line = _innermost(error.__traceback__)
    roots = tuple({os.path.join(root, "") for root in (os.getcwd(), sys.path[0])})
    return type(error).__name__ if path.startswith(roots) and _refuses(path, line) else ""


def _innermost(trace: Optional[TracebackType]) -> Tuple[str, int]:
    """File and line of the frame that raised."""
    found = ("", 0)
    while trace is not None:
        found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _refuses(path: str, line: int) -> bool:
    """Whether the statement that begins at a line, or goes over it, refuses something."""
    found = (n for n in ast.walk(ast.parse("".join(linecache.getlines(path)))) if isinstance(n, REFUSALS))
    return any(n.lineno <= line <= (getattr(n, "end_lineno", None) or n.lineno) for n in found)
