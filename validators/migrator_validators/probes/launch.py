"""Starting what a training case names: a function, a method, or a module run as a program."""

from __future__ import annotations

import runpy
from typing import Any, Callable, Sequence

from . import absent, wire
from .left import Left
from .printed import Printed, at_its_end, stop_clocks

PLACE = "written-by-the-program"
"""A name for files; the working folder is the check's own."""


class Launch:
    """Runs what a case calls and keeps what it prints, also where the run is stopped.

    `names`: of a module that is run as a program ("module:__main__", which gives None), what it has at its end.
    `kept`: methods of the object that is trained, which save and restore it; then it is trained, saved, trained,
    restored and trained, so that what was not restored shows. `times`: how often it is called.
    """

    def __init__(
        self, program: wire.Program, call: dict[str, Any], printed: Printed, kept: Sequence[str] = (), times: int = 1
    ) -> None:
        self.program, self.call, self.kept, self.times = program, call, kept, times
        self.module, _, attribute = call["ref"].partition(":")
        self.printed = printed
        self.names: dict[str, Any] = {}
        self.runs_module = attribute == "__main__"
        self._call: Callable[[], Any] = self._module if self.runs_module else program.bind(dict(call, pick=""))
        owner = program.made[call["on"]["label"]] if (call.get("on") or {}).get("k") == "made" else None
        self.left = Left(owner, list(program.containers))

    def __call__(self) -> Any:
        stop_clocks()
        self.printed.install()
        try:
            return self._kept() if self.kept else self._often()
        finally:
            self.printed.remove()

    def _often(self) -> Any:
        """What the call gives; a list of all where it is made more than once."""
        results = [self._call() for _ in range(self.times)]
        return results[0] if self.times == 1 else results

    def _kept(self) -> Any:
        save, restore = self.kept
        first = self._call()
        owner = self.program.made[self.call["on"]["label"]]
        with wire.program("save what is trained"):
            where = getattr(owner, save)(PLACE)
        self._call()
        with wire.program("restore what was saved"):
            getattr(owner, restore)(where if isinstance(where, str) else PLACE)
        return first, where, self._call()

    def _module(self) -> None:
        wire.PROGRAM.append(self.module)
        try:
            with wire.program("run " + self.module), absent.armed():
                self.names = runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        except wire.ProgramError as error:
            if not isinstance(error.__cause__, SystemExit) or error.__cause__.code:
                raise

    def told(self) -> Any:
        """For the report."""
        return dict(at_its_end(self.names, self.printed), left=self.left.told(self.printed.sink))
