"""One attempt: claim, start, wait, end, result; and the guard's process around it."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from contextlib import suppress

from .system import (
    END_JOB,
    FILE_MODE,
    FOLDER_MODE,
    FORMAT,
    GONE_PREFIX,
    KILL_JOB,
    NEW_PREFIX,
    OUTPUTS,
    OWNER_FILE,
    RECORD_FILE,
    Process,
    discard,
    load_adopting,
    read_boot_id,
    read_line,
    read_process,
    read_processes,
    say,
    send_signal,
    sync,
    utc_stamp,
)

TYPE_CHECKING = False  # `typing` costs a third of the start-up
if TYPE_CHECKING:
    from typing import NoReturn

REASON_CHARS = 400
CLEAR_SECONDS = 2.0
GO = b"g"
UNTOUCHABLE = frozenset({signal.SIGKILL, signal.SIGSTOP})
IGNORED: list[
    signal.Signals
] = []  # what the launcher ignores, by itself or from its parent; jobs must not
WAKING = frozenset({signal.SIGCHLD, END_JOB, KILL_JOB})


class Request:
    """One start request as it came over the pipe."""

    __slots__ = (
        "argv",
        "attempt_id",
        "cwd",
        "environment",
        "kill_after_s",
        "timeout_s",
        "umask",
        "wake",
    )

    def __init__(self, frame: bytes) -> None:
        said = json.loads(frame)
        self.attempt_id: str = said["attempt_id"]
        self.argv: list[str] = said["argv"]
        self.cwd: str = said["cwd"]
        self.environment: dict[str, str] = said["environment"]
        self.umask: int = said["umask"]
        self.timeout_s: float | None = said["timeout_s"]
        self.kill_after_s: float = said["kill_after_s"]
        self.wake: str = said["wake"]


class Shared:
    """What all guards of a launcher have in common; found out once, before they are forked."""

    __slots__ = ("adopt_orphans", "boot_id", "owner", "spool")

    def __init__(self, spool: str, owner: str) -> None:
        self.spool = spool
        self.owner = owner
        self.boot_id = read_boot_id()
        self.adopt_orphans = load_adopting()


class SupersededError(Exception):
    """Another manager has taken the spool over since this launcher was started."""


class NotStartedError(Exception):
    """The job's command never began; the text says why."""


class Guard:
    """One attempt, from its claim to its result."""

    def __init__(self, request: Request, shared: Shared) -> None:
        self.request = request
        self.shared = shared
        self.folder = f"{shared.spool}/{request.attempt_id}"
        self.adopts = shared.adopt_orphans()
        self.record = -1
        self.outputs: list[int] = []
        self.record_end = 0
        self.job = 0
        self.started = ""
        self.timed_out = False
        self.killed = False

    # - the claim -

    def claim(self) -> bool:
        """Make the attempt ours, safe from a power cut; False when it was there before.

        Raises OSError or SupersededError, and then has left nothing behind.
        """
        fresh = f"{self.shared.spool}/{NEW_PREFIX}{os.getpid()}-{self.request.attempt_id}"
        self.started = utc_stamp()
        os.mkdir(fresh, FOLDER_MODE)
        try:
            self.record = os.open(f"{fresh}/{RECORD_FILE}", os.O_WRONLY | os.O_CREAT, FILE_MODE)
            self.note(
                {
                    "format": FORMAT,
                    "attempt_id": self.request.attempt_id,
                    "guard": os.getpid(),
                    "guard_started": read_process(os.getpid()).started,
                    "boot_id": self.shared.boot_id,
                    "claimed": self.started,
                }
            )
            for name in OUTPUTS:
                path = f"{fresh}/{name}"
                self.outputs.append(
                    os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
                )
            os.rename(fresh, self.folder)
        except OSError as error:
            discard(fresh)
            if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
                return False
            raise
        try:
            sync(self.shared.spool)
            self.check_owner()
        except (OSError, SupersededError):
            gone = f"{self.shared.spool}/{GONE_PREFIX}{os.getpid()}-{self.request.attempt_id}"
            os.rename(self.folder, gone)
            discard(gone)
            raise
        return True

    def note(self, line: dict[str, object]) -> None:
        """Add a line to the attempt's record; one that fails half way is written over by the next.

        The first line takes the file's first block, and all fit in it: a disk that fills up while the job runs
        does not keep the result out.
        """
        text = json.dumps(line).encode() + b"\n"
        done = 0
        while done < len(text):
            done += os.pwrite(self.record, text[done:], self.record_end + done)
        self.record_end += done

    def check_owner(self) -> None:
        """Raise SupersededError when a newer manager has taken the spool over."""
        if read_line(f"{self.shared.spool}/{OWNER_FILE}") != self.shared.owner:
            raise SupersededError

    # - the start -

    def start(self) -> int:
        """Fork the job, write its process id down, let it go; return the pipe on which it complains.

        Raises NotStartedError when there is no job process.
        """
        try:
            go_read, go_write = os.pipe()
            news_read, news_write = os.pipe()
            job = os.fork()
        except OSError as error:
            raise NotStartedError(f"cannot fork: {say(error)}") from error
        if job == 0:
            os.close(go_write)
            os.close(news_read)
            self.become_job(go_read, news_write)
        os.close(go_read)
        os.close(news_write)
        os.read(news_read, 1)  # now it has a session of its own, or is dead
        try:
            self.started = utc_stamp()
            ticks = read_process(job).started
            self.note({"job": job, "job_started": ticks, "started": self.started})
        except OSError as error:
            os.close(go_write)
            os.waitpid(job, 0)
            raise NotStartedError(f"cannot write down the process id: {say(error)}") from error
        self.job = job
        with suppress(BrokenPipeError):  # killed before it began: its end says so
            os.write(go_write, GO)
        os.close(go_write)
        return news_read

    def become_job(self, go: int, news: int) -> NoReturn:
        """In the child: wait for the word, then turn into the job's command; a complaint goes to ``news``."""
        try:
            os.setsid()
            os.write(news, b"r")
            if os.read(go, 1) == GO:
                self.execute()
        except BaseException as error:  # noqa: BLE001 nothing may return into the guard's code
            os.write(news, str(error)[:REASON_CHARS].encode("utf-8", "replace"))
        finally:
            os._exit(127)

    def execute(self) -> None:
        """Replace this process by the command; returns only by an exception that says why not."""
        request = self.request
        for target, handle in enumerate(self.outputs, start=1):
            os.dup2(handle, target)
        for number in IGNORED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(request.umask)
        try:
            os.chdir(request.cwd)
        except (OSError, ValueError) as error:
            raise NotStartedError(
                f"cannot enter the folder {request.cwd!r}: {say(error)}"
            ) from error
        command = request.argv[0]
        try:
            os.execvpe(command, request.argv, request.environment)
        except (OSError, ValueError) as error:
            msg = f"cannot run {command!r}: {say(error)}"
            if isinstance(error, FileNotFoundError) and "/" in command and os.path.exists(command):
                msg += " (the file is there; the interpreter named in its first line is not)"
            raise NotStartedError(msg) from error

    # - the wait -

    def watch(self) -> tuple[str, int]:
        """Wait for the job, holding its timeout; return ``return_code`` or ``signal`` and the number."""
        began = time.monotonic()
        timeout_s = self.request.timeout_s
        timeout_at = None if timeout_s is None else began + timeout_s
        kill_at: float | None = None
        while (end := self.look_for_end()) is None:
            now = time.monotonic()
            if timeout_at is not None and now >= timeout_at:
                self.timed_out, timeout_at = True, None
                if kill_at is None:
                    kill_at = self.ask_to_end(now)
            if kill_at is not None and now >= kill_at:
                self.signal_job(signal.SIGKILL)
                kill_at = now + 1.0  # once more, should it have gained a process group meanwhile
            heard = wait_for_signal([at for at in (timeout_at, kill_at) if at is not None])
            if heard in {END_JOB, KILL_JOB}:
                self.killed = True
            if heard == END_JOB and kill_at is None:
                kill_at = self.ask_to_end(time.monotonic())
            elif heard == KILL_JOB:
                kill_at = time.monotonic()
        return end

    def look_for_end(self) -> tuple[str, int] | None:
        """Return how the job ended, leaving it unreaped so that its number stays its own; bury adopted orphans."""
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return None
            if ended.si_pid == self.job:
                kind = "return_code" if ended.si_code == os.CLD_EXITED else "signal"
                return kind, ended.si_status
            os.waitpid(ended.si_pid, 0)

    def ask_to_end(self, now: float) -> float:
        """Send TERM (and CONT, for what is stopped); return when to stop being polite."""
        self.signal_job(signal.SIGTERM)
        self.signal_job(signal.SIGCONT)
        return now + self.request.kill_after_s

    def signal_job(self, number: int) -> None:
        """Signal the job's process group, then what moved to other groups of its session (`timeout` does)."""
        self.signal_group(number)
        for process in read_processes():
            if process.session == self.job != process.group:
                send_signal(process.pid, process.started, number)

    def signal_group(self, number: int) -> None:
        """Signal the job's process group; exact as long as the job itself is not reaped."""
        # nobody may be left in it, or only processes of another user
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.job, number)

    # - the end -

    def run(self) -> None:
        """Run the claimed attempt to its end and write the result down."""
        left, escaped = 0, 0 if self.adopts else None
        try:
            complaints = self.start()
            kind, number = self.watch()
            left, escaped = self.clear()
            complaint = os.read(complaints, 4 * REASON_CHARS).decode("utf-8", "replace")
            outcome: dict[str, object] = (
                {"failed_to_start": complaint} if complaint else {kind: number}
            )
        except NotStartedError as error:
            outcome = {"failed_to_start": str(error)[:REASON_CHARS]}
        outcome |= {"timed_out": self.timed_out, "killed": self.killed}
        outcome |= {"started": self.started, "ended": utc_stamp(), "left": left, "escaped": escaped}
        self.write_result(outcome)

    def clear(self) -> tuple[int, int | None]:
        """Kill what the job left in its session; return how many resisted and how many are in other sessions.

        The second is None where orphans cannot be adopted: then nobody can know.
        """
        self.signal_group(signal.SIGKILL)
        os.waitpid(self.job, 0)
        until = time.monotonic() + CLEAR_SECONDS
        while True:
            if not self.has_children() and self.adopts:
                return 0, 0  # every descendant would have become our child
            left, escaped = self.survivors()
            if not left or time.monotonic() >= until:
                return len(left), len(escaped) if self.adopts else None
            for process in left:
                send_signal(process.pid, process.started, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, 0.02)

    def has_children(self) -> bool:
        """Bury the dead; return whether a child lives."""
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return False
        return True

    def survivors(self) -> tuple[list[Process], list[Process]]:
        """Return who lives in the job's session, and which descendants live in another one."""
        everyone = read_processes()
        left = [process for process in everyone if process.session == self.job]
        family = {os.getpid()}
        while True:
            more = {p.pid for p in everyone if p.parent in family} - family
            if not more:
                break
            family |= more
        family -= {os.getpid()}
        return left, [p for p in everyone if p.pid in family and p.session != self.job]

    def write_result(self, result: dict[str, object]) -> None:
        """Put the result on disk, trying until the disk lets us or the record is gone.

        All goes through what was opened when the job was claimed: a spool that was moved away meanwhile has the
        result when it is moved back.
        """
        place = self.record_end
        while True:
            self.record_end = place
            try:
                for name, handle in zip(OUTPUTS, self.outputs, strict=True):
                    result[f"{name}_size"] = size = os.fstat(handle).st_size
                    if size:
                        os.fsync(handle)
                self.note(result)
                os.fsync(self.record)
            except OSError:
                if not os.fstat(self.record).st_nlink:
                    return
                time.sleep(1.0)
            else:
                return


def wait_for_signal(instants: list[float]) -> int:
    """Sleep until a child ends, somebody asks for a kill, or the first of the instants; return the signal or 0."""
    if not instants:
        return signal.sigwaitinfo(WAKING).si_signo
    heard = signal.sigtimedwait(WAKING, max(0.0, min(instants) - time.monotonic()))
    return heard.si_signo if heard else 0
