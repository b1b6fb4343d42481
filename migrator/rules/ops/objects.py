"""Questions about types, errors and text, and calls of plain Python."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.args import Arg
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.plain import is_plain
from migrator.rules.engine.registry import constant, method, rule, same
from migrator.rules.engine.samples import block, declined_block, f32, no_grad
from migrator.rules.ops.pieces import elements, on_arguments

for _error, _python in (
    ("NotFoundError", "FileNotFoundError"),
    ("AlreadyExistsError", "FileExistsError"),
    ("PermissionDeniedError", "PermissionError"),
    ("ResourceExhaustedError", "torch.OutOfMemoryError"),
    ("UnimplementedError", "NotImplementedError"),
):
    constant(f"tf.errors.{_error}", _python)


same(
    "tf.get_logger", "logging.getLogger()", "", samples=[no_grad(block("tf.get_logger().setLevel('ERROR')\nreturn 1"))]
)


@method("tf.get_logger.setLevel", samples=[no_grad(block("log = 'ERROR'\ntf.get_logger().setLevel(log)\nreturn 1"))])
def set_level(self: Ignored, level: Ignored):
    """What TensorFlow itself says; nothing of it is left."""
    return


@on_arguments
def evaluated(inputs: object) -> bool:
    """Whether grouped operations are names, which Python has run already; declines otherwise."""
    parts = elements(inputs) if isinstance(inputs, Arg) else []
    if parts is None or not all(map(is_plain, parts)):
        raise Decline("operations that are made while they are grouped")
    return True


@rule(
    "tf.group",
    samples=[
        no_grad(block("a = x + 1.0\ntf.group(a, x)\nreturn a", x=f32(2))),
        declined_block("tf.group(tf.print(x))", x=f32(2)),
    ],
)
def group(*inputs: Ignored, name=None):
    evaluated(inputs)
    return


as_text = Helper(
    "as_text",
    '''def as_text(value):
    """Bytes or text as text."""
    return value.decode() if isinstance(value, bytes) else value
''',
)
as_bytes = Helper(
    "as_bytes",
    '''def as_bytes(value):
    """Bytes or text as bytes."""
    return value.encode() if isinstance(value, str) else bytes(value)
''',
)


def _texts(api: str) -> None:
    @rule(api, samples=[no_grad(block(f"return [{api}(v) for v in ('a', b'b', 'é', 'é'.encode())]"))])
    def text(bytes_or_text, encoding="utf-8"):
        if encoding != "utf-8":
            raise Decline("another encoding")
        return as_text(bytes_or_text)


_texts("tf.compat.as_text")
_texts("tf.compat.as_str")


@rule(
    "tf.compat.as_bytes",
    samples=[no_grad(block("return [tf.compat.as_bytes(v) for v in ('a', b'b', bytearray(b'c'), 'é')]"))],
)
def to_bytes(bytes_or_text, encoding="utf-8"):
    if encoding != "utf-8":
        raise Decline("another encoding")
    return as_bytes(bytes_or_text)
