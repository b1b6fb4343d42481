"""An OpenAI-compatible HTTP server that replies what a script says: no model, and named so in all it returns.

A script maps a text that occurs in a prompt (a fragment's id, say) to the steps for it: each request
takes the next one, and the last one repeats. `python -m tests.llm.scripted_server SCRIPT.json` serves
a script of `{text: [step, …]}`, a step being the keyword arguments of `Step`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

MODEL = "scripted"
Knows = Literal["schema", "json", "text"]


@dataclass(frozen=True)
class Step:
    """One answer. `content` is the reply's text; with `status`, of an error's message.

    `retry_after` is that header's value. `delay_s` passes before anything is sent; `cut` ends the
    connection half way; `raw` replaces the whole body.
    """

    content: str | None = ""
    status: int = 200
    code: str = ""
    retry_after: str = ""
    delay_s: float = 0.0
    cut: bool = False
    raw: str | None = None
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: tuple[int, int] | None = (100, 50)


def answers(code: str, **fields: Any) -> Step:
    """A reply in the agreed shape."""
    reply = {"code": code, "holes": [], "imports": [], "helpers": [], "assumptions": [], "not_kept": []} | fields
    return Step(json.dumps(reply))


RATE_LIMIT = Step("slow down", status=429, code="rate_limit_exceeded")
RATE_LIMIT_FOR = Step("slow down", status=429, code="rate_limit_exceeded", retry_after="1")
NO_QUOTA = Step("You exceeded your current quota", status=429, code="insufficient_quota")
BROKEN = Step("internal error", status=500)
OVERLOADED = Step("overloaded", status=503)
BAD_KEY = Step("Incorrect API key provided", status=401, code="invalid_api_key")
FORBIDDEN = Step("not allowed", status=403)
UNKNOWN_MODEL = Step("The model does not exist", status=404, code="model_not_found")
TOO_LONG = Step("maximum context length is 10 tokens", status=400, code="context_length_exceeded")
CUT = Step("never whole", cut=True)
GARBAGE = Step(raw="<html>proxy error</html>")
REFUSAL = Step(None, refusal="I cannot help with that.")
FILTERED = Step("", finish_reason="content_filter")
TRUNCATED = Step('{"code": "def f(x', finish_reason="length")
EMPTY = Step("")
MALFORMED = Step("Sure! You should simply use torch here.")


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedServer:
    """Serves on a free port of this machine between `with` and its end.

    `knows`: the best form of reply that it can be asked for; better ones are a bad request.
    `limit`: the name of the length limit that it takes, "" for any. `key`: what it demands.
    """

    script: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    otherwise: Step = MALFORMED
    knows: Knows = "schema"
    limit: str = ""
    temperature: bool = True
    key: str = ""
    lists_models: bool = True
    requests: list[Seen] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    files: dict[str, str] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls_until_done: int = 1
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> ScriptedServer:
        scripted = self

        class Handler(_Handler):
            server_script = scripted

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def chats(self) -> list[Seen]:
        """The questions, without those for files, batches and models."""
        return [seen for seen in self.requests if seen.path.endswith("/chat/completions")]

    def step(self, prompt: str) -> Step:
        """The next step for a prompt; of several texts that occur in it, the longest counts."""
        found = max((text for text in self.script if text in prompt), key=len, default=None)
        if found is None:
            return self.otherwise
        with self._lock:
            number = self.asked[found]
            self.asked[found] += 1
        return self.script[found][min(number, len(self.script[found]) - 1)]

    def complaint(self, body: dict[str, Any]) -> str | None:
        """What this server does not understand of a request."""
        wanted = {"json_schema": "schema", "json_object": "json"}.get(
            body.get("response_format", {}).get("type", ""), "text"
        )
        order = ("text", "json", "schema")
        if order.index(wanted) > order.index(self.knows):
            return f"response_format {body['response_format']['type']} is not supported"
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}.get(self.limit)
        if other in body:
            return f"Unsupported parameter: '{other}'"
        if not self.temperature and "temperature" in body:
            return "temperature does not support this value"
        return None

    def complete(self, body: dict[str, Any]) -> tuple[Step, str]:
        """The step for a request and the body that it is answered with."""
        complaint = self.complaint(body)
        if complaint is not None:
            return (step := Step(complaint, status=400)), _error(step)
        step = self.step("\n".join(message["content"] for message in body["messages"]))
        if step.raw is not None:
            return step, step.raw
        return step, _error(step) if step.status != 200 else json.dumps(_completion(step))

    def run_batch(self, batch: dict[str, Any]) -> None:
        """Answer every line of a batch's input file."""
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        out = []
        for line in lines:
            step, text = self.complete(line["body"])
            response = {"status_code": step.status, "body": json.loads(text)}
            out.append({"id": "scripted", "custom_id": line["custom_id"], "response": response, "error": None})
        name = f"file-out-{len(self.files)}"
        self.files[name] = "".join(json.dumps(entry) + "\n" for entry in out)
        batch |= {"status": "completed", "output_file_id": name}

    def enter(self) -> None:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def leave(self) -> None:
        with self._lock:
            self._now -= 1


def _completion(step: Step) -> dict[str, Any]:
    message = {"role": "assistant", "content": step.content, "refusal": step.refusal}
    found: dict[str, Any] = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": step.finish_reason}],
    }
    if step.usage is not None:
        tokens_in, tokens_out = step.usage
        found["usage"] = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        }
    return found


def _error(step: Step) -> str:
    return json.dumps({"error": {"message": step.content, "code": step.code or None, "type": "scripted"}})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not wait for its answer is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server_script: ScriptedServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        self._see(None)
        path = urlsplit(self.path).path
        if not self._may():
            return
        if path.endswith("/models") and self.server_script.lists_models:
            self._json({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}]})
        elif path.endswith("/content"):
            self._send(200, self.server_script.files[path.split("/")[-2]])
        elif "/batches/" in path:
            self._batch(self.server_script.batches[path.split("/")[-1]])
        else:
            self._send(404, _error(Step("no such path", status=404)))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        self._see(json.loads(raw) if "json" in self.headers.get("Content-Type", "") else raw)
        if not self._may():
            return
        if path.endswith("/chat/completions"):
            self._chat(json.loads(raw))
        elif path.endswith("/files"):
            self._upload(raw)
        elif path.endswith("/batches"):
            self._create(json.loads(raw))
        else:
            self._send(404, _error(Step("no such path", status=404)))

    def _see(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server_script.requests.append(Seen(self.command, self.path, headers, body))

    def _may(self) -> bool:
        key = self.server_script.key
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            self._send(401, _error(BAD_KEY))
            return False
        return True

    def _chat(self, body: dict[str, Any]) -> None:
        self.server_script.enter()
        try:
            step, text = self.server_script.complete(body)
            time.sleep(step.delay_s)
            self._send(step.status, text, step)
        finally:
            self.server_script.leave()

    def _upload(self, raw: bytes) -> None:
        """A multipart form: the part with JSON lines is the file."""
        lines = [line for line in raw.decode().splitlines() if line.startswith("{")]
        name = f"file-in-{len(self.server_script.files)}"
        self.server_script.files[name] = "\n".join(lines)
        self._json(
            {"id": name, "object": "file", "bytes": len(raw), "created_at": 0, "filename": "x", "purpose": "batch"}
        )

    def _create(self, body: dict[str, Any]) -> None:
        name = f"batch-{len(self.server_script.batches)}"
        self.server_script.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "created_at": 0,
            "status": "in_progress",
            "polls": 0,
        }
        self._json(self.server_script.batches[name])

    def _batch(self, batch: dict[str, Any]) -> None:
        batch["polls"] += 1
        if batch["status"] == "in_progress" and batch["polls"] >= self.server_script.polls_until_done:
            self.server_script.run_batch(batch)
        self._json(batch)

    def _json(self, found: object) -> None:
        self._send(200, json.dumps(found))

    def _send(self, status: int, text: str, step: Step | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if step is None or step.raw is None else "text/html")
        self.send_header("Content-Length", str(len(data)))
        if step is not None and step.retry_after:
            self.send_header("Retry-After", step.retry_after)
        self.end_headers()
        if step is not None and step.cut:
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.wfile.write(data)


def main() -> None:
    """Serve a script until interrupted; prints the address."""
    steps = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with ScriptedServer({text: [Step(**step) for step in found] for text, found in steps.items()}) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
