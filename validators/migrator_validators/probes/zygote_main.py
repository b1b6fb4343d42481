"""The zygote: imports one framework, runs no op, and forks a contained child for each request.

Started as a script inside the sandbox: `zygote_main.py SIDE CONTROL_FD PROBES_DIR ISOLATE UID`.
Over the control socket come file descriptors of fresh sockets; each carries one request and takes
one reply. A frame is four parts (JSON header, JSON body, npz, zip), each behind its length in 8 bytes.
"""

import array
import ctypes
import importlib
import io
import json
import os
import select
import signal
import socket
import struct
import sys
import time

NEWNS, NEWIPC, NEWUSER, NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
BIND, RECURSIVE = 4096, 16384
MIB = 1024 * 1024
PROBES = "migrator_probes"
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


# --- frames --------------------------------------------------------------------------------------


def read_exactly(sock, count):
    chunks = []
    while count:
        chunk = sock.recv(min(count, MIB))
        if not chunk:
            raise EOFError("the other end closed")
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def read_frame(sock):
    parts = []
    for _ in range(4):
        size = struct.unpack(">Q", read_exactly(sock, 8))[0]
        parts.append(read_exactly(sock, size))
    return parts


def frame(*parts):
    return b"".join(struct.pack(">Q", len(part)) + part for part in parts)


# --- containment -----------------------------------------------------------------------------------


def libc():
    return ctypes.CDLL(None, use_errno=True)


def set_dumpable(value):
    """Whether /proc/self is ours to write and processes of our user may look into us (lost by setuid)."""
    libc().prctl(4, value, 0, 0, 0)  # PR_SET_DUMPABLE


def isolate(scratch_mib):
    """New user, mount, pid and ipc namespaces with a fresh /tmp for this process's children; a reason when impossible."""
    uid, gid = os.geteuid(), os.getegid()
    lib = libc()
    set_dumpable(1)
    if lib.unshare(NEWNS | NEWIPC | NEWUSER | NEWPID) != 0:
        return os.strerror(ctypes.get_errno())
    with open("/proc/self/setgroups", "w") as f:
        f.write("deny")
    with open("/proc/self/uid_map", "w") as f:
        f.write("%d %d 1" % (uid, uid))
    with open("/proc/self/gid_map", "w") as f:
        f.write("%d %d 1" % (gid, gid))
    set_dumpable(0)
    kept = [(os.open(path, os.O_PATH | os.O_DIRECTORY), path) for path in below_tmp()]
    for place in (b"/tmp", b"/dev/shm"):
        if lib.mount(b"tmpfs", place, b"tmpfs", 0, b"mode=1777,size=%dm" % scratch_mib) != 0:
            return "mount %s: %s" % (place.decode(), os.strerror(ctypes.get_errno()))
    for fd, path in kept:
        os.makedirs(path, exist_ok=True)
        if lib.mount(b"/proc/self/fd/%d" % fd, path.encode(), None, BIND | RECURSIVE, None) != 0:
            return "bind %s: %s" % (path, os.strerror(ctypes.get_errno()))
        os.close(fd)
    return ""


def below_tmp():
    """Folders of the interpreter and of the probes that a fresh /tmp would hide: the shortest paths."""
    here = os.path.dirname(os.path.abspath(__file__))
    wanted = sorted(
        {os.path.realpath(p) for p in [sys.prefix, sys.base_prefix, here, *sys.path] if p.startswith("/tmp/")}
    )
    found = []
    for path in wanted:
        if os.path.isdir(path) and not any(path.startswith(other + os.sep) for other in found):
            found.append(path)
    return found


def limit_resources(limits):
    import resource

    wanted = {
        resource.RLIMIT_DATA: limits["memory"] * MIB,
        resource.RLIMIT_FSIZE: limits["file"] * MIB,
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 1024,
        resource.RLIMIT_CPU: int(limits["seconds"] * 4) + 10,
    }
    for name, value in wanted.items():
        hard = resource.getrlimit(name)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))


class Blocker:
    """Makes the source framework unimportable."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in TF_NAMES:
            raise ModuleNotFoundError("No module named %r (TensorFlow is not available here)" % name, name=name)
        return


# --- the worker ------------------------------------------------------------------------------------


def error_of(error, root):
    """An exception as data: message, and the innermost frame inside the tree as `file:line`."""
    import traceback

    where, blamed = "", "harness"
    cause = error.__cause__ if type(error).__name__ == "ProgramError" and error.__cause__ is not None else error
    for entry in traceback.extract_tb(cause.__traceback__):
        if entry.filename.startswith(root):
            where = "%s:%d" % (os.path.relpath(entry.filename, root), entry.lineno)
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
        "blame": blamed,
        "stage": note,
        "traceback": "".join(text)[-6000:],
    }


def perform(side, header, body, npz, root):
    """Run the probe; the frame parts of its reply."""
    import numpy as np

    arrays = dict(np.load(io.BytesIO(npz), allow_pickle=False)) if npz else {}
    reached = set()
    try:
        probe = importlib.import_module(PROBES + "." + header["probe"])
        if side == "torch":
            sys.settrace(Reached(root, reached))
        result, out = probe.run(json.loads(body.decode()), arrays)
        sys.settrace(None)
        payload = json.dumps({"ok": True, "result": result, "reached": sorted(reached)}).encode()
        buffer = io.BytesIO()
        if out:
            np.savez(buffer, **{name: np.asarray(value) for name, value in out.items()})
        return payload, buffer.getvalue()
    except BaseException as error:
        sys.settrace(None)
        return json.dumps({"ok": False, "error": error_of(error, root)}).encode(), b""


class Reached:
    """Notes which functions of the program were entered: "file:qualified name" (the plain name before Python 3.11)."""

    def __init__(self, root, found):
        self.root, self.found, self.seen = root.rstrip(os.sep) + os.sep, found, {}

    def __call__(self, frame, event, arg):
        """A trace function for new frames only: none of them is traced further."""
        if event == "call":
            code = frame.f_code
            if code not in self.seen:
                self.seen[code] = True
                if code.co_filename.startswith(self.root):
                    name = getattr(code, "co_qualname", code.co_name)
                    self.found.add("%s:%s" % (os.path.relpath(code.co_filename, self.root), name))


def worker(side, header, parts, root, reply_fd, output_fd):
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, to in ((null, 0), (output_fd, 1), (output_fd, 2)):
        os.dup2(fd, to)
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="replace")
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
    payload, npz = perform(side, header, parts[1], parts[2], root)
    sys.stdout.flush()
    sys.stderr.flush()
    data = memoryview(frame(payload, npz))
    while data:
        data = data[os.write(reply_fd, data[:MIB]) :]


def unpack_tree(data, root):
    import zipfile

    os.makedirs(root)
    if data:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(root)


def start_worker(side, header, parts, root, keep):
    """Fork the namespace's init, which forks the worker; the read ends of its reply and output, and init's pid."""
    reply_r, reply_w = os.pipe()
    output_r, output_w = os.pipe()
    init = os.fork()
    if init:
        os.close(reply_w)
        os.close(output_w)
        return reply_r, output_r, init
    status = 1
    try:
        os.setsid()
        for fd in [reply_r, output_r] + keep:
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


def wait_for(pid):
    """Reap children until `pid` ends; its exit code, or 128 plus the signal."""
    while True:
        done, status = os.wait()
        if done == pid:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


# --- the supervisor --------------------------------------------------------------------------------


class Watch:
    """Collects a worker's reply and output until it ends, its time is over, or the client has gone."""

    def __init__(self, reply_fd, output_fd, conn, limits):
        self.reply, self.output, self.dropped = [], [], 0
        self.fds = {reply_fd: self.on_reply, output_fd: self.on_output}
        self.reply_fd, self.conn = reply_fd, conn
        self.room = limits["output"] * MIB
        self.reply_room = limits["memory"] * MIB
        self.deadline = time.monotonic() + limits["seconds"]

    def on_reply(self, data):
        self.reply_room -= len(data)
        if self.reply_room > 0:
            self.reply.append(data)

    def on_output(self, data):
        kept = data[: self.room]
        self.room -= len(kept)
        self.dropped += len(data) - len(kept)
        if kept:
            self.output.append(kept)

    def until_done(self):
        """ "done", "timeout" or "gone". Done once the reply's end is closed."""
        while self.reply_fd in self.fds:
            left = self.deadline - time.monotonic()
            if left <= 0:
                return "timeout"
            ready = select.select(list(self.fds) + [self.conn], [], [], left)[0]
            for fd in ready:
                if fd is self.conn:
                    return "gone"
                data = os.read(fd, MIB)
                if data:
                    self.fds[fd](data)
                else:
                    del self.fds[fd]
        return "done"

    def drain(self):
        """Take what is still in the output's pipe, without waiting."""
        for fd in list(self.fds):
            while select.select([fd], [], [], 0)[0]:
                data = os.read(fd, MIB)
                if not data:
                    break
                self.fds[fd](data)


def refuse(conn, why):
    """Tell the client that the harness itself failed."""
    try:
        conn.sendall(frame(json.dumps({"status": "infra", "why": why}).encode(), b"", b"", b""))
    except OSError:
        pass


def supervise(side, conn, want_isolation):
    parts = read_frame(conn)
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
    reply = b"".join(watch.reply)
    answer = {"status": status, "exit": code, "seconds": time.monotonic() - started, "dropped": watch.dropped}
    output = b"".join(watch.output)
    if status != "gone":
        body, npz = split_reply(reply)
        conn.sendall(frame(json.dumps(answer).encode(), body, npz, output))


def finish(init, status):
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


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass


def split_reply(reply):
    """The two parts of a worker's reply, or nothing where it did not finish writing."""
    parts, at = [], 0
    for _ in range(2):
        if len(reply) < at + 8:
            return b"", b""
        size = struct.unpack(">Q", reply[at : at + 8])[0]
        parts.append(reply[at + 8 : at + 8 + size])
        at += 8 + size
    return (parts[0], parts[1]) if len(reply) == at else (b"", b"")


# --- the zygote ------------------------------------------------------------------------------------


def become_nobody(uid):
    if os.geteuid() == 0 and uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def import_framework(side):
    """Import what every check needs; returns versions. Nothing here may run an op."""
    import numpy

    versions = {"python": sys.version.split()[0], "numpy": numpy.__version__}
    if side == "torch":
        import torch
        import torch.nn.functional
        import torch.optim.lr_scheduler
        import torch.utils.data

        for name in ("torch._dynamo", "torch.optim.swa_utils"):
            try:
                importlib.import_module(name)
            except Exception:
                pass
        versions["torch"] = torch.__version__
    else:
        import tensorflow

        versions["tensorflow"] = tensorflow.__version__
        versions["keras"] = getattr(tensorflow.keras, "__version__", "") or importlib.import_module("keras").__version__
        tensorflow.keras.layers, tensorflow.keras.models  # these load lazily
    return versions


def preload_probes(folder, side):
    """Import the side's probes now, so that children need not compile them."""
    import types

    package = types.ModuleType(PROBES)
    package.__path__ = [folder]
    sys.modules[PROBES] = package
    for name in sorted(os.listdir(folder)):
        stem = name[:-3]
        if name.endswith(".py") and (stem.startswith(side + "_") or stem in ("wire", "series", "tf_script")):
            try:
                importlib.import_module(PROBES + "." + stem)
            except Exception as error:
                sys.stderr.write("probe %s: %r\n" % (stem, error))


def receive(control):
    """The next request's socket, or None when the client has gone."""
    fds = array.array("i")
    data, ancillary, _, _ = control.recvmsg(1, socket.CMSG_LEN(fds.itemsize))
    if not data:
        return None
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(value[: len(value) - len(value) % fds.itemsize])
    return socket.socket(fileno=fds[0])


def serve(side, control, want_isolation):
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


def main():
    side, fd, folder, isolation, uid = sys.argv[1:6]
    sys.path.pop(0)
    sys.dont_write_bytecode = True
    become_nobody(int(uid))
    control = socket.socket(fileno=int(fd))
    versions = import_framework("torch" if side == "torch" else "tf")
    preload_probes(folder, "torch" if side == "torch" else "tf")
    control.sendall(frame(json.dumps(versions).encode(), b"", b"", b""))
    serve(side, control, isolation == "1")


if __name__ == "__main__":
    main()
