"""Open and closed days, months from base day to base day, AJS days from base time to base time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ajs.calendar import (
    LAST_YEAR,
    Calendar,
    DaySetting,
    Layer,
    MonthClass,
    month_number,
)
from tests.notation import calendar, clock, day, settings

SHOPS = ("/sales/shops", settings("we +2025/08/sa 2025/08/20"))
SALES = ("/sales", settings("+we sa su +2025/08/09 2025/08/13"))
SERVICE = ("/", settings("sa su +su 2025/08/15 +2025/08/20 2025/08/tu"))


@pytest.mark.parametrize(
    ("on", "is_open", "layer", "group"),
    [
        # Saturdays of August were opened by the nearest group.
        ("2025/08/16", True, Layer.MONTH_WEEKDAY, "/sales/shops"),
        ("2025/09/06", False, Layer.WEEKDAY, "/sales"),
        # The nearest weekday setting wins: closed by the shops, although open above.
        ("2025/09/03", False, Layer.WEEKDAY, "/sales/shops"),
        # A date beats every weekday, whoever set it.
        ("2025/08/13", False, Layer.DATE, "/sales"),
        ("2025/08/09", True, Layer.DATE, "/sales"),
        ("2025/08/15", False, Layer.DATE, "/"),
        # Of two dates the nearest group's.
        ("2025/08/20", False, Layer.DATE, "/sales/shops"),
        # A weekday in one month beats weekdays, also when it is set at the service.
        ("2025/08/12", False, Layer.MONTH_WEEKDAY, "/"),
        # Set nowhere.
        ("2025/09/02", True, Layer.UNSET, ""),
    ],
)
def test_the_setting_that_decides_about_a_day(on, is_open, layer, group):
    """R2: dates, nearest group outwards; weekdays in one month; weekdays; then open."""
    seen = Calendar.effective([SHOPS, SALES, SERVICE])
    assert seen.setting(day(on)) == DaySetting(is_open, layer, group)
    assert seen.is_open(day(on)) is is_open


def test_a_calendar_without_settings_has_no_closed_day():
    assert Calendar() == Calendar.effective(())
    assert Calendar().base_time == 0
    assert all(Calendar().is_open(date(2025, 1, 1) + timedelta(days=n)) for n in range(366))


def test_base_day_month_class_and_base_time_come_each_from_the_nearest_group_that_has_one():
    seen = Calendar.effective(
        [
            ("/a/b", settings(base_time="8:00")),
            ("/a", settings(base_day="21", base_time="7:00")),
            ("/", settings(base_day="10", month=MonthClass.NEXT, base_time="6:00")),
        ]
    )
    assert seen.base_time == 8 * 60
    assert seen.span(month_number(2025, 9)) == (day("2025/08/21"), day("2025/09/20"))


@pytest.mark.parametrize(
    ("base_day", "month_class", "month", "first", "last"),
    [
        ("", None, (2025, 2), "2025/02/01", "2025/02/28"),
        ("21", None, (2025, 8), "2025/08/21", "2025/09/20"),
        ("26", MonthClass.THIS, (2025, 8), "2025/08/26", "2025/09/25"),
        ("26", MonthClass.NEXT, (2025, 9), "2025/08/26", "2025/09/25"),
        ("26", MonthClass.NEXT, (2026, 1), "2025/12/26", "2026/01/25"),
        ("1", MonthClass.NEXT, (2025, 9), "2025/08/01", "2025/08/31"),
        # A base day past the end of a short month is its last day: no overlap, no gap.
        ("31", None, (2025, 1), "2025/01/31", "2025/02/27"),
        ("31", None, (2025, 2), "2025/02/28", "2025/03/30"),
        ("31", None, (2028, 2), "2028/02/29", "2028/03/30"),
        ("mo:2", None, (2025, 8), "2025/08/11", "2025/09/07"),
        # A month without a fifth Monday begins on its last one (R23).
        ("mo:5", None, (2025, 8), "2025/08/25", "2025/09/28"),
    ],
)
def test_months_run_from_base_day_to_base_day(base_day, month_class, month, first, last):
    seen = calendar(base_day=base_day, month=month_class)
    number = month_number(*month)
    assert seen.span(number) == (day(first), day(last))
    assert seen.month_of(day(first)) == seen.month_of(day(last)) == number
    assert seen.month_of(day(last) + timedelta(days=1)) == number + 1


@pytest.mark.parametrize(
    ("from_day", "nth", "open_day", "open_back", "closed_day"),
    [
        ("2025/08/01", 1, "2025/08/01", "2025/08/01", "2025/08/02"),
        ("2025/08/02", 1, "2025/08/04", "2025/08/01", "2025/08/02"),
        ("2025/08/02", 2, "2025/08/05", "2025/07/31", "2025/08/03"),
        ("2025/12/31", 2, "2026/01/02", "2025/12/30", "2026/01/03"),
        # 2026 has 260 open days, 2025 had 261; 105 + 104 closed days pass before 2028.
        ("2025/12/31", 261, "2026/12/31", "2025/01/01", "2028/06/25"),
    ],
)
def test_open_and_closed_days_are_counted_over_months_and_years(
    from_day, nth, open_day, open_back, closed_day
):
    weekdays = calendar("sa su 2026/01/01")
    assert weekdays.nth_from(day(from_day), nth, open_days=True) == day(open_day)
    assert weekdays.nth_back_from(day(from_day), nth, open_days=True) == day(open_back)
    assert weekdays.nth_from(day(from_day), nth, open_days=False) == day(closed_day)


@pytest.mark.parametrize(
    ("nth", "back", "ahead"),
    [
        # The first day of 1994 and the last of 2099; the year before and the year after are looked at.
        (1, "1994/01/01", "2099/12/31"),
        (2, "1993/12/31", "2100/01/01"),
        (366, "1993/01/01", "2100/12/31"),
        (367, None, None),
    ],
)
def test_days_are_looked_for_up_to_a_year_outside_what_can_be_planned(nth, back, ahead):
    plain = calendar()
    found_back = plain.nth_back_from(date(1994, 1, 1), nth, open_days=True)
    found_ahead = plain.nth_from(date(LAST_YEAR, 12, 31), nth, open_days=True)
    assert found_back == (day(back) if back else None)
    assert found_ahead == (day(ahead) if ahead else None)


@pytest.mark.parametrize(
    ("nth", "last", "found"),
    [
        (1, "2025/12/31", "2025/12/31"),
        (2, "2026/01/02", "2026/01/02"),
        (2, "2026/01/01", None),
        (3, "2026/01/05", "2026/01/05"),
        (3, "2026/01/04", None),
    ],
)
def test_a_search_for_an_open_day_stops_where_it_may(nth, last, found):
    weekdays = calendar("sa su 2026/01/01")
    ahead = weekdays.nth_from(day("2025/12/31"), nth, open_days=True, last=day(last))
    assert ahead == (day(found) if found else None)
    back = weekdays.nth_back_from(day(last), nth, open_days=True, first=day("2025/12/31"))
    assert (back == day("2025/12/31")) is (found is not None)


def test_counting_days_agrees_with_walking_them():
    weekdays = calendar("sa su 2026/01/01")
    first = day("2025/11/15")
    for length in range(120):
        end = first + timedelta(days=length)
        walked = [first + timedelta(days=n) for n in range(length)]
        for open_days in (True, False):
            expected = sum(weekdays.is_open(d) is open_days for d in walked)
            assert weekdays.count(first, end, open_days=open_days) == expected


def test_a_search_for_an_open_day_ends_when_there_is_none():
    never = calendar("mo tu we th fr sa su")
    assert never.nth_from(day("2025/08/01"), 1, open_days=True) is None
    assert never.nth_back_from(day("2025/08/01"), 1, open_days=True) is None
    assert never.nth_from(date(LAST_YEAR, 12, 31), 1, open_days=False) == date(LAST_YEAR, 12, 31)


@pytest.mark.parametrize(
    ("base_time", "at", "ajs_day"),
    [
        ("", "2025/08/11 00:00", "2025/08/11"),
        ("", "2025/08/11 23:59", "2025/08/11"),
        ("8:00", "2025/08/11 07:59", "2025/08/10"),
        ("8:00", "2025/08/11 08:00", "2025/08/11"),
        ("11:59", "2025/08/12 11:58", "2025/08/11"),
    ],
)
def test_an_ajs_day_runs_from_base_time_to_base_time(base_time, at, ajs_day):
    seen = calendar(base_time=base_time)
    assert seen.ajs_day(clock(at)) == day(ajs_day)
    assert seen.day_begins(day(ajs_day)) <= clock(at)


def test_a_calendar_stays_equal_whatever_it_was_asked():
    asked, fresh = calendar("sa su", base_day="21"), calendar("sa su", base_day="21")
    asked.nth_from(day("2025/08/01"), 30, open_days=True)
    assert asked == fresh
    assert hash(asked) == hash(fresh)
