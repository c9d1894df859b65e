"""A generation whose start time has come → it starts, is held, is skipped, or waits for a run of the same root jobnet.

What is in its way is looked at in this order: its time; a hold, temporary or by definition; a hold because of how the
run before it ended (``hold_if``, commands.md 3.7); a run of the same root jobnet that goes on, and what the root
jobnet's ``overlap`` says then (rule book 6.9). A run that is held does not go on, so it is in nobody's way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ajs.actions import AwaitPrevious, HoldGeneration, SkipGeneration, StartGeneration
from ajs.attributes import priorities
from ajs.causes import Cause, Why
from ajs.delays import NOT_WATCHED, Delays
from ajs.lifecycle import Event, Kind, LiveGeneration, Status, UnitRun, fire
from ajs.model import Jobnet, Overlap
from ajs.moment import Moment, wall_text
from ajs.plan import Generation
from ajs.statuses import holds_next
from ajs.watching import watches

Step = StartGeneration | SkipGeneration | HoldGeneration | AwaitPrevious


@dataclass(frozen=True, slots=True)
class Previous:
    """A run of the same root jobnet that has not ended."""

    id: int
    execution_id: str


@dataclass(frozen=True, slots=True)
class Before:
    """The run of the same root jobnet whose start lies nearest before this one's, of those that have started."""

    id: int
    execution_id: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A generation that waits to start.

    ``status`` is TIMEWAIT, HOLDING when it was held at its start, or TERMWAIT when it waits for a run of the same root
    jobnet. ``previous`` are the runs of that root that have not ended; a start skips or waits whatever made them, since
    re-runs, which are in nobody's way (rule book 6.9), would not be among them. ``before`` is known where the
    definition's ``hold_if`` asks for it. ``base_time`` is that of the root jobnet in minutes, ``delayed`` what was
    detected to come too late.
    """

    generation: Generation
    root_path: str
    execution_id: str
    definition: Jobnet
    definition_hash: str
    status: Status = Status.TIMEWAIT
    previous: tuple[Previous, ...] = ()
    before: Before | None = None
    base_time: int = 0
    delayed: Delays = frozenset()

    @property
    def held(self) -> bool:
        """Whether the root is held, temporary changes counted."""
        return self.generation.holds.get("", self.definition.hold)

    @property
    def stays(self) -> bool:
        """Whether it waits already for what is still in its way: only what changes the store lets it go."""
        found = self.in_its_way()
        return found is not None and found[0] is self.status

    def after(self, ended: Mapping[int, Status]) -> Waiting:
        """Return it once these generations have ended in these statuses."""
        if not ended or (not self.previous and self.before is None):
            return self
        before = self.before
        if before is not None and before.id in ended:
            before = replace(before, status=ended[before.id])
        going_on = tuple(one for one in self.previous if one.id not in ended)
        return replace(self, previous=going_on, before=before)

    def in_its_way(self) -> tuple[Status, Cause] | None:
        """Return the status in which it waits on at its start time and why, None when it does not wait on."""
        if self.held:
            return Status.HOLDING, Cause(Why.HELD)
        before = self.before
        if before is not None and self._is_held_after(before.status):
            cause = Cause(Why.HELD_AFTER, value=before.status.name, limit=before.execution_id)
            return Status.HOLDING, cause
        if self.previous and self.definition.overlap is Overlap.MULTI:
            cause = Cause(Why.WAITS_PREVIOUS, value=self.previous[0].execution_id)
            return Status.TERMWAIT, cause
        return None

    def _is_held_after(self, status: Status) -> bool:
        """Whether the end of the run before it holds it; a temporary hold or release wins."""
        hold_if = self.definition.hold_if
        if hold_if is None or "" in self.generation.holds:
            return False
        return holds_next(status, hold_if.value)


def step(waiting: Waiting, now: Moment) -> Step | Cause:
    """Return what happens to a generation that waits to start, or why nothing does."""
    generation = waiting.generation
    if now.wall < generation.slot.start:
        return Cause(Why.WAITS_TIME, value=wall_text(generation.slot.start))
    found = waiting.in_its_way()
    if found is not None:
        status, cause = found
        if status is waiting.status:
            return cause
        make = HoldGeneration if status is Status.HOLDING else AwaitPrevious
        return make(generation.id, generation.version, cause)
    if waiting.previous and waiting.definition.overlap is Overlap.SKIP:
        cause = Cause(Why.PREVIOUS_RUNS, value=waiting.previous[0].execution_id)
        return SkipGeneration(generation.id, cause)
    live = LiveGeneration(
        id=generation.id,
        root_path=waiting.root_path,
        execution_id=waiting.execution_id,
        exec_date=generation.slot.exec_date,
        definition_hash=waiting.definition_hash,
        definition=waiting.definition,
        units=first_runs(waiting, now),
        version=generation.version,
        base_time=waiting.base_time,
        delayed=waiting.delayed,
    )
    return StartGeneration(live, waiting.status, _let_go(waiting))


def _let_go(waiting: Waiting) -> Cause:
    """Return why a generation starts now."""
    if waiting.status is Status.TERMWAIT:
        return Cause(Why.PREVIOUS_ENDED)
    if waiting.status is Status.HOLDING:
        by_itself = waiting.definition.hold_if is not None and "" not in waiting.generation.holds
        return Cause(Why.HELD_NO_MORE if by_itself else Why.RELEASED)
    return Cause(Why.START_TIME, value=wall_text(waiting.generation.slot.start))


def first_runs(waiting: Waiting, now: Moment) -> dict[str, UnitRun]:
    """Return the units of a generation that starts now, from its plan: the root runs, all others wait.

    What is prohibited or has no schedule in this generation, or lies below such a jobnet, shows *Not sched. to exe.*
    until its turn comes (rule book 5.4).
    """
    generation, definition = waiting.generation, waiting.definition
    priority = priorities(definition, generation.attributes)
    watch = watches(definition, generation, waiting.base_time)
    status = fire(Kind.JOBNET, waiting.status, Event.START)
    runs = {
        "": UnitRun(
            path="",
            status=status,
            planned=generation.slot.start,
            priority=priority[""],
            watch=watch.get("", NOT_WATCHED),
            started=now.utc,
        ),
    }
    for path, unit in definition.walk():
        nested = generation.nested.get(path) if isinstance(unit, Jobnet) else None
        scheduled = nested is None or nested.depends or nested.start is not None
        prohibited = path in generation.prohibited or (nested is not None and nested.prohibited)
        above = runs[path.rpartition("/")[0]].status
        planned = scheduled and not prohibited and above is not Status.NOPLAN
        runs[path] = UnitRun(
            path=path,
            status=Status.TERMWAIT if planned else Status.NOPLAN,
            planned=nested.start if nested is not None else None,
            scheduled=scheduled,
            prohibited=prohibited,
            held=generation.holds.get(path, unit.hold),
            priority=priority[path],
            watch=watch.get(path, NOT_WATCHED),
        )
    return runs
