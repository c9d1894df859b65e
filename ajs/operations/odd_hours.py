"""The hours in which the clocks of a time zone change: those that are left out and those that come twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ajs.lint import OddHour
from ajs.operations.times import LEFT_OUT, TWICE

CLOCK_DAYS = 400
"""How far ahead changes of the clock are looked for, in days: the next one of each kind is among them."""


def odd_hours(zone_name: str, now: datetime) -> tuple[OddHour, ...]:
    """Return the coming wall-clock spans that do not exist or exist twice, with what happens to a start there.

    >>> [span.first.isoformat() for span in odd_hours("Europe/Berlin", datetime(2026, 8, 1, tzinfo=UTC))]
    ['2026-10-25T02:00:00', '2027-03-28T02:00:00']
    """
    zone = ZoneInfo(zone_name)
    found = []
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(CLOCK_DAYS):
        following = day + timedelta(days=1)
        shift = _offset(zone, following) - _offset(zone, day)
        if shift:
            found.append(_span(zone, day, following, shift))
        day = following
    return tuple(found)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _span(zone: ZoneInfo, before: datetime, after: datetime, shift: timedelta) -> OddHour:
    old = _offset(zone, before)
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    instant = after.replace(second=0, microsecond=0)
    wall = (instant.astimezone(UTC) + old).replace(tzinfo=None)
    if shift > timedelta():
        return OddHour(wall, wall + shift, LEFT_OUT)
    return OddHour(wall + shift, wall, TWICE)
