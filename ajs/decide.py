"""decide(snapshot, now) → actions, next wake-up, reasons. The runner and the dry run call the same function.

The runner reads the clock once, takes a snapshot of what is due or touched, and asks. It commits the actions that
change stored state (``to_commit``) in one transaction, and only then does the others (``to_send``). What comes back is
put into the next snapshot as observations. So at any instant the store knows at least as much as any place was told,
and asking again at the same instant, after ``apply``, gives nothing.

``asked`` in the snapshot is the memory of what has been sent and is not yet answered. It is kept in memory only: after
a crash it is empty, everything that matters is asked again, and the places, which do everything once, answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ajs import attempts as tables
from ajs.actions import (
    AckAttempt,
    AskAgain,
    AwaitPrevious,
    ChangeAttempt,
    ChangeUnit,
    Commit,
    DetectDelay,
    EndGeneration,
    HoldGeneration,
    KillAttempt,
    PlaceAttempt,
    QueueAttempt,
    Send,
    SkipGeneration,
    StartAttempt,
    StartGeneration,
    StoreResult,
    closes,
)
from ajs.agents import Agents, remote_place
from ajs.attempts import LOCAL, TAKES_SLOT, Attempt, AttemptKey, AttemptState, Observation
from ajs.causes import Cause, Why
from ajs.delays import Delays
from ajs.detecting import detected, minute_before, to_come
from ajs.fleet import NO_LOAD, NOBODY_MET, Load, Met, Slots, Way
from ajs.lifecycle import (
    HANDED_OVER,
    Change,
    Event,
    Kind,
    LiveGeneration,
    Status,
    UnitRun,
    changed,
    settle,
)
from ajs.model import Job, Jobnet
from ajs.moment import Moment, wall_text
from ajs.starting import Before, Previous, Waiting, step


@dataclass(frozen=True, slots=True)
class Observed:
    """What dispatch reports about one attempt; ``relay`` is the relay agent through which it was told."""

    key: AttemptKey
    what: Observation
    relay: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is decided on.

    It may leave out live generations that were not touched since the last decision and have nothing due; then
    ``busy`` counts their attempts that take a slot on this machine, ``load`` those on agents, and ``next_start`` is the
    first wall-clock time at which anything left out is due. ``attempts`` are those not yet done with, in the order they
    were made; an observation about any other attempt says nothing. ``limit`` is how many jobs may run on this machine
    at once; ``agents`` and ``met`` are where flexible jobs can run. ``watched`` are generations that wait, due
    or not, of which a jobnet should have started or ended by now.
    """

    due: tuple[Waiting, ...] = ()
    live: Mapping[int, LiveGeneration] = field(default_factory=dict)
    attempts: Mapping[AttemptKey, Attempt] = field(default_factory=dict)
    observations: tuple[Observed, ...] = ()
    asked: frozenset[str] = frozenset()
    limit: int | None = None
    busy: int = 0
    load: Load = NO_LOAD
    agents: Agents = Agents()
    met: Met = NOBODY_MET
    next_start: datetime | None = None
    watched: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to commit, in order, then what to send, in order.

    ``wake_at`` is the next wall-clock time at which something is due, None when only an answer or an operator can
    change anything. ``reasons`` says for every unit that waits why it does, and for one that an operator has ended
    who that is, by generation and relative path.
    """

    to_commit: tuple[Commit, ...]
    to_send: tuple[Send, ...]
    wake_at: datetime | None
    reasons: Mapping[tuple[int, str], Cause]

    @property
    def actions(self) -> tuple[Commit | Send, ...]:
        """Everything to do, in order."""
        return (*self.to_commit, *self.to_send)


def decide(snapshot: Snapshot, now: Moment) -> Decision:
    """Return all that follows from the snapshot at this moment.

    A generation whose start has come is held, skipped, waits for a run of the same root jobnet, or starts
    (``starting``); everything that follows inside one that starts happens in the same decision.
    """
    return _Turn(snapshot, now).run()


def apply(snapshot: Snapshot, decision: Decision) -> Snapshot:
    """Return the snapshot after the decision was committed and sent.

    The observations are used up; attempts that are done with go; the version of every generation that changed is one
    higher, as the store makes it.
    """
    due = {w.generation.id: w for w in snapshot.due}
    live = dict(snapshot.live)
    attempts = dict(snapshot.attempts)
    units: dict[int, dict[str, UnitRun]] = {}
    ended: dict[int, Status] = {}
    for action in decision.to_commit:
        match action:
            case StartGeneration(live=started):
                del due[started.id]
                live[started.id] = started
            case SkipGeneration(generation=number):
                del due[number]
            case HoldGeneration(generation=number) | AwaitPrevious(generation=number):
                due[number] = replace(due[number], status=action.status)
            case ChangeUnit(generation=number, run=run):
                if number not in units:
                    units[number] = dict(live[number].units)
                units[number][run.path] = run
            case (
                QueueAttempt(attempt=attempt)
                | PlaceAttempt(attempt=attempt)
                | ChangeAttempt(attempt=attempt)
            ):
                attempts[attempt.key] = attempt
            case EndGeneration(generation=number, status=status):
                del live[number]
                ended[number] = status
            case DetectDelay():
                pass
    live |= {n: _changed(live[n], runs) for n, runs in units.items() if n in live}
    late = _detected(decision)
    live |= {n: replace(live[n], delayed=live[n].delayed | late[n]) for n in late if n in live}
    done = [k for k, a in attempts.items() if _done_with(a, live)]
    for key in done:
        del attempts[key]
    asked = _still_asked(snapshot) | {action.id for action in decision.to_send}
    return replace(
        snapshot,
        due=tuple(waiting.after(ended) for waiting in due.values()),
        live=live,
        attempts=attempts,
        observations=(),
        asked=frozenset(asked),
        watched=tuple(
            replace(w, delayed=w.delayed | late.get(w.generation.id, frozenset()))
            for w in snapshot.watched
            if w.generation.id not in live and w.generation.id not in ended
        ),
    )


def _changed(generation: LiveGeneration, units: Mapping[str, UnitRun]) -> LiveGeneration:
    return replace(generation, units=units, version=generation.version + 1)


def _detected(decision: Decision) -> dict[int, Delays]:
    """Return the delays that a decision notes, by generation."""
    found: dict[int, Delays] = {}
    for action in decision.to_commit:
        if isinstance(action, DetectDelay):
            late = found.get(action.generation, frozenset())
            found[action.generation] = late | {(action.path, action.delay)}
    return found


def _done_with(attempt: Attempt, live: Mapping[int, LiveGeneration]) -> bool:
    lost = attempt.state is AttemptState.LOST and attempt.generation not in live
    return lost or attempt.state is AttemptState.ACKED


def _still_asked(snapshot: Snapshot) -> set[str]:
    """Return the ids of what was sent and is not answered by the snapshot's observations."""
    asked = set(snapshot.asked)
    for seen in snapshot.observations:
        asked -= closes(seen.key, seen.what)
    return asked


class _Turn:
    """One decision in the making: the snapshot's parts, changed as it goes, and the actions so far."""

    def __init__(self, snapshot: Snapshot, now: Moment) -> None:
        self.snapshot = snapshot
        self.now = now
        self.live = dict(snapshot.live)
        self.attempts = dict(snapshot.attempts)
        self.ended: dict[int, Status] = {}
        self.latest: dict[str, Before] = {}
        """The run of each root jobnet that has started last, of those that started now."""
        self.running: dict[str, dict[int, str]] = {}
        for generation in self.live.values():
            self.running.setdefault(generation.root_path, {})[generation.id] = (
                generation.execution_id
            )
        self.unplaced: dict[int, list[AttemptKey]] = {}
        for attempt in self.attempts.values():
            if attempt.state is AttemptState.QUEUED:
                self.unplaced.setdefault(attempt.generation, []).append(attempt.key)
        self.units: dict[int, dict[str, Jobnet | Job]] = {}
        self.delayed: dict[int, Delays] = {}
        """What was detected now."""
        self.to_commit: list[Commit] = []
        self.reasons: dict[tuple[int, str], Cause] = {}

    def run(self) -> Decision:
        self._watch(minute_before(self.now))
        for seen in self.snapshot.observations:
            self._observe(seen)
        for number in list(self.live):
            self._settle(number)
        for waiting in sorted(self.snapshot.due, key=_slot_order):
            self._start(waiting)
        self._watch(self.now)
        self._place()
        to_send = tuple(self._sends())
        self._explain_attempts()
        self._explain_orders()
        return Decision(tuple(self.to_commit), to_send, self._wake_at(), self.reasons)

    # -- what came back --

    def _observe(self, seen: Observed) -> None:
        before = self.attempts.get(seen.key)
        if before is None:
            return
        after = tables.observe(before, seen.what, self.now.utc)
        if seen.relay:
            after = replace(after, relay=seen.relay)
        if after == before:
            return
        self.attempts[seen.key] = after
        self.to_commit.append(ChangeAttempt(after, before.state))
        run, job = self._job_of(after)
        if run is None or job is None:
            return
        if after.started is not None and run.status in HANDED_OVER:
            run = self._fire(after, Event.JOB_STARTED, Cause(Why.JOB_STARTED), at=after.started)
        ending = tables.ending(after, job, run.kill_asked)
        if ending is not None:
            at = after.ended or self.now.utc
            self._fire(after, ending.event, ending.cause, at=at, code=ending.return_code)

    def _job_of(self, attempt: Attempt) -> tuple[UnitRun | None, Job | None]:
        """Return the job that still waits for this attempt to end, and how it runs now."""
        generation = self.live.get(attempt.generation)
        if generation is None:
            return None, None
        run = generation.units[attempt.path]
        if generation.id not in self.units:
            self.units[generation.id] = dict(generation.definition.walk())
        unit = self.units[generation.id].get(attempt.path)
        if run.attempt != attempt.number or run.status.ended or not isinstance(unit, Job):
            return None, None
        return run, unit

    def _fire(
        self,
        attempt: Attempt,
        event: Event,
        cause: Cause,
        *,
        at: datetime | None = None,
        code: int | None = None,
    ) -> UnitRun:
        run = self.live[attempt.generation].units[attempt.path]
        change = changed(run, Kind.JOB, event, cause, at or self.now.utc)
        if code is not None:
            change = replace(change, run=replace(change.run, return_code=code))
        self._record(attempt.generation, (change,))
        return change.run

    def _record(self, number: int, changes: Iterable[Change]) -> None:
        generation = self.live[number]
        units = dict(generation.units)
        for change in changes:
            units[change.run.path] = change.run
            self.to_commit.append(
                ChangeUnit(number, generation.version, change.before, change.run, change.cause)
            )
        self.live[number] = replace(generation, units=units)

    # -- what follows --

    def _settle(self, number: int) -> None:
        """Run one generation to its fixed point, together with its attempts that have no place yet."""
        while True:
            settled = settle(self.live[number], self.now)
            self._record(number, settled.changes)
            for change in settled.changes:
                if change.run.status is Status.EXECWAIT:
                    key = AttemptKey(number, change.run.path, change.run.attempt)
                    self.attempts[key] = tables.queued(key)
                    self.unplaced.setdefault(number, []).append(key)
            if not self._withdraw(number):
                break
        self.reasons |= {(number, path): cause for path, cause in settled.waits.items()}
        root = self.live[number].units[""].status
        if root.ended:
            self.to_commit.append(EndGeneration(number, root))
            self.ended[number] = root
            del self.running[self.live.pop(number).root_path][number]

    def _withdraw(self, number: int) -> bool:
        """Take back attempts without a place that an operator stopped; say whether there were any."""
        generation = self.live[number]
        found = False
        for key in tuple(self.unplaced.get(number, ())):
            attempt = self.attempts[key]
            kill = generation.units[attempt.path].kill_asked
            if kill is not None:
                self._fire(attempt, Event.KILL, Cause(Why.KILLED_BEFORE, value=kill.text))
            elif generation.interrupted is not None:
                cause = Cause(Why.INTERRUPTED, value=generation.interrupted.text)
                self._fire(attempt, Event.NOT_EXECUTE, cause)
            else:
                continue
            after = tables.withdrawn(attempt)
            self.attempts[key] = after
            self.unplaced[number].remove(key)
            self.to_commit.append(ChangeAttempt(after, attempt.state))
            found = True
        return found

    def _start(self, waiting: Waiting) -> None:
        path = waiting.root_path
        before = self.latest.get(path, waiting.before)
        waiting = replace(waiting, previous=self._going_on(waiting), before=before)
        late = waiting.delayed | self.delayed.get(waiting.generation.id, frozenset())
        waiting = replace(waiting, delayed=late)
        found = step(waiting.after(self.ended), self.now)
        if isinstance(found, Cause):
            self.reasons[waiting.generation.id, ""] = found
            return
        self.to_commit.append(found)
        if isinstance(found, HoldGeneration | AwaitPrevious):
            self.reasons[found.generation, ""] = found.cause
        elif isinstance(found, StartGeneration):
            live = found.live
            self.live[live.id] = live
            self.running.setdefault(path, {})[live.id] = live.execution_id
            self._settle(live.id)
            status = self.ended.get(live.id, Status.RUNNING)
            self.latest[path] = Before(live.id, live.execution_id, status)

    def _going_on(self, waiting: Waiting) -> tuple[Previous, ...]:
        """Return the runs of the same root that went on at last sight, or go on."""
        found = {p.id: p.execution_id for p in waiting.previous}
        found |= self.running.get(waiting.root_path, {})
        return tuple(Previous(*one) for one in sorted(found.items()))

    # -- what comes too late --

    def _watch(self, at: Moment) -> None:
        """Note every limit that has gone by at a moment, once."""
        waiting = [
            one
            for one in self.snapshot.watched
            if one.generation.id not in self.live and one.generation.id not in self.ended
        ]
        for found in tuple(detected(self.live.values(), waiting, self.delayed, at)):
            known = self.delayed.get(found.generation, frozenset())
            self.delayed[found.generation] = known | {(found.path, found.delay)}
            self.to_commit.append(found)

    # -- attempts --

    def _place(self) -> None:
        """Give free slots to the attempts that wait: the highest priority first, then first come, first served."""
        seen = self.snapshot
        slots = Slots(seen.limit, seen.busy, seen.load, seen.agents, seen.met)
        for attempt in self.attempts.values():
            if attempt.state in TAKES_SLOT:
                slots.count(attempt.place, attempt.relay)
        unplaced = [a for a in self.attempts.values() if a.state is AttemptState.QUEUED]
        for attempt in sorted(unplaced, key=self._priority, reverse=True):
            _, job = self._job_of(attempt)
            way = Way(job.destination, job.relay) if job is not None and job.destination else None
            found = slots.take(way)
            if not isinstance(found, Cause):
                place, relay = found
                after = tables.placed(attempt, place or LOCAL, self.now.utc, relay)
                self.attempts[attempt.key] = after
                self.to_commit.append(PlaceAttempt(after))
                continue
            self.reasons[attempt.generation, attempt.path] = found
            if attempt.key not in self.snapshot.attempts:
                self.to_commit.append(QueueAttempt(attempt))
                self._fire(attempt, Event.QUEUE, found)

    def _priority(self, attempt: Attempt) -> int:
        run, _ = self._job_of(attempt)
        return 0 if run is None else run.priority

    def _sends(self) -> Iterable[Send]:
        """Yield what to ask the places: what is not known yet and is not being asked already."""
        asked = _still_asked(self.snapshot)
        for attempt in self.attempts.values():
            for send in self._wanted(attempt, asked):
                if send.id not in asked:
                    yield send

    def _wanted(self, attempt: Attempt, asked: set[str]) -> Iterable[Send]:
        key, place, relay = attempt.key, attempt.place, attempt.relay
        run, job = self._job_of(attempt)
        ask = AskAgain(key, place, relay)
        if attempt.may_start:
            if job is not None and ask.id not in asked:
                yield StartAttempt(key, place, job, relay)
        elif attempt.state in TAKES_SLOT:
            if StartAttempt.id_of(key) not in asked:
                yield ask
            if run is not None and run.kill_asked is not None and attempt.started is not None:
                yield KillAttempt(key, place, relay)
        elif attempt.state is AttemptState.ENDED:
            yield StoreResult(key, place, relay)
        elif attempt.state is AttemptState.STORED:
            yield AckAttempt(key, place, relay)

    # -- when, and why --

    def _explain_attempts(self) -> None:
        for attempt in self.attempts.values():
            run, _ = self._job_of(attempt)
            if run is None:
                continue
            key = (attempt.generation, attempt.path)
            if attempt.silent_since is not None:
                self.reasons[key] = self._no_contact(attempt.place, attempt.silent_since)
            elif run.status in HANDED_OVER and attempt.state is not AttemptState.QUEUED:
                self.reasons[key] = Cause(Why.WAITS_ANSWER)

    def _no_contact(self, place: str, since: datetime) -> Cause:
        """Return since when nothing was heard from a place, and what stands in the way where that is known."""
        at = wall_text((self.now.wall + (since - self.now.utc)).replace(microsecond=0))
        remote = remote_place(place)
        troubles = {c.agent: c.trouble for c in self.snapshot.met.agents}
        trouble = "" if remote is None else troubles.get(remote.agent, "")
        return Cause(Why.NO_WAY if trouble else Why.NO_CONTACT, value=at, limit=trouble)

    def _explain_orders(self) -> None:
        """Say of what runs on for a while that an operator has it ended, unless something stands in the way."""
        for generation in self.live.values():
            if generation.interrupted is not None:
                cause = Cause(Why.INTERRUPT_ASKED, value=generation.interrupted.text)
                self.reasons[generation.id, ""] = cause
            for path, run in generation.units.items():
                if run.kill_asked is not None and not run.status.ended:
                    cause = Cause(Why.KILL_ASKED, value=run.kill_asked.text)
                    self.reasons.setdefault((generation.id, path), cause)

    def _wake_at(self) -> datetime | None:
        times = [w.generation.slot.start for w in self.snapshot.due]
        runs = (run for generation in self.live.values() for run in generation.units.values())
        times += [r.planned for r in runs if r.status is Status.TIMEWAIT and r.planned is not None]
        times += to_come(self.live.values(), self.delayed, self.now)
        coming = [at for at in times if self.now.wall < at]
        if self.snapshot.next_start is not None:
            coming.append(self.snapshot.next_start)
        return min(coming, default=None)


def _slot_order(waiting: Waiting) -> tuple[object, ...]:
    slot = waiting.generation.slot
    return (slot.start, slot.exec_date, waiting.generation.id)
