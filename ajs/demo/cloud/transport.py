"""paramiko's transport on the side of the server, with what it lacks there."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, cast

import paramiko
from paramiko.common import (
    MSG_CHANNEL_REQUEST,
    cMSG_CHANNEL_EXTENDED_DATA,
    cMSG_CHANNEL_REQUEST,
)

from ajs.dispatch.ssh.transport import Bound, Transport

VERSION = "SSH-2.0-ajs_demo"
STDERR = 1
"""The number of stderr among the streams of extended data (RFC 4254, 5.2)."""
SIGNALS = frozenset(
    "ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2".split()  # noqa: SIM905
)
"""The names that the protocol knows (RFC 4254, 6.10)."""

_Channels = cast("Any", paramiko.Channel)
_Transports = cast("Any", paramiko.Transport)


class ServerTransport(Transport):
    """One connection of a client.

    ``opened`` is told of each channel when the client knows that it is open, ``requested`` when a request on one has
    been answered: whoever sends before that may send too early. Both run on the connection's thread.
    """

    def __init__(
        self,
        sock: socket.socket,
        key: paramiko.PKey,
        opened: Callable[[paramiko.Channel], None],
        requested: Callable[[paramiko.Channel], None],
    ) -> None:
        super().__init__(sock, (key.get_name(),))
        self.local_version = VERSION
        self.add_server_key(key)
        self._opened = opened
        self._requested = requested

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        # Not put in a queue: who waits for it there is not told when the connection ends.
        self._opened(channel)

    def _note_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        _Channels._handle_request(channel, message)
        self._requested(channel)

    _channel_handler_table: ClassVar = {
        **cast("Any", Transport)._channel_handler_table,
        MSG_CHANNEL_REQUEST: lambda channel, message: channel.transport._note_request(
            channel, message
        ),
    }

    def _send_message(self, message: paramiko.Message) -> None:
        # Whoever sends while the connection breaks learns of it like all others: its channel is closed in a moment.
        with suppress(EOFError, OSError):
            super()._send_message(message)

    def send_err(self, channel: paramiko.Channel, data: bytes) -> int:
        """Send some of the data as stderr and return how much; 0 or OSError when the channel is closed."""
        message = Bound(channel)
        message.add_byte(cMSG_CHANNEL_EXTENDED_DATA)
        message.add_int(channel.remote_chanid)
        message.add_int(STDERR)
        return cast("int", _Channels._send(channel, data, message))

    def send_status(self, channel: paramiko.Channel, returned: int) -> None:
        """Say how a command ended: its exit status, or when negative the signal that ended it."""
        message = Bound(channel)
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exit-status" if returned >= 0 else "exit-signal")
        message.add_boolean(False)
        if returned >= 0:
            message.add_int(returned)
        else:
            message.add_string(signal_name(-returned))
            message.add_boolean(False)  # whether it left a core dump
            message.add_string("")
            message.add_string("")
        _Transports._send_user_message(self, message)


def signal_name(number: int) -> str:
    """Return the name of a signal as SSH writes it; sshd gives those that SSH has no name for one of its own.

    >>> signal_name(9), signal_name(64)
    ('KILL', 'SIG@openssh.com')
    """
    try:
        name = signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        name = ""
    return name if name in SIGNALS else "SIG@openssh.com"
