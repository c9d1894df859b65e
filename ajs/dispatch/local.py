"""Jobs on this machine: the manager's end of the launcher, and the spool read through the same object.

The manager records an attempt in its database, then calls ``start``, as often as it likes: only the first one that
gets through runs. After its own restart it asks ``states`` and starts what is *Absent*. Nothing here waits for a job
or for the disk, and nothing is known here alone but a refusal: all else is in the spool.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ajs.dispatch.guard import launcher, system
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    JobSpec,
    NotTaken,
    Standing,
    Stream,
)
from ajs.dispatch.spool import Spool
from ajs.errors import ManagerRunning, StoreError

BASE_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")
CLOSE_SECONDS = 5.0
PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from guard.launcher import main; main()"


class Launcher:
    """One running launcher process and the two pipes to it."""

    def __init__(self, spool: Path, owner: str) -> None:
        """Start it; OSError when the system does not let us."""
        import subprocess

        python = [sys.executable, "-I", "-S", "-X", "utf8", "-c", PROGRAM]
        arguments = [os.fspath(Path(__file__).parent), os.fspath(spool), owner]
        their_requests, self._requests = os.pipe()
        self._answers, their_answers = os.pipe()
        try:
            self._process = subprocess.Popen(
                python + arguments,
                stdin=their_requests,
                stdout=their_answers,
                cwd="/",
                start_new_session=True,  # Ctrl-C at the manager's terminal is not for it
            )
        except OSError:
            self._close_pipes()
            raise
        finally:
            os.close(their_requests)
            os.close(their_answers)
        os.set_blocking(self._requests, False)
        os.set_blocking(self._answers, False)
        self._unsent = bytearray()
        self._unread = bytearray()
        self.answered = False

    @property
    def pid(self) -> int:
        """The launcher's process id."""
        return self._process.pid

    @property
    def answers(self) -> int:
        """The descriptor that becomes readable when it has answered or died."""
        return self._answers

    def status(self) -> int | None:
        """Return None while the process runs, then its exit status, negative for a signal."""
        return self._process.poll()

    def send(self, request: dict[str, object]) -> None:
        """Queue a request and send what the pipe takes."""
        text = json.dumps(request).encode()
        self._unsent += launcher.FRAME.pack(len(text)) + text
        self.flush()

    def flush(self) -> None:
        """Send what the pipe takes; a dead launcher takes nothing."""
        with suppress(BlockingIOError, BrokenPipeError):
            while self._unsent:
                del self._unsent[: os.write(self._requests, self._unsent)]

    def read(self) -> list[dict[str, str]]:
        """Return the answers that have come."""
        with suppress(BlockingIOError):
            while piece := os.read(self._answers, system.PIPE_BYTES):
                self._unread += piece
        *lines, self._unread = self._unread.split(b"\n")
        self.answered = self.answered or bool(lines)
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Let it finish what was sent and end; kill one that does not (its guards live on)."""
        import subprocess

        self.flush()
        self._close_pipes()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _close_pipes(self) -> None:
        os.close(self._requests)
        os.close(self._answers)


class LocalDispatch:
    """Starts jobs on this machine and tells how they stand.

    ``spool`` must have been made by ``Spool.create``; ``wake`` is the datagram socket that receives the attempt id
    whenever one ends (best effort: the spool is the truth). The launcher is started by the first ``start``, which
    also fences off every launcher before it; asking for states or output does not.
    """

    def __init__(self, spool: Path, wake: Path) -> None:
        self._spool = Spool(spool)
        self._wake = wake.absolute()
        self._launcher: Launcher | None = None
        self._asked: set[str] = set()
        self._not_taken: dict[str, str] = {}
        self._superseded = False
        self._unable = False

    # -- starting --

    def start(self, spec: JobSpec) -> None:
        """Hand an attempt to the launcher, at once and without waiting; ``states`` tells what came of it.

        Idempotent by attempt id: asked for already, or there already, is no error and no second run. Raises
        StoreError when no launcher can be started, ManagerRunning when another manager has taken the spool over.
        """
        self.poll()
        attempt_id = spec.attempt_id
        # One request per id and launcher is ever on its way: a second one could arrive after `forget`.
        if attempt_id in self._asked or self._has_folder(attempt_id):
            return
        launcher = self._launcher or self._spawn()
        self._not_taken.pop(attempt_id, None)
        self._asked.add(attempt_id)
        launcher.send(self._request(spec))

    def poll(self) -> None:
        """Take in the launcher's answers, send what is queued, and notice its death.

        Call it when ``fileno()`` is readable. What a dead launcher had not started is *Absent* again. Raises
        ManagerRunning when another manager has taken the spool over.
        """
        self._listen()
        if self._superseded:
            raise ManagerRunning(
                f"another manager has taken over the spool {self._spool.folder}",
                hint="only one manager may run per scheduler service; this one must end",
                value=str(self._spool.folder),
            )

    def fileno(self) -> int | None:
        """Return the descriptor to watch for reading, or None while there is no launcher; it may change."""
        return self._launcher.answers if self._launcher else None

    @property
    def launcher_pid(self) -> int | None:
        """The launcher's process id, or None while there is none."""
        return self._launcher.pid if self._launcher else None

    def close(self) -> None:
        """End the launcher; jobs go on, their results stay in the spool, what was not sent is *Absent*."""
        self._drop()

    def _listen(self) -> None:
        if self._launcher is None:
            return
        status = self._launcher.status()  # asked first, so that all it ever answered is read below
        for answer in self._launcher.read():
            self._take(answer)
        self._launcher.flush()
        if status is not None:
            # killed is nothing: the next one goes on. Not even able to begin is.
            self._unable = status > 0 and not self._launcher.answered
            self._drop()

    def _spawn(self) -> Launcher:
        if self._unable:
            self._unable = False
            raise StoreError(
                "the launcher of jobs ended as soon as it was started",
                hint="its complaint stands in the manager's own error output",
            )
        owner = self._spool.take_over()
        try:
            self._launcher = Launcher(self._spool.folder, owner)
        except OSError as error:
            raise StoreError(
                f"the launcher of jobs cannot be started: {system.say(error)}",
                hint="see the limits on processes and memory of the manager's user",
            ) from error
        return self._launcher

    def _take(self, answer: dict[str, str]) -> None:
        attempt_id = answer["attempt_id"]
        self._asked.discard(attempt_id)
        match answer["answer"]:
            case "refused":
                self._not_taken[attempt_id] = answer["text"]
            case "superseded":
                self._superseded = True
            case _:  # claimed, exists: the folder says more
                pass

    def _drop(self) -> None:
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None
        self._asked.clear()

    def _has_folder(self, attempt_id: str) -> bool:
        return os.path.lexists(self._spool.folder / attempt_id)

    def _request(self, spec: JobSpec) -> dict[str, object]:
        base = {name: os.environ[name] for name in BASE_ENVIRONMENT if name in os.environ}
        environment = base | dict(spec.environment)
        return {
            "attempt_id": spec.attempt_id,
            "argv": [_wire(word) for word in spec.argv],
            "cwd": _wire(os.fspath(spec.cwd)),
            "environment": {_wire(name): _wire(value) for name, value in environment.items()},
            "umask": spec.umask,
            "timeout_s": spec.timeout_s,
            "kill_after_s": spec.kill_after_s,
            "wake": _wire(os.fspath(self._wake)),
        }

    # -- asking --

    def states(self, attempt_ids: Iterable[str]) -> dict[str, Standing]:
        """Return how each attempt stands; StoreError when the spool is not there, never a false *Absent*."""
        self._listen()
        asked = frozenset(
            self._asked
        )  # before the look, so that a claim in between is not taken for absence
        return {
            attempt_id: self._with_request(attempt_id, state, asked)
            for attempt_id, state in self._spool.states(attempt_ids).items()
        }

    def _with_request(self, attempt_id: str, state: Standing, asked: frozenset[str]) -> Standing:
        if not isinstance(state, Absent):
            return state
        if attempt_id in asked:
            return Claimed()
        if attempt_id in self._not_taken:
            return NotTaken(self._not_taken[attempt_id])
        return state

    def attempts(self) -> frozenset[str]:
        """Return the ids of all attempts in the spool, known to the manager or not."""
        return self._spool.attempts()

    def epoch(self) -> str:
        """Return the spool's epoch: under another one, *Absent* does not prove that nothing ran."""
        return self._spool.epoch()

    def output(self, attempt_id: str, stream: Stream, offset: int, max_bytes: int) -> bytes:
        """Return a part of a job's output, see ``Spool.output``."""
        return self._spool.output(attempt_id, stream, offset, max_bytes)

    # -- ending --

    def kill(self, attempt_id: str, *, at_once: bool = False) -> Standing:
        """Ask for the end of a job, see ``Spool.kill``.

        An attempt that is asked for but not yet taken (*Claimed*) cannot hear it: ask again until it has ended.
        """
        asked = frozenset(self._asked)
        state = self._spool.kill(attempt_id, at_once=at_once)
        return self._with_request(attempt_id, state, asked)

    def forget(self, attempt_id: str) -> None:
        """Remove all that is kept of an attempt, see ``Spool.forget``; never start its id again."""
        self._spool.forget(attempt_id)
        self._not_taken.pop(attempt_id, None)


def _wire(text: str) -> str:
    """Return the text so that the guard, which speaks UTF-8 whatever the locale, gets the very same bytes."""
    return os.fsencode(text).decode("utf-8", "surrogateescape")
