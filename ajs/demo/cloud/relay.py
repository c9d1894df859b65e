"""A relay: tunnels to the hosts that it permits, and nothing else."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress

import paramiko
from paramiko.common import (
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

from ajs.demo.cloud.access import LOG, Access
from ajs.demo.cloud.transport import ServerTransport
from ajs.dispatch.ssh.transport import STREAM_BYTES

CONNECT_S = 5.0
LOOK_MS = 500
"""How often the one side of a tunnel is looked at while the other one is waited for."""


class Relay(Access):
    """What one client may do on a relay."""

    def __init__(self, folder: str, key: paramiko.PKey, sock: socket.socket) -> None:
        super().__init__(folder, key, sock)
        self._targets: dict[int, socket.socket] = {}

    def run(self, channel: paramiko.Channel, command: bytes) -> None:  # noqa: ARG002
        """Run nothing and say so, as sshd with ``ForceCommand /bin/false`` does."""
        self.transport.send_status(channel, 1)
        channel.close()

    def check_channel_direct_tcpip_request(
        self,
        chanid: int,
        origin: tuple[str, int],  # noqa: ARG002
        destination: tuple[str, int],
    ) -> int:
        """Return whether there is a tunnel to this host and port; it is connected then."""
        shown = "{}:{}".format(*destination)
        if shown not in self._permitted():
            LOG.info("no tunnel to %s: it is not in permitted", shown)
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        try:
            target = socket.create_connection(destination, CONNECT_S)
        except OSError as error:
            LOG.info("no tunnel to %s: %s", shown, error.strerror or error)
            return OPEN_FAILED_CONNECT_FAILED
        target.settimeout(None)
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._targets[chanid] = target
        LOG.info("tunnel to %s", shown)
        return OPEN_SUCCEEDED

    def _permitted(self) -> list[str]:
        with open(os.path.join(self._folder, "permitted"), encoding="utf-8") as file:
            return file.read().split()

    def opened(self, channel: paramiko.Channel) -> None:
        """Take in a session, or let a tunnel carry what comes."""
        target = self._targets.pop(channel.chanid, None)
        if target is None:
            super().opened(channel)
        else:
            Tunnel(self.transport, channel, target).start()


class Tunnel:
    """What carries bytes between a channel and the connection to its target, each way until its end."""

    def __init__(
        self, transport: ServerTransport, channel: paramiko.Channel, target: socket.socket
    ) -> None:
        self._transport = transport
        self._channel = channel
        self._target = target

    def start(self) -> None:
        """Begin, on two threads."""
        outward = threading.Thread(target=self._outward, daemon=True)
        outward.start()
        threading.Thread(target=self._inward, args=(outward,), daemon=True).start()

    def _outward(self) -> None:
        """Carry from the client to the target."""
        try:
            while data := self._channel.recv(STREAM_BYTES):
                self._target.sendall(data)
        except OSError:
            self._channel.close()
        # The client may have ended only what it sends; when the channel is closed nobody wants an answer either.
        with suppress(OSError):
            self._target.shutdown(socket.SHUT_RDWR if self._channel.closed else socket.SHUT_WR)

    def _inward(self, outward: threading.Thread) -> None:
        """Carry from the target to the client, and clear up when both ways have ended."""
        poll = select.poll()
        poll.register(self._target, select.POLLIN)
        with suppress(OSError):
            while not self._channel.closed:
                if not poll.poll(LOOK_MS):
                    continue
                data = self._target.recv(STREAM_BYTES)
                if not data:
                    self._transport.send_end(self._channel)
                    outward.join()
                    break
                while data:
                    sent = self._transport.send(self._channel, data)
                    if not sent:
                        break
                    data = data[sent:]
        self._channel.close()
        outward.join()
        self._target.close()
