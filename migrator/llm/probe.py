"""Whether an endpoint is there, asked without sending it anything of the source."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from migrator.errors import EnvironmentMissing
from migrator.llm.endpoint import Endpoint
from migrator.llm.pace import Pace
from migrator.llm.transport import Patience, Transport, Trouble

_MODELS_ARE_MANY = 5
"""Names that a message lists."""


@dataclass(frozen=True)
class State:
    """What was found: `detail` for people, `hint` what to do where it is not `ok`."""

    ok: bool
    detail: str
    hint: str = ""


def probe(endpoint: Endpoint, timeout_s: float = 10.0) -> State:
    """Ask the endpoint for its list of models: costs nothing. A server without such a list is there all the same."""
    try:
        models = asyncio.run(_models(endpoint, timeout_s))
    except Trouble as trouble:
        if trouble.status in (404, 405, 501):
            return State(True, f"{endpoint.address} answers; it has no list of models")
        return State(False, trouble.why, _hint(endpoint, trouble))
    if models and endpoint.model not in models:
        known = ", ".join(models[:_MODELS_ARE_MANY]) + (" …" if len(models) > _MODELS_ARE_MANY else "")
        return State(True, f"{endpoint.address} answers; {endpoint.model} is not in its list ({known})")
    return State(True, f"{endpoint.model} at {endpoint.address}")


def require(endpoint: Endpoint, timeout_s: float = 10.0) -> None:
    """Raise `EnvironmentMissing`, in one line, where the endpoint is not there or refuses the key."""
    state = probe(endpoint, timeout_s)
    if not state.ok:
        raise EnvironmentMissing(f"model endpoint: {state.detail} ({state.hint})")


async def _models(endpoint: Endpoint, timeout_s: float) -> list[str]:
    transport = Transport(endpoint, Patience(attempts=2, timeout_s=timeout_s, first_wait_s=0.2), Pace())
    try:
        return await transport.models()
    finally:
        await transport.close()


def _hint(endpoint: Endpoint, trouble: Trouble) -> str:
    if trouble.status in (401, 403):
        return "set OPENAI_API_KEY to a key of this endpoint"
    if endpoint.is_local:
        return "start the server, or name another one by --base-url"
    return "check --base-url, the network and HTTPS_PROXY, or run with --llm off"
