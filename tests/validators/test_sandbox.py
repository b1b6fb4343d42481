"""Foreign code is contained: no network, no home, no files, no neighbours, bounded time and space."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from migrator_validators import sandbox
from migrator_validators.workers import Limits, Workers, pack_tree

from migrator.errors import EnvironmentMissing


def run(workers: Workers, code: str, **options: object):  # type: ignore[no-untyped-def]
    return workers.run("torch", "echo", {"code": code}, **options)  # type: ignore[arg-type]


def test_the_sandbox_works_here() -> None:
    assert sandbox.available() is None


def test_values_go_in_and_come_back(workers: Workers) -> None:
    import numpy as np

    reply = workers.run("torch", "echo", {"a": [1, None]}, {"x": np.arange(3)})
    assert (reply.status, reply.result, reply.arrays["x"].tolist()) == ("ok", {"a": [1, None]}, [0, 1, 2])


def test_no_network_no_home_no_secrets(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with Workers(torch_python=sandbox.default_python()) as fresh:
        code = """
import os, socket
result["env"] = sorted(os.environ)
result["home"] = os.path.exists(os.path.expanduser("~root/.bashrc")) or os.path.exists("/home")
try:
    socket.create_connection(("1.1.1.1", 53), timeout=2)
    result["net"] = True
except OSError:
    result["net"] = False
"""
        reply = run(fresh, code)
    assert reply.result["net"] is False
    assert reply.result["home"] is False
    assert "SECRET_TOKEN" not in reply.result["env"]


def test_nothing_outside_the_scratch_can_be_written(workers: Workers) -> None:
    import torch

    places = ["/", str(Path(torch.__file__).parent), str(Path(sandbox.__file__).parent / "probes"), "/dev"]
    code = f"""
import os
for place in {places!r}:
    try:
        open(os.path.join(place, "written"), "w").close()
        result[place] = True
    except OSError:
        result[place] = False
"""
    assert run(workers, code).result == dict.fromkeys(places, False)


def test_the_code_under_test_is_there_and_writable(workers: Workers) -> None:
    code = "import package.mod; result['v'] = package.mod.V; open('out', 'w').write('x')"
    reply = run(workers, code, tree={"package/__init__.py": "", "package/mod.py": "V = 3"})
    assert reply.result == {"v": 3}


def test_a_check_does_not_see_the_files_of_another(workers: Workers) -> None:
    run(workers, "open('/tmp/left', 'w').close(); open('/dev/shm/left', 'w').close()")
    code = "import os; result['seen'] = [os.path.exists(p) for p in ('/tmp/left', '/dev/shm/left')]"
    assert run(workers, code).result == {"seen": [False, False]}


def test_a_hang_is_cut(workers: Workers) -> None:
    started = time.monotonic()
    assert run(workers, "while True: pass", timeout=2.0).status == "timeout"
    assert time.monotonic() - started < 20


def test_children_left_behind_are_killed(workers: Workers) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    while True: time.sleep(1)
"""
    assert run(workers, code).status == "ok"
    assert run(workers, "pass").status == "ok"


def test_a_fork_bomb_is_bounded(workers: Workers) -> None:
    code = """
import os, time
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError:
    pass
result["made"] = made
"""
    small = Workers(limits=Limits(processes=40))
    with small:
        assert run(small, code).result["made"] < 60


def test_neighbours_and_the_zygote_cannot_be_killed(workers: Workers) -> None:
    code = """
import os, signal
for pid in [-1, *range(1, 40)]:
    try:
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
    assert run(workers, code).status in ("ok", "crashed", "infra")
    assert run(workers, "pass").status == "ok"


def test_memory_is_bounded(workers: Workers) -> None:
    reply = run(workers, "import numpy; numpy.ones(20 * 2**30 // 8)")
    assert reply.status == "error"
    assert reply.error["type"] == "MemoryError"


def test_output_is_cut_and_files_are_bounded(workers: Workers) -> None:
    reply = run(workers, "for i in range(100000): print('x' * 100)")
    assert reply.status == "ok"
    assert len(reply.output) <= 2 * 2**20
    big = "f = open('big', 'wb')\nfor i in range(700): f.write(bytes(2**20))"
    assert run(workers, big).status != "ok"


@pytest.mark.parametrize(
    ("code", "reason"), [("import os; os._exit(3)", "code 3"), ("import os; os.abort()", "signal 6")]
)
def test_a_crash_is_told_apart(code: str, reason: str, workers: Workers) -> None:
    reply = run(workers, code)
    assert reply.status == "crashed"
    assert reason in reply.reason


def test_tensorflow_is_not_importable_beside_torch(workers: Workers) -> None:
    code = """
import importlib
for name in ("tensorflow", "keras", "tf_keras", "tensorflow.keras"):
    try:
        importlib.import_module(name)
        result[name] = True
    except ImportError:
        result[name] = False
"""
    assert not any(run(workers, code).result.values())


def test_an_error_names_its_place_in_the_tree(workers: Workers) -> None:
    reply = run(workers, "import mod; mod.f()", tree={"mod.py": "def f():\n    return 1 / 0\n"})
    assert (reply.status, reply.reason) == ("error", "ZeroDivisionError: division by zero (mod.py:2)")


def test_a_mistake_of_a_probe_is_ours(workers: Workers) -> None:
    assert workers.run("torch", "no_such_probe", {}).status == "infra"


def test_hidden_folders_and_links_stay_outside(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("secret")
    (tmp_path / "a.py").write_text("A = 1")
    os.symlink("/etc/passwd", tmp_path / "link.py")
    import io
    import zipfile

    assert zipfile.ZipFile(io.BytesIO(pack_tree(tmp_path).data)).namelist() == ["a.py"]


def test_without_a_sandbox_nothing_runs_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: "it is missing")
    with pytest.raises(EnvironmentMissing, match="it is missing"):
        sandbox.require("bubblewrap")
    sandbox.require("none")


def test_sandbox_none_runs_as_well() -> None:
    with Workers(sandbox="none") as bare:
        reply = bare.run("torch", "echo", {"code": "import mod; result['v'] = mod.V"}, tree={"mod.py": "V = 4"})
    assert reply.result == {"v": 4}
