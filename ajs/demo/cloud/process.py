"""What the processes of the cloud share: they listen, and nothing of the cloud outlives the one that started it."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from contextlib import suppress

from ajs.demo.cloud.layout import LOOPBACK

WAITING = 128
"""How many connections may wait to be taken."""


ENDING_MS = 100
"""How long an ending process is waited for before looking again."""


class ParentGone(Exception):
    """The one that started us has ended before we looked."""


def watch_parent(pid: int) -> int:
    """Return a file descriptor that becomes readable when the process that started us ends; raises ParentGone."""
    if os.getppid() == pid:
        with suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            # Had it ended before, its number could be another's by now; but then we would have another parent.
            if os.getppid() == pid:
                return watched
            os.close(watched)
    raise ParentGone


def say_ready() -> None:
    """Tell the one that started us that we answer now."""
    os.write(sys.stdout.fileno(), b"ready\n")


def listening(port: int) -> socket.socket:
    """Return a socket that listens at a port of loopback, also where one that listened before left connections."""
    listener = reserved(port)
    listener.listen(WAITING)
    listener.setblocking(False)
    return listener


def reserved(port: int = 0) -> socket.socket:
    """Return a socket that holds a port, a free one when none is named.

    As long as it does not listen, another one that is made here may take the same port and listen; nobody is given
    it who asks for any free port.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((LOOPBACK, port))
    return holder


def switch_off(home: str) -> None:
    """End all processes of the agent with this home folder, as if its machine was switched off.

    They are known by their environment: whatever an agent starts inherits HOME, and nobody else has this one.
    """
    mark = f"HOME={home}".encode()
    # Until none is left: one that is looked at late may have started another one meanwhile.
    while found := _marked(mark):
        for pid, pinned in found:
            # The descriptor pins the process. Looked at again, so that no other one with its number is meant.
            if _has(pid, mark):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pinned, signal.SIGKILL)
        poll = select.poll()
        for _, pinned in found:
            poll.register(pinned, select.POLLIN)
        poll.poll(ENDING_MS)
        for _, pinned in found:
            os.close(pinned)


def _marked(mark: bytes) -> list[tuple[int, int]]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid() and _has(int(name), mark):
            with suppress(ProcessLookupError):
                found.append((int(name), os.pidfd_open(int(name))))
    return found


def _has(pid: int, mark: bytes) -> bool:
    # Of a process that is ending, and of a zombie, nothing can be read.
    with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return mark in file.read().split(b"\0")
    return False
