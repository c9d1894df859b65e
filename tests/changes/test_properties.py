"""What holds for every sequence of temporary changes, whatever the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from ajs.calendar import TypedDay
from ajs.changes import Cancel, Ground, Hold, MoveBy, MoveTo, Prohibit, apply
from ajs.changes.preview import effects
from ajs.errors import Refused
from ajs.model import Job, Jobnet
from ajs.plan import (
    Generation,
    Method,
    Passed,
    Phase,
    Registration,
    RootPlan,
    coming,
    started,
    with_next,
)
from ajs.schedule import DayMode, Timetable
from tests.notation import calendar, rule

NOW = datetime(2025, 8, 10, 12, 0)
RULES = ("sd=2025/08/11 cy=1,d st=10:00", "sd=2025/08/11 cy=3,d st=25:00", "sd=fr cy=1,w st=22:00")
NESTED = ("sd=2025/08/11 cy=1,d st=11:00", "sd=2025/08/11 cy=1,w st=30:00", "sd=fr cy=1,w st=+1:00")

timetables = st.builds(
    lambda root, nested, closed, base, mode: Timetable(
        Jobnet(
            name="R",
            rules=(rule(root),),
            units=(
                Jobnet(name="B", rules=(rule(nested),)),
                Jobnet(name="C"),
                Job(name="J", command="true"),
            ),
        ),
        calendar(closed, base_time=base),
        mode,
    ),
    st.sampled_from(RULES),
    st.sampled_from(NESTED),
    st.sampled_from(["", "sa su"]),
    st.sampled_from(["0:00", "8:00"]),
    st.sampled_from(DayMode),
)


def typed(day: date) -> TypedDay:
    return TypedDay(day.day, day.month, day.year)


moves = st.builds(
    MoveBy,
    days=st.integers(-2, 20),
    minutes=st.integers(-600, 600),
    also=st.booleans(),
    pass_on=st.booleans(),
) | st.builds(
    MoveTo,
    day=st.dates(NOW.date(), NOW.date() + timedelta(days=30)).map(typed),
    minutes=st.integers(0, 2879),
    also=st.booleans(),
    pass_on=st.booleans(),
)


def planned(timetable: Timetable) -> RootPlan:
    registration = Registration(method=Method.PLANNED, registered=NOW)
    plan = with_next(RootPlan(registration=registration), timetable)
    return numbered(plan)


def changed(plan: RootPlan, change, timetable: Timetable) -> RootPlan | None:
    """The plan after a change of its first run, None when it is refused."""
    ground = Ground("/g/R", timetable, NOW)
    try:
        return apply(plan, plan.waiting[0], "", change, ground).plan
    except Refused:
        return None


def cancelled(plan: RootPlan, timetable: Timetable) -> RootPlan:
    back = changed(plan, Cancel(), timetable)
    assert back is not None
    return back


def slots(plan: RootPlan, timetable: Timetable, count: int = 5):
    dummies = coming(plan, timetable)
    return [g.slot for g in plan.waiting], [
        s.slot for s, _ in zip(dummies, range(count), strict=False)
    ]


@given(timetables, st.lists(moves, min_size=1, max_size=4))
def test_cancelling_restores_the_run_and_its_dummies_exactly(timetable, changes):
    before = planned(timetable)
    plan = before
    for change in changes:
        plan = changed(plan, change, timetable) or plan
    if plan.waiting[0].changed or plan.waiting[0].kept:
        plan = cancelled(plan, timetable)
    assert plan == before
    assert effects("/g/R", before, plan, timetable) == ()


@given(timetables, moves)
def test_there_is_one_real_run_and_no_dummy_before_it(timetable, change):
    plan = changed(planned(timetable), change, timetable)
    if plan is not None:
        (real,), dummies = slots(plan, timetable)
        assert all(real < dummy for dummy in dummies)
        assert dummies == sorted(dummies, key=lambda s: (s.start, s.exec_date))


@given(timetables, st.lists(moves, max_size=3), st.integers(1, 6))
def test_no_occurrence_runs_twice_and_none_is_lost_but_those_passed(timetable, changes, count):
    """Every start of the rules runs at most once; a kept original and the early run are two runs of one occurrence."""
    plan = planned(timetable)
    for change in changes:
        plan = changed(plan, change, timetable) or plan
    ran: list[Generation] = []
    passed: list[Passed] = []
    for _ in range(count):
        if not plan.waiting:
            break
        first = plan.waiting[0]
        ran.append(first)
        plan, gone = started(plan, first, timetable, first.slot.start)
        passed += gone
    ties = [tie for g in ran for tie in g.ties]
    assert len(ties) == len(set(ties))
    assert not set(ties) & {tie for p in passed for tie in p.ties}
    assert not set(ties) & {tie for s in slots_ties(plan, timetable) for tie in s}


def slots_ties(plan: RootPlan, timetable: Timetable):
    return [s.ties for s, _ in zip(coming(plan, timetable), range(5), strict=False)]


@given(timetables, st.lists(moves, max_size=2), st.integers(1, 3))
def test_prohibitions_taken_back_in_turn_leave_the_plan_as_it_was(timetable, changes, count):
    plan = planned(timetable)
    for change in changes:
        plan = changed(plan, change, timetable) or plan
    kept = plan.waiting[0].kept
    # A kept run that had been postponed is a changed run: cancelling begins with that change.
    assume(kept is None or kept.slot == kept.original)
    before, done = plan, 0
    for _ in range(count):
        after = changed(plan, Prohibit(), timetable)
        if after is None or not after.waiting:
            break
        plan, done = numbered(after), done + 1
    for _ in range(done):
        plan = cancelled(plan, timetable)
    waiting = [g for g in plan.generations if g.phase is Phase.WAITING]
    assert waiting == list(before.waiting)
    assert slots(plan, timetable) == slots(before, timetable)


def numbered(plan: RootPlan) -> RootPlan:
    """The plan with a number for a new generation, as storing it gives one."""
    last = max(g.id for g in plan.generations)
    return replace(
        plan, generations=tuple(replace(g, id=g.id or last + 1) for g in plan.generations)
    )


@given(timetables, moves)
def test_holding_and_releasing_changes_nothing(timetable, change):
    before = changed(planned(timetable), change, timetable)
    if before is not None:
        held = changed(before, Hold(on=True), timetable)
        assert held is not None
        assert held != before
        assert changed(held, Hold(on=False), timetable) == before
