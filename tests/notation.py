"""Rules and calendars as a domain person writes them: AJS3's own parameters in one line of text.

``sd=2025/08/15 cy=1,m sh=be cftd=be,2,10 st=22:00`` is what follows the ``=`` in an AJS3 unit definition, without the
rule number; ``n=3`` gives the number and ``ln=2`` the linked rule. ``sa su 2025/08/13`` are closed days; a ``+`` before
one opens it.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from ajs.calendar import BaseDate, BaseWeekday, Calendar, CalendarSettings, MonthClass
from ajs.rules import Cycle, CycleUnit, DaysFromStart, FromStart, Rule, StartTime, Substitute
from ajs.start_days import (
    Counting,
    DayFromEnd,
    DayNumber,
    Nth,
    RegisteredDay,
    StartDay,
    WeekdayOfMonth,
)

WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
COUNTING = {
    "": Counting.ABSOLUTE,
    "+": Counting.RELATIVE,
    "*": Counting.OPEN,
    "@": Counting.CLOSED,
}
CYCLES = {"y": CycleUnit.YEAR, "m": CycleUnit.MONTH, "w": CycleUnit.WEEK, "d": CycleUnit.DAY}
SUBSTITUTES = {
    "be": Substitute.BEFORE,
    "af": Substitute.AFTER,
    "ca": Substitute.SKIP,
    "no": Substitute.RUN,
}
FROM_START = {
    "be": FromStart.OPEN_BEFORE,
    "af": FromStart.OPEN_AFTER,
    "db": FromStart.PLAIN_BEFORE,
    "da": FromStart.PLAIN_AFTER,
}
START_DAY = re.compile(
    r"(?:(?:(?P<year>\d{4})/)?(?P<month>\d\d?)/)?(?P<counting>[+*@]?)"
    r"(?:(?P<number>\d+)|b(?:-(?P<back>\d+))?|(?P<weekday>[a-z]{2})(?::(?P<nth>[1-5b]))?)"
)


def day(text: str) -> date:
    return date(*map(int, text.split("/")))


def clock(text: str) -> datetime:
    return datetime.strptime(text, "%Y/%m/%d %H:%M")


def minutes(text: str) -> int:
    hours, rest = text.split(":")
    return int(hours) * 60 + int(rest)


def start_day(text: str) -> StartDay:
    if text == "en":
        return RegisteredDay()
    found = START_DAY.fullmatch(text)
    assert found is not None, text
    year = int(found["year"]) if found["year"] else None
    month = int(found["month"]) if found["month"] else None
    counting = COUNTING[found["counting"]]
    if found["weekday"] in WEEKDAYS:
        nth = {"b": Nth.LAST, None: Nth.ANY}.get(found["nth"]) or Nth(int(found["nth"]))
        weekday = WEEKDAYS.index(found["weekday"])
        return WeekdayOfMonth(counting=counting, weekday=weekday, nth=nth, year=year, month=month)
    if found["number"]:
        number = int(found["number"])
        return DayNumber(counting=counting, number=number, year=year, month=month)
    return DayFromEnd(counting=counting, back=int(found["back"] or 0), year=year, month=month)


def rule(text: str) -> Rule:
    """The rule that a line of AJS3 parameters names; what is left out is AJS3's default (rule book 2.3, R3)."""
    given = dict(part.split("=") for part in text.split())
    first = start_day(given.pop("sd", "en"))
    closed = isinstance(first, (DayNumber, DayFromEnd)) and first.counting is Counting.CLOSED
    number = int(given.pop("n", "1"))
    time = given.pop("st", "+0:00")
    cycle = given.pop("cy", "").split(",")
    moved = given.pop("cftd", "").split(",")
    made = Rule(
        number=number,
        start_day=first,
        start_time=StartTime(minutes(time.removeprefix("+")), time.startswith("+")),
        cycle=Cycle(int(cycle[0]), CYCLES[cycle[1]]) if cycle[0] else None,
        substitute=SUBSTITUTES[given.pop("sh", "no" if closed else "ca")],
        shift_days=int(given.pop("shd", "2")),
        days_from_start=DaysFromStart(FROM_START[moved[0]], *map(int, moved[1:]))
        if moved[0]
        else None,
        link=int(given.pop("ln", str(number))),
    )
    assert not given, given
    return made


def settings(
    days: str = "",
    *,
    base_day: str = "",
    month: MonthClass | None = None,
    base_time: str = "",
) -> CalendarSettings:
    """What one group sets: closed days, ``+`` before opened ones, as weekday, ``2025/08/sa`` or date."""
    dates: list[tuple[date, bool]] = []
    month_weekdays: list[tuple[int, int, int, bool]] = []
    weekdays: list[tuple[int, bool]] = []
    for entry in days.split():
        text, is_open = entry.removeprefix("+"), entry.startswith("+")
        *before, last = text.split("/")
        if not before:
            weekdays.append((WEEKDAYS.index(text), is_open))
        elif last in WEEKDAYS:
            year, in_month = map(int, before)
            month_weekdays.append((year, in_month, WEEKDAYS.index(last), is_open))
        else:
            dates.append((day(text), is_open))
    weekday, _, nth = base_day.partition(":")
    base: BaseDate | BaseWeekday | None = None
    if nth:
        base = BaseWeekday(WEEKDAYS.index(weekday), int(nth))
    elif base_day:
        base = BaseDate(int(base_day))
    return CalendarSettings(
        dates=tuple(dates),
        month_weekdays=tuple(month_weekdays),
        weekdays=tuple(weekdays),
        base_day=base,
        month=month,
        base_time=minutes(base_time) if base_time else None,
    )


def calendar(
    days: str = "",
    *,
    base_day: str = "",
    month: MonthClass | None = None,
    base_time: str = "",
) -> Calendar:
    """The calendar of one group that sets this."""
    own = settings(days, base_day=base_day, month=month, base_time=base_time)
    return Calendar.effective([("/g", own)])
