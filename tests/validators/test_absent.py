"""Libraries of the original that are not installed: what does not need them is checked, what does is not judged."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case
from migrator_validators.check import check_case, check_import
from migrator_validators.workers import Reply, Workers, pack_tree

from migrator.model import Outcome, Rung, Verdict

FOREIGN = ("no_plots", "nowhere", "matplotlib", "tqdm")
HEAD = """
import matplotlib.pyplot as plt
import nowhere
from nowhere.inside import Base, decorated
from tqdm import tqdm, trange
from typing import Optional
import {framework}

try:
    import no_plots
    SCALE = 2.0
except ImportError:
    SCALE = 3.0


class Env(Base):
    size = 4


@decorated
def scaled(x, frame: Optional[nowhere.Frame] = None):
    return x * SCALE


def read(x):
    return x + nowhere.read("a")


def walked(x):
    total = 0.0
    for part in tqdm([x, x], desc="parts"):
        total = total + part
    for _ in trange(2):
        total = total + x
    fig, axes = plt.subplots(2, 3)
    n, bins, patches = plt.hist(x)
    axes[1, 2].plot(x, label="x")
    plt.show()
    return total
"""
SOURCE, TARGET = HEAD.format(framework="tensorflow as tf"), HEAD.format(framework="torch")
X = Array(shape=(3,), values=[0.5, -1.0, 2.0])


def verdicts(name: str, workers: Workers, source: str = SOURCE, target: str = TARGET) -> tuple[Verdict, ...]:
    trees = [pack_tree({"program.py": text}, foreign=FOREIGN) for text in (source, target)]
    return check_case(
        Case(id=name, kind="function", call=Call(source=f"program:{name}", args=(X,))), *trees, workers
    ).verdicts


@pytest.mark.parametrize("name", ["scaled", "walked"])
def test_what_needs_no_library_is_checked(name: str, workers: Workers) -> None:
    found = verdicts(name, workers)
    assert all(v.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE) for v in found)
    assert any(v.rung is Rung.FORWARD and v.outcome is Outcome.PASS for v in found)
    wrong = TARGET.replace("SCALE = 3.0", "SCALE = 2.0").replace("total + part", "total - part")
    assert any(v.outcome is Outcome.FAIL for v in verdicts(name, workers, target=wrong))


def test_what_needs_one_is_not_judged(workers: Workers) -> None:
    found = verdicts("read", workers)[-1]
    assert found.outcome is Outcome.UNVERIFIABLE
    assert "No module named 'nowhere', which the original imports" in found.detail


def test_what_needs_one_on_the_side_of_pytorch_alone_is_not_judged(workers: Workers) -> None:
    source = SOURCE.replace('nowhere.read("a")', "1.0")
    assert verdicts("read", workers, source)[-1].outcome is Outcome.UNVERIFIABLE


def test_a_library_that_the_rewrite_brings_in_must_be_there(workers: Workers) -> None:
    tree = pack_tree({"program.py": "import torch\nimport nonsense\n"}, foreign=FOREIGN)
    assert check_import("program", tree, workers, foreign=FOREIGN).outcome is Outcome.FAIL


def test_a_module_that_a_build_makes(workers: Workers) -> None:
    texts = {"pkg/__init__.py": "", "pkg/a.py": "from .made import fast\n\n\ndef f(x):\n    return fast(x)\n"}
    tree = pack_tree(texts, foreign=["pkg.made"])
    assert workers.run("torch", "tf_script", {"module": "pkg.a"}, tree=tree).status == "ok"
    assert workers.run("torch", "tf_script", {"module": "pkg.a"}, tree=pack_tree(texts)).status == "error"
    case = Case(id="f", kind="function", call=Call(source="pkg.a:f", args=(X,)))
    found = check_case(case, tree, tree, workers).verdicts[-1]
    assert found.outcome is Outcome.UNVERIFIABLE
    assert "No module named 'pkg.made'" in found.detail


def ran(line: str, workers: Workers) -> Reply:
    tree = pack_tree({"m.py": f"import nowhere\nimport matplotlib.pyplot as plt\nX = {line}\n"}, foreign=FOREIGN)
    return workers.run("torch", "tf_script", {"module": "m"}, tree=tree)


@pytest.mark.parametrize("line", ["nowhere.a.b(1)[2]", "plt.figure().gca()", "list(plt.subplots(1, 2)[1])[1]"])
def test_the_top_level_may_name_one(line: str, workers: Workers) -> None:
    assert ran(line, workers).status == "ok"


@pytest.mark.parametrize(
    "line",
    [
        "len(nowhere.a())",
        "bool(nowhere.a)",
        "[x for x in nowhere.a]",
        "nowhere.size + 1",
        "2 * nowhere.size",
        "nowhere.name() == 'a'",
        "nowhere.size < 3",
        "f'{nowhere.size}'",
        "range(nowhere.size)",
        "'a' in nowhere.names",
        "float(plt.rcParams['a'])",
        "len(plt.get_cmap().colors)",
        "[x for x in plt.gcf().axes]",
    ],
)
def test_nothing_plain_comes_from_one(line: str, workers: Workers) -> None:
    found = ran(line, workers)
    assert found.status == "error"
    assert found.lacks_library
