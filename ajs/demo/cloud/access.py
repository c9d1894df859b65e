"""Who may log in to a server of the cloud, and how many sessions a connection may have."""

from __future__ import annotations

import logging
import os
import socket
from abc import ABC, abstractmethod

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

from ajs.demo.cloud.layout import USER
from ajs.demo.cloud.transport import ServerTransport
from ajs.dispatch.link import public_key_blob

LOG = logging.getLogger("ajs.demo.cloud")
_RUNS = b"\0"
"""Stands for a command that has been started; no command line has it."""
MOST_SESSIONS = 10
"""At once on one connection, as with sshd."""


class Access(paramiko.ServerInterface, ABC):
    """What one client may do: log in with a key in ``authorized_keys``, open sessions, run commands in them.

    What running means is for the kinds of servers to say.
    """

    def __init__(self, folder: str, key: paramiko.PKey, sock: socket.socket) -> None:
        self._folder = folder
        self._sessions: list[paramiko.Channel] = []
        self._commands: dict[int, bytes] = {}
        self.client = sock.getpeername()
        self.own = sock.getsockname()
        self.transport = ServerTransport(sock, key, self.opened, self._requested)

    @abstractmethod
    def run(self, channel: paramiko.Channel, command: bytes) -> None:
        """Do what a command on a session says; it must not wait for anything."""

    # -- logging in --

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        """Return the ways to log in: there is one."""
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Return whether this user may log in with this key."""
        if username == USER and key.asbytes() in self._authorized():
            return AUTH_SUCCESSFUL
        LOG.info("refused %s with the key %s", username, key.fingerprint)
        return AUTH_FAILED

    def _authorized(self) -> list[bytes]:
        with open(os.path.join(self._folder, "authorized_keys"), encoding="utf-8") as file:
            return [public_key_blob(line) for line in file if line.strip()]

    # -- sessions --

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        """Return whether the client may have another session."""
        self._sessions = [channel for channel in self._sessions if not channel.closed]
        if kind != "session":
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        if len(self._sessions) >= MOST_SESSIONS:
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED

    def opened(self, channel: paramiko.Channel) -> None:
        """Take in a channel that is open now."""
        self._sessions.append(channel)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Return whether the session may run this; it is run when the client has the answer."""
        if channel.chanid in self._commands:
            return False
        self._commands[channel.chanid] = command
        return True

    def _requested(self, channel: paramiko.Channel) -> None:
        command = self._commands.get(channel.chanid)
        if command is not None and command is not _RUNS:
            self._commands[channel.chanid] = _RUNS
            self.run(channel, command)
