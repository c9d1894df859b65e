"""A manager over a real store, with a fake clock and a fake machine: turns one after the other, checked as they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ajs.agents import Agents, remote_place
from ajs.attempts import TAKES_SLOT, Attempt, AttemptKey, AttemptState
from ajs.config import KEEP_FATES_DAYS
from ajs.fleet import NOBODY_MET
from ajs.lifecycle import LiveGeneration
from ajs.model import Jobnet, RootDefinition
from ajs.plan import Generation, Method, Registration, RootPlan, with_next
from ajs.runner.manager import Happened, Manager, Missed
from ajs.runner.tidying import Remove
from ajs.schedule import DayMode, Slot
from ajs.store import log, plans, rows, runs, show, units
from ajs.store.create import create
from ajs.store.database import Store, Writing, connect
from ajs.store.define import apply_definitions
from ajs.store.folder import database
from ajs.store.sources import stored_calendars, stored_timetables
from ajs.testing import FakeClock, FakeFleet, FakeMachine, FakeRun, Faults, Runs, runs_by_path

EVENING = datetime(2026, 8, 11, 22, 0)
TURNS = 5000


class Places:
    """The fake machine or fleet behind the port that the manager knows; ``names`` are the names that it was told."""

    def __init__(self, machine: FakeMachine | FakeFleet) -> None:
        self.machine = machine
        self.names: dict[AttemptKey, str] = {}

    def send(self, action, name, generation, now):
        assert self.names.setdefault(action.key, name) == name
        self.machine.send(action, now)

    def answers(self, now):
        return self.machine.answers(now)

    def next_at(self):
        return self.machine.next_at()

    def seek(self, ways, agents):
        if isinstance(self.machine, FakeFleet):
            self.machine.seek(ways, agents)

    def met(self):
        return self.machine.met() if isinstance(self.machine, FakeFleet) else NOBODY_MET


class Crash(Exception):
    """The manager's process is gone."""


class DyingStore(Store):
    """A store whose manager dies at its commit number ``at``: before it, or right after it."""

    at = 0
    before = False
    commits = 0

    def write(self):
        return _DyingWriting(self._db, self.file, "BEGIN IMMEDIATE", self)


class _DyingWriting(Writing):
    def __init__(self, db, file, begin, store):
        super().__init__(db, file, begin)
        self._store = store

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._store.commits += 1
            dies = self._store.commits == self._store.at
            if dies and self._store.before:
                self._roll_back()
                raise Crash
            super().__exit__(None, None, None)
            if dies:
                raise Crash
            return
        super().__exit__(kind, error, trace)


class World:
    """One scheduler service, its clock, its machine, and a manager that can die and be followed by another one."""

    def __init__(
        self,
        folder: Path,
        *roots: Jobnet,
        now: datetime = EVENING,
        jobs: Mapping[str, FakeRun] | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        limit: int | None = None,
        agents: Agents = Agents(),
    ) -> None:
        self.folder = str(folder)
        self.limit = limit
        self.clock = FakeClock(now)
        self.jobs = dict(jobs or {})
        runs = runs_by_path(self.jobs)
        self.machine: FakeMachine | FakeFleet
        if agents == Agents():
            self.machine = FakeMachine(runs, faults=faults, seed=seed)
        else:
            self.machine = FakeFleet(runs, agents, faults=faults, seed=seed)
        create(self.folder, name="main", at=self.clock.now(), by_version="0.1.0").close()
        self.other = Store.open(self.folder)
        """What commands use: another connection than the manager's."""
        self.roots = {f"/sales/{root.name}": root for root in roots}
        with self.other.write() as tx:
            given = [RootDefinition(path, root) for path, root in self.roots.items()]
            apply_definitions(tx, [], given, [], self.operation(tx, "define"), agents)
        self.remove: Remove = tuple
        self.keep_fates_days = KEEP_FATES_DAYS
        self.happened: list[Happened] = []
        self.missed: list[Missed] = []
        self.begin()

    def see(self, seen: Sequence[Happened | Missed]) -> None:
        self.happened += [one for one in seen if isinstance(one, Happened)]
        self.missed += [one for one in seen if isinstance(one, Missed)]

    def begin(self, *, dies_at: int = 0, before: bool = False) -> None:
        """Let a new manager begin, on the same state, as after a crash: what was under way to the machine is lost."""
        self.machine.cut()
        self.store = DyingStore(self.folder, connect(database(self.folder)))
        self.store.at, self.store.before = dies_at, before
        self.places = Places(self.machine)
        self.manager = Manager(
            self.store,
            self.clock,
            self.places,
            DayMode.H24,
            limit=self.limit,
            show=self.see,
            remove=self.remove,
            keep_fates_days=self.keep_fates_days,
        )

    def go(self, runs: Runs) -> None:
        """Let attempts go as this says."""
        assert isinstance(self.machine, FakeMachine)
        self.machine.runs = runs

    def define(self, *roots: Jobnet) -> None:
        """Define root jobnets anew, as a command does."""
        given = [RootDefinition(f"/sales/{root.name}", root) for root in roots]
        with self.other.write() as tx:
            apply_definitions(tx, [], given, [], self.operation(tx, "define"), Agents())
        self.roots |= {one.path: one.jobnet for one in given}

    def operation(self, tx: Writing, verb: str) -> int:
        now = self.clock.now()
        return log.begin(tx, now, os_user="hanako", verb=verb, command=[verb], reason="")

    # -- commands --

    def plan(self, path: str) -> RootPlan:
        with self.other.read() as tx:
            found = plans.load_plan(tx, self._root(tx, path))
        assert found is not None, path
        return found

    def register(
        self, path: str, *generations: Generation, method: Method = Method.PLANNED
    ) -> RootPlan:
        """Register a root jobnet, with the first run that its rules give or with these."""
        now = self.clock.now().wall
        registration = Registration(method=method, registered=now)
        with self.other.write() as tx:
            root = self._root(tx, path)
            timetable = stored_timetables(tx, stored_calendars(tx), DayMode.H24).of(
                path, self.roots[path]
            )
            plan = RootPlan(registration=registration, generations=generations)
            if method is Method.PLANNED and not generations:
                plan = with_next(plan, timetable)
            saved = plans.save_plan(tx, root, None, plan, self.operation(tx, "entry"))
        assert saved is not None
        return saved

    def change(self, path: str, make: Callable[[Generation], Generation]) -> None:
        """Change the next run of a root jobnet, as a command does."""
        before = self.plan(path)
        changed = make(before.waiting[0])
        with self.other.write() as tx:
            after = before.with_generation(changed)
            plans.save_plan(tx, self._root(tx, path), before, after, self.operation(tx, "plan"))

    def release(self, number: int, path: str) -> None:
        """Release a unit of a running generation, as a command does."""
        with self.other.write() as tx:
            before = runs.live(tx, [number])[number]
            run = replace(before.units[path], held=False)
            after = replace(before, units={**before.units, path: run})
            operation = self.operation(tx, "plan")
            runs.save_live(tx, before, after, (), self.clock.now(), operation=operation)

    @staticmethod
    def _root(tx, path: str) -> int:
        unit = units.by_path(tx, path)
        assert unit is not None, path
        return unit.id

    # -- the manager's work --

    def turn(self):
        """One turn; what the manager remembers afterwards is what the store has."""
        turn = self.manager.turn()
        if self.manager._seen_version == self.store.data_version():
            self.check_memory()
        return turn

    def check_memory(self) -> None:
        """Compare as stored: the fake machine's instants are finer than what is stored."""
        memory = self.manager.memory
        with self.store.read() as tx:
            live, attempts = runs.live(tx), runs.open_attempts(tx)
        assert _live_as_stored(memory.live) == _live_as_stored(live)
        assert _attempts_as_stored(memory.attempts()) == _attempts_as_stored(attempts)
        here = [a for a in attempts.values() if remote_place(a.place) is None]
        assert memory.busy == sum(a.state in TAKES_SLOT for a in here)
        queued = [key for key, a in attempts.items() if a.state is AttemptState.QUEUED]
        assert list(memory._queue) == queued

    def run(self, until: datetime | None = None) -> World:
        """Take turns until nothing is under way, or until this wall-clock time."""
        for _ in range(TURNS):
            turn = self.turn()
            if turn.again:
                continue
            following = self._next(turn.wake_at, until)
            if following is None:
                return self
            self.clock.jump_to(following)
        raise AssertionError(f"still not idle after {TURNS} turns")

    def _next(self, wake_at: datetime | None, until: datetime | None) -> datetime | None:
        now = self.clock.now()
        coming = [at for at in (self.machine.next_at(),) if at is not None]
        if wake_at is not None:
            coming.append(FakeClock(now.wall).jump_to_wall(wake_at).utc)
        following = min(coming, default=None)
        if until is None:
            return following
        end = FakeClock(now.wall).jump_to_wall(until).utc
        if now.utc >= end:
            return None
        return end if following is None else min(following, end)

    # -- what came of it --

    def status(self, path: str = "", generation: int = 1) -> str:
        with self.other.read() as tx:
            found = {r.path: r.status for r in show.unit_runs(tx, [generation])}
        return found[path]

    def runs(self) -> list[str]:
        """Every generation as ``@id day start phase status``."""
        with self.other.read() as tx:
            return [
                f"{g.execution_id} {g.exec_date} {g.start[8:16]} {g.phase} {g.status}"
                for g in show.generations(tx)
            ]

    def fates(self) -> list[str]:
        """What became of runs that did not run, as ``fate day start``."""
        with self.other.read() as tx:
            return [f"{f.fate} {f.exec_date} {f.start[11:16]}" for f in show.fates(tx)]


def _live_as_stored(live: Mapping[int, LiveGeneration]) -> dict[int, object]:
    return {
        number: (
            replace(generation, units={}),
            {path: rows.unit_run_values(run) for path, run in generation.units.items()},
        )
        for number, generation in live.items()
    }


def _attempts_as_stored(attempts: Mapping[AttemptKey, Attempt]) -> dict[AttemptKey, object]:
    return {key: rows.attempt_values(attempt) for key, attempt in attempts.items()}


def due(at: datetime = EVENING, **fields) -> Generation:
    """A run that no rule made."""
    slot = Slot(at, at.date())
    return replace(Generation(method=Method.FIXED, slot=slot, original=slot), **fields)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def lasts(count: float, code: int = 0) -> FakeRun:
    return FakeRun(lasts=minutes(count), return_code=code)
