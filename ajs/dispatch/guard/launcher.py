"""The launcher: reads requests, forks guards, buries them; and what a guard does around its attempt."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress

from .attempt import IGNORED, REASON_CHARS, WAKING, Guard, Request, Shared, SupersededError
from .system import PIPE_BYTES, say, write_file

TYPE_CHECKING = False  # `typing` costs a third of the start-up
if TYPE_CHECKING:
    from typing import NoReturn

FRAME = struct.Struct(">I")
CRASH_FILE = "guard.err"
LAUNCHER_FILES = 64


def answer(attempt_id: str, kind: str, text: str = "") -> None:
    """Send one line to the manager; short enough to arrive whole beside the lines of other guards."""
    line = json.dumps({"attempt_id": attempt_id, "answer": kind, "text": text[:REASON_CHARS]})
    with suppress(OSError):  # the manager is dead; what we do stays the same
        os.write(1, line.encode() + b"\n")


def wake(address: str, attempt_id: str) -> None:
    """Tell the manager's socket that the attempt ended; nobody there, or too busy, is no harm."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as knock:
        knock.setblocking(False)
        # a socket's path may have 107 bytes at most, its last part seldom has
        os.chdir(os.path.dirname(address))
        knock.sendto(attempt_id.encode(), os.path.basename(address))


def guard(request: Request, shared: Shared) -> None:
    """Claim and run one attempt, in a process of its own."""
    signal.set_wakeup_fd(-1)
    os.closerange(3, LAUNCHER_FILES)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
    for number in WAKING:
        signal.signal(number, signal.SIG_DFL)  # blocked and not ignored: they wait for us
    os.setsid()
    attempt = Guard(request, shared)
    try:
        claimed = attempt.claim()
    except SupersededError:
        answer(request.attempt_id, "superseded")
        return
    except OSError as error:
        reason = f"cannot make the attempt's folder in {shared.spool}: {say(error)}"
        answer(request.attempt_id, "refused", reason)
        return
    answer(request.attempt_id, "claimed" if claimed else "exists")
    # let go of the manager's pipe and terminal: who waits for their end waits for no job
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    if claimed:
        attempt.run()
        wake(request.wake, request.attempt_id)


def run_guard(request: Request, shared: Shared) -> NoReturn:
    """In the child: be the guard and never return; an error of our own is left beside the attempt."""
    status = 70
    try:
        guard(request, shared)
        status = 0
    except BaseException as error:  # noqa: BLE001 nothing may return into the launcher's loop
        where = error.__traceback__
        lines = []
        while where is not None:
            lines.append(where.tb_lineno)
            where = where.tb_next
        write_file(
            f"{shared.spool}/{request.attempt_id}/{CRASH_FILE}", f"{error!r} in lines {lines}\n"
        )
    finally:
        os._exit(status)


class Launcher:
    """Forks a guard for every request and buries it."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.guards: dict[int, str] = {}

    def launch(self, frame: bytes) -> None:
        """Fork the guard of one request."""
        request = Request(frame)
        try:
            pid = os.fork()
        except OSError as error:
            answer(request.attempt_id, "refused", f"cannot fork: {say(error)}")
            return
        if pid == 0:
            run_guard(request, self.shared)
        self.guards[pid] = request.attempt_id

    def bury(self) -> None:
        """Reap ended guards, and what killed ones left us.

        One that did not end by itself may not have answered, so we do.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            attempt_id = self.guards.pop(pid, "")
            if attempt_id and status:
                code = os.waitstatus_to_exitcode(status)
                how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
                answer(attempt_id, "refused", f"the guard {how} before it took the attempt")

    def serve(self) -> None:
        """Read requests until the manager closes its end or dies."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        pending = b""
        while True:
            ready, _, _ = select.select([0, wake_read], [], [])
            if wake_read in ready:
                os.read(wake_read, PIPE_BYTES)
            self.bury()
            if 0 not in ready:
                continue
            piece = os.read(0, PIPE_BYTES)
            if not piece:
                return  # half a request at the end came from a manager killed while writing: never run it
            pending = self.launch_all(pending + piece)

    def launch_all(self, pending: bytes) -> bytes:
        """Launch every whole request; return the part of one that is still to come."""
        begin = 0
        while len(pending) - begin >= FRAME.size:
            body = begin + FRAME.size
            end = body + FRAME.unpack_from(pending, begin)[0]
            if len(pending) < end:
                break
            self.launch(pending[body:end])
            begin = end
        return pending[begin:]


def main() -> None:
    """Serve one manager."""
    spool, owner = sys.argv[1:]
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o007)
    with suppress(OSError):  # the user's pipes are used up: a smaller one only makes us wait sooner
        for handle in (0, 1):
            fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    IGNORED.extend(n for n in signal.Signals if signal.getsignal(n) == signal.SIG_IGN)
    shared = Shared(spool, owner)
    shared.adopt_orphans()
    os.get_exec_path({})  # imports what a job's child would import, each one anew
    gc.disable()
    gc.freeze()
    Launcher(shared).serve()
