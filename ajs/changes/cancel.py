"""Cancel a temporary change: back to the original start, or out of a prohibition (seed 4.5.3, rule book 7.1, 7.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.changes.base import Applied, Ground, taken_back
from ajs.errors import AlreadyStarted, NothingToUndo, Refused
from ajs.model import Job
from ajs.plan import (
    Generation,
    Method,
    Phase,
    RootPlan,
    nested_on_new_date,
    nested_plan,
    nested_without_rules,
)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take back the change of the start time, or the prohibition."""

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; hold and release have their own way back (``Hold``)."""
        if isinstance(ground.unit(unit), Job):
            return _job(plan, generation, unit, ground)
        if unit:
            return _nested(plan, generation, unit, ground)
        if generation.phase in {Phase.RUNNING, Phase.ENDED}:
            raise AlreadyStarted(
                f"{ground.root}: this run has started; its changes can no longer be taken back",
                hint="ajsshow --schedule lists the runs that wait",
                unit=ground.root,
            )
        if generation.phase is Phase.PROHIBITED:
            return _prohibited_root(plan, generation, ground)
        if generation.changed or generation.kept is not None:
            return _moved_root(plan, generation, ground)
        last = last_prohibited(plan)
        if last is not None and generation.method is Method.PLANNED and not ground.named:
            return _prohibited_root(plan, last, ground)
        raise NothingToUndo(
            f"{ground.root}: the run of {generation.slot.exec_date} has no temporary change of its start",
            hint=f"ajs history {ground.root} lists what was changed",
            unit=ground.root,
        )


def last_prohibited(plan: RootPlan) -> Generation | None:
    """Return the run that was prohibited last and can still be brought back, or None.

    Only one behind the last run that started: what is past stays as it was.
    """
    floor = plan.registration.floor
    found = [
        g
        for g in plan.generations
        if g.phase is Phase.PROHIBITED and (floor is None or floor < g.original)
    ]
    return found[-1] if found else None


def _moved_root(plan: RootPlan, generation: Generation, ground: Ground) -> Applied:
    """Back to the original slot; what was passed on to lower jobnets comes back with it (R16)."""
    ties = generation.kept.ties if generation.kept is not None else generation.ties
    slot = generation.original
    own = taken_back(generation.nested, "")
    by_rule = generation.method is Method.PLANNED and bool(ties)
    fresh = (
        nested_plan(ground.timetable, plan.registration.registered, slot, ties)
        if by_rule
        else nested_without_rules(ground.timetable)
    )
    move = (generation.slot.exec_date, slot.exec_date)
    nested = nested_on_new_date(own, fresh, ground.timetable, move, by_rule=by_rule)
    back = replace(generation, slot=slot, nested=nested, kept=None, ties=ties)
    note = ""
    twins = [g for g in plan.waiting if g is not generation and g.slot == slot]
    if generation.added and twins:
        note = (
            f"{ground.root} runs twice at {slot.start:%Y-%m-%d %H:%M}; "
            "prohibit the added run (ajsplan -p) when one is enough"
        )
    return Applied(plan.with_generation(back), back, (note,) if note else ())


def _prohibited_root(plan: RootPlan, generation: Generation, ground: Ground) -> Applied:
    """Bring a prohibited planned run back; the run that took its place is a dummy again (rule book 7.7)."""
    if generation.method is not Method.PLANNED:
        raise Refused(
            f"{ground.root}: a prohibition cannot be taken back under {generation.method.value} registration",
            hint=f"ajs undo takes the ajsplan -p back: ajs history {ground.root} has its number; or cancel the run "
            "(ajsleave -B) and register it again",
            unit=ground.root,
        )
    if generation is not last_prohibited(plan):
        raise NothingToUndo(
            f"{ground.root}: a later run was prohibited after this one, or a later run has started",
            hint="take the prohibitions back in turn, the last one first",
            unit=ground.root,
        )
    back = replace(generation, phase=Phase.WAITING)
    for taker in plan.waiting:
        if taker.changed or taker.kept is not None:
            raise Refused(
                f"{ground.root}: the run of {taker.slot.exec_date} that took its place was changed since",
                hint="cancel that change first: ajsplan -u",
                unit=ground.root,
            )
        # What was changed on it since comes along: no temporary change is lost.
        move = (taker.slot.exec_date, back.slot.exec_date)
        nested = nested_on_new_date(taker.nested, back.nested, ground.timetable, move, by_rule=True)
        back = replace(back, holds=taker.holds, prohibited=taker.prohibited, nested=nested)
        plan = plan.without(taker)
    return Applied(plan.with_generation(back), back)


def _nested(plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
    ground.require_waiting(generation, unit)
    before = generation.nested[unit]
    if before.prohibited:
        after = replace(before, prohibited=False)
    elif before.fixed:
        start = None if before.depends else before.original
        after = replace(before, start=start, by_hand=False, passed=())
    else:
        raise NothingToUndo(
            f"{ground.name(unit)} has no temporary change in the run of {generation.slot.exec_date}",
            hint=f"ajs history {ground.name(unit)} lists what was changed",
            unit=ground.name(unit),
        )
    nested = taken_back({**generation.nested, unit: after}, unit)
    changed = replace(generation, nested=nested)
    return Applied(plan.with_generation(changed), changed)


def _job(plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
    ground.require_waiting(generation, unit)
    if unit not in generation.prohibited:
        raise NothingToUndo(
            f"{ground.name(unit)} is not prohibited in the run of {generation.slot.exec_date}",
            hint="ajsplan -r releases a hold",
            unit=ground.name(unit),
        )
    changed = replace(generation, prohibited=generation.prohibited - {unit})
    return Applied(plan.with_generation(changed), changed)
