"""Generations that run: what is due, what is live, and storing what was decided.

Every write is compare-and-set on the generation's version and on the status or state that the decision saw, so that
of two writers who looked at the same state only one gets through.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from ajs.actions import (
    AwaitPrevious,
    ChangeAttempt,
    ChangeUnit,
    Commit,
    DetectDelay,
    EndGeneration,
    HoldGeneration,
    PlaceAttempt,
    QueueAttempt,
    SkipGeneration,
    StartGeneration,
)
from ajs.attempts import Attempt, AttemptKey, AttemptState
from ajs.causes import Cause
from ajs.delays import Delays
from ajs.errors import PlanMoved
from ajs.lifecycle import Change, LiveGeneration, Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.moment import Moment, wall_text
from ajs.plan import Generation, Passed
from ajs.schedule import Slot
from ajs.starting import Before, Previous, Waiting
from ajs.store import rows, sources
from ajs.store.before import runs_before
from ajs.store.database import Reading, Writing, id_list
from ajs.store.log import Images
from ajs.store.numbers import execution_id

# Generations that wait; the runs of the same root that have not ended are named with each.
WAITING = """
    SELECT g.status, u.path, u.definition,
           (SELECT json_group_array(r.id) FROM generation AS r
            WHERE r.root = g.root AND r.phase = 'running'),
           g.id, g.method, g.phase, g.start, g.exec_date, g.original_start, g.original_exec_date,
           g.ties, g.kept, g.added, g.nested, g.holds, g.prohibited_units, g.attributes,
           g.version, g.delayed
    FROM generation AS g JOIN unit AS u ON u.id = g.root
    WHERE g.phase = 'waiting' AND {which}
    ORDER BY g.start, g.exec_date, g.id
"""
DUE = WAITING.format(which="g.start <= ?")
# Those that may be monitored: it was set for them, or their definition has a delay in a rule.
WATCHED = WAITING.format(
    which="""g.start < ? AND (g.attributes IS NOT NULL OR u.definition IN (
        SELECT hash FROM definition WHERE instr(body, '_delay"') > 0))"""
)
ONE = WAITING.format(which="g.id = ?")

NEXT_START = "SELECT min(start) FROM generation WHERE phase = 'waiting' AND start > ?"

LIVE = """
    SELECT g.id, u.path, g.exec_date, g.definition, g.version, g.base_time, g.delayed, g.interrupted,
           o.os_user, o.reason
    FROM generation AS g JOIN unit AS u ON u.id = g.root
    LEFT JOIN operation AS o ON o.id = g.interrupted
    WHERE g.phase = 'running' AND (?1 IS NULL OR g.id IN (SELECT value FROM json_each(?1)))
    ORDER BY g.id
"""

UNITS = """
    SELECT r.generation, r.path, r.status, r.planned, r.scheduled, r.prohibited, r.held,
           r.priority, r.watch, r.kill_asked, r.attempt, r.return_code, r.started_utc, r.ended_utc, o.os_user, o.reason
    FROM unit_run AS r LEFT JOIN operation AS o ON o.id = r.kill_asked
    WHERE r.generation IN (SELECT value FROM json_each(?)) ORDER BY r.generation, r.position
"""

# Attempts that are not done with: those of ended generations too, until their place has thrown its record away.
OPEN_ATTEMPTS = """
    SELECT a.generation, a.path, a.number, a.state, a.place, a.relay, a.placed_utc, a.started_utc,
           a.ended_utc, a.result, a.why, a.silent_since_utc, a.late
    FROM attempt AS a JOIN generation AS g ON g.id = a.generation
    WHERE a.state <> 'ACKED' AND (a.state <> 'LOST' OR g.phase = 'running')
    ORDER BY a.id
"""

VERSIONS = "SELECT id, version, phase FROM generation WHERE id IN (SELECT value FROM json_each(?))"

START = """
    UPDATE generation SET phase = 'running', definition = ?, base_time = ?, started_utc = ? WHERE id = ?
"""
SKIP = "UPDATE generation SET phase = 'ended', status = 'EXECDEFFER', ended_utc = ? WHERE id = ?"
DELAYED = "SELECT id, delayed FROM generation WHERE id IN (SELECT value FROM json_each(?))"
DELAY = "UPDATE generation SET delayed = ? WHERE id = ?"
WAIT_ON = "UPDATE generation SET status = ? WHERE id = ?"
END = "UPDATE generation SET phase = 'ended', ended_utc = ? WHERE id = ?"
INTERRUPTED = "UPDATE generation SET interrupted = ? WHERE id = ?"
CHANGE_PLAN = (
    "UPDATE generation SET nested = ?, holds = ?, prohibited_units = ?, attributes = ? WHERE id = ?"
)

# A generation shows the status of its root jobnet's run; every write that touched it counts as one.
TOUCHED = """
    UPDATE generation
    SET version = version + 1,
        status = coalesce((SELECT status FROM unit_run WHERE generation = id AND path = ''), status)
    WHERE id IN (SELECT value FROM json_each(?))
"""

ADD_UNIT = """
    INSERT INTO unit_run (generation, path, position, kind, status, planned, scheduled, prohibited,
                          held, priority, watch, kill_asked, attempt, return_code, started_utc,
                          ended_utc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

CHANGE_UNIT = """
    UPDATE unit_run
    SET status = ?, planned = ?, scheduled = ?, prohibited = ?, held = ?, priority = ?, watch = ?, kill_asked = ?,
        attempt = ?, return_code = ?, started_utc = ?, ended_utc = ?
    WHERE generation = ? AND path = ? AND status = ?
"""

ADD_EVENT = """
    INSERT INTO event (generation, path, at_utc, at_wall, status, cause) VALUES (?, ?, ?, ?, ?, ?)
"""

# An attempt that is new, or still in the state that was seen. Nothing happens otherwise, which is noticed.
PUT_ATTEMPT = """
    INSERT INTO attempt (incarnation, generation, path, number, state, place, relay, placed_utc,
                         started_utc, ended_utc, result, why, silent_since_utc, late)
    VALUES ((SELECT incarnation FROM service),
            ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (generation, path, number) DO UPDATE
    SET state = ?4, place = ?5, relay = ?6, placed_utc = ?7, started_utc = ?8, ended_utc = ?9,
        result = ?10, why = ?11, silent_since_utc = ?12, late = ?13
    WHERE state = ?14
"""

CHANGE_ATTEMPT = """
    UPDATE attempt
    SET state = ?4, place = ?5, relay = ?6, placed_utc = ?7, started_utc = ?8, ended_utc = ?9,
        result = ?10, why = ?11, silent_since_utc = ?12, late = ?13
    WHERE generation = ?1 AND path = ?2 AND number = ?3 AND state = ?14
"""

ADD_FATE = """
    INSERT INTO fate (root, exec_date, start, ties, fate, why, operation, generation, at_utc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

Fate = Literal["skipped", "prohibited", "cancelled", "missed", "passed"]
"""What became of a planned run that did not run."""


_Due = tuple[Status, str, str, list[int], Delays, Generation]


# -- what there is to decide on --


def due(
    tx: Reading, wall: datetime, known: Mapping[str, Jobnet] | None = None
) -> tuple[Waiting, ...]:
    """Return the generations whose start has come by this wall-clock time, in order of their slots.

    ``known`` are definitions by hash that need not be read again.
    """
    return _waiting(tx, tx.made(_due, DUE, wall_text(wall)), known)


def watched(
    tx: Reading, until: datetime, known: Mapping[str, Jobnet] | None = None
) -> tuple[Waiting, ...]:
    """Return the generations that wait for a start before this time and may be monitored."""
    return _waiting(tx, tx.made(_due, WATCHED, wall_text(until)), known)


def waiting(tx: Reading, number: int) -> Waiting | None:
    """Return one generation that waits, None when it does not."""
    return next(iter(_waiting(tx, tx.made(_due, ONE, number), None)), None)


def _waiting(
    tx: Reading, found: Sequence[_Due], known: Mapping[str, Jobnet] | None
) -> tuple[Waiting, ...]:
    definitions = sources.definitions(tx, {row[2] for row in found}, known)
    asking = [row[-1].id for row in found if definitions[row[2]].hold_if is not None]
    before = {
        number: Before(earlier, execution_id(earlier), Status[status])
        for number, (earlier, status) in (runs_before(tx, asking) if asking else {}).items()
    }
    return tuple(
        Waiting(
            generation=generation,
            root_path=path,
            execution_id=execution_id(generation.id),
            definition=definitions[key],
            definition_hash=key,
            status=status,
            previous=tuple(Previous(number, execution_id(number)) for number in previous),
            before=before.get(generation.id),
            delayed=delayed,
        )
        for status, path, key, previous, delayed, generation in found
    )


def _due(status: str, path: str, key: str, previous: str, *columns: object) -> _Due:
    *plan, delayed = columns
    generation = rows.generation_from(*plan)  # type: ignore[arg-type]  # as the query names them
    late = rows.delays_from(delayed)  # type: ignore[arg-type]
    return Status[status], path, key, sorted(json.loads(previous)), late, generation


def next_start(tx: Reading, wall: datetime) -> datetime | None:
    """Return the first wall-clock start after this one that a generation waits for, or None."""
    row = tx.row(NEXT_START, wall_text(wall))
    return None if row is None or row[0] is None else datetime.fromisoformat(row[0])


def live(
    tx: Reading, ids: Iterable[int] | None = None, known: Mapping[str, Jobnet] | None = None
) -> dict[int, LiveGeneration]:
    """Return the generations that run, all or those of some numbers, by number."""
    found = tx.rows(LIVE, None if ids is None else id_list(ids))
    units: dict[int, dict[str, UnitRun]] = {row[0]: {} for row in found}
    for number, run in tx.made(_unit_run, UNITS, id_list(units)):
        units[number][run.path] = run
    definitions = sources.definitions(tx, {row[3] for row in found}, known)
    return {
        number: LiveGeneration(
            id=number,
            root_path=path,
            execution_id=execution_id(number),
            exec_date=date.fromisoformat(exec_date),
            definition_hash=key,
            definition=definitions[key],
            units=units[number],
            version=version,
            interrupted=rows.asked_from(interrupted, by, why),
            base_time=base,
            delayed=rows.delays_from(delayed),
        )
        for number, path, exec_date, key, version, base, delayed, interrupted, by, why in found
    }


def _unit_run(generation: int, *columns: object) -> tuple[int, UnitRun]:
    return generation, rows.unit_run_from(*columns)  # type: ignore[arg-type]  # as the query names them


def open_attempts(tx: Reading) -> dict[AttemptKey, Attempt]:
    """Return the attempts that are not done with, in the order in which they were made."""
    return {attempt.key: attempt for attempt in tx.made(rows.attempt_from, OPEN_ATTEMPTS)}


# -- storing what was decided --


def commit(tx: Writing, actions: Sequence[Commit], versions: Mapping[int, int], at: Moment) -> None:
    """Store what a decision says, in order, with one event for every change of a status.

    ``versions`` are those that the snapshot had of its generations, waiting and live. Each generation that the
    actions change is one version higher afterwards. Raises PlanMoved when anything has changed since the snapshot.
    """
    _Committing(tx, versions, at).run(actions)


class _Committing:
    """A decision taken apart by table, each part in the decision's order."""

    def __init__(self, tx: Writing, versions: Mapping[int, int], at: Moment) -> None:
        self.tx = tx
        self.versions = versions
        self.at = at
        self.phases: dict[int, str] = {}
        self.seen: dict[int, str] = {}
        """The phases of generations that are looked at and not touched: a delay changes nothing of a plan."""
        self.delays: dict[int, Delays] = {}
        self.starts: list[LiveGeneration] = []
        self.units: list[tuple[object, ...]] = []
        self.events: list[tuple[object, ...]] = []
        self.attempts: list[tuple[Attempt, AttemptState | None]] = []
        self.closing: list[tuple[str, tuple[object, ...]]] = []

    def run(self, actions: Sequence[Commit]) -> None:
        for action in actions:
            self._collect(action)
        seen = self.seen | self.phases
        _check_versions(self.tx, {n: (self.versions[n], p) for n, p in seen.items()})
        for started in self.starts:
            _add_units(self.tx, started, self.at)
        _change_units(self.tx, self.units)
        self.tx.run_many(ADD_EVENT, self.events)
        for attempt, before in self.attempts:
            _put_attempt(self.tx, attempt, before)
        for sql, values in self.closing:
            self.tx.run(sql, *values)
        self.tx.run(TOUCHED, id_list(self.phases))
        for number, known in self.tx.rows(DELAYED, id_list(self.delays)) if self.delays else ():
            every = rows.delays_from(known) | self.delays[number]
            self.tx.run(DELAY, rows.delays_text(every), number)

    def _collect(self, action: Commit) -> None:
        stamp = self.at.stamp
        match action:
            case StartGeneration(live=started, cause=cause):
                self.phases[started.id] = "waiting"
                self.starts.append(started)
                self._event(started.id, "", started.units[""].status, cause)
            case SkipGeneration(generation=number, cause=cause):
                self.phases[number] = "waiting"
                self.closing.append((SKIP, (stamp, number)))
                self._event(number, "", Status.EXECDEFFER, cause)
            case (
                HoldGeneration(generation=number, cause=cause)
                | AwaitPrevious(generation=number, cause=cause)
            ):
                self.phases[number] = "waiting"
                self.closing.append((WAIT_ON, (action.status.name, number)))
                self._event(number, "", action.status, cause)
            case ChangeUnit(generation=number, before=before, run=run, cause=cause):
                self.phases.setdefault(number, "running")
                values = rows.unit_run_values(run)
                self.units.append((*values, number, run.path, before.name))
                self._event(number, run.path, run.status, cause)
            case DetectDelay(generation=number, path=path, delay=delay, status=status, cause=cause):
                self.seen[number] = "waiting" if action.waits else "running"
                self.delays[number] = self.delays.get(number, frozenset()) | {(path, delay)}
                self._event(number, path, status, cause)
            case EndGeneration(generation=number):
                self.phases.setdefault(number, "running")
                self.closing.append((END, (stamp, number)))
            case QueueAttempt(attempt=attempt):
                self.attempts.append((attempt, None))
            case PlaceAttempt(attempt=attempt):
                self.attempts.append((attempt, AttemptState.QUEUED))
            case ChangeAttempt(attempt=attempt, before=seen):
                self.attempts.append((attempt, seen))

    def _event(self, number: int, path: str, status: Status, cause: Cause) -> None:
        wall = wall_text(self.at.wall)
        text = rows.cause_text(cause)
        self.events.append((number, path, self.at.stamp, wall, status.name, text))


def save_live(
    tx: Writing,
    before: LiveGeneration,
    after: LiveGeneration,
    changes: Sequence[Change],
    at: Moment,
    operation: int | None,
    *,
    plan: Generation | None = None,
) -> LiveGeneration:
    """Store what an operator changed in a generation that runs, and return it with its new version.

    ``plan`` carries temporary changes of units that have not had their turn, where there are any.
    ``changes`` are its changes of status in order, each with its cause; flags (held, kill asked, prohibited,
    interrupted) may differ without one. Raises PlanMoved when the generation has changed since it was read.
    """
    _check_versions(tx, {before.id: (before.version, "running")})
    told = {path: run.status for path, run in before.units.items()}
    told |= {change.run.path: change.run.status for change in changes}
    untold = [path for path, run in after.units.items() if run.status is not told[path]]
    if untold:
        raise ValueError(f"the status of {untold[0]!r} changed without a cause")
    with Images(tx, operation, "generation", [before.id]):
        _change_units(
            tx,
            [
                (*rows.unit_run_values(run), before.id, path, before.units[path].status.name)
                for path, run in after.units.items()
                if run != before.units[path]
            ],
        )
        stamp, wall = at.stamp, wall_text(at.wall)
        tx.run_many(
            ADD_EVENT,
            [
                (before.id, c.run.path, stamp, wall, c.run.status.name, rows.cause_text(c.cause))
                for c in changes
            ],
        )
        order = after.interrupted
        tx.run(INTERRUPTED, None if order is None else order.operation, before.id)
        if plan is not None:
            tx.run(CHANGE_PLAN, *rows.generation_values(plan)[-4:], plan.id)
        tx.run(TOUCHED, id_list([before.id]))
    return replace(after, version=before.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fated:
    """A planned run that did not run: which one, what became of it, and why.

    ``generation`` is its number if it was real; ``operation`` the one that caused it, which its undo takes back.
    """

    root: int
    run: Passed
    fate: Fate
    operation: int | None = None
    generation: int | None = None


def add_fates(tx: Writing, fates: Iterable[Fated], at: Moment) -> None:
    """Record what became of planned runs that did not run."""
    tx.run_many(ADD_FATE, [_fate_values(fated, at) for fated in fates])


def _fate_values(fated: Fated, at: Moment) -> tuple[object, ...]:
    run = fated.run
    slot: Slot = run.slot
    return (
        *(fated.root, slot.exec_date.isoformat(), wall_text(slot.start), rows.ties_text(run.ties)),
        *(fated.fate, run.why, fated.operation, fated.generation, at.stamp),
    )


# -- the parts --


def _check_versions(tx: Writing, wanted: Mapping[int, tuple[int, str]]) -> None:
    """Raise PlanMoved unless every generation has the version and phase that were seen."""
    present = {row[0]: (row[1], row[2]) for row in tx.rows(VERSIONS, id_list(wanted))}
    for number, seen in wanted.items():
        now = present.get(number)
        if now != seen:
            happened = "has been removed"
            if now is not None:
                happened = "has been changed" if now[1] == seen[1] else f"is {now[1]} now"
            path = _root_path(tx, number)
            name = execution_id(number)
            raise PlanMoved(
                f"the run {path}:{name} {happened} since it was read",
                hint="nothing was changed; look at it again",
                unit=path,
                value=name,
            )


def _root_path(tx: Writing, number: int) -> str:
    row = tx.row(
        "SELECT path FROM unit WHERE id = (SELECT root FROM generation WHERE id = ?)", number
    )
    return "" if row is None else str(row[0])


def _add_units(tx: Writing, started: LiveGeneration, at: Moment) -> None:
    tx.run(START, started.definition_hash, started.base_time, at.stamp, started.id)
    kinds: dict[str, str] = {"": "root"}
    for path, unit in started.definition.walk():
        kinds[path] = "job" if isinstance(unit, Job) else "jobnet"
    tx.run_many(
        ADD_UNIT,
        [
            (started.id, path, position, kind, *rows.unit_run_values(started.units[path]))
            for position, (path, kind) in enumerate(kinds.items())
        ],
    )


def _change_units(tx: Writing, changes: Sequence[tuple[object, ...]]) -> None:
    if tx.run_many(CHANGE_UNIT, changes) != len(changes):
        # The versions were right, so nobody else did this: the decision saw other statuses than it was given.
        raise ValueError("a change starts from another status than the one stored")


def _put_attempt(tx: Writing, attempt: Attempt, before: AttemptState | None) -> None:
    new = before in (None, AttemptState.QUEUED)
    seen = "" if before is None else before.name
    values = (*attempt.key, *rows.attempt_values(attempt), seen)
    if tx.run(PUT_ATTEMPT if new else CHANGE_ATTEMPT, *values) != 1:
        raise _attempt_moved(attempt.key)


def _attempt_moved(key: AttemptKey) -> PlanMoved:
    name = execution_id(key.generation)
    return PlanMoved(
        f"attempt {key.number} of {key.path}:{name} is not as it was read",
        hint="nothing was changed; look at it again",
        unit=key.path,
        value=name,
    )
