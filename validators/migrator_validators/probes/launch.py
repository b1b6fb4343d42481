"""Starting what a training case names: a function, a method, or a module run as a program."""

from __future__ import annotations

import runpy
from typing import Any, Callable

from . import wire
from .printed import Printed, at_its_end, stop_clocks


class Program:
    """A module that is run as a program: what it has at its end, and what it printed until it was stopped."""

    def __init__(self, module: str, printed: Printed) -> None:
        self.module, self.printed = module, printed
        self.names: dict[str, Any] = {}

    def __call__(self) -> None:
        wire.PROGRAM.append(self.module)
        stop_clocks()
        self.printed.install()
        try:
            with wire.program("run " + self.module):
                self.names = runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        except wire.ProgramError as error:
            if not isinstance(error.__cause__, SystemExit) or error.__cause__.code:
                raise
        finally:
            self.printed.remove()

    def tree(self) -> Any:
        """For the report."""
        return at_its_end(self.names, self.printed)


def launcher(program: wire.Program, call: dict[str, Any], printed: Printed) -> Callable[[], Any]:
    """The call of a case with its arguments made, but for "module:__main__", which runs the module."""
    module, _, attribute = call["ref"].partition(":")
    if attribute != "__main__":
        return program.bind(dict(call, pick=""))
    return Program(module, printed)
