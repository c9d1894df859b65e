"""A calendar as lines, as drawn months and as JSON: every day, whether it is open, and what says so."""

from __future__ import annotations

import json
from datetime import date

from ajs.calendar import BaseDate, BaseWeekday, Layer, MonthClass
from ajs.operations.calendar import CalendarDays
from ajs.render.columns import Paint, block, unpainted
from ajs.render.months import CLOSED, Day, drawn_months, legend

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NUMBERS = ("1st", "2nd", "3rd", "4th", "5th")
NAMED = 8
"""How many jobnets that use the calendar are named before the rest is only counted."""
MARKS = {Layer.DATE: "!", Layer.MONTH_WEEKDAY: ":"}
"""What stands before a day that is set by its date, or by its weekday in that month."""
MEANINGS = (
    (f"d{CLOSED}", "closed"),
    ("!d", "this date is set open or closed by itself"),
    (":d", "this weekday is set for this month"),
)
BEGINS = (("d|", "a month begins"), ("d+", "closed, and a month begins"))
"""Behind the day on which a month of rules begins, where that is not the 1st (rule book 1.7)."""


def as_text(found: CalendarDays, *, paint: Paint = unpainted) -> str:
    """Return what holds for the whole calendar, and one line a day."""
    lines = [*_heading(found), ""]
    for day, setting in found.days:
        state = "open" if setting.is_open else "closed"
        source = (
            "nothing set"
            if setting.layer is Layer.UNSET
            else f"{setting.layer.value} in {setting.group}"
        )
        line = f"{day} {WEEKDAYS[day.weekday()]}  {state:<6}  {source}"
        lines.append(line if setting.is_open else paint("dim", line))
    return "\n".join(lines)


def as_months(found: CalendarDays, *, paint: Paint = unpainted, most: int = 0) -> str:
    """Return the same with the days drawn in months."""
    settings = dict(found.days)
    calendar = found.calendar
    based = calendar.base_day != BaseDate(1)

    def look(day: date) -> Day:
        setting = settings[day]
        before = MARKS.get(setting.layer, " ")
        style = "dim" if not setting.is_open else "good" if before != " " else ""
        behind = " " if setting.is_open else CLOSED
        if based and calendar.span(calendar.month_of(day))[0] == day:
            behind = "|" if setting.is_open else "+"
        return Day(before, behind, style)

    first, last = found.days[0][0], found.days[-1][0]
    drawn = drawn_months(first, last, look, paint=paint, most=most)
    meanings = (*MEANINGS, *BEGINS) if based else MEANINGS
    marks = legend(meanings, paint=paint, most=most)
    return "\n".join([*_heading(found), "", *drawn, "", *marks])


def _heading(found: CalendarDays) -> list[str]:
    base = found.calendar.base_time
    named = ", ".join(found.used_by[:NAMED])
    more = len(found.used_by) - NAMED
    pairs = (
        ("a day begins at", f"{base // 60}:{base % 60:02}, {_set_in(found.base_time_of)}"),
        (
            "a month begins on",
            f"{_base_day(found.calendar.base_day)}, {_set_in(found.base_day_of)}",
        ),
        ("and is named after", f"{_month_class(found)}, {_set_in(found.month_of)}"),
        (
            "jobnets that use it",
            f"{named} and {more} more" if more > 0 else named or "none directly",
        ),
    )
    return [f"calendar of {found.group}", *block(pairs, indent="  ")]


def _set_in(group: str) -> str:
    return f"set in {group}" if group else "not set"


def _base_day(base_day: BaseDate | BaseWeekday) -> str:
    match base_day:
        case BaseDate(day):
            return f"day {day}"
        case BaseWeekday(weekday, nth):
            return f"the {NUMBERS[nth - 1]} {WEEKDAYS[weekday]}"


def _month_class(found: CalendarDays) -> str:
    match found.calendar.month:
        case MonthClass.THIS:
            return "the month in which it begins"
        case MonthClass.NEXT:
            return "the month after the one in which it begins"


def as_json(found: CalendarDays) -> str:
    """Return the calendar for machines; ``schemas`` has the JSON Schema."""
    base, base_day = found.calendar.base_time, found.calendar.base_day
    weekday = base_day if isinstance(base_day, BaseWeekday) else None
    return json.dumps(
        {
            "format": 1,
            "service": found.service,
            "group": found.group,
            "base_time": {
                "value": f"{base // 60}:{base % 60:02}",
                "group": found.base_time_of or None,
            },
            "base_day": {
                "day": None if isinstance(base_day, BaseWeekday) else base_day.day,
                "weekday": None if weekday is None else WEEKDAYS[weekday.weekday].lower(),
                "nth": None if weekday is None else weekday.nth,
                "group": found.base_day_of or None,
            },
            "month": {"value": found.calendar.month.value, "group": found.month_of or None},
            "used_by": list(found.used_by),
            "days": [
                {
                    "date": day.isoformat(),
                    "open": setting.is_open,
                    "setting": setting.layer.name,
                    "group": setting.group or None,
                }
                for day, setting in found.days
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
