"""A home folder for commands under test: real files, real state, a clock that moves on a second a command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ajs.cli.boundary import run
from ajs.fleet import NOBODY_MET
from ajs.operations.service import open_service
from ajs.runner.beginning import Overdue
from ajs.runner.manager import Manager
from ajs.testing import FakeClock, FakeMachine, FakeRun, runs_by_path

MONDAY = datetime(2026, 8, 10, 12, 0)
"""When the clock of a home begins: Monday 10 August 2026, noon."""

TURNS = 1000


class Home:
    """One home folder with its clock; ``ajs`` runs a command there as if it had been typed."""

    def __init__(
        self, folder: Path, capture: pytest.CaptureFixture[str], zone: str = "UTC"
    ) -> None:
        self.folder = folder
        self.capture = capture
        self.clock = FakeClock(MONDAY, zone)
        self.jobs: dict[str, FakeRun] = {}
        self.stderr = ""
        self.machine = FakeMachine(runs_by_path(self.jobs))

    def ajs(self, line: str | Sequence[str]) -> str:
        """Return what a command prints, then its stderr behind ``!``, then its exit code unless it is 0.

        The line about the service that every changing command prints is left out; ``stderr`` has all that the last
        command said there.
        """
        words = line.split() if isinstance(line, str) else list(line)
        program, *arguments = words
        verb = program.removeprefix("ajs")
        if program == "ajs":
            verb, *arguments = arguments
            program = f"ajs {verb}"
        self.clock.advance(timedelta(seconds=1))
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            code = run(verb, program, arguments, clock=lambda _: self.clock)
        finally:
            os.chdir(here)
        out, err = self.capture.readouterr()
        self.stderr = err
        told = [text for text in err.splitlines() if not text.startswith("service ")]
        lines = [*out.splitlines(), *(f"! {text}" for text in told)]
        if code:
            lines.append(f"[{int(code)}]")
        return "\n".join(text.rstrip() for text in lines)

    def file(self, name: str, text: str) -> str:
        """Write a file below the home and return its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def run(self, line: str) -> None:
        """Let a manager work until a wall-clock time, on a machine that runs no program.

        ``2026-08-11T00:30 first=12m report/print=1m:5 limit=1``: the time; how many minutes jobs last and with which
        return code they end, by path below the root jobnet, no time and 0 when nothing is said; how many may run at
        once. ``overdue=skip`` is ``ajsstart -o``, ``overdue=nothing_today`` is ``ajsstart -t``.
        """
        until, *words = line.split()
        end, limit, overdue = datetime.fromisoformat(until), None, Overdue.START
        for word in words:
            name, _, value = word.partition("=")
            lasts, _, code = value.partition(":")
            if name == "limit":
                limit = int(value)
                continue
            if name == "overdue":
                overdue = Overdue(value)
                continue
            minutes = timedelta(minutes=int(lasts.removesuffix("m")))
            self.jobs[name] = FakeRun(lasts=minutes, return_code=int(code or 0))
        with open_service(
            home=str(self.folder), name=None, clock_of=lambda _: self.clock
        ) as service:
            places = _Places(self.machine)
            manager = Manager(service.store, self.clock, places, service.mode, limit=limit)
            manager.begin(overdue)
            for _ in range(TURNS):
                turn = manager.turn()
                if turn.again:
                    continue
                times = [turn.wake_at, self._answer_at()]
                following = min((at for at in times if at is not None), default=None)
                if following is None or following > end:
                    if self.clock.now().wall >= end:
                        return
                    following = end
                self.clock.jump_to_wall(following)
        raise AssertionError(f"still not idle after {TURNS} turns")

    def _answer_at(self) -> datetime | None:
        at = self.machine.next_at()
        return None if at is None else at.astimezone(self.clock.zone).replace(tzinfo=None)


class _Places:
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
