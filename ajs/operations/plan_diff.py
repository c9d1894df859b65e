"""How the coming runs of a root jobnet differ between two plans: which appear, vanish or move, lower jobnets too."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from ajs.model import Jobnet
from ajs.plan import Generation, NestedPlan, RootPlan, coming, nested_plan
from ajs.schedule import Slot, Start, Tie, Timetable

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
    """One coming run: when it lies, the occurrences of rules that it comes from, and what is nested in it.

    ``real``: a generation that waits, not a dummy.
    """

    slot: Slot
    ties: frozenset[Tie]
    real: bool
    nested: Mapping[str, NestedPlan] = field(default_factory=dict)


def planned_until(
    plan: RootPlan, timetable: Timetable, until: datetime, other: RootPlan, *, nested: bool
) -> list[Planned]:
    """Return the coming runs in order: all that are real, and dummies up to a margin behind ``until``.

    Farther ahead come only dummies that stand for a real run of the ``other`` plan, with which this one is compared.
    What is nested in the runs comes if asked for.
    """
    end = until + MARGIN
    far = _Far([run for run in other.waiting if not run.slot.start < end])
    reach = max([end, *(run.slot.start + MARGIN for run in far.runs)])
    found = [Planned(g.slot, frozenset(g.ties), True, g.nested) for g in plan.waiting]
    for start in takewhile(lambda s: s.slot.start < reach, coming(plan, timetable)):
        if not start.slot.start < end and start not in far:
            continue
        lower: Mapping[str, NestedPlan] = {}
        if nested:
            lower = nested_plan(timetable, plan.registration.registered, start.slot, start.ties)
        found.append(Planned(start.slot, frozenset(start.ties), False, lower))
    return sorted(found, key=lambda run: run.slot)


class _Far(Container[Start]):
    """Real runs beyond what dummies are compared up to."""

    def __init__(self, runs: Sequence[Generation]) -> None:
        self.runs = runs
        self._dates = {run.slot.exec_date for run in runs}
        self._ties = {tie for run in runs for tie in run.ties}

    def __contains__(self, start: object) -> bool:
        """Whether a dummy stands for one of them: the same date, or the same occurrence of a rule."""
        return isinstance(start, Start) and (
            start.slot.exec_date in self._dates or not self._ties.isdisjoint(start.ties)
        )


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
    """Return how two lists of coming runs differ: real runs wherever they lie, dummies up to ``until``.

    One run gone and one new is a move when the same occurrence of a rule makes them, or they have the same date.
    """
    before, after = {run.slot for run in old}, {run.slot for run in new}
    real = {run.slot for run in (*old, *new) if run.real}

    def counts(*slots: Slot) -> bool:
        return any(slot.start < until or slot in real for slot in slots)

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
    nested = tuple(one for one in _nested_diffs(old, new, moves) if counts(one.run))
    moves = sorted(
        ((was, now) for was, now in moves if counts(was, now)),
        key=lambda move: (move[0].start, move[0].exec_date),
    )
    appear = tuple(run.slot for run in made if counts(run.slot))
    vanish = tuple(run.slot for run in gone if counts(run.slot))
    if not (appear or vanish or moves or notes or nested):
        return None
    return PlanDiff(path, appear, vanish, tuple(moves), notes, nested)


def _nested_diffs(
    old: Sequence[Planned],
    new: Sequence[Planned],
    moves: Sequence[tuple[Slot, Slot]],
) -> Iterator[NestedDiff]:
    """Yield what changes inside the runs that are in both plans, at their place or moved."""
    before = {run.slot: run for run in old}
    came_from = {now: was for was, now in moves}
    for run in new:
        was = before.get(came_from.get(run.slot, run.slot))
        if was is None:
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
