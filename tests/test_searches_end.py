"""Every search for a date ends, whatever the calendar: counted in calls, not in time."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from typing import Self

import pytest

from ajs.calendar import FIRST_YEAR, LAST_YEAR, Calendar
from ajs.model import Jobnet
from ajs.rules import occurrences
from ajs.schedule import DayMode, Timetable
from tests.notation import calendar, rule

NEVER_OPEN = "mo tu we th fr sa su"
ALWAYS_OPEN = "+mo +tu +we +th +fr +sa +su"
BASE_DAYS = ["", "31", "mo:5"]
REGISTERED = date(2090, 1, 1)
DAYS = (date(LAST_YEAR, 12, 31) - REGISTERED).days
CALLS_A_DAY = 25
"""How many functions may be called for each day up to the last year."""

START_DAYS = [
    *("en", "31", "2/31", "+1", "+35", "*1", "*35", "@1", "@35", "2090/02/*1"),
    *("b", "b-30", "+b-34", "*b", "*b-34", "@b", "@b-34"),
    *("fr", "3/fr", "fr:5", "fr:b", "+fr:5", "2090/02/+fr:5"),
]
CYCLES = ["", "cy=1,d", "cy=31,d", "cy=1,w", "cy=1,m", "cy=12,m", "cy=9,y"]
SHIFTS = ["sh=ca", "sh=be shd=31 cftd=be,31,31", "sh=af shd=31 cftd=af,31,31", "sh=no cftd=af,1,1"]


class Calls:
    """How many functions of ajs were called in the block."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self.before = sys.getprofile()
        sys.setprofile(self._called)
        return self

    def __exit__(self, *raised: object) -> None:
        sys.setprofile(self.before)

    def _called(self, frame, event, argument) -> None:
        self.count += event == "call"


@pytest.mark.parametrize("closed", [NEVER_OPEN, ALWAYS_OPEN])
@pytest.mark.parametrize("start_day", START_DAYS)
def test_all_dates_of_every_kind_of_rule_end_with_the_last_year(start_day, closed):
    for number, cycle in enumerate(CYCLES):
        seen = calendar(closed, base_day=BASE_DAYS[number % len(BASE_DAYS)])
        made = rule(f"sd={start_day} {cycle} {SHIFTS[number % len(SHIFTS)]}".strip())
        with Calls() as calls:
            found = sum(1 for _ in occurrences(made, seen, REGISTERED, REGISTERED, lambda _: False))
        assert found <= DAYS + 32
        assert calls.count <= CALLS_A_DAY * DAYS


@pytest.mark.parametrize("cycle", CYCLES)
@pytest.mark.parametrize("shift", ["sh=ca", "sh=be shd=31", "sh=no cftd=be,1,31"])
def test_the_next_run_is_given_up_where_no_day_is_open(cycle, shift):
    for start_day in START_DAYS:
        jobnet = Jobnet(name="R", rules=(rule(f"sd={start_day} {cycle} {shift}".strip()),))
        table = Timetable(jobnet, calendar(NEVER_OPEN), DayMode.H48)
        with Calls() as calls:
            found = next(table.starts(datetime(2099, 1, 1), date(2099, 1, 1)), None)
        assert found is None
        assert calls.count <= CALLS_A_DAY * 2 * 366


@pytest.mark.parametrize("open_days", [True, False])
def test_a_search_for_a_day_looks_at_every_day_of_the_calendar_once_at_most(open_days):
    never = calendar(NEVER_OPEN if open_days else ALWAYS_OPEN)
    every_day = (date(LAST_YEAR + 2, 1, 1) - date(FIRST_YEAR - 1, 1, 1)).days
    with Calls() as calls:
        assert never.nth_from(date(FIRST_YEAR, 1, 1), 1, open_days=open_days) is None
        assert never.nth_back_from(date(LAST_YEAR, 1, 1), 1, open_days=open_days) is None
    assert calls.count <= 4 * every_day
    with Calls() as calls:
        for day in range(100):
            asked = date(FIRST_YEAR, 1, 1) + timedelta(days=day)
            assert never.nth_from(asked, 1, open_days=open_days) is None
    assert calls.count <= 100 * 3 * (LAST_YEAR - FIRST_YEAR + 3)


def test_a_number_beyond_all_days_is_given_up():
    assert Calendar().nth_from(date(2025, 1, 1), 10**6, open_days=True) is None
    assert Calendar().nth_back_from(date(2025, 1, 1), 10**6, open_days=True) is None
