"""Another start time: by clock (``MoveTo``) or by so many days and minutes (``MoveBy``).

Later: the run is moved. Earlier: *not in next schedule* moves it, *also in next schedule* runs it early and keeps the
original too (seed 4.5.3). "Earlier" is measured from the present, perhaps already changed time (ruling R16).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ajs.calendar import TypedDay
from ajs.changes.base import Applied, Ground, moved_nested, passed_on, require_inside
from ajs.errors import NoSchedule, Refused
from ajs.model import Jobnet
from ajs.plan import Generation, Kept, Method, NestedPlan, RootPlan
from ajs.schedule import Slot

DAY_MINUTES = 24 * 60
MAX_DAYS = 99
"""Farthest relative change in days (rule book 7.1)."""
MAX_MINUTES = 47 * 60 + 59
"""Farthest relative change in minutes (rule book 7.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTo:
    """Start at this date and time; ``minutes`` after 0:00 of ``day``, 0..2879. None keeps the present one.

    A time without a date keeps the execution date, so one before the base time is that of the next clock day.
    """

    day: TypedDay | None = None
    minutes: int | None = None
    also: bool = True
    pass_on: bool = False

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; refused for a unit without schedule or a nested start outside its 48 hours."""
        ground.require_waiting(generation, unit)
        ground.require_jobnet(unit, "a start time")
        if unit:
            start = nested_start(generation, unit, ground)
            # A date typed for a nested jobnet is the clock's: 8/12 1:00 lies inside 8/11 (seed 4.5.3 (1)).
            kept_day = start.date() if self.day is not None else generation.slot.exec_date
            at = self._slot(Slot(start, kept_day), ground).start
            ground.require_not_before_today(at, unit)
            return move_nested(plan, generation, unit, at, ground, pass_on=self.pass_on)
        slot = self._slot(generation.slot, ground)
        ground.require_not_before_today(slot.start, unit)
        return move_root(plan, generation, slot, ground, also=self.also, pass_on=self.pass_on)

    def _slot(self, present: Slot, ground: Ground) -> Slot:
        """Return what was typed as a slot, with what was left out taken from where the run lies now."""
        day, minutes, timetable = present.exec_date, self.minutes, ground.timetable
        if minutes is None:
            since_midnight = present.start - datetime(day.year, day.month, day.day)
            minutes = int(since_midnight.total_seconds()) // 60
        elif self.day is None and minutes < timetable.calendar.base_time:
            minutes += DAY_MINUTES
        if self.day is not None:
            day = self.day.on(ground.today)
        return timetable.typed(day, minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBy:
    """Start so many days and minutes later, or earlier when negative, in plain clock time (seed 4.5.3 (2))."""

    days: int = 0
    minutes: int = 0
    also: bool = True
    pass_on: bool = False

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; refused for a unit without schedule or a nested start outside its 48 hours."""
        ground.require_waiting(generation, unit)
        ground.require_jobnet(unit, "a start time")
        shift = timedelta(days=self.days, minutes=self.minutes)
        if unit:
            at = nested_start(generation, unit, ground) + shift
            ground.require_not_before_today(at, unit)
            return move_nested(plan, generation, unit, at, ground, pass_on=self.pass_on)
        start = generation.slot.start + shift
        ground.require_not_before_today(start, unit)
        slot = Slot(start, ground.timetable.day_of(start))
        return move_root(plan, generation, slot, ground, also=self.also, pass_on=self.pass_on)


def move_root(
    plan: RootPlan, generation: Generation, slot: Slot, ground: Ground, *, also: bool, pass_on: bool
) -> Applied:
    """Return the plan with a root's run moved to ``slot``, or run there too."""
    ground.require_in_years(slot)
    kept = generation.kept
    if kept is not None and slot.start >= kept.slot.start:
        raise Refused(
            f"{ground.root}: {slot.start:%Y-%m-%d %H:%M} is not before {kept.slot.start:%Y-%m-%d %H:%M}, "
            "the original run that an earlier change kept",
            hint="cancel that change instead (ajsplan -u), then move the run",
            unit=ground.root,
        )
    if also and slot.start < generation.slot.start:
        if generation.method is Method.PLANNED:
            return _ahead_planned(plan, generation, slot, ground, pass_on=pass_on)
        return _ahead_added(plan, generation, slot, ground, pass_on=pass_on)
    nested = moved_nested(generation, slot, plan, ground, pass_on=pass_on)
    moved = replace(generation, slot=slot, nested=nested)
    return Applied(plan.with_generation(moved), moved)


def _ahead_planned(
    plan: RootPlan, generation: Generation, slot: Slot, ground: Ground, *, pass_on: bool
) -> Applied:
    """The real run is pushed ahead with its temporary changes; the original comes anew after it (seed, R16, R31)."""
    kept = generation.kept
    if kept is None:
        stays = generation.original if slot < generation.original else generation.slot
        kept = Kept(slot=stays, original=generation.original, ties=generation.ties)
    nested = moved_nested(generation, slot, plan, ground, pass_on=pass_on)
    ahead = replace(generation, slot=slot, nested=nested, kept=kept, ties=())
    note = f"{ground.root} runs twice: at {slot.start:%Y-%m-%d %H:%M} and at {kept.slot.start:%Y-%m-%d %H:%M}"
    return Applied(plan.with_generation(ahead), ahead, (note,))


def _ahead_added(
    plan: RootPlan, generation: Generation, slot: Slot, ground: Ground, *, pass_on: bool
) -> Applied:
    """The run stays and one is added, with the jobnets' temporary changes but not the jobs' (seed, R17, R33)."""
    nested = moved_nested(generation, slot, plan, ground, pass_on=pass_on)
    jobnets = {p for p, unit in ground.timetable.jobnet.walk() if isinstance(unit, Jobnet)} | {""}
    added = Generation(
        method=generation.method,
        slot=slot,
        original=generation.slot,
        added=True,
        nested=nested,
        holds={p: on for p, on in generation.holds.items() if p in jobnets},
        attributes={p: a for p, a in generation.attributes.items() if p in jobnets},
    )
    note = (
        f"{ground.root} runs twice: at {slot.start:%Y-%m-%d %H:%M} "
        f"and at {generation.slot.start:%Y-%m-%d %H:%M}"
    )
    return Applied(replace(plan, generations=(*plan.generations, added)), added, (note,))


# -- nested jobnets: simply moved, inside the 48 hours (seed 4.5.3 (1), rule book 7.1) --


def nested_start(generation: Generation, unit: str, ground: Ground) -> datetime:
    """Return when a nested jobnet starts in this generation; refused when it has no schedule.

    A jobnet that depends on its upper one has that one's start.
    """
    plan = generation.nested.get(unit)
    if plan is None or not plan.scheduled:
        why = (
            "is prohibited" if plan is not None and plan.prohibited else "has no execution schedule"
        )
        raise NoSchedule(
            f"{ground.name(unit)} {why} in the run of {generation.slot.exec_date}, so its time cannot be changed",
            hint=f"ajs why {ground.name(unit)} {generation.slot.exec_date} says why",
            unit=ground.name(unit),
        )
    if plan.start is not None:
        return plan.start
    upper = unit.rpartition("/")[0]
    return nested_start(generation, upper, ground) if upper else generation.slot.start


def move_nested(
    plan: RootPlan,
    generation: Generation,
    unit: str,
    at: datetime,
    ground: Ground,
    *,
    pass_on: bool,
) -> Applied:
    """Return the plan with one nested jobnet moved to ``at``."""
    before = nested_start(generation, unit, ground)
    require_inside(at, generation.slot.exec_date, unit, ground)
    nested: dict[str, NestedPlan] = dict(generation.nested)
    nested[unit] = replace(nested[unit], start=at, by_hand=True, passed=())
    if pass_on:
        nested = passed_on(nested, unit, at - before, generation.slot.exec_date, ground)
    moved = replace(generation, nested=nested)
    return Applied(plan.with_generation(moved), moved)
