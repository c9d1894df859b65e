"""Why a status changed or a unit waits: short data that can be stored and read out as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Why(Enum):
    """Why a status changed, or why a unit waits; the name is stored, the value is how it reads."""

    START_TIME = "its start time {value} has come"
    UPPER_RUNS = "its upper jobnet runs"
    PREDECESSOR = "predecessor {unit} {ended}"
    NOT_NEEDED = "there is nothing to recover: predecessor {unit} {ended}"
    NOTHING_BEFORE = "a recovery unit without predecessors has nothing to recover"
    UPPER_ENDED = "its upper jobnet {unit} {ended}"
    PROHIBITED = "its execution is prohibited"
    NOT_SCHEDULED = "it has no schedule in this generation"
    UPPER_NOT_PLANNED = "its upper jobnet {unit} is not scheduled to execute"
    PLANNED_AGAIN = "it is scheduled to execute again"
    HELD = "it is held"
    RELEASED = "it was released from hold"
    INTERRUPTED = "the root jobnet was interrupted by {value}"
    INTERRUPT_ASKED = "what runs may end and nothing new starts: interrupted by {value}"
    NO_SLOT = "no more than {value} jobs may run at once"
    JOB_STARTED = "the job has started"
    RETURN_CODE = "return code {value}"
    ABOVE_WARNING = "return code {value} above warning threshold {limit}"
    ABOVE_ABNORMAL = "return code {value} above abnormal threshold {limit}"
    TIMED_OUT = "it ran longer than its timeout of {value} s"
    SIGNAL = "signal {value} ended it"
    KILLED = "killed by {value}"
    KILLED_BEFORE = "killed before it started, by {value}"
    UPPER_KILLED = "its upper jobnet {unit} was killed by {value}"
    KILL_ASKED = "to be killed, by {value}"
    NOT_STARTED = "it could not be started: {value}"
    LOST = "how it ended cannot be known: {value}"
    BELOW = "unit {unit} {ended}"
    ALL_ENDED = "all its units have ended"
    EMPTY = "it has no units"
    HELD_AFTER = "it is held because the run {limit} before it {ended}"
    HELD_NO_MORE = "how the run before it ended no longer holds it"
    NO_MANAGER = "no manager ran at its start time {value}"
    NOT_TODAY = "the manager was started with nothing of that day to run"
    PREVIOUS_RUNS = "the run {value} of the same root jobnet was still going"
    WAITS_PREVIOUS = "the run {value} of the same root jobnet has not ended"
    PREVIOUS_ENDED = "the run of the same root jobnet that it waited for has ended"
    WAITS_UPPER = "its upper jobnet {unit} has not started"
    WAITS_PREDECESSOR = "predecessor {unit} has not ended"
    WAITS_TIME = "its start time is {value}"
    NO_DESTINATION = "its destination {value} is no longer defined"
    NO_AGENT = "no agent behind {value} can be used: {limit}"
    AGENTS_FULL = "the agents behind {value} run {limit} jobs, as many as they may"
    NO_RELAY_AGENT = "its relay {value} is no longer defined"
    RELAYS_DOWN = "no relay agent of {value} can be used: {limit}"
    RELAYS_FULL = "the relay agents of {value} carry {limit} jobs, as many as they may"
    WAITS_ANSWER = "it was handed over, and its place has not answered yet"
    NO_CONTACT = "no contact since {value}"
    NO_WAY = "no contact since {value}: {limit}"
    START_DELAYED = "its start is delayed: it had not started by {value}"
    END_DELAYED = "its end is delayed: it had not ended by {value}"


@dataclass(frozen=True, slots=True)
class Asked:
    """An operator's order to kill or interrupt: the number of the operation, who gave it, and why ("" if not said)."""

    operation: int
    by: str
    reason: str = ""

    @property
    def text(self) -> str:
        """Who and why, as a cause says it.

        >>> Asked(7, "hanako", "the bank is down").text
        'hanako: the bank is down'
        """
        return f"{self.by}: {self.reason}" if self.reason else self.by


ENDED_WORDS: Mapping[str, str] = {
    "NORMAL": "ended normally",
    "WARNING": "ended with warning",
    "ABNORMAL": "ended abnormally",
    "UNEXEC": "was not executed",
    "BYPASS": "was bypassed",
    "EXECDEFFER": "was skipped",
    "INTERRUPT": "was interrupted",
    "KILL": "was killed",
    "FAIL": "failed to start",
    "UNKNOWN": "has an unknown end status",
    "WACONT": "has a warning below it",
    "ABCONT": "has a failure below it",
}


MISSED = frozenset({Why.NO_MANAGER, Why.NOT_TODAY})
"""Causes for which a run that is skipped counts as missed: nothing of its own kept it from running."""
DELAYED = frozenset({Why.START_DELAYED, Why.END_DELAYED})
"""Causes of what comes too late; no status changes with them."""
TIMES = (
    frozenset({Why.START_TIME, Why.NO_MANAGER, Why.WAITS_TIME, Why.NO_CONTACT, Why.NO_WAY})
    | DELAYED
)
"""Causes whose value is a wall-clock time."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one status changed, or why a unit waits, as data that can be stored.

    ``unit`` is the path of the unit that caused it, relative to the root. ``value`` and ``limit`` are what ``why``
    needs besides: a return code and its threshold, a time, or the name of the status in which ``unit`` ended.
    """

    why: Why
    unit: str = ""
    value: str = ""
    limit: str = ""

    @property
    def text(self) -> str:
        """The cause as people read it.

        >>> Cause(Why.PREDECESSOR, "total", "ABNORMAL").text
        'predecessor total ended abnormally'
        """
        is_time = self.why in TIMES
        return self.why.value.format(
            unit=self.unit or "at the root",
            value=self.value.replace("T", " ") if is_time else self.value,
            limit=self.limit,
            ended=ENDED_WORDS.get(self.value, ""),
        )
