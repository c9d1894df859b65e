"""What guards and readers of the spool share: names of files, processes, writing that lasts."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

TYPE_CHECKING = False  # `typing` and `collections.abc` cost start-up
if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = 1
OWNER_FILE = ".owner"
NEW_PREFIX = ".new-"
GONE_PREFIX = ".gone-"
RECORD_FILE = "record"
OUTPUTS = ("out", "err")

END_JOB = signal.SIGUSR1
KILL_JOB = signal.SIGUSR2

FOLDER_MODE = 0o770
FILE_MODE = 0o660
PIPE_BYTES = 1 << 20
PR_SET_CHILD_SUBREAPER = 36
FORKED_NOT_EXECUTED = (
    0x40  # the kernel's PF_FORKNOEXEC: still the fork of its parent, no program of its own yet
)

# -- what the system says about processes --


class Process:
    """One line of ``/proc``: state letter, parent, group, session, start time in clock ticks since boot."""

    __slots__ = ("began", "group", "parent", "pid", "session", "started", "state")

    def __init__(self, pid: int, stat: str) -> None:
        # the name in parentheses may hold blanks and parentheses, so count from the last one
        fields = stat[stat.rindex(")") + 2 :].split()
        self.pid = pid
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.began = not int(fields[6]) & FORKED_NOT_EXECUTED
        self.started = int(fields[19])

    @property
    def alive(self) -> bool:
        """Whether it still does something: a zombie does not."""
        return self.state not in "ZXx"


def read_process(pid: int) -> Process:
    """Return what ``/proc`` says of a process id; OSError when there is no such process."""
    return Process(pid, read_line(f"/proc/{pid}/stat"))


def find_process(pid: int) -> Process | None:
    """Return what ``/proc`` says of a process id, or None when there is no such process."""
    try:
        return read_process(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None


def read_processes() -> list[Process]:
    """Return all living processes."""
    found = (find_process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process is not None and process.alive]


def read_boot_id() -> str:
    """Return what tells this boot of the machine from every other."""
    return read_line("/proc/sys/kernel/random/boot_id").strip()


def send_signal(pid: int, started: int, number: int) -> bool:
    """Signal exactly the process that began at ``started`` (ticks); False when it is gone.

    The descriptor pins the process, so its number cannot pass to another one between the look and the signal.
    """
    try:
        pinned = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        process = find_process(pid)
        if process is None or process.started != started:
            return False
        signal.pidfd_send_signal(pinned, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pinned)
    return True


def load_adopting() -> Callable[[], bool]:
    """Return what makes the calling process the parent of all orphans among its descendants, so that it sees them.

    It returns False where that is not to be had.
    """
    try:
        import ctypes
    except ImportError:
        return lambda: False
    prctl = ctypes.CDLL(None).prctl
    return lambda: bool(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


# -- files --


def read_line(path: str) -> str:
    """Return what a short file says, without the machinery that ``open`` has to set up in a new process."""
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, 4096).decode("utf-8", "replace")
    finally:
        os.close(handle)


def write_file(path: str, text: str) -> None:
    """Write a whole file; on return it is complete but not yet safe from a power cut."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        write_all(handle, text.encode())
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write all of it, however small the pieces in which the system takes it."""
    while content:
        content = content[os.write(handle, content) :]


def sync(path: str) -> None:
    """Bring a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def discard(folder: str) -> None:
    """Remove an attempt's folder as far as it goes; a rest is swept by the next manager."""
    with suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)


def utc_stamp() -> str:
    """Return the present instant as stored text, ``2026-08-11T13:00:05.123Z``."""
    millis = time.time_ns() // 1_000_000
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000))
    return f"{text}.{millis % 1000:03d}Z"


def say(error: BaseException) -> str:
    """Return what went wrong in the system's words, in lower case."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).lower()
