"""What every temporary change stands on: the timetable, now, and the checks that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from ajs.calendar import FIRST_YEAR, LAST_YEAR
from ajs.errors import AlreadyStarted, NoSchedule, NoSuchDate, OutsideWindow, Refused, WrongKind
from ajs.lifecycle import Status
from ajs.model import Job, Jobnet
from ajs.plan import (
    Generation,
    Method,
    NestedPlan,
    Phase,
    RootPlan,
    nested_on_new_date,
    nested_plan,
    nested_without_rules,
)
from ajs.schedule import Slot, Timetable

BEFORE_ITS_TURN = frozenset({Status.NOPLAN, Status.TIMEWAIT, Status.TERMWAIT, Status.HOLDING})
"""Statuses of a unit in a running generation that can still be changed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The plan after a change, the generation that it made or moved, and what the operator must know."""

    plan: RootPlan
    generation: Generation
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a change is made: the root's full path, its timetable, and the wall-clock moment of the command.

    ``statuses`` are those of the units of a generation that has started: what has not had its turn there can still be
    changed. ``named``: the generation was named by the operator, so that no other one is meant.
    """

    root: str
    timetable: Timetable
    now: datetime
    statuses: Mapping[str, Status] = field(default_factory=dict)
    named: bool = False

    def name(self, unit: str) -> str:
        """Return the full path of a unit given by its path relative to the root."""
        return f"{self.root}/{unit}" if unit else self.root

    @property
    def today(self) -> date:
        """The AJS day of the command: base time to base time (design.md, Time)."""
        return self.timetable.day_of(self.now)

    def unit(self, unit: str) -> Jobnet | Job:
        """Return the definition of a unit of this root."""
        if not unit:
            return self.timetable.jobnet
        return next(found for path, found in self.timetable.jobnet.walk() if path == unit)

    def require_jobnet(self, unit: str, what: str) -> None:
        """Refuse an operation that only jobnets have."""
        if isinstance(self.unit(unit), Job):
            raise WrongKind(
                f"{self.name(unit)} is a job: {what} exists for jobnets only",
                hint="name the jobnet that holds the job, or hold or prohibit the job",
                unit=self.name(unit),
            )

    def require_not_before_today(self, at: datetime, unit: str) -> None:
        """Refuse a start before today; one that has passed today starts at once (seed 4.5.3)."""
        begins, _ = self.timetable.window(self.today)
        if at < begins:
            raise Refused(
                f"{self.name(unit)}: {at:%Y-%m-%d %H:%M} lies before today, which began at {begins:%Y-%m-%d %H:%M}",
                hint="a time that has passed today starts at once, and so does ajsplan -q; an earlier day is over",
                unit=self.name(unit),
                value=f"{at:%Y-%m-%d %H:%M}",
            )

    def require_in_years(self, slot: Slot) -> None:
        """Refuse a start or an execution date outside the years that can be planned."""
        for day in (slot.start.date(), slot.exec_date):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                at = f"{slot.start:%Y-%m-%d %H:%M}"
                raise NoSuchDate(
                    f"{self.root}: {at} lies outside the years {FIRST_YEAR} to {LAST_YEAR}",
                    hint=f"years go up to {LAST_YEAR}",
                    value=at,
                )

    def require_waiting(self, generation: Generation, unit: str) -> None:
        """Refuse a change to a generation that no longer waits."""
        name = self.name(unit)
        match generation.phase:
            case Phase.WAITING:
                return
            case Phase.PROHIBITED:
                raise NoSchedule(
                    f"{name}: this run is prohibited, so it has no execution schedule",
                    hint="take the prohibition back first: ajsplan -u",
                    unit=name,
                )
            case Phase.RUNNING if unit and self.statuses.get(unit) in BEFORE_ITS_TURN:
                return
            case Phase.RUNNING | Phase.ENDED:
                raise AlreadyStarted(
                    f"{name} has started or ended in the run of {generation.slot.exec_date}; "
                    "it can no longer be changed",
                    hint="name a run that waits: ajsshow --schedule lists them",
                    unit=name,
                )


def moved_nested(
    generation: Generation, slot: Slot, plan: RootPlan, ground: Ground, *, pass_on: bool
) -> dict[str, NestedPlan]:
    """Return the nested plans of a generation that goes to ``slot`` (seed 4.5.3 (3), rule book 7.3).

    Passed on: every lower start moves by the same amount. Not passed on: they stay on the same execution date, and
    are recalculated for another one.
    """
    if pass_on:
        shift = slot.start - generation.slot.start
        return passed_on(generation.nested, "", shift, slot.exec_date, ground)
    if slot.exec_date == generation.slot.exec_date:
        return dict(generation.nested)
    ties = generation.kept.ties if generation.kept is not None else generation.ties
    by_rule = generation.method is Method.PLANNED and bool(ties)
    fresh = (
        nested_plan(ground.timetable, plan.registration.registered, slot, ties)
        if by_rule
        else nested_without_rules(ground.timetable)
    )
    move = (generation.slot.exec_date, slot.exec_date)
    return nested_on_new_date(generation.nested, fresh, ground.timetable, move, by_rule=by_rule)


def passed_on(
    nested: Mapping[str, NestedPlan],
    upper: str,
    shift: timedelta,
    exec_date: date,
    ground: Ground,
) -> dict[str, NestedPlan]:
    """Return the nested plans with every start below ``upper`` moved by ``shift``; refused outside the 48 hours."""
    found = {}
    for path, before in nested.items():
        below = not upper or path.startswith(f"{upper}/")
        if not below or before.start is None:
            found[path] = before
            continue
        start = before.start + shift
        require_inside(start, exec_date, path, ground)
        sums = dict(before.passed)
        sums[upper] = sums.get(upper, timedelta()) + shift
        # There and back again is no change.
        passed = tuple(sorted((name, total) for name, total in sums.items() if total))
        found[path] = replace(before, start=start, passed=passed)
    return found


def taken_back(nested: Mapping[str, NestedPlan], upper: str) -> dict[str, NestedPlan]:
    """Return the nested plans without the shifts that ``upper`` passed on; starts changed since then stay (R16)."""
    found = {}
    for path, before in nested.items():
        sums = dict(before.passed)
        shift = sums.pop(upper, None)
        if shift is None or before.start is None:
            found[path] = before
        else:
            rest = tuple(sorted(sums.items()))
            found[path] = replace(before, start=before.start - shift, passed=rest)
    return found


def require_inside(at: datetime, exec_date: date, unit: str, ground: Ground) -> None:
    """Refuse a nested start outside the 48 hours of the root's execution date (seed 4.5.3 (1))."""
    first, end = ground.timetable.window(exec_date)
    if not first <= at < end:
        raise OutsideWindow(
            f"{ground.name(unit)}: {at:%Y-%m-%d %H:%M} lies outside the 48 hours of the root's execution date "
            f"{exec_date} ({first:%Y-%m-%d %H:%M} up to {end - timedelta(minutes=1):%Y-%m-%d %H:%M})",
            hint="choose a time inside them, or move the root",
            unit=ground.name(unit),
            value=f"{at:%Y-%m-%d %H:%M}",
        )
