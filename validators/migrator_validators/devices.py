"""Whether migrated code keeps to one device: it is run once more on a simulated GPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrator.model import Outcome, Rung, Verdict
from migrator_validators.bench import Bench
from migrator_validators.cases import Case
from migrator_validators.inputs import Inputs, sizes_of
from migrator_validators.workers import Arrays, Reply

SECONDS = 20.0
"""So long a training is watched."""
WHAT = "on a simulated GPU"


def device_verdict(bench: Bench) -> Verdict | None:
    """A pass, or what a GPU would refuse as a gap; None where the run says nothing (it failed in another way)."""
    case = bench.case
    if case.kind in ("constant", "data"):
        return None
    request, arrays = _request(bench)
    reply = bench.send("target", "torch_device", {**request, "seconds": SECONDS}, arrays)
    return _verdict(case, reply)


def _verdict(case: Case, reply: Reply) -> Verdict | None:
    verdict = Verdict(Rung.DEVICE, Outcome.PASS, WHAT, inputs=case.inputs_from)
    if reply.status == "ok":
        left = reply.result["cpu"]
        detail = f"{WHAT} its result of the sizes {left[0]} is left on the CPU" if left else ""
        return replace(verdict, outcome=Outcome.GAP, detail=detail) if left else verdict
    if reply.error.get("type") == "DeviceError":
        line = reply.error.get("line", "")
        place = f" at `{line}`" if line else ""
        detail = f"{WHAT} it fails{place}: {reply.error['message']}"
        return replace(verdict, outcome=Outcome.GAP, detail=detail, diverges=line)
    return None


def _request(bench: Bench) -> tuple[dict[str, Any], Arrays]:
    case = bench.case
    if case.kind == "script":
        ref = case.call.target or case.call.source
        return {"kind": "script", "module": ref.partition(":")[0]}, {}
    if case.kind == "training":
        inputs = Inputs(sizes_of(case, 0), folder=bench.sides.folder)
        inputs.side()
        return {"kind": "training", "call": inputs.call(case.call, "target")}, inputs.arrays
    request, arrays = bench.request("plain", "target", "float32")
    return {**request, "batches": request["batches"][:1], "inject": False, "initial": False}, arrays
