"""An instant as the plan and as the machine see it.

The plan is written in wall-clock time of the scheduler service's time zone; durations and records use UTC. Both
are read together, once per turn, by ``clock.py``; everything else gets them as an argument.

Comparing wall-clock times gives the declared daylight-saving policy by itself: a start inside the hour that
clocks leave out is due at the first instant after it, and one inside the hour that comes twice is due the first
time (and has started by the second).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant: naive wall-clock time in the service's zone, and aware UTC."""

    wall: datetime
    utc: datetime

    @property
    def stamp(self) -> str:
        """The UTC instant as stored text, ``2026-08-11T13:00:05.123Z``."""
        return utc_text(self.utc)


def utc_text(at: datetime) -> str:
    """Return an aware instant as stored text with milliseconds; texts sort like the instants."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def utc_from_text(text: str) -> datetime:
    """Return the aware UTC instant that ``utc_text`` wrote."""
    return datetime.fromisoformat(text)


def wall_text(at: datetime) -> str:
    """Return a naive wall-clock time as stored text, ``2026-08-11T22:00:00``; texts sort like the times."""
    return at.isoformat(timespec="seconds")
