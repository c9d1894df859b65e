"""A link to an agent over SSH: calls and streams, each on a channel of its own."""

from __future__ import annotations

import threading

from ajs.dispatch.link import LONGEST_COMMAND, MOST_OUTPUT, FarSide, Reply
from ajs.dispatch.link_errors import BadCommand, Closed, LinkError
from ajs.dispatch.ssh.deadline import Deadline
from ajs.dispatch.ssh.keeper import Keeper
from ajs.dispatch.ssh.session import Session
from ajs.dispatch.ssh.transport import Transport
from ajs.ports import Stopwatch

GOOD_BYE_S = 5.0
"""How long the end of a stream may take."""


class SshStream:
    """The output of a running command, see ``ajs.dispatch.link.Stream``."""

    def __init__(self, hop: str, keeper: Keeper, session: Session, stopwatch: Stopwatch) -> None:
        self._hop = hop
        self._keeper = keeper
        self._session = session
        self._stopwatch = stopwatch
        self._closing = threading.Lock()
        self._closed = False

    # Not a generator: one that is forgotten is closed by the collector, in whatever thread that happens to run.
    def __iter__(self) -> SshStream:
        """Give the pieces until the command has ended or ``close`` was called; LinkError when the link dies."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        try:
            piece = self._next()
        except LinkError:
            self.close()
            raise
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def _next(self) -> bytes:
        """Return the next piece, or b'' at the end."""
        bell = self._session.bell
        while not self._closed:
            bell.silence()
            over = bell.closed_by_peer
            with self._keeper.explaining():
                while any(pieces := self._session.read()):
                    if pieces[0]:
                        return pieces[0]
            if over:
                break
            self._keeper.check()
            bell.wait()
        return b""

    def close(self) -> None:
        """Read no more and let go of the channel; may be called from another thread, and again."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        deadline = Deadline.after(self._stopwatch, GOOD_BYE_S)
        try:
            with self._keeper.watch(self._hop, "the end of a stream", deadline):
                self._session.close()
        except LinkError:  # Nobody is left to be told.
            self._session.close()
        self._session.wake()
        self._keeper.free_place()


class SshLink:
    """A kept connection to one agent, see ``ajs.dispatch.link.Link``."""

    def __init__(
        self,
        hop: str,
        keeper: Keeper,
        transport: Transport,
        far_side: FarSide,
        stopwatch: Stopwatch,
    ) -> None:
        self._hop = hop
        self._keeper = keeper
        self._transport = transport
        self._far_side = far_side
        self._stopwatch = stopwatch

    @property
    def far_side(self) -> FarSide:
        """Who is at the other end."""
        return self._far_side

    @property
    def ended(self) -> LinkError | None:
        """Why the link is dead; None while it lives."""
        return self._keeper.death

    def call(
        self, command: str, stdin: bytes = b"", *, deadline_s: float, max_output: int = MOST_OUTPUT
    ) -> Reply:
        """Run a command line there and return what it wrote, within so many seconds."""
        line = self._checked(command)
        deadline = Deadline.after(self._stopwatch, deadline_s)
        self._keeper.take_place(self._hop, deadline)
        try:
            with self._keeper.watch(self._hop, "a command", deadline):
                session = Session(self._hop, self._keeper, self._transport, deadline)
                try:
                    session.start(line)
                    return session.converse(stdin, max_output)
                finally:
                    session.close()
        finally:
            self._keeper.free_place()

    def stream(self, command: str, *, deadline_s: float) -> SshStream:
        """Start a command line there, within so many seconds, and return its output as it comes."""
        line = self._checked(command)
        deadline = Deadline.after(self._stopwatch, deadline_s)
        self._keeper.take_place(self._hop, deadline)
        try:
            with self._keeper.watch(self._hop, "the start of a stream", deadline):
                session = Session(self._hop, self._keeper, self._transport, deadline)
                try:
                    session.start(line)
                    session.send(b"")
                except BaseException:
                    session.close()
                    raise
        except BaseException:
            self._keeper.free_place()
            raise
        return SshStream(self._hop, self._keeper, session, self._stopwatch)

    def close(self) -> None:
        """End the link and everything on it."""
        self._keeper.end(Closed(self._hop, "the link was closed here", "open another one"))

    def _checked(self, command: str) -> bytes:
        line = command.encode(errors="surrogateescape")
        if len(line) > LONGEST_COMMAND:
            cause = f"a command line of {len(line)} bytes is longer than {LONGEST_COMMAND}"
            raise BadCommand(self._hop, cause, "send what is long over stdin")
        if not line or b"\0" in line:
            cause = "a command line is empty or holds a NUL character"
            raise BadCommand(self._hop, cause, "send a line that a shell can run")
        return line
