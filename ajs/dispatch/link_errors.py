"""Why a link could not be opened, or a call on it failed: each names the hop, the cause and the cure.

They are values for those who choose what to do next, not errors of a command. ``kind`` is stable.
"""

from __future__ import annotations

import copy
from typing import ClassVar, Self


class LinkError(Exception):
    """Base of all of them; never raised itself.

    ``hop`` is the host that it is about, such as ``relay AGT1 192.0.2.7:22``. Nothing in it is secret.
    """

    kind: ClassVar[str]

    def __init__(self, hop: str, cause: str, cure: str) -> None:
        super().__init__(hop, cause, cure)
        self.hop = hop
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        """One sentence with all three."""
        return f"{self.hop}: {self.cause}; {self.cure}"

    def again(self) -> Self:
        """Return the same error to be raised by another thread, with a traceback of its own."""
        return copy.copy(self)


# -- no connection, and nothing was asked --


class Unreachable(LinkError):
    """Nobody answers at the address."""

    kind = "unreachable"


class RefusedForwarding(LinkError):
    """The relay does not let us through to the agent."""

    kind = "refused_forwarding"


class UntrustedHost(LinkError):
    """The host does not have a key that it is known by."""

    kind = "host_key"


class BadCertificate(LinkError):
    """The host's certificate is none, or not one to be trusted."""

    kind = "certificate"


class RefusedKey(LinkError):
    """The user's key cannot be used or is not accepted."""

    kind = "user_key"


class HeldOff(LinkError):
    """The key was refused a while ago, and the host is left alone for now: it was not contacted."""

    kind = "held_off"


class TooBusy(LinkError):
    """The server closed the connection before the handshake, as it does when there are too many."""

    kind = "too_busy"


class Incompatible(LinkError):
    """It is no SSH server that we could talk to."""

    kind = "incompatible"


# -- one call failed, the link lives on --


class BadCommand(LinkError):
    """The command line cannot be sent; nothing was."""

    kind = "bad_command"


class RefusedCommand(LinkError):
    """The server runs no commands for this user; nothing ran."""

    kind = "refused_command"


class TooManySessions(LinkError):
    """No channel was free, here or at the server; nothing was sent."""

    kind = "too_many_sessions"


class TooMuchOutput(LinkError):
    """The command wrote more than was to be read."""

    kind = "too_much_output"


# -- the link is dead --


class DeadlinePassed(LinkError):
    """Something took longer than it was given."""

    kind = "deadline"


class Closed(LinkError):
    """The connection has ended."""

    kind = "closed"
