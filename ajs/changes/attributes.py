"""Another priority for a unit in this run (rule book 7.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.attributes import NOTHING_SET, with_set
from ajs.changes.base import Applied, Ground
from ajs.plan import Generation, RootPlan


@dataclass(frozen=True, slots=True)
class SetPriority:
    """Another priority, None for the one that the unit has by definition; what is below inherits it."""

    priority: int | None

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; refused for a unit that has started."""
        ground.require_waiting(generation, unit)
        was = generation.attributes.get(unit, NOTHING_SET)
        now = with_set(generation.attributes, unit, replace(was, priority=self.priority))
        changed = replace(generation, attributes=now)
        return Applied(plan.with_generation(changed), changed)
