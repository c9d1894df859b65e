"""Dates against those that others count: dateutil's recurrences, two evaluators of cron expressions, business days.

Each comparison goes over thirty years, day by day. What the others do not know (base days, clamping, substitution) is
put together from what they do know.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise, takewhile
from random import Random

import pytest
from business.calendar import Calendar as BusinessCalendar
from croniter import croniter  # type: ignore[import-untyped]
from cronsim import CronSim
from dateutil.rrule import MONTHLY, YEARLY, rrule, weekday
from holidays import country_holidays

from ajs import start_days
from ajs.calendar import Calendar, CalendarSettings
from ajs.model import Jobnet
from ajs.rules import occurrences
from ajs.schedule import DayMode, Timetable
from tests.notation import WEEKDAYS, calendar, rule

FIRST = date(2010, 1, 1)
END = date(2040, 1, 1)
ONE_DAY = timedelta(days=1)
PLAIN = calendar()
WEEKENDS = calendar("sa su")


def hit(text, seen=PLAIN, since=FIRST):
    """The unshifted days of a rule in the thirty years, registered on the first of them."""
    found = occurrences(rule(text), seen, FIRST, since, FIRST.__le__)
    return [o.day for o in takewhile(lambda o: o.day < END, found) if o.day >= since]


def run_on(text, seen):
    """The dates on which a rule runs in the thirty years."""
    found = occurrences(rule(text), seen, FIRST, FIRST, FIRST.__le__)
    runs = (o.runs_on for o in takewhile(lambda o: o.day < END, found))
    return [day for day in runs if day is not None]


def recurring(freq, every=1, **by):
    """The days that dateutil gives in the thirty years."""
    at = datetime.combine(FIRST, time())
    until = datetime.combine(END - ONE_DAY, time())
    return [found.date() for found in rrule(freq, at, every, until=until, **by)]


# -- dateutil --


@pytest.mark.parametrize("every", [1, 3, 12])
@pytest.mark.parametrize("number", range(1, 32))
def test_a_day_that_short_months_lack_is_the_last_of_its_candidates(number, every):
    """The 31st is the last of the 28th to the 31st that there is, and so on."""
    candidates = range(min(number, 28), number + 1)
    expected = recurring(MONTHLY, every, bymonthday=candidates, bysetpos=-1)
    assert hit(f"sd=2010/01/{number} cy={every},m") == expected


@pytest.mark.parametrize("number", range(1, 32))
def test_a_day_that_short_months_lack_can_be_left_out(number, monkeypatch):
    monkeypatch.setattr(start_days, "MISSING_DAY_IS_LAST", False)
    assert hit(f"sd=2010/01/{number} cy=1,m") == recurring(MONTHLY, bymonthday=number)


@pytest.mark.parametrize("back", range(31))
def test_days_from_the_end_of_the_month(back):
    assert hit(f"sd=2010/01/b-{back} cy=1,m") == recurring(MONTHLY, bymonthday=-back - 1)


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("every", [1, 4, 9])
def test_the_last_day_of_a_month_every_so_many_years(month, every):
    expected = recurring(YEARLY, every, bymonth=month, bymonthday=(28, 29, 30, 31), bysetpos=-1)
    assert hit(f"sd=2010/{month:02}/31 cy={every},y") == expected


@pytest.mark.parametrize("on", range(7))
@pytest.mark.parametrize(("nth", "position"), [(1, 1), (2, 2), (4, 4), (5, 5), ("b", -1)])
def test_nth_weekdays_every_so_many_months(on, nth, position):
    for every in (1, 2, 5):
        expected = recurring(MONTHLY, every, byweekday=weekday(on, position))
        assert hit(f"sd=2010/01/{WEEKDAYS[on]}:{nth} cy={every},m") == expected


@pytest.mark.parametrize(("kind", "days", "most"), [("*", range(5), 23), ("@", (5, 6), 10)])
def test_open_and_closed_days_where_only_weekends_are_closed(kind, days, most):
    assert hit(f"sd=2010/01/{kind}{most + 1} cy=1,m", WEEKENDS) == []
    for number in range(1, most + 1):
        expected = recurring(MONTHLY, byweekday=days, bysetpos=number)
        assert hit(f"sd=2010/01/{kind}{number} cy=1,m", WEEKENDS) == expected
        expected = recurring(MONTHLY, byweekday=days, bysetpos=-number)
        assert hit(f"sd=2010/01/{kind}b-{number - 1} cy=1,m", WEEKENDS) == expected


BASE_DAYS = [
    (str(number), {"bymonthday": range(min(number, 28), number + 1), "bysetpos": -1})
    for number in (1, 2, 15, 21, 28, 29, 30, 31)
] + [
    ("we:3", {"byweekday": weekday(2, 3)}),
    ("su:1", {"byweekday": weekday(6, 1)}),
    # The fifth Friday is the last one where there is none (R23).
    ("fr:5", {"byweekday": weekday(4, -1)}),
]


@pytest.mark.parametrize(("base_day", "by"), BASE_DAYS)
def test_months_from_base_day_to_base_day(base_day, by):
    seen = calendar(base_day=base_day)
    months = list(pairwise(recurring(MONTHLY, **by)))
    last = months[-1][1]
    for number in range(1, 36):
        expected = [a + (number - 1) * ONE_DAY for a, b in months if (b - a).days >= number]
        found = hit(f"sd=2010/01/+{number} cy=1,m", seen)
        assert [day for day in found if day < last] == expected
        expected = [b - number * ONE_DAY for a, b in months if (b - a).days >= number]
        found = hit(f"sd=2010/01/+b-{number - 1} cy=1,m", seen, months[0][0])
        assert [day for day in found if day < last] == expected


# -- cron --

EXPRESSIONS = [
    # rules | cron expression
    ("sd=en st=6:30 cy=1,d", "30 6 * * *"),
    ("sd=2010/01/fr st=23:59 cy=1,w", "59 23 * * 5"),
    ("sd=2010/01/15 st=0:00 cy=1,m", "0 0 15 * *"),
    ("sd=2010/03/28 st=7:05 cy=3,m", "5 7 28 3-12/3 *"),
    ("sd=2010/01/28 st=7:05 cy=6,m", "5 7 28 1,7 *"),
    ("sd=2010/02/11 st=12:00 cy=1,y", "0 12 11 2 *"),
    ("sd=2010/01/b st=22:00 cy=1,m", "0 22 L * *"),
    ("sd=2010/01/th:2 st=1:30 cy=1,m", "30 1 * * 4#2"),
    ("sd=2010/01/sa:5 st=1:30 cy=1,m", "30 1 * * 6#5"),
    ("n=1 sd=en st=6:00 cy=1,d; n=2 sd=en st=18:15 cy=1,d", ("0 6 * * *", "15 18 * * *")),
    (
        "n=1 sd=2010/01/mo st=4:00 cy=1,w; n=2 sd=2010/01/sa st=4:00 cy=1,w; n=3 sd=2010/01/15 st=4:00 cy=1,m",
        "0 4 15 * 1,6",
    ),
    # A rule of the evening before with hours past midnight.
    ("sd=2009/12/31 st=25:10 cy=1,d", "10 1 * * *"),
]


def cron_like(texts, seen=PLAIN):
    made = Jobnet(name="R", rules=tuple(rule(f"{text} sh=no") for text in texts.split(";")))
    at = datetime.combine(FIRST, time())
    end = datetime.combine(END, time())
    found = Timetable(made, seen, DayMode.H24).starts(at, FIRST)
    return [s.slot.start for s in takewhile(lambda s: s.slot.start < end, found)]


def cron(expressions, evaluator):
    found = set()
    for one in [expressions] if isinstance(expressions, str) else expressions:
        times = evaluator(one, datetime.combine(FIRST, time()) - timedelta(minutes=1))
        found |= set(takewhile(lambda at: at < datetime.combine(END, time()), times))
    return sorted(found)


@pytest.mark.parametrize(("texts", "expression"), EXPRESSIONS)
def test_cron_like_rules_agree_with_cronsim(texts, expression):
    assert cron_like(texts) == cron(expression, CronSim)


@pytest.mark.parametrize(("texts", "expression"), EXPRESSIONS)
def test_cron_like_rules_agree_with_croniter(texts, expression):
    def times(text, at):
        return croniter(text, at, ret_type=datetime)

    assert cron_like(texts) == cron(expression, times)


def test_the_last_working_day_of_the_month_agrees_with_cronsim():
    assert cron_like("sd=2010/01/*b st=3:00 cy=1,m", WEEKENDS) == cron("0 3 LW * *", CronSim)
    assert cron_like("sd=2010/01/fr:b st=3:00 cy=1,m") == cron("0 3 * * 5L", CronSim)


# -- business days under the holidays of some countries --

COUNTRIES = {"JP": (5, 6), "US": (5, 6), "DE": (5, 6), "GB": (5, 6), "SA": (4, 5)}
"""Which weekdays are free there."""


@pytest.fixture(scope="module", params=COUNTRIES)
def country(request):
    """Our calendar of a country, and the other one's; both know the holidays of two years more."""
    free = COUNTRIES[request.param]
    years = range(FIRST.year - 1, END.year + 1)
    days = sorted(country_holidays(request.param, years=years))
    ours = CalendarSettings(
        weekdays=tuple((on, False) for on in free), dates=tuple((day, False) for day in days)
    )
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    working = [name for on, name in enumerate(names) if on not in free]
    theirs = BusinessCalendar(holidays=[*days], working_days=working)
    return Calendar.effective([("/", ours)]), theirs


def business_days(theirs, first, end):
    """Their business days in a span, one from the other."""
    day = theirs.roll_forward(first)
    while day < end:
        yield day
        day = theirs.next_business_day(day)


def test_open_days_of_a_country(country):
    ours, theirs = country
    expected = list(business_days(theirs, FIRST, END))
    assert hit("sd=2010/01/*1 cy=1,d", ours) == expected
    assert hit("sd=2010/01/*1 cy=7,d", ours) == expected[::7]
    every_day = [FIRST + n * ONE_DAY for n in range((END - FIRST).days)]
    closed = sorted(set(every_day) - set(expected))
    assert hit("sd=2010/01/@1 cy=1,d", ours) == closed
    assert hit("sd=2010/01/@1 cy=5,d", ours) == closed[::5]


def test_nth_open_days_of_a_country(country):
    ours, theirs = country
    months: dict[tuple[int, int], list[date]] = {}
    for day in business_days(theirs, FIRST, END):
        months.setdefault((day.year, day.month), []).append(day)
    for number in range(1, 24):
        having = [days for days in months.values() if len(days) >= number]
        assert hit(f"sd=2010/01/*{number} cy=1,m", ours) == [days[number - 1] for days in having]
        assert hit(f"sd=2010/01/*b-{number - 1} cy=1,m", ours) == [days[-number] for days in having]


def test_substitutes_in_a_country(country):
    """Days that move to the same one are listed as often as there are."""
    ours, theirs = country
    every_day = [FIRST + n * ONE_DAY for n in range((END - FIRST).days)]
    back = [theirs.roll_backward(day) for day in every_day]
    ahead = [theirs.roll_forward(day) for day in every_day]
    assert run_on("sd=en cy=1,d sh=be shd=31", ours) == back
    assert run_on("sd=en cy=1,d sh=af shd=31", ours) == ahead
    near = [to for day, to in zip(every_day, ahead, strict=True) if (to - day).days <= 2]
    assert run_on("sd=en cy=1,d sh=af shd=2", ours) == near


def test_days_from_start_in_a_country(country):
    """From an open day; the other calendar counts on from the nearest open one otherwise."""
    ours, theirs = country
    open_days = list(business_days(theirs, FIRST, END))
    for nth in (1, 3, 10):
        found = dict(zip(open_days, run_on(f"sd=en cy=1,d cftd=af,{nth},31", ours), strict=True))
        back = dict(zip(open_days, run_on(f"sd=en cy=1,d cftd=be,{nth},31", ours), strict=True))
        for day in Random(nth).sample(open_days, 300):
            assert found[day] == theirs.add_business_days(day, nth)
            assert back[day] == theirs.add_business_days(day, -nth)


def test_counting_open_days_in_a_country(country):
    ours, theirs = country
    random = Random(1)
    for _ in range(100):
        first = FIRST + random.randrange(6000) * ONE_DAY
        end = first + random.randrange(4000) * ONE_DAY
        assert ours.count(first, end, open_days=True) == theirs.business_days_between(first, end)
