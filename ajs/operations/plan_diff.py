"""How the coming runs of a root jobnet differ between two plans: which appear, vanish or move, lower jobnets too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from ajs.model import Jobnet
from ajs.plan import NestedPlan, RootPlan, coming, nested_plan
from ajs.schedule import Slot, Tie, Timetable

MARGIN = timedelta(days=7)
"""How much farther it is looked at, so that a run that only moves across the edge is seen to move."""


@dataclass(frozen=True, slots=True)
class NestedDiff:
    """What becomes of a nested jobnet in one run of its root: its start before and after, None where it has none.

    ``unit`` is its path below the root, ``run`` the run as it is afterwards.
    """

    unit: str
    run: Slot
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """What new definitions do to one root's coming runs: which appear, vanish, or move, and what was lost.

    ``nested`` is what changes inside runs that stay or move, but for starts that only move along with their root.
    """

    path: str
    appear: tuple[Slot, ...] = ()
    vanish: tuple[Slot, ...] = ()
    move: tuple[tuple[Slot, Slot], ...] = ()
    notes: tuple[str, ...] = ()
    nested: tuple[NestedDiff, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """One coming run: when it lies, the occurrences of rules that it comes from, and what is nested in it."""

    slot: Slot
    ties: frozenset[Tie]
    nested: Mapping[str, NestedPlan] = field(default_factory=dict)


def planned_until(
    plan: RootPlan, timetable: Timetable, until: datetime, *, nested: bool
) -> list[Planned]:
    """Return the coming runs up to a margin behind ``until``, in order; with what is nested in them if asked for."""
    end = until + MARGIN
    found = [
        Planned(g.slot, frozenset(g.ties), g.nested) for g in plan.waiting if g.slot.start < end
    ]
    for start in takewhile(lambda s: s.slot.start < end, coming(plan, timetable)):
        lower: Mapping[str, NestedPlan] = {}
        if nested:
            lower = nested_plan(timetable, plan.registration.registered, start.slot, start.ties)
        found.append(Planned(start.slot, frozenset(start.ties), lower))
    return sorted(found, key=lambda run: run.slot)


def nested_may_differ(before: Timetable, after: Timetable) -> bool:
    """Return whether nested jobnets may run otherwise than with their root: by other rules or another calendar."""
    old, new = _nested_rules(before.jobnet), _nested_rules(after.jobnet)
    timed = any(unit.rules is not None for _, unit in (*old, *new))
    return timed and (_schedules(old) != _schedules(new) or before.calendar != after.calendar)


def _nested_rules(jobnet: Jobnet) -> list[tuple[str, Jobnet]]:
    return [(path, unit) for path, unit in jobnet.walk() if isinstance(unit, Jobnet)]


def _schedules(nested: Sequence[tuple[str, Jobnet]]) -> list[tuple[object, ...]]:
    return [
        (path, unit.rules, unit.valid_until, unit.calendar_of, unit.exclusive)
        for path, unit in nested
    ]


def compared(
    path: str,
    old: Sequence[Planned],
    new: Sequence[Planned],
    notes: tuple[str, ...],
    until: datetime,
) -> PlanDiff | None:
    """Return how two lists of coming runs differ up to ``until``.

    One run gone and one new is a move when the same occurrence of a rule makes them, or they have the same date.
    """
    before, after = {run.slot for run in old}, {run.slot for run in new}
    gone = [run for run in old if run.slot not in after]
    made = [run for run in new if run.slot not in before]
    moves = []
    for same in (_same_occurrence, _same_date):
        for was in list(gone):
            now = next((run for run in made if same(was, run)), None)
            if now is not None:
                moves.append((was.slot, now.slot))
                gone.remove(was)
                made.remove(now)
    nested = tuple(_nested_diffs(old, new, moves, until))
    moves = sorted(
        ((was, now) for was, now in moves if min(was.start, now.start) < until),
        key=lambda move: (move[0].start, move[0].exec_date),
    )
    appear = tuple(run.slot for run in made if run.slot.start < until)
    vanish = tuple(run.slot for run in gone if run.slot.start < until)
    if not (appear or vanish or moves or notes or nested):
        return None
    return PlanDiff(path, appear, vanish, tuple(moves), notes, nested)


def _nested_diffs(
    old: Sequence[Planned],
    new: Sequence[Planned],
    moves: Sequence[tuple[Slot, Slot]],
    until: datetime,
) -> Iterator[NestedDiff]:
    """Yield what changes inside the runs that are in both plans, at their place or moved."""
    before = {run.slot: run for run in old}
    came_from = {now: was for was, now in moves}
    for run in new:
        was = before.get(came_from.get(run.slot, run.slot))
        if was is None or run.slot.start >= until:
            continue
        if not was.nested and not run.nested:
            continue
        shift = run.slot.start - was.slot.start
        for unit in sorted(was.nested.keys() | run.nested.keys()):
            first, second = _start(was, unit), _start(run, unit)
            if first == second or (first and second and second - first == shift):
                continue
            yield NestedDiff(unit, run.slot, first, second)


def _start(run: Planned, unit: str) -> datetime | None:
    """Return when a nested jobnet starts in a run: at its time, with the root, or not at all."""
    plan = run.nested.get(unit)
    if plan is None or not plan.scheduled:
        return None
    return plan.start or run.slot.start


def _same_occurrence(was: Planned, now: Planned) -> bool:
    return bool(was.ties & now.ties)


def _same_date(was: Planned, now: Planned) -> bool:
    return was.slot.exec_date == now.slot.exec_date
