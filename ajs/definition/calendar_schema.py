"""The keys of a job group's calendar (rule book 1.3 to 1.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ajs.calendar import BaseDate, BaseWeekday, CalendarSettings, MonthClass
from ajs.definition.kinds import (
    Described,
    Either,
    Field,
    OneOrMore,
    Placed,
    Record,
    Scalar,
    Shape,
    Spot,
    Values,
    choice,
    whole,
)
from ajs.definition.problems import shown
from ajs.definition.scalars import (
    DAY_PATTERN,
    LAST_BASE_TIME,
    MONTH_PATTERN,
    WEEKDAY_PATTERN,
    WEEKDAYS,
    YEAR_PATTERN,
    NotThis,
    parse_clock,
    parse_date,
    parse_number,
    parse_weekday,
    parse_year,
)
from ajs.errors import Place


@dataclass(frozen=True, slots=True)
class MonthWeekday:
    """All days of one weekday in one month."""

    year: int
    month: int
    weekday: int


DaySetting = date | MonthWeekday | int
"""What one word of ``open`` or ``closed`` names; an int is a weekday in all months."""

_MONTH_WEEKDAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[ /]+([A-Za-z]+)")
_DAY_HINT = "write a weekday such as sat, a day such as 2026-12-31, or 2026-08 sat"


def parse_day_setting(text: str) -> DaySetting:
    """Return what ``sat``, ``2026-12-31`` or ``2026-08 sat`` names."""
    try:
        if match := _MONTH_WEEKDAY.fullmatch(text):
            return MonthWeekday(
                parse_year(match[1]), parse_number(match[2], 1, 12), parse_weekday(match[3])
            )
        return parse_date(text) if text[:1].isdigit() else parse_weekday(text)
    except NotThis as wrong:
        raise NotThis(why=wrong.why, hint=wrong.hint or _DAY_HINT) from None


_DAY_SHAPE: Shape = {
    "type": "string",
    "pattern": (
        f"^({YEAR_PATTERN}[-/]{MONTH_PATTERN}[-/]{DAY_PATTERN}"
        f"|({YEAR_PATTERN}[-/]{MONTH_PATTERN} )?{WEEKDAY_PATTERN})$"
    ),
}
WEEKDAY = Scalar(
    "a weekday such as fri",
    parse_weekday,
    {"type": "string", "pattern": f"^{WEEKDAY_PATTERN}$"},
)
DAYS: OneOrMore[DaySetting] = OneOrMore(Scalar("a day", parse_day_setting, _DAY_SHAPE))

BASE_WEEKDAY = Field(key="weekday", kind=WEEKDAY, doc="The weekday.", example="mon", required=True)
BASE_NTH = Field(
    key="nth",
    kind=whole(1, 5),
    doc="Which of them in the month; the last one where the month has fewer.",
    example="2",
    required=True,
)
BASE_DAY_RECORD = Record(
    name="baseDay",
    title="a base day",
    doc="A base day that is a weekday: months begin on its n-th occurrence.",
    fields=(BASE_WEEKDAY, BASE_NTH),
    example="{weekday: mon, nth: 2}",
)


def _base_weekday(values: Values, spot: Spot) -> BaseWeekday | None:
    """Return the base day as a weekday."""
    del spot
    weekday, nth = values.get(BASE_WEEKDAY), values.get(BASE_NTH)
    return None if weekday is None or nth is None else BaseWeekday(weekday, nth)


_day_of_month = whole(1, 31)
BASE_DATE: Scalar[BaseDate | BaseWeekday] = Scalar(
    _day_of_month.words, lambda text: BaseDate(_day_of_month.parse(text)), _day_of_month.shape
)
BASE_DAY_FORM: Described[BaseDate | BaseWeekday] = Described(BASE_DAY_RECORD, _base_weekday)

BASE_TIME = Field(
    key="base_time",
    kind=Scalar(
        "a time from 00:00 to 11:59",
        lambda text: parse_clock(text, LAST_BASE_TIME),
        {"type": "string", "pattern": "^(0?[0-9]|1[01]):[0-5][0-9]$"},
    ),
    doc="When a day begins: work before this time belongs to the day before.",
    default="that of the group above, in the end 00:00",
    example="08:00",
)
BASE_DAY: Field[BaseDate | BaseWeekday] = Field(
    key="base_day",
    kind=Either(BASE_DATE, BASE_DAY_FORM),
    doc="The day on which a month begins; in shorter months the last day.",
    default="that of the group above, in the end 1",
    example="26",
)
MONTH = Field(
    key="month",
    kind=choice({m.value: m for m in MonthClass}),
    doc="Whether a month that begins on the base day is named after the month it begins in (this) or the next one.",
    default="that of the group above, in the end this",
    example="next",
)
CLOSED: Field[tuple[Placed[DaySetting], ...]] = Field(
    key="closed",
    kind=DAYS,
    doc=(
        "Closed days: weekdays, weekdays of one month (2026-08 sat) and single days. A single day goes before a "
        "weekday of one month, and that before a weekday."
    ),
    default="nothing; what the group above sets holds, and days set nowhere are open",
    example="[sat, sun, 2026-12-31]",
)
OPEN: Field[tuple[Placed[DaySetting], ...]] = Field(
    key="open",
    kind=DAYS,
    doc="Open days, in the same words.",
    default="nothing",
    example="[2026-12-26, 2026-08 sat]",
)
CALENDAR_RECORD = Record(
    name="calendar",
    title="a calendar",
    doc="Open and closed days, base day and base time of a job group; what is left out comes from the group above.",
    fields=(BASE_TIME, BASE_DAY, MONTH, CLOSED, OPEN),
    example="{base_time: 08:00, base_day: 1, closed: [sat, sun, 2026-12-31], open: [2026-12-26]}",
    hints={"holidays": "write closed", "open_days": "write open", "closed_days": "write closed"},
)


def _calendar(values: Values, spot: Spot) -> CalendarSettings:
    """Return the settings of a calendar; note days that are set twice."""
    days: dict[DaySetting, tuple[bool, Place]] = {}
    for field, is_open in ((CLOSED, False), (OPEN, True)):
        for placed in values.get(field, ()):
            _set_day(days, placed, spot.at(field.key), is_open=is_open)
    dates, months, weekdays = [], [], []
    for day, (is_open, _) in days.items():
        match day:
            case date():
                dates.append((day, is_open))
            case MonthWeekday(year, month, weekday):
                months.append((year, month, weekday, is_open))
            case int():
                weekdays.append((day, is_open))
    return CalendarSettings(
        dates=tuple(sorted(dates)),
        month_weekdays=tuple(sorted(months)),
        weekdays=tuple(sorted(weekdays)),
        base_day=values.get(BASE_DAY),
        month=values.get(MONTH),
        base_time=values.get(BASE_TIME),
    )


def _set_day(
    days: dict[DaySetting, tuple[bool, Place]],
    placed: Placed[DaySetting],
    spot: Spot,
    *,
    is_open: bool,
) -> None:
    """Set one day open or closed; note it when it is set already."""
    known = days.setdefault(placed.value, (is_open, placed.place))
    if known[1] == placed.place:
        return
    text = day_setting_text(placed.value)
    spot.refuse(
        placed.place,
        f"{shown(text)} is both open and closed"
        if known[0] != is_open
        else f"{spot.key} names {shown(text)} twice",
        hint=f"the first stands in line {known[1].line}; remove one of them",
        value=text,
    )


def day_setting_text(day: DaySetting) -> str:
    """Return one word of ``open`` or ``closed`` as it is written."""
    match day:
        case date():
            return day.isoformat()
        case MonthWeekday(year, month, weekday):
            return f"{year}-{month:02} {WEEKDAYS[weekday]}"
        case int():
            return WEEKDAYS[day]


CALENDAR_KIND = Described(CALENDAR_RECORD, _calendar)
