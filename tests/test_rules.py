"""From rule to dates: start days, cycles, substitution, days from start. Read: rule | registered | span | dates.

Dates are those before the start time is added. Where nothing is said Saturdays and Sundays are closed.
August 2025 begins on a Friday.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ajs import rules, start_days
from ajs.calendar import LAST_YEAR, MonthClass
from ajs.rules import occurrences, reach
from tests.notation import calendar, day, rule

WEEKENDS = calendar("sa su")
FROM_21 = calendar("sa su", base_day="21")
FROM_26_NEXT = calendar("sa su", base_day="26", month=MonthClass.NEXT)
OPEN_ALL = calendar()


def dates(text, registered, span, seen=WEEKENDS):
    """The dates of a rule in a span ``first last``, each in the month and day form of the tables."""
    first, last = map(day, span.split())
    at = day(registered)
    made = rule(text)
    found = []
    # A date can lie before or after the unshifted day, so the search is wider than the span.
    back, ahead = reach(made)
    for occurrence in occurrences(made, seen, at, first - timedelta(days=ahead), at.__le__):
        if occurrence.day > last + timedelta(days=back):
            break
        runs_on = occurrence.runs_on
        if runs_on is not None and max(first, at) <= runs_on <= last:
            found.append(f"{runs_on:%Y/%m/%d}")
    return found


AUGUST = "2025/08/01 2025/08/31"
AUTUMN = "2025/08/01 2025/12/31"

START_DAYS = [
    # rule | calendar | span | dates
    ("sd=en", WEEKENDS, AUTUMN, "2025/08/01"),
    # Absolute days: months from the 1st whatever the base day; a missing day is the last one (3.3, 1.11).
    ("sd=2025/08/05", FROM_21, AUTUMN, "2025/08/05"),
    ("sd=2025/09/31 sh=no", WEEKENDS, AUTUMN, "2025/09/30"),
    ("sd=2026/02/29 sh=no", WEEKENDS, "2026/01/01 2026/12/31", "2026/02/28"),
    # Relative, open and closed days: counted from the base day, numbers from 1 (2.4, 3.4).
    ("sd=2025/08/+01", FROM_21, AUTUMN, "2025/08/21"),
    ("sd=2025/08/+5", FROM_21, AUTUMN, "2025/08/25"),
    ("sd=2025/08/*1", FROM_21, AUTUMN, "2025/08/21"),
    ("sd=2025/09/*1", FROM_21, AUTUMN, "2025/09/22"),
    ("sd=2025/08/*21", WEEKENDS, AUTUMN, "2025/08/29"),
    ("sd=2025/08/@2", WEEKENDS, AUTUMN, "2025/08/03"),
    ("sd=2025/09/+1", FROM_26_NEXT, AUTUMN, "2025/08/26"),
    # Fewer such days in the month: no run that month.
    ("sd=2025/08/*22", WEEKENDS, AUTUMN, ""),
    ("sd=2025/08/+32 sh=no", WEEKENDS, AUTUMN, ""),
    ("sd=2025/08/@11", WEEKENDS, AUTUMN, ""),
    # End of month: 0 is the last day; absolute by the calendar month, the others from base day to base day (3.5).
    ("sd=2025/08/b sh=no", FROM_21, AUTUMN, "2025/08/31"),
    ("sd=2025/08/+b sh=no", FROM_21, AUTUMN, "2025/09/20"),
    ("sd=2025/08/*b", FROM_21, AUTUMN, "2025/09/19"),
    ("sd=2025/08/*b-1", WEEKENDS, AUTUMN, "2025/08/28"),
    ("sd=2025/08/@b-3", WEEKENDS, AUTUMN, "2025/08/23"),
    ("sd=2026/02/b-3", WEEKENDS, "2026/01/01 2026/12/31", "2026/02/25"),
    # Beyond the first day of the month: no run (R14).
    ("sd=2026/02/b-28 sh=no", WEEKENDS, "2026/01/01 2026/12/31", ""),
    ("sd=2025/08/b-30", WEEKENDS, AUTUMN, "2025/08/01"),
    ("sd=2025/08/*b-21", WEEKENDS, AUTUMN, ""),
    # Weekdays: the nth in the month, the last one; + by the base-day month (3.6).
    ("sd=2025/08/fr:2", WEEKENDS, AUTUMN, "2025/08/08"),
    ("sd=2025/09/mo:b", WEEKENDS, AUTUMN, "2025/09/29"),
    ("sd=2025/08/+fr:1", FROM_21, AUTUMN, "2025/08/22"),
    ("sd=2025/08/+mo:b", FROM_21, AUTUMN, "2025/09/15"),
    ("sd=2025/08/mo:5", WEEKENDS, AUTUMN, ""),
    # Without number: the first of a month that is given (R12).
    ("sd=2025/09/fr", WEEKENDS, AUTUMN, "2025/09/05"),
]


@pytest.mark.parametrize(("text", "seen", "span", "expected"), START_DAYS)
def test_start_days(text, seen, span, expected):
    assert dates(text, "2025/08/01", span, seen) == expected.split()


OMITTED = [
    # rule | registered | dates until the end of next year
    # Month left out: the registration day's, the next one when that is past (3.1, R14).
    ("sd=20", "2025/08/11", "2025/08/20"),
    ("sd=11", "2025/08/11", "2025/08/11"),
    ("sd=8", "2025/08/11", "2025/09/08"),
    ("sd=*1", "2025/08/11", "2025/09/01"),
    # The month lacks it: the next month's; when that one lacks it too, there is no run.
    ("sd=fr:5", "2025/09/01", "2025/10/31"),
    ("sd=mo:5", "2025/07/01", ""),
    # The closed day falls away; the next month is not taken, for the day was not past.
    ("sd=16", "2025/08/11", ""),
    # Past before substitution, not after it: that run (R27).
    ("sd=9 sh=af", "2025/08/10", "2025/08/11"),
    ("sd=9 sh=af", "2025/08/11", "2025/08/11"),
    ("sd=9 sh=af", "2025/08/12", "2025/09/09"),
    # Still to come before substitution, past after it: the next month's (R10).
    ("sd=16 sh=be", "2025/08/16", "2025/09/16"),
    # Year left out: this year's, next year's when that is past (R14), also for weekdays (R29).
    ("sd=12/10", "2025/08/11", "2025/12/10"),
    ("sd=3/10", "2025/08/11", "2026/03/10"),
    ("sd=9/fr", "2025/08/11", "2025/09/05"),
    ("sd=7/fr", "2025/08/11", "2026/07/03"),
    # Moved to after the registration: the next year is not taken (R38).
    ("sd=8/9 sh=af", "2025/08/10", "2025/08/11"),
    # Everything said and past: no run.
    ("sd=2025/08/08", "2025/08/11", ""),
    # A weekday without number or month: the first on or after the registration day (R12).
    ("sd=fr", "2025/08/11", "2025/08/15"),
    ("sd=mo", "2025/08/11", "2025/08/11"),
]


@pytest.mark.parametrize(("text", "registered", "expected"), OMITTED)
def test_what_is_left_out_is_taken_from_the_registration(text, registered, expected):
    assert dates(text, registered, "2025/07/01 2026/12/31") == expected.split()


def test_an_omitted_month_is_named_by_the_base_day_for_all_but_absolute_days():
    """R11: 9/10 lies in the month 8/26..9/25 of a calendar with base day 26."""
    seen = calendar(base_day="26")
    span = "2025/09/10 2025/12/31"
    assert dates("sd=28", "2025/09/10", span, seen) == ["2025/09/28"]
    assert dates("sd=+28", "2025/09/10", span, seen) == ["2025/09/22"]
    assert dates("sd=+b", "2025/09/10", span, seen) == ["2025/09/25"]


CYCLES = [
    # rule | registered | span | dates
    ("sd=2025/08/11 cy=3,d sh=no", "2025/08/11", "2025/08/11 2025/08/20", "11 14 17 20"),
    ("sd=en cy=1,d", "2025/08/14", "2025/08/01 2025/08/19", "14 15 18 19"),
    # First date before the registration: on by the cycle (3.1).
    ("sd=2025/08/01 cy=5,d sh=no", "2025/08/12", AUGUST, "16 21 26 31"),
    ("sd=5 cy=10,d sh=no", "2025/08/12", AUGUST, "15 25"),
    # Open and closed days are counted from the first date (3.7, R25).
    ("sd=2025/08/*1 cy=3,d", "2025/08/01", AUGUST, "01 06 11 14 19 22 27"),
    ("sd=2025/08/*1 cy=3,d", "2025/08/13", AUGUST, "14 19 22 27"),
    ("sd=2025/08/@1 cy=2,d", "2025/08/01", AUGUST, "02 09 16 23 30"),
    ("sd=2025/08/@b cy=1,d", "2025/08/01", "2025/08/25 2025/09/10", "31 06 07"),
    # The open day cycle begins in the first month that has the day (R28): no 22nd open day in August.
    ("sd=2025/08/*22 cy=1,d", "2025/08/01", "2025/08/01 2025/10/02", "30 01 02"),
    ("sd=2025/08/mo:1 cy=2,w", "2025/08/01", AUGUST, "04 18"),
    ("sd=fr cy=1,w", "2025/08/11", AUGUST, "15 22 29"),
    ("sd=en cy=1,w", "2025/08/12", AUGUST, "12 19 26"),
    # Monthly: the start day anew in every nth month, so it never sticks to a short one (3.8).
    ("sd=2025/09/31 cy=1,m sh=no", "2025/08/01", AUTUMN, "30 31 30 31"),
    ("sd=5 cy=1,m sh=no", "2025/08/20", AUTUMN, "05 05 05 05"),
    ("sd=5 cy=3,m sh=no", "2025/08/20", "2025/08/01 2026/06/30", "05 05 05"),
    ("sd=2025/08/*3 cy=1,m", "2025/08/01", "2025/08/01 2025/11/30", "05 03 03 05"),
    ("sd=2025/08/fr:5 cy=1,m", "2025/08/01", AUTUMN, "29 31"),
    # First date missing, monthly: on by the cycle (R14).
    ("sd=2025/09/fr:5 cy=1,m", "2025/09/01", "2025/09/01 2026/02/28", "31 30"),
    # A weekday without number means the first of the month (R12).
    ("sd=we cy=1,m", "2025/08/11", "2025/08/11 2025/10/31", "03 01"),
    # The registered day keeps the day of the month, clamped (R12).
    ("sd=en cy=1,m sh=no", "2025/08/31", AUTUMN, "31 30 31 30 31"),
    ("sd=2028/02/29 cy=1,y sh=no", "2028/01/01", "2028/01/01 2032/12/31", "29 28 28 28 29"),
    ("sd=en cy=2,y sh=no", "2028/02/29", "2028/01/01 2032/12/31", "29 28 29"),
]


@pytest.mark.parametrize(("text", "registered", "span", "expected"), CYCLES)
def test_cycles(text, registered, span, expected):
    assert [found[-2:] for found in dates(text, registered, span)] == expected.split()


def test_a_weekly_cycle_begins_in_the_first_month_that_has_the_day():
    """R28: neither November nor December 2025 has a fifth Friday."""
    found = dates("sd=2025/11/fr:5 cy=2,w", "2025/11/01", "2025/11/01 2026/02/28")
    assert found == ["2026/01/30", "2026/02/13", "2026/02/27"]


HOLIDAY_FRIDAY = calendar("sa su 2025/02/14")
SHIFTS = [
    # rule on February 2025 | calendar | dates. The 14th is a Friday.
    ("sd=2025/02/15 sh=af", WEEKENDS, "17"),
    ("sd=2025/02/15 sh=af shd=1", WEEKENDS, ""),
    ("sd=2025/02/15 sh=be shd=1", WEEKENDS, "14"),
    ("sd=2025/02/15 sh=ca", WEEKENDS, ""),
    ("sd=2025/02/15 sh=no", WEEKENDS, "15"),
    # On an open day nothing is substituted.
    ("sd=2025/02/14 sh=af", WEEKENDS, "14"),
    ("sd=2025/02/14 sh=be", WEEKENDS, "14"),
    # A three-day weekend is not left within two days from its first day.
    ("sd=2025/02/14 sh=af", HOLIDAY_FRIDAY, ""),
    ("sd=2025/02/14 sh=af shd=3", HOLIDAY_FRIDAY, "17"),
    ("sd=2025/02/16 sh=be shd=2", HOLIDAY_FRIDAY, ""),
    ("sd=2025/02/16 sh=be shd=3", HOLIDAY_FRIDAY, "13"),
    # Days from start: open days strictly before or after, within so many plain days (3.12).
    ("sd=2025/02/17 cftd=be,1", WEEKENDS, "14"),
    ("sd=2025/02/17 cftd=be,2,4", WEEKENDS, "13"),
    ("sd=2025/02/17 cftd=be,2,3", WEEKENDS, ""),
    ("sd=2025/02/14 cftd=af,1,3", WEEKENDS, "17"),
    ("sd=2025/02/14 cftd=af,1,2", WEEKENDS, ""),
    ("sd=2025/02/14 cftd=af,6", WEEKENDS, "24"),
    # Plain days may end on a closed day.
    ("sd=2025/02/17 cftd=db,1", WEEKENDS, "16"),
    ("sd=2025/02/14 cftd=da,2", WEEKENDS, "16"),
    # Counted from the substituted date; a date that was dropped has none.
    ("sd=2025/02/15 sh=be cftd=be,2,10", WEEKENDS, "12"),
    ("sd=2025/02/15 sh=af cftd=af,1", WEEKENDS, "18"),
    ("sd=2025/02/15 sh=ca cftd=af,1", WEEKENDS, ""),
    ("sd=2025/02/15 sh=no cftd=af,1", WEEKENDS, "17"),
    # Out of the month.
    ("sd=2025/03/01 sh=be cftd=be,1", WEEKENDS, "27"),
    # A closed start day that moves to an open one.
    ("sd=2025/02/@1 sh=af", WEEKENDS, "03"),
    # The cycle walks unshifted dates: 2/15 meets 2/17 there, and 2/19 follows (3.9).
    ("sd=2025/02/13 cy=2,d sh=af", WEEKENDS, "13 17 17 19 21 24 25 27"),
]


@pytest.mark.parametrize(("text", "seen", "expected"), SHIFTS)
def test_substitution_and_days_from_start(text, seen, expected):
    found = dates(text, "2025/01/01", "2025/02/01 2025/02/28", seen)
    assert [runs_on[-2:] for runs_on in found] == expected.split()


def test_a_missing_absolute_day_can_be_made_to_skip_the_month(monkeypatch):
    monkeypatch.setattr(start_days, "MISSING_DAY_IS_LAST", False)
    found = dates("sd=2025/08/31 cy=1,m sh=no", "2025/08/01", AUTUMN)
    assert found == ["2025/08/31", "2025/10/31", "2025/12/31"]


def test_a_day_cycle_can_be_made_to_count_all_days(monkeypatch):
    monkeypatch.setattr(rules, "CYCLE_DAYS_FOLLOW_KIND", False)
    found = dates("sd=2025/08/*1 cy=3,d sh=no", "2025/08/01", "2025/08/01 2025/08/10")
    assert found == ["2025/08/01", "2025/08/04", "2025/08/07", "2025/08/10"]


@pytest.mark.parametrize(
    "text",
    ["sd=en cy=1,d", "sd=*1 cy=1,d", "sd=+35 cy=1,m", "sd=fr:5 cy=1,w", "sd=2025/02/fr:5 cy=9,y"],
)
def test_every_search_ends_with_the_last_year(text):
    never = calendar("mo tu we th fr sa su")
    assert dates(text, "2025/08/01", f"2025/08/01 {LAST_YEAR}/12/31", never) == []


def test_days_after_the_last_year_are_not_planned():
    found = dates("sd=2099/12/30 cy=1,d", "2025/08/01", "2099/12/01 2100/02/01", OPEN_ALL)
    assert found == ["2099/12/30", "2099/12/31"]
    after = (rule("sd=en cy=1,d"), OPEN_ALL, day("2025/08/01"), date(2100, 1, 1), bool)
    assert list(occurrences(*after)) == []
    assert list(rules.dates(*after)) == []
    last = date(2099, 12, 31)
    assert list(rules.dates(*after[:3], last, bool)) == [(last, last)]


@pytest.mark.parametrize("text", ["sd=31 cy=1,m", "sd=+1 cy=1,m", "sd=*1 cy=1,d", "sd=mo cy=1,w"])
def test_dates_are_those_of_the_occurrences_to_the_last_one(text):
    since = date(LAST_YEAR, 10, 1)
    asked = (rule(f"{text} sh=af cftd=be,1"), WEEKENDS, day("2025/08/01"), since, bool)
    found = list(occurrences(*asked))
    runs = [(o.day, o.runs_on) for o in found if o.runs_on is not None]
    assert runs == [hit for hit in rules.dates(*asked) if hit[0] >= found[0].day]
    assert found[-1].day.year == LAST_YEAR
