"""Random calendars, schedule rules, timetables and moments of registration, for properties and comparisons."""

from __future__ import annotations

from datetime import date, datetime

from hypothesis import strategies as st

from ajs.calendar import BaseDate, BaseWeekday, Calendar, CalendarSettings, MonthClass
from ajs.model import Jobnet
from ajs.rules import Cycle, CycleUnit, DaysFromStart, FromStart, Rule, StartTime, Substitute
from ajs.schedule import DayMode, Timetable
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, RegisteredDay, WeekdayOfMonth

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31)).map(
    lambda at: at.replace(second=0, microsecond=0)
)
BASE_DAYS = st.one_of(
    st.none(),
    st.builds(BaseDate, st.integers(1, 31)),
    st.builds(BaseWeekday, st.integers(0, 6), st.integers(1, 5)),
)


MONTH_WEEKDAYS = st.lists(
    st.tuples(st.integers(2024, 2028), st.integers(1, 12), st.integers(0, 6), st.booleans()),
    max_size=3,
    unique_by=lambda setting: setting[:3],
).map(tuple)


@st.composite
def calendars(draw):
    return Calendar.effective(
        [
            (
                group,
                CalendarSettings(
                    dates=tuple(draw(st.dictionaries(DAYS, st.booleans(), max_size=8)).items()),
                    month_weekdays=draw(MONTH_WEEKDAYS),
                    weekdays=tuple(
                        draw(st.dictionaries(st.integers(0, 6), st.booleans(), max_size=4)).items()
                    ),
                    base_day=draw(BASE_DAYS),
                    month=draw(st.none() | st.sampled_from(MonthClass)),
                    base_time=draw(st.none() | st.integers(0, 719)),
                ),
            )
            for group in ("/a", "/")
        ]
    )


MONTHS = st.sampled_from(
    [{}, *({"month": m} for m in (1, 6, 12)), *({"year": y, "month": 3} for y in (2024, 2026))]
)
START_DAYS = st.one_of(
    st.just(RegisteredDay()),
    st.builds(
        lambda counting, number, when: DayNumber(counting=counting, number=number, **when),
        st.sampled_from(Counting),
        st.integers(1, 31),
        MONTHS,
    ),
    st.builds(
        lambda counting, back, when: DayFromEnd(counting=counting, back=back, **when),
        st.sampled_from(Counting),
        st.integers(0, 30),
        MONTHS,
    ),
    st.builds(
        lambda counting, day, nth, when: WeekdayOfMonth(
            counting=counting, weekday=day, nth=nth, **when
        ),
        st.sampled_from([Counting.ABSOLUTE, Counting.RELATIVE]),
        st.integers(0, 6),
        st.sampled_from(Nth),
        MONTHS,
    ),
)
CYCLES = st.none() | st.builds(Cycle, st.integers(1, 4), st.sampled_from(CycleUnit))
FROM_START = st.builds(
    DaysFromStart, st.sampled_from(FromStart), st.integers(1, 9), st.integers(1, 14)
)
START_TIMES = st.builds(StartTime, st.integers(0, 2879), st.booleans())
RULES = st.builds(
    Rule,
    start_day=START_DAYS,
    cycle=CYCLES,
    substitute=st.sampled_from(Substitute),
    shift_days=st.integers(1, 9),
    days_from_start=st.none() | FROM_START,
    start_time=START_TIMES,
)
MODES = st.sampled_from(DayMode)


@st.composite
def timetables(draw):
    drawn = draw(st.lists(RULES, min_size=1, max_size=3))
    numbered = tuple(
        Rule(
            number=n,
            start_day=r.start_day,
            start_time=r.start_time,
            cycle=r.cycle,
            substitute=r.substitute,
            shift_days=r.shift_days,
            days_from_start=r.days_from_start,
        )
        for n, r in enumerate(drawn, start=1)
    )
    return Timetable(Jobnet(name="R", rules=numbered), draw(calendars()), draw(MODES))
