"""Hold a unit in this run, or release it (rule book 7.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.changes.base import Applied, Ground
from ajs.model import Jobnet
from ajs.plan import Generation, RootPlan


@dataclass(frozen=True, slots=True)
class Hold:
    """``on``: hold when its turn comes; otherwise release. What the definition says comes back after this run.

    A root jobnet that is held because of how the run before it ended (``hold_if``) is released by saying so.
    """

    on: bool

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change to a run that has not started; units of a started one are held while it runs."""
        ground.require_waiting(generation, unit)
        holds = dict(generation.holds)
        found = ground.unit(unit)
        by_ending = isinstance(found, Jobnet) and found.hold_if is not None
        if self.on is found.hold and not by_ending:
            holds.pop(unit, None)
        else:
            holds[unit] = self.on
        changed = replace(generation, holds=holds)
        return Applied(plan.with_generation(changed), changed)
