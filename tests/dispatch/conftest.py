"""A spool, a wake socket and a dispatch in a folder of their own; what a test starts is gone after it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ajs.dispatch.guard import system
from ajs.dispatch.local import LocalDispatch
from ajs.dispatch.messages import (
    Ended,
    JobResult,
    JobSpec,
    Lost,
    Remains,
    Running,
    Standing,
    Stream,
)
from ajs.dispatch.spool import Spool
from tests.dispatch.waiting import until


@dataclass
class Place:
    """Where the jobs of one test run."""

    folder: Path
    spool: Spool
    wake: socket.socket
    dispatch: LocalDispatch
    numbers: Iterator[int] = field(default_factory=count)

    def spec(self, *argv: str, attempt_id: str = "", **more: Any) -> JobSpec:
        attempt_id = attempt_id or f"6f1c-1-{next(self.numbers)}"
        return JobSpec(attempt_id=attempt_id, argv=argv, **{"cwd": self.folder, **more})

    def start(self, *argv: str, **more: Any) -> str:
        spec = self.spec(*argv, **more)
        self.dispatch.start(spec)
        return spec.attempt_id

    def shell(self, script: str, **more: Any) -> str:
        return self.start("/bin/sh", "-c", script, **more)

    def standing(self, attempt_id: str) -> Standing:
        return self.dispatch.states([attempt_id])[attempt_id]

    def running(self, attempt_id: str) -> Running:
        def look() -> Running | None:
            standing = self.standing(attempt_id)
            return standing if isinstance(standing, Running) else None

        return until(look, f"{attempt_id} running")

    def lost(self, attempt_id: str) -> Lost:
        def look() -> Lost | None:
            standing = self.standing(attempt_id)
            return standing if isinstance(standing, Lost) else None

        return until(look, f"{attempt_id} lost")

    def result(self, attempt_id: str) -> JobResult:
        def look() -> JobResult | None:
            standing = self.standing(attempt_id)
            return standing.result if isinstance(standing, Ended) else None

        return until(look, f"{attempt_id} ended")

    def out(self, attempt_id: str, stream: Stream = Stream.OUT) -> bytes:
        return self.dispatch.output(attempt_id, stream, 0, 1 << 20)

    def file(self, name: str) -> str:
        """The whole text of a file that a job writes, once it ends a line."""

        def look() -> str | None:
            path = self.folder / name
            text = path.read_text() if path.exists() else ""
            return text if text.endswith("\n") else None

        return until(look, f"file {name}")


def gone(pid: int) -> bool:
    """Whether the process has ended (a zombie that nobody buries has)."""
    process = system.find_process(pid)
    return process is None or not process.alive


def end_everything(spool: Spool) -> None:
    """Kill every job of the spool that still runs and wait for its end."""

    def quiet(attempt_id: str) -> bool:
        match spool.kill(attempt_id, at_once=True):
            case Ended():
                return True
            case Lost(remains=remains):
                return remains is not Remains.THERE
            case _:
                return False

    until(lambda: all(quiet(attempt_id) for attempt_id in spool.attempts()), "all jobs dead")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    spool = Spool(tmp_path / "spool")
    spool.create()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind(str(tmp_path / "wake"))
        wake.setblocking(False)
        place = Place(tmp_path, spool, wake, LocalDispatch(spool.folder, tmp_path / "wake"))
        yield place
        place.dispatch.close()
        if spool.folder.exists():
            end_everything(spool)


@pytest.fixture
def strays() -> Iterator[list[int]]:
    """Processes that a test lets escape, killed at its end."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        process = system.find_process(pid)
        if process is not None:
            system.send_signal(pid, process.started, signal.SIGKILL)


LIBC_SIGNALS = 0b11 << 31
"""Signals 32 and 33 are the C library's own: who was started with them ignored cannot take that back."""


def own_signals(mask: str) -> int:
    """The signals in a mask of /proc/PID/status, without those of the C library."""
    return int(mask, 16) & ~LIBC_SIGNALS
