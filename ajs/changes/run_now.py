"""Run now: a schedule for this moment, with the rules of a start moved here (rule book 7.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.changes.base import Applied, Ground
from ajs.changes.move import move_nested, move_root, nested_start
from ajs.plan import Generation, RootPlan
from ajs.schedule import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNow:
    """Run at once; ``also`` keeps the next schedule, otherwise this run is moved here."""

    also: bool = True
    pass_on: bool = False

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; a nested jobnet runs once its upper one does, and not at all when that has no schedule."""
        ground.require_waiting(generation, unit)
        ground.require_jobnet(unit, "running now")
        now = ground.now.replace(microsecond=0)
        if not unit:
            slot = Slot(now, ground.timetable.day_of(now))
            return move_root(plan, generation, slot, ground, also=self.also, pass_on=self.pass_on)
        upper = unit.rpartition("/")[0]
        if upper:
            nested_start(generation, upper, ground)
        own = generation.nested.get(unit)
        if own is not None and not own.scheduled and not own.prohibited:
            # It has no schedule in this run yet: one is made for now, as the operator asks (rule book 7.5).
            given = {**generation.nested, unit: replace(own, start=now)}
            generation = replace(generation, nested=given)
            plan = plan.with_generation(generation)
        return move_nested(plan, generation, unit, now, ground, pass_on=self.pass_on)
