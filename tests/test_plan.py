"""Generations and dummies where no story of changes leads: registrations without rules, runs of the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from ajs.attributes import Attributes
from ajs.calendar import TypedDay
from ajs.errors import NoSuchDate
from ajs.model import Jobnet
from ajs.plan import (
    Generation,
    Method,
    NestedPlan,
    Registration,
    RootPlan,
    Unused,
    after_floor,
    nested_on_new_date,
    started,
    with_next,
)
from ajs.replanning import recalculated
from ajs.schedule import DayMode, Slot, Tie, Timetable
from tests.notation import calendar, clock, rule

REGISTERED = clock("2025/08/11 10:00")


def table(text, *units):
    return Timetable(
        Jobnet(name="R", rules=tuple(map(rule, text.split(";"))), units=units),
        calendar("sa su"),
        DayMode.H24,
    )


def run(at, **fields: Any):
    slot = Slot(clock(at), clock(at).date())
    given: dict[str, Any] = {
        "id": 1,
        "method": Method.FIXED,
        "slot": slot,
        "original": slot,
    } | fields
    return Generation(**given)


@pytest.mark.parametrize(
    ("rules", "registered", "expected"),
    [
        # Of today's past runs the last one counts, and none when today is over (6.5).
        ("n=1 sd=en st=8:00 cy=1,d;n=2 sd=en st=9:30 cy=1,d", REGISTERED, "11 09:30, 12 08:00"),
        ("sd=en st=8:00 cy=1,d", REGISTERED, "11 08:00, 12 08:00"),
        ("sd=en st=18:00 cy=1,d", REGISTERED, "11 18:00, 12 18:00"),
        # Nothing comes after it.
        ("n=1 sd=en st=8:00;n=2 sd=en st=9:30", REGISTERED, "11 09:30"),
        ("sd=2025/08/08", REGISTERED, ""),
    ],
)
def test_the_first_run_after_the_registration(rules, registered, expected):
    found = after_floor(Registration(method=Method.PLANNED, registered=registered), table(rules))
    firsts = [next(found, None), next(found, None)]
    assert ", ".join(f"{s.slot.start:%d %H:%M}" for s in firsts if s is not None) == expected


@pytest.mark.parametrize("method", [Method.FIXED, Method.IMMEDIATE])
def test_only_planned_registration_makes_a_next_run_and_follows_edits(method):
    registration = Registration(method=method, registered=REGISTERED)
    one, other = run("2025/08/12 09:00"), run("2025/08/13 09:00", id=2)
    plan = RootPlan(registration=registration, generations=(one, other))
    daily = table("sd=en cy=1,d")
    assert with_next(plan, daily) is plan
    assert recalculated(plan, daily) == (plan, ())
    assert started(plan, one, daily, REGISTERED) == (
        RootPlan(registration=registration, generations=(other,)),
        (),
    )
    assert plan.generation(2) is other
    assert plan.generation(3) is None


def test_holds_that_were_not_used_go_to_the_next_run_unless_it_has_its_own():
    following = run("2025/08/12 09:00", holds={"A": False})
    after = Unused({"A": True, "B": True}, {"A": Attributes(priority=2)}).handed_on(following)
    assert after.holds == {"A": False, "B": True}
    assert after.attributes == {"A": Attributes(priority=2)}


def test_an_added_nested_start_without_original_goes_with_the_date():
    """A start that a change gave where the rules gave none has no original to move along (7.3)."""
    daily = table("sd=en cy=1,d", Jobnet(name="A", rules=(rule("sd=2024/01/01"),)))
    before = {"A": NestedPlan(start=clock("2025/08/12 11:00"), by_hand=True)}
    move = (date(2025, 8, 12), date(2025, 8, 14))
    after = nested_on_new_date(before, {"A": NestedPlan()}, daily, move, by_rule=False)
    assert after == {"A": NestedPlan(start=clock("2025/08/14 11:00"), by_hand=True)}


@pytest.mark.parametrize(
    ("ties", "told"),
    [
        ((Tie(1, date(2025, 8, 12)),), "is lost"),
        # Moved, and no occurrence says where from.
        ((), "is lost"),
    ],
)
def test_a_moved_run_without_an_occurrence_is_lost_and_that_is_said(ties, told):
    moved = replace(
        run("2025/08/12 09:00", method=Method.PLANNED, ties=ties),
        slot=Slot(datetime(2025, 8, 12, 15), date(2025, 8, 12)),
    )
    registration = Registration(method=Method.PLANNED, registered=REGISTERED)
    plan = RootPlan(registration=registration, generations=(moved,))
    after, notes = recalculated(plan, table("sd=2026/03/02"))
    assert [note for note in notes if told in note]
    assert [g.slot.start.date() for g in after.generations] == [date(2026, 3, 2)]


TYPED = [
    # as typed | today | the date, or words of the complaint
    ((3,), "2026/08/31", date(2026, 8, 3)),
    ((3, 2), "2026/08/31", date(2026, 2, 3)),
    ((29, 2, 2028), "2026/08/31", date(2028, 2, 29)),
    ((1, 1, 1994), "2026/08/31", date(1994, 1, 1)),
    ((31, 12, 2099), "2026/08/31", date(2099, 12, 31)),
    ((31, 12, 1993), "2026/08/31", "-b 1993/12/31: the year 1993 cannot be planned"),
    ((1, 1, 2100), "2026/08/31", "-b 2100/01/01: the year 2100 cannot be planned"),
    ((29, 2), "2026/08/31", "-b 02/29: there is no day 2026-02-29"),
    ((31,), "2026/04/10", "-b 31: there is no day 2026-04-31"),
]


@pytest.mark.parametrize(("typed", "today", "expected"), TYPED)
def test_a_typed_day_takes_what_is_left_out_from_today(typed, today, expected):
    number, month, year = (*typed, None, None)[:3]
    day = TypedDay(number, month, year, source="-b")
    if isinstance(expected, date):
        assert day.on(clock(f"{today} 00:00").date()) == expected
        return
    with pytest.raises(NoSuchDate) as refused:
        day.on(clock(f"{today} 00:00").date())
    assert expected in str(refused.value)


def test_what_ran_is_remembered_for_a_while_and_not_for_ever():
    """So that an edited rule cannot bring it back; at most two hundred, none older than 45 days."""
    daily = table("sd=en st=9:00 cy=1,d sh=no")
    plan = with_next(
        RootPlan(registration=Registration(method=Method.PLANNED, registered=REGISTERED)), daily
    )
    for _ in range(60):
        (one,) = plan.waiting
        plan, missed = started(plan, one, daily, one.slot.start)
        assert missed == ()
    days = sorted(tie.day for tie in plan.registration.done)
    assert len(days) == 46
    assert days[-1] - days[0] == timedelta(days=45)
