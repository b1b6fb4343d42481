"""Where a model is reached, and as whom."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pydantic import SecretStr

from migrator.errors import EnvironmentMissing, UsageError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
_AZURE = (".azure.com", ".azure-api.net", ".azure.us", ".azure.cn")
_NO_KEY = "none"
"""Sent where there is no key: servers on one's own machine do not look at it."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server and a model on it. `address` is its URL without credentials and query."""

    model: str
    address: str
    query: tuple[tuple[str, str], ...] = ()
    key: SecretStr | None = None
    organization: str | None = None
    project: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def is_openai(self) -> bool:
        return self.host == "api.openai.com" or self.host.endswith(".api.openai.com") or self.is_azure

    @property
    def is_azure(self) -> bool:
        return self.host.endswith(_AZURE) or any(name == "api-version" for name, _ in self.query)

    def allowed_by(self, patterns: tuple[str, ...]) -> bool:
        """Whether one of the patterns ("https://*.example.com/v1", "localhost", "http://localhost:*") names it.

        A pattern without "://" is one of host names. `*` stands for any characters but "/" and ".", so
        that what begins or ends like a trusted name is not taken for it.
        """
        return any(_matches(self.address, self.host, pattern.rstrip("/")) for pattern in patterns)

    def connect(self, timeout_s: float) -> AsyncOpenAI:
        """The SDK's client, its own retries off; proxies as the environment says (HTTPS_PROXY, NO_PROXY, …)."""
        from openai import AsyncOpenAI

        key = self.key.get_secret_value() if self.key else _NO_KEY
        headers = dict(self.headers) | ({"api-key": key} if self.is_azure and self.key else {})
        return AsyncOpenAI(
            api_key=key,
            base_url=self.address,
            organization=self.organization,
            project=self.project,
            timeout=timeout_s,
            max_retries=0,
            default_headers=headers,
            default_query=dict(self.query),
        )


def endpoint(
    model: str,
    base_url: str | None = None,
    api_key: SecretStr | None = None,
    environment: Mapping[str, str] | None = None,
    keyless: bool = False,
) -> Endpoint:
    """The endpoint for `model`; what is not given comes from OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_ORG_ID and
    OPENAI_PROJECT_ID. Raises `UsageError` for an address that is none, `EnvironmentMissing` where OpenAI's own
    endpoint lacks a key, unless `keyless`: batch files are written without one.
    """
    env = environment or {}
    address, query = _address(_given(base_url, env))
    key = api_key or (SecretStr(env["OPENAI_API_KEY"].strip()) if env.get("OPENAI_API_KEY", "").strip() else None)
    found = Endpoint(
        model=model,
        address=address,
        query=query,
        key=key,
        organization=env.get("OPENAI_ORG_ID") or None,
        project=env.get("OPENAI_PROJECT_ID") or None,
    )
    if key is None and found.is_openai and not keyless:
        raise EnvironmentMissing(f"no key for {found.host}: set OPENAI_API_KEY, or name another server by --base-url")
    return found


def place(base_url: str | None, environment: Mapping[str, str]) -> str:
    """The address that would be asked, without credentials and query. Raises `UsageError` for one that is none."""
    return _address(_given(base_url, environment))[0]


def _given(base_url: str | None, environment: Mapping[str, str]) -> str:
    return base_url or environment.get("OPENAI_BASE_URL") or OPENAI_URL


def _address(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"base-url: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("base-url: give an http:// or https:// address of an OpenAI-compatible server")
    if parts.username or parts.password:
        raise UsageError("base-url: give the key as OPENAI_API_KEY, not in the address")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), tuple(parse_qsl(parts.query))


def _matches(address: str, host: str, pattern: str) -> bool:
    wanted = re.escape(pattern.lower()).replace(r"\*", "[^/.]*")
    if "://" not in pattern:
        return re.fullmatch(wanted, host) is not None
    return re.fullmatch(f"{wanted}(/.*)?", address.lower()) is not None  # a server, or a path and what is below it
