"""One manager per scheduler service: the lock on its folder, and the socket that wakes the manager.

The lock is the operating system's (``flock``): it ends with the process that holds it, however that ends. The file's
text only says who it is. A wake-up is best effort: what is true stands in the database, and the manager looks there
by itself now and then.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from ajs.errors import ManagerRunning
from ajs.store import folder as folders

if TYPE_CHECKING:
    import socket

WAKE_BYTES = 256
"""Longest wake-up; more of it is cut off."""
ADDRESS_BYTES = 107
"""Longest name of a local socket; a longer one is reached through an open folder."""


class Owner(NamedTuple):
    """Who holds the lock of a service folder: ``purpose`` is the command that took it."""

    pid: int
    host: str
    purpose: str


class FolderLock:
    """The right to be the only manager, or to replace or upgrade the database without one."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, folder: str, purpose: str = "ajsstart") -> FolderLock:
        """Take the lock, or raise ManagerRunning naming the process that has it."""
        file = os.path.join(folder, folders.LOCK)
        try:
            fd = os.open(file, os.O_RDWR | os.O_CREAT, folders.FILE_MODE)
        except OSError as error:
            raise folders.unusable(file, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_uid == os.geteuid():
                os.fchmod(fd, folders.FILE_MODE)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()} {os.uname().nodename} {purpose}\n".encode(), 0)
        except BlockingIOError as error:
            os.close(fd)
            raise _in_use(folder) from error
        except OSError as error:
            os.close(fd)
            raise folders.unusable(file, error) from error
        return cls(fd)

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            # Said, not left to the closing: a child that is just being started still has the file open too.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def owner(folder: str) -> Owner | None:
    """Return who last wrote its name into the lock and did not give it back; it may have died since."""
    try:
        with open(os.path.join(folder, folders.LOCK), encoding="utf-8") as file:
            pid, host, purpose = file.read().rstrip("\n").split(" ", 2)
        return Owner(int(pid), host, purpose)
    except (OSError, ValueError):
        return None


def _in_use(folder: str) -> ManagerRunning:
    who = owner(folder)
    if who is None:
        return ManagerRunning(
            f"another process is just taking or leaving the scheduler service in {folder}",
            hint="run the command again",
            value=folder,
        )
    what = "a manager" if who.purpose == "ajsstart" else f"`{who.purpose}`"
    return ManagerRunning(
        f"{what} is running for the scheduler service in {folder}: process {who.pid} on {who.host}",
        hint="stop the manager with `ajsstop` first"
        if who.purpose == "ajsstart"
        else "wait until it has ended",
        value=str(who.pid),
    )


class WakeSocket:
    """The manager's end: readable when a command has changed something. Only for who holds the folder's lock."""

    def __init__(self, end: socket.socket, folder: str) -> None:
        self._end = end
        self._folder = folder

    @classmethod
    def bind(cls, folder: str) -> WakeSocket:
        """Make the socket in the folder, in place of one that a manager left when it died."""
        import socket

        file = os.path.join(folder, folders.SOCKET)
        end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            folders.remove(file)
            with _Address(folder) as address:
                end.bind(address)
            os.chmod(file, folders.FILE_MODE)
        except OSError as error:
            end.close()
            raise folders.unusable(file, error) from error
        return cls(end, folder)

    def fileno(self) -> int:
        """Return the file descriptor to wait on."""
        return self._end.fileno()

    def drain(self) -> list[bytes]:
        """Take away all wake-ups that have come, so that the next one makes the socket readable again; return them.

        A command's says nothing (``poke``), or names the attempt whose output somebody reads; the end of a job is the
        name of its attempt.
        """
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(self._end.recv(WAKE_BYTES))
        return found

    def close(self) -> None:
        """Close the socket and remove its name."""
        self._end.close()
        folders.remove(os.path.join(self._folder, folders.SOCKET))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def poke(folder: str, attempt: str = "") -> bool:
    """Wake the manager, for an attempt that somebody wants to read from where one is named.

    Returns whether a manager is listening.
    """
    return _reach(folder, attempt.encode() or b"w")


def manager(folder: str) -> Owner | None:
    """Return who runs as manager of this service, without waking it; None when no manager does."""
    return owner(folder) if _reach(folder, b"") else None


def _reach(folder: str, message: bytes) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as end:
        try:
            with _Address(folder) as address:
                end.connect(address)
            if message:
                end.send(message)
        except BlockingIOError:
            return True  # Its queue is full: it will wake up.
        except OSError:
            return False
    return True


class _Address:
    """A name for the socket that is short enough: through the open folder when the path itself is too long."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._fd = -1

    def __enter__(self) -> str:
        file = os.path.join(self._folder, folders.SOCKET)
        if len(os.fsencode(file)) <= ADDRESS_BYTES:
            return file
        self._fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._fd}/{folders.SOCKET}"

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
