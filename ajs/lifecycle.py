"""Statuses of units while a generation runs, and what changes them.

The statuses themselves stand in ``statuses``.

Theory of operation. Everything that can change a status stands in this file. ``TABLE`` says which event leads from
which statuses to which one; an event that the table does not have for a status is an error and changes nothing.
``settle`` is the other half: it looks at one live generation and fires every event that follows from what is already
known (predecessors, upper and lower units, holds, prohibitions, the time), again and again until nothing follows any
more. It cannot loop: apart from being planned or not, which flags decide that do not change on the way, a unit only
ever goes forward through waiting, running and ended. Jobs stop at *Waiting to execute*; what happens to them from
there on is told by their attempts (``attempts.py``), and ``decide.py`` brings the two together.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

from ajs.causes import Asked, Cause, Why
from ajs.delays import NOT_WATCHED, Delays, Watch
from ajs.errors import IllegalEvent
from ajs.model import Job, Jobnet
from ajs.moment import Moment, wall_text
from ajs.statuses import (
    ABENDED,
    BAD,
    ENDED,
    ENDED_WELL,
    HANDED_OVER,
    NO_RETURN_CODE,
    NOT_LET_GO,
    RUNNING,
    SET_BY_AJS,
    WAITING,
    WARNED,
    Status,
)

__all__ = [
    "ABENDED",
    "BAD",
    "ENDED",
    "ENDED_WELL",
    "HANDED_OVER",
    "NOT_LET_GO",
    "NO_RETURN_CODE",
    "RUNNING",
    "SET_BY_AJS",
    "TABLE",
    "WAITING",
    "WARNED",
    "Change",
    "Event",
    "Kind",
    "LiveGeneration",
    "Settled",
    "Status",
    "UnitRun",
    "changed",
    "fire",
    "settle",
]


class Kind(Enum):
    """What a unit is, as far as its statuses go."""

    JOB = "job"
    JOBNET = "jobnet"


class Event(Enum):
    """What can happen to a unit."""

    PLAN = "is planned again"
    UNPLAN = "is not planned any more"
    AWAIT_TIME = "waits for its start time"
    AWAIT_PREVIOUS = "waits for the run before it"
    HOLD = "is held"
    START = "starts"
    READY = "is ready to execute"
    QUEUE = "queues"
    JOB_STARTED = "has started"
    WARN = "warned below"
    ABEND = "failed below"
    END_NORMAL = "ends normally"
    END_WARNING = "ends with warning"
    END_ABNORMAL = "ends abnormally"
    FAIL = "fails to start"
    KILL = "is killed"
    LOSE = "is lost"
    BYPASS = "is bypassed"
    NOT_EXECUTE = "is not executed"
    SKIP = "is skipped"
    INTERRUPT = "is interrupted"


_J, _N = (Kind.JOB,), (Kind.JOBNET,)
_S, _E = Status, Event

TABLE: tuple[tuple[Event, tuple[Kind, ...], frozenset[Status], Status], ...] = (
    (_E.PLAN, _J + _N, frozenset({_S.NOPLAN}), _S.TERMWAIT),
    (_E.UNPLAN, _J + _N, frozenset({_S.TERMWAIT}), _S.NOPLAN),
    (_E.AWAIT_TIME, _N, frozenset({_S.TERMWAIT, _S.HOLDING}), _S.TIMEWAIT),
    (_E.AWAIT_PREVIOUS, _N, frozenset({_S.TIMEWAIT, _S.HOLDING}), _S.TERMWAIT),
    (_E.HOLD, _N, frozenset({_S.TERMWAIT, _S.TIMEWAIT}), _S.HOLDING),
    (_E.HOLD, _J, frozenset({_S.TERMWAIT}), _S.HOLDING),
    (_E.START, _N, frozenset({_S.TERMWAIT, _S.TIMEWAIT, _S.HOLDING}), _S.RUNNING),
    (_E.READY, _J, frozenset({_S.TERMWAIT, _S.HOLDING}), _S.EXECWAIT),
    (_E.QUEUE, _J, frozenset({_S.EXECWAIT}), _S.QUEUING),
    (_E.JOB_STARTED, _J, HANDED_OVER, _S.RUNNING),
    (_E.WARN, _N, frozenset({_S.RUNNING}), _S.WACONT),
    (_E.ABEND, _N, frozenset({_S.RUNNING, _S.WACONT}), _S.ABCONT),
    (_E.END_NORMAL, _J, frozenset({_S.RUNNING}), _S.NORMAL),
    (_E.END_WARNING, _J, frozenset({_S.RUNNING}), _S.WARNING),
    (_E.END_ABNORMAL, _J, frozenset({_S.RUNNING}), _S.ABNORMAL),
    (_E.END_NORMAL, _N, RUNNING, _S.NORMAL),
    (_E.END_WARNING, _N, RUNNING, _S.WARNING),
    (_E.END_ABNORMAL, _N, RUNNING, _S.ABNORMAL),
    (_E.FAIL, _J, HANDED_OVER, _S.FAIL),
    (_E.KILL, _J, HANDED_OVER | {_S.RUNNING}, _S.KILL),
    (_E.KILL, _N, RUNNING, _S.KILL),
    (_E.LOSE, _J, HANDED_OVER | {_S.RUNNING}, _S.UNKNOWN),
    (_E.BYPASS, _J + _N, NOT_LET_GO, _S.BYPASS),
    (_E.NOT_EXECUTE, _N, NOT_LET_GO, _S.UNEXEC),
    (_E.NOT_EXECUTE, _J, WAITING, _S.UNEXEC),
    (_E.SKIP, _N, frozenset({_S.TIMEWAIT, _S.TERMWAIT, _S.HOLDING}), _S.EXECDEFFER),
    (_E.INTERRUPT, _N, RUNNING, _S.INTERRUPT),
)
"""Event, which units have it, from which statuses, to which status. The diagram in the manual is drawn from it."""

_BY_EVENT = {(kind, event): (old, new) for event, kinds, old, new in TABLE for kind in kinds}


def fire(kind: Kind, status: Status, event: Event, path: str = "") -> Status:
    """Return the status that follows; ``path`` is the unit's, for the error.

    Raises ``IllegalEvent`` when ``TABLE`` does not have the event for a unit of this kind in this status.
    """
    old, new = _BY_EVENT.get((kind, event), (frozenset[Status](), status))
    if status not in old:
        raise IllegalEvent(
            f"{kind.value} {path or 'at the root'} in status {status.text!r} "
            f"cannot take the event {event.value!r}",
            hint="look at the present status with ajsshow",
            unit=path,
            value=event.name,
        )
    return new


# -- one generation --


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRun:
    """One unit inside one started generation; ``path`` is relative to the root, ``""`` is the root itself.

    ``planned`` is the wall-clock start of a nested jobnet that has its own; None on jobs and on nested jobnets that
    follow their upper jobnet. ``scheduled`` is False for a nested jobnet without a schedule in this generation.
    ``held``, ``priority`` and ``watch`` are in force, definition and temporary changes counted. ``attempt`` is the
    number of the newest attempt of a job, 0 before the first. ``kill_asked``: an operator wants the unit killed;
    nothing directly below such a jobnet starts any more. Instants are UTC.
    """

    path: str
    status: Status
    planned: datetime | None = None
    scheduled: bool = True
    prohibited: bool = False
    held: bool = False
    priority: int = 1
    watch: Watch = NOT_WATCHED
    attempt: int = 0
    return_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    kill_asked: Asked | None = None

    @property
    def code_set_by_ajs(self) -> bool:
        """Whether the return code is not the job's own (execution.md 1.10: -1 has two meanings in AJS3)."""
        return self.status in SET_BY_AJS


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGeneration:
    """A generation that has started and not ended, with the definition it started with.

    ``interrupted``: an operator interrupted it; what runs may end, nothing new starts (execution.md 3.8).
    ``base_time`` is that of its day in minutes, ``delayed`` what was detected to come too late.
    """

    id: int
    root_path: str
    execution_id: str
    exec_date: date
    definition_hash: str
    definition: Jobnet
    units: Mapping[str, UnitRun]
    version: int
    interrupted: Asked | None = None
    base_time: int = 0
    delayed: Delays = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one unit's status: what it was, what the unit is now, and the one cause."""

    before: Status
    run: UnitRun
    cause: Cause


def changed(run: UnitRun, kind: Kind, event: Event, cause: Cause, at: datetime) -> Change:
    """Return the change that an event at this UTC instant makes of a unit; raises ``IllegalEvent``."""
    status = fire(kind, run.status, event, run.path)
    after = replace(run, status=status)
    if event in (Event.START, Event.JOB_STARTED):
        after = replace(after, started=at)
    if event is Event.READY:
        after = replace(after, attempt=run.attempt + 1)
    if status in SET_BY_AJS and kind is Kind.JOB:
        after = replace(after, return_code=NO_RETURN_CODE)
    if status.ended:
        after = replace(after, ended=at)
    return Change(run.status, after, cause)


@dataclass(frozen=True, slots=True)
class Settled:
    """A generation in which nothing more follows from what is known.

    ``changes`` lead to it in order, ``waits`` says for every unit that waits now what it waits for.
    """

    generation: LiveGeneration
    changes: tuple[Change, ...]
    waits: Mapping[str, Cause]


def settle(generation: LiveGeneration, now: Moment) -> Settled:
    """Return the generation after everything that follows from its statuses, its flags and the time has happened.

    The rules are those of execution.md 3.2 and rule book 5.4 and 5.6; what is our own decision is said where it
    stands.
    """
    return _Settling(generation, now).run()


class _Move(NamedTuple):
    event: Event
    cause: Cause


class _Place(NamedTuple):
    """Where a unit stands in the definition; ``order`` is its rank in it, upper units first."""

    unit: Jobnet | Job
    order: int
    depth: int
    upper: str
    after: tuple[str, ...]
    before: tuple[str, ...]
    lower: tuple[str, ...]


def _places(root: Jobnet) -> dict[str, _Place]:
    """Return every unit's place by its path, in the order of the definition."""
    units: dict[str, Jobnet | Job] = {"": root, **dict(root.walk())}
    before: dict[str, list[str]] = {}
    found = {}
    for order, (path, unit) in enumerate(units.items()):
        upper = path.rpartition("/")[0]
        beside, below = (f"{at}/" if at else "" for at in (upper, path))
        after = tuple(beside + name for name in unit.after) if path else ()
        for name in after:
            before.setdefault(name, []).append(path)
        lower = tuple(below + u.name for u in unit.units) if isinstance(unit, Jobnet) else ()
        depth = path.count("/") + 1 if path else 0
        found[path] = _Place(unit, order, depth, upper, after, (), lower)
    return {
        path: place._replace(before=tuple(before.get(path, ()))) for path, place in found.items()
    }


class _Settling:
    """The fixed point for one generation: units to look at again, units in front of the jobnets that hold them."""

    def __init__(self, generation: LiveGeneration, now: Moment) -> None:
        self.generation = generation
        self.now = now
        self.units = dict(generation.units)
        self.changes: list[Change] = []
        self.waits: dict[str, Cause] = {}
        self.places = _places(generation.definition)
        self.paths = tuple(self.places)
        self.queue: list[tuple[int, int]] = []
        self.queued: set[tuple[int, int]] = set()

    def run(self) -> Settled:
        self._look_at(self.paths)
        while self.queue:
            entry = heapq.heappop(self.queue)
            self.queued.discard(entry)
            path = self.paths[entry[1]]
            found = self._next(path)
            self.waits.pop(path, None)
            match found:
                case _Move(event, cause):
                    self._fire(path, event, cause)
                case Cause():
                    self.waits[path] = found
                case None:
                    pass
        units = self.units if self.changes else self.generation.units
        return Settled(replace(self.generation, units=units), tuple(self.changes), self.waits)

    def _look_at(self, paths: Iterable[str]) -> None:
        """Queue units; running jobnets come last, deepest first, so that they see their units settled."""
        for path in paths:
            place, status = self.places[path], self.units[path].status
            if status in NOT_LET_GO:
                rank = -len(self.paths)
            elif status in RUNNING:
                rank = -place.depth
            else:
                continue
            entry = (rank, place.order)
            if entry not in self.queued:
                self.queued.add(entry)
                heapq.heappush(self.queue, entry)

    def _fire(self, path: str, event: Event, cause: Cause) -> None:
        place = self.places[path]
        kind = Kind.JOBNET if isinstance(place.unit, Jobnet) else Kind.JOB
        change = changed(self.units[path], kind, event, cause, self.now.utc)
        self.units[path] = change.run
        self.changes.append(change)
        self._look_at((path, place.upper, *place.before, *place.lower))

    def _next(self, path: str) -> _Move | Cause | None:
        """Return what happens to a unit now, or what it waits for, or None when others decide."""
        status = self.units[path].status
        place = self.places[path]
        if status in NOT_LET_GO:
            return self._above(path, place) or self._turn(path, place)
        if status in RUNNING and isinstance(place.unit, Jobnet):
            return self._below(path, place)
        return None

    def _above(self, path: str, place: _Place) -> _Move | Cause | None:
        """Return what the units above decide for a waiting unit."""
        run, upper = self.units[path], self.units[place.upper]
        if upper.status.ended:
            event = Event.BYPASS if upper.status is Status.BYPASS else Event.NOT_EXECUTE
            return _Move(event, Cause(Why.UPPER_ENDED, place.upper, upper.status.name))
        stopped = self._stopped(place.upper)
        if stopped is not None:
            return _Move(Event.NOT_EXECUTE, stopped)
        why = self._unplanned(run, place.upper)
        if why is not None and run.status is Status.TERMWAIT:
            return _Move(Event.UNPLAN, why)
        if why is None and run.status is Status.NOPLAN:
            return _Move(Event.PLAN, Cause(Why.PLANNED_AGAIN))
        if upper.status in NOT_LET_GO:
            return Cause(Why.WAITS_UPPER, place.upper)
        return None

    def _stopped(self, upper: str) -> Cause | None:
        """Return why an operator lets nothing start in a jobnet any more."""
        killed, interrupted = self.units[upper].kill_asked, self.generation.interrupted
        if killed is not None:
            return Cause(Why.UPPER_KILLED, upper, killed.text)
        if interrupted is not None:
            return Cause(Why.INTERRUPTED, value=interrupted.text)
        return None

    def _unplanned(self, run: UnitRun, upper: str) -> Cause | None:
        if run.prohibited:
            return Cause(Why.PROHIBITED)
        if not run.scheduled:
            return Cause(Why.NOT_SCHEDULED)
        if self.units[upper].status is Status.NOPLAN:
            return Cause(Why.UPPER_NOT_PLANNED, upper)
        return None

    def _turn(self, path: str, place: _Place) -> _Move | Cause:
        """Return what happens to a unit whose upper jobnet runs."""
        for before in place.after:
            if not self.units[before].status.ended:
                return Cause(Why.WAITS_PREDECESSOR, before)
        found = self._recovery(place) if place.unit.recovery else self._normal(place)
        if isinstance(found, _Move):
            return found
        run = self.units[path]
        why = self._unplanned(run, place.upper)
        return self._let_go(run, place, found) if why is None else _Move(Event.BYPASS, why)

    def _let_go(self, run: UnitRun, place: _Place, cause: Cause) -> _Move | Cause:
        """Return what happens to a planned unit whose turn has come: first its own time, then a hold (5.6)."""
        if run.planned is not None and self.now.wall < run.planned:
            wait = Cause(Why.WAITS_TIME, value=wall_text(run.planned))
            return wait if run.status is Status.TIMEWAIT else _Move(Event.AWAIT_TIME, wait)
        if run.held:
            held = Cause(Why.HELD)
            return held if run.status is Status.HOLDING else _Move(Event.HOLD, held)
        if run.status is Status.HOLDING:
            cause = Cause(Why.RELEASED)
        elif run.status is Status.TIMEWAIT and run.planned is not None:
            cause = Cause(Why.START_TIME, value=wall_text(run.planned))
        return _Move(Event.START if isinstance(place.unit, Jobnet) else Event.READY, cause)

    def _normal(self, place: _Place) -> _Move | Cause:
        """Return the cause to go, or the move away: any predecessor that did not end well (execution.md 3.2)."""
        for before in place.after:
            if self.units[before].status not in ENDED_WELL:
                return _Move(Event.NOT_EXECUTE, self._predecessor(before))
        return self._last(place)

    def _recovery(self, place: _Place) -> _Move | Cause:
        """Return the cause to go, or the move away, for a recovery unit.

        After a normal unit it goes when that one ended abnormally. After another recovery unit it goes when that one
        was executed and ended well (System Design Guide 7.5, which execution.md 3.2 cites). Otherwise: not executed
        when a predecessor was not executed or is unknown, or a recovery unit failed; else bypassed, since there is
        nothing to recover. That last distinction is our decision.
        """
        if not place.after:
            return _Move(Event.BYPASS, Cause(Why.NOTHING_BEFORE))
        needless = None
        for before in place.after:
            status = self.units[before].status
            recovery = self.places[before].unit.recovery
            if status is Status.BYPASS or (status in ENDED_WELL and not recovery):
                needless = needless or Cause(Why.NOT_NEEDED, before, status.name)
            elif status not in (ENDED_WELL if recovery else ABENDED):
                return _Move(Event.NOT_EXECUTE, self._predecessor(before))
        if needless is not None:
            return _Move(Event.BYPASS, needless)
        return self._last(place)

    def _predecessor(self, path: str) -> Cause:
        return Cause(Why.PREDECESSOR, path, self.units[path].status.name)

    def _last(self, place: _Place) -> Cause:
        """Return the predecessor that ended last as the cause to go, or the upper jobnet."""
        if not place.after:
            return Cause(Why.UPPER_RUNS)
        ended = {path: self.units[path].ended for path in place.after}
        known = [(at, path) for path, at in ended.items() if at is not None]
        return self._predecessor(max(known, key=lambda k: k[0])[1] if known else place.after[-1])

    def _below(self, path: str, place: _Place) -> _Move | None:
        """Return what the units below do to a running jobnet.

        Recovery units do not count: they rescue nothing, and their own warning or failure goes no further up
        (execution.md 3.2).
        """
        statuses = {p: self.units[p].status for p in place.lower}
        counted = {p: s for p, s in statuses.items() if not self.places[p].unit.recovery}
        bad = next((Cause(Why.BELOW, p, s.name) for p, s in counted.items() if s in BAD), None)
        warn = next((Cause(Why.BELOW, p, s.name) for p, s in counted.items() if s in WARNED), None)
        if all(s.ended for s in statuses.values()):
            killed, interrupted = self.units[path].kill_asked, self.generation.interrupted
            if killed is not None:
                return _Move(Event.KILL, Cause(Why.KILLED, value=killed.text))
            if interrupted is not None and not path:
                return _Move(Event.INTERRUPT, Cause(Why.INTERRUPTED, value=interrupted.text))
            well = Cause(Why.ALL_ENDED if statuses else Why.EMPTY)
            return _worst(bad, warn) or _Move(Event.END_NORMAL, well)
        status = self.units[path].status
        if bad is not None and status is not Status.ABCONT:
            return _Move(Event.ABEND, bad)
        if warn is not None and status is Status.RUNNING:
            return _Move(Event.WARN, warn)
        return None


def _worst(bad: Cause | None, warn: Cause | None) -> _Move | None:
    if bad is not None:
        return _Move(Event.END_ABNORMAL, bad)
    return None if warn is None else _Move(Event.END_WARNING, warn)
