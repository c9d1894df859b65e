"""Open and closed days, base day, base time, and the arithmetic of business days.

A *calendar* is what a jobnet sees: the settings of its job group and of the groups above it up to the
scheduler service, laid over one another (rule book 1.2, ruling R2). Days are ``datetime.date``; times of day
are whole minutes after 0:00. A month is counted from the start of the calendar era (``month_number``), so that
months can be added and compared; under a calendar it runs from base day to base day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import NamedTuple

from ajs.choices import UNSET_IS_OPEN
from ajs.errors import NoSuchDate

FIRST_YEAR = 1994
"""The first year that can be planned (rule book 1.5)."""
LAST_YEAR = 2099
"""The last year that can be planned: the upper end of AJS3's SCHEDULELIMIT (rule book 1.5)."""

_ONE_DAY = timedelta(days=1)
_NO_FIRST = date(FIRST_YEAR - 1, 1, 1)
_NO_LAST = date(LAST_YEAR + 1, 12, 31)


class TypedDay(NamedTuple):
    """A day as it was typed, its year, or year and month, perhaps left out (commands.md 3.1).

    ``source`` is where it was typed, such as ``-d``.
    """

    day: int
    month: int | None = None
    year: int | None = None
    source: str = "-d"

    def on(self, today: date) -> date:
        """Return the date, with what was left out taken from ``today``; raises NoSuchDate.

        >>> TypedDay(3).on(date(2026, 8, 31))
        datetime.date(2026, 8, 3)
        """
        year = today.year if self.year is None else self.year
        month = today.month if self.month is None else self.month
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise NoSuchDate(
                f"{self.source} {self}: the year {year} cannot be planned",
                hint=f"years go from {FIRST_YEAR} to {LAST_YEAR}",
                value=str(self),
            )
        try:
            return date(year, month, self.day)
        except ValueError:
            raise NoSuchDate(
                f"{self.source} {self}: there is no day {year}-{month:02}-{self.day:02}",
                hint="look at the month's length, or write the date in full",
                value=str(self),
            ) from None

    def __str__(self) -> str:
        """The day as far as it was typed: ``2026/08/13``, ``08/13``, ``13``."""
        parts = [p for p in (self.year, self.month, self.day) if p is not None]
        return "/".join(f"{p:02}" for p in parts)


class MonthClass(Enum):
    """Which calendar month a month that begins on the base day is named after (rule book 1.8, R9)."""

    THIS = "this"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class BaseDate:
    """The base day as a day of the month, 1..31, clamped in short months (rule book 1.7, 1.9)."""

    day: int


@dataclass(frozen=True, slots=True)
class BaseWeekday:
    """The base day as the nth (1..5) of a weekday (0 = Monday .. 6 = Sunday) in the month (1.7, R23)."""

    weekday: int
    nth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
    """What one group sets itself; ``None`` or absent means that it inherits."""

    dates: tuple[tuple[date, bool], ...] = ()
    """Single days: (day, is it open)."""
    month_weekdays: tuple[tuple[int, int, int, bool], ...] = ()
    """Weekdays in one month: (year, month, weekday, is it open)."""
    weekdays: tuple[tuple[int, bool], ...] = ()
    """Weekdays at all times: (weekday, is it open)."""
    base_day: BaseDate | BaseWeekday | None = None
    month: MonthClass | None = None
    base_time: int | None = None
    """Minutes after 0:00, 0..719."""


class Layer(Enum):
    """Which kind of setting decides about a day; the first one that exists wins (rule book 1.3, R2)."""

    DATE = "date"
    MONTH_WEEKDAY = "weekday in one month"
    WEEKDAY = "weekday"
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class DaySetting:
    """Whether a day is open, and what says so: the kind of setting and the path of the group that made it."""

    is_open: bool
    layer: Layer
    group: str


_UNSET = DaySetting(UNSET_IS_OPEN, Layer.UNSET, "")
_NO_WEEKDAYS = (_UNSET,) * 7


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar that a jobnet sees; made by ``effective``, shared by all jobnets of a group."""

    settings: tuple[tuple[str, CalendarSettings], ...] = ()
    """What it was made from: (group path, what the group sets itself), nearest group first."""
    base_day: BaseDate | BaseWeekday = BaseDate(1)
    month: MonthClass = MonthClass.THIS
    base_time: int = 0
    """Minutes after 0:00 at which an AJS day begins (rule book 1.10)."""
    _dates: Mapping[date, DaySetting] = field(default_factory=dict, repr=False, compare=False)
    _month_weekdays: Mapping[tuple[int, int, int], DaySetting] = field(
        default_factory=dict, repr=False, compare=False
    )
    _weekdays: tuple[DaySetting, ...] = field(default=_NO_WEEKDAYS, repr=False, compare=False)
    # Only ever filled with what the settings imply, so the calendar stays a value.
    _years: dict[tuple[int, bool], list[int]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _spans: dict[int, tuple[date, date]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def effective(cls, settings: Sequence[tuple[str, CalendarSettings]]) -> Calendar:
        """Return the calendar under groups given nearest first, the scheduler service ``/`` last.

        Settings of days count before weekdays in one month, those before weekdays, each from the nearest group
        that has one; base day, month class and base time come each from the nearest group that has one (R2).
        """
        dates: dict[date, DaySetting] = {}
        month_weekdays: dict[tuple[int, int, int], DaySetting] = {}
        weekdays: dict[int, DaySetting] = {}
        for group, own in settings:
            for day, is_open in own.dates:
                dates.setdefault(day, DaySetting(is_open, Layer.DATE, group))
            for year, month, weekday, is_open in own.month_weekdays:
                setting = DaySetting(is_open, Layer.MONTH_WEEKDAY, group)
                month_weekdays.setdefault((year, month, weekday), setting)
            for weekday, is_open in own.weekdays:
                weekdays.setdefault(weekday, DaySetting(is_open, Layer.WEEKDAY, group))
        own_settings = [own for _, own in settings]
        base_days = (own.base_day for own in own_settings if own.base_day is not None)
        months = (own.month for own in own_settings if own.month is not None)
        base_times = (own.base_time for own in own_settings if own.base_time is not None)
        return cls(
            settings=tuple(settings),
            base_day=next(base_days, BaseDate(1)),
            month=next(months, MonthClass.THIS),
            base_time=next(base_times, 0),
            _dates=dates,
            _month_weekdays=month_weekdays,
            _weekdays=tuple(weekdays.get(weekday, _UNSET) for weekday in range(7)),
        )

    def with_base_time(self, base_time: int) -> Calendar:
        """Return this calendar with another base time, for what is nested in a root of another group (1.6)."""
        return self if base_time == self.base_time else replace(self, base_time=base_time)

    # -- open and closed days --

    def setting(self, day: date) -> DaySetting:
        """Return whether a day is open and which setting of which group says so (R2)."""
        found = self._dates.get(day)
        if found is not None:
            return found
        weekday = day.weekday()
        if self._month_weekdays:
            found = self._month_weekdays.get((day.year, day.month, weekday))
            if found is not None:
                return found
        return self._weekdays[weekday]

    def is_open(self, day: date) -> bool:
        """Return whether a day is open."""
        if day in self._dates or self._month_weekdays:
            return self.setting(day).is_open
        return self._weekdays[day.weekday()].is_open

    def nth_from(
        self, day: date, nth: int, *, open_days: bool, last: date = _NO_LAST
    ) -> date | None:
        """Return the nth (1, 2, ...) open day, or closed day, on or after ``day`` and not after ``last``.

        None when there is none; without ``last``, none up to the year after ``LAST_YEAR``.
        """
        year, end = day.year, last.year
        days = self._days_of(year, open_days=open_days)
        at = bisect_left(days, day.toordinal()) + nth - 1
        while at >= len(days):
            at -= len(days)
            year += 1
            if year > end:
                return None
            days = self._days_of(year, open_days=open_days)
        found = date.fromordinal(days[at])
        return found if found <= last else None

    def nth_back_from(
        self, day: date, nth: int, *, open_days: bool, first: date = _NO_FIRST
    ) -> date | None:
        """Return the nth (1, 2, ...) open day, or closed day, on or before ``day`` and not before ``first``.

        The nearest is the first one. None when there is none; without ``first``, none back to the year before
        ``FIRST_YEAR``.
        """
        year, end = day.year, first.year
        days = self._days_of(year, open_days=open_days)
        at = bisect_right(days, day.toordinal()) - nth
        while at < 0:
            year -= 1
            if year < end:
                return None
            days = self._days_of(year, open_days=open_days)
            at += len(days)
        found = date.fromordinal(days[at])
        return found if found >= first else None

    def days_from(self, first: date, *, open_days: bool) -> Iterator[date]:
        """Yield the open days, or closed days, from ``first`` on, up to the year after ``LAST_YEAR``."""
        ordinal = first.toordinal()
        for year in range(first.year, LAST_YEAR + 2):
            days = self._days_of(year, open_days=open_days)
            yield from map(date.fromordinal, days[bisect_left(days, ordinal) :])

    def count(self, first: date, end: date, *, open_days: bool) -> int:
        """Return how many open days, or closed days, lie in ``first`` <= day < ``end``."""
        found = 0
        for year in range(first.year, end.year + 1):
            days = self._days_of(year, open_days=open_days)
            found += bisect_left(days, end.toordinal()) - bisect_left(days, first.toordinal())
        return found

    def _days_of(self, year: int, *, open_days: bool) -> list[int]:
        """Return the ordinals of the open days, or closed days, of a year."""
        found = self._years.get((year, open_days))
        if found is None:
            days = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
            found = [n for n in days if self.is_open(date.fromordinal(n)) is open_days]
            self._years[year, open_days] = found
        return found

    # -- months from base day to base day (rule book 1.7 to 1.9) --

    def month_of(self, day: date) -> int:
        """Return the number of the month that a day belongs to, named as the month class says."""
        number = month_number(day.year, day.month) + self._named_ahead()
        first, _ = self.span(number)
        return number if first <= day else number - 1

    def span(self, month: int) -> tuple[date, date]:
        """Return the first and the last day of a month given by its number (``month_of``)."""
        known = self._spans.get(month)
        if known is None:
            begins_in = month - self._named_ahead()
            known = self._begin(begins_in), self._begin(begins_in + 1) - _ONE_DAY
            self._spans[month] = known
        return known

    def _named_ahead(self) -> int:
        """Return how many months after its start month a month is named (R9)."""
        match self.month:
            case MonthClass.THIS:
                return 0
            case MonthClass.NEXT:
                return 1

    def _begin(self, month: int) -> date:
        """Return the base day that lies in a calendar month."""
        first, last = calendar_month(month)
        match self.base_day:
            case BaseDate(day):
                return first.replace(day=min(day, last.day))
            case BaseWeekday(weekday, nth):
                return nth_weekday(first, last, weekday, nth) or last_weekday(last, weekday)

    # -- AJS days, from base time to base time (rule book 1.10) --

    def ajs_day(self, at: datetime) -> date:
        """Return the AJS day that a wall-clock instant belongs to."""
        day = at.date()
        return day if at.hour * 60 + at.minute >= self.base_time else day - _ONE_DAY

    def day_begins(self, day: date) -> datetime:
        """Return the wall-clock instant at which an AJS day begins: its base time."""
        return datetime(day.year, day.month, day.day) + timedelta(minutes=self.base_time)


def month_number(year: int, month: int) -> int:
    """Return the number of a month: one more for each month, so that months can be added.

    >>> month_number(2026, 1) - month_number(2025, 12)
    1
    """
    return year * 12 + month - 1


@cache
def calendar_month(month: int) -> tuple[date, date]:
    """Return the first and the last day of a calendar month given by its number; no base day counts here."""
    year, before = divmod(month, 12)
    return date(year, before + 1, 1), date(year, before + 1, monthrange(year, before + 1)[1])


def nth_weekday(first: date, last: date, weekday: int, nth: int) -> date | None:
    """Return the nth (1, 2, ...) of a weekday in a span of days, or None when it has no nth."""
    ahead = (weekday - first.weekday()) % 7 + 7 * (nth - 1)
    day = date.fromordinal(first.toordinal() + ahead)
    return day if day <= last else None


def last_weekday(last: date, weekday: int) -> date:
    """Return the last of a weekday up to and with ``last``."""
    return date.fromordinal(last.toordinal() - (last.weekday() - weekday) % 7)


def weekday_from(first: date, weekday: int) -> date:
    """Return the first of a weekday on or after a day."""
    return date.fromordinal(first.toordinal() + (weekday - first.weekday()) % 7)
