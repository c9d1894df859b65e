"""A manager without a store: decide and apply against a fake machine and a fake clock, with everything written down."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ajs.actions import (
    AwaitPrevious,
    ChangeUnit,
    DetectDelay,
    EndGeneration,
    HoldGeneration,
    SkipGeneration,
    StartGeneration,
)
from ajs.attempts import Attempt, AttemptKey
from ajs.causes import Asked, Cause
from ajs.decide import Decision, Observed, Snapshot, apply, decide
from ajs.delays import Delay
from ajs.lifecycle import Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.plan import Generation, Method
from ajs.schedule import Slot
from ajs.starting import Waiting
from ajs.testing import FakeClock, FakeMachine

ASKED = Asked(7, "hanako", "rain")
"""The order to kill or interrupt that an operator gave."""
EVENING = datetime(2026, 8, 11, 22, 0)
TURNS = 3000


def waiting(root: Jobnet, *, number: int = 1, at: datetime = EVENING, **plan: Any) -> Waiting:
    """A generation of a root jobnet that starts at this time; ``plan`` are fields of ``Generation``."""
    slot = Slot(at, at.date())
    generation = Generation(id=number, method=Method.FIXED, slot=slot, original=slot)
    return Waiting(
        generation=replace(generation, **plan),
        root_path=f"/sales/{root.name}",
        execution_id=f"@A{number}",
        definition=root,
        definition_hash=f"hash of {root.name}",
    )


@dataclass(frozen=True)
class Entry:
    """One status change that was committed."""

    at: datetime
    generation: int
    path: str
    before: Status
    after: Status
    cause: Cause


@dataclass
class Driver:
    """Turns of the manager, one after the other, until nothing is under way.

    ``crash_at`` counts commits: the manager dies at that one, before it (the decision is lost) or after it (nothing
    of it was sent), and starts again with what was committed.
    """

    snapshot: Snapshot
    machine: FakeMachine
    clock: FakeClock = field(default_factory=lambda: FakeClock(EVENING))
    crash_at: int = 0
    crash_before: bool = False
    history: list[Entry] = field(default_factory=list)
    units: dict[tuple[int, str], UnitRun] = field(default_factory=dict)
    initial: dict[tuple[int, str], Status] = field(default_factory=dict)
    definitions: dict[int, Jobnet] = field(default_factory=dict)
    attempts: dict[AttemptKey, list[Attempt]] = field(default_factory=dict)
    ended: dict[int, Status] = field(default_factory=dict)
    delays: dict[tuple[int, str, Delay], datetime] = field(default_factory=dict)
    waits: dict[int, Status] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    commits: int = 0
    crashed: bool = False

    def turn(self, observations: Iterable[Observed] | None = None) -> Decision:
        """Decide once, commit and send; ``observations`` instead of the machine's."""
        now = self.clock.now()
        came = self.machine.answers(now.utc) if observations is None else tuple(observations)
        snapshot = replace(self.snapshot, observations=came)
        decision = decide(snapshot, now)
        self.decisions.append(decision)
        if decision.to_commit:
            self.commits += 1
            if self.commits == self.crash_at:
                self.crashed = True
                self.machine.cut()
                if not self.crash_before:
                    self._commit(snapshot, decision)
                self.snapshot = replace(self.snapshot, observations=(), asked=frozenset())
                return decision
        self._commit(snapshot, decision)
        assert decide(self.snapshot, now).actions == (), (
            "a decision that was carried out is made again"
        )
        for action in decision.to_send:
            self.machine.send(action, now.utc)
        return decision

    def run(self, until: datetime | None = None) -> "Driver":
        """Take turns until nothing is under way, or until this wall-clock time has come and was decided on."""
        for _ in range(TURNS):
            decision = self.turn()
            if decision.actions:
                continue
            following = self._next()
            if until is not None and (following is None or following.wall > until):
                self.clock.jump_to_wall(until)
                if self.turn().actions:
                    continue
                return self
            if following is None:
                return self
            self.clock.jump_to(following.utc)
        raise AssertionError(f"still not idle after {TURNS} turns")

    def change(self, generation: int, path: str, **fields: Any) -> None:
        """Change one unit of a live generation as an operator does."""
        live = self.snapshot.live[generation]
        run = replace(live.units[path], **fields)
        live = replace(live, units={**live.units, path: run}, version=live.version + 1)
        self.snapshot = replace(self.snapshot, live={**self.snapshot.live, generation: live})

    def _next(self):
        moments = []
        at = self.machine.next_at()
        if at is not None:
            moments.append(FakeClock(self.clock.now().wall).jump_to(at))
        wake = self.decisions[-1].wake_at
        if wake is not None:
            moments.append(FakeClock(self.clock.now().wall).jump_to_wall(wake))
        return min(moments, key=lambda m: m.utc, default=None)

    def _commit(self, snapshot: Snapshot, decision: Decision) -> None:
        now = self.clock.now().wall
        for action in decision.to_commit:
            match action:
                case StartGeneration(live, before, cause):
                    self.definitions[live.id] = live.definition
                    self.units |= {(live.id, path): run for path, run in live.units.items()}
                    self.initial |= {(live.id, p): run.status for p, run in live.units.items()}
                    self.initial[live.id, ""] = before
                    root = live.units[""].status
                    self.history.append(Entry(now, live.id, "", before, root, cause))
                case SkipGeneration(number, cause):
                    self._root(now, number, Status.EXECDEFFER, cause)
                case HoldGeneration(number, _, cause) | AwaitPrevious(number, _, cause):
                    self._root(now, number, action.status, cause)
                case ChangeUnit(number, _, before, run, cause):
                    entry = Entry(now, number, run.path, before, run.status, cause)
                    self.history.append(entry)
                    self.units[number, run.path] = run
                case EndGeneration(number, status):
                    self.ended[number] = status
                case DetectDelay(number, _, path, delay, _, _):
                    assert (number, path, delay) not in self.delays, "detected twice"
                    self.delays[number, path, delay] = now
                case _:
                    self.attempts.setdefault(action.attempt.key, []).append(action.attempt)
        self.snapshot = apply(snapshot, decision)

    def _root(self, at, number, after, cause) -> None:
        before = self.waits.get(number, Status.TIMEWAIT)
        self.waits[number] = after
        self.history.append(Entry(at, number, "", before, after, cause))

    def log(self) -> list[str]:
        """Every status change as a line: wall-clock time, unit, status, cause."""
        several = len({e.generation for e in self.history}) > 1
        return [
            f"{e.at:%H:%M} {f'{e.generation}:' if several else ''}{e.path or '.'} {e.after.name}: "
            f"{e.cause.text}"
            for e in self.history
        ]

    def statuses(self, generation: int = 1) -> dict[str, str]:
        """The statuses of one generation's units."""
        return {p: run.status.name for (g, p), run in self.units.items() if g == generation}


def job(name: str, *after: str, **fields: Any) -> Job:
    """A job with its predecessors."""
    return replace(Job(name=name, after=after), **fields)


def net(name: str, *units: Jobnet | Job, after: tuple[str, ...] = (), **fields: Any) -> Jobnet:
    """A jobnet and what it holds."""
    return replace(Jobnet(name=name, units=units, after=after), **fields)


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)
