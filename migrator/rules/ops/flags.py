"""`tf.flags` and `tf.app` are absl's."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, arg-type"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.rules.engine.args import Code
from migrator.rules.engine.registry import constant, rule, same
from migrator.rules.engine.samples import block, no_grad

if TYPE_CHECKING:
    from absl import app, flags

constant("tf.compat.v1.flags", "flags")
constant("tf.compat.v1.flags.FLAGS", "flags.FLAGS")

_VALUES = {"string": "'a'", "integer": "3", "float": "0.5", "bool": "True", "boolean": "False", "list": "['a', 'b']"}


def _sample(kind: str, value: str) -> str:
    """Definition, default and parsed value of a flag that nothing else defines."""
    name = f"sample_{kind}"
    return (
        f"flags = tf.compat.v1.flags\nFLAGS = flags.FLAGS\n"
        f"if '{name}' in FLAGS:\n    delattr(FLAGS, '{name}')\n"
        f"flags.DEFINE_{kind}('{name}', {value}, 'what it is')\nFLAGS(['program'])\nreturn FLAGS.{name}"
    )


for _kind, _value in _VALUES.items():
    same(
        f"tf.compat.v1.flags.DEFINE_{_kind}",
        f"flags.DEFINE_{_kind}(name, default, help)",
        "name, default, help",
        samples=[no_grad(block(_sample(_kind, _value)))],
    )
same(
    "tf.compat.v1.flags.DEFINE_enum",
    "flags.DEFINE_enum(name, default, enum_values, help)",
    "name, default, enum_values, help",
    samples=[
        no_grad(
            block(
                "flags = tf.compat.v1.flags\nFLAGS = flags.FLAGS\n"
                "if 'sample_enum' in FLAGS:\n    delattr(FLAGS, 'sample_enum')\n"
                "flags.DEFINE_enum('sample_enum', 'a', ['a', 'b'], 'which')\n"
                "FLAGS(['program'])\nreturn FLAGS.sample_enum"
            )
        )
    ],
)
same(
    "tf.compat.v1.flags.mark_flag_as_required",
    "flags.mark_flag_as_required(flag_name)",
    "flag_name",
    samples=[
        no_grad(
            block(
                "flags = tf.compat.v1.flags\nFLAGS = flags.FLAGS\n"
                "if 'sample_needed' in FLAGS:\n    delattr(FLAGS, 'sample_needed')\n"
                "flags.DEFINE_string('sample_needed', 'a', 'what')\n"
                "flags.mark_flag_as_required('sample_needed')\nreturn FLAGS['sample_needed'].default"
            )
        )
    ],
)


_RUN = """
seen = []
def main(argv):
    seen.append(argv)
    return 3
try:
    tf.compat.v1.app.run(%s)
except SystemExit as end:
    return seen, end.code
"""


@rule(
    "tf.compat.v1.app.run",
    samples=[
        no_grad(block(_RUN % "main, ['program', 'word', '--of_nobody=1']")),
        no_grad(block(_RUN % "main=main, argv=['program']")),
    ],
)
def run(main=None, argv=None):
    entry = Code("main") if main is None else main
    if argv is None:
        return app.run(entry, flags_parser=lambda words: flags.FLAGS(words, known_only=True))
    return app.run(entry, argv, flags_parser=lambda words: flags.FLAGS(words, known_only=True))
