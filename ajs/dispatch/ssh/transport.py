"""paramiko's transport, with the faults closed off that would hang us, kill a connection or talk on stderr."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event
from typing import Any, ClassVar, cast

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_FAILURE, cMSG_CHANNEL_DATA
from paramiko.packet import NeedRekeyException, Packetizer
from paramiko.ssh_exception import SSHException

LOG = logging.getLogger("paramiko")
# It logs tracebacks of lost connections as errors; with no handler at all Python would print them on stderr. Who
# wants to read them adds a handler to this logger.
LOG.addHandler(logging.NullHandler())
LOG.propagate = False

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
DIGESTS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
NEVER_S = 24 * 3600.0
"""For paramiko's own time limits: the keeper holds the deadlines, and says which hop missed one."""
STREAM_BYTES = 32 * 1024

_Channels = cast("Any", paramiko.Channel)
_Transports = cast("Any", paramiko.Transport)


class FastSocket(socket.socket):
    """A TCP socket that sends small packets at once, and, if told so, acknowledges what it receives at once.

    sshd itself sends small packets at once only on a connection that had a session: elsewhere it waits for our
    acknowledgement, which the kernel holds back for 40 ms.
    """

    acknowledges_at_once = False

    def send_at_once(self) -> None:
        """Turn off waiting for more to send (Nagle's algorithm)."""
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive; asking for quick acknowledgement holds for one time only, so it is asked for each time."""
        data = super().recv(size, flags)
        if self.acknowledges_at_once:
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data


class Bell(Event):
    """Rings when something has happened on a channel: output, its end, the end of the connection.

    Both streams of a channel ring the same one. paramiko clears an event when one stream is empty, whatever the
    other holds, so clearing is left to those who wait.
    """

    refused = False
    """The server said that it does not do what was asked, or that the channel is at its end."""
    closed_by_peer = False
    """The channel is at its end, and we have answered."""

    def clear(self) -> None:
        """Do nothing."""

    def silence(self) -> None:
        """Stop ringing, before looking at what there is."""
        super().clear()


class _Packets(Packetizer):
    """Notes why no more packets come, before anybody else learns of it."""

    over: str | None = None

    def start_handshake(self, timeout: float) -> None:
        """Start no timer: it is a thread that outlives a failed handshake, and the keeper holds the deadline."""

    def read_message(self) -> tuple[int, paramiko.Message]:
        """Return the next packet."""
        try:
            return super().read_message()
        except NeedRekeyException:
            raise
        except Exception as error:
            self.over = self.over or said(error)
            raise

    def close(self) -> None:
        """Close; the good-bye of a tunnel may fail, and paramiko would leave undone what else it does at the end."""
        with suppress(SSHException, EOFError, OSError):
            super().close()

    def send_message(self, data: paramiko.Message) -> None:
        """Send a packet."""
        try:
            super().send_message(data)
        except Exception as error:
            self.over = self.over or said(error)
            raise


class Bound(paramiko.Message):
    """A message on a channel that must not go out once the channel is closed."""

    def __init__(self, channel: paramiko.Channel, content: bytes | None = None) -> None:
        super().__init__(content)
        self.channel = channel


class Transport(paramiko.Transport):
    """One SSH connection, and word of its end."""

    def __init__(self, sock: socket.socket | paramiko.Channel, key_types: Sequence[str]) -> None:
        """Prepare it; ``key_types`` are the host keys that we would accept, best first."""
        super().__init__(sock, packetizer_class=_Packets)
        self.banner_timeout = self.auth_timeout = self.channel_timeout = NEVER_S
        options = self.get_security_options()
        options.ciphers = CIPHERS
        options.digests = DIGESTS
        options.key_types = tuple(key_types)
        # Finite-field Diffie-Hellman costs the manager ten times the others.
        options.kex = tuple(name for name in options.kex if not name.startswith("diffie-hellman"))
        self._bells: dict[int, Bell] = {}
        self._when_over: Callable[[], None] | None = None

    # -- its end --

    @property
    def over(self) -> str | None:
        """Why no more comes; None while it lives, and never None once a channel has noticed the end."""
        return cast("_Packets", self.packetizer).over

    def when_over(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when the connection ends, or at once if it has; it must not wait for anything."""
        self._when_over = tell
        if not self.is_alive():
            tell()

    def run(self) -> None:
        """Serve the connection until its end."""
        try:
            super().run()
        except Exception:
            LOG.exception("the thread of a connection died")
        finally:
            packets = cast("_Packets", self.packetizer)
            packets.over = packets.over or "the connection has ended"
            if self._when_over is not None:
                self._when_over()

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()
        packets = cast("_Packets", self.packetizer)
        packets.over = f"the server ended the connection: {message.get_text()!r}"

    # -- its channels --

    def attend(self, channel: paramiko.Channel) -> Bell:
        """Return the bell of a channel that has just been opened."""
        bell = self._bells[channel.chanid] = Bell()
        channel.in_buffer.set_event(bell)
        channel.in_stderr_buffer.set_event(bell)
        return bell

    def leave(self, channel: paramiko.Channel) -> None:
        """Forget the bell of a channel."""
        self._bells.pop(channel.chanid, None)

    def _note_failure(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        bell = self._bells.get(channel.chanid)
        if bell is not None:
            bell.refused = True
        _Channels._request_failed(channel, message)

    def _note_close(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        bell = self._bells.get(channel.chanid)
        if bell is not None:
            bell.refused = True
        _Channels._handle_close(channel, message)
        # Its answer to CLOSE has gone out when the bell rings, so that the server knows before the next session.
        if bell is not None:
            bell.closed_by_peer = True
            bell.set()

    _channel_handler_table: ClassVar = {
        **_Transports._channel_handler_table,
        MSG_CHANNEL_CLOSE: lambda channel, message: channel.transport._note_close(channel, message),
        MSG_CHANNEL_FAILURE: lambda channel, message: channel.transport._note_failure(
            channel, message
        ),
    }

    def send(self, channel: paramiko.Channel, data: bytes) -> int:
        """Send some of the data and return how much; 0 or OSError when the channel is closed."""
        message = Bound(channel)
        message.add_byte(cMSG_CHANNEL_DATA)
        message.add_int(channel.remote_chanid)
        return cast("int", _Channels._send(channel, data, message))

    def send_end(self, channel: paramiko.Channel) -> None:
        """Say that no more data will be sent."""
        with channel.lock:
            message = _Channels._send_eof(channel)
        if message is not None:
            _Transports._send_user_message(self, Bound(channel, message.asbytes()))

    def _send_message(self, message: paramiko.Message) -> None:
        # paramiko lets go of the channel's lock before it sends, so that data or its end could follow CLOSE; OpenSSH
        # answers that by cutting the connection with all its channels. CLOSE goes out under the lock held here, and
        # after the channel was marked as closed.
        if isinstance(message, Bound) and message.channel.closed:
            return
        _Transports._send_message(self, message)


def said(error: BaseException) -> str:
    """Return what an error of a connection means, in words."""
    match error:
        case EOFError() | ConnectionResetError() | BrokenPipeError():
            return "the connection was closed"
        case OSError(strerror=str(text)):
            return f"the connection failed: {text}"
        case SSHException():
            return f"the connection failed: {error}"
        case _:
            return f"the connection failed: {type(error).__name__}"
