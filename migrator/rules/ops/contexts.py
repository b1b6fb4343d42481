"""Contexts that name, place or order operations: their blocks stay, the `with` goes."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

import re

from migrator.rules.engine.args import Arg, Code
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import context, rule, same
from migrator.rules.engine.removal import harmless
from migrator.rules.engine.samples import block, declined_block, f32
from migrator.rules.ops.pieces import on_arguments

_NAMED = [
    block("with tf.name_scope('layer'):\n    y = x * 2.0\nreturn y", x=f32(2, 3)),
    block("with tf.name_scope('a') as scope:\n    if x is None:\n        return 0\n    return x + 1.0", x=f32(3)),
    declined_block("with tf.name_scope('a') as scope:\n    y = print(scope)\nreturn x", x=f32(3)),
]


@on_arguments
def idle(arg: object) -> bool:
    """Whether an argument that is dropped does nothing when evaluated; declines otherwise."""
    if isinstance(arg, Arg) and not harmless(arg.node):
        raise Decline(f"`{arg.name}` may do something when it is evaluated")
    return True


@context("tf.name_scope", samples=_NAMED)
def name_scope(name):
    idle(name)
    return


@context("tf.compat.v1.name_scope", samples=[])
def old_name_scope(name, default_name=None, values: Ignored = None):
    idle(name)
    idle(default_name)
    idle(values)
    return


@context(
    "tf.keras.backend.name_scope",
    samples=[block("with tf.keras.backend.name_scope('a'):\n    y = x * 2.0\nreturn y", x=f32(2))],
)
def keras_name_scope(name):
    idle(name)
    return


_SCOPED = "with tf.keras.utils.custom_object_scope({'double': tf.nn.relu}):\n    y = x * 2.0\nreturn y"


@context("tf.keras.utils.CustomObjectScope", samples=[block(_SCOPED, x=f32(2, 3))])
def custom_object_scope(custom_objects: Ignored):
    idle(custom_objects)
    return


_DEVICE = re.compile(r"^(?:/job:\w+)?(?:/replica:\d+)?(?:/task:\d+)?/?(?:device:)?(cpu|gpu)(?::(\d+))?$", re.IGNORECASE)


def device_code(name: object) -> Code:
    """`torch.device("cuda:1")` for a device that is written out; without a GPU TensorFlow takes the CPU."""
    found = _DEVICE.match(name) if isinstance(name, str) else None
    if found is None:
        raise Decline("a device that is not a CPU's or GPU's")
    if found[1].lower() == "cpu":
        return Code('torch.device("cpu")')
    where = "cuda" if found[2] is None else f"cuda:{found[2]}"
    return Code(f'torch.device("{where}" if torch.cuda.is_available() else "cpu")')


@rule(
    "tf.device",
    samples=[
        block("with tf.device('/cpu:0'):\n    y = x * 2.0\nreturn y", x=f32(2)),
        block("with tf.device('/GPU:0'), tf.name_scope('a'):\n    # why\n    return x + tf.ones([2])", x=f32(2)),
        declined_block("with tf.device('/TPU:0'):\n    return x + 1.0", x=f32(2)),
        declined_block("name = str(x)\nwith tf.device(name):\n    return x + 1.0", x=f32(2)),
    ],
)
def device(device_name):
    return device_code(device_name)


@context("tf.compat.v1.colocate_with", samples=[])
def colocate_with(op: Ignored, ignore_existing: Ignored = False):
    idle(op)
    return


same(
    "tf.init_scope",
    "torch.no_grad()",
    "",
    samples=[block("with tf.init_scope():\n    y = x * 2.0\nreturn y, x * 3.0", x=f32(2))],
)


@context(
    "tf.control_dependencies",
    samples=[
        block("with tf.control_dependencies([x]):\n    y = x * 2.0\nreturn y", x=f32(2)),
        block(
            "seen = []\nwith tf.control_dependencies([seen.append(1), x]):\n    y = x * 2.0\nreturn y, seen", x=f32(2)
        ),
        block(
            "v = tf.Variable(1.0)\nwith tf.control_dependencies([v.assign_add(2.0)]):\n    y = x * v\nreturn y",
            x=f32(2),
        ),
        block("deps = [x]\nwith tf.control_dependencies(deps), tf.name_scope('a'):\n    return x * 2.0", x=f32(2)),
        block("with tf.control_dependencies(None):\n    return x * 2.0", x=f32(2)),
    ],
)
def control_dependencies(control_inputs):
    return control_inputs
