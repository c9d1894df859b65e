"""One turn of the manager: what is due or touched → decision → one transaction → what is to be sent.

Nothing is kept here that the store does not have, but observations that are not committed yet and what has been asked:
a manager that dies at any instant is followed by one that finds all of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ajs.actions import (
    AwaitPrevious,
    ChangeAttempt,
    ChangeUnit,
    Commit,
    EndGeneration,
    HoldGeneration,
    Send,
    SkipGeneration,
    StartGeneration,
)
from ajs.attempts import AttemptKey, AttemptState
from ajs.causes import Cause
from ajs.config import KEEP_FATES_DAYS
from ajs.decide import Decision, Observed, Snapshot, apply, decide
from ajs.errors import AjsError, PlanMoved
from ajs.fleet import Met
from ajs.lifecycle import ENDED, LiveGeneration, Status
from ajs.moment import Moment
from ajs.plan import Passed
from ajs.ports import Clock, Places
from ajs.runner.beginning import Overdue, leave_out
from ajs.runner.memory import STARTS_AT_ONCE, Memory
from ajs.runner.planning import Planner, Steps
from ajs.runner.tidying import Remove, Tidying
from ajs.schedule import DayMode
from ajs.starting import Waiting
from ajs.store import agents, fleet, logs, plans, progress, runs
from ajs.store.database import Store
from ajs.store.sources import stored_calendars
from ajs.timetables import Calendars

TRIES = 100
"""How many turns in a row may find that the plan has moved under them before that counts as an error of ours."""
WORTH_SEEING = ENDED | {Status.RUNNING, Status.HOLDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something worth seeing that was committed: a unit started, was held at its turn, or ended, or a run waits.

    ``root`` is the root jobnet's full path, ``path`` the unit's below it, ``""`` for the root jobnet itself.
    """

    at: Moment
    root: str
    execution_id: str
    path: str
    status: Status
    return_code: int | None
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A planned run that did not run, because its time went by before it could."""

    at: Moment
    root: str
    run: Passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn did and what comes next.

    ``committed`` counts what was stored. With ``again`` another turn must follow at once. ``wake_at`` is the wall-clock
    time at which something is due. ``idle``: nothing runs, nothing is under way, and nothing is due now.
    """

    committed: int
    again: bool
    wake_at: datetime | None
    idle: bool


def _ignore(_: Sequence[Happened | Missed]) -> None:
    """Show nothing to anybody."""


class Manager:
    """Takes turns over the state of one scheduler service; nobody else may at the same time.

    ``limit`` is how many jobs may run on this machine at once, None for any number. ``show`` gets what was committed,
    after it was. ``remove`` takes from the disk what attempts left there whose runs are no longer kept.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        places: Places,
        mode: DayMode,
        *,
        limit: int | None,
        show: Callable[[Sequence[Happened | Missed]], None] = _ignore,
        remove: Remove = tuple,
        keep_fates_days: int = KEEP_FATES_DAYS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._places = places
        self._mode = mode
        self._limit = limit
        self._show = show
        self._tidying = Tidying(store, remove, keep_fates_days)
        self.memory = Memory()
        self._names: dict[AttemptKey, str] = {}
        self._calendars: Calendars | None = None
        self._frozen: dict[str, Calendars] = {}
        """The calendars that fixed registrations froze, by their key: these never change."""
        self._unsaved: tuple[Observed, ...] = ()
        self._seen_version: int | None = None
        self._look_for_due = True
        self._moved = 0
        self._told: Met | None = None

    def begin(self, overdue: Overdue = Overdue.START) -> None:
        """Leave out what is not to run of what was missed without a manager; before the first turn."""
        now = self._clock.now()
        missed = leave_out(self._store, self._mode, now, overdue)
        self._show(tuple(Missed(at=now, root=path, run=run) for path, run in missed))

    def turn(self) -> Turn:
        """Do all that follows from what is known now; raises what the store and the places raise."""
        now = self._clock.now()
        self._unsaved += self._places.answers(now.utc)
        try:
            self._look(now)
            snapshot, decision, steps = self._decide(now)
            if decision.to_commit:
                self._commit(snapshot, decision, steps, now)
        except PlanMoved:
            # A command was faster: nothing was stored, nothing was sent. What it made is looked at anew.
            self._seen_version = None
            self._moved += 1
            if self._moved > TRIES:
                raise
            return Turn(committed=0, again=True, wake_at=None, idle=False)
        self._moved = 0
        self._unsaved = ()
        after = apply(snapshot, decision)
        self.memory.absorb(snapshot, after)
        if decision.to_commit:
            missed = (Missed(at=now, root=path, run=run) for path, run in steps.missed)
            self._show((*missed, *_happened(decision.to_commit, snapshot, now)))
        try:
            self._send(decision.to_send, after.live, now.utc)
        except AjsError:
            # All of it is to be sent again, which does no harm, to the attempts as they are stored.
            self.memory.asked -= {action.id for action in decision.to_send}
            self._seen_version = None
            raise
        self._places.seek(self.memory.wanted, self.memory.agents)
        # Last: what it raises must not come between a commit and what follows from it.
        self._tell(snapshot.met, now)
        quiet = not decision.actions and not self._look_for_due
        quiet = quiet and not self._tidying.step(now)
        return Turn(
            committed=len(decision.to_commit),
            again=not quiet,
            wake_at=decision.wake_at,
            idle=quiet and not self.memory.open,
        )

    # -- taking in --

    def _look(self, now: Moment) -> None:
        """Read what another process has changed, and what has become due."""
        version = self._store.data_version()
        changed = version != self._seen_version
        coming = self.memory.next_start
        if not (changed or self._look_for_due or (coming is not None and coming <= now.wall)):
            return
        with self._store.read() as tx:
            known = self.memory.definitions()
            if changed:
                self.memory.load(runs.live(tx, known=known), runs.open_attempts(tx))
                self._calendars = stored_calendars(tx)
                self.memory.agents = agents.load(tx)
            due = runs.due(tx, now.wall, known)
            self.memory.load_due(due, runs.next_start(tx, now.wall))
        self._seen_version = version
        self._look_for_due = False

    # -- deciding --

    def _decide(self, now: Moment) -> tuple[Snapshot, Decision, Steps]:
        snapshot = self.memory.snapshot(now, self._unsaved, self._limit, self._places.met())
        decision = decide(snapshot, now)
        steps = self._plan(decision, snapshot, now)
        if steps.hand_on_first:
            # These see the holds that are handed on to them one turn later, in which they start; and no run of the
            # same root jobnet goes ahead of them.
            roots = {w.root_path for w in snapshot.due if w.generation.id in steps.hand_on_first}
            due = tuple(w for w in snapshot.due if w.root_path not in roots)
            snapshot = replace(snapshot, due=due)
            decision = decide(snapshot, now)
            steps = self._plan(decision, snapshot, now)
        return snapshot, decision, steps

    def _plan(self, decision: Decision, snapshot: Snapshot, now: Moment) -> Steps:
        concerned = StartGeneration | SkipGeneration | EndGeneration
        if not any(isinstance(action, concerned) for action in decision.to_commit):
            return Steps((), (), frozenset())
        due = {w.generation.id: w for w in snapshot.due}
        with self._store.read() as tx:
            calendars = self._calendars or stored_calendars(tx)
            planner = Planner(tx, calendars, self._mode, now.wall, self._frozen)
            return planner.steps(decision.to_commit, due, snapshot.live)

    # -- committing --

    def _commit(self, snapshot: Snapshot, decision: Decision, steps: Steps, now: Moment) -> None:
        versions = {w.generation.id: w.generation.version for w in snapshot.due}
        versions |= {number: generation.version for number, generation in snapshot.live.items()}
        with self._store.write() as tx:
            runs.commit(tx, decision.to_commit, versions, now)
            plans.save_plans(tx, steps.changes, operation=None)
            runs.add_fates(tx, steps.fates, now)
            ended = _done_with(decision.to_commit, snapshot.live)
            if ended and logs.trim(tx, ended, now):
                self._tidying.look()
        moving = StartGeneration | SkipGeneration | HoldGeneration | AwaitPrevious
        if steps.changes or any(isinstance(action, moving) for action in decision.to_commit):
            self._look_for_due = True
        if len(self.memory.due) > STARTS_AT_ONCE:
            self._look_for_due = True

    def _tell(self, met: Met, now: Moment) -> None:
        """Store what is known of relays and agents, so that commands can say where a flexible job is stuck."""
        if met != self._told:
            with self._store.write() as tx:
                fleet.save(tx, met, now)
            self._told = met

    # -- sending --

    def _send(
        self, actions: Sequence[Send], live: Mapping[int, LiveGeneration], now: datetime
    ) -> None:
        if not actions:
            return
        unknown = {action.key for action in actions} - self._names.keys()
        if unknown:
            # Names do not change; those of attempts that are done with need not be kept.
            self._names = {k: n for k, n in self._names.items() if self.memory.attempt(k)}
            with self._store.read() as tx:
                self._names |= progress.attempt_names(tx, unknown)
        for action in actions:
            key = action.key
            self._places.send(action, self._names[key], live.get(key.generation), now)


def _done_with(to_commit: Sequence[Commit], live: Mapping[int, LiveGeneration]) -> set[int]:
    """Return the generations that end, and those that had ended and of which an attempt is done with now."""
    found = set()
    for action in to_commit:
        match action:
            case EndGeneration(generation=number) | SkipGeneration(generation=number):
                found.add(number)
            case ChangeAttempt(attempt=attempt):
                over = attempt.state in (AttemptState.ACKED, AttemptState.LOST)
                if over and attempt.generation not in live:
                    found.add(attempt.generation)
            case _:
                pass
    return found


def _happened(to_commit: Sequence[Commit], snapshot: Snapshot, now: Moment) -> tuple[Happened, ...]:
    """Return what of a commit is worth seeing, in order."""
    due: Mapping[int, Waiting] = {w.generation.id: w for w in snapshot.due}
    found = []
    for action in to_commit:
        match action:
            case StartGeneration(live=live, cause=cause):
                number, path, status, code = live.id, "", Status.RUNNING, None
            case SkipGeneration(generation=number, cause=cause):
                path, status, code = "", Status.EXECDEFFER, None
            case (
                HoldGeneration(generation=number, cause=cause)
                | AwaitPrevious(generation=number, cause=cause)
            ):
                path, status, code = "", action.status, None
            case ChangeUnit(generation=number, run=run, cause=cause):
                path, status, code = run.path, run.status, run.return_code
            case _:
                continue
        if status not in WORTH_SEEING and not isinstance(action, AwaitPrevious):
            continue
        of = due[number] if number in due else snapshot.live[number]
        found.append(
            Happened(
                at=now,
                root=of.root_path,
                execution_id=of.execution_id,
                path=path,
                status=status,
                return_code=code,
                cause=cause,
            )
        )
    return tuple(found)
