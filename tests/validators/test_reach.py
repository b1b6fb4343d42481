"""A digest changes with whatever a case can run, and with nothing else."""

from __future__ import annotations

import pytest
from migrator_validators.cases import Array, Call, Case, Made
from migrator_validators.kept import Setting, case_key
from migrator_validators.reach import ReachableCode, references
from migrator_validators.workers import pack_tree

PROGRAM = {
    "main.py": (
        "from lib.model import Net\nimport unused\n\n\ndef train():\n    return Net()\n\n\n"
        "if __name__ == '__main__':\n    train()\n"
    ),
    "unused.py": "def helper():\n    return 1\n",
    "lib/__init__.py": "VERSION = 1\n",
    "lib/model.py": (
        "from . import sizes\nfrom .block import block\n\nLIMIT = 3\n\n\n"
        "class Base:\n    def f(self):\n        return 1\n\n\n"
        "class Net(Base):\n    def __init__(self):\n        self.b = block(sizes.WIDTH)\n\n\n"
        "class Other:\n    def g(self):\n        return 2\n"
    ),
    "lib/block.py": (
        "import math\n\n\ndef block(n):\n    return inner(n)\n\n\ndef inner(n):\n    return n\n\n\n"
        "def stray():\n    return 0\n"
    ),
    "lib/sizes.py": "WIDTH = 4\n",
    "data.txt": "1\n",
}


def digest(files: dict[str, str], *refs: str, tf_remains: bool = False) -> str:
    return ReachableCode(pack_tree(files, tf_remains=tf_remains)).of(refs).digest


def changed(path: str, old: str, new: str, ref: str = "lib.model:Net") -> bool:
    assert old in PROGRAM[path]
    return digest(PROGRAM, ref) != digest({**PROGRAM, path: PROGRAM[path].replace(old, new)}, ref)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lib/model.py", "block(sizes.WIDTH)", "block(2)"),  # the unit itself
        ("lib/model.py", "return 1", "return 3"),  # its base class
        ("lib/model.py", "LIMIT = 3", "LIMIT = 4"),  # a statement of its module
        ("lib/block.py", "return inner(n)", "return n"),  # a callee
        ("lib/block.py", "def inner(n):\n    return n", "def inner(n):\n    return -n"),  # a callee's callee
        ("lib/block.py", "import math", "import os"),  # an import of a reached module
        ("lib/block.py", "def stray()", "def stray(x=print())"),  # a default is evaluated on import
        ("lib/block.py", "def stray()", "def other()"),  # a name that is no longer bound
        ("lib/model.py", "class Other:", "class Other(block(1)):"),  # a base that is computed
        ("lib/model.py", "class Other:", "@block\nclass Other:"),  # a decorator runs
        ("lib/sizes.py", "WIDTH = 4", "WIDTH = 5"),  # a constant of a reached module
        ("lib/__init__.py", "VERSION = 1", "VERSION = 2"),  # the package itself runs
        ("data.txt", "1", "2"),  # what a program may read
    ],
)
def test_what_can_run_counts(path: str, old: str, new: str) -> None:
    assert changed(path, old, new)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lib/model.py", "return 2", "return 5"),  # a class that nothing mentions
        ("lib/block.py", "return 0", "return 9"),  # a function that nothing mentions
        ("lib/block.py", "def stray()", "def stray(x: int = -1)"),  # nor its plain defaults
        ("lib/model.py", "class Other:", "class Other(Base):"),  # nor what it inherits
        ("main.py", "train()\n", "train()  # said\n"),  # a module that is not imported
        ("unused.py", "return 1", "return 2"),
        ("lib/sizes.py", "WIDTH = 4", "WIDTH = 4  # why"),  # comments run nowhere
    ],
)
def test_what_cannot_run_does_not(path: str, old: str, new: str) -> None:
    assert not changed(path, old, new)


def test_a_guarded_block_runs_only_as_a_program() -> None:
    guard = ("main.py", "    train()\n", "    train() and None\n")
    assert not changed(*guard, ref="main:train")
    assert changed(*guard, ref="main:__main__")


@pytest.mark.parametrize(
    "line",
    [
        "globals()['stray']()",
        "import importlib",
        "from sys import modules",
        "import sys; sys.modules[__name__]",
        "import math as m; getattr(m, 'sin' + '')",
        "look = getattr",
        "list(map(getattr, [], []))",
        "vars()",
        "class Meta(type): pass\nclass Made(metaclass=Meta): pass",
        "class Registry:\n    def __init_subclass__(cls): pass",
        "Base = object; Base.__subclasses__()",
        "import pickle",
    ],
)
def test_code_that_finds_without_naming_reaches_everything(line: str) -> None:
    files = {**PROGRAM, "lib/model.py": PROGRAM["lib/model.py"] + "\n" + line + "\n"}
    other = {**files, "unused.py": "def helper():\n    return 2\n"}
    assert digest(files, "lib.model:Net") != digest(other, "lib.model:Net")


@pytest.mark.parametrize("line", ["getattr(Base, 'f')", "Base.f.real", "'abc'.join([])", "x = {}; x['modules']"])
def test_looking_for_a_written_name_does_not(line: str) -> None:
    files = {**PROGRAM, "lib/model.py": PROGRAM["lib/model.py"] + "\n" + line + "\n"}
    other = {**files, "unused.py": "def helper():\n    return 2\n"}
    assert digest(files, "lib.model:Net") == digest(other, "lib.model:Net")


@pytest.mark.parametrize(
    "registered",
    [
        "@register\ndef found():\n    return {}\n",
        "def __getattr__(name):\n    return {}\n",
        "class Found(Base, flag=True):\n    def f(self):\n        return {}\n",
    ],
)
def test_what_is_called_without_being_mentioned_counts(registered: str) -> None:
    files = dict(PROGRAM)
    digests = set()
    for value in "12":
        files["lib/model.py"] = PROGRAM["lib/model.py"] + "\n\n" + registered.format(value)
        digests.add(digest(files, "lib.model:Net"))
    assert len(digests) == 2


def test_a_name_written_as_text_is_a_mention() -> None:
    asks = {**PROGRAM, "lib/model.py": PROGRAM["lib/model.py"] + "\nf = getattr(sizes, 'late')\n"}
    one = {**asks, "lib/sizes.py": "WIDTH = 4\n\n\ndef late():\n    return 1\n"}
    two = {**asks, "lib/sizes.py": "WIDTH = 4\n\n\ndef late():\n    return 2\n"}
    assert digest(one, "lib.model:Net") != digest(two, "lib.model:Net")


def test_a_file_that_does_not_parse_reaches_everything() -> None:
    broken = {**PROGRAM, "lib/sizes.py": "WIDTH = = 4\n"}
    assert digest(broken, "lib.model:Net") != digest({**broken, "unused.py": ""}, "lib.model:Net")


def test_modules_are_found_from_every_root() -> None:
    files = {
        "src/pkg/__init__.py": "",
        "src/pkg/a.py": "from .b import f\n",
        "src/pkg/b.py": "def f():\n    return 1\n",
    }
    other = {**files, "src/pkg/b.py": "def f():\n    return 2\n"}
    found = [ReachableCode(pack_tree(f, roots=("", "src"))).of(["pkg.a:f"]).digest for f in (files, other)]
    assert found[0] != found[1]


def test_tensorflow_elsewhere_matters_only_to_libraries_that_may_look_for_it() -> None:
    assert digest(PROGRAM, "lib.model:Net") == digest(PROGRAM, "lib.model:Net", tf_remains=True)
    files = {**PROGRAM, "lib/sizes.py": "import transformers\nWIDTH = 4\n"}
    assert digest(files, "lib.model:Net") != digest(files, "lib.model:Net", tf_remains=True)


def test_an_import_of_tensorflow_counts_where_it_is_used_or_missing() -> None:
    with_it = {**PROGRAM, "lib/model.py": "import tensorflow as tf\n" + PROGRAM["lib/model.py"]}
    assert digest(with_it, "lib.model:Net", tf_remains=True) == digest(PROGRAM, "lib.model:Net", tf_remains=True)
    assert digest(with_it, "lib.model:Net") != digest(PROGRAM, "lib.model:Net")
    one, two = ({**PROGRAM, "lib/model.py": PROGRAM["lib/model.py"] + f"\n{i}\nX = tf\n"} for i in IMPORTS)
    assert digest(one, "lib.model:Net", tf_remains=True) != digest(two, "lib.model:Net", tf_remains=True)


IMPORTS = ("import tensorflow as tf", "import tensorflow.compat.v1 as tf")


def test_the_references_of_a_case_are_those_of_its_side() -> None:
    made = Made(label="m", call=Call(source="lib.model:Net", target="lib.model:Module"))
    case = Case(id="c", kind="function", call=Call(source="main:train", args=(made,)), inputs=(Array(shape=(2,)),))
    assert references(case, target=False) == {"main:train", "lib.model:Net"}
    assert references(case, target=True) == {"main:train", "lib.model:Module"}


def test_the_key_of_a_case_follows_what_it_reaches(tmp_path_factory: pytest.TempPathFactory) -> None:
    setting = Setting(tmp_path_factory.mktemp("arrays"), {"versions": "1"})
    case = Case(id="c", unit="u", kind="model", call=Call(source="lib.model:Net"))

    def key(case: Case, target: dict[str, str]) -> str:
        return case_key(case, ReachableCode(pack_tree(PROGRAM)), ReachableCode(pack_tree(target)), setting)

    first = key(case, PROGRAM)
    assert key(case.model_copy(update={"unit": "v"}), PROGRAM) == first
    assert key(case.model_copy(update={"batches": 4}), PROGRAM) != first
    assert key(case, {**PROGRAM, "unused.py": ""}) == first
    assert key(case, {**PROGRAM, "lib/sizes.py": "WIDTH = 8\n"}) != first
