"""The runs of a root jobnet by walking through every day: slow, short, and written from the rule book alone.

Nothing here uses the arithmetic of ``ajs.calendar``, ``ajs.rules`` or ``ajs.schedule``; only their values are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from ajs.calendar import BaseWeekday, Calendar, MonthClass
from ajs.rules import CycleUnit, FromStart, Rule, Substitute
from ajs.schedule import DayMode, Timetable
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, RegisteredDay, WeekdayOfMonth

DAY = timedelta(days=1)
Name = tuple[int, int]
"""A month as people call it: year, month."""


class NaiveDays:
    """The days of whole months, each known as open or closed and by the month that it lies in."""

    def __init__(self, calendar: Calendar, first: date, end: date) -> None:
        self.calendar = calendar
        self.days = [first + n * DAY for n in range((end - first).days)]
        self.of_calendar: dict[Name, list[date]] = {}
        for day in self.days:
            self.of_calendar.setdefault((day.year, day.month), []).append(day)
        self.from_base: dict[Name, list[date]] = {}
        begins = {self._base_day(days) for days in self.of_calendar.values()}
        name = None
        for day in self.days:
            if day in begins:
                name = (day.year, day.month)
                if calendar.month is MonthClass.NEXT:
                    name = following(name, 1)
            if name is not None:
                self.from_base.setdefault(name, []).append(day)

    def _base_day(self, days: list[date]) -> date:
        """1.7, 1.9, R23."""
        base = self.calendar.base_day
        if isinstance(base, BaseWeekday):
            days = [d for d in days if d.weekday() == base.weekday]
            return days[base.nth - 1] if base.nth <= len(days) else days[-1]
        return days[base.day - 1] if base.day <= len(days) else days[-1]

    def open(self, day: date) -> bool:
        """R2: dates, nearest outwards; weekdays in one month; weekdays; then open."""
        for _, own in self.calendar.settings:
            for on, is_open in own.dates:
                if on == day:
                    return is_open
        for _, own in self.calendar.settings:
            for year, month, weekday, is_open in own.month_weekdays:
                if (year, month, weekday) == (day.year, day.month, day.weekday()):
                    return is_open
        for _, own in self.calendar.settings:
            for weekday, is_open in own.weekdays:
                if weekday == day.weekday():
                    return is_open
        return True


def following(name: Name, months: int) -> Name:
    """The month so many months later."""
    year, month = name
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return year, month


class NaiveRule:
    """One rule of a root under a registration, walked through."""

    def __init__(self, rule: Rule, table: Timetable, registered: datetime, days: NaiveDays) -> None:
        self.rule, self.table, self.at, self.days = rule, table, registered, days
        self.today = (registered - timedelta(minutes=table.calendar.base_time)).date()
        start_day = rule.start_day
        absolute = isinstance(start_day, RegisteredDay) or start_day.counting is Counting.ABSOLUTE
        self.months = days.of_calendar if absolute else days.from_base

    def runs(self) -> Iterator[tuple[datetime, date, date]]:
        """Start, execution date and unshifted day of every run that counts."""
        for day in self.unshifted():
            runs_on = self.shifted(day)
            until = self.table.jobnet.valid_until
            if until is not None and runs_on is not None and runs_on > until:
                continue  # R15: before the time is added
            if runs_on is not None and self.counts(runs_on):
                yield *self.placed(runs_on), day

    def placed(self, runs_on: date) -> tuple[datetime, date]:
        """4.1 to 4.6, R6, R7."""
        base = self.table.calendar.base_time
        midnight = datetime.combine(runs_on, time())
        start = midnight + timedelta(minutes=self.rule.start_time.minutes)
        if self.rule.start_time.relative:
            start += timedelta(minutes=base)
        elif start < midnight + timedelta(minutes=base):
            start += DAY
        if self.table.mode is DayMode.H48:
            return start, runs_on
        return start, (start - timedelta(minutes=base)).date()

    def counts(self, runs_on: date) -> bool:
        """R10, R22."""
        start, exec_date = self.placed(runs_on)
        return start >= self.at or exec_date == self.today

    def shifted(self, day: date) -> date | None:
        """3.10, 3.12."""
        rule = self.rule
        at: date | None = day
        if not self.days.open(day):
            match rule.substitute:
                case Substitute.SKIP:
                    return None
                case Substitute.BEFORE:
                    at = self.walked(day, -DAY, 1, rule.shift_days)
                case Substitute.AFTER:
                    at = self.walked(day, DAY, 1, rule.shift_days)
                case Substitute.RUN:
                    at = day
        moved = rule.days_from_start
        if at is None or moved is None:
            return at
        match moved.kind:
            case FromStart.OPEN_BEFORE:
                return self.walked(at, -DAY, moved.days, moved.within)
            case FromStart.OPEN_AFTER:
                return self.walked(at, DAY, moved.days, moved.within)
            case FromStart.PLAIN_BEFORE:
                return at - moved.days * DAY
            case FromStart.PLAIN_AFTER:
                return at + moved.days * DAY

    def walked(self, day: date, step: timedelta, nth: int, within: int) -> date | None:
        """The nth open day strictly after or before, not further than so many plain days."""
        for _ in range(within):
            day += step
            nth -= self.days.open(day)
            if nth == 0:
                return day
        return None

    def in_month(self, name: Name) -> date | None:
        """3.3 to 3.6, R12, R14."""
        days = self.months.get(name, [])
        found, nth = days, 1
        match self.rule.start_day:
            case RegisteredDay():
                return days[min(self.today.day, len(days)) - 1] if days else None
            case DayNumber(counting=Counting.ABSOLUTE, number=number):
                return days[min(number, len(days)) - 1] if days else None
            case DayNumber(counting=counting, number=nth):
                found = self.counted(counting, days)
            case DayFromEnd(counting=counting, back=back):
                found, nth = self.counted(counting, days)[::-1], back + 1
            case WeekdayOfMonth(weekday=weekday, nth=which):
                found = [d for d in days if d.weekday() == weekday]
                if which is Nth.LAST:
                    return found[-1] if found else None
                nth = nth if which is Nth.ANY else int(which.value)
        return found[nth - 1] if nth <= len(found) else None

    def counted(self, counting: Counting, days: list[date]) -> list[date]:
        if counting in {Counting.OPEN, Counting.CLOSED}:
            return [d for d in days if self.days.open(d) is (counting is Counting.OPEN)]
        return days

    def first_month(self) -> Name:
        """3.1, R11."""
        here = next(name for name, days in self.months.items() if self.today in days)
        start_day = self.rule.start_day
        if isinstance(start_day, RegisteredDay) or start_day.month is None:
            return here
        return start_day.year or here[0], start_day.month

    def unshifted(self) -> Iterator[date]:
        """3.1, 3.2, 3.7 to 3.9, R12, R14, R25, R27, R28, R38."""
        cycle = self.rule.cycle
        if cycle is None:
            yield from self.once()
        elif cycle.unit in {CycleUnit.MONTH, CycleUnit.YEAR}:
            step = cycle.every * (12 if cycle.unit is CycleUnit.YEAR else 1)
            name = self.first_month()
            while name <= max(self.months):
                day = self.in_month(name)
                if day is not None:
                    yield day
                name = following(name, step)
        else:
            first = self.first_day()
            if first is None:
                return
            after = [d for d in self.days.days if d >= first]
            if cycle.unit is CycleUnit.WEEK:
                yield from after[:: 7 * cycle.every]
                return
            if isinstance(self.rule.start_day, (DayNumber, DayFromEnd)):
                after = self.counted(self.rule.start_day.counting, after)
            yield from after[:: cycle.every]

    def without_month(self) -> date | None:
        start_day = self.rule.start_day
        if isinstance(start_day, RegisteredDay):
            return self.today
        if isinstance(start_day, WeekdayOfMonth) and start_day.nth is Nth.ANY:
            if start_day.month is not None:
                return None
            return next(
                d for d in self.days.days if d >= self.today and d.weekday() == start_day.weekday
            )
        return None

    def first_day(self) -> date | None:
        fixed = self.without_month()
        if fixed is not None:
            return fixed
        name = self.first_month()
        while name <= max(self.months):
            day = self.in_month(name)
            if day is not None:
                return day
            name = following(name, 1)
        return None

    def once(self) -> Iterator[date]:
        fixed = self.without_month()
        start_day = self.rule.start_day
        if fixed is not None or isinstance(start_day, RegisteredDay):
            yield fixed or self.today
            return
        name = self.first_month()
        for ahead in (0, 1 if start_day.month is None else 12):
            day = self.in_month(following(name, ahead))
            if start_day.year is not None:
                if day is not None and not ahead:
                    yield day
            elif day is not None and (ahead or self.comes(day)):
                yield day
                return

    def comes(self, day: date) -> bool:
        runs_on = self.shifted(day)
        return day >= self.today if runs_on is None else self.counts(runs_on)


def naive_starts(
    table: Timetable, registered: datetime, end: date
) -> list[tuple[datetime, date, set[tuple[int, date]]]]:
    """Every start with an execution date before ``end``, and the rules and days that made it (R8)."""
    # A month without year can be one of the year before the registration's, when a month begins on its base day.
    first = date(min(registered.year, 2024) - 2, 11, 1)
    last = (end + timedelta(days=120)).replace(day=1)
    days = NaiveDays(table.calendar, first, last)
    merged: dict[tuple[datetime, date], set[tuple[int, date]]] = {}
    for rule in table.jobnet.rules or ():
        for start, exec_date, day in NaiveRule(rule, table, registered, days).runs():
            if exec_date < end:
                merged.setdefault((start, exec_date), set()).add((rule.number, day))
    excluded = set()
    if table.exclusive is not None:
        # 3.15: by execution date, whatever the hour.
        excluded = {exec_date for _, exec_date, _ in naive_starts(table.exclusive, registered, end)}
    return [(*slot, merged[slot]) for slot in sorted(merged) if slot[1] not in excluded]
