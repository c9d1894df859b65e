"""Every planned run is accounted for, whatever is changed and however late it starts (product promise 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from hypothesis import example, given
from hypothesis import strategies as st

from ajs.calendar import TypedDay
from ajs.changes import Cancel, Change, Ground, MoveBy, MoveTo, Prohibit, RunNow, apply
from ajs.errors import AjsError
from ajs.model import Jobnet
from ajs.plan import Method, Registration, RootPlan, coming, started, with_next
from ajs.registering import by_count
from ajs.schedule import DayMode, Slot, Tie, Timetable
from tests.notation import calendar, rule

REGISTERED = datetime(2025, 8, 10, 21)
END = datetime(2025, 8, 17)
HOURLY = tuple(
    replace(rule(f"sd=2025/08/10 cy=1,d st={hour}:00"), number=hour) for hour in range(8, 13)
)
DAILY = (replace(rule("sd=2025/08/10 cy=1,d st=22:00"), number=1),)

changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        MoveBy,
        days=st.integers(-1, 3),
        minutes=st.integers(-300, 300),
        also=st.booleans(),
    ),
    st.builds(
        MoveTo,
        day=st.integers(10, 14).map(lambda day: TypedDay(day, 8, 2025)),
        minutes=st.integers(0, 2879),
        also=st.booleans(),
    ),
    st.builds(RunNow, also=st.booleans()),
    st.just(Prohibit()),
    st.just(Cancel()),
)
steps = st.lists(changes | st.integers(0, 3000), max_size=14)
"""Changes of the next run, and starts of it, so many minutes late."""


def numbered(plan: RootPlan, last: int) -> tuple[RootPlan, int]:
    made = []
    for one in plan.generations:
        last += not one.id
        made.append(one if one.id else replace(one, id=last))
    return replace(plan, generations=tuple(made)), last


def given_by_rules(timetable: Timetable) -> set[Tie]:
    """The occurrences between the registration and the end."""
    starts = timetable.starts(REGISTERED, REGISTERED.date(), catch_up=False)
    near = takewhile(lambda s: s.slot.start < END, starts)
    return {tie for s in near if s.slot.start >= REGISTERED for tie in s.ties}


def unaccounted(rules, count: int, played) -> set[Tie]:
    """Play the steps and return the occurrences that neither ran, wait, are a dummy, nor have a fate."""
    timetable = Timetable(Jobnet(name="R", rules=rules), calendar("sa su"), DayMode.H24)
    method = Method.FIXED if count else Method.PLANNED
    plan = RootPlan(registration=Registration(method=method, registered=REGISTERED, count=count))
    plan = by_count(plan, timetable, {}).plan if count else with_next(plan, timetable)
    plan, last = numbered(plan, 0)
    now, ran, fates, slots = REGISTERED, set[Tie](), set[Tie](), set[Slot]()
    for step in played:
        if not plan.waiting:
            break
        first = plan.waiting[0]
        if isinstance(step, int):
            now = max(now, first.slot.start) + timedelta(minutes=step)
            ran |= set(first.ties)
            slots.add(first.slot)
            plan, passed = started(plan, first, timetable, now)
            fates |= {tie for one in passed for tie in one.ties}
        else:
            try:
                plan = apply(plan, first, "", step, Ground("/g/R", timetable, now)).plan
            except AjsError:
                continue
        plan, last = numbered(plan, last)
    planned = {tie for g in plan.generations for tie in g.ties}
    planned |= {tie for g in plan.waiting if g.kept is not None for tie in g.kept.ties}
    near = takewhile(lambda s: s.slot.start < END, coming(plan, timetable))
    dummies = {tie for s in near for tie in s.ties}
    # What a run that waits has been moved past gets its fate when that run starts.
    moved = [(g.original, g.slot) for g in plan.waiting]
    moved += [(g.kept.original, g.kept.slot) for g in plan.waiting if g.kept is not None]
    # A run that no rule made is the dummy at whose very time it lies.
    slots |= {g.slot for g in plan.waiting}
    starts = timetable.starts(REGISTERED, REGISTERED.date(), catch_up=False)
    over = {
        tie
        for s in takewhile(lambda s: s.slot.start < END, starts)
        for tie in s.ties
        if s.slot in slots
        or any(original < s.slot and not slot < s.slot for original, slot in moved)
    }
    return given_by_rules(timetable) - ran - fates - planned - dummies - over


@given(st.sampled_from([HOURLY, DAILY]), st.sampled_from([0, 1, 3]), steps)
@example(
    HOURLY,
    0,
    [
        MoveTo(day=TypedDay(11, 8, 2025), minutes=9 * 60 + 45, also=False),
        MoveTo(minutes=9 * 60 + 15),
        0,
        0,
    ],
)
def test_every_planned_run_is_accounted_for(rules, count, played):
    assert unaccounted(rules, count, played) == set()
