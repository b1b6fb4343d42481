"""Last touches on a generated class: numbered names, and names that collide with methods."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from migrator.codemods.models.build import ModuleBuild, Owned


def finished(build: ModuleBuild, named: Collection[str] = ()) -> None:
    """`conv`, `conv2` → `conv1`, `conv2`; names that the original gave stay."""
    for name in sorted(build.taken):
        second = f"{name}2"
        numbered = second in build.taken and f"{name}1" not in build.taken and not name[-1:].isdigit()
        if numbered and name not in named and _is_attribute(build, name) and _is_attribute(build, second):
            _rename(build, name, f"{name}1")


def _is_attribute(build: ModuleBuild, name: str) -> bool:
    return any(re.search(rf"\bself\.{name}\b", line) for line in build.init) and name not in build.captured


def _rename(build: ModuleBuild, old: str, new: str) -> None:
    def put(text: str) -> str:
        return re.sub(rf"\bself\.{old}\b", f"self.{new}", text)

    def owned(item: Owned) -> Owned:
        return Owned(tuple(map(put, item.templates)), put(item.target), tuple(map(put, item.frames)))

    build.init = [put(line) for line in build.init]
    build.methods = [[put(line) for line in method] for method in build.methods]
    build.resets = [owned(item) for item in build.resets]
    build.penalties = [owned(item) for item in build.penalties]
    build.records = [
        replace(r, path=re.sub(rf"^{old}(?=$|\.)", new, r.path)) if r.path.split(".")[0] == old else r
        for r in build.records
    ]
    build.taken = {new if name == old else name for name in build.taken}
