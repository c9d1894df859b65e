"""What is known of one start of one job: tables.

An *attempt* is one start of one job at one place (an agent, or this machine). A connection is never the job: the
place keeps its own record, and the attempt is what we have been told of it so far (ssh-dispatch.md 3.5)::

    QUEUED -> PLACED         the place is written down, and only then is the start sent to it
    PLACED -> STARTED        the place says that the job runs
    STARTED -> ENDED         it says how the job ended, or that it never could be started
    ENDED -> STORED          what the job wrote is safe here
    STORED -> ACKED          the place has thrown its record away; nothing is left to do
    UNKNOWN                  the place does not answer: the same place is asked again, never another one
    LOST                     proof that nobody will ever know how it ended

Two rules follow, and both are promises. ``start`` may be sent again only while the attempt is PLACED and only to that
same place, which starts an attempt once however often it is told to. And an attempt has one ending: what arrives after
it is recorded beside it as ``late`` and applied by nobody but an operator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from ajs.agents import AgentIdentity, remote_place
from ajs.causes import Asked, Cause, Why
from ajs.errors import IllegalEvent
from ajs.fleet import Load
from ajs.lifecycle import Event
from ajs.model import Job

LOCAL = "local"
"""The place of jobs that run on the manager's own machine."""


class AttemptState(Enum):
    """How far an attempt has come, as far as we know."""

    QUEUED = "waits for a place"
    PLACED = "has a place"
    STARTED = "has started"
    ENDED = "has ended"
    STORED = "has ended, and its output is stored"
    ACKED = "is done with"
    UNKNOWN = "does not answer"
    LOST = "is lost"


class AttemptKey(NamedTuple):
    """Which attempt: the generation, the job's path relative to the root, and the number, from 1."""

    generation: int
    path: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended, as its place reports it; instants are UTC by the clock of the place."""

    return_code: int | None = None
    """The job's own return code; None when it left none."""
    signal: int | None = None
    """The signal that ended it, by its number."""
    timed_out: bool = False
    killed: bool = False
    """Whether the place sent signals because it was told to kill the job; that may still have left a return code."""
    started: datetime | None = None
    ended: datetime | None = None
    out_bytes: int = 0
    err_bytes: int = 0
    left: int = field(default=0, compare=False)
    """How many of its processes did not even obey KILL."""
    escaped: int | None = field(default=None, compare=False)
    """How many of its processes moved to a session of their own and live on; None when nobody can know.

    As with those left, a report that says so of a result which was stored without it is no other result.
    """


# -- observations: what dispatch reports --


@dataclass(frozen=True, slots=True)
class Absent:
    """The place has no record of the attempt, and would have one if the start had arrived."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The place has taken the attempt and not started it yet."""


@dataclass(frozen=True, slots=True)
class Running:
    """The job runs."""

    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The job has ended, and the place keeps what it wrote."""

    result: Result


@dataclass(frozen=True, slots=True)
class Lost:
    """Proof that how it ended will never be known: the machine restarted, or is gone."""

    why: str


@dataclass(frozen=True, slots=True)
class FailedToStart:
    """Proof that the job was not started, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The place did not answer in time; ``since`` is when it last did."""

    since: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """What the job wrote is fetched and safe here."""


@dataclass(frozen=True, slots=True)
class Acked:
    """The place has thrown its record away, and would not start the attempt again."""


Observation = Absent | Claimed | Running | Ended | Lost | FailedToStart | NoAnswer | Stored | Acked

_COLUMNS: tuple[type[Observation], ...] = (
    *(Absent, Claimed, Running, Ended, Lost, FailedToStart, NoAnswer, Stored, Acked),
)
_A = AttemptState
_Row = tuple[AttemptState | None, ...]

# fmt: off
_ROWS: Mapping[AttemptState, _Row] = {
    #            Absent     Claimed    Running    Ended     Lost     Failed    NoAnswer   Stored    Acked
    _A.QUEUED:  (None,      None,      None,      None,     None,    None,     None,      None,     None),
    _A.PLACED:  (_A.PLACED, _A.PLACED, _A.STARTED, _A.ENDED, _A.LOST, _A.ENDED, _A.UNKNOWN, None,   None),
    _A.STARTED: (_A.STARTED, _A.STARTED, _A.STARTED, _A.ENDED, _A.LOST, _A.STARTED, _A.UNKNOWN, None, None),
    _A.UNKNOWN: (_A.PLACED, _A.PLACED, _A.STARTED, _A.ENDED, _A.LOST, _A.ENDED, _A.UNKNOWN, None,   None),
    _A.ENDED:   (_A.ENDED,  _A.ENDED,  _A.ENDED,  _A.ENDED, _A.ENDED, _A.ENDED, _A.ENDED, _A.STORED, None),
    _A.STORED:  (_A.STORED, _A.STORED, _A.STORED, _A.STORED, _A.STORED, _A.STORED, _A.STORED, _A.STORED, _A.ACKED),
    _A.ACKED:   (_A.ACKED,) * 9,
    _A.LOST:    (_A.LOST,) * 7 + (None, None),
}
_SILENT_AFTER_START: _Row = (
    _A.UNKNOWN, _A.UNKNOWN, _A.STARTED, _A.ENDED, _A.LOST, _A.UNKNOWN, _A.UNKNOWN, None, None,
)
# fmt: on

TABLE: Mapping[AttemptState, Mapping[type[Observation], AttemptState | None]] = {
    state: dict(zip(_COLUMNS, row, strict=True)) for state, row in _ROWS.items()
}
"""State, observation → state; None where nothing was asked that could be answered so."""
SILENT_AFTER_START: Mapping[type[Observation], AttemptState | None] = dict(
    zip(_COLUMNS, _SILENT_AFTER_START, strict=True)
)
"""UNKNOWN once the job was seen running: it can never be PLACED again, whatever a late answer says."""

TAKES_SLOT = frozenset({_A.PLACED, _A.STARTED, _A.UNKNOWN})
"""While it may run it counts as running, whatever its unit's status says (execution.md 2.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One start of one job; instants are UTC.

    ``place`` never changes; ``relay`` is the relay agent through which it was last heard of, "" without one.
    ``why`` says why it could not be started or how it was lost. ``silent_since`` is set while UNKNOWN. ``late`` is
    a result that came after the attempt had its ending.
    """

    generation: int
    path: str
    number: int
    state: AttemptState
    place: str = ""
    relay: str = ""
    placed: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    result: Result | None = None
    why: str = ""
    silent_since: datetime | None = None
    late: Result | None = None

    @property
    def key(self) -> AttemptKey:
        """Which attempt this is."""
        return AttemptKey(self.generation, self.path, self.number)

    @property
    def may_start(self) -> bool:
        """Whether ``start`` may be sent, for the first time or again, to ``place`` and nowhere else."""
        return self.state is AttemptState.PLACED


def queued(key: AttemptKey) -> Attempt:
    """Return a new attempt that waits for a place."""
    return Attempt(
        generation=key.generation, path=key.path, number=key.number, state=AttemptState.QUEUED
    )


def placed(attempt: Attempt, place: str, at: datetime, relay: str = "") -> Attempt:
    """Return the attempt with its place and the relay agent to send it through.

    Raises ``IllegalEvent`` unless it is QUEUED, so a place never changes.
    """
    _only_queued(attempt, f"be placed at {place}")
    return replace(attempt, state=AttemptState.PLACED, place=place, placed=at, relay=relay)


def withdrawn(attempt: Attempt) -> Attempt:
    """Return the attempt done with, without ever having had a place; raises ``IllegalEvent`` unless QUEUED."""
    _only_queued(attempt, "be withdrawn")
    return replace(attempt, state=AttemptState.ACKED)


def _only_queued(attempt: Attempt, what: str) -> None:
    if attempt.state is not AttemptState.QUEUED:
        raise _illegal(attempt, what)


def _illegal(attempt: Attempt, what: str) -> IllegalEvent:
    return IllegalEvent(
        f"attempt {attempt.number} of {attempt.path} in state {attempt.state.name} cannot {what}",
        hint="this is an error in ajs, please report it",
        unit=attempt.path,
        value=attempt.state.name,
    )


def observe(attempt: Attempt, what: Observation, at: datetime) -> Attempt:
    """Return what is known of the attempt after an observation that arrived at this UTC instant.

    Answers may come late, twice, or in the wrong order: one that says nothing new returns the attempt unchanged.
    Raises ``IllegalEvent`` for one that nobody can have asked for.
    """
    silent = attempt.state is AttemptState.UNKNOWN and attempt.started is not None
    row = SILENT_AFTER_START if silent else TABLE[attempt.state]
    state = row[type(what)]
    if state is None:
        raise _illegal(attempt, f"be reported {type(what).__name__}")
    if attempt.state in (AttemptState.LOST, AttemptState.ENDED, AttemptState.STORED):
        attempt = _beside(attempt, what)
    if attempt.state is state:
        return attempt
    return _learnt(replace(attempt, state=state, silent_since=None), what, at)


def _beside(attempt: Attempt, what: Observation) -> Attempt:
    """Return an attempt that has its ending with a second one beside it, the first such only."""
    if isinstance(what, Ended) and attempt.late is None and what.result != attempt.result:
        return replace(attempt, late=what.result)
    return attempt


def _learnt(attempt: Attempt, what: Observation, at: datetime) -> Attempt:
    match what:
        case Running(started):
            return replace(attempt, started=attempt.started or started or at)
        case Ended(result):
            started = attempt.started or result.started or at
            return replace(attempt, started=started, ended=result.ended or at, result=result)
        case FailedToStart(why) | Lost(why):
            return replace(attempt, ended=at, why=why)
        case NoAnswer(since):
            return replace(attempt, silent_since=since)
        case Absent() | Claimed() | Stored() | Acked():
            return attempt


def taken(attempts: Iterable[Attempt]) -> tuple[int, Load]:
    """Return how many slots these attempts take: on the manager's machine, and on agents."""
    here, at, through = 0, Counter[AgentIdentity](), Counter[str]()
    for attempt in attempts:
        if attempt.state in TAKES_SLOT:
            place = remote_place(attempt.place)
            if place is None:
                here += 1
            else:
                at[place.agent] += 1
                through[attempt.relay] += 1
    return here, Load(agents=at, relays=through)


# -- what an ending means for the job --


class Ending(NamedTuple):
    """What happens to the job: the event, its cause, and the job's own return code if it gave one."""

    event: Event
    cause: Cause
    return_code: int | None


def ending(attempt: Attempt, job: Job, asked: Asked | None = None) -> Ending | None:
    """Return what the attempt's ending means for its job, or None while it has none (execution.md 1.2, 1.10).

    A return code above ``abnormal_above`` is abnormal, else above ``warning_above`` a warning. What a signal or the
    timeout ended was killed; so was what an operator's kill, ``asked``, reached, whatever return code it left. A job
    that was faster than the kill has ended as it did.
    """
    result = attempt.result
    if attempt.state is AttemptState.LOST:
        return Ending(Event.LOSE, Cause(Why.LOST, value=attempt.why), None)
    if result is not None:
        return _judged(result, job, asked)
    if attempt.ended is None:
        return None
    return Ending(Event.FAIL, Cause(Why.NOT_STARTED, value=attempt.why), None)


def _judged(result: Result, job: Job, asked: Asked | None) -> Ending:
    code = result.return_code
    if asked is not None and result.killed:
        return Ending(Event.KILL, Cause(Why.KILLED, value=asked.text), None)
    if result.timed_out:
        return Ending(Event.KILL, Cause(Why.TIMED_OUT, value=str(job.timeout_s)), None)
    if result.signal is not None or code is None:
        cause = Cause(Why.SIGNAL, value=str(result.signal))
        if asked is not None:
            cause = Cause(Why.KILLED, value=asked.text)
        return Ending(Event.KILL, cause, None)
    if code > job.abnormal_above:
        above = Cause(Why.ABOVE_ABNORMAL, value=str(code), limit=str(job.abnormal_above))
        return Ending(Event.END_ABNORMAL, above, code)
    if job.warning_above is not None and code > job.warning_above:
        above = Cause(Why.ABOVE_WARNING, value=str(code), limit=str(job.warning_above))
        return Ending(Event.END_WARNING, above, code)
    return Ending(Event.END_NORMAL, Cause(Why.RETURN_CODE, value=str(code)), code)
