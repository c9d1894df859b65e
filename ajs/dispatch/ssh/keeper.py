"""The keeper: the one thread that ends a link.

paramiko has calls that wait without end, and closing one connection inside another waits for what nobody sends any
more. So each deadline is held by a thread that does nothing else. When one passes, or the connection is lost, or its
owner has done with it, that thread closes everything, in the order that cannot lock up, and wakes all who wait.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from paramiko.ssh_exception import SSHException

from ajs.dispatch.link import MOST_CHANNELS
from ajs.dispatch.link_errors import Closed, DeadlinePassed, LinkError, TooManySessions
from ajs.dispatch.ssh.deadline import Deadline
from ajs.dispatch.ssh.transport import Transport

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())
NUDGE_S = 0.05
PATIENCE_S = 10.0
"""How long the end of a link is waited for; longer than anything in it takes."""
AGAIN = "open another link and ask again"


class Sleeper(Protocol):
    """Somebody who may wait for something of the link."""

    def wake(self) -> None:
        """Have it look whether the link still lives."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Watch:
    """Something that must be done by a deadline, for the messages: at which hop, and what."""

    hop: str
    doing: str
    deadline: Deadline

    def missed(self) -> DeadlinePassed:
        cure = (
            f"see whether the host and the way to it are well, or allow more than {self.deadline}"
        )
        return DeadlinePassed(self.hop, f"no answer within {self.deadline} to {self.doing}", cure)


class Keeper:
    """Deadlines, channels and the end of one link; its thread lives as long as the link does."""

    def __init__(self, name: str, on_death: Callable[[LinkError], None] | None) -> None:
        """Start the thread; ``on_death`` is told nothing before ``open_for_use``."""
        self._news = threading.Condition()
        self._watches: set[_Watch] = set()
        self._wakes_at = float("inf")
        self._sleepers: set[Sleeper] = set()
        self._free = MOST_CHANNELS
        self._death: LinkError | None = None
        self._by_owner = False
        self._in_use = False
        self._on_death = on_death
        self._sockets: list[socket.socket] = []
        self._hops: list[tuple[str, Transport]] = []
        self._thread = threading.Thread(target=self._run, name=f"keeper of {name}", daemon=True)
        self._thread.start()

    # -- what it keeps --

    def keep_socket(self, sock: socket.socket) -> None:
        """Take a socket that is to be shut when the link ends; with a link that has, it is closed and that raised."""
        with self._news:
            if self._death is None:
                self._sockets.append(sock)
                return
        sock.close()
        self.check()

    def drop_socket(self, sock: socket.socket) -> None:
        """Close a socket that is no longer needed."""
        with self._news:
            self._sockets.remove(sock)
        sock.close()

    def keep_transport(self, hop: str, transport: Transport) -> None:
        """Take the connection to a hop, not yet begun; the outer one comes first."""
        with self._news:
            self.check()
            self._hops.append((hop, transport))

    def drop_transport(self, transport: Transport) -> None:
        """Close the connection of an attempt that failed."""
        with self._news:
            self._hops = [pair for pair in self._hops if pair[1] is not transport]
        _hang_up(transport)
        _join(transport)

    def open_for_use(self) -> None:
        """From now on a connection that ends ends the link."""
        with self._news:
            self._in_use = True
            hops = tuple(self._hops)
        for _, transport in hops:
            transport.when_over(lambda: self.die(self.loss()))
        self.check()

    def loss(self) -> Closed:
        """Return what to say about a lost connection: the outermost that has ended is to blame."""
        for hop, transport in self._hops:
            if transport.over is not None:
                return Closed(hop, transport.over, AGAIN)
        return Closed(self._hops[-1][0], "the connection does not work any more", AGAIN)

    def check_outside(self, transport: Transport) -> None:
        """Raise why this connection cannot work, if the link is dead or the connection around it has ended."""
        self.check()
        for hop, other in self._hops:
            if other is transport:
                return
            if other.over is not None:
                raise Closed(hop, other.over, AGAIN)

    # -- deadlines and waiting --

    @contextmanager
    def watch(self, hop: str, doing: str, deadline: Deadline) -> Iterator[None]:
        """End the link if what is done inside takes longer than the deadline; as ``explaining`` otherwise.

        With no time left to begin with, nothing is done and the link lives on.
        """
        watch = _Watch(hop, doing, deadline)
        if not deadline.left_s():
            raise watch.missed()
        with self._news:
            self.check()
            self._watches.add(watch)
            if deadline.at_s < self._wakes_at:
                self._news.notify_all()
        try:
            with self.explaining():
                yield
        finally:
            with self._news:
                self._watches.discard(watch)
                if self._death is not None:
                    self._news.notify_all()

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Raise why the link is dead for whatever paramiko raises inside; a link in use is dead from then on."""
        try:
            yield
        except (SSHException, EOFError, OSError) as error:
            self.check()
            loss = self.loss()
            if self._in_use:
                self.die(loss)
                self.check()
            raise loss from error

    def take_place(self, hop: str, deadline: Deadline) -> None:
        """Take a place for a channel, to be given back with ``free_place``; TooManySessions when none becomes free."""
        with self._news:
            self._news.wait_for(lambda: self._death or self._free, deadline.left_s())
            self.check()
            if not self._free:
                cause = f"all {MOST_CHANNELS} channels of the link were in use for {deadline}"
                raise TooManySessions(hop, cause, "ask less at once, or open another link")
            self._free -= 1

    def free_place(self) -> None:
        """Give a place back."""
        with self._news:
            self._free += 1
            self._news.notify_all()

    def attend(self, sleeper: Sleeper) -> None:
        """Wake this one when the link dies."""
        with self._news:
            self._sleepers.add(sleeper)
        self.check()

    def leave(self, sleeper: Sleeper) -> None:
        """Wake this one no longer."""
        with self._news:
            self._sleepers.discard(sleeper)

    def pause(self, seconds: float) -> None:
        """Wait so long, but not beyond the end of the link."""
        with self._news:
            self._news.wait_for(lambda: self._death, seconds)
        self.check()

    # -- its end --

    @property
    def death(self) -> LinkError | None:
        """Why the link is dead; None while it lives."""
        return self._death

    def check(self) -> None:
        """Raise why the link is dead, if it is."""
        if self._death is not None:
            raise self._death.again()

    def die(self, reason: LinkError) -> None:
        """Have the link ended, without waiting for it; the first reason stays."""
        with self._news:
            self._death = self._death or reason
            self._news.notify_all()

    def end(self, reason: LinkError) -> None:
        """End the link for its owner, and wait until that is done."""
        with self._news:
            self._by_owner = self._by_owner or self._death is None
        self.die(reason)
        if threading.current_thread() is not self._thread:
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        death = self._wait_for_the_end()
        self._close()
        self._wake_all()
        for _, transport in self._hops:
            _join(transport)
        if self._on_death is not None and self._in_use and not self._by_owner:
            try:
                self._on_death(death.again())
            except Exception:
                LOG.exception("what is called at the death of a link failed")

    def _wait_for_the_end(self) -> LinkError:
        with self._news:
            while self._death is None:
                first = min(self._watches, key=lambda watch: watch.deadline.at_s, default=None)
                left = None if first is None else first.deadline.left_s()
                if first is not None and not left:
                    self._death = first.missed()
                    break
                self._wakes_at = float("inf") if first is None else first.deadline.at_s
                self._news.wait(left)
            self._news.notify_all()
            return self._death

    def _close(self) -> None:
        # The sockets first: whoever is stuck in sending lets go of paramiko's locks. Then the inner connection, which
        # says good-bye through the outer one, then that one.
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for _, transport in reversed(self._hops):
            _hang_up(transport)
        for sock in self._sockets:
            sock.close()

    def _wake_all(self) -> None:
        # Again and again: paramiko clears an event before it waits for it, so that one waking could be lost.
        with self._news:
            for _ in range(int(PATIENCE_S / NUDGE_S)):
                for sleeper in self._sleepers:
                    sleeper.wake()
                if not self._watches:
                    break
                self._news.wait(NUDGE_S)


def _hang_up(transport: Transport) -> None:
    """Close a connection; its good-bye may meet a connection around it that is closed already."""
    with suppress(SSHException, EOFError, OSError):
        transport.close()


def _join(transport: Transport) -> None:
    """Wait for the thread of a closed connection, if it was ever started."""
    if transport.ident is not None:
        transport.join(PATIENCE_S)
