"""Prohibit: this run of a root, or this run's part of a nested jobnet or job, is not executed (rule book 7.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.changes.base import Applied, Ground, taken_back
from ajs.errors import NoSchedule
from ajs.plan import (
    Generation,
    Method,
    Phase,
    RootPlan,
    kept_made_real,
    nested_on_new_date,
    with_next,
)


@dataclass(frozen=True, slots=True)
class Prohibit:
    """Do not execute."""

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; under a planned root the following schedule becomes the next one."""
        ground.require_waiting(generation, unit)
        if not unit:
            return _root(plan, generation, ground)
        nested = generation.nested.get(unit)
        if nested is not None:
            if not nested.scheduled:
                raise NoSchedule(
                    f"{ground.name(unit)} has no execution schedule in the run of {generation.slot.exec_date}",
                    hint="it will be bypassed without a prohibition",
                    unit=ground.name(unit),
                )
            parts = {**generation.nested, unit: replace(nested, prohibited=True)}
            changed = replace(generation, nested=parts)
            return Applied(plan.with_generation(changed), changed)
        if unit in generation.prohibited:
            raise NoSchedule(
                f"{ground.name(unit)} is already prohibited in the run of {generation.slot.exec_date}",
                hint="ajsplan -u takes the prohibition back",
                unit=ground.name(unit),
            )
        changed = replace(generation, prohibited=generation.prohibited | {unit})
        return Applied(plan.with_generation(changed), changed)


def _root(plan: RootPlan, generation: Generation, ground: Ground) -> Applied:
    """The following schedule becomes next; it gets all temporary changes but the time (rulings R16, R32)."""
    gone = replace(generation, phase=Phase.PROHIBITED)
    plan = plan.with_generation(gone)
    before = len(plan.generations)
    if generation.method is Method.PLANNED and generation.kept is not None:
        # What was pushed ahead goes; the original that it had kept is the next run again.
        plan = kept_made_real(plan, generation.kept, ground.timetable, generation.holds)
    else:
        plan = with_next(plan, ground.timetable, generation.holds)
    if len(plan.generations) > before:
        following = _handed(generation, plan.generations[-1], ground)
        plan = replace(plan, generations=(*plan.generations[:-1], following))
    waiting = plan.waiting
    said = (
        f"next run of {ground.root}: {waiting[0].slot.start:%Y-%m-%d %H:%M}"
        if waiting
        else f"{ground.root} has no further run"
    )
    return Applied(plan, waiting[0] if waiting else gone, (said,))


def _handed(generation: Generation, following: Generation, ground: Ground) -> Generation:
    """Return the following run with what the prohibited one hands on: everything but the root's time."""
    own = taken_back(generation.nested, "")
    move = (generation.slot.exec_date, following.slot.exec_date)
    nested = nested_on_new_date(own, following.nested, ground.timetable, move, by_rule=True)
    return replace(
        following,
        nested=nested,
        prohibited=generation.prohibited,
        attributes=generation.attributes,
    )
