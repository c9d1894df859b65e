"""The folder in which guards leave what they know: one folder per attempt, named by its id.

Reading it needs no launcher and no manager; every answer is what the files and ``/proc`` say now.

    .epoch       made once with the spool; "no folder" proves "never ran" only under the same epoch
    .owner       the launcher that may start jobs; a guard of another one backs out
    ID/          record (``record.py``), out, err
    .new-*       a folder before its claim; .gone-* one after it was given up or forgotten
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ajs.dispatch.guard import system
from ajs.dispatch.messages import (
    Absent,
    Claimed,
    Ended,
    Lost,
    NotTaken,
    Remains,
    Running,
    Standing,
    Stream,
    check_attempt_id,
)
from ajs.dispatch.record import judge, read_record, signal_orphans
from ajs.errors import OutputNotFound, StillRunning, StoreError

EPOCH_FILE = ".epoch"
OWNER_PREFIX = ".owner-"
# A folder may be given up and claimed anew between two looks; that it happens ten times running may not.
LOOKS = 10


class Spool:
    """The spool of one scheduler service; making the object touches nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def create(self) -> None:
        """Make the folder (2770) with a new epoch; does nothing when it is there. StoreError when it cannot be."""
        try:
            self.folder.mkdir(mode=0o770, parents=True, exist_ok=True)
            self.folder.chmod(0o2770)
            fresh = self.folder / f".epoch-{secrets.token_hex(8)}"
            system.write_file(str(fresh), secrets.token_hex(16))
            system.sync(str(fresh))
            with suppress(FileExistsError):
                os.link(fresh, self.folder / EPOCH_FILE)
            fresh.unlink()
            system.sync(str(self.folder))
        except OSError as error:
            raise self._unusable(error) from error

    def epoch(self) -> str:
        """Return the spool's epoch; StoreError when the spool is not there (a disk that is not mounted, say)."""
        try:
            return (self.folder / EPOCH_FILE).read_text(encoding="ascii")
        except OSError as error:
            raise self._unusable(error) from error

    def attempts(self) -> frozenset[str]:
        """Return the ids of all attempts that have a folder; StoreError when the spool cannot be read."""
        self.epoch()
        return frozenset(e.name for e in self.folder.iterdir() if not e.name.startswith("."))

    # -- state --

    def states(self, attempt_ids: Iterable[str]) -> dict[str, Standing]:
        """Return how each attempt stands; StoreError when the spool is not there, never a false *Absent*."""
        found = {attempt_id: self.state(attempt_id) for attempt_id in attempt_ids}
        if any(isinstance(state, Absent) for state in found.values()):
            self.epoch()
        return found

    def state(self, attempt_id: str) -> Standing:
        """Return how one attempt stands; *Absent* is to be believed only after ``epoch()`` was read."""
        folder = self._folder(attempt_id)
        try:
            for _ in range(LOOKS):
                record = read_record(folder)
                if record is not None and (state := judge(record, folder)) is not None:
                    return state
                if not folder.is_dir():
                    return Absent()
        except OSError as error:
            raise self._unusable(error) from error
        return Lost(remains=Remains.UNKNOWN, job_pid=None)

    # -- kill --

    def kill(self, attempt_id: str, *, at_once: bool = False) -> Standing:
        """Ask for the end of a job and return how the attempt stood just before.

        The guard ends every process of the job's session, TERM first and KILL after ``kill_after_s``, or KILL
        ``at_once``; the result then says ``killed``. A second call with ``at_once`` hurries it. Of a *Lost* attempt
        whose first process is still there (checked by its start time) the process group is signalled from here: the
        state to come, *Lost* with ``GONE``, is the proof. Does nothing to an attempt that is absent or has ended.
        """
        state = self.state(attempt_id)
        record = read_record(self._folder(attempt_id))
        if record is None:
            return state
        match state:
            case Claimed() | Running():
                order = system.KILL_JOB if at_once else system.END_JOB
                system.send_signal(record.guard.pid, record.guard.ticks, order)
            case Lost(remains=Remains.THERE):
                signal_orphans(record, signal.SIGKILL if at_once else signal.SIGTERM)
            case Lost() | Absent() | Ended() | NotTaken():
                pass
        return state

    # -- output and removal --

    def output(self, attempt_id: str, stream: Stream, offset: int, max_bytes: int) -> bytes:
        """Return up to ``max_bytes`` of a job's output from byte ``offset`` on, also while it runs.

        Nothing more yet is an empty answer. Raises OutputNotFound when the attempt has no folder.
        """
        try:
            with (self._folder(attempt_id) / stream.value).open("rb") as output:
                output.seek(offset)
                return output.read(max_bytes)
        except FileNotFoundError as error:
            self.epoch()
            raise OutputNotFound(
                f"attempt {attempt_id} has left no output",
                hint="it has not run here, or what it left was removed",
                value=attempt_id,
            ) from error
        except OSError as error:
            raise self._unusable(error) from error

    def forget(self, attempt_id: str) -> None:
        """Remove an attempt's folder; call it only when result and output are stored elsewhere.

        The id must never be started again. Raises StillRunning while the guard lives or processes of the job are
        left. Does nothing when there is no folder.
        """
        match self.state(attempt_id):
            case Claimed() | Running() | Lost(remains=Remains.THERE):
                raise StillRunning(
                    f"attempt {attempt_id} cannot be forgotten while it runs",
                    hint="kill the job or wait for its end",
                    value=attempt_id,
                )
            case Absent() | Ended() | Lost() | NotTaken():
                pass
        gone = self.folder / f"{system.GONE_PREFIX}{secrets.token_hex(8)}-{attempt_id}"
        try:
            # in one step: a half emptied folder under its own name would let the attempt be claimed again
            self._folder(attempt_id).rename(gone)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from error
        system.discard(str(gone))

    # -- ownership --

    def take_over(self) -> str:
        """Make a new owner, so that requests given to any earlier launcher start nothing more; return its name."""
        self.epoch()
        owner = secrets.token_hex(16)
        fresh = self.folder / f"{OWNER_PREFIX}{owner}"
        try:
            system.write_file(str(fresh), owner)
            fresh.rename(self.folder / system.OWNER_FILE)
            for leftover in self.folder.iterdir():
                if leftover.name.startswith((system.NEW_PREFIX, system.GONE_PREFIX)):
                    system.discard(str(leftover))
                elif leftover.name.startswith(OWNER_PREFIX):
                    leftover.unlink()
        except OSError as error:
            raise self._unusable(error) from error
        return owner

    def _folder(self, attempt_id: str) -> Path:
        return self.folder / check_attempt_id(attempt_id)

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"the spool {self.folder} cannot be used: {system.say(error)}",
            hint="see that its disk is mounted, writable and not full",
            value=str(self.folder),
        )
