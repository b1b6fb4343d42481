"""The command line, called as a user calls it but in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from unittest import mock

from migrator.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def command(*arguments: str) -> Done:
    """Run `migrator` with these arguments."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["migrator", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
    return Done(code, out.getvalue(), err.getvalue())
