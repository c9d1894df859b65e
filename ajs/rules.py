"""Schedule rules and their dates: a start day, wrapped in cycle, substitute and days from start.

A *schedule rule* is a value: what rule book section 2 lists, already checked. Minutes and days are whole
numbers. ``occurrences`` gives the dates of a rule under a calendar; their times are in ``schedule.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import islice
from typing import NamedTuple

from ajs.calendar import LAST_YEAR, Calendar, month_number
from ajs.choices import (
    CYCLE_DAYS_FOLLOW_KIND,
    EARLY_TIME_IS_NEXT_DAY,
    OPEN_DAYS_WITHIN,
    USUAL_SUBSTITUTE,
)
from ajs.delays import Limit
from ajs.start_days import (
    RegisteredDay,
    StartDay,
    counted_kind,
    first_month,
    in_month,
    month_of,
    without_month,
)

MAX_RULES = 144
"""Rules a jobnet may have, numbered 1..144 (rule book 2.1)."""
MOST_DROPPED = 60
"""Days of a rule in a row without a run, after which the search goes on at the next open day."""

_ONE_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_LAST_DAY = date(LAST_YEAR, 12, 31)
# The month after the last year's last one may be named so and yet begin in it.
_END_OF_MONTHS = month_number(LAST_YEAR + 1, 2)


class CycleUnit(Enum):
    """The unit of a processing cycle (rule book 3.7, 3.8)."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Cycle:
    """Every n years, months, weeks or days."""

    every: int
    unit: CycleUnit


class Substitute(Enum):
    """What happens when the date is a closed day (rule book 3.10)."""

    BEFORE = "before"
    AFTER = "after"
    SKIP = "skip"
    RUN = "run"


_SUBSTITUTE = Substitute(USUAL_SUBSTITUTE)


class FromStart(Enum):
    """Which days are counted from the substituted date, and which way (rule book 3.12)."""

    OPEN_BEFORE = "open before"
    OPEN_AFTER = "open after"
    PLAIN_BEFORE = "plain before"
    PLAIN_AFTER = "plain after"


@dataclass(frozen=True, slots=True)
class DaysFromStart:
    """Move the date by n days; open days are looked for within so many plain days (rule book 3.12)."""

    kind: FromStart
    days: int = 1
    within: int = OPEN_DAYS_WITHIN


@dataclass(frozen=True, slots=True)
class StartTime:
    """A start time in minutes: of the rule's date, or after the base time (root) or upper start (nested)."""

    minutes: int = 0
    relative: bool = True

    def after_midnight(self, base_time: int) -> int:
        """Return how many minutes after 0:00 of the rule's date it is, a relative one from the base time (4.1, 4.4)."""
        if self.relative:
            return self.minutes + base_time
        early = EARLY_TIME_IS_NEXT_DAY and self.minutes < base_time
        return self.minutes + _DAY_MINUTES if early else self.minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One schedule rule of a jobnet (rule book 2.3); the defaults are AJS3's.

    ``link`` is the rule number of the upper jobnet that this rule follows; it means nothing on a root.
    ``start_delay`` and ``end_delay`` are when a run that has not started, or ended, counts as delayed.
    """

    number: int = 1
    start_day: StartDay = RegisteredDay()
    start_time: StartTime = StartTime()
    cycle: Cycle | None = None
    substitute: Substitute = _SUBSTITUTE
    shift_days: int = 2
    days_from_start: DaysFromStart | None = None
    link: int = 1
    start_delay: Limit | None = None
    end_delay: Limit | None = None


class Occurrence(NamedTuple):
    """One date that a rule hits, and where the closed days and the days from start put it.

    ``day`` is the date before any shift, ``substituted`` the date after substitution for a closed day, ``runs_on`` the
    one after days from start. None: no run, dropped at that step.
    """

    rule: Rule
    day: date
    substituted: date | None
    runs_on: date | None


# -- from rule to dates: start day -> cycle -> substitute -> days from start (rule book section 3) --


def occurrences(
    rule: Rule,
    calendar: Calendar,
    registered: date,
    since: date,
    counts: Callable[[date], bool],
) -> Iterator[Occurrence]:
    """Yield what a rule hits on days not before ``since`` up to ``LAST_YEAR``, in order of the unshifted day.

    A few earlier ones may come first. ``registered`` is the AJS day of the registration; ``counts`` says whether a run
    of that date still counts after the registration. Only a rule without cycle whose month or year was left out
    asks it: when this month's run does not count, the next month's is taken (R14, R27, R38).

    The order survives the shifts: substitution and days from start never bring two days out of order, so what
    follows is never earlier.
    """
    if since > _LAST_DAY:
        return
    for day in _unshifted(rule, calendar, registered, since, counts):
        if day > _LAST_DAY:
            return
        yield shifted(rule, day, calendar)


def dates(
    rule: Rule,
    calendar: Calendar,
    registered: date,
    since: date,
    counts: Callable[[date], bool],
) -> Iterator[tuple[date, date]]:
    """Yield (unshifted day, day it runs on) of the ``occurrences`` that run on ``since`` or later, without reasons.

    A few earlier ones may come first. After ``MOST_DROPPED`` days in a row without a run the search jumps to where an
    open day is in reach, and ends when none comes: a rule that finds nothing to run on must not be followed day by day
    to the last year.
    """
    stays = rule.days_from_start is None
    closed_too = rule.substitute is Substitute.RUN
    is_open = calendar.is_open
    back, ahead = reach(rule)
    first = date.fromordinal(since.toordinal() - ahead)
    while first <= _LAST_DAY:
        dropped = 0
        for day in _unshifted(rule, calendar, registered, first, counts):
            if day > _LAST_DAY:
                return
            if stays and (closed_too or is_open(day)):
                yield day, day
                dropped = 0
                continue
            runs_on = shifted(rule, day, calendar).runs_on
            if runs_on is not None:
                yield day, runs_on
                dropped = 0
                continue
            dropped += 1
            if dropped == MOST_DROPPED:
                break
        else:
            return
        following = calendar.nth_from(day - timedelta(days=back), 1, open_days=True)
        if following is None:
            return
        first = max(following - timedelta(days=ahead), day + _ONE_DAY)


def reach(rule: Rule) -> tuple[int, int]:
    """Return how many days earlier and how many later than its unshifted day a run's date can lie."""
    back = ahead = 0
    match rule.substitute:
        case Substitute.BEFORE:
            back += rule.shift_days
        case Substitute.AFTER:
            ahead += rule.shift_days
        case Substitute.SKIP | Substitute.RUN:
            pass
    moved = rule.days_from_start
    if moved is not None:
        match moved.kind:
            case FromStart.OPEN_BEFORE:
                back += moved.within
            case FromStart.OPEN_AFTER:
                ahead += moved.within
            case FromStart.PLAIN_BEFORE:
                back += moved.days
            case FromStart.PLAIN_AFTER:
                ahead += moved.days
    return back, ahead


def shifted(rule: Rule, day: date, calendar: Calendar) -> Occurrence:
    """Return what becomes of a day that a rule hits: substitution, then days from start (rule book 3.10, 3.12)."""
    substituted = day if calendar.is_open(day) else _substituted(rule, day, calendar)
    if substituted is None:
        return Occurrence(rule, day, None, None)
    if rule.days_from_start is None:
        return Occurrence(rule, day, substituted, substituted)
    return Occurrence(
        rule, day, substituted, _from_start(rule.days_from_start, substituted, calendar)
    )


def _substituted(rule: Rule, day: date, calendar: Calendar) -> date | None:
    """Return the day on which a run of a closed day runs instead, or None (rule book 3.10)."""
    match rule.substitute:
        case Substitute.BEFORE:
            return _open_before(day, 1, rule.shift_days, calendar)
        case Substitute.AFTER:
            return _open_after(day, 1, rule.shift_days, calendar)
        case Substitute.SKIP:
            return None
        case Substitute.RUN:
            return day


def _from_start(moved: DaysFromStart, day: date, calendar: Calendar) -> date | None:
    """Return the day that lies the days from start away from a day, or None (rule book 3.12)."""
    match moved.kind:
        case FromStart.OPEN_BEFORE:
            return _open_before(day, moved.days, moved.within, calendar)
        case FromStart.OPEN_AFTER:
            return _open_after(day, moved.days, moved.within, calendar)
        case FromStart.PLAIN_BEFORE:
            return day - timedelta(days=moved.days)
        case FromStart.PLAIN_AFTER:
            return day + timedelta(days=moved.days)


def _open_before(day: date, nth: int, within: int, calendar: Calendar) -> date | None:
    first = day - timedelta(days=within)
    return calendar.nth_back_from(day - _ONE_DAY, nth, open_days=True, first=first)


def _open_after(day: date, nth: int, within: int, calendar: Calendar) -> date | None:
    last = day + timedelta(days=within)
    return calendar.nth_from(day + _ONE_DAY, nth, open_days=True, last=last)


# -- unshifted days: start day and cycle --


def _unshifted(
    rule: Rule,
    calendar: Calendar,
    registered: date,
    since: date,
    counts: Callable[[date], bool],
) -> Iterator[date]:
    cycle = rule.cycle
    if cycle is None:
        return iter(_once(rule, calendar, registered, counts))
    match cycle.unit:
        case CycleUnit.YEAR:
            return _every_months(rule.start_day, calendar, registered, since, 12 * cycle.every)
        case CycleUnit.MONTH:
            return _every_months(rule.start_day, calendar, registered, since, cycle.every)
        case CycleUnit.WEEK | CycleUnit.DAY:
            first = _first_date(rule.start_day, calendar, registered)
            if first is None:
                return iter(())
            if cycle.unit is CycleUnit.WEEK:
                return _every_days(first, since, 7 * cycle.every)
            return _every_days_of_kind(rule.start_day, calendar, first, since, cycle.every)


def _once(
    rule: Rule, calendar: Calendar, registered: date, counts: Callable[[date], bool]
) -> tuple[date, ...]:
    """Return the one day of a rule without cycle, or none (rule book 3.1; R14, R27, R38)."""
    start_day = rule.start_day
    if isinstance(start_day, RegisteredDay):
        return (registered,)
    fixed = without_month(start_day, registered)
    if fixed is not None:
        return (fixed,)
    month = first_month(start_day, calendar, registered)
    later: int | None
    if start_day.month is None:
        later = month + 1
    elif start_day.year is None:
        later = month + 12
    else:
        later = None
    day_in = in_month(start_day, calendar, registered)
    day = day_in(month)
    if later is not None and not _still_comes(rule, calendar, day, registered, counts):
        day = day_in(later)
    return () if day is None else (day,)


def _still_comes(
    rule: Rule,
    calendar: Calendar,
    day: date | None,
    registered: date,
    counts: Callable[[date], bool],
) -> bool:
    """Return whether a first day exists and its run still counts; one dropped by the calendar counts by its day."""
    if day is None:
        return False
    runs_on = shifted(rule, day, calendar).runs_on
    return day >= registered if runs_on is None else counts(runs_on)


def _first_date(start_day: StartDay, calendar: Calendar, registered: date) -> date | None:
    """Return where a cycle of days or weeks begins: in the first month that has the start day (R14, R28)."""
    fixed = without_month(start_day, registered)
    if fixed is not None:
        return fixed
    first = first_month(start_day, calendar, registered)
    months = range(first, month_number(LAST_YEAR + 1, 1))
    return next(_days_in(start_day, calendar, registered, months), None)


def _every_months(
    start_day: StartDay, calendar: Calendar, registered: date, since: date, every: int
) -> Iterator[date]:
    """Return the start day evaluated anew in every nth month (rule book 3.8)."""
    first = first_month(start_day, calendar, registered)
    skipped = max(0, month_of(start_day, calendar, since) - first)
    months = range(first + skipped // every * every, _END_OF_MONTHS, every)
    return _days_in(start_day, calendar, registered, months)


def _days_in(
    start_day: StartDay, calendar: Calendar, registered: date, months: range
) -> Iterator[date]:
    """Return the dates of a start day in the months that have it."""
    return filter(None, map(in_month(start_day, calendar, registered), months))


def _every_days(first: date, since: date, every: int) -> Iterator[date]:
    """Return every nth day, one after the other (rule book 3.7, 3.8)."""
    skipped = max(0, (since - first).days)
    start = first.toordinal() + skipped // every * every
    return map(date.fromordinal, range(start, _LAST_DAY.toordinal() + 1, every))


def _every_days_of_kind(
    start_day: StartDay, calendar: Calendar, first: date, since: date, every: int
) -> Iterator[date]:
    """Return every nth day, or every nth open or closed day when such days are counted (rule book 3.7, R25)."""
    open_days = counted_kind(start_day) if CYCLE_DAYS_FOLLOW_KIND else None
    if open_days is None:
        return _every_days(first, since, every)
    if since <= first:
        return islice(calendar.days_from(first, open_days=open_days), 0, None, every)
    before = calendar.count(first, since, open_days=open_days)
    return islice(calendar.days_from(since, open_days=open_days), -before % every, None, every)
