"""One command on one channel: both its outputs read as they come, its input sent beside that."""

from __future__ import annotations

import threading
from contextlib import suppress

import paramiko
from paramiko.ssh_exception import SSHException

from ajs.dispatch.link import Reply
from ajs.dispatch.link_errors import RefusedCommand, TooManySessions, TooMuchOutput
from ajs.dispatch.ssh.deadline import Deadline
from ajs.dispatch.ssh.keeper import PATIENCE_S, Keeper
from ajs.dispatch.ssh.transport import NEVER_S, STREAM_BYTES, Transport

PAUSES_S = (0.02, 0.1, 0.4)
"""sshd counts a session until a moment after its end: a refusal is asked again after these."""
UNKNOWN_STATUS = -1
"""paramiko's word for a command that left no exit status."""


class Session:
    """A command that runs; everything but ``close`` is done inside a watch of the keeper's."""

    def __init__(self, hop: str, keeper: Keeper, transport: Transport, deadline: Deadline) -> None:
        """Open the channel; TooManySessions when the server has none to give."""
        self._hop = hop
        self._keeper = keeper
        self._transport = transport
        self._sender: threading.Thread | None = None
        self._channel = _opened(hop, keeper, transport, deadline)
        self.bell = transport.attend(self._channel)

    def start(self, command: bytes) -> None:
        """Run the command line; RefusedCommand when the server does not."""
        self._keeper.attend(self)
        try:
            self._channel.exec_command(command)
        except SSHException as error:
            if not self.bell.refused:
                raise
            cure = "see ForceCommand, Subsystem and the shell of the user there"
            raise RefusedCommand(self._hop, "the server runs no commands for us", cure) from error

    def wake(self) -> None:
        """Have whoever waits look whether the link still lives."""
        self._channel.event.set()
        self.bell.set()

    def send(self, stdin: bytes) -> None:
        """Send the input, in a thread of its own if there is any: the command may write before it reads."""
        if not stdin:
            self._transport.send_end(self._channel)
            return
        self._sender = threading.Thread(
            target=self._send, args=(stdin,), name="stdin of a command", daemon=True
        )
        self._sender.start()

    def _send(self, stdin: bytes) -> None:
        # A command may end without reading it all, and a connection may break: whoever reads its output says so.
        with suppress(SSHException, EOFError, OSError):
            sent = 0
            while sent < len(stdin):
                taken = self._transport.send(self._channel, stdin[sent : sent + STREAM_BYTES])
                if not taken:
                    return
                sent += taken
            self._transport.send_end(self._channel)

    def read(self) -> tuple[bytes, bytes]:
        """Return some of what is there of stdout and of stderr, without waiting."""
        channel = self._channel
        return (
            channel.recv(STREAM_BYTES) if channel.recv_ready() else b"",
            channel.recv_stderr(STREAM_BYTES) if channel.recv_stderr_ready() else b"",
        )

    def converse(self, stdin: bytes, max_output: int) -> Reply:
        """Send the input, read both outputs to their end, and return them with the exit status."""
        self.send(stdin)
        out, err = bytearray(), bytearray()
        while True:
            self.bell.silence()
            self._keeper.check()
            over = self.bell.closed_by_peer  # looked at first: what came before it is read below
            while any(pieces := self.read()):
                out += pieces[0]
                err += pieces[1]
                if len(out) + len(err) > max_output:
                    cause = (
                        f"the command wrote more than the {max_output} bytes that were to be read"
                    )
                    raise TooMuchOutput(self._hop, cause, "ask for less at once")
            if over:
                status = self._channel.exit_status
                return Reply(bytes(out), bytes(err), None if status == UNKNOWN_STATUS else status)
            self.bell.wait()

    def close(self) -> None:
        """Close the channel, if it is not, and wait for the thread that sends."""
        with suppress(SSHException, EOFError, OSError):
            self._channel.close()
        if self._sender is not None:
            self._sender.join(PATIENCE_S)
        self._transport.leave(self._channel)
        self._keeper.leave(self)


def _opened(hop: str, keeper: Keeper, transport: Transport, deadline: Deadline) -> paramiko.Channel:
    for pause in (*PAUSES_S, None):
        try:
            return transport.open_session(timeout=NEVER_S)
        except SSHException as error:
            keeper.check()
            if transport.over is not None:
                raise
            if pause is None or deadline.left_s() < pause:
                cause = "the server gives no further session on this connection"
                cure = "raise MaxSessions in its sshd_config to 10 or more, or open another link"
                raise TooManySessions(hop, cause, cure) from error
        keeper.pause(pause)
    raise AssertionError
