"""What the rewriter does around the rules: names, receivers, comments, statements, and nothing."""

from __future__ import annotations

import libcst as cst
import pytest
from fake_facts import FakeModule, parsed

from migrator.facts import analyse
from migrator.model import LayerCode, Rewritten
from migrator.rules import rulebook
from migrator.rules.engine.rewriter import rewrite
from migrator.values import Dataset, Instance, Literal, Scalar, Sequence, ShapeOf, Tensor, Unknown, Value

RULES = rulebook()
X = Tensor((None, 3), "float32")
KNOWN: dict[str, Value] = {
    "x": X,
    "y": X,
    "v": Tensor((3,), "float32", origin="variable"),
    "a": Tensor((4, 3), "float64", origin="numpy"),
    "n": Scalar("int"),
    "shape": ShapeOf((None, 3)),
    "layer": Instance("tf.keras.layers.Dense"),
    "ds": Dataset(X),
}


def rewritten(source: str, known: dict[str, Value] | None = None) -> Rewritten:
    tree, spans = parsed(source)
    return RULES.rewrite(tree, FakeModule(source, KNOWN if known is None else known), spans)


def code(source: str) -> str:
    made = rewritten(source)
    assert not made.declines, made.declines
    assert isinstance(made.node, cst.Module)
    return made.node.code


def reasons(source: str, known: dict[str, Value] | None = None) -> list[str]:
    made = rewritten(source, known)
    assert isinstance(made.node, cst.Module)
    assert made.node.code == source
    return [d.reason for d in made.declines]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("z = tf.reduce_sum(x + y, 1, keepdims=True)  # kept\n", "z = torch.sum(x + y, dim=1, keepdim=True)  # kept\n"),
        ("z = 2.0 * tf.matmul(x, y, transpose_b=True)\n", "z = 2.0 * (x @ y.T)\n"),
        ("z = -tf.add(x, y) ** 2\n", "z = -(x + y) ** 2\n"),
        ("z = tf.nn.relu(tf.concat([x, y], -1)).shape[0]\n", "z = F.relu(torch.cat([x, y], dim=-1)).shape[0]\n"),
        ("z = map(tf.nn.relu, [x])\n", "z = map(F.relu, [x])\n"),
        ("z: tf.Tensor = tf.cast(x, tf.int32)\n", "z: torch.Tensor = x.to(torch.int32)\n"),
        ("z = x[..., tf.newaxis]\n", "z = x[..., None]\n"),
        ("z = x[:, ::-1]\n", "z = x.flip(1)\n"),
        ("z = x.numpy()\n", "z = x.detach().cpu().numpy()\n"),
        ("z = x.get_shape().as_list()\n", "z = list(x.shape)\n"),
        ("z = tf.sqrt(a)\n", "z = torch.sqrt(torch.as_tensor(a))\n"),
        ("z = x / tf.sqrt(tf.cast(n, tf.float32))\n", "z = x / math.sqrt(n)\n"),
        ("z = x.shape[:-1] + [n]\n", "z = x.shape[:-1] + (n,)\n"),
        ("z = tf.sqrt(2.0)\n", "z = torch.sqrt(torch.tensor(2.0))\n"),
        ("m, s = tf.nn.moments(x, [0])\n", "s, m = torch.var_mean(x, dim=0, correction=0)\n"),
        ("x += tf.square(y)\n", "x = x + torch.square(y)\n"),
        ("x -= y - x\n", "x = x - (y - x)\n"),
        ("v.assign_add(tf.square(v))\n", "with torch.no_grad():\n    v.add_(torch.square(v))\n"),
        ("tf.config.set_visible_devices([gpu], 'GPU')\n", "torch.cuda.set_device(gpu)\n"),
        ("tf.config.experimental.set_visible_devices(gpus[0], 'GPU')\n", "torch.cuda.set_device(gpus[0])\n"),
        ("tf.summary.trace_on(graph=True, profiler=True)\n", "trace.start()\n"),
        ("tf.summary.trace_export('a', step=0, profiler_outdir='logs')\n", "save_trace('a', 'logs')\n"),
        ("@tf.function\ndef f(x):\n    return tf.exp(x)\n", "def f(x):\n    return torch.exp(x)\n"),
        (
            "def f(x, n):\n    return tf.zeros([n, 2]) + tf.ones_like(x)\n",
            "def f(x, n):\n    return torch.zeros([n, 2], device=x.device) + torch.ones_like(x)\n",
        ),
    ],
)
def test_rewrites(before: str, after: str) -> None:
    assert code(before) == after


@pytest.mark.parametrize(
    "source",
    [
        "z = x + y\n",
        "a += 1\n",
        "a[::-1]\n",
        "z = np.sum(a)\n",
        "z = thing.numpy\n",
        "reduce_sum = 1\nz = reduce_sum\n",
        "z = dict(tf_name=1)\n",
        "shape[::-1]\n",
        "z = model.tf.reduce_sum(x)\n",
    ],
)
def test_leaves_alone(source: str) -> None:
    assert reasons(source) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("z = tf.strings.unicode_script([x])\n", "no rule for tf.strings.unicode_script"),
        ("z = tf.reduce_sum(*args)\n", "* or ** arguments"),
        ("z = tf.reduce_sum(x, unknown=1)\n", "unknown argument `unknown`"),
        ("z = tf.reduce_sum(x, 1, True, None, 5)\n", "more positional arguments than TensorFlow's signature has"),
        ("z = tf.no_such_name\n", "no rule for tf.no_such_name"),
        ("z = tf\n", "a TensorFlow module as a value"),
        ("z = layer.kernel\n", "no rule for attribute `kernel`"),
        ("z = layer.count_params()\n", "no rule for method `count_params`"),
        ("z = ds.shuffle(3)\n", "no rule for method `shuffle`"),
        ("z = foo().assign_add(1)\n", "`.assign_add()` of something unknown"),
        ("z = tf.keras.layers.Dense(3)\n", "a layer made outside a model"),
        ("z = x[1:, ::-1]\n", "a negative step beside other indexing"),
        ("z = [v.assign(x)]\n", "the result of an assignment to a variable is used"),
        ("z = tf.concat([x, a], 0)\n", "`values` has NumPy arrays in it"),
        ("z = tf.shape(x) * 2\n", "arithmetic on a whole shape"),
        ("z = tf.shape(x) == [1, 2]\n", "arithmetic on a whole shape"),
        ("z = tf.add(n, 3)\n", "no argument is a tensor"),
    ],
)
def test_declines(source: str, reason: str) -> None:
    made = rewritten(source)
    assert reason in [d.reason for d in made.declines]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("z = foo().numpy()\n", "z = foo().detach().cpu().numpy()\n"),
        ("z = foo.numpy()\n", "z = foo.detach().cpu().numpy().copy()\n"),
        ("z = [foo.numpy()]\n", "z = [foo.detach().cpu().numpy().copy()]\n"),
        ("z.append(foo.a.numpy())\n", "z.append(foo.a.detach().cpu().numpy().copy())\n"),
        ("z = np.argmax(foo.numpy())\n", "z = np.argmax(foo.detach().cpu().numpy())\n"),
        ("z = 2 * foo.numpy()\n", "z = 2 * foo.detach().cpu().numpy()\n"),
        ("print(foo.numpy())\n", "print(foo.detach().cpu().numpy())\n"),
        ("z = foo().detach().cpu().numpy()\n", "z = foo().detach().cpu().numpy()\n"),
    ],
)
def test_what_has_an_array_is_a_tensor_and_may_be_a_variable(source: str, written: str) -> None:
    made = rewritten(source)
    assert not made.declines
    assert made.node.code == written


def test_every_name_is_met() -> None:
    made = rewritten("z = tf.reduce_sum(tf.strings.unicode_script(tf.foo))\n")
    assert {d.api for d in made.declines} >= {"tf.strings.unicode_script", "tf.foo"}


def test_comments_inside_a_call_go_above_the_statement() -> None:
    before = "z = tf.reduce_sum(\n    x,  # the values\n    1,\n)\n"
    assert code(before) == "# the values\nz = torch.sum(x, dim=1)\n"


def test_a_comment_without_a_place_declines() -> None:
    source = "tf.reduce_sum(\n    x,  # the values\n    1)\n"
    tree, spans = parsed(source)
    call = tree.body[0].body[0].value  # type: ignore[union-attr,index]
    made = RULES.rewrite(call, FakeModule(source, KNOWN), spans)
    assert [d.reason for d in made.declines] == ["a comment inside the expression would be lost"]


def test_bind_gives_given_arguments_by_name() -> None:
    call = cst.parse_expression("L.Dense(10, 'relu', use_bias=False)")
    assert isinstance(call, cst.Call)
    bound = RULES.bind("tf.keras.layers.Dense", call)
    assert isinstance(bound, dict)
    assert list(bound) == ["units", "activation", "use_bias"]


def test_bind_knows_what_every_layer_takes() -> None:
    call = cst.parse_expression("L.Conv2D(8, 3, name='c', input_shape=(4, 4, 3))")
    merge = cst.parse_expression("L.add([a, b], name='s')")
    assert isinstance(call, cst.Call)
    assert isinstance(merge, cst.Call)
    assert set(RULES.bind("tf.keras.layers.Conv2D", call)) == {"filters", "kernel_size", "name", "input_shape"}  # type: ignore[arg-type]
    assert list(RULES.bind("tf.keras.layers.add", merge)) == ["inputs", "name"]  # type: ignore[arg-type]


def test_function_form_of_a_merge_is_its_layer() -> None:
    code = RULES.layer("tf.keras.layers.add", {"inputs": "[a, b]", "name": "'s'"}, {}, (X, X))
    assert isinstance(code, LayerCode)
    assert code.forward == "{x0} + {x1}"


def test_activation() -> None:
    assert RULES.activation(Literal("relu")) == ("F.relu({x})", "relu")
    assert RULES.activation(Literal(None)) is None
    assert rulebook(2).activation(Literal("hard_sigmoid")) != RULES.activation(Literal("hard_sigmoid"))


CONTEXTS = [
    ("with tf.name_scope('a'):\n    y = x\n", "y = x\n"),
    ("# before\nwith tf.name_scope('a'):  # named\n    # inside\n    y = x\n", "# before\n# named\n# inside\ny = x\n"),
    ("with tf.control_dependencies([a, b]):\n    y = x\n", "y = x\n"),
    ("with tf.name_scope('a'), open(p) as f:\n    y = x\n", "with open(p) as f:\n    y = x\n"),
    ("with tf.device('/cpu:0'):\n    y = x\n", 'import torch\nwith torch.device("cpu"):\n    y = x\n'),
    (
        "with tf.device('/device:GPU:1'):\n    y = x\n",
        'import torch\nwith torch.device("cuda:1" if torch.cuda.is_available() else "cpu"):\n    y = x\n',
    ),
]
CONTEXTS += [
    ("with tf.control_dependencies([f(a)]):\n    y = x\n", "f(a)\ny = x\n"),
    ("with tf.name_scope('a') as scope:\n    y = x\n", "y = x\n"),
    ("with tf.name_scope('a'):\n    y = x\n    # the end\n", "y = x\n# the end\n"),
]
KEPT = [
    "with tf.device(place):\n    y = x\n",
]


@pytest.mark.parametrize(("source", "expected"), CONTEXTS)
def test_blocks_that_mean_nothing_in_torch_go(source: str, expected: str) -> None:
    made, text = _module(source)
    assert text == expected
    assert not made.declines


@pytest.mark.parametrize("source", KEPT)
def test_blocks_that_do_something_stay(source: str) -> None:
    made, text = _module(source)
    assert text == source
    assert made.declines


def _module(source: str) -> tuple[Rewritten, str]:
    made = rewritten(source, {})
    assert isinstance(made.node, cst.Module)
    return made, "".join(f"{line}\n" for line in sorted(made.imports)) + made.node.code


@pytest.mark.parametrize(
    "source",
    [
        "print(tf.__version__)\n",
        "print('version', tf.__version__)\n",
        "print('v%s' % tf.__version__)\n",
        "print(f'v{tf.__version__}')\n",
        "print('v{}'.format(tf.__version__))\n",
        "tf.__version__\n",
    ],
)
def test_a_version_that_is_shown_is_torchs(source: str) -> None:
    made, text = _module(source)
    assert not made.declines
    assert "torch.__version__" in text


@pytest.mark.parametrize(
    "source",
    [
        "assert tf.__version__ >= '2.0' or fallback\n",
        "if tf.__version__ < '2.0':\n    raise ValueError\n",
        "new = tf.__version__.startswith('2')\n",
        "print(tf.__version__ > '2')\n",
        "version = tf.__version__\n",
        "print(int(tf.__version__[0]))\n",
    ],
)
def test_a_version_that_decides_is_tensorflows(source: str) -> None:
    assert _module(source)[0].declines


@pytest.mark.parametrize(
    "test",
    [
        "tf.__version__ >= '2.0'",
        "tf.__version__.startswith('2'), 'an old one'",
        "float('.'.join(tf.__version__.split('.')[:2])) >= 1.14",
        "tuple(map(int, tf.__version__.split('.')[:2])) > (2, 3)",
    ],
)
def test_an_assertion_about_the_version_goes(test: str) -> None:
    made, text = _module(f"x = 1\nassert {test}\n")
    assert not made.declines
    assert text == "x = 1\n"


def test_numpy_functions_of_tensors_still_give_arrays() -> None:
    source = (
        "import numpy as np\nimport tensorflow as tf\n\ny = tf.exp(tf.constant([1.0]))\nz = np.around(y + 1.0, 3)\n"
    )
    tree, spans = parsed(source)
    made = rewrite(tree, analyse({"m": source}).modules["m"], spans)
    assert isinstance(made.node, cst.Module)
    assert "np.around((y + 1.0).detach().cpu().numpy(), 3)" in made.node.code


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("np.sqrt(y - 1.0)", "np.sqrt((y - 1.0).detach().cpu().numpy())"),
        ("np.mean(y, axis=0)", "np.mean(y.detach().cpu().numpy(), axis=0)"),
        ("np.maximum(1.0, y)", "np.maximum(1.0, y.detach().cpu().numpy())"),
        ("np.mean(np.zeros(3))", "np.mean(np.zeros(3))"),
        ("np.mean(tf.shape(y))", "np.mean(y.shape)"),
        ("np.array(y)", "np.array(y)"),
        ("f(tf.size(y).numpy(), tf.shape(y)[0].numpy(), tf.rank(y).numpy())", "f(y.numel(), y.shape[0], y.ndim)"),
    ],
)
def test_what_numpy_makes_of_tensors(call: str, after: str) -> None:
    head = "import numpy as np\nimport tensorflow as tf\n\ny = tf.exp(tf.constant([1.0]))\n"
    made = program(f"{head}z = {call}\n")
    assert isinstance(made.node, cst.Module)
    assert f"z = {after}\n" in made.node.code


def test_numpy_functions_of_what_may_be_an_array_stay() -> None:
    made = program("import numpy as np\nimport tensorflow as tf\n\ndef f(x):\n    return np.mean(x) + tf.exp(1.0)\n")
    assert isinstance(made.node, cst.Module)
    assert "np.mean(x)" in made.node.code


def program(source: str) -> Rewritten:
    """A whole program under its real facts."""
    tree, spans = parsed(source)
    return rewrite(tree, analyse({"m": source}).modules["m"], spans)


@pytest.mark.parametrize(
    ("function", "call", "after"),
    [
        (
            "def f(shape, dtype=tf.float32):\n    return tf.random.normal(shape, dtype=dtype)",
            "f((2,))",
            "torch.randn(shape, dtype=dtype)",
        ),
        ("def f(x, dtype=tf.float32):\n    return tf.cast(x, dtype)", "f(1)", "dtype=dtype"),
        ("def f(x, dtype):\n    return tf.cast(x, dtype)", "f(tf.ones(2), tf.int32)", "x.to(dtype)"),
        ("def f(shape, dtype=tf.float32):\n    d = dtype\n    return tf.zeros(shape, d)", "f((2,))", "dtype=d)"),
        ("def f(x, *, keep=False):\n    return tf.reduce_sum(x, 1, keep)", "f(tf.ones((2, 2)))", "keepdim=keep"),
        (
            "def f(x, opts):\n    return tf.reduce_sum(x, opts['axis'], opts['keep'])",
            "f(tf.ones((2, 2)), {'axis': 0, 'keep': False})",
            "torch.sum(x, dim=opts['axis'], keepdim=opts['keep'])",
        ),
        (
            "def f(shape, opts={'mean': 0.0}):\n    return tf.random.normal(shape, opts['mean'])",
            "f((2,))",
            "torch.randn(shape) + opts['mean']",
        ),
    ],
)
def test_what_a_parameter_was_seen_to_hold_stays_an_argument(function: str, call: str, after: str) -> None:
    made = program(f"import tensorflow as tf\n\n\n{function}\n\n\n{call}\n")
    assert isinstance(made.node, cst.Module)
    assert not made.declines
    assert after in made.node.code


@pytest.mark.parametrize(
    ("function", "call", "reason"),
    [
        ("def f(shape, dtype='float32'):\n    return tf.zeros(shape, dtype)", "f((2,))", "only the run knows"),
        ("def f(shape, dtype=np.float32):\n    return tf.zeros(shape, dtype)", "f((2,))", "a dtype that is NumPy's"),
        (
            "def f(shape, dtype=tf.float32):\n    return tf.random.uniform(shape, dtype=dtype)",
            "f((2,))",
            "a dtype other than float32",
        ),
    ],
)
def test_what_a_parameter_was_seen_to_hold_decides_nothing(function: str, call: str, reason: str) -> None:
    made = program(f"import numpy as np\nimport tensorflow as tf\n\n\n{function}\n\n\n{call}\n")
    assert any(reason in d.reason for d in made.declines), made.declines


@pytest.mark.parametrize(
    ("item", "after"),
    [
        (Tensor((), "float32"), "torch.mean(torch.stack(losses))\n"),
        (Tensor((), "float32", origin="numpy"), ""),
        (Unknown(), ""),
    ],
)
def test_a_list_that_a_loop_fills_is_stacked_where_it_holds_tensors(item: Value, after: str) -> None:
    made = rewritten("tf.reduce_mean(losses)\n", {"losses": Sequence("list", None, item)})
    assert isinstance(made.node, cst.Module)
    assert made.node.code == (after or "tf.reduce_mean(losses)\n")
    assert bool(made.declines) is not bool(after)
