"""Delay monitoring: by when a jobnet must have started or ended (rule book 2.3, 7.8).

A limit is said in minutes from somewhere; under a run it becomes a wall-clock time. Only the time from the start of the
jobnet itself (``STARTED``, the required time) does not: it counts from when that really came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum

from ajs.choices import EARLY_TIME_IS_NEXT_DAY

MOST_MINUTES = 47 * 60 + 59
"""The latest time, and the longest time in minutes."""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Since(Enum):
    """What the minutes of a limit count from; the value is the letter of AJS3, where it has one."""

    CLOCK = "clock"
    """0:00 of the execution date."""
    ROOT = "M"
    UPPER = "U"
    OWN = "C"
    """The scheduled start of the root jobnet, of the jobnet above, of the jobnet itself."""
    STARTED = "min"
    """The real start of the jobnet itself."""
    NEVER = "none"
    """It is not monitored."""


class Delay(Enum):
    """What can come too late."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it is said."""

    minutes: int
    since: Since

    @property
    def text(self) -> str:
        """The limit as ajsplan takes it, which is also how it is stored.

        >>> [Limit(*one).text for one in ((630, Since.CLOCK), (90, Since.ROOT), (5, Since.STARTED))]
        ['10:30', 'M-90', '5 min']
        """
        match self.since:
            case Since.CLOCK:
                return f"{self.minutes // 60:02}:{self.minutes % 60:02}"
            case Since.STARTED:
                return f"{self.minutes} min"
            case Since.NEVER:
                return "none"
            case Since.ROOT | Since.UPPER | Since.OWN:
                return f"{self.since.value}-{self.minutes}"


NOT_MONITORED = Limit(0, Since.NEVER)


def limit_from(text: str) -> Limit | None:
    """Return the limit that a text says, None when it says none: hours up to 47, minutes up to 2879."""
    if text == "none":
        return NOT_MONITORED
    found: Limit | None = None
    if clock := re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text):
        found = Limit(int(clock[1]) * 60 + int(clock[2]), Since.CLOCK)
    elif relative := re.fullmatch(r"([MUC])-?([0-9]{1,4})", text):
        found = Limit(int(relative[2]), Since(relative[1]))
    elif length := re.fullmatch(r"([0-9]{1,4}) min", text):
        found = Limit(int(length[1]), Since.STARTED)
    return found if found is not None and found.minutes <= MOST_MINUTES else None


@dataclass(frozen=True, slots=True)
class Starts:
    """The scheduled starts that limits of one jobnet count from, the execution date, and the base time in minutes."""

    root: datetime
    upper: datetime
    own: datetime
    exec_date: date
    base_time: int


def limit_at(limit: Limit, starts: Starts) -> datetime | None:
    """Return the wall-clock time of a limit, inside the one AJS day of the jobnet's own start (rule book 7.8).

    None for one that has no such time.
    """
    minutes = timedelta(minutes=limit.minutes)
    at: datetime
    match limit.since:
        case Since.CLOCK:
            at = datetime.combine(starts.exec_date, time()) + minutes
            if EARLY_TIME_IS_NEXT_DAY and limit.minutes < starts.base_time:
                at += _DAY
        case Since.ROOT:
            at = starts.root + minutes
        case Since.UPPER:
            at = starts.upper + minutes
        case Since.OWN:
            at = starts.own + minutes
        case Since.STARTED | Since.NEVER:
            return None
    base = timedelta(minutes=starts.base_time)
    begins = datetime.combine((starts.own - base).date(), time()) + base
    return min(max(at, begins), begins + _DAY - _MINUTE)


@dataclass(frozen=True, slots=True)
class Watch:
    """By when one jobnet of a run must have started and ended, and how many minutes it may take; None: any."""

    start: datetime | None = None
    end: datetime | None = None
    within: int | None = None


NOT_WATCHED = Watch()

Delays = frozenset[tuple[str, Delay]]
"""Delays that were detected, each with the relative path of its jobnet."""
