"""One frozen class per kind of start day, and the dates it has in a month.

A month is given by its number. For an absolute day it is a calendar month, for all others it runs from base day to
base day under the calendar (rule book 1.7 to 1.9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum

from ajs.calendar import (
    Calendar,
    calendar_month,
    last_weekday,
    month_number,
    nth_weekday,
    weekday_from,
)
from ajs.choices import MISSING_DAY_IS_LAST


class Counting(Enum):
    """What a day number counts (rule book 2.3, 1.11)."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class RegisteredDay:
    """The AJS day of the registration (rule book 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayNumber:
    """The n-th day of a month: calendar day, day from the base day, open or closed day (3.3, 3.4)."""

    counting: Counting
    number: int
    year: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFromEnd:
    """Counted back from the end of a month, 0 = the last day (rule book 3.5)."""

    counting: Counting
    back: int
    year: int | None = None
    month: int | None = None


class Nth(Enum):
    """Which occurrence of a weekday in a month; ``ANY`` = no number was given (3.6, R12, R29)."""

    FIRST = 1
    SECOND = 2
    THIRD = 3
    FOURTH = 4
    FIFTH = 5
    LAST = "last"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekdayOfMonth:
    """A weekday (0 = Monday) of a month; counting is ABSOLUTE or RELATIVE (rule book 3.6)."""

    counting: Counting
    weekday: int
    nth: Nth
    year: int | None = None
    month: int | None = None


StartDay = RegisteredDay | DayNumber | DayFromEnd | WeekdayOfMonth


def counted_kind(start_day: StartDay) -> bool | None:
    """Return True when the start day counts open days, False for closed days, None otherwise."""
    if not isinstance(start_day, (DayNumber, DayFromEnd)):
        return None
    match start_day.counting:
        case Counting.OPEN:
            return True
        case Counting.CLOSED:
            return False
        case Counting.ABSOLUTE | Counting.RELATIVE:
            return None


def without_month(start_day: StartDay, registered: date) -> date | None:
    """Return the first date of a start day that is not looked for in a month (rule book 3.2, R12)."""
    match start_day:
        case RegisteredDay():
            return registered
        case WeekdayOfMonth(weekday=weekday, nth=Nth.ANY, month=None):
            return weekday_from(registered, weekday)
        case DayNumber() | DayFromEnd() | WeekdayOfMonth():
            return None


def first_month(start_day: StartDay, calendar: Calendar, registered: date) -> int:
    """Return the month of the first date; what is left out is the registration day's (rule book 3.1, R11)."""
    if isinstance(start_day, RegisteredDay):
        return month_number(registered.year, registered.month)
    year, month = start_day.year, start_day.month
    if year is None or month is None:
        here = month_of(start_day, calendar, registered)
        return here if month is None else month_number(here // 12, month)
    return month_number(year, month)


def month_of(start_day: StartDay, calendar: Calendar, day: date) -> int:
    """Return the month of a day: calendar month for absolute days, else from base day to base day (R11)."""
    if _absolute(start_day):
        return month_number(day.year, day.month)
    return calendar.month_of(day)


def _absolute(start_day: StartDay) -> bool:
    return isinstance(start_day, RegisteredDay) or start_day.counting is Counting.ABSOLUTE


# -- the date in a month: what gives it is chosen once, and asked for every month --

InMonth = Callable[[int], date | None]
"""Gives a start day's date in a month given by its number, or None when the month lacks it."""
_Months = Callable[[int], tuple[date, date]]
"""Gives the first and the last day of a month."""


def in_month(start_day: StartDay, calendar: Calendar, registered: date) -> InMonth:
    """Return what gives a start day's date in a month, or None when the month lacks it (rule book 3.3 to 3.6).

    The registered day keeps its day of the month, clamped in short months (R12).
    """
    absolute = _absolute(start_day)
    months = calendar_month if absolute else calendar.span
    open_days = counted_kind(start_day)
    match start_day:
        case RegisteredDay():
            return _nth_day(registered.day, months, missing_is_last=True)
        case DayNumber(number=number):
            if open_days is not None:
                return _nth_of_kind(number, months, calendar, open_days=open_days)
            return _nth_day(number, months, missing_is_last=absolute and MISSING_DAY_IS_LAST)
        case DayFromEnd(back=back):
            if open_days is not None:
                return _kind_from_end(back, months, calendar, open_days=open_days)
            return _day_from_end(back, months)
        case WeekdayOfMonth(weekday=weekday, nth=nth):
            return _weekday(weekday, nth, months)


def _nth_day(number: int, months: _Months, *, missing_is_last: bool) -> InMonth:
    """Return what gives the nth day of a month; beyond its end the last one or None (rule book 3.3)."""

    def found(month: int) -> date | None:
        first, last = months(month)
        day = date.fromordinal(first.toordinal() + number - 1)
        if day <= last:
            return day
        return last if missing_is_last else None

    return found


def _nth_of_kind(number: int, months: _Months, calendar: Calendar, *, open_days: bool) -> InMonth:
    """Return what gives the nth open or closed day of a month, or None beyond its end (rule book 3.4)."""

    def found(month: int) -> date | None:
        first, last = months(month)
        return calendar.nth_from(first, number, open_days=open_days, last=last)

    return found


def _day_from_end(back: int, months: _Months) -> InMonth:
    """Return what gives the day so many days before the last one, or None beyond the first (rule book 3.5, R14)."""

    def found(month: int) -> date | None:
        first, last = months(month)
        day = date.fromordinal(last.toordinal() - back)
        return day if day >= first else None

    return found


def _kind_from_end(back: int, months: _Months, calendar: Calendar, *, open_days: bool) -> InMonth:
    """Return what gives the open or closed day so many ones before the month's last one, or None (rule book 3.5)."""

    def found(month: int) -> date | None:
        first, last = months(month)
        return calendar.nth_back_from(last, back + 1, open_days=open_days, first=first)

    return found


def _weekday(weekday: int, nth: Nth, months: _Months) -> InMonth:
    """Return what gives the nth of a weekday in a month, the first without a number, or None (rule book 3.6)."""
    if nth is Nth.LAST:
        return lambda month: last_weekday(months(month)[1], weekday)
    number = nth.value if isinstance(nth.value, int) else 1

    def found(month: int) -> date | None:
        first, last = months(month)
        return nth_weekday(first, last, weekday, number)

    return found
