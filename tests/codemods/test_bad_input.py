"""Source that is hard to read right: rewritten rightly or declined with a reason, never half."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

import pytest

from migrator import facts
from migrator.codemods.repository import migrate
from migrator.model import FileRewrite, SourceFile
from migrator.rules import rulebook
from migrator.rules.objects import Objects


def migrated(source: str) -> FileRewrite:
    text = textwrap.dedent(source)
    file = SourceFile(PurePosixPath("m.py"), "m", text, uses_tf=True)
    draft = migrate([file], [], facts.analyse({"m": text}, []), rulebook(3), Objects())
    return draft.render({})["m.py"]


def reasons(file: FileRewrite) -> str:
    return "\n".join(f"{u.unit.name}: {d.api} {d.reason}" for u in file.units for d in u.declines)


BODY = "def f(x):\n    return tf.square(x)\n"

RIGHT = {
    "import that another stands in for": (
        "try:\n    import tensorflow.compat.v2 as tf\nexcept ImportError:\n    import tensorflow as tf\n" + BODY,
        "import torch\ndef f(x):\n    return torch.square(x)\n",
    ),
    "import that may fail": (
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\n" + BODY,
        "import torch\ndef f(x):\n    return torch.square(x)\n",
    ),
    "import by a call": (
        'import importlib\ntf = importlib.import_module("tensorflow")\n' + BODY,
        "import importlib\nimport torch\ndef f(x):\n    return torch.square(x)\n",
    ),
    "star import": (
        "from tensorflow import *\ndef f(x):\n    return square(x)\n",
        "import torch\ndef f(x):\n    return torch.square(x)\n",
    ),
    "aliases of modules": (
        "import tensorflow as tf\nt = tf\nK = t.keras.backend\ndef f(x):\n    return K.mean(t.square(x))\n",
        "import torch\ndef f(x):\n    return torch.mean(torch.square(x))\n",
    ),
    "alias of a function": (
        "import tensorflow as tf\ndef f(x):\n    s = tf.square\n    return s(x)\n",
        "import torch\ndef f(x):\n    s = torch.square\n    return torch.square(x)\n",
    ),
    "a function as a default is one of several": (
        "import tensorflow as tf\ndef f(x, op=tf.square):\n    return op(x)\n",
        "import torch\ndef f(x, op=torch.square):\n    return op(x)\n",
    ),
    "import in a function": (
        "def f(x):\n    import os, tensorflow as tf\n    return tf.square(x)\n",
        "import torch\ndef f(x):\n    import os\n    return torch.square(x)\n",
    ),
    "shadowed by a parameter": (
        "import tensorflow as tf\ndef g(tf, x):\n    return tf.square(x)\n" + BODY,
        "import torch\ndef g(tf, x):\n    return tf.square(x)\ndef f(x):\n    return torch.square(x)\n",
    ),
    "shadowed in a function": (
        "import tensorflow as tf\ndef g(x):\n    tf = x\n    return tf.square\n" + BODY,
        "import torch\ndef g(x):\n    tf = x\n    return tf.square\ndef f(x):\n    return torch.square(x)\n",
    ),
    "f-string": (
        'import tensorflow as tf\ndef f(x):\n    return f"{tf.square(x)!r:>{tf.rank(x)}}"\n',
        'import torch\ndef f(x):\n    return f"{torch.square(x)!r:>{x.ndim}}"\n',
    ),
    "walrus and comprehension": (
        "import tensorflow as tf\ndef f(xs):\n    return [z for tf_ in xs if (z := tf.square(tf_)) is not None]\n",
        "import torch\ndef f(xs):\n    return [z for tf_ in xs if (z := torch.square(tf_)) is not None]\n",
    ),
    "async": (
        "import tensorflow as tf\nasync def f(x):\n    async with x as y:\n        return tf.square(await y.get())\n",
        "import torch\nasync def f(x):\n    async with x as y:\n        return torch.square(await y.get())\n",
    ),
    "decorator": (
        "import tensorflow as tf\n@tf.function\n" + BODY,
        "import torch\ndef f(x):\n    return torch.square(x)\n",
    ),
    "type comments and quoted types": (
        'import tensorflow as tf\ndef f(x: "tf.Tensor"):\n    # type: (tf.Tensor) -> tf.Tensor\n'
        "    y = tf.square(x)  # type: tf.Tensor\n    return y\n",
        'import torch\ndef f(x: "torch.Tensor"):\n    # type: (torch.Tensor) -> torch.Tensor\n'
        "    y = torch.square(x)  # type: torch.Tensor\n    return y\n",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_rewritten_whole(name: str) -> None:
    source, expected = RIGHT[name]
    made = migrated(source)
    assert made.text == expected
    assert not reasons(made)


LEFT = {
    "star arguments": (
        "import tensorflow as tf\ndef f(a, k):\n    return tf.add(*a), tf.reduce_sum(a[0], **k)\n",
        "* or ** arguments",
    ),
    "name by a variable": ("import tensorflow as tf\ndef f(n):\n    return getattr(tf, n)\n", "module as a value"),
    "bound to two modules": (
        "import sys\nif sys.argv:\n    import tensorflow as tf\nelse:\n    import tensorflow.compat.v1 as tf\n" + BODY,
        "bound to several things",
    ),
    "rebound": ("import tensorflow as tf\nfor tf in [1]:\n    pass\n" + BODY, "bound to several things"),
    "rebound by another import": ("import tensorflow as tf\nimport numpy as tf\n" + BODY, "bound to several things"),
    "rebound in a function": (
        "import tensorflow as tf\ndef g():\n    global tf\n    tf = 3\n" + BODY,
        "bound to several things",
    ),
    "TensorFlow is patched": ("import tensorflow as tf\ntf.square = abs\n" + BODY, "TensorFlow itself is changed"),
    "evaluated text": ('import tensorflow as tf\ndef f(x):\n    return eval("tf.square(x)")\n', "`eval` of text"),
    "an unknown name": ("import tensorflow as tf\ndef f(x):\n    return tf.no_such(x)\n", "tf.no_such"),
    "an unknown type in a comment": (
        "import tensorflow as tf\ndef f(x):\n    y = x  # type: tf.RaggedTensor\n    return tf.square(y)\n",
        "tf.RaggedTensor",
    ),
    "a decorator without a rule": (
        "import tensorflow as tf\n@tf.no_such\n" + BODY,
        "tf.no_such",
    ),
    "a name that a helper needs": (
        "import tensorflow as tf\nF = 64\ndef f(x):\n    return tf.keras.regularizers.OrthogonalRegularizer(0.1)(x)\n",
        "`F` is something else",
    ),
    "a local name that torch code needs": (
        "import tensorflow as tf\ndef f(x):\n    nn = 64\n    return nn * tf.keras.initializers.Orthogonal()((3, 4))\n",
        "`nn` is something else",
    ),
    "a function of a name that torch code needs": (
        "import tensorflow as tf\ndef f(x, F):\n    return F.relu * tf.nn.relu(x)\n",
        "`F` is something else",
    ),
    "a parameter that torch code needs": (
        "import tensorflow as tf\ndef f(x, torch):\n    return torch * tf.square(x)\n",
        "`torch` is something else",
    ),
    "messages for google.protobuf": (
        "import tensorflow as tf\nfrom google.protobuf import json_format\n"
        "def f():\n    e = tf.train.Example(features=tf.train.Features(feature={}))\n"
        "    return json_format.MessageToJson(e)\n",
        "google.protobuf",
    ),
    "a builtin that a helper needs": (
        "import tensorflow as tf\ndict = 3\ndef f(x):\n    return tf.nest.flatten(x)\n",
        "`dict` means",
    ),
    "an import beside other code": (
        "try:\n    import tensorflow as tf\n    print(1)\nexcept ImportError:\n    pass\n" + BODY,
        "beside other code",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_left_with_a_reason_and_its_import(name: str) -> None:
    source, reason = LEFT[name]
    made = migrated(source)
    assert reason in reasons(made)
    last = source.rpartition("\n    ")[2] if name != "an import beside other code" else "import tensorflow as tf\n"
    assert last in made.text
    assert "import tensorflow" in made.text


def test_an_import_that_stays_says_so() -> None:
    made = migrated('import tensorflow as tf\n__all__ = ["f", "tf"]\n' + BODY)
    assert "torch.square" in made.text
    assert "units of this file still need it" in reasons(made)


def test_a_class_that_a_script_makes_has_its_helpers() -> None:
    made = migrated("""
        import keras
        import numpy as np
        model = keras.Sequential([keras.Input((5, 8)), keras.layers.LSTM(4)])
        y = model.predict(np.zeros((2, 5, 8)))
    """)
    assert not reasons(made)
    assert made.text.count("init_lstm") == 2
