"""Errors that a user can cause or cure: one plain line and an exit code each."""

from __future__ import annotations


class MigratorError(Exception):
    """A mistake or a lack that the user can mend; `exit_code` follows DESIGN section 1."""

    exit_code = 2


class UsageError(MigratorError):
    """A wrong path, option or configuration."""

    exit_code = 2


class EnvironmentMissing(MigratorError):
    """An interpreter, a sandbox or an endpoint is missing; the message says how to get it."""

    exit_code = 3
