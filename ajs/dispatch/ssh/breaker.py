"""Two ways of being gentle with servers: few handshakes at once, and none where our key was refused.

sshd drops connections when many begin at once (MaxStartups), and since 9.8 it shuts out an address from which a wrong
key came (PerSourcePenalties). All links come from the relay's address or ours, so one wrong key would end them all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from ajs.dispatch.link import Endpoint
from ajs.dispatch.link_errors import DeadlinePassed, HeldOff, RefusedKey
from ajs.dispatch.ssh.deadline import Deadline

HANDSHAKES = 8
"""How many may be under way at once in the whole process."""
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(minutes=15)
"""For how long a host is left alone after the first refusal, and at most; it doubles with each."""


class Gate:
    """Lets so many handshakes be under way at once."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(HANDSHAKES)

    @contextmanager
    def handshake(self, hop: str, deadline: Deadline) -> Iterator[None]:
        """Hold one of the places; DeadlinePassed when none becomes free in time."""
        if not self._places.acquire(timeout=deadline.left_s()):
            cause = f"{HANDSHAKES} other connections were being made all the {deadline}"
            raise DeadlinePassed(hop, cause, "see which hosts do not answer, or allow more time")
        try:
            yield
        finally:
            self._places.release()


@dataclass(slots=True)
class _Login:
    """What is known of one user at one server."""

    trying: bool = False
    accepted: bool = False
    refusals: int = 0
    refused_at: datetime | None = None
    until: datetime | None = None


class Breaker:
    """Remembers by whom our key was refused.

    As long as it is not known whether a server takes the key, one login is tried at a time: the others wait for what
    comes of it.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._logins: dict[tuple[str, int, str, str | None], _Login] = {}

    def check(self, hop: str, endpoint: Endpoint, now: datetime) -> None:
        """Raise HeldOff while the server is to be left alone."""
        with self._news:
            self._check(self._login(endpoint), hop, endpoint, now)

    @contextmanager
    def login(
        self, hop: str, endpoint: Endpoint, now: datetime, deadline: Deadline
    ) -> Iterator[None]:
        """Note what comes of the login tried inside: RefusedKey means that the server is left alone from ``now``."""
        with self._news:
            login = self._login(endpoint)
            if not self._news.wait_for(
                lambda: login.accepted or not login.trying, deadline.left_s()
            ):
                cause = f"another login of {endpoint.user} there got no answer within {deadline}"
                raise DeadlinePassed(hop, cause, "see whether the host is well")
            self._check(login, hop, endpoint, now)
            login.trying = True
        try:
            yield
        except RefusedKey:
            self._refused(login, now)
            raise
        else:
            with self._news:
                login.accepted, login.refusals, login.until = True, 0, None
        finally:
            with self._news:
                login.trying = False
                self._news.notify_all()

    def _login(self, endpoint: Endpoint) -> _Login:
        key = (endpoint.host, endpoint.port, endpoint.user, endpoint.key_file)
        return self._logins.setdefault(key, _Login())

    def _check(self, login: _Login, hop: str, endpoint: Endpoint, now: datetime) -> None:
        if login.refused_at is None or login.until is None or now >= login.until:
            return
        if now < login.refused_at - LONGEST:
            return  # The clock was set back: nothing is known any more.
        cause = f"it refused the key of {endpoint.user} {login.refusals} times in a row"
        if login.refusals == 1:
            cause = f"it refused the key of {endpoint.user}"
        wait = round((login.until - now).total_seconds())
        cure = f"mend the key there (authorized_keys); it is tried again in {wait} s"
        raise HeldOff(hop, f"{cause}, so it was not contacted", cure)

    def _refused(self, login: _Login, now: datetime) -> None:
        with self._news:
            login.accepted = False
            login.refusals += 1
            login.refused_at = now
            login.until = now + min(LONGEST, SHORTEST * 2 ** min(login.refusals - 1, 10))
