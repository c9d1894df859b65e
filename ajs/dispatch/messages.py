"""What is said about one attempt: what to start, how it stands, how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

from ajs import attempts

ATTEMPT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One attempt to start: the command, and all it may see of the world.

    ``environment`` is complete but for a few names (``local.BASE_ENVIRONMENT``) that are taken from the manager
    where it leaves them out. ``timeout_s`` is held by the guard: TERM, and KILL ``kill_after_s`` seconds later; the
    latter also holds for an operator's kill. Raises ValueError for an attempt id that is not a plain name, an
    empty command, or a time that is not positive.
    """

    attempt_id: str
    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o022
    timeout_s: float | None = None
    kill_after_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what no guard could run."""
        check_attempt_id(self.attempt_id)
        if not self.argv:
            raise ValueError(f"attempt {self.attempt_id} has no command")
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise ValueError(f"attempt {self.attempt_id} has a timeout of {self.timeout_s} seconds")
        if self.kill_after_s < 0:
            raise ValueError(
                f"attempt {self.attempt_id} is to be killed after {self.kill_after_s} seconds"
            )


def check_attempt_id(attempt_id: str) -> str:
    """Return the attempt id; ValueError when it cannot be the plain name of a folder."""
    if not ATTEMPT_ID.fullmatch(attempt_id):
        raise ValueError(f"{attempt_id!r} is not an attempt id")
    return attempt_id


class Stream(Enum):
    """The two outputs of a job; the value is the file's name in the spool."""

    OUT = "out"
    ERR = "err"


# -- how a job ended --


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended by itself with this return code, 0 to 255."""

    return_code: int


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal ended the process: the operator's kill, the timeout, the system or anybody (see JobResult)."""

    signal: int


@dataclass(frozen=True, slots=True)
class FailedToStart:
    """The command never began: not found, not executable, no such folder."""

    reason: str


Outcome = Exited | Signalled | FailedToStart


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How an attempt ended, as its guard saw it; instants are aware UTC, sizes bytes.

    ``timed_out`` and ``killed`` say that the guard sent signals for that reason; the job may still have ended with a
    return code of its own. ``left`` counts processes of the job's session that did not even obey KILL. ``escaped``
    counts descendants that moved to another session and live on; None where the system does not let us know.
    """

    outcome: Outcome
    timed_out: bool
    killed: bool
    started: datetime
    ended: datetime
    out_size: int
    err_size: int
    left: int
    escaped: int | None


# -- how an attempt stands --


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing has taken this attempt and no request for it is on its way: it has not run; start it (again)."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Asked for, or taken by a guard, and either not begun yet or ended and not yet written down: wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The guard lives and the job's command has begun."""

    guard_pid: int
    job_pid: int
    started: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The result is on disk."""

    result: JobResult


class Remains(Enum):
    """What can be said of a job whose guard is gone."""

    NEVER_RAN = "the job was never let go"
    GONE = "no process of its session is left"
    THERE = "processes of its session are still there"
    UNKNOWN = "the attempt's record cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The guard is gone and left no result: how the job ended cannot be known.

    ``restarted``: an agent says that it was restarted since.
    """

    remains: Remains
    job_pid: int | None
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The start was refused before anything ran (full disk, no processes left); nothing is left of it."""

    reason: str


Standing = Absent | Claimed | Running | Ended | Lost | NotTaken


def observed(standing: Standing) -> attempts.Observation:
    """Return what this means for the attempt in the manager's books (``ajs/attempts.py``)."""
    match standing:
        case Absent():
            return attempts.Absent()
        case Claimed():
            return attempts.Claimed()
        case Running(started=started):
            return attempts.Running(started)
        case Ended(JobResult(outcome=FailedToStart(reason))) | NotTaken(reason):
            return attempts.FailedToStart(reason)
        case Ended(result):
            return attempts.Ended(_result(result))
        case Lost(remains=remains):
            never_ran = remains is Remains.NEVER_RAN
            kind = attempts.FailedToStart if never_ran else attempts.Lost
            return kind(f"the guard of the job is gone; {remains.value}")


def _result(result: JobResult) -> attempts.Result:
    return attempts.Result(
        return_code=result.outcome.return_code if isinstance(result.outcome, Exited) else None,
        signal=result.outcome.signal if isinstance(result.outcome, Signalled) else None,
        timed_out=result.timed_out,
        killed=result.killed,
        started=result.started,
        ended=result.ended,
        out_bytes=result.out_size,
        err_bytes=result.err_size,
        left=result.left,
        escaped=result.escaped,
    )
