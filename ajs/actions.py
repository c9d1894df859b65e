"""What a decision tells the shell to do: a union of values.

``Commit`` actions change stored state and are committed together, in order, before any ``Send`` is done. Every action
has an ``id`` made from generation, path and step, so that a repeat is recognised: the same decision made twice from
the same stored state has the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from ajs.attempts import (
    Absent,
    Acked,
    Attempt,
    AttemptKey,
    AttemptState,
    Claimed,
    Ended,
    FailedToStart,
    Lost,
    NoAnswer,
    Observation,
    Running,
    Stored,
)
from ajs.causes import Cause
from ajs.delays import Delay
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.model import Job

# -- stored state --


@dataclass(frozen=True, slots=True)
class StartGeneration:
    """The generation starts: its units as they are at first, all waiting but the root, which was ``before``."""

    live: LiveGeneration
    before: Status
    cause: Cause

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.live.id}:start"


@dataclass(frozen=True, slots=True)
class SkipGeneration:
    """The generation ends as *Skipped so not exe.* without having started (rule book 6.9)."""

    generation: int
    cause: Cause

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:skip"


@dataclass(frozen=True, slots=True)
class HoldGeneration:
    """The generation waits on at its start time, because its root is held: *Being held*."""

    generation: int
    version: int
    cause: Cause

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:hold@{self.version}"

    @property
    def status(self) -> Status:
        """The status in which it waits on."""
        return Status.HOLDING


@dataclass(frozen=True, slots=True)
class AwaitPrevious:
    """The generation waits on for the end of a run of the same root jobnet: *Wait for prev. to end* (6.9)."""

    generation: int
    version: int
    cause: Cause

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:await@{self.version}"

    @property
    def status(self) -> Status:
        """The status in which it waits on."""
        return Status.TERMWAIT


@dataclass(frozen=True, slots=True)
class ChangeUnit:
    """One unit of a live generation goes from ``before`` to the status in ``run``: the one change, the one cause.

    ``version`` is the generation's before the decision.
    """

    generation: int
    version: int
    before: Status
    run: UnitRun
    cause: Cause

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:{self.run.path}:{self.run.status.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class QueueAttempt:
    """A new attempt is written down; it waits for a slot."""

    attempt: Attempt

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.attempt.key, "queue")


@dataclass(frozen=True, slots=True)
class PlaceAttempt:
    """An attempt, new or queued, is written down with its place, before anything is sent there."""

    attempt: Attempt

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.attempt.key, "place")


@dataclass(frozen=True, slots=True)
class ChangeAttempt:
    """What is known of an attempt goes on from the state ``before``; one that never had a place may be new."""

    attempt: Attempt
    before: AttemptState

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        late = "+late" if self.attempt.late is not None else ""
        return _attempt_id(self.attempt.key, f"{self.before.name}-{self.attempt.state.name}{late}")


@dataclass(frozen=True, slots=True)
class EndGeneration:
    """The generation has ended with this status of its root; all its units have ended."""

    generation: int
    status: Status

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:end"


# -- to dispatch --
#
# ``relay`` is the relay agent to go through first; another one of its group leads to the same agent.


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Start the job at this place and nowhere else, unless the place has this attempt already; then watch it.

    A watch goes on over *Claimed* and *Running* until it reports how the attempt ended, that it is absent or lost,
    that it failed to start, or that there was no answer; dispatch leaves time between answers of the last kind.
    """

    key: AttemptKey
    place: str
    job: Job
    relay: str = ""

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return self.id_of(self.key)

    @staticmethod
    def id_of(key: AttemptKey) -> str:
        """Return the id that the start of this attempt has."""
        return _attempt_id(key, "start")


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask the place what it knows of the attempt, starting nothing; then watch it as ``StartAttempt`` does."""

    key: AttemptKey
    place: str
    relay: str = ""

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.key, "ask")


@dataclass(frozen=True, slots=True)
class KillAttempt:
    """Kill the job; how it ended is reported by the watch."""

    key: AttemptKey
    place: str
    relay: str = ""

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.key, "kill")


@dataclass(frozen=True, slots=True)
class StoreResult:
    """Fetch what the job wrote and make it safe here; the answer is *Stored*."""

    key: AttemptKey
    place: str
    relay: str = ""

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.key, "store")


@dataclass(frozen=True, slots=True)
class AckAttempt:
    """Let the place throw its record away, keeping so much that it never starts the attempt; answer *Acked*."""

    key: AttemptKey
    place: str
    relay: str = ""

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return _attempt_id(self.key, "ack")


@dataclass(frozen=True, slots=True)
class DetectDelay:
    """A jobnet has not started, or not ended, by its limit: noted once, and its ``status`` stays.

    ``waits``: the generation itself has not started. ``version`` is the generation's before the decision.
    """

    generation: int
    version: int
    path: str
    delay: Delay
    status: Status
    cause: Cause
    waits: bool

    @property
    def id(self) -> str:
        """What makes a repeat recognisable."""
        return f"{self.generation}:{self.path}:late {self.delay.value}"


Commit = (
    StartGeneration
    | SkipGeneration
    | HoldGeneration
    | AwaitPrevious
    | ChangeUnit
    | QueueAttempt
    | PlaceAttempt
    | ChangeAttempt
    | EndGeneration
    | DetectDelay
)
Send = StartAttempt | AskAgain | KillAttempt | StoreResult | AckAttempt


def _attempt_id(key: AttemptKey, step: str) -> str:
    return f"{key.generation}:{key.path}#{key.number}:{step}"


def closes(key: AttemptKey, what: Observation) -> frozenset[str]:
    """Return the ids of the ``Send`` actions that an observation answers, so that they may be sent again."""
    return frozenset(_attempt_id(key, step) for step in _closed_steps(what))


def _closed_steps(what: Observation) -> tuple[str, ...]:
    match what:
        case Claimed():
            return ()
        case Running():
            # A kill that came before the job had started hit nothing.
            return ("kill",)
        case Absent() | Ended() | Lost() | FailedToStart():
            return ("start", "ask", "kill")
        case NoAnswer():
            return ("start", "ask", "kill", "store", "ack")
        case Stored():
            return ("store",)
        case Acked():
            return ("ack",)
