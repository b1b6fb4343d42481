"""Starting what a training case names: a function, a method, or a module run as a program."""

from __future__ import annotations

import runpy
from typing import Any, Callable

from . import wire


def launcher(program: wire.Program, call: dict[str, Any]) -> Callable[[], Any]:
    """The call of a case with its arguments made, but for "module:__main__", which runs the module and gives None."""
    module, _, attribute = call["ref"].partition(":")
    if attribute != "__main__":
        return program.bind(dict(call, pick=""))
    return lambda: _run_as_program(module)


def _run_as_program(module: str) -> None:
    wire.PROGRAM.append(module)
    try:
        with wire.program("run " + module):
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except wire.ProgramError as error:
        if not isinstance(error.__cause__, SystemExit) or error.__cause__.code:
            raise
