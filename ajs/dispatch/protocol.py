"""What the manager and a destination agent say to each other: requests as bytes, answers as values. No I/O.

The agent's end is ``agent.sh``; ``answers.py`` reads what it says, ``launching.py`` has the command lines that call it
and the script that becomes the job. Grammar, guarantees and an example: docs/reference/agent-protocol.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256

from ajs import attempts
from ajs.dispatch import messages
from ajs.dispatch.messages import Lost, Remains, Standing, Stream, check_attempt_id

PROTOCOL = 1
MOST_PAYLOAD = 64 << 20
QUOTED_BYTES = 200
NONCE = re.compile(r"[A-Za-z0-9]{8,64}")
IDENTITY = re.compile(r"[A-Za-z0-9-]{1,64}")


# -- requests --


@dataclass(frozen=True, slots=True)
class Hello:
    """Who are you, and what is missing there?"""


@dataclass(frozen=True, slots=True)
class List:
    """How does every attempt stand that you keep?"""


@dataclass(frozen=True, slots=True)
class State:
    """How does this attempt stand?"""

    attempt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Run this attempt, if it has never been there.

    ``epoch`` and ``boot_id`` say which agent is meant, ``not_after`` until when, in seconds of that agent's uptime; all
    three stay the same however often an attempt is sent. ``launch`` is the script of ``launching.launch_script``,
    ``file`` the job file that goes with it. Times go in whole seconds, rounded up. Raises ValueError for what no agent
    would take.
    """

    attempt_id: str
    epoch: str
    boot_id: str
    not_after: int
    launch: bytes
    file: bytes = b""
    timeout_s: float | None = None
    kill_after_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what could not be said."""
        check_attempt_id(self.attempt_id)
        for what in (self.epoch, self.boot_id):
            if not IDENTITY.fullmatch(what):
                raise ValueError(f"{what!r} is neither an epoch nor a boot id")
        if self.not_after < 0 or self.kill_after_s < 0:
            raise ValueError(f"attempt {self.attempt_id} has a negative time")
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise ValueError(f"attempt {self.attempt_id} has a timeout of {self.timeout_s} seconds")
        if not self.launch:
            raise ValueError(f"attempt {self.attempt_id} has no launch script")
        if len(self.launch) + len(self.file) > MOST_PAYLOAD:
            raise ValueError(f"attempt {self.attempt_id} takes more than {MOST_PAYLOAD} bytes")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Give me up to ``most`` bytes of what the job wrote, from byte ``offset`` on."""

    attempt_id: str
    stream: Stream
    offset: int
    most: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End this job: TERM, and KILL after the time given with its start."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class Ack:
    """Forget this attempt: result and output are safe here, and it must never start again."""

    attempt_id: str


Request = Hello | List | State | Start | Fetch | Kill | Ack


def build(requests: Sequence[Request]) -> bytes:
    """Return what goes to the helper's stdin; ValueError for an attempt id that is not a plain name."""
    return b"".join(_line(request) for request in requests)


def _line(request: Request) -> bytes:
    match request:
        case Hello():
            return b"hello\n"
        case List():
            return b"list\n"
        case State(attempt_id) | Kill(attempt_id) | Ack(attempt_id):
            return _words(type(request).__name__.lower(), attempt_id)
        case Fetch(attempt_id, stream, offset, most):
            return _words("fetch", attempt_id, stream.value, offset, most)
        case Start(attempt_id=attempt_id, launch=launch, file=file):
            times = (math.ceil(request.timeout_s or 0), math.ceil(request.kill_after_s))
            identity = (request.epoch, request.boot_id, request.not_after)
            sizes = (*_size(launch), *_size(file))
            return _words("start", attempt_id, *identity, *times, *sizes) + launch + file


def _words(verb: str, attempt_id: str, *more: str | int) -> bytes:
    words = (verb, check_attempt_id(attempt_id), *more)
    return " ".join(map(str, words)).encode("ascii") + b"\n"


def _size(payload: bytes) -> tuple[int, str]:
    return len(payload), sha256(payload).hexdigest() if payload else "-"


# -- answers --


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who answers, said before every answer: *absent* is proof only under the epoch the attempt was placed under."""

    epoch: str
    boot_id: str
    uptime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """The answer to ``Hello``; what the agent cannot find out is None.

    ``address`` and ``port`` are its own end of the connection. ``init_ticks`` is when process 1 began, in clock ticks
    (boot ids repeat inside containers). ``missing`` names the tools that are not there.
    """

    address: str | None
    port: int | None
    init_ticks: int | None
    clock: datetime
    free_kb: int | None
    hostname: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tomb:
    """The attempt is done with: acknowledged, nothing is left of it, and it starts no more."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The attempt is not there and its ``not_after`` has passed: it never ran and never will."""


@dataclass(frozen=True, slots=True)
class Other:
    """The epoch or the boot is not the one asked for: nothing was started, and of the attempt nothing is known."""

    epoch_differs: bool


@dataclass(frozen=True, slots=True)
class Stands:
    """How an attempt stands. ``age_s`` is since when it has been *Claimed*, where that is known."""

    attempt_id: str
    standing: Standing | Tomb | Expired | Other
    age_s: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Every attempt the agent keeps, tombs not counted."""

    standings: Mapping[str, Stands]


@dataclass(frozen=True, slots=True)
class Damaged:
    """The start did not arrive as it was sent and did nothing; send it again. Nothing is said of the attempt."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a job's output from ``offset`` on; the file has ``size`` bytes so far."""

    attempt_id: str
    stream: Stream
    offset: int
    content: bytes
    size: int


@dataclass(frozen=True, slots=True)
class KillOrdered:
    """How the attempt stood when it was killed; ``survivors`` counts processes that still carry its name, anywhere."""

    stands: Stands
    survivors: int


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """The helper could not read this request."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The helper stopped before this request; ask again."""


Answer = Introduction | Listed | Stands | Damaged | Data | KillOrdered | Misunderstood | Unanswered


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole conversation: one answer for each request, in their order."""

    agent: Agent
    answers: tuple[Answer, ...]


class Problem(Enum):
    """Why nothing can be taken from what arrived."""

    NO_BEGINNING = "the helper did not begin to answer"
    CUT = "the answer ends early"
    NONSENSE = "the answer cannot be understood"
    FOREIGN = "something else wrote into the answer"
    OTHER_PROTOCOL = "the helper speaks another version of the protocol"
    BROKEN = "the helper cannot work there"


@dataclass(frozen=True, slots=True)
class Unheard:
    """Nothing is known from this conversation; ``said`` quotes where it went wrong, 200 bytes at most."""

    problem: Problem
    said: bytes

    def __str__(self) -> str:
        """What went wrong, for people."""
        return f"{self.problem.value}: {self.said.decode('utf-8', 'backslashreplace')!r}"


def observed(stands: Stands) -> attempts.Observation | None:
    """Return what this means in the manager's books; None for ``Other``, which says nothing of the attempt.

    ``FailedToStart`` of a refused start is final only when no other start of the attempt is on its way.
    """
    match stands.standing:
        case Tomb():
            return attempts.Acked()
        case Expired():
            return attempts.FailedToStart("the start reached the agent too late")
        case Other():
            return None
        case Lost(restarted=True):
            return attempts.Lost("the agent was restarted")
        case Lost(remains=remains) if remains is not Remains.NEVER_RAN:
            return attempts.Lost(f"the runner of the job on the agent is gone; {remains.value}")
        case standing:
            return messages.observed(standing)
