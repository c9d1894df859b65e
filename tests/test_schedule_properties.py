"""What holds for every schedule; and simple rules against dateutil and against a walk from day to day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from hypothesis import given
from hypothesis import strategies as st

from ajs.calendar import (
    BaseWeekday,
    Calendar,
    month_number,
)
from ajs.model import Jobnet
from ajs.reasons import Because
from ajs.rules import Cycle, CycleUnit, FromStart, Rule, Substitute, occurrences, reach, shifted
from ajs.schedule import DayMode, Tie, Timetable
from ajs.start_days import Counting, DayFromEnd, DayNumber, Nth, WeekdayOfMonth
from tests.random_rules import DAYS, MOMENTS, RULES, calendars, timetables

ONE_DAY = timedelta(days=1)


def until(table, registered, since, end):
    at = datetime.combine(end, time())
    return list(takewhile(lambda s: s.slot.start < at, table.starts(registered, since)))


@given(timetables(), MOMENTS)
def test_starts_are_ordered_and_never_doubled(table, registered):
    found = list(islice(table.starts(registered, registered.date() - ONE_DAY), 40))
    places = [(s.slot.start, s.slot.exec_date) for s in found]
    assert places == sorted(set(places))
    for start in found:
        assert list(start.ties) == sorted(start.ties, key=lambda tie: (tie.rule, tie.day))
        assert len(set(start.ties)) == len(start.ties)
        assert start.slot.start >= registered or start.slot.exec_date == table.day_of(registered)


@given(timetables(), MOMENTS, st.integers(0, 500), st.integers(0, 120))
def test_a_later_question_gives_the_same_tail(table, registered, days, length):
    since = registered.date() + timedelta(days=days)
    end = since + timedelta(days=length)
    whole = until(table, registered, date(2023, 1, 1), end)
    tail = until(table, registered, since, end)
    assert tail == [s for s in whole if s.slot.exec_date >= since]


@given(timetables(), MOMENTS)
def test_several_rules_plan_what_each_of_them_plans(table, registered):
    since = registered.date()
    end = since + timedelta(days=100)
    alone = set()
    for rule in table.jobnet.rules:
        one = Timetable(Jobnet(name="R", rules=(rule,)), table.calendar, table.mode)
        alone |= {(s.slot, tie) for s in until(one, registered, since, end) for tie in s.ties}
    found = until(table, registered, since, end)
    assert {(s.slot, tie) for s in found for tie in s.ties} == alone


@given(timetables(), MOMENTS, st.integers(0, 60))
def test_the_execution_date_of_a_start_is_inside_its_own_days(table, registered, days):
    since = registered.date() + timedelta(days=days)
    hours = {DayMode.H24: 24, DayMode.H48: 48}[table.mode]
    for start in islice(table.starts(registered, since), 10):
        first, _ = table.window(start.slot.exec_date)
        assert first <= start.slot.start < first + timedelta(hours=hours)


@given(timetables(), MOMENTS, st.integers(-3, 40))
def test_explain_names_the_runs_that_are_planned(table, registered, days):
    day = registered.date() + timedelta(days=days)
    chain = table.explain(registered, day)
    _, end = table.window(day)
    planned = [
        s.slot.start
        for s in until(table, registered, day, end.date() + ONE_DAY)
        if s.slot.exec_date == day
    ]
    assert [dict(r.facts)["start"] for r in chain if r.because is Because.RUNS] == planned
    assert (chain[-1].because is Because.NO_RUN) is not bool(planned)
    assert all(r.text for r in chain)


@given(RULES, calendars(), DAYS)
def test_shifts_land_on_open_days_or_give_no_run(rule, calendar, day):
    found = shifted(rule, day, calendar)
    back, ahead = reach(rule)
    if found.substituted is None:
        assert found.runs_on is None
        assert not calendar.is_open(day)
        return
    if rule.substitute is not Substitute.RUN:
        assert calendar.is_open(found.substituted)
    if calendar.is_open(day):
        assert found.substituted == day
    if found.runs_on is None:
        assert rule.days_from_start is not None
        return
    assert -back <= (found.runs_on - day).days <= ahead
    if rule.days_from_start and rule.days_from_start.kind in {
        FromStart.OPEN_BEFORE,
        FromStart.OPEN_AFTER,
    }:
        assert calendar.is_open(found.runs_on)


def walked(calendar, at, step, nth, within):
    """The nth open day found by stepping one day at a time, at most so many days."""
    for moved in range(1, within + 1):
        nth -= calendar.is_open(at + moved * step)
        if nth == 0:
            return at + moved * step
    return None


@given(RULES, calendars(), DAYS)
def test_shifts_agree_with_a_walk_from_day_to_day(rule, calendar, day):
    substituted = {
        Substitute.BEFORE: walked(calendar, day, -ONE_DAY, 1, rule.shift_days),
        Substitute.AFTER: walked(calendar, day, ONE_DAY, 1, rule.shift_days),
        Substitute.SKIP: None,
        Substitute.RUN: day,
    }
    at = day if calendar.is_open(day) else substituted[rule.substitute]
    moved = rule.days_from_start
    if at is not None and moved is not None:
        at = {
            FromStart.OPEN_BEFORE: walked(calendar, at, -ONE_DAY, moved.days, moved.within),
            FromStart.OPEN_AFTER: walked(calendar, at, ONE_DAY, moved.days, moved.within),
            FromStart.PLAIN_BEFORE: at - moved.days * ONE_DAY,
            FromStart.PLAIN_AFTER: at + moved.days * ONE_DAY,
        }[moved.kind]
    assert shifted(rule, day, calendar).runs_on == at


# -- against dateutil and against walking through every day --


def unshifted(start_day, cycle, calendar, registered, end):
    """Every day that the rule hits from the registration day until ``end``."""
    rule = Rule(start_day=start_day, cycle=cycle, substitute=Substitute.RUN)
    found = occurrences(rule, calendar, registered, registered, registered.__le__)
    return [o.day for o in takewhile(lambda o: o.day < end, found) if o.day >= registered]


@given(DAYS, DAYS, st.integers(1, 31), st.sampled_from([CycleUnit.DAY, CycleUnit.WEEK]))
def test_cycles_of_days_and_weeks_agree_with_dateutil(first, registered, every, unit):
    start = DayNumber(
        counting=Counting.ABSOLUTE, number=first.day, year=first.year, month=first.month
    )
    end = registered + timedelta(days=400)
    every = every % 5 + 1 if unit is CycleUnit.WEEK else every
    start_of_first = datetime.combine(first, time())
    expected = (
        rrule(DAILY, start_of_first, every, until=end - ONE_DAY)
        if unit is CycleUnit.DAY
        else rrule(WEEKLY, start_of_first, every, until=end - ONE_DAY)
    )
    found = unshifted(start, Cycle(every, unit), Calendar(), registered, end)
    assert found == [at.date() for at in expected if at.date() >= registered]


@given(DAYS, st.integers(1, 28), st.integers(1, 12), st.integers(1, 12))
def test_cycles_of_months_agree_with_dateutil(registered, number, month, every):
    start = DayNumber(counting=Counting.ABSOLUTE, number=number, year=2024, month=month)
    end = registered + timedelta(days=1500)
    expected = rrule(MONTHLY, datetime(2024, month, number), every, until=end - ONE_DAY)
    found = unshifted(start, Cycle(every, CycleUnit.MONTH), Calendar(), registered, end)
    assert found == [at.date() for at in expected if at.date() >= registered]


@given(DAYS, st.integers(0, 6), st.sampled_from([1, 2, 3, 4, 5, -1]), st.booleans())
def test_nth_weekdays_agree_with_dateutil(registered, day, nth, yearly):
    named = Nth.LAST if nth < 0 else Nth(nth)
    start = WeekdayOfMonth(counting=Counting.ABSOLUTE, weekday=day, nth=named, year=2024, month=2)
    end = registered + timedelta(days=1500)
    expected = rrule(
        YEARLY if yearly else MONTHLY,
        datetime(2024, 2, 1),
        until=end - ONE_DAY,
        byweekday=weekday(day, nth),
        bymonth=2 if yearly else None,
    )
    cycle = Cycle(1, CycleUnit.YEAR if yearly else CycleUnit.MONTH)
    found = unshifted(start, cycle, Calendar(), registered, end)
    assert found == [at.date() for at in expected if at.date() >= registered]


def base_months(calendar, first, end):
    """The months from base day to base day: lists of days, found by walking; the first and last may be cut off."""
    begins: set[date] = set()
    months: list[list[date]] = []
    day = first
    while day < end:
        if not months or day.day == 1:
            in_month = [day.replace(day=1) + n * ONE_DAY for n in range(31)]
            in_month = [d for d in in_month if d.month == day.month]
            base = calendar.base_day
            if isinstance(base, BaseWeekday):
                in_month = [d for d in in_month if d.weekday() == base.weekday]
            nth = base.nth if isinstance(base, BaseWeekday) else base.day
            begins.add(in_month[min(nth, len(in_month)) - 1])
        if day in begins or not months:
            months.append([])
        months[-1].append(day)
        day += ONE_DAY
    return months


@given(calendars(), DAYS, st.sampled_from(Counting), st.integers(1, 31), st.booleans())
def test_monthly_day_numbers_agree_with_a_walk_through_the_months(
    calendar, registered, counting, number, from_end
):
    if counting is Counting.ABSOLUTE:
        counting = Counting.RELATIVE
    start = (
        DayFromEnd(counting=counting, back=number - 1)
        if from_end
        else DayNumber(counting=counting, number=number)
    )
    end = registered + timedelta(days=120)
    expected = []
    for month in base_months(calendar, registered - timedelta(days=80), end + timedelta(days=80)):
        days = month[::-1] if from_end else month
        if counting is not Counting.RELATIVE:
            is_open = counting is Counting.OPEN
            days = [d for d in days if calendar.is_open(d) is is_open]
        if len(days) >= number and registered <= days[number - 1] < end:
            expected.append(days[number - 1])
    assert unshifted(start, Cycle(1, CycleUnit.MONTH), calendar, registered, end) == expected


@given(calendars(), DAYS, st.booleans(), st.integers(1, 9))
def test_cycles_of_open_days_agree_with_a_walk(calendar, registered, open_days, every):
    counting = Counting.OPEN if open_days else Counting.CLOSED
    start = DayNumber(counting=counting, number=1, year=registered.year, month=registered.month)
    end = registered + timedelta(days=90)
    first, _ = calendar.span(month_number(registered.year, registered.month))
    day = first
    of_kind = []
    while day < end:
        if calendar.is_open(day) is open_days:
            of_kind.append(day)
        day += ONE_DAY
    _, last = calendar.span(month_number(registered.year, registered.month))
    if not of_kind or of_kind[0] > last:
        return
    found = unshifted(start, Cycle(every, CycleUnit.DAY), calendar, registered, end)
    assert found == [d for d in of_kind[::every] if d >= registered]


# -- nested jobnets --


@given(timetables(), RULES, MOMENTS)
def test_nested_starts_lie_inside_the_window_and_agree_with_their_reasons(table, rule, registered):
    below = Jobnet(name="B", rules=(rule,), units=(Jobnet(name="C"),))
    root = Jobnet(name="R", rules=table.jobnet.rules, units=(below,))
    whole = Timetable(root, table.calendar, table.mode)
    for start in islice(whole.starts(registered, registered.date()), 5):
        exec_date = start.slot.exec_date
        given_by = (registered, exec_date, start.slot.start, start.ties)
        found = whole.nested(*given_by)
        assert list(found) == ["B", "B/C"]
        first, end = whole.window(exec_date)
        if found["B"].at is not None:
            assert first <= found["B"].at < end
            assert any(tie.rule == rule.link for tie in start.ties)
        assert found["B/C"].follows
        for path, chain in whole.explain_nested(*given_by).items():
            assert chain[-1].text == found[path].why
        without = whole.nested(registered, exec_date, start.slot.start, (Tie(99, exec_date),))
        assert without["B"].at is None
