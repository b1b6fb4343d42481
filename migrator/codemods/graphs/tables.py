"""What the names of TensorFlow 1 are in Keras: layers, initialisers, optimizers, by `tf.` name without `compat.v1`."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLACEHOLDERS = {"tf.placeholder": ("dtype", "shape", "name"), "tf.placeholder_with_default": ("input", "shape", "name")}
VARIABLES = {
    "tf.Variable": ("initial_value", "trainable", "collections", "validate_shape", "caching_device", "name"),
    "tf.get_variable": ("name", "shape", "dtype", "initializer", "regularizer", "trainable"),
}
SESSIONS = frozenset({"tf.Session", "tf.InteractiveSession"})
CONFIGS = frozenset({"tf.ConfigProto", "tf.GPUOptions"})
INITS = frozenset({"tf.global_variables_initializer", "tf.initialize_all_variables", "tf.local_variables_initializer"})
GLOBAL_STEPS = frozenset({"tf.train.get_or_create_global_step", "tf.train.create_global_step"})
NOTHING = frozenset({"tf.disable_v2_behavior", "tf.disable_eager_execution", "tf.reset_default_graph"})
"""Calls that only say that the program is a graph."""

SCOPES = frozenset({"tf.name_scope", "tf.variable_scope"})
DEVICES = frozenset({"tf.device"})
UPDATES = "tf.GraphKeys.UPDATE_OPS"
MARKS = frozenset({*PLACEHOLDERS, *SESSIONS, "tf.get_variable"})
"""What only a graph has."""

_DYNAMIC = "cell inputs sequence_length initial_state dtype parallel_iterations swap_memory time_major scope"
RECURRENT = {
    "tf.nn.dynamic_rnn": tuple(_DYNAMIC.split()),
    "tf.nn.static_rnn": ("cell", "inputs", "initial_state", "dtype", "sequence_length", "scope"),
}
"""What applies a cell to a sequence, in one tensor or in a list of its steps."""

BOTH_WAYS = "tf.nn.bidirectional_dynamic_rnn"

_REST = ("kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer")


@dataclass(frozen=True)
class LayerForm:
    """A function of `tf.layers` and the Keras layer that it makes; `params` in TensorFlow's order, the input first."""

    keras: str
    params: tuple[str, ...]


_CONV = ("inputs", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation")
_POOL = ("inputs", "pool_size", "strides", "padding", "data_format", "name")
_NORM = (
    "inputs axis momentum epsilon center scale beta_initializer gamma_initializer moving_mean_initializer "
    "moving_variance_initializer beta_regularizer gamma_regularizer beta_constraint gamma_constraint training trainable"
)
LAYERS = {
    "tf.layers.dense": LayerForm("Dense", ("inputs", "units", "activation", "use_bias", *_REST)),
    "tf.layers.conv1d": LayerForm("Conv1D", (*_CONV, "use_bias", *_REST)),
    "tf.layers.conv2d": LayerForm("Conv2D", (*_CONV, "use_bias", *_REST)),
    "tf.layers.conv3d": LayerForm("Conv3D", (*_CONV, "use_bias", *_REST)),
    "tf.layers.conv2d_transpose": LayerForm("Conv2DTranspose", (*_CONV[:6], "activation", "use_bias", *_REST)),
    "tf.layers.max_pooling3d": LayerForm("MaxPooling3D", _POOL),
    "tf.layers.average_pooling3d": LayerForm("AveragePooling3D", _POOL),
    "tf.layers.average_pooling1d": LayerForm("AveragePooling1D", _POOL),
    "tf.layers.max_pooling2d": LayerForm("MaxPooling2D", _POOL),
    "tf.layers.average_pooling2d": LayerForm("AveragePooling2D", _POOL),
    "tf.layers.max_pooling1d": LayerForm("MaxPooling1D", _POOL),
    "tf.layers.flatten": LayerForm("Flatten", ("inputs", "name", "data_format")),
    "tf.layers.dropout": LayerForm("Dropout", ("inputs", "rate", "noise_shape", "seed", "training", "name")),
    "tf.layers.batch_normalization": LayerForm("BatchNormalization", tuple(_NORM.split())),
}
RANDOM = frozenset({"tf.nn.dropout", "tf.layers.dropout"})
ASSIGNS = frozenset({"tf.assign", "tf.assign_add", "tf.assign_sub"})
"""They happen in the runs that fetch them, which a method that several runs share cannot tell."""

OPTIMIZERS = {
    "tf.train.GradientDescentOptimizer": ("SGD", ("learning_rate", "use_locking", "name"), {}),
    "tf.train.MomentumOptimizer": (
        "SGD",
        ("learning_rate", "momentum", "use_locking", "name", "use_nesterov"),
        {"use_nesterov": "nesterov"},
    ),
    "tf.train.AdamOptimizer": (
        "Adam",
        ("learning_rate", "beta1", "beta2", "epsilon", "use_locking", "name"),
        {"beta1": "beta_1", "beta2": "beta_2"},
    ),
    "tf.train.RMSPropOptimizer": (
        "RMSprop",
        ("learning_rate", "decay", "momentum", "epsilon", "use_locking", "centered", "name"),
        {"decay": "rho"},
    ),
    "tf.train.AdagradOptimizer": (
        "Adagrad",
        ("learning_rate", "initial_accumulator_value", "use_locking", "name"),
        {},
    ),
    "tf.train.AdadeltaOptimizer": ("Adadelta", ("learning_rate", "rho", "epsilon", "use_locking", "name"), {}),
}  # type: dict[str, tuple[str, tuple[str, ...], dict[str, str]]]
OPTIMIZER_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "tf.train.AdamOptimizer": {"learning_rate": "0.001", "epsilon": "1e-08"},
    # no version of Keras has these two words: the rules know them all the same
    "tf.train.MomentumOptimizer": {"rate_outside_velocity": "True"},
    "tf.train.RMSPropOptimizer": {"epsilon": "1e-10", "initial_accumulator_value": "1.0"},
    "tf.train.AdagradOptimizer": {"epsilon": "0.0"},
    "tf.train.AdadeltaOptimizer": {"learning_rate": "0.001", "epsilon": "1e-08"},
}
BY_ROW = frozenset({"tf.train.MomentumOptimizer", "tf.train.RMSPropOptimizer", "tf.train.AdadeltaOptimizer"})
"""Optimizers that leave rows of a table alone which a step does not look up; those of torch do not."""

LOOKUPS = frozenset({"tf.nn.embedding_lookup", "tf.gather"})

_INITIALIZERS: Mapping[str, tuple[str, tuple[str, ...], Mapping[str, str]]] = {
    "tf.zeros_initializer": ("Zeros", ("dtype",), {}),
    "tf.ones_initializer": ("Ones", ("dtype",), {}),
    "tf.constant_initializer": ("Constant", ("value", "dtype"), {}),
    "tf.random_normal_initializer": ("RandomNormal", ("mean", "stddev", "seed", "dtype"), {"stddev": "1.0"}),
    "tf.truncated_normal_initializer": ("TruncatedNormal", ("mean", "stddev", "seed", "dtype"), {"stddev": "1.0"}),
    "tf.random_uniform_initializer": (
        "RandomUniform",
        ("minval", "maxval", "seed", "dtype"),
        {"minval": "0.0", "maxval": "1.0"},
    ),
    "tf.glorot_uniform_initializer": ("GlorotUniform", ("seed", "dtype"), {}),
    "tf.glorot_normal_initializer": ("GlorotNormal", ("seed", "dtype"), {}),
    "tf.contrib.layers.xavier_initializer": ("GlorotUniform", (), {}),
    "tf.orthogonal_initializer": ("Orthogonal", ("gain", "seed", "dtype"), {}),
}
_VALUES: Mapping[str, tuple[str, tuple[str, ...], Mapping[str, str]]] = {
    "tf.zeros": ("Zeros", ("shape", "dtype", "name"), {}),
    "tf.ones": ("Ones", ("shape", "dtype", "name"), {}),
    "tf.random.normal": ("RandomNormal", ("shape", "mean", "stddev", "dtype", "seed", "name"), {"stddev": "1.0"}),
    "tf.random.truncated_normal": (
        "TruncatedNormal",
        ("shape", "mean", "stddev", "dtype", "seed", "name"),
        {"stddev": "1.0"},
    ),
    "tf.random.uniform": (
        "RandomUniform",
        ("shape", "minval", "maxval", "dtype", "seed", "name"),
        {"minval": "0.0", "maxval": "1.0"},
    ),
    "tf.constant": ("Constant", ("value", "dtype", "shape", "name"), {}),
}
_DROPPED = frozenset({"dtype", "seed", "name", "shape", "verify_shape"})


def old(name: str | None) -> str:
    """A canonical name without `compat.v1`; "" for none."""
    return "" if name is None else name.replace("tf.compat.v1.", "tf.", 1)


def bound(call: ast.Call, params: Sequence[str]) -> dict[str, ast.expr] | None:
    """The arguments by parameter name; None where they are not all plain."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    if len(call.args) > len(params):
        return None
    return dict(zip(params, call.args, strict=False)) | {str(k.arg): k.value for k in call.keywords}


def text(node: ast.AST) -> str:
    return ast.unparse(node)


def initializer(api: str, node: ast.expr, tf: str) -> str | None:
    """The Keras initialiser that an initialiser object, or its class, is (`api`: its name); None for others."""
    known = _INITIALIZERS.get(api)
    if known is None:
        return None
    args = bound(node, known[1]) if isinstance(node, ast.Call) else {}
    return None if args is None or args.keys() - known[1] else _made(known[0], args, known[2], tf)


def initial(api: str, node: ast.Call, tf: str) -> tuple[str, str] | None:
    """(Keras initialiser, shape) of a tensor from which a variable starts."""
    known = _VALUES.get(api)
    args = None if known is None else bound(node, known[1])
    if known is None or args is None or args.keys() - known[1]:
        return None
    if "dtype" in args and not text(args["dtype"]).endswith("float32"):
        return None
    if "shape" not in args:
        return (_made(known[0], args, known[2], tf), "[]") if _is_number(args.get("value")) else None
    return _made(known[0], args, known[2], tf), text(args["shape"])


def _is_number(node: ast.expr | None) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def number(node: ast.expr, tf: str) -> tuple[str, str] | None:
    """(Keras initialiser, shape) of a variable that starts from a plain number."""
    return (f"{tf}.keras.initializers.Constant({text(node)})", "[]") if _is_number(node) else None


def _made(keras: str, args: Mapping[str, ast.expr], defaults: Mapping[str, str], tf: str) -> str:
    given = dict(defaults) | {name: text(value) for name, value in args.items() if name not in _DROPPED}
    if keras in ("Zeros", "Ones"):
        return repr(keras.lower())
    return f"{tf}.keras.initializers.{keras}({', '.join(f'{n}={v}' for n, v in given.items())})"
