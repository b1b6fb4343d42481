"""Warm workers: one zygote an interpreter and framework, a contained child a request."""

from __future__ import annotations

import array
import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from migrator.errors import EnvironmentMissing
from migrator_validators import sandbox as box
from migrator_validators.probes import absent, packing
from migrator_validators.sandbox import Limits

Side = Literal["tf", "tf2", "torch"]
Arrays = dict[str, npt.NDArray[Any]]
PROBES = Path(__file__).parent / "probes"
START_SECONDS = 180.0
GRACE_SECONDS = 30.0
TREE_FILE = 16 * box.MIB
TREE_TOTAL = 256 * box.MIB


@dataclass(frozen=True)
class Reply:
    """What came back from a probe.

    `status`: "ok"; "error" (the program under test raised: `error` has type, message, where,
    traceback, line); "timeout"; "killed" (by the kernel, for want of memory as a rule); "crashed" (it exited
    or died by another signal); "infra" (a mistake of ours).
    """

    status: Literal["ok", "error", "timeout", "killed", "crashed", "infra"]
    result: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    output: str = ""
    seconds: float = 0.0
    reached: tuple[str, ...] = ()  # of the tree: functions entered, "file:qualified name", lines run, "file#line"

    @property
    def needs_tensorflow(self) -> bool:
        """Whether it ended on a unit that is still TensorFlow: that says nothing of the unit under test."""
        return self.error.get("type") == "StillTensorFlow"

    @property
    def lacks_library(self) -> bool:
        """Whether it ended on a library that is not installed on its side: that says nothing of the unit either."""
        return self.error.get("type") == "ModuleNotFoundError" and self.error.get("message", "").endswith(absent.WHY)

    @property
    def out_of_memory(self) -> bool:
        """Whether it raised because it got no more memory."""
        return self.error.get("type") == "MemoryError" or "can't allocate memory" in self.error.get("message", "")

    @property
    def reason(self) -> str:
        """One line for people: the last line of the traceback and where it happened."""
        text = f"{self.error.get('type', '')}: {self.error.get('message', '')}".strip(": ")
        where = self.error.get("where", "")
        return f"{text} ({where})" if where else text or self.status


@dataclass(frozen=True)
class Tree:
    """Code to import from, packed once: `data` is a zip; `roots` are the folders put on `sys.path` ("": the top).

    `tf_remains`: units of it are still TensorFlow, so that importing needs a stand-in for it, which
    the torch side has then (`probes/placeholder.py`): a unit under test that touches it fails.
    `foreign`: libraries that the original imports; one that is not installed has a stand-in (`probes/absent.py`).
    """

    data: bytes = b""
    roots: tuple[str, ...] = ("",)
    tf_remains: bool = False
    foreign: tuple[str, ...] = ()


def pack_tree(
    tree: Path | Mapping[str, str | bytes] | None,
    package: str = "",
    roots: tuple[str, ...] = ("",),
    tf_remains: bool = False,
    foreign: Iterable[str] = (),
) -> Tree:
    """A folder, file, or texts by relative path as a Tree. Hidden folders and big files stay out.

    `package`: the folder is itself this package and stands below one more level.
    """
    if tree is None:
        return Tree()
    prefix = f"{package}/" if package else ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in tree_files(tree):
            archive.writestr(zipfile.ZipInfo(prefix + name), data)
    below = tuple(prefix + root for root in roots if root)
    return Tree(buffer.getvalue(), ("", *below), tf_remains, tuple(sorted(foreign)))


def as_tree(code: Path | Tree | Mapping[str, str | bytes]) -> Tree:
    """Code as it is given to workers."""
    return code if isinstance(code, Tree) else pack_tree(code)


def tree_files(tree: Path | Mapping[str, str | bytes]) -> list[tuple[str, bytes]]:
    """The files that are packed of a tree, by relative path."""
    if isinstance(tree, Mapping):
        return [(name, text.encode() if isinstance(text, str) else text) for name, text in tree.items()]
    if tree.is_file():
        return [(tree.name, tree.read_bytes())]
    out, total = [], 0
    for path in sorted(tree.rglob("*")):
        parts = path.relative_to(tree).parts
        if not path.is_file() or path.is_symlink() or any(p.startswith(".") or p == "__pycache__" for p in parts):
            continue
        size = path.stat().st_size
        if size <= TREE_FILE and total + size <= TREE_TOTAL:
            out.append(("/".join(parts), path.read_bytes()))
            total += size
    return out


class Zygote:
    """A started interpreter that forks a child per request. `close` ends it and everything below it."""

    def __init__(self, side: Side, python: Path, sandbox: str) -> None:
        self.side = side
        self.scratch = tempfile.mkdtemp(prefix="migrator-") if sandbox == "none" else ""
        self.control, child = socket.socketpair()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            self._command(side, python, sandbox, child.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=(child.fileno(),),
            env=box.environment(self._extra(side)),
            start_new_session=True,
            cwd="/",
        )
        child.close()
        self.versions = self._hello()
        self.packages = self.versions.pop("packages", "")

    @staticmethod
    def _extra(side: Side) -> dict[str, str]:
        return {"TF_USE_LEGACY_KERAS": "1"} if side == "tf2" else {}

    @classmethod
    def _command(cls, side: Side, python: Path, sandbox: str, fd: int) -> list[str]:
        isolate, uid = ("0", "0") if sandbox == "none" else ("1", str(box.UID))
        script, arguments = PROBES / "zygote_main.py", [side, str(fd), str(PROBES), isolate, uid]
        if sandbox == "none":
            return [str(python), "-s", str(script), *arguments]
        return box.command(python, script, arguments, (PROBES,), box.environment(cls._extra(side)))

    def _hello(self) -> dict[str, str]:
        self.control.settimeout(START_SECONDS)
        try:
            hello: dict[str, str] = json.loads(packing.receive(self.control)[0])
        except (OSError, EOFError) as error:
            log = self.close()
            raise EnvironmentMissing(
                f"the {self.side} interpreter did not start in the sandbox: {log or error}"
            ) from error
        self.control.settimeout(None)
        return hello

    def connect(self) -> socket.socket:
        """A fresh socket for one request."""
        ours, theirs = socket.socketpair()
        self.control.sendmsg([b"r"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
        theirs.close()
        return ours

    def close(self) -> str:
        """Kill the whole tree; the last line it wrote."""
        self.control.close()
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        self.log.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        return lines[-1] if lines else ""


class Workers:
    """A pool: `run` may be called from several threads; interpreters start on first use.

    `sandbox`: "bubblewrap" or "none". Raises EnvironmentMissing where the sandbox does not work.
    """

    def __init__(
        self,
        sandbox: str = "bubblewrap",
        tf_python: Path | None = None,
        torch_python: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.limits = limits or Limits()
        self._pythons = {"tf": tf_python, "tf2": tf_python, "torch": torch_python}
        self._zygotes: dict[Side, Zygote] = {}
        self._lock = threading.Lock()
        self._local = threading.local()

    def __enter__(self) -> Workers:
        box.require(self.sandbox)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End every interpreter."""
        with self._lock:
            for zygote in self._zygotes.values():
                zygote.close()
            self._zygotes.clear()

    def versions(self, side: Side) -> dict[str, str]:
        """Versions of Python, numpy and the framework on a side."""
        return self._zygote(side).versions

    def interpreter(self, side: Side) -> str:
        """What an outcome depends on of a side's interpreter: its versions and all installed packages."""
        zygote = self._zygote(side)
        return json.dumps([zygote.versions, zygote.packages, self.sandbox], sort_keys=True)

    def _zygote(self, side: Side) -> Zygote:
        with self._lock:
            zygote = self._zygotes.get(side)
            if zygote is None or zygote.process.poll() is not None:
                box.require(self.sandbox)
                python = self._pythons[side] or box.default_python()
                zygote = self._zygotes[side] = Zygote(side, Path(python), self.sandbox)
            return zygote

    def run(
        self,
        side: Side,
        probe: str,
        request: Mapping[str, Any],
        arrays: Arrays | None = None,
        *,
        tree: Tree | Path | Mapping[str, str | bytes] | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Run one probe in a fresh child and wait for its reply. `tree`: the code under test."""
        zygote = self._zygote(side)
        limits = {**vars(self.limits), "seconds": timeout or self.limits.seconds}
        packed = tree if isinstance(tree, Tree) else pack_tree(tree)
        header = {
            "probe": probe,
            "limits": limits,
            "scratch": zygote.scratch,
            "roots": packed.roots,
            "tf_remains": packed.tf_remains,
            "foreign": packed.foreign,
        }
        parts = (json.dumps(header).encode(), json.dumps(request).encode(), packing.pack(arrays or {}), packed.data)
        try:
            with zygote.connect() as conn:
                conn.settimeout(limits["seconds"] + GRACE_SECONDS)
                packing.send(conn, *parts)
                reply = _reply(packing.receive(conn))
        except (OSError, EOFError) as error:
            self._drop(side, zygote)
            return Reply(
                "infra", error={"type": type(error).__name__, "message": f"the worker did not answer: {error}"}
            )
        lines = () if side == "torch" else (f"source {name}" for name in reply.reached if "#" in name)
        found = reply.reached if side == "torch" else lines
        self._local.reached = getattr(self._local, "reached", frozenset()) | frozenset(found)
        return reply

    def take_reached(self) -> frozenset[str]:
        """Functions of migrated trees entered by this thread's requests since the last call of this, and lines that
        ran: "file#line", the source's with "source " before them."""
        found: frozenset[str] = getattr(self._local, "reached", frozenset())
        self._local.reached = frozenset()
        return found

    def _drop(self, side: Side, zygote: Zygote) -> None:
        with self._lock:
            if self._zygotes.get(side) is zygote:
                del self._zygotes[side]
        zygote.close()


def _reply(parts: list[bytearray]) -> Reply:
    answer, output = json.loads(parts[0]), parts[3].decode(errors="replace")
    seconds = float(answer.get("seconds", 0.0))
    if answer["status"] == "infra":
        return Reply("infra", error={"message": answer["why"]}, output=output, seconds=seconds)
    if answer["status"] == "timeout":
        return Reply("timeout", error={"message": f"no end after {seconds:.0f} s"}, output=output, seconds=seconds)
    if not parts[1]:
        code = int(answer["exit"])
        how = f"died by signal {code - 128}" if code > 128 else f"exited with code {code}"
        return Reply(
            "killed" if code == 137 else "crashed",
            error={"message": f"the program {how}"},
            output=output,
            seconds=seconds,
        )
    body = json.loads(parts[1])
    if not body["ok"]:
        status: Literal["error", "infra"] = "error" if body["error"]["blame"] == "program" else "infra"
        return Reply(status, error=body["error"], output=output, seconds=seconds)
    try:
        arrays = packing.unpack(parts[2])
    except packing.Malformed as error:  # nobody but the program itself can have written into the worker's reply
        return Reply("crashed", error={"message": f"its reply cannot be read: {error}"}, output=output, seconds=seconds)
    reached = tuple(body.get("reached", ()))
    return Reply("ok", body["result"], arrays, output=output, seconds=seconds, reached=reached)
