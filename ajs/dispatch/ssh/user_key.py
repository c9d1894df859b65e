"""Our own key: from a file, or kept by the ssh-agent. Nothing of it is ever part of a message."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import PasswordRequiredException, SSHException

from ajs.dispatch.link import KEY_TYPES, Endpoint
from ajs.dispatch.link_errors import RefusedKey
from ajs.dispatch.ssh.keeper import Keeper

AGENT_S = 10.0
"""How long the ssh-agent may take for an answer."""
MOST_AGENT_KEYS = 5
"""How many of its keys are offered; sshd ends the connection after the sixth that it refuses."""


def from_file(hop: str, path: str) -> paramiko.PKey:
    """Return the private key in the file; RefusedKey says what is wrong with it."""
    shown = f"the key file {path}"
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise RefusedKey(hop, f"{shown} is not a file", "name the file of a private key")
        if found.st_mode & 0o077:
            cause = f"{shown} may be read or written by others than its owner"
            raise RefusedKey(hop, cause, f"run: chmod 600 {path}")
        return paramiko.PKey.from_path(path)
    except OSError as error:
        cause = f"{shown} cannot be read: {(error.strerror or str(error)).lower()}"
        raise RefusedKey(
            hop, cause, "name a private key that the manager's user can read"
        ) from error
    except (PasswordRequiredException, TypeError) as error:
        # cryptography says TypeError for "encrypted, and no passphrase was given".
        cause = f"{shown} is protected by a passphrase"
        cure = "name a key without one, or load the key into an ssh-agent and name no key file"
        raise RefusedKey(hop, cause, cure) from error
    except (ValueError, UnknownKeyType, SSHException) as error:
        cause = f"{shown} holds no private key that can be used"
        raise RefusedKey(
            hop, cause, f"make one with: ssh-keygen -t ed25519 -N '' -f {path}"
        ) from error


class _Agent(AgentSSH):
    """The ssh-agent over a connection that does not wait for ever."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._connect(sock)  # type: ignore[attr-defined]


@contextmanager
def keys(hop: str, endpoint: Endpoint, keeper: Keeper) -> Iterator[tuple[paramiko.PKey, ...]]:
    """Give the keys to offer; those of an agent can sign as long as this is open."""
    if endpoint.key_file is not None:
        yield (from_file(hop, endpoint.key_file),)
        return
    path = os.environ.get("SSH_AUTH_SOCK", "")
    cure = "start an ssh-agent, add the key with ssh-add, and set SSH_AUTH_SOCK for the manager; or name a key file"
    if not path:
        raise RefusedKey(hop, "no key file is named and no ssh-agent is known", cure)
    sock = socket.socket(socket.AF_UNIX)
    keeper.keep_socket(sock)
    try:
        sock.settimeout(AGENT_S)
        try:
            sock.connect(path)
            found = _Agent(sock).get_keys()
        except (OSError, SSHException) as error:
            keeper.check()
            raise RefusedKey(hop, f"the ssh-agent at {path} does not answer", cure) from error
        usable = tuple(key for key in found if key.get_name() in KEY_TYPES)
        if not usable:
            raise RefusedKey(hop, f"the ssh-agent at {path} has no key that can be used", cure)
        yield usable[:MOST_AGENT_KEYS]
    finally:
        keeper.drop_socket(sock)
