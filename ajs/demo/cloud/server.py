"""One SSH server of the cloud: ``python -m ajs.demo.cloud.server relay|agent FOLDER PORT PARENT``.

FOLDER holds ``host_key``, ``authorized_keys`` and, for a relay, ``permitted``; an agent's user has it as home folder.
It says ``ready`` on stdout when it listens, and ends with the process PARENT.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import sys
import threading
from contextlib import suppress

import paramiko
from paramiko.ssh_exception import SSHException

from ajs.demo.cloud.access import LOG, Access
from ajs.demo.cloud.agent import Agent
from ajs.demo.cloud.process import ParentGone, listening, say_ready, switch_off, watch_parent
from ajs.demo.cloud.relay import Relay

LOGIN_S = 15.0
"""How long a client may take to log in."""
KINDS: dict[str, type[Access]] = {"relay": Relay, "agent": Agent}


def main(kind: str, folder: str, port: str, parent: str) -> None:
    """Serve until the parent ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    key = paramiko.Ed25519Key.from_private_key_file(os.path.join(folder, "host_key"))
    with suppress(ParentGone), listening(int(port)) as listener:
        end = watch_parent(int(parent))
        say_ready()
        poll = select.poll()
        for fd in (listener.fileno(), end):
            poll.register(fd, select.POLLIN)
        while all(fd != end for fd, _ in poll.poll()):
            try:
                greet(KINDS[kind], folder, key, listener.accept()[0])
            except (OSError, RuntimeError, SSHException) as error:
                # It has gone already, or there is no room for it; others may be luckier.
                LOG.info("a client could not be served: %s", error)
    if kind == "agent":
        switch_off(folder)


def greet(kind: type[Access], folder: str, key: paramiko.PKey, sock: socket.socket) -> None:
    """Serve one client, on threads of its own."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    access = kind(folder, key, sock)
    transport = access.transport

    def expire() -> None:
        if not transport.is_authenticated():
            LOG.info("%s:%d has not logged in in time", *access.client[:2])
            transport.close()

    patience = threading.Timer(LOGIN_S, expire)
    patience.daemon = True
    patience.start()
    transport.start_server(threading.Event(), access)
    transport.when_over(patience.cancel)


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Threads may be in the middle of something, and nobody waits for it.
    logging.shutdown()
    os._exit(0)
