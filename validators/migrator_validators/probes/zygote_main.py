"""The zygote: imports one framework, runs no op, and forks a contained child for each request.

Started as a script inside the sandbox: `zygote_main.py SIDE CONTROL_FD PROBES_DIR ISOLATE UID`.
Over the control socket come file descriptors of fresh sockets; each carries one request and takes
one reply. A frame is four parts: JSON header, JSON body, arrays (`packing`), zip.
"""

from __future__ import annotations

import array
import contextlib
import dis
import fcntl
import importlib
import inspect
import io
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

# a script has the folder it lies in on its path
import packing  # type: ignore[import-not-found]
from contain import become_nobody, isolate, limit_resources, set_dumpable  # type: ignore[import-not-found]

Header = Dict[str, Any]
MIB = 1024 * 1024
F_SETPIPE_SZ = 1031  # fcntl's own name for it came with Python 3.10
PROBES = "migrator_probes"
TRACED = ("tf_check", "tf_training", "tf_data", "tf_program")
"""Probes of the source whose lines are noted."""
OF_A_FUNCTION = inspect.CO_OPTIMIZED
MAKING = ("__init__", "reset_parameters")
"""Methods that run where an object is made; who uses it is compared."""
TF_NAMES = (
    "tensorflow",
    "keras",
    "tf_keras",
    "tf_slim",
    "tensorflow_probability",
    "tensorflow_addons",
    "tensorflow_datasets",
    "tensorflow_hub",
)


# --- the framework out of reach ------------------------------------------------------------------


class Blocker:
    """Makes the source framework unimportable."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split(".")[0] in TF_NAMES:
            raise ModuleNotFoundError("No module named %r (TensorFlow is not available here)" % name, name=name)
        return


# --- the worker ------------------------------------------------------------------------------------


def error_of(error: BaseException, root: str) -> Dict[str, str]:
    """An exception as data: message, and the innermost frame inside the tree as `file:line`."""
    import traceback

    where, line, blamed = "", "", "harness"
    cause = error.__cause__ if type(error).__name__ == "ProgramError" and error.__cause__ is not None else error
    for entry in traceback.extract_tb(cause.__traceback__):
        if entry.filename.startswith(root):
            where = "%s:%d" % (os.path.relpath(entry.filename, root), entry.lineno or 0)
            line = (entry.line or "").strip()[:200]
            blamed = "program"
    if isinstance(error, (MemoryError, SystemExit)) or type(error).__name__ == "ProgramError":
        blamed = "program"
    lines = str(cause).strip().splitlines() or [""]
    text = traceback.format_exception(type(cause), cause, cause.__traceback__)
    note = getattr(error, "stage", "")
    return {
        "type": type(cause).__name__,
        "message": lines[0][:500],
        "full": str(cause)[:4000],
        "where": where,
        "line": line,
        "blame": blamed,
        "stage": note,
        "traceback": "".join(text)[-6000:],
    }


def perform(side: str, header: Header, body: bytes, packed: bytes, root: str) -> Tuple[bytes, List[Any]]:
    """Run the probe; the body of its reply and its arrays, packed."""
    reached: Set[str] = set()
    try:
        arrays = packing.unpack(packed)
        probe = importlib.import_module(PROBES + "." + header["probe"])
        importlib.import_module(PROBES + ".known_data").prepare(side, root)
        importlib.import_module(PROBES + ".absent").install(header.get("foreign", ()), root)
        branches = importlib.import_module(PROBES + ".branches").Branches() if side == "torch" else None
        trace = Reached(root, reached, branches)
        if side == "torch":
            steps = importlib.import_module(PROBES + ".torch_reach")
            steps.watch(lambda: not trace.importing)
        if side == "torch" or header["probe"] in TRACED:
            sys.settrace(trace)
        result, out = probe.run(json.loads(body.decode()), arrays)
        sys.settrace(None)
        if side == "torch":
            reached.update(steps.names(root))
        payload = json.dumps({"ok": True, "result": result, "reached": sorted(reached)}).encode()
        return payload, packing.pack(out)
    except BaseException as error:
        sys.settrace(None)
        return json.dumps({"ok": False, "error": error_of(error, root)}).encode(), []


class Reached:
    """Notes which functions of the program were entered, "file:qualified name" (the plain name before Python 3.11),
    and which of their lines ran, "file#line", with `branches` also which parts of lines ("file#12:4-9", see there).

    While a module is imported only what stands at its top level and in its classes counts, and what makes objects:
    what functions give that it calls there is compared by nothing.
    """

    def __init__(self, root: str, found: Set[str], branches: Any = None) -> None:
        self.root, self.found, self.branches = root.rstrip(os.sep) + os.sep, found, branches
        self.left: Dict[Any, Optional[Set[int]]] = {}
        self.importing = 0

    def __call__(self, frame: Any, event: str, arg: Any) -> Any:
        """A trace function for new frames; one of the program is traced further until all its lines were seen."""
        code = frame.f_code
        if self.importing and code.co_flags & OF_A_FUNCTION and code.co_name not in MAKING:
            return None
        if code not in self.left:
            self.left[code] = self.new(code) if code.co_filename.startswith(self.root) else None
        if self.left[code] is not None and code.co_name == "<module>" and frame.f_globals.get("__name__") != "__main__":
            self.importing += 1
            return self.imported
        parts = self.left[code] is not None and self.branches is not None and self.branches.enter(frame)
        return self.line if self.left[code] or parts else None

    def imported(self, frame: Any, event: str, arg: Any) -> Any:
        """The trace function of a module's own frame, until its end."""
        self.line(frame, event, arg)
        self.importing -= event == "return"
        return self.imported

    def new(self, code: Any) -> Set[int]:
        """The lines of a function that was entered for the first time."""
        name = getattr(code, "co_qualname", code.co_name)
        path = os.path.relpath(code.co_filename, self.root)
        self.found.add("%s:%s" % (path, name))
        if self.branches is not None:
            self.found.add("%s#%s" % (path, self.branches.KNOWN))
        return {line for _, line in dis.findlinestarts(code) if line}

    def line(self, frame: Any, event: str, arg: Any) -> Any:
        """The trace function of a frame of the program."""
        code = frame.f_code
        left = self.left[code]
        if left and event == "line" and frame.f_lineno in left:
            left.discard(frame.f_lineno)
            self.found.add("%s#%d" % (os.path.relpath(code.co_filename, self.root), frame.f_lineno))
        if event == "opcode":
            path = os.path.relpath(code.co_filename, self.root)
            self.found.update("%s#%s" % (path, part) for part in self.branches.step(frame))
        if not left:
            frame.f_trace_lines = False
        return self.line if left or frame.f_trace_opcodes else None


def worker(side: str, header: Header, parts: List[bytes], root: str, reply_fd: int, output_fd: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, to in ((null, 0), (output_fd, 1), (output_fd, 2)):
        os.dup2(fd, to)
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
    limit_resources(header["limits"])
    set_dumpable(1)
    os.chdir(root)
    sys.path[:0] = [os.path.join(root, part) if part else root for part in header["roots"]]
    sys.argv = ["program"]
    if side == "torch":
        if header.get("tf_remains"):
            importlib.import_module(PROBES + ".placeholder").install()
        else:
            sys.meta_path.insert(0, Blocker())
    payload, arrays = perform(side, header, parts[1], parts[2], root)
    sys.stdout.flush()
    sys.stderr.flush()
    packing.write(reply_fd, payload, arrays)


def unpack_tree(data: bytes, root: str) -> None:
    import zipfile

    os.makedirs(root)
    if data:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(root)


def start_worker(side: str, header: Header, parts: List[bytes], root: str, keep: List[int]) -> Tuple[int, int, int]:
    """Fork the namespace's init, which forks the worker; the read ends of its reply and output, and init's pid."""
    reply_r, reply_w = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(reply_w, F_SETPIPE_SZ, MIB)
    output_r, output_w = os.pipe()
    init = os.fork()
    if init:
        os.close(reply_w)
        os.close(output_w)
        return reply_r, output_r, init
    status = 1
    try:
        os.setsid()
        for fd in (reply_r, output_r, *keep):
            os.close(fd)
        pid = os.fork()
        if not pid:
            try:
                worker(side, header, parts, root, reply_w, output_w)
                status = 0
            finally:
                os._exit(status)
        os.close(reply_w)
        os.close(output_w)
        status = wait_for(pid)
    finally:
        os._exit(status)


def wait_for(pid: int) -> int:
    """Reap children until `pid` ends; its exit code, or 128 plus the signal."""
    while True:
        done, status = os.wait()
        if done == pid:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


# --- the supervisor --------------------------------------------------------------------------------


class Watch:
    """Collects a worker's reply and output until it ends, its time is over, or the client has gone."""

    def __init__(self, reply_fd: int, output_fd: int, conn: socket.socket, limits: Dict[str, Any]) -> None:
        self.reply = bytearray()
        self.output: List[bytes] = []
        self.dropped = 0
        self.fds: Dict[int, Callable[[bytes], None]] = {reply_fd: self.on_reply, output_fd: self.on_output}
        self.reply_fd, self.conn = reply_fd, conn
        self.room = limits["output"] * MIB
        self.reply_room = limits["memory"] * MIB
        self.deadline = time.monotonic() + limits["seconds"]

    def on_reply(self, data: bytes) -> None:
        self.reply_room -= len(data)
        if self.reply_room > 0:
            self.reply += data

    def on_output(self, data: bytes) -> None:
        kept = data[: self.room]
        self.room -= len(kept)
        self.dropped += len(data) - len(kept)
        if kept:
            self.output.append(kept)

    def until_done(self) -> str:
        """ "done", "timeout" or "gone". Done once the reply's end is closed."""
        while self.reply_fd in self.fds:
            left = self.deadline - time.monotonic()
            if left <= 0:
                return "timeout"
            gone = self.conn.fileno()
            for fd in select.select([*self.fds, gone], [], [], left)[0]:
                if fd == gone:
                    return "gone"
                data = os.read(fd, MIB)
                if data:
                    self.fds[fd](data)
                else:
                    del self.fds[fd]
        return "done"

    def drain(self) -> None:
        """Take what is still in the output's pipe, without waiting."""
        for fd in list(self.fds):
            while select.select([fd], [], [], 0)[0]:
                data = os.read(fd, MIB)
                if not data:
                    break
                self.fds[fd](data)


def refuse(conn: socket.socket, why: str) -> None:
    """Tell the client that the harness itself failed."""
    with contextlib.suppress(OSError):
        packing.send(conn, json.dumps({"status": "infra", "why": why}).encode(), b"", b"", b"")


def supervise(side: str, conn: socket.socket, want_isolation: bool) -> None:
    parts = packing.receive(conn)
    header = json.loads(parts[0].decode())
    started = time.monotonic()
    reason = isolate(header["limits"]["scratch"]) if want_isolation else "not asked for"
    if want_isolation and reason:
        refuse(conn, "no namespaces of its own: " + reason)
        return
    base = "/tmp" if want_isolation else os.path.join(header["scratch"], str(os.getpid()))
    root = os.path.join(base, "tree")
    unpack_tree(parts[3], root)
    reply_fd, output_fd, init = start_worker(side, header, parts, root, [conn.fileno()])
    watch = Watch(reply_fd, output_fd, conn, header["limits"])
    status = watch.until_done()
    code = finish(init, status)
    watch.drain()
    answer = {"status": status, "exit": code, "seconds": time.monotonic() - started, "dropped": watch.dropped}
    output = b"".join(watch.output)
    if status != "gone":
        packing.send(conn, json.dumps(answer).encode(), *packing.split(watch.reply, 2), output)


def finish(init: int, status: str) -> int:
    """Kill what is left of the worker's processes and reap init; its exit code (128 + signal)."""
    if status == "done":
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            pid, code = os.waitpid(init, os.WNOHANG)
            if pid:
                kill_group(init)
                return os.WEXITSTATUS(code) if os.WIFEXITED(code) else 128 + os.WTERMSIG(code)
            time.sleep(0.002)
    kill_group(init)
    os.kill(init, signal.SIGKILL)
    os.waitpid(init, 0)
    return 128 + signal.SIGKILL


def kill_group(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


# --- the zygote ------------------------------------------------------------------------------------


def import_framework(side: str) -> Dict[str, str]:
    """Import what every check needs; returns versions. Nothing here may run an op."""
    import numpy

    versions = {"python": sys.version.split()[0], "numpy": numpy.__version__}
    if side == "torch":
        import torch
        import torch.nn.functional
        import torch.optim.lr_scheduler
        import torch.utils.data

        for name in ("torch._dynamo", "torch.optim.swa_utils"):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        versions["torch"] = torch.__version__
    else:
        import tensorflow

        versions["tensorflow"] = tensorflow.__version__
        versions["keras"] = getattr(tensorflow.keras, "__version__", "") or importlib.import_module("keras").__version__
        for lazy in ("layers", "models"):
            getattr(tensorflow.keras, lazy)
    return versions


def installed() -> str:
    """Digest of the names and versions of all installed packages; "" before Python 3.8."""
    import hashlib

    try:
        from importlib import metadata
    except ImportError:
        return ""
    found = sorted("%s %s" % (d.metadata["Name"], d.version) for d in metadata.distributions())
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


_SHARED = ("wire", "series", "tf_script", "known_data", "printed")


def preload_probes(folder: str, side: str) -> None:
    """Import the side's probes now, so that children need not compile them."""
    import types

    package = types.ModuleType(PROBES)
    package.__path__ = [folder]
    sys.modules[PROBES] = package
    for name in sorted(os.listdir(folder)):
        stem = name[:-3]
        if name.endswith(".py") and (stem.startswith(side + "_") or stem in _SHARED):
            try:
                importlib.import_module(PROBES + "." + stem)
            except Exception as error:
                sys.stderr.write("probe %s: %r\n" % (stem, error))


def receive(control: socket.socket) -> Optional[socket.socket]:
    """The next request's socket, or None when the client has gone."""
    fds = array.array("i")
    data, ancillary, _, _ = control.recvmsg(1, socket.CMSG_LEN(fds.itemsize))
    if not data:
        return None
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(value[: len(value) - len(value) % fds.itemsize])
    return socket.socket(fileno=fds[0])


def serve(side: str, control: socket.socket, want_isolation: bool) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are reaped by the kernel
    while True:
        conn = receive(control)
        if conn is None:
            return
        if os.fork() == 0:
            code = 1
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                supervise(side, conn, want_isolation)
                code = 0
            except BaseException as error:
                refuse(conn, "%s: %s" % (type(error).__name__, error))
            finally:
                os._exit(code)
        conn.close()


def main() -> None:
    side, fd, folder, isolation, uid = sys.argv[1:6]
    sys.path.pop(0)
    for ours in ("packing", "contain"):  # names that a program may give to modules of its own
        del sys.modules[ours]
    sys.dont_write_bytecode = True
    become_nobody(int(uid))
    control = socket.socket(fileno=int(fd))
    versions = dict(import_framework("torch" if side == "torch" else "tf"), packages=installed())
    preload_probes(folder, "torch" if side == "torch" else "tf")
    packing.send(control, json.dumps(versions).encode(), b"", b"", b"")
    serve(side, control, isolation == "1")


if __name__ == "__main__":
    main()
