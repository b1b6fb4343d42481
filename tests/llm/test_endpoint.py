from __future__ import annotations

import pytest
from pydantic import SecretStr

from migrator.errors import EnvironmentMissing, UsageError
from migrator.llm.consent import check_allowed
from migrator.llm.endpoint import endpoint
from migrator.llm.ledger import Ledger
from migrator.llm.replies import Answer
from tests.llm.asking import asking, prompt
from tests.llm.scripted_server import MODEL, ScriptedServer, answers

GOOD = answers("x = 1\n")


def test_the_environments_names_work_as_users_expect() -> None:
    env = {
        "OPENAI_API_KEY": " sk-1\n",
        "OPENAI_BASE_URL": "https://proxy.example/v1/",
        "OPENAI_ORG_ID": "org-1",
        "OPENAI_PROJECT_ID": "proj-1",
    }
    found = endpoint("m", environment=env)
    assert found.key is not None
    assert (found.address, found.key.get_secret_value()) == ("https://proxy.example/v1", "sk-1")
    assert (found.organization, found.project) == ("org-1", "proj-1")
    assert endpoint("m", "http://localhost:11434/v1", environment=env).address == "http://localhost:11434/v1"
    assert "sk-1" not in repr(found)


def test_openai_needs_a_key_and_says_so() -> None:
    with pytest.raises(EnvironmentMissing, match="OPENAI_API_KEY"):
        endpoint("m", environment={})
    with pytest.raises(EnvironmentMissing, match=r"x\.openai\.azure\.com"):
        endpoint("m", "https://x.openai.azure.com/openai/v1/")
    assert endpoint("m", "http://localhost:8000/v1").key is None
    assert endpoint("m", keyless=True).key is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8000", "http://"),
        ("ftp://x/v1", "http://"),
        ("https://", "http://"),
        ("https://user:word@host/v1", "OPENAI_API_KEY"),
        ("http://[::1/v1", "base-url"),
        ("http://host:port/v1", "base-url"),
    ],
)
def test_an_address_that_is_none(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        endpoint("m", url, SecretStr("k"))
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.0.0.9/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
    ],
)
def test_which_servers_are_on_this_machine(url: str, local: bool) -> None:
    assert endpoint("m", url).is_local is local


@pytest.mark.parametrize(
    ("url", "pattern", "allowed"),
    [
        ("https://api.openai.com/v1", "api.openai.com", True),
        ("https://api.openai.com/v1", "*.openai.com", True),
        ("https://api.openai.com.evil.example/v1", "api.openai.com", False),
        ("https://api.openai.com.evil.example/v1", "*.openai.com", False),
        ("https://evil.example/api.openai.com/v1", "*openai.com*", False),
        ("https://api.openai.com/v1", "https://api.openai.com", True),
        ("https://api.openai.com/v1", "https://api.openai.com/v1/", True),
        ("https://api.openai.com/v2", "https://api.openai.com/v1", False),
        ("http://api.openai.com/v1", "https://api.openai.com/v1", False),
        ("http://localhost:11434/v1", "http://localhost:*", True),
        ("http://localhost:11434/v1", "localhost", True),
        ("http://localhost:11434/v1", "http://localhost*", True),
        ("http://localhost.evil.example/v1", "http://localhost*", False),
        ("https://a.b.openai.com/v1", "*.openai.com", False),
        ("https://api.openai.com/v10", "https://api.openai.com/v1", False),
        ("https://API.openai.com/v1", "api.OpenAI.com", True),
        ("http://evil.example/x//localhost:1", "http://localhost:*", False),
    ],
)
def test_allowed_endpoints(url: str, pattern: str, allowed: bool) -> None:
    assert endpoint("m", url, SecretStr("k")).allowed_by((pattern,)) is allowed


def test_every_list_has_to_allow_it() -> None:
    place = endpoint("m", "http://localhost:1/v1")
    check_allowed(place, ((), ()))
    check_allowed(place, (("localhost",), ("other", "localhost")))
    with pytest.raises(UsageError, match="not among the allowed endpoints"):
        check_allowed(place, (("localhost",), ("other",)))


def test_headers_of_organisation_and_project(ledger: Ledger) -> None:
    env = {"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}
    with ScriptedServer(otherwise=GOOD) as server:
        place = endpoint(MODEL, server.url, environment=env)
        with asking(server, ledger, setup={"endpoint": place}) as client:
            client.complete(prompt())
        headers = server.chats[0].headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj-1")


def test_azures_deployments_take_their_key_and_version(ledger: Ledger) -> None:
    with ScriptedServer(otherwise=GOOD) as server:
        url = server.url.replace("/v1", "/openai/deployments/mine") + "?api-version=2024-10-21"
        place = endpoint(MODEL, url, SecretStr("azure-key"))
        with asking(server, ledger, setup={"endpoint": place}) as client:
            assert isinstance(client.complete(prompt()).outcome, Answer)
        seen = server.chats[0] if server.chats else server.requests[0]
    assert seen.path == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == "azure-key"
    assert "max_completion_tokens" in seen.body


def test_a_proxy_of_the_environment_is_used(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(otherwise=GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "")
        place = endpoint(MODEL, "http://model.invalid/v1")  # a name that nobody resolves: only the proxy is asked
        with asking(proxy, ledger, setup={"endpoint": place}) as client:
            assert isinstance(client.complete(prompt()).outcome, Answer)
        assert proxy.requests[0].path == "http://model.invalid/v1/chat/completions"
