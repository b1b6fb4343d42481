"""What holds a child of the zygote: namespaces of its own, an unprivileged user, limits."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Dict, List

NEWNS, NEWIPC, NEWUSER, NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
BIND, RECURSIVE = 4096, 16384
MIB = 1024 * 1024


def libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def set_dumpable(value: int) -> None:
    """Whether /proc/self is ours to write and processes of our user may look into us (lost by setuid)."""
    libc().prctl(4, value, 0, 0, 0)  # PR_SET_DUMPABLE


def isolate(scratch_mib: int) -> str:
    """New user, mount, pid and ipc namespaces and a fresh /tmp for this process's children; a reason if impossible."""
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


def below_tmp() -> List[str]:
    """Folders of the interpreter and of the probes that a fresh /tmp would hide: the shortest paths."""
    here = os.path.dirname(os.path.abspath(__file__))
    wanted = sorted(
        {os.path.realpath(p) for p in [sys.prefix, sys.base_prefix, here, *sys.path] if p.startswith("/tmp/")}
    )
    found: List[str] = []
    for path in wanted:
        if os.path.isdir(path) and not any(path.startswith(other + os.sep) for other in found):
            found.append(path)
    return found


def limit_resources(limits: Dict[str, Any]) -> None:
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


def become_nobody(uid: int) -> None:
    if os.geteuid() == 0 and uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
