"""A destination agent without SSH: the real helper in a job root of its own, called as sshd would call it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ajs.dispatch import launching
from ajs.dispatch.answers import parse, parse_install
from ajs.dispatch.guard import system
from ajs.dispatch.messages import Ended, JobResult, Running, Stream
from ajs.dispatch.protocol import (
    Agent,
    Answer,
    Data,
    Fetch,
    Heard,
    Hello,
    Request,
    Stands,
    Start,
    State,
    Unheard,
    build,
)
from tests.dispatch.waiting import until

HELPER = Path(launching.__file__).with_name("agent.sh").read_bytes()
DIGEST = launching.digest(HELPER)
NONCE = "n0nceN0nce"
SHELLS = {"dash": "dash", "bash": "bash", "posix": "bash --posix", "busybox": "busybox sh"}


def found(shell: str) -> str:
    """The shell's words, or a skip that says that it is not here."""
    if shutil.which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"{shell} is not installed: the helper is not tried under it")
    return shell


@pytest.fixture(autouse=True)
def undisturbed() -> None:
    """Tests that a shell runs in the background have INT and QUIT ignored; what sshd starts has not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return found(SHELLS[request.param])


@dataclass
class Place:
    """One job root and the shell that its helper runs under."""

    shell: str
    root: Path
    environment: dict[str, str]
    prefix: str = field(default_factory=lambda: secrets.token_hex(8))
    numbers: Iterator[int] = field(default_factory=count)
    agent: Agent = field(init=False)

    def install(self) -> None:
        command = launching.install_command(str(self.root), DIGEST, NONCE)
        assert parse_install(self.shell_out(command, HELPER), NONCE) is None
        heard = self.call(Hello())
        assert isinstance(heard, Heard)
        self.agent = heard.agent

    @property
    def command(self) -> str:
        return launching.call_command(str(self.root), DIGEST, NONCE, self.shell)

    def send(self, requests: bytes, before: str = "") -> bytes:
        """What the helper says to these bytes; it must end although its jobs live on."""
        return self.shell_out(before + self.command, requests)

    def shell_out(self, command: str, text: bytes) -> bytes:
        """What a command says, run as sshd would run it."""
        done = subprocess.run(
            ["sh", "-c", command],
            check=False,
            input=text,
            capture_output=True,
            env=self.environment,
            timeout=60,
        )
        assert done.stderr == b""
        return done.stdout

    def call(self, *requests: Request) -> Heard | Unheard:
        return parse(self.send(build(requests)), NONCE, requests)

    def ask(self, request: Request) -> Answer:
        heard = self.call(request)
        assert isinstance(heard, Heard), heard
        return heard.answers[0]

    def stands(self, request: Request) -> Any:
        """How the attempt stands by the answer to this request."""
        answer = self.ask(request)
        assert isinstance(answer, Stands), answer
        return answer.standing

    def state(self, name: str) -> Any:
        return self.stands(State(name))

    def job(self, script: str, name: str = "", **more: Any) -> Start:
        """A start whose launch script is this text."""
        usual: dict[str, Any] = {
            "epoch": self.agent.epoch,
            "boot_id": self.agent.boot_id,
            "not_after": self.agent.uptime_s + 3600,
            "kill_after_s": 1,
        }
        return Start(attempt_id=name or self.new_name(), launch=script.encode(), **(usual | more))

    @contextmanager
    def held_up(self, tool: str) -> Iterator[Path]:
        """Have helpers that are called now stop before they run this tool, until the file is there that is given."""
        if "busybox" in self.shell:
            pytest.skip("busybox brings its tools along: none can be held up")
        folder = self.root.parent / "tools"
        folder.mkdir()
        go = folder / "go"
        wrapper = folder / tool
        wrapper.write_text(
            f"#!/bin/sh\nread -r pid _ < /proc/self/stat\n> '{folder}/held-'$pid\n"
            f"until [ -e '{go}' ]; do sleep 0.01; done\nexec {shutil.which(tool)} \"$@\"\n"
        )
        wrapper.chmod(0o755)
        usual = self.environment
        self.environment = usual | {"PATH": f"{folder}:{usual['PATH']}"}
        try:
            yield go
        finally:
            self.environment = usual
            go.touch()

    def held(self, many: int) -> bool:
        """Whether this many are held up."""
        return len(list((self.root.parent / "tools").glob("held-*"))) == many

    def new_name(self) -> str:
        """A name that no test uses beside this one: survivors are looked for on the whole machine."""
        return f"{self.prefix}-{next(self.numbers)}"

    def run(self, script: str, **more: Any) -> str:
        """Start a job, return its name."""
        start = self.job(script, **more)
        assert isinstance(self.stands(start), Running | Ended)
        return start.attempt_id

    def result(self, name: str) -> JobResult:
        def look() -> JobResult | None:
            standing = self.state(name)
            return standing.result if isinstance(standing, Ended) else None

        return until(look, f"{name} ended")

    def output(self, name: str, stream: Stream = Stream.OUT) -> bytes:
        data = self.ask(Fetch(name, stream, 0, 1 << 20))
        assert isinstance(data, Data)
        return data.content

    def folder(self, name: str) -> Path:
        return self.root / "jobs" / name

    def text(self, name: str, wanted: str) -> None:
        """Wait until the job has written this to its output."""
        until(lambda: wanted in (self.folder(name) / "out").read_text(), f"{wanted} of {name}")

    def processes(self) -> list[int]:
        """Every living process that belongs to this root: helpers, runners, jobs and what escaped them."""
        mark = os.fsencode(self.root)
        there = []
        for process in system.read_processes():
            try:
                folder = Path("/proc", str(process.pid))
                words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if mark in words and process.pid != os.getpid():
                there.append(process.pid)
        return there


def login_environment() -> dict[str, str]:
    """What sshd gives: no more than this."""
    names = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
    return {name: os.environ[name] for name in names if name in os.environ} | {
        "SSH_CONNECTION": "192.0.2.1 50022 192.0.2.7 22"
    }


def place_in(folder: Path, shell: str) -> Iterator[Place]:
    place = Place(shell, folder, login_environment())
    place.install()
    yield place
    # twice, because a process may be just about to start another
    for _ in range(2):
        for pid in place.processes():
            process = system.find_process(pid)
            if process is not None:
                system.send_signal(pid, process.started, signal.SIGKILL)
    until(lambda: not place.processes(), "the end of everything")


@pytest.fixture
def place(shell: str, tmp_path: Path) -> Iterator[Place]:
    # a name that falls apart where a quote is missing
    yield from place_in(tmp_path / "job root 'ジョブ'", shell)
