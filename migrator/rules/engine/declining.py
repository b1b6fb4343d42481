"""How a rule says no, inside the engine."""

from __future__ import annotations


class Decline(Exception):
    """Raised in a rule's body: the call is left as it is, for this reason.

    Never leaves the room: the rewriter turns it into a `migrator.model.Decline` value.
    """

    @property
    def reason(self) -> str:
        return str(self.args[0]) if self.args else "declined"
