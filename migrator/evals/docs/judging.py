"""Do both programs of an example compute the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from migrator_validators.compare import Comparison, Difference, compare_trees
from migrator_validators.tolerances import tolerance

from migrator.evals.docs.execution import Ran
from migrator.evals.docs.programs import Program

Ending = Literal["equal", "declined", "wrong", "not-applicable", "infra-error"]


@dataclass(frozen=True)
class Judgement:
    """How an example ended. `how`: "values", or "shapes" where the values are random on the source's side."""

    ending: Ending
    reason: str = ""
    api: str = ""
    how: str = ""
    compared: int = 0


_REASONS = (
    (("URLError", "gaierror", "HTTPError", "RemoteDisconnected"), "needs the network"),
    (("ModuleNotFoundError", "ImportError"), "needs a library that is not installed"),
    (("NameError",), "a fragment: it uses names that it does not define"),
    (("FileNotFoundError", "NotFoundError", "PermissionError", "OSError"), "needs files that are not there"),
    (("timeout", "TooLong"), "does not end in time"),
    (("crashed",), "ends the process"),
    (("infra",), "could not be run"),
)
_NETWORK = ("Failed to fetch", "URL fetch failure", "Name or service not known", "Temporary failure in name")


def failure(source: Ran) -> str:
    """Why an example cannot be run as it stands, in a few words."""
    assert source.error is not None
    kind, message = source.error["type"], source.error["message"]
    if any(word in message for word in _NETWORK):
        return "needs the network"
    for kinds, reason in _REASONS:
        if kind in kinds:
            return reason
    return f"the example itself fails: {kind}"


def judge(program: Program, source: Ran, target: Ran, again: Sequence[Ran] = ()) -> Judgement:
    """Compare what both sides bound. `again`: the source under other seeds, which tell what is random."""
    if target.error is not None and target.error["type"] == "infra":
        return Judgement("infra-error", target.error["message"])
    if target.error is not None:
        return Judgement("wrong", f"the rewritten example fails: {target.error['type']}: {target.error['message']}")
    compared, how = 0, "values"
    for name in sorted(program.own & source.values.keys()):
        tree = source.values[name]
        if not any(_data(tree)):
            continue
        if name not in target.values:
            return Judgement("wrong", f"`{name}` is not bound any more")
        found = _compare(source, target, name)
        if found.differences:
            if not any(_random(source, other, name) for other in again):
                return Judgement("wrong", f"`{name}`: {found.first()}")
            if found.shapes_differ:
                return Judgement("wrong", f"`{name}`: {found.first(structural=True)}")
            how = "shapes"
        compared += found.leaves
    if not compared:
        return Judgement("not-applicable", "nothing was compared")
    return Judgement("equal", how=how, compared=compared)


def nothing_told(program: Program, source: Ran) -> bool:
    """Whether the original ran and bound nothing but objects."""
    told = (source.values[name] for name in program.own & source.values.keys())
    return source.error is None and not any(any(_data(tree)) for tree in told)


def _data(tree: dict[str, object]) -> Iterator[bool]:
    """Whether the parts of an encoded value are numbers or text, not objects."""
    if tree["t"] in ("list", "tuple", "namedtuple"):
        for item in tree["items"]:  # type: ignore[attr-defined]
            yield from _data(item)
    elif tree["t"] == "dict":
        for item in tree["items"].values():  # type: ignore[attr-defined]
            yield from _data(item)
    else:
        yield tree["t"] != "opaque"


def _compare(source: Ran, target: Ran, name: str) -> Comparison:
    s, t = source.values[name], target.values[name]
    if t.get("of") == "sizes" and s["t"] == "array" and s["dtype"] in ("int32", "int64") and len(s["shape"]) == 1:
        return _sizes(source.arrays[s["key"]].tolist(), [item["v"] for item in t["items"]])
    half = any("float16" in part.get("dtype", "") for part in (s, t))
    return compare_trees(s, source.arrays, t, target.arrays, tolerance("loose" if half else "forward"))


def _sizes(expected: list[int], found: list[int]) -> Comparison:
    """`tf.shape(x)` is a tensor in TF and a tuple of sizes in torch: the numbers have to agree."""
    if expected == found:
        return Comparison(leaves=1)
    return Comparison(leaves=1, differences=[Difference("", "value", f"sizes {found} instead of {expected}")])


def _random(source: Ran, again: Ran, name: str) -> bool:
    """Whether the source itself computes other values under another seed."""
    if name not in again.values:
        return False
    found = compare_trees(source.values[name], source.arrays, again.values[name], again.arrays, tolerance("exact"))
    return bool(found.differences)
