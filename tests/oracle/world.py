"""A story's world: a home folder with one scheduler service, a clock that is told, and machines that run no program.

Commands run as if they had been typed, by the code of the command line; the manager takes real turns over the real
store, from event to event. Only what it puts jobs on is fake, and what keeps ``ajsstart`` in the foreground.
"""

from __future__ import annotations

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ajs.attempts import AttemptKey
from ajs.cli.boundary import run
from ajs.fleet import NOBODY_MET
from ajs.lifecycle import Status
from ajs.operations.service import Service, open_service
from ajs.runner.beginning import Overdue
from ajs.runner.manager import Happened, Manager, Missed
from ajs.store import show, units
from ajs.store.numbers import execution_id
from ajs.store.presence import FolderLock, WakeSocket
from ajs.testing import FakeClock, FakeMachine, FakeRun
from tests.oracle.story import Step, Story, Units
from tests.oracle.translate import RETURN_CODES, groups

SERVICE = "AJSROOT1"
TURNS = 20_000
"""How many turns one step may take; more means that the manager never comes to rest."""


@dataclass
class Ran:
    """One run that has started, as the manager told of it."""

    root: str
    exec_date: str
    start: datetime
    statuses: dict[str, str] = field(default_factory=dict)
    nested: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def warns(self) -> bool:
        return any(line.startswith("warning:") for line in self.err.splitlines())


class World:
    """What a story happens in."""

    def __init__(self, story: Story, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.units = Units(story.units)
        self.calendars = story.calendars
        self.base_time = story.base_time
        self.clock = FakeClock(story.steps[0].at)
        self.machine = FakeMachine(self._run_of)
        self.runs: dict[str, Ran] = {}
        self.skipped: list[tuple[str, datetime]] = []
        self._files = 0
        self._presence: tuple[FolderLock, WakeSocket] | None = None
        self._manager: Manager | None = None
        patch.setenv("AJS_HOME", str(folder))
        patch.setenv("AJSCONF", SERVICE)
        patch.setattr("ajs.runner.serve.serve", self._serve)
        patch.setattr("ajs.operations.manager.stop_manager", self._stop)
        self.must(f"ajs init {SERVICE} --home {folder} --time-zone UTC --schedule {story.schedule}")
        self.service: Service = open_service(home=None, name=None, clock_of=lambda _: self.clock)
        self.must(self._definition())
        self._start()

    def close(self) -> None:
        if self._presence is not None:
            self._leave()
        self.service.store.close()

    # -- commands --

    def ajs(self, line: str) -> Said:
        """Run a command as if it had been typed."""
        program, *arguments = shlex.split(line)
        verb = program.removeprefix("ajs")
        if program == "ajs":
            verb, *arguments = arguments
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(verb, program, arguments, clock=lambda _: self.clock)
        return Said(int(code), out.getvalue(), err.getvalue())

    def must(self, line: str) -> Said:
        """Run a command that has to succeed."""
        said = self.ajs(line)
        assert said.code == 0, f"{line}: {said.err}"
        return said

    def json(self, line: str) -> Any:
        """Return what a reading command says for machines."""
        return json.loads(self.must(f"{line} --format json").out)

    def step(self, step: Step) -> Said:
        """Let the clock move on and execute a step's command, and all that it makes due."""
        self.advance(step.at)
        if step.do == "advance":
            return Said(0, "", "")
        if step.do.startswith("ajsschedule"):
            # What is said to people of it comes with the table, not with what is for machines.
            said = self.ajs(f"{step.do} --format json")
            return said if said.code else replace(said, err=self.ajs(step.do).err)
        said = self._define(step) if step.do == "ajsdefine" else self.ajs(step.do)
        self.advance(step.at)
        return said

    def _define(self, step: Step) -> Said:
        before = self.units, self.calendars
        self.units = self.units.with_changed(step.define.get("units", []))
        self.calendars = self.calendars | step.define.get("calendars", {})
        said = self.ajs(self._definition())
        if said.code:
            self.units, self.calendars = before
        return said

    def _definition(self) -> str:
        self._files += 1
        file = self.folder / f"definitions-{self._files}.yaml"
        file.write_text(groups(self.units, self.calendars, self.base_time))
        return f"ajsdefine {file}"

    # -- the manager --

    def _serve(self, *_: object, overdue: Overdue, **__: object) -> int:
        """Be there in place of the loop that ``ajsstart`` would not come back from."""
        self._start()
        assert self._manager is not None
        self._manager.begin(overdue)
        return 0

    def _start(self) -> None:
        folder = self.service.folder
        self._presence = FolderLock.take(folder), WakeSocket.bind(folder)
        self._manager = Manager(
            self.service.store,
            self.clock,
            FakePlaces(self.machine),
            self.service.mode,
            limit=None,
            show=self._happened,
        )

    def _stop(self, *_: object, **__: object) -> int:
        """Stop at once, in place of sending a signal to this process."""
        self._leave()
        self.machine.cut()
        return 0

    def _leave(self) -> None:
        assert self._presence is not None
        lock, socket = self._presence
        socket.close()
        lock.release()
        self._presence = self._manager = None

    def advance(self, to: datetime) -> None:
        """Let all happen that falls due until then, each at its moment."""
        for _ in range(TURNS):
            if self._manager is None:
                break
            turn = self._manager.turn()
            if turn.again:
                continue
            times = [at for at in (turn.wake_at, self._answer_at()) if at is not None and at <= to]
            if not times:
                break
            self.clock.jump_to_wall(min(times))
        else:
            raise AssertionError(f"the manager does not come to rest in {TURNS} turns")
        self.clock.jump_to_wall(to)

    def _answer_at(self) -> datetime | None:
        at = self.machine.next_at()
        return None if at is None else at.astimezone(UTC).replace(tzinfo=None)

    # -- what runs --

    def _run_of(self, key: AttemptKey) -> FakeRun:
        """How a job goes in this run: the first, the second, ... of its root jobnet."""
        ran = self.runs[execution_id(key.generation)]
        runs = [number for number, other in self.runs.items() if other.root == ran.root]
        unit = self.units.by_path.get(f"{ran.root}/{key.path}", {})
        nth = runs.index(execution_id(key.generation))
        lasts, ends = _nth(unit.get("duration", 0), nth), _nth(unit.get("ends", "normally"), nth)
        return FakeRun(lasts=timedelta(minutes=lasts), return_code=RETURN_CODES[ends])

    def _happened(self, seen: object) -> None:
        for one in seen if isinstance(seen, tuple) else ():
            if isinstance(one, Missed):
                continue
            assert isinstance(one, Happened)
            self._note(one)

    def _note(self, one: Happened) -> None:
        if one.status is Status.EXECDEFFER and not one.path:
            row = self._row(one.root, one.execution_id)
            self.skipped.append((one.root, datetime.fromisoformat(row.start)))
            return
        ran = self.runs.get(one.execution_id)
        if ran is None:
            if one.status is not Status.RUNNING:
                return
            day = self._row(one.root, one.execution_id).exec_date
            ran = self.runs[one.execution_id] = Ran(one.root, day, one.at.wall)
        ran.statuses[one.path] = one.status.text
        if one.status is Status.RUNNING:
            ran.nested.setdefault(one.path, one.at.wall)

    def _row(self, root: str, number: str) -> show.GenerationRow:
        with self.service.store.read() as tx:
            unit = units.by_path(tx, root)
            assert unit is not None
            return show.generation(tx, unit, number)


def _nth(value: Any, number: int) -> Any:
    """The value for the n-th run; the last of a list repeats."""
    return value[min(number, len(value) - 1)] if isinstance(value, list) else value


class FakePlaces:
    """The fake machine behind the port that the manager knows."""

    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine

    def send(self, action, name, generation, now) -> None:
        self._machine.send(action, now)

    def answers(self, now):
        return self._machine.answers(now)

    def next_at(self):
        return self._machine.next_at()

    def seek(self, ways, agents) -> None:
        pass

    def met(self):
        return NOBODY_MET
