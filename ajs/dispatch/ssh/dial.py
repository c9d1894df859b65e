"""Opening a link: a connection to the relay, a tunnel through it, a connection to the agent in that.

Each link has its own relay connection. paramiko can cut a connection with all that is in it (see ``transport.py``), so
no link shares one with another.
"""

from __future__ import annotations

import queue
import random
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import paramiko
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    ChannelException,
    IncompatiblePeer,
    SSHException,
)

from ajs.dispatch.link import Endpoint, FarSide, Route
from ajs.dispatch.link_errors import (
    Closed,
    DeadlinePassed,
    Incompatible,
    LinkError,
    RefusedCommand,
    RefusedForwarding,
    RefusedKey,
    TooBusy,
    TooManySessions,
    Unreachable,
)
from ajs.dispatch.ssh import trust, user_key
from ajs.dispatch.ssh.breaker import Breaker, Gate
from ajs.dispatch.ssh.deadline import Deadline
from ajs.dispatch.ssh.keeper import Keeper
from ajs.dispatch.ssh.link import SshLink
from ajs.dispatch.ssh.session import Session
from ajs.dispatch.ssh.transport import NEVER_S, FastSocket, Transport, said
from ajs.ports import Stopwatch

HANDSHAKE_S = 15.0
"""How long a handshake may take, whatever is left for the link as a whole."""
TRIES = 8
"""How often a server is asked that closes the connection because too many begin at once."""
SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 3.0
PROHIBITED = 1
"""The reason of a server that was told not to open such channels (RFC 4254, 5.1)."""

_Address = tuple[Any, ...]


class SshLinks:
    """Opens links over SSH, see ``ajs.dispatch.link.Links``."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._gate = Gate()
        self._breaker = Breaker()

    def open(
        self,
        route: Route,
        *,
        now: datetime,
        deadline_s: float,
        on_death: Callable[[LinkError], None] | None = None,
    ) -> SshLink:
        """Return a link, within so many seconds; raises LinkError."""
        deadline = Deadline.after(self._stopwatch, deadline_s)
        ends = [("agent", route.target)]
        if route.relay is not None:
            ends.insert(0, ("relay", route.relay))
        hops = [_Hop(f"{role} {end.label}", end) for role, end in ends]
        for hop in hops:
            self._breaker.check(hop.name, hop.endpoint, now)
            if hop.endpoint.key_file is not None:
                user_key.from_file(hop.name, hop.endpoint.key_file)
        keeper = Keeper(hops[-1].name, on_death)
        try:
            dial = _Dial(keeper, deadline, now, self._gate, self._breaker)
            transport, far_side = dial.through(hops)
            keeper.open_for_use()
        except BaseException:
            keeper.end(Closed(hops[-1].name, "the link was never opened", "open another one"))
            raise
        return SshLink(hops[-1].name, keeper, transport, far_side, self._stopwatch)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One server on the way, and how messages call it."""

    name: str
    endpoint: Endpoint


_Way = Callable[[Deadline], socket.socket | paramiko.Channel]


class _Dial:
    """One attempt to open a link."""

    def __init__(
        self, keeper: Keeper, deadline: Deadline, now: datetime, gate: Gate, breaker: Breaker
    ) -> None:
        self._keeper = keeper
        self._deadline = deadline
        self._now = now
        self._gate = gate
        self._breaker = breaker

    def through(self, hops: Sequence[_Hop]) -> tuple[Transport, FarSide]:
        """Return the connection to the last of the hops, each reached through the one before it, and who is there."""
        first, *others = hops
        reached = self._reach(first, lambda deadline: self._connected(first, deadline))
        around = first
        for hop in others:
            self._prime(around, reached[0])
            way = partial(self._tunnel, around, reached[0], hop)
            reached, around = self._reach(hop, way), hop
        return reached

    # -- one hop --

    def _reach(self, hop: _Hop, way: _Way) -> tuple[Transport, FarSide]:
        """Return a connection to the hop, asking again a server that has too many."""
        pause = SHORTEST_PAUSE_S
        for more in reversed(range(TRIES)):
            try:
                with self._gate.handshake(hop.name, self._deadline):
                    return self._handshake(hop, way, self._deadline.sooner(HANDSHAKE_S))
            except TooBusy:
                wait = pause * random.SystemRandom().uniform(0.5, 1.5)
                if not more or wait > self._deadline.left_s():
                    raise
            self._keeper.pause(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        raise AssertionError

    def _handshake(self, hop: _Hop, way: _Way, deadline: Deadline) -> tuple[Transport, FarSide]:
        sock = way(deadline)
        transport = Transport(sock, trust.acceptable_types(hop.endpoint.trust))
        with self._keeper.watch(hop.name, "the SSH handshake", deadline):
            self._keeper.keep_transport(hop.name, transport)
            try:
                self._agree(hop, transport)
                key = transport.get_remote_server_key()
                far_side = trust.verify(hop.name, hop.endpoint, key, self._now)
                self._log_in(hop, transport, deadline)
            except BaseException:
                self._keeper.drop_transport(transport)
                raise
        return transport, far_side

    def _agree(self, hop: _Hop, transport: Transport) -> None:
        """Exchange keys, after which the server has proven that it holds its host key."""
        try:
            transport.start_client(timeout=NEVER_S)
        except (SSHException, EOFError, OSError) as error:
            self._keeper.check_outside(transport)
            raise _disagreement(hop, error) from error

    def _log_in(self, hop: _Hop, transport: Transport, deadline: Deadline) -> None:
        endpoint = hop.endpoint
        with (
            user_key.keys(hop.name, endpoint, self._keeper) as keys,
            self._breaker.login(hop.name, endpoint, self._now, deadline),
        ):
            for key in keys:
                if self._offer(hop, transport, key):
                    return
            cause = f"it does not accept the key of {endpoint.user}"
            cure = f"add the public key to authorized_keys of {endpoint.user} there"
            raise RefusedKey(hop.name, cause, cure)

    def _offer(self, hop: _Hop, transport: Transport, key: paramiko.PKey) -> bool:
        """Return whether the server took the key, or would see another."""
        user = hop.endpoint.user
        try:
            more = transport.auth_publickey(user, key)
        except (SSHException, EOFError, OSError) as error:
            self._keeper.check_outside(transport)
            if isinstance(error, BadAuthenticationType):
                cause = f"it takes no keys from {user}, only {', '.join(error.allowed_types)}"
                raise RefusedKey(hop.name, cause, "set PubkeyAuthentication yes there") from error
            if isinstance(error, AuthenticationException) and transport.over is None:
                return False
            cause = f"the login of {user} broke off: {said(error)}"
            cure = "see the log of sshd there, and whether the ssh-agent here can sign"
            raise RefusedKey(hop.name, cause, cure) from error
        if more:
            cause = f"it wants more from {user} than a key: {', '.join(more)}"
            raise RefusedKey(hop.name, cause, "set AuthenticationMethods publickey there")
        return True

    # -- ways --

    def _connected(self, hop: _Hop, deadline: Deadline) -> FastSocket:
        """Return a TCP connection to the hop."""
        endpoint = hop.endpoint
        cause, cure = "it has no address", "see host and port, and whether sshd runs there"
        for family, kind, protocol, _, address in _addresses(hop, deadline):
            sock = FastSocket(family, kind, protocol)
            self._keeper.keep_socket(sock)
            try:
                sock.settimeout(deadline.left_s() or SHORTEST_PAUSE_S)
                sock.connect(address)
                sock.send_at_once()
            except TimeoutError:
                cause = f"no answer within {deadline}"
            except OSError as error:
                cause = f"no connection: {(error.strerror or str(error)).lower()}"
            else:
                return sock
            self._keeper.drop_socket(sock)
            self._keeper.check()
        raise Unreachable(hop.name, cause, f"{cure}: {endpoint.address}")

    def _prime(self, hop: _Hop, relay: Transport) -> None:
        """Have the relay send small packets at once: its sshd does so from the first session on.

        The session is left to end by itself: a login may take its time there, and must not be cut off in the middle.
        """
        with self._keeper.watch(hop.name, "a first session", self._deadline.sooner(HANDSHAKE_S)):
            try:
                at_once = Deadline.after(self._deadline.stopwatch, 0)
                session = Session(hop.name, self._keeper, relay, at_once)
            except TooManySessions:
                _acknowledge_at_once(relay)
                return
            try:
                session.start(b"true")
                session.send(b"")
            except RefusedCommand:
                session.close()
                _acknowledge_at_once(relay)

    def _tunnel(
        self, around: _Hop, relay: Transport, hop: _Hop, deadline: Deadline
    ) -> paramiko.Channel:
        """Return a connection from the relay to the hop."""
        endpoint = hop.endpoint
        to = (endpoint.host, endpoint.port)
        with self._keeper.watch(hop.name, "the relay that connects to it", deadline):
            try:
                return relay.open_channel("direct-tcpip", to, ("127.0.0.1", 0), timeout=NEVER_S)
            except ChannelException as error:
                if error.code == PROHIBITED:
                    cause = f"it does not forward to {endpoint.address}"
                    cure = "allow it in its sshd_config (AllowTcpForwarding, PermitOpen) and authorized_keys"
                    raise RefusedForwarding(around.name, cause, cure) from error
                cause = f"the {around.name} could not connect to it"
                cure = "see whether sshd runs there and whether the relay may reach it"
                raise Unreachable(hop.name, cause, cure) from error


def _acknowledge_at_once(relay: Transport) -> None:
    if isinstance(relay.sock, FastSocket):
        relay.sock.acknowledges_at_once = True


def _disagreement(hop: _Hop, error: Exception) -> LinkError:
    """Return what a handshake that failed before our login means."""
    if isinstance(error, IncompatiblePeer) and "host key" in str(error):
        return trust.no_common_type(hop.name, hop.endpoint.trust)
    if isinstance(error, IncompatiblePeer):
        cause = f"there is no way of encryption that both sides have: {error}"
        return Incompatible(hop.name, cause, "let its sshd offer curve25519 and aes-gcm or aes-ctr")
    lost = isinstance(error, EOFError | OSError) or isinstance(
        error.__context__, EOFError | OSError
    )
    if lost:
        cause = "it closed the connection before the login"
        cure = (
            "raise MaxStartups in its sshd_config and exempt our address in PerSourcePenaltyExemptList, "
            "or see whether anybody is behind it if it is a load balancer"
        )
        return TooBusy(hop.name, cause, cure)
    cause = f"it does not speak SSH as we do: {error}"
    return Incompatible(hop.name, cause, "see host and port")


def _addresses(hop: _Hop, deadline: Deadline) -> list[_Address]:
    """Return the addresses of the host, as getaddrinfo does; looking up names has no time limit of its own."""
    endpoint = hop.endpoint
    answers: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=look_up, name=f"address of {hop.name}", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except queue.Empty:
        cause = f"no answer within {deadline} to the look-up of its name"
        raise DeadlinePassed(hop.name, cause, "see the name servers of this machine") from None
    if isinstance(answer, OSError):
        cause = (
            f"the name {endpoint.host} has no address: {(answer.strerror or str(answer)).lower()}"
        )
        raise Unreachable(
            hop.name, cause, "see the spelling of the host, or name its address"
        ) from answer
    return answer
