"""The start day of a schedule rule with its many forms (rule book 2.3, 2.4, 3.2 to 3.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ajs.calendar import FIRST_YEAR, LAST_YEAR
from ajs.definition.calendar_schema import WEEKDAY
from ajs.definition.kinds import (
    Described,
    Either,
    Field,
    Record,
    Scalar,
    Shape,
    Spot,
    Values,
    choice,
    whole,
)
from ajs.definition.problems import listed
from ajs.definition.scalars import (
    DAY_PATTERN,
    MONTH_PATTERN,
    WEEKDAY_PATTERN,
    YEAR_PATTERN,
    parse_date,
    parse_number,
    parse_weekday,
    parse_year,
)
from ajs.start_days import (
    Counting,
    DayFromEnd,
    DayNumber,
    Nth,
    RegisteredDay,
    StartDay,
    WeekdayOfMonth,
)

ABSOLUTE_DAYS = 31
COUNTED_DAYS = 35
"""The largest relative, open and closed day number (rule book 2.4)."""

_LAST = re.compile(r"last(?:-([0-9]{1,2}))?")
_DATE = re.compile(r"(?:([0-9]{4})([-/]))?([0-9]{1,2})[-/]([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class Count:
    """A day number, counted from the beginning of a month or back from its last day."""

    number: int
    from_end: bool = False


def parse_count(text: str, high: int) -> Count:
    """Return ``5``, ``last`` or ``last-2``; ``high`` is the largest day number."""
    if match := _LAST.fullmatch(text.lower()):
        return Count(parse_number(match[1] or "0", 0, high - 1), from_end=True)
    return Count(parse_number(text, 1, high))


def parse_start_day(text: str) -> StartDay:
    """Return a start day that is one word: ``registered``, ``5``, ``last-1``, ``08-13``, ``2026-08-13``, ``fri``."""
    if text.lower() == "registered":
        return RegisteredDay()
    if match := _DATE.fullmatch(text):
        number, month = parse_number(match[4], 1, ABSOLUTE_DAYS), parse_number(match[3], 1, 12)
        year = parse_year(match[1]) if match[1] else None
        if year is not None:
            parse_date(f"{year}-{month:02}-{number:02}")
        return DayNumber(counting=Counting.ABSOLUTE, number=number, year=year, month=month)
    if text[:1].isalpha() and not text.lower().startswith("last"):
        return WeekdayOfMonth(counting=Counting.ABSOLUTE, weekday=parse_weekday(text), nth=Nth.ANY)
    return _counted(Counting.ABSOLUTE, parse_count(text, ABSOLUTE_DAYS), None, None)


def _counted(counting: Counting, count: Count, year: int | None, month: int | None) -> StartDay:
    """Return the start day with this day number."""
    if count.from_end:
        return DayFromEnd(counting=counting, back=count.number, year=year, month=month)
    return DayNumber(counting=counting, number=count.number, year=year, month=month)


def _last_pattern(most: int) -> str:
    """Return ``last`` and ``last-1`` to the largest, 30 to 39, as a regular expression of JSON Schema."""
    return f"last(-([12]?[0-9]|3[0-{most - 30}]))?"


def _count_field(counting: Counting, high: int, doc: str, example: str) -> Field[Count]:
    """Return the key that gives a day number of one counting."""
    return Field(
        key=counting.value,
        kind=Scalar(
            f"a day number from 1 to {high}, or last, or last-1 to last-{high - 1}",
            lambda text: parse_count(text, high),
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1, "maximum": high},
                    {"type": "string", "pattern": f"^{_last_pattern(high - 1)}$"},
                ]
            },
        ),
        doc=doc,
        example=example,
    )


COUNTS: Mapping[Counting, Field[Count]] = {
    Counting.ABSOLUTE: _count_field(
        Counting.ABSOLUTE,
        ABSOLUTE_DAYS,
        "Day of the calendar month; a month without it takes its last day.",
        "31",
    ),
    Counting.RELATIVE: _count_field(
        Counting.RELATIVE, COUNTED_DAYS, "Day counted from the base day, which is 1.", "3"
    ),
    Counting.OPEN: _count_field(
        Counting.OPEN, COUNTED_DAYS, "Open day counted from the base day.", "last-2"
    ),
    Counting.CLOSED: _count_field(
        Counting.CLOSED, COUNTED_DAYS, "Closed day counted from the base day.", "last-1"
    ),
}
DAY_WEEKDAY = Field(
    key="weekday",
    kind=WEEKDAY,
    doc="A weekday of the month, instead of a day number.",
    example="fri",
)
NTH = Field(
    key="nth",
    kind=replace(
        choice({str(n.value): n for n in Nth if n is not Nth.ANY}),
        shape={"enum": [n.value for n in Nth if n is not Nth.ANY]},
    ),
    doc="Which of these weekdays in the month; a month without a fifth has no run.",
    default="the first on or after the day of registration; with a month or a monthly cycle the first of the month",
    example="last",
)
COUNTING = Field(
    key="counting",
    kind=choice({c.value: c for c in (Counting.ABSOLUTE, Counting.RELATIVE)}),
    doc="Which month a weekday is looked for in: the calendar month, or the month that begins on the base day.",
    default="absolute",
    example="relative",
)
DAY_MONTH = Field(
    key="month",
    kind=whole(1, 12),
    doc="The month of the first run.",
    default="that of the registration",
    example="8",
)
DAY_YEAR = Field(
    key="year",
    kind=whole(FIRST_YEAR, LAST_YEAR),
    doc="The year of the first run; needs month.",
    default="that of the registration",
    example="2026",
)
_ONE_OF: tuple[Field[Any], ...] = (*COUNTS.values(), DAY_WEEKDAY)
START_DAY_RECORD = Record(
    name="startDay",
    title="a start day",
    doc=(
        "A start day that is counted: one of absolute, relative, open, closed and weekday. last-2 is two days before "
        "the last one."
    ),
    fields=(*_ONE_OF, NTH, COUNTING, DAY_MONTH, DAY_YEAR),
    example="{open: last-2}",
    hints={
        "day": "write absolute",
        "last": "write {absolute: last}, or last-2 for two days before",
    },
    limits={
        "oneOf": [{"required": [f.key]} for f in _ONE_OF],
        "dependentRequired": {"year": ["month"], "nth": ["weekday"], "counting": ["weekday"]},
    },
)


def _start_day(values: Values, spot: Spot) -> StartDay | None:
    """Return the start day that a mapping describes."""
    given = [f.key for f in _ONE_OF if values.given(f)]
    if not given and values.meant:  # the unknown key was meant to say it
        return None
    if len(given) != 1:
        spot.refuse(
            values.place,
            f"start_day has {listed(given)} together"
            if given
            else "start_day does not say which day",
            hint=f"give one of {listed((f.key for f in _ONE_OF), 'or')}",
        )
        return None
    if not _companions_fit(values, spot) or any(values.wrong(f) for f in START_DAY_RECORD.fields):
        return None
    year, month = values.get(DAY_YEAR), values.get(DAY_MONTH)
    for counting, field in COUNTS.items():
        if count := values.get(field):
            return _counted(counting, count, year, month)
    weekday = values.get(DAY_WEEKDAY)
    return (
        None
        if weekday is None
        else WeekdayOfMonth(
            counting=values.get(COUNTING, Counting.ABSOLUTE),
            weekday=weekday,
            nth=values.get(NTH, Nth.ANY),
            year=year,
            month=month,
        )
    )


def _companions_fit(values: Values, spot: Spot) -> bool:
    """Return whether every key that needs another one has it."""
    fits = True
    needs: tuple[tuple[Field[Any], Field[Any]], ...] = (
        (DAY_YEAR, DAY_MONTH),
        (NTH, DAY_WEEKDAY),
        (COUNTING, DAY_WEEKDAY),
    )
    for field, needed in needs:
        if values.given(field) and not values.given(needed):
            fits = False
            spot.refuse(
                values.at(field),
                f"start_day has {field.key} without {needed.key}",
                hint=f"add {needed.key}, or remove {field.key}",
            )
    return fits


_START_DAY_SHAPE: Shape = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": ABSOLUTE_DAYS},
        {
            "type": "string",
            "pattern": (
                f"^(registered|{_last_pattern(ABSOLUTE_DAYS - 1)}"
                f"|({YEAR_PATTERN}[-/])?{MONTH_PATTERN}[-/]{DAY_PATTERN}"
                f"|{WEEKDAY_PATTERN})$"
            ),
        },
    ]
}
START_DAY_WORD: Scalar[StartDay] = Scalar(
    "a start day: registered, 5, last, last-1, 08-13, 2026-08-13 or fri",
    parse_start_day,
    _START_DAY_SHAPE,
)

START_DAY_KIND: Either[StartDay] = Either(START_DAY_WORD, Described(START_DAY_RECORD, _start_day))
