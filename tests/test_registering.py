"""Fixed registration as a pure function: which runs it makes, and what becomes of dummies.

8/10/2025 is a Sunday.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ajs.model import Jobnet
from ajs.plan import Generation, Method, Phase, Registration, RootPlan, coming, started, with_next
from ajs.registering import (
    MOST_RUNS,
    Period,
    at_time,
    by_count,
    by_period,
    registrable,
    without_runs,
)
from ajs.schedule import DayMode, Slot, Tie, Timetable
from tests.notation import calendar, clock, rule

NOON = datetime(2025, 8, 10, 12)
DAILY = "sd=2025/08/11 cy=1,d st=10:00"
THIRD = "sd=2025/08/11 cy=3,d st=10:00 sh=no"
RULES = st.lists(
    st.builds(
        "sd=2025/08/{:02} cy={},{} st={}:00 sh={}".format,
        st.integers(1, 28),
        st.integers(1, 3),
        st.sampled_from("dw"),
        st.integers(0, 47),
        st.sampled_from(["be", "af", "ca", "no"]),
    ),
    min_size=1,
    max_size=3,
)


def table(*lines: str, mode: str = "24h") -> Timetable:
    rules = tuple(replace(rule(line), number=n) for n, line in enumerate(lines, 1))
    return Timetable(Jobnet(name="R", rules=rules), calendar("sa su"), DayMode(mode))


def fixed(count: int = 0, now: datetime = NOON) -> RootPlan:
    return RootPlan(registration=Registration(method=Method.FIXED, registered=now, count=count))


def stored(plan: RootPlan) -> RootPlan:
    """The plan with a number for each generation, as the store gives them."""
    last = max((g.id for g in plan.generations), default=0)
    made = []
    for one in plan.generations:
        last += not one.id
        made.append(one if one.id else replace(one, id=last))
    return replace(plan, generations=tuple(made))


def counted(number: int, timetable: Timetable) -> RootPlan:
    return stored(by_count(fixed(number), timetable, {}).plan)


def waiting(plan: RootPlan) -> list[str]:
    return [f"{g.slot.start:%d %H:%M}" for g in plan.waiting]


def dummies(plan: RootPlan, timetable: Timetable, number: int = 2) -> list[str]:
    return [f"{s.slot.start:%d %H:%M}" for s in islice(coming(plan, timetable), number)]


def start(plan: RootPlan, timetable: Timetable, now: str = "") -> tuple[RootPlan, list[str]]:
    """Start the next run, at its time or later, and return the plan and what was passed by."""
    first = plan.waiting[0]
    at = clock(now) if now else first.slot.start
    after, passed = started(plan, first, timetable, at)
    return stored(after), [f"{one.slot.start:%d %H:%M}" for one in passed]


def moved(plan: RootPlan, number: int, to: str) -> RootPlan:
    one = plan.generation(number)
    assert one is not None
    at = clock(to)
    return plan.with_generation(replace(one, slot=Slot(at, at.date())))


@given(RULES, st.sampled_from(["24h", "48h"]), st.integers(0, 20), st.integers(0, 20))
def test_two_periods_one_after_the_other_give_what_both_together_give(lines, mode, first, second):
    timetable = table(*lines, mode=mode)
    a = date(2025, 8, 10)
    b, c = a + timedelta(days=first), a + timedelta(days=first + 1 + second)
    whole = by_period(fixed(), timetable, Period(a, c), {}).plan
    one = stored(by_period(fixed(), timetable, Period(a, b), {}).plan)
    both = by_period(one, timetable, Period(b + timedelta(days=1), c), {})
    assert [g.slot for g in both.plan.waiting] == [g.slot for g in whole.waiting]
    assert both.merged == ()
    again = by_period(stored(both.plan), timetable, Period(a, c), {})
    assert len(again.plan.generations) == len(whole.generations)
    assert len(again.merged) == len(whole.generations)


@given(RULES, st.integers(1, 12))
def test_a_number_of_runs_gives_the_first_planned_starts(lines, number):
    timetable = table(*lines)
    plan = fixed(number)
    wanted = [s.slot for s in islice(registrable(plan.registration, timetable), number + 3)]
    after = stored(by_count(plan, timetable, {}).plan)
    assert [g.slot for g in after.waiting] == wanted[:number]
    assert [s.slot for s in islice(coming(after, timetable), 3)] == wanted[number:]


@given(RULES, st.integers(1, 4))
def test_started_one_after_the_other_every_planned_start_runs_once(lines, number):
    timetable = table(*lines)
    plan = fixed(number)
    wanted = [s.slot for s in islice(registrable(plan.registration, timetable), 10)]
    plan = stored(by_count(plan, timetable, {}).plan)
    ran: list[Slot] = []
    while plan.waiting and len(ran) < len(wanted):
        first = plan.waiting[0]
        ran.append(first.slot)
        plan, passed = start(plan, timetable)
        assert passed == []
    assert ran == wanted


@pytest.mark.parametrize(
    ("number", "change", "after", "then"),
    [
        pytest.param(2, None, ["12 10:00", "13 10:00"], ["14 10:00", "15 10:00"], id="one more"),
        pytest.param(
            2,
            lambda p: moved(p, 2, "2025/08/14 08:00"),
            ["13 10:00", "14 08:00"],
            ["14 10:00", "15 10:00"],
            id="moved past nothing that is left",
        ),
        pytest.param(
            2,
            lambda p: p.with_generation(replace(p.waiting[1], phase=Phase.PROHIBITED)),
            ["13 10:00"],
            ["14 10:00", "15 10:00"],
            id="a prohibition makes no dummy real",
        ),
    ],
)
def test_a_start_makes_the_first_dummy_real(number, change, after, then):
    timetable = table(DAILY)
    plan = counted(number, timetable)
    if change is not None:
        plan = change(plan)
    if plan.waiting[-1].changed:
        # Moved from the 12th to the 14th: the 13th is passed and does not come.
        assert dummies(plan, timetable) == ["14 10:00", "15 10:00"]
        plan, _ = start(plan, timetable)
        assert waiting(plan) == ["14 08:00", "14 10:00"]
        return
    plan, passed = start(plan, timetable)
    assert (waiting(plan), dummies(plan, timetable), passed) == (after, then, [])


def test_dummies_that_a_run_was_moved_past_are_passed_when_it_starts():
    timetable = table(THIRD)
    plan = moved(counted(1, timetable), 1, "2025/08/15 10:00")
    assert dummies(plan, timetable) == ["17 10:00", "20 10:00"]
    plan, passed = start(plan, timetable)
    assert (waiting(plan), passed) == (["17 10:00"], ["14 10:00"])


def test_a_late_start_misses_the_dummies_that_went_by():
    timetable = table(DAILY)
    plan, passed = start(counted(1, timetable), timetable, now="2025/08/14 09:00")
    assert (waiting(plan), passed) == (["14 10:00"], ["12 10:00", "13 10:00"])


def test_an_added_run_makes_no_dummy_real():
    timetable = table(THIRD)
    plan = counted(1, timetable)
    early = Slot(datetime(2025, 8, 11, 8), date(2025, 8, 11))
    plan = stored(at_time(plan, timetable, early, {}).plan)
    plan, _ = start(plan, timetable)
    assert (waiting(plan), dummies(plan, timetable)) == (["11 10:00"], ["14 10:00", "17 10:00"])


def test_a_run_that_lies_where_one_is_planned_stands_for_it_from_then_on():
    timetable = table(DAILY)
    there = Slot(datetime(2025, 8, 12, 10), date(2025, 8, 12))
    plan = stored(at_time(fixed(), timetable, there, {}).plan)
    found = by_period(plan, timetable, Period(date(2025, 8, 11), date(2025, 8, 13)), {})
    assert waiting(found.plan) == ["11 10:00", "12 10:00", "13 10:00"]
    assert [g.id for g in found.merged] == [1]
    again = at_time(stored(found.plan), timetable, there, {})
    assert [g.id for g in again.merged] == [1]


def test_what_ran_does_not_come_again_and_of_todays_past_only_the_last_counts():
    timetable = table(DAILY, DAILY.replace("10:00", "11:00"))
    day = Period(date(2025, 8, 11), date(2025, 8, 11))
    late = by_period(fixed(now=datetime(2025, 8, 11, 12)), timetable, day, {}).plan
    assert waiting(late) == ["11 11:00"]
    plan = stored(by_period(fixed(), timetable, day, {}).plan)
    plan, _ = start(plan, timetable)
    plan, _ = start(plan, timetable)
    registration = replace(plan.registration, registered=datetime(2025, 8, 11, 12))
    again = by_period(replace(plan, registration=registration), timetable, day, {})
    assert (again.plan.generations, again.merged) == ((), ())


@pytest.mark.parametrize(
    ("count", "gone", "left", "then"),
    [
        (0, [1], ["12 10:00", "13 10:00"], []),
        (3, [1], ["12 10:00", "13 10:00"], ["14 10:00", "15 10:00"]),
        (3, [1, 2, 3], None, None),
    ],
)
def test_what_is_cancelled_comes_only_when_it_is_registered_anew(count, gone, left, then):
    timetable = table(DAILY)
    period = Period(date(2025, 8, 11), date(2025, 8, 13))
    plan = stored(by_period(fixed(count), timetable, period, {}).plan)
    after = without_runs(plan, [g for g in plan.generations if g.id in gone])
    if left is None:
        assert after is None
        return
    assert after is not None
    assert (waiting(after), dummies(after, timetable)) == (left, then)
    back = by_period(after, timetable, period, {}).plan
    assert waiting(back) == ["11 10:00", "12 10:00", "13 10:00"]
    assert back.registration.cancelled == frozenset()


@pytest.mark.parametrize("method", [Method.FIXED, Method.PLANNED])
def test_old_cancellations_are_forgotten_and_coming_ones_never(method):
    timetable = table(DAILY)
    old, recent = Tie(1, date(2025, 6, 1)), Tie(1, date(2025, 8, 1))
    coming_yet = frozenset(Tie(1, date(2025, 9, 1) + timedelta(days=n)) for n in range(300))
    registration = replace(
        fixed(1).registration,
        method=method,
        count=int(method is Method.FIXED),
        cancelled=coming_yet | {old, recent},
    )
    plan = RootPlan(registration=registration)
    plan = (
        with_next(plan, timetable)
        if method is Method.PLANNED
        else by_count(plan, timetable, {}).plan
    )
    after, _ = start(stored(plan), timetable)
    assert after.registration.cancelled == coming_yet | {recent}


def test_one_run_more_than_is_allowed_is_looked_for():
    lines = [f"sd=2025/08/11 cy=1,d st={hour}:00" for hour in range(24)]
    period = Period(date(2025, 8, 11), date(2030, 8, 11))
    found = by_period(fixed(), table(*lines), period, {})
    assert len(found.plan.generations) == MOST_RUNS + 1


def test_a_planned_run_is_made_beside_a_held_immediate_one():
    slot = Slot(NOON, NOON.date())
    held = Generation(id=1, method=Method.IMMEDIATE, slot=slot, original=slot, holds={"": True})
    registration = Registration(method=Method.PLANNED, registered=NOON)
    plan = RootPlan(registration=registration, generations=(held,))
    assert waiting(with_next(plan, table(DAILY))) == ["10 12:00", "11 10:00"]


@pytest.mark.parametrize("added_first", [True, False])
def test_a_dummy_at_whose_very_time_a_run_waits_is_that_run(added_first):
    timetable = table(DAILY)
    there = Slot(datetime(2025, 8, 12, 10), date(2025, 8, 12))
    if added_first:
        dated = stored(at_time(fixed(1), timetable, there, {}).plan)
        plan = stored(by_count(dated, timetable, {}).plan)
    else:
        plan = stored(at_time(counted(1, timetable), timetable, there, {}).plan)
    assert waiting(plan) == ["11 10:00", "12 10:00"]
    assert dummies(plan, timetable) == ["13 10:00", "14 10:00"]
    plan, passed = start(plan, timetable)
    assert (waiting(plan), passed) == (["12 10:00", "13 10:00"], [])
    plan, passed = start(plan, timetable)
    assert (waiting(plan), passed) == (["13 10:00"], [])
    assert dummies(plan, timetable) == ["14 10:00", "15 10:00"]


def test_a_run_of_today_that_has_passed_counts_also_when_it_is_the_last_one():
    once = table("sd=2025/08/10 st=10:00 sh=no")
    found = list(registrable(fixed().registration, once))
    assert [one.slot.start for one in found] == [clock("2025/08/10 10:00")]
