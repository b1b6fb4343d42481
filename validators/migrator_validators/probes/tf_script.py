"""Runs a module as a program (`__main__`) or imports it, on either side, and says how it ended."""

from __future__ import annotations

import runpy
import sys
from typing import Any, Dict, Tuple

from . import wire


def run(request: Dict[str, Any], arrays: wire.Arrays) -> Tuple[Dict[str, Any], wire.Arrays]:
    """Request: `module`, `main` (run it as a program, else import it), `arguments`."""
    sys.argv = [request["module"].replace(".", "/") + ".py", *request.get("arguments", [])]
    code = 0
    if request["main"]:
        try:
            with wire.program("run " + request["module"]):
                runpy.run_module(request["module"], run_name="__main__", alter_sys=False)
        except wire.ProgramError as error:
            if not isinstance(error.__cause__, SystemExit):
                raise
            code = (
                error.__cause__.code if isinstance(error.__cause__.code, int) else int(error.__cause__.code is not None)
            )
    else:
        wire.resolve(request["module"])
    return {"exit": code}, {}
