"""The static gate: right code passes, everything else dies with a reason before it is executed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.completion.examples import bundled
from migrator.llm.candidate import Candidate, candidate
from migrator.llm.fragment import Contract, Definition, Example, Parameter
from migrator.llm.gate import problems
from tests.llm.contracts import CONTRACT, IMPORTS, RIGHT, SOURCE


def judged(code: str, *imports: str, helpers: tuple[str, ...] = (), contract: Contract = CONTRACT) -> str:
    return "; ".join(problems(candidate(code, imports or IMPORTS, helpers), contract))


def in_forward(line: str) -> str:
    return RIGHT.replace("        return F.relu", f"        {line}\n        return F.relu")


FUNCTION = Contract(
    "def f(x, axis=0, *, keep=True):\n    return tf.unique(x)\n",
    (
        Definition(
            "f", "function", (Parameter("x"), Parameter("axis", default="0"), Parameter("keep", "keyword", "True"))
        ),
    ),
    imports=("import os", "import tensorflow as tf"),
    tf_names=frozenset({"tf"}),
)


class TestPasses:
    def test_right_code(self) -> None:
        assert judged(RIGHT) == ""

    def test_imports_in_the_code_are_moved(self) -> None:
        made = candidate("\n".join(IMPORTS) + "\nimport math, copy\n" + RIGHT)
        assert made.imports == (*IMPORTS, "import math", "import copy")
        assert made.code.startswith("class Scale")
        assert problems(made, CONTRACT) == ()

    def test_helpers_with_new_names(self) -> None:
        assert judged(RIGHT, helpers=("def glorot(n):\n    return (3 / n) ** 0.5\n",)) == ""

    @pytest.mark.parametrize(
        "line",
        [
            "x = x[..., None]",
            "input = x",
            "scale = getattr(self, 'alpha')",
            "x = torch.utils.checkpoint.checkpoint(F.relu, x)",
            "self.last = x  # the original keeps this too",
        ],
    )
    def test_ordinary_lines(self, line: str) -> None:
        assert judged(in_forward(line)) == ""

    def test_what_the_original_did_may_stay(self) -> None:
        original = (
            "def f(path):\n"
            "    with open(os.path.join(path, 'x')) as file:\n"
            "        return tf.constant(len(file.read()))\n"
        )
        contract = replace(
            FUNCTION, original=original, definitions=(Definition("f", "function", (Parameter("path"),)),)
        )
        code = original.replace("tf.constant", "torch.tensor")
        assert judged(code, "import torch", contract=contract) == ""
        assert "os.remove" in judged(code.replace("os.path.join", "os.remove"), contract=contract)

    def test_an_empty_body_of_the_original_may_stay(self) -> None:
        original = "def f(x):\n    pass\n"
        contract = Contract(original, (Definition("f", "function", (Parameter("x"),)),))
        assert judged(original, contract=contract) == ""

    def test_a_script_may_work_at_the_top_level(self) -> None:
        original = "model = build()\nprint(model(tf.ones(3)))\n"
        contract = Contract(original, (Definition("model", "value"),), statements=True, tf_names=frozenset({"tf"}))
        assert judged("model = build()\nprint(model(torch.ones(3)))\n", "import torch", contract=contract) == ""

    def test_weights_may_be_saved_where_the_original_did(self) -> None:
        original = "def f(model, path):\n    model.save_weights(path)\n"
        contract = Contract(original, (Definition("f", "function", (Parameter("model"), Parameter("path"))),))
        code = "def f(model, path):\n    torch.save(model.state_dict(), path)\n"
        assert judged(code, "import torch", contract=contract) == ""
        other = replace(contract, original="def f(model, path):\n    model.fit(path)\n")
        assert "torch.save" in judged(code, "import torch", contract=other)


class TestInterface:
    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("class Other(nn.Module):\n    pass\n", "must define `Scale`"),
            ("Scale = nn.Identity\n", "`Scale` must be a class"),
            (RIGHT.replace("units, bias=True", "units"), "no longer takes bias"),
            (RIGHT.replace("units, bias=True", "units, size, bias=True"), "new required parameters: size"),
            (RIGHT.replace("units, bias=True", "bias=True, units=1"), "another order"),
            (RIGHT.replace("bias=True", "bias"), "lost the default"),
            (RIGHT.replace("def forward", "def call"), "must have the method `forward`"),
            (RIGHT.replace("forward(self, x)", "forward(self, x, y)"), "new required parameters: y"),
            (RIGHT + "\n\ndef train(model):\n    return model\n", "`train` belongs to another part"),
            (RIGHT + "\n\nprint('imported')\n", "works on import"),
            (RIGHT + "\n\nfor _ in range(3):\n    x = 1\n", "works on import"),
            (RIGHT + "\n\nnn.Linear.forward = Scale.forward\n", "assigns to something outside"),
            ("class Scale(nn.Module)\n    pass\n", "does not parse"),
            ("", "must define `Scale`"),
        ],
    )
    def test_is_held(self, code: str, reason: str) -> None:
        assert reason in judged(code)

    def test_helpers_are_not_the_unit(self) -> None:
        assert "is the unit itself" in judged(RIGHT, helpers=("class Scale:\n    x = 1\n",))
        assert "works on import" in judged(RIGHT, helpers=("print(1)\n",))

    def test_permitted_changes(self) -> None:
        grown = replace(CONTRACT.definitions[0], added=("in_features",), removed=("bias",))
        contract = replace(CONTRACT, definitions=(grown,))
        assert "must take in_features" in judged(RIGHT, contract=contract)
        assert judged(RIGHT.replace("units, bias=True", "in_features, units"), contract=contract) == ""

    def test_keyword_only_parameters(self) -> None:
        assert judged("def f(x, axis=0, *, keep=True):\n    return x\n", contract=FUNCTION) == ""
        assert "no longer takes keep" in judged("def f(x, axis=0):\n    return x\n", contract=FUNCTION)


class TestElisions:
    @pytest.mark.parametrize(
        "code",
        [
            in_forward("# ... rest of the code unchanged"),
            in_forward("# same as before"),
            in_forward("# TODO: implement"),
            in_forward("..."),
            RIGHT.replace("return F.relu(x * self.alpha)", "pass"),
            RIGHT.replace("return F.relu(x * self.alpha)", "..."),
            RIGHT.replace("return F.relu(x * self.alpha)", "raise NotImplementedError"),
            RIGHT.replace("return F.relu(x * self.alpha)", "raise NotImplementedError('left to the reader')"),
            RIGHT.replace("return F.relu(x * self.alpha)", "return ..."),
            RIGHT.replace("nn.init.uniform_(self.alpha, -bound, bound)", "bound = ..."),
        ],
    )
    def test_are_refused(self, code: str) -> None:
        assert "write all of it" in judged(code)

    def test_a_comment_of_the_original_stays(self) -> None:
        contract = replace(CONTRACT, original=SOURCE.replace("return tf.nn", "# TODO: a bias\n        return tf.nn"))
        assert judged(in_forward("# TODO: a bias"), contract=contract) == ""


REACHES = {
    "exec": in_forward("exec('x = 1')"),
    "eval": in_forward("x = eval('x')"),
    "import": in_forward("__import__('os').remove('a')"),
    "import by name": in_forward("import importlib; importlib.import_module('os')"),
    "builtins": in_forward("__builtins__['eval']('1')"),
    "open": in_forward("open('/etc/passwd').read()"),
    "files": in_forward("import pathlib; pathlib.Path('x').write_text('')"),
    "process": in_forward("import subprocess; subprocess.run(['id'])"),
    "network": in_forward("import urllib.request; urllib.request.urlopen('http://x')"),
    "socket": in_forward("import socket; socket.create_connection(('x', 1))"),
    "environment": in_forward("x = x * len(os.environ)"),
    "getenv": in_forward("os.getenv('OPENAI_API_KEY')"),
    "interpreter": in_forward("import sys; sys.modules['tensorflow'] = None"),
    "subclasses": in_forward("().__class__.__base__.__subclasses__()"),
    "globals": in_forward("forward.__globals__['x'] = 1"),
    "frames": in_forward("(i for i in x).gi_frame.f_back"),
    "computed attribute": in_forward("getattr(torch, 'h' + 'ub')"),
    "dunder text": in_forward("getattr(x, '__reduce__')"),
    "module as a value": in_forward("t = torch; t.hub.load('a', 'b')"),
    "hub": in_forward("torch.hub.load('a', 'b')"),
    "extension": in_forward("from torch.utils.cpp_extension import load_inline; load_inline('x', '')"),
    "pickle": in_forward("import pickle; pickle.loads(b'')"),
    "unsafe load": in_forward("torch.load('x.pt', weights_only=False)"),
    "numpy file": in_forward("np.load('x.npy', allow_pickle=True)"),
    "tofile": in_forward("x.numpy().tofile('x')"),
    "private": in_forward("torch._C._jit_clear_class_registry()"),
    "patched library": in_forward("torch.allclose = lambda *a, **k: True"),
    "patched class": in_forward("nn.Module.__call__ = None"),
    "patched setting": in_forward("torch.backends.cudnn.enabled = False"),
    "setattr": in_forward("setattr(nn.Linear, 'forward', None)"),
    "ctypes": in_forward("import ctypes; ctypes.string_at(0)"),
    "threads": in_forward("import threading; threading.Thread(target=print).start()"),
    "star": in_forward("pass") + "\n\ndef more():\n    from math import pi\n    exit()\n",
    "tensorflow": in_forward("x = tf.nn.relu(x)"),
    "tensorflow again": in_forward("import tensorflow"),
    "keras": in_forward("from keras import ops"),
    "other parts of the repository": in_forward("from shop.secrets import key"),
    "relative import": in_forward("from . import secrets"),
}


WAYS_OUT = {
    "a module of a module": in_forward("import warnings; warnings.sys.modules['os'].getpid()"),
    "files of a module": in_forward("import json; json.codecs.open('x', 'w')"),
    "the operating system of a module": in_forward("import contextlib; contextlib.os.listdir('/')"),
    "a private one": in_forward("import random; random._os.listdir('/')"),
    "imported from there": in_forward("from warnings import sys; sys.exit()"),
    "imported private": in_forward("from random import _os; _os.listdir('/')"),
    "frames of a module": in_forward("import typing; typing.sys._getframe(1)"),
    "stacks of a module": in_forward("import dataclasses; dataclasses.inspect.stack()"),
    "torch's own": in_forward("torch.os.listdir('/')"),
    "torch's interpreter": in_forward("torch.sys.modules"),
    "torch's builtins": in_forward("torch.builtins.print('x')"),
    "torch's importer": in_forward("F.importlib.import_module('os')"),
    "a part of torch's own": in_forward("torch.utils.data.dataloader.os.listdir('/')"),
    "under another name": in_forward("import warnings; w = warnings; w.sys"),
    "by getattr": in_forward("import warnings; getattr(warnings, 'sys')"),
    "by getattr of functions": in_forward("getattr(F, 'math')"),
    "getattr as a value": in_forward("list(map(getattr, [x], ['__class__']))"),
    "a mapped file": in_forward("torch.UntypedStorage.from_file('/etc/passwd', False, 10)"),
    "a written storage": in_forward("x.untyped_storage()._write_file(3, False, True, 1)"),
    "a changed class": in_forward("type(x).sum = lambda *a, **k: 0"),
    "a changed class again": in_forward("x.__class__.sum = None"),
    "a changed class by name": in_forward("T = torch.Tensor; T.sum = None"),
    "a changed class by loop": in_forward("for T in [torch.Tensor]: T.sum = None"),
    "a changed class by default": RIGHT.replace("def forward(self, x)", "def forward(self, x, T=nn.Module)").replace(
        "return F.relu", "T.__call__ = None\n        return F.relu"
    ),
    "a changed item": in_forward("[nn.Module][0].__call__ = None"),
    "text that reads attributes": in_forward("'{0.__class__.__mro__}'.format(x)"),
    "patterns that read attributes": in_forward("match x:\n            case object(__dict__=c):\n                pass"),
    "names of the file": in_forward("global train; train = None"),
    "evaluated hints": in_forward("import typing; typing.get_type_hints(forward, {'x': 1})"),
    "evaluated fields": in_forward("import dataclasses; dataclasses.make_dataclass('X', ['a'])"),
    "event files": in_forward("from torch.utils.tensorboard import SummaryWriter; SummaryWriter('x')"),
    "timed text": in_forward("from torch.utils.benchmark import Timer; Timer('import os').timeit(1)"),
    "generated code": in_forward("torch.fx.graph_module._exec_with_source('import os', {})"),
    "compiled code": in_forward("torch.compile(forward)"),
    "patched torch functions": in_forward("from torch.overrides import TorchFunctionMode; TorchFunctionMode()"),
    "private state of others": in_forward("x._backward_hooks.clear()"),
}


class TestReach:
    @pytest.mark.parametrize("name", WAYS_OUT)
    def test_leads_nowhere_else(self, name: str) -> None:
        assert judged(WAYS_OUT[name]) != ""

    @pytest.mark.parametrize(
        "line",
        [
            "x = torch.select(x, 0, 0) + torch.trace(x)",
            "x = x * np.random.rand() + np.select([True], [1])",
            "import collections; q = collections.deque(maxlen=3)",
            "from collections.abc import Iterable",
            "import math; x = x * math.pi",
            "import random; x = x * random.random()",
            "w = torch.signal.windows.hann(8)",
            "self._seen = x; x = self._seen + self._other",
            "import collections; p = collections.namedtuple('P', 'a b'); p._fields",
            "x = getattr(self, 'alpha') * x",
            "layer = self.layers[0]; layer.weight.data[0] = 1.0",
            "self.find(x).weight = None",
        ],
    )
    def test_ordinary_code_is_let_through(self, line: str) -> None:
        imports = (*IMPORTS, "import numpy as np")
        assert judged(in_forward(line), *imports) == ""

    @pytest.mark.parametrize("pair", bundled(), ids=lambda pair: pair.name)
    def test_accepted_rewrites_of_the_programs_are_let_through(self, pair: Example) -> None:
        contract = Contract(pair.source, statements=True, tf_names=frozenset({"tf", "keras", "layers"}))
        lines = ("import numpy as np", "from torch.utils.data import DataLoader, Dataset, IterableDataset")
        assert judged(pair.target, *IMPORTS, *lines, contract=contract) == ""

    @pytest.mark.parametrize("name", REACHES)
    def test_is_limited(self, name: str) -> None:
        assert judged(REACHES[name]) != ""

    def test_what_the_unit_imported_of_the_repository_stays(self) -> None:
        assert judged(in_forward("x = pad(x)")) == ""
        assert judged(in_forward("x = pad(x)"), *IMPORTS, "from shop.tools import pad") == ""

    @pytest.mark.parametrize(
        "line",
        [
            "import requests",
            "import tensorflow as tf",
            "print('x')",
            "from torch import *",
            "import os; os.system('id')",
        ],
    )
    def test_import_lines(self, line: str) -> None:
        assert judged(RIGHT, *IMPORTS, line) != ""

    def test_a_reply_of_any_size_is_judged(self) -> None:
        assert "far more than the unit needs" in judged(RIGHT + "# x\n" * 100_000)
        assert "does not parse" in judged("(" * 5000)
        assert problems(Candidate("\0"), CONTRACT) != ()
