"""The statuses of units: AJS3's names, verbatim (execution.md 3.3). Light, so that a cold command can read them out.

The constant is what machine output shows, the text what people read. What changes a status is in ``lifecycle``.
"""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The status of a root jobnet, nested jobnet or job; ``text`` is its name for people."""

    NOPLAN = "Not sched. to exe."
    TIMEWAIT = "Wait for start time"
    TERMWAIT = "Wait for prev. to end"
    HOLDING = "Being held"
    EXECWAIT = "Waiting to execute"
    QUEUING = "Now queuing"
    RUNNING = "Now running"
    WACONT = "Running + Warning"
    ABCONT = "Running + Abend"
    NORMAL = "Ended normally"
    WARNING = "Ended with warning"
    ABNORMAL = "Ended abnormally"
    UNEXEC = "Not executed + Ended"
    BYPASS = "Bypassed"
    EXECDEFFER = "Skipped so not exe."
    INTERRUPT = "Interrupted"
    KILL = "Killed"
    FAIL = "Failed to start"
    UNKNOWN = "Unknown end status"

    @property
    def text(self) -> str:
        """The status as people read it."""
        return self.value

    @property
    def waiting(self) -> bool:
        """Whether the unit has not started and may yet."""
        return self in WAITING

    @property
    def running(self) -> bool:
        """Whether the unit runs now."""
        return self in RUNNING

    @property
    def ended(self) -> bool:
        """Whether nothing will change the status but an operator."""
        return self in ENDED


UNREGISTERED = "UNREGISTERED"
"""What machine output shows for a unit that has no status, since it is not registered for execution."""
UNREGISTERED_TEXT = "Not registered"

NOT_LET_GO = frozenset({Status.NOPLAN, Status.TIMEWAIT, Status.TERMWAIT, Status.HOLDING})
"""The unit waits for other units, for its time or for an operator."""
HANDED_OVER = frozenset({Status.EXECWAIT, Status.QUEUING})
"""The job's turn has come, and it waits for its place."""
WAITING = NOT_LET_GO | HANDED_OVER
RUNNING = frozenset({Status.RUNNING, Status.WACONT, Status.ABCONT})
ENDED = frozenset(Status) - WAITING - RUNNING
ENDED_WELL = frozenset({Status.NORMAL, Status.WARNING, Status.BYPASS})
"""Endings that let the units after them go (execution.md 3.2)."""
ABENDED = frozenset({Status.ABNORMAL, Status.INTERRUPT, Status.KILL, Status.FAIL})
"""Endings that let recovery units go (execution.md 3.2)."""
BAD = ABENDED | {Status.UNEXEC, Status.UNKNOWN, Status.EXECDEFFER, Status.ABCONT}
"""What makes the upper jobnet abnormal."""
WARNED = frozenset({Status.WARNING, Status.WACONT})


def holds_next(status: Status, hold_if: str) -> bool:
    """Whether a run with this status holds the next one of a root jobnet with this ``hold: if`` (commands.md 3.7)."""
    if status is Status.WARNING:
        return hold_if == "warning"
    return status.ended and status not in ENDED_WELL


SET_BY_AJS = frozenset({Status.KILL, Status.FAIL})
"""Statuses beside which the return code is not the job's own but ``NO_RETURN_CODE`` (execution.md 1.10)."""
NO_RETURN_CODE = -1
