"""What people type for dates, times and shifts → typed values, or a clear complaint.

Dates are ``2026/08/13`` or ``2026-08-13``; year, or year and month, may be left out and are then today's (commands.md
3.1). Times are ``h[:mm]`` with hours 0..47.
"""

from __future__ import annotations

import re
from datetime import date

from ajs.attributes import LEAST_PRIORITY, MOST_PRIORITY
from ajs.calendar import TypedDay
from ajs.delays import MOST_MINUTES, NOT_MONITORED, Limit, Since, limit_from
from ajs.errors import BadValue

MAX_HOUR = 47
MAX_MINUTE = 59


def typed_day(option: str, text: str) -> TypedDay:
    """Return the date that was typed, perhaps without its year, or without year and month."""
    parts = re.fullmatch(r"(?:(?:([0-9]{4})[/-])?([0-9]{1,2})[/-])?([0-9]{1,2})", text.strip())
    if parts is None:
        raise BadValue(
            f"{option} {text!r} is not a date",
            hint="write 2026/08/13 or 2026-08-13; the year, or year and month, may be left out",
            value=text,
        )
    year, month, day = (int(p) if p else None for p in parts.groups())
    return TypedDay(day or 0, month, year, option)


def typed_date(option: str, text: str, today: date) -> date:
    """Return the date that was typed, with what was left out taken from ``today``."""
    return typed_day(option, text).on(today)


def typed_time(option: str, text: str) -> int:
    """Return the minutes after 0:00 of a time that was typed, 0..2879."""
    parts = re.fullmatch(r"([0-9]{1,2})(?::([0-9]{2}))?", text.strip())
    if parts is not None:
        hour, minute = int(parts[1]), int(parts[2] or 0)
        if hour <= MAX_HOUR and minute <= MAX_MINUTE:
            return hour * 60 + minute
    raise BadValue(
        f"{option} {text!r} is not a time",
        hint="write h:mm with hours 0 to 47; 25:30 is 1:30 of the next day",
        value=text,
    )


def typed_shift(option: str, text: str, unit: str, most: int) -> int:
    """Return a signed whole number of days or minutes, at most ``most`` either way; no sign means later."""
    if re.fullmatch(r"[+-]?[0-9]{1,9}", text.strip()) and abs(int(text)) <= most:
        return int(text)
    raise BadValue(
        f"{option} {text!r} is not a number of {unit} from -{most} to {most}",
        hint=f"{option} 2 is 2 {unit} later, {option} -2 is 2 {unit} earlier; give a date and time for more",
        value=text,
    )


def typed_priority(option: str, text: str) -> int | None:
    """Return the priority that was typed, None for ``none``."""
    if text.strip() == "none":
        return None
    if re.fullmatch(f"[{LEAST_PRIORITY}-{MOST_PRIORITY}]", text.strip()):
        return int(text)
    raise BadValue(
        f"{option} {text!r} is not a priority",
        hint=f"write {LEAST_PRIORITY} (lowest) to {MOST_PRIORITY}, or none for the one by definition",
        value=text,
    )


def typed_limit(option: str, text: str) -> Limit:
    """Return the limit for a start or an end that was typed."""
    limit = limit_from(text.strip())
    if limit is None or limit.since is Since.STARTED:
        raise BadValue(
            f"{option} {text!r} is no time by which to start or end",
            hint="write h:mm up to 47:59; M-90, U-90 or C-90 for 90 (0 to 2879) minutes after the scheduled start of "
            "the root jobnet, the upper jobnet or itself; or none",
            value=text,
        )
    return limit


def typed_length(option: str, text: str) -> Limit:
    """Return how many minutes a run may take, as it was typed."""
    if text.strip() == "none":
        return NOT_MONITORED
    if re.fullmatch(r"[1-9][0-9]{0,3}", text.strip()) and int(text) <= MOST_MINUTES:
        return Limit(int(text), Since.STARTED)
    raise BadValue(
        f"{option} {text!r} is not a number of minutes from 1 to {MOST_MINUTES}",
        hint="write how many minutes it may run, or none",
        value=text,
    )


def typed_duration(option: str, text: str) -> int:
    """Return the seconds of ``90``, ``90s``, ``15m`` or ``2h``."""
    parts = re.fullmatch(r"([0-9]{1,7})\s*(s|m|h|d)?", text.strip())
    if parts is None:
        raise BadValue(
            f"{option} {text!r} is not a length of time", hint="write 90s, 15m or 2h", value=text
        )
    return int(parts[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[parts[2] or "s"]
