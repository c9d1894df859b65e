"""A link to an agent, as those see it who use it: commands go there, their output comes back.

Values say where to and whom to trust; ``Link`` and ``Links`` say what an implementation gives (``ssh/`` is one).
A link only carries requests. It is never the job: what was asked must be safe to ask again when the answer is lost.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ajs.dispatch.link_errors import LinkError

KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
"""The types of public keys that are taken; what one of type ssh-rsa signs is hashed with SHA-2."""
LONGEST_COMMAND = 32 * 1024
"""Bytes of a command line; sshd cuts the whole connection over one that is much longer."""
MOST_CHANNELS = 8
"""How many calls and streams one link carries at once; sshd allows ten on a connection unless told otherwise."""
MOST_OUTPUT = 32 * 1024 * 1024
"""Bytes of output, both streams together, that a call returns unless told otherwise."""

# -- where to, and whom to trust --


def public_key_blob(line: str) -> bytes:
    """Return the key in a line as OpenSSH writes it in a ``.pub`` file; ValueError when it is none of KEY_TYPES."""
    kind, _, rest = line.strip().partition(" ")
    text = rest.strip().partition(" ")[0]
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error:
        blob = b""
    name = kind.encode()
    if kind not in KEY_TYPES or not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError(f"{line!r} is not a public key such as 'ssh-ed25519 AAAA... comment'")
    return blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """By what a host is known to be the right one: pinned public keys, or a certificate of a host CA, or either.

    Keys are lines as in OpenSSH's ``.pub`` files. A certificate must name one of ``principals``. Raises ValueError
    when there is nothing to know the host by: no key is ever trusted because it is the first one seen.
    """

    pinned: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would trust anybody."""
        for line in (*self.pinned, *self.authorities):
            public_key_blob(line)
        if not self.pinned and not self.authorities:
            raise ValueError("a host needs a pinned key or a host CA to be known by")
        if self.authorities and not any(self.principals):
            raise ValueError("a host CA needs the principals that a host's certificate must name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One SSH server and the user to be there; ``name`` is what people call it.

    ``key_file`` holds the user's private key without a passphrase; with None the keys of the ssh-agent are offered.
    """

    host: str
    port: int = 22
    user: str
    key_file: str | None
    trust: Trust
    name: str = ""

    @property
    def address(self) -> str:
        """``host:port``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """The name, if it has one, and the address: how messages call it."""
        return f"{self.name} {self.address}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to an agent: through a relay, or straight to it."""

    target: Endpoint
    relay: Endpoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FarSide:
    """Who answered at the end of a link, as verified before our user was named.

    ``fingerprint`` is that of the host key as OpenSSH prints it; ``key_id`` that of its certificate, None when the
    key is a pinned one.
    """

    address: str
    fingerprint: str
    key_id: str | None


# -- what a link does --


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command wrote, and its exit status: None when a signal ended it.

    The status is the command's that was sent over the link, never a job's.
    """

    out: bytes
    err: bytes
    exit_status: int | None


class Stream(Protocol):
    """What a running command writes to stdout, in pieces as they come; its stderr is thrown away."""

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces until the command has ended or ``close`` was called; LinkError when the link dies.

        It waits as long as nothing comes: a silent loss is noticed by the deadlines of calls on the same link.
        """
        ...

    def close(self) -> None:
        """Read no more and let go of the channel; may be called from another thread, and again."""
        ...


class Link(Protocol):
    """A kept connection to one agent; all methods may be called from several threads at once.

    A link that has missed one deadline, or lost its connection, is dead for good: open another one.
    """

    @property
    def far_side(self) -> FarSide:
        """Who is at the other end."""
        ...

    @property
    def ended(self) -> LinkError | None:
        """Why the link is dead; None while it lives."""
        ...

    def call(
        self, command: str, stdin: bytes = b"", *, deadline_s: float, max_output: int = MOST_OUTPUT
    ) -> Reply:
        """Run a command line there and return what it wrote, within so many seconds.

        Raises LinkError: then the command may have run, in part or as a whole, unless the kind says otherwise.
        """
        ...

    def stream(self, command: str, *, deadline_s: float) -> Stream:
        """Start a command line there, within so many seconds, and return its output as it comes."""
        ...

    def close(self) -> None:
        """End the link and everything on it; what runs there goes on or not, as it likes."""
        ...


class Links(Protocol):
    """Opens links; one for the whole process, since it keeps count of what all of them do."""

    def open(
        self,
        route: Route,
        *,
        now: datetime,
        deadline_s: float,
        on_death: Callable[[LinkError], None] | None = None,
    ) -> Link:
        """Return a link, within so many seconds; raises LinkError.

        Certificates must be valid at ``now``, an aware instant. ``on_death`` is called once, from a thread of the
        link's own, when an opened link dies otherwise than by ``close``.
        """
        ...
