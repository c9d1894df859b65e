"""How the units of one run stand, and why.

What happened stands in their events; for those that wait the manager's own ``decide`` says what they wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ajs.actions import ChangeUnit, SkipGeneration, StartGeneration
from ajs.agents import remote_place
from ajs.attempts import TAKES_SLOT, taken
from ajs.causes import DELAYED, Cause, Why
from ajs.decide import Decision, Snapshot, decide
from ajs.moment import Moment
from ajs.operations.show_long import Happened, happened
from ajs.statuses import Status
from ajs.store import agents, fleet, runs
from ajs.store import show as stored
from ajs.store.database import Reading
from ajs.store.show import GenerationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one unit of a run stands; ``path`` is relative to the root, "" the root itself.

    ``cause`` is why it has its status, or for a unit that waits what it waits for. ``pending``: nothing stands in its
    way any more, ``cause`` is what lets it go on, and the manager has not acted on it yet. ``at`` is when
    its status changed last, ISO text with offset, "" before the first.
    """

    path: str
    status: str
    cause: Cause | None
    at: str = ""
    pending: bool = False
    where: str = ""

    @property
    def ordered(self) -> bool:
        """Whether an operator has it ended, which the manager carries out."""
        return self.cause is not None and self.cause.why in (Why.KILL_ASKED, Why.INTERRUPT_ASKED)


def late(tx: Reading, row: GenerationRow, inner: str) -> tuple[Happened, ...]:
    """Return the delays that were noted for a unit in a run."""
    events = stored.events(tx, [row.id], inner) if row.delayed else []
    return tuple(one for one in map(happened, events) if one.cause.why in DELAYED)


def stands(tx: Reading, row: GenerationRow, now: Moment) -> dict[str, Stand]:
    """Return how each unit of a run stands."""
    every = [(event.path, happened(event)) for event in stored.events(tx, [row.id])]
    events = {path: event for path, event in every if event.cause.why not in DELAYED}
    found: dict[str, Stand] = {"": Stand(path="", status=row.status, cause=None)}
    for run in stored.unit_runs(tx, [row.id]):
        found[run.path] = Stand(path=run.path, status=run.status, cause=None)
    for path, event in events.items():
        status = found[path].status
        found[path] = Stand(path=path, status=status, cause=event.cause, at=event.at)
    for one in stored.on_agents(tx, [row.id]):
        place = remote_place(one.place)
        if place is not None and one.path in found:
            through = f" via {one.relay}" if one.relay else ""
            where = f"{place.agent.label}{through}"
            found[one.path] = replace(found[one.path], where=where)
    decision = _decision(tx, row, now)
    if decision is None:
        return found
    pending = _pending(decision, row.id)
    for path, stand in found.items():
        if not Status[stand.status].waiting and (row.id, path) not in decision.reasons:
            continue
        reason = decision.reasons.get((row.id, path))
        waits = replace(
            stand, cause=pending.get(path) or reason or stand.cause, pending=path in pending
        )
        ordered = replace(stand, cause=reason)
        found[path] = ordered if ordered.ordered else waits
    return found


def _decision(tx: Reading, row: GenerationRow, now: Moment) -> Decision | None:
    """Return what the manager would decide now about this run alone; None for one that has ended."""
    if row.phase not in ("waiting", "running"):
        return None
    attempts = runs.open_attempts(tx)
    mine = {key: attempt for key, attempt in attempts.items() if key.generation == row.id}
    if row.phase == "running":
        live = runs.live(tx, [row.id])
        here, load = taken(a for a in attempts.values() if a.generation != row.id)
        own, _ = taken(mine.values())
        # A job queues because all slots are taken: as many as jobs run now, whatever limit the manager was given.
        queues = any(a.state not in TAKES_SLOT and not a.place for a in mine.values())
        snapshot = Snapshot(
            live=live,
            attempts=mine,
            limit=here + own if queues else None,
            busy=here,
            load=load,
            agents=agents.load(tx),
            met=fleet.load(tx),
        )
        return decide(snapshot, now)
    waiting = runs.waiting(tx, row.id)
    return None if waiting is None else decide(Snapshot(due=(waiting,)), now)


def _pending(decision: Decision, number: int) -> Mapping[str, Cause]:
    """Return what the manager would do next with each unit of the run, and why."""
    found: dict[str, Cause] = {}
    for action in decision.to_commit:
        match action:
            case ChangeUnit(generation=one, run=run, cause=cause) if one == number:
                found.setdefault(run.path, cause)
            case StartGeneration(live=live, cause=cause) if live.id == number:
                found.setdefault("", cause)
            case SkipGeneration(generation=one, cause=cause) if one == number:
                found.setdefault("", cause)
            case _:
                pass
    return found
