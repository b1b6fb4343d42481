"""`tf.logging` and TensorFlow's own logger: Python's `logging`."""

from __future__ import annotations

from migrator.rules.engine.registry import constant, same
from migrator.rules.engine.samples import block, no_grad

_LOGGER = ["the line names the logger root, not tensorflow"]

for _level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
    constant(f"tf.compat.v1.logging.{_level}", f"logging.{'WARNING' if _level == 'WARN' else _level}")

for _name, _torch in (
    ("debug", "debug"),
    ("info", "info"),
    ("warning", "warning"),
    ("warn", "warning"),
    ("error", "error"),
    ("fatal", "fatal"),
):
    _api = f"tf.compat.v1.logging.{_name}"
    same(
        _api,
        f"logging.{_torch}(msg, *args)",
        "msg, *args",
        samples=[block(f"{_api}('%d of %s', 3, [4])\n{_api}('plain')\nreturn 1")],
        gaps=_LOGGER,
    )

same(
    "tf.compat.v1.logging.log",
    "logging.log(level, msg, *args)",
    "level, msg, *args",
    samples=[block("tf.compat.v1.logging.log(tf.compat.v1.logging.INFO, 'x %s', 3)\nreturn 1")],
    gaps=_LOGGER,
)
same(
    "tf.compat.v1.logging.vlog",
    "logging.log(level, msg, *args)",
    "level, msg, *args",
    samples=[block("tf.compat.v1.logging.vlog(tf.compat.v1.logging.DEBUG, 'x %s', 3)\nreturn 1")],
    gaps=_LOGGER,
)
same(
    "tf.compat.v1.logging.set_verbosity",
    "logging.getLogger().setLevel(v)",
    "v",
    samples=[
        no_grad(
            block(
                f"before = tf.compat.v1.logging.get_verbosity()\n"
                f"tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.{level})\n"
                "found = tf.compat.v1.logging.get_verbosity()\n"
                "tf.compat.v1.logging.set_verbosity(before)\nreturn found"
            )
        )
        for level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    ],
)
same("tf.compat.v1.logging.get_verbosity", "logging.getLogger().getEffectiveLevel()", "", samples=[])
