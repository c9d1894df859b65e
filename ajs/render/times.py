"""Stored times as people read them. All take ISO text; "" stays ""."""

from __future__ import annotations


def minute(at: str) -> str:
    """Return a time to the minute.

    >>> minute("2026-08-11T22:00:05.123+09:00")
    '2026-08-11 22:00'
    """
    return at[:16].replace("T", " ")


def second(at: str) -> str:
    """Return a time to the second.

    >>> second("2026-08-11T22:00:05.123+09:00")
    '2026-08-11 22:00:05'
    """
    return at[:19].replace("T", " ")


def near(at: str, day: str) -> str:
    """Return a time beside a date that is shown too: the clock alone on that day, with the date on another one.

    >>> near("2026-08-11T22:00:00", "2026-08-11"), near("2026-08-12T01:30:00", "2026-08-11")
    ('22:00', '08-12 01:30')
    >>> near("2027-01-01T01:30:00", "2026-12-31")
    '2027-01-01 01:30'
    """
    if at[:10] == day[:10]:
        return at[11:16]
    return minute(at) if at[:4] != day[:4] else minute(at)[5:]


def lasted(started: str, ended: str) -> str:
    """Return how long something took, ``hh:mm:ss``; "" while one end is not known.

    >>> lasted("2026-08-11T22:00:05.100+09:00", "2026-08-12T00:01:04.900+09:00")
    '02:00:59'
    """
    if not started or not ended:
        return ""
    from datetime import datetime

    took = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
    hours, rest = divmod(max(0, int(took.total_seconds())), 3600)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
