"""Another priority or other delay monitoring for a unit in this run (rule book 7.8; commands.md 3.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ajs.attributes import NOTHING_SET, with_set
from ajs.changes.base import BEFORE_ITS_TURN, Applied, Ground
from ajs.delays import NOT_MONITORED, Limit, Since
from ajs.errors import AlreadyStarted, WrongKind
from ajs.model import Jobnet
from ajs.plan import Generation, Phase, RootPlan
from ajs.watching import defined


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDelays:
    """Other limits, or none; None leaves one as it is. The end of what runs can still be monitored otherwise."""

    start_delay: Limit | None = None
    end_delay: Limit | None = None
    required_time: Limit | None = None

    def apply(self, plan: RootPlan, generation: Generation, unit: str, ground: Ground) -> Applied:
        """Make the change; what was detected before stays detected."""
        self._require_open(generation, unit, ground)
        ground.require_jobnet(unit, "delay monitoring")
        jobnet = ground.unit(unit)
        given = {
            name: limit
            for name in ("start_delay", "end_delay", "required_time")
            if (limit := getattr(self, name)) is not None
        }
        if not unit and any(one.since in (Since.ROOT, Since.UPPER) for one in given.values()):
            raise WrongKind(
                f"{ground.root} is a root jobnet: its delays do not count from another jobnet's start",
                hint="write C- for its own scheduled start, or a time such as 10:30",
                unit=ground.root,
            )
        said = defined(jobnet, generation, unit) if isinstance(jobnet, Jobnet) else {}
        back = {
            name: None if limit == (said[name] or NOT_MONITORED) else limit
            for name, limit in given.items()
        }
        was = generation.attributes.get(unit, NOTHING_SET)
        now = with_set(generation.attributes, unit, replace(was, **back))
        changed = replace(generation, attributes=now)
        return Applied(plan.with_generation(changed), changed)

    def _require_open(self, generation: Generation, unit: str, ground: Ground) -> None:
        """Refuse what has ended, and another start delay, or all three at once, for what runs."""
        status = ground.statuses.get(unit)
        running = generation.phase is Phase.RUNNING and status is not None and not status.ended
        if not running or (unit and status in BEFORE_ITS_TURN):
            ground.require_waiting(generation, unit)
        elif self.start_delay is not None:
            raise AlreadyStarted(
                f"{ground.name(unit)} has started, so its start delay can no longer be changed",
                hint="change its end delay (-e) or its required time (-f)",
                unit=ground.name(unit),
            )
