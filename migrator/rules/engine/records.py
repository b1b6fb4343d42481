"""The records that rules are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from migrator.model import LayerCode
from migrator.rules.engine.samples import Sample
from migrator.rules.engine.signature import Signature
from migrator.rules.engine.template import Template


@dataclass(frozen=True, eq=False)
class Rule:
    """The torch spelling of one TF function, method, attribute or constant.

    `kind`: function, method, attribute or constant. `torch_name`: what the bare name becomes when
    it is not called, or "". `keras`: 2 or 3 where the record is for one Keras only. `base`: the rule of
    today's spelling, where this is an old one. `old`: old parameter names and today's, "" for one that
    changes nothing.
    """

    api: str
    kind: str
    signature: Signature
    template: Template
    samples: tuple[Sample, ...] = ()
    gaps: tuple[str, ...] = ()
    torch_name: str = ""
    keras: int | None = None
    base: Rule | None = None
    old: dict[str, str] = field(default_factory=dict)

    @property
    def closes_gaps(self) -> bool:
        """Whether the rule has a second spelling without its gaps (`--fidelity exact`)."""
        signature = self.signature if self.base is None else self.base.signature
        return "exact" in signature.facts

    @cached_property
    def ignored(self) -> frozenset[str]:
        """Parameters that change nothing of the result: `name`, and those annotated `Ignored`."""
        own = {"name", *(p.name for p in self.signature.parameters if p.must == "Ignored")}
        return frozenset(own | (self.base.ignored if self.base is not None else set()))


@dataclass(frozen=True, eq=False)
class LayerRule:
    """The torch spelling of one Keras layer; `build` makes its code from bound arguments."""

    api: str
    build: Callable[..., LayerCode]
    samples: tuple[Sample, ...] = ()
    gaps: tuple[str, ...] = ()
    keras: int | None = None
    kind: str = field(default="layer")

    @cached_property
    def signature(self) -> Signature:
        return Signature.of_callable(inspect.signature(self.build), skip=("call",))
