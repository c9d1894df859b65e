"""Registration for fixed execution, and the cancelling of single runs: which generations come to a plan, which go.

Fixed generations add up: a run that is registered already is not made again (rule book 6.6). What they are computed
from is frozen by who registers (6.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice, takewhile

from ajs.plan import (
    Generation,
    Method,
    Phase,
    Registration,
    RootPlan,
    generation_for,
    last_past,
    nested_without_rules,
    ties_at,
)
from ajs.schedule import Slot, Start, Tie, Timetable

MOST_GENERATIONS = 99
"""How many future generations a fixed registration by number can have (commands.md 4)."""
MOST_RUNS = 10_000
"""How many runs of one root jobnet one registration by period can make."""


@dataclass(frozen=True, slots=True)
class Period:
    """Execution dates, both ends included (ruling R13)."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Whether an execution date lies in the period."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a fixed registration made: the plan after it, and the runs that were registered already."""

    plan: RootPlan
    merged: tuple[Generation, ...] = ()


def registrable(registration: Registration, timetable: Timetable) -> Iterator[Start]:
    """Return the starts that a fixed registration can take, in slot order: none that had its turn before.

    Of today's past starts only the last one counts, and none at all without ``catch_up`` (rule book 6.5, R10).
    """
    registered, floor = registration.registered, registration.floor
    first = timetable.day_of(registered) - timedelta(days=1)
    starts = (
        start
        for start in timetable.starts(registered, first, catch_up=registration.catch_up)
        if not registration.done.issuperset(start.ties)
        and not (start.slot.start < registered and floor is not None and start.slot <= floor)
    )
    return last_past(starts, registered)


def by_period(
    plan: RootPlan, timetable: Timetable, period: Period, holds: Mapping[str, bool]
) -> Fixed:
    """Register all runs of a period of execution dates (rule book 6.4).

    ``plan`` has the new registration and the generations that are there already. One run more than ``MOST_RUNS`` is
    looked for, so that the caller sees that there are too many.
    """
    _, end = timetable.window(period.last)
    starts = takewhile(lambda s: s.slot.start < end, registrable(plan.registration, timetable))
    wanted = (start for start in starts if start.slot.exec_date in period)
    return _with(plan, timetable, islice(wanted, MOST_RUNS + 1), holds)


def by_count(plan: RootPlan, timetable: Timetable, holds: Mapping[str, bool]) -> Fixed:
    """Register the first runs of the rules, as many as the registration's number beside prohibited ones (6.4)."""
    off = {tie for g in plan.generations if g.phase is Phase.PROHIBITED for tie in g.ties}
    return _with(
        plan, timetable, _first(registrable(plan.registration, timetable), plan, off), holds
    )


def _first(starts: Iterable[Start], plan: RootPlan, off: set[Tie]) -> Iterator[Start]:
    left = plan.registration.count
    for start in starts:
        left -= off.isdisjoint(start.ties)
        yield start
        if not left:
            return


def at_time(plan: RootPlan, timetable: Timetable, slot: Slot, holds: Mapping[str, bool]) -> Fixed:
    """Register one run at a date and time; rules count neither for it nor inside it (rule book 6.4, 7.6)."""
    added = Generation(
        method=Method.FIXED,
        slot=slot,
        original=slot,
        added=True,
        nested=nested_without_rules(timetable),
        holds=dict(holds),
    )
    return with_runs(plan, [added])


def with_runs(plan: RootPlan, runs: Iterable[Generation]) -> Fixed:
    """Register runs as they are; where one is registered already, prohibited ones too, that one stays (6.6)."""
    standing = _by_slot(plan)
    made: dict[Slot, Generation] = {}
    merged = []
    for run in runs:
        if run.slot in standing:
            merged.append(standing[run.slot])
        else:
            made.setdefault(run.slot, run)
    return Fixed(replace(plan, generations=(*plan.generations, *made.values())), tuple(merged))


def _by_slot(plan: RootPlan) -> dict[Slot, Generation]:
    """Return the runs by where they lie: the first that waits there, else the prohibited one."""
    off = [g for g in plan.generations if g.phase is Phase.PROHIBITED]
    return {g.slot: g for g in (*off, *reversed(plan.waiting))}


def standing_for_dummies(plan: RootPlan, timetable: Timetable) -> RootPlan:
    """Return the plan with each run that lies at the very time of a dummy standing for it from then on (2.2, 6.6)."""
    return replace(plan, generations=tuple(_tied(g, plan, timetable) for g in plan.generations))


def _tied(one: Generation, plan: RootPlan, timetable: Timetable) -> Generation:
    if one.ties or one.method is not Method.FIXED or one.phase is not Phase.WAITING:
        return one
    return replace(one, ties=ties_at(plan.registration, timetable, one.slot))


def _with(
    plan: RootPlan, timetable: Timetable, starts: Iterable[Start], holds: Mapping[str, bool]
) -> Fixed:
    """Return the plan with these starts as real generations; those there already stay as they are (6.6).

    So do prohibited ones: what an operator took out of the plan comes back by ``ajs undo``, or once it is cancelled.
    """
    by_tie = {tie: g for g in plan.generations for tie in g.ties}
    by_slot = _by_slot(plan)
    made: list[Generation] = []
    merged: list[Generation] = []
    back: set[object] = set()
    for start in starts:
        back.update(start.ties)
        same = next((by_tie[tie] for tie in start.ties if tie in by_tie), by_slot.get(start.slot))
        if same is None:
            made.append(generation_for(start, plan.registration, timetable, holds))
            continue
        merged.append(same)
        missing = tuple(tie for tie in start.ties if tie not in same.ties)
        if missing:
            # It stands for this occurrence too from now on, so that it does not come a second time.
            joined = replace(same, ties=(*same.ties, *missing))
            plan = plan.with_generation(joined)
            by_tie |= dict.fromkeys(joined.ties, joined)
            by_slot[joined.slot] = joined
    registration = plan.registration
    cancelled = frozenset(tie for tie in registration.cancelled if tie not in back)
    registration = replace(registration, cancelled=cancelled)
    after = RootPlan(registration=registration, generations=(*plan.generations, *made))
    return Fixed(after, tuple(merged))


# -- cancelling --


def without_runs(plan: RootPlan, gone: Iterable[Generation]) -> RootPlan | None:
    """Return the plan without these generations, None when that ends the registration (rule book 6.12).

    That is so when a planned registration loses its only real generation, or any other one its last: no dummy becomes
    real by cancelling (R36).
    """
    numbers = {g.id for g in gone}
    lost = [g for g in plan.generations if g.id in numbers]
    left = tuple(g for g in plan.generations if g.id not in numbers)
    waits = any(g.phase is Phase.WAITING for g in left)
    if not waits:
        return None
    registration = plan.registration
    cancelled = registration.cancelled | {tie for g in lost for tie in g.ties}
    return RootPlan(
        registration=replace(registration, cancelled=cancelled),
        generations=left,
    )


def starts_in(timetable: Timetable, period: Period) -> tuple[datetime, datetime]:
    """Return the clock instants of a period of calendar dates: a day has 24 hours from base time (rule book 6.12)."""
    first, _ = timetable.window(period.first)
    last, _ = timetable.window(period.last)
    return first, last + timedelta(days=1)
