"""A fake agent that keeps the contract of agent.sh, fake links to such agents, and a clock that tests move.

The agent is a model: jobs begin when they are started and end when a test says so. It speaks the real protocol.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ajs.dispatch import answers
from ajs.dispatch.link import FarSide, Reply, Route
from ajs.dispatch.link_errors import Closed, LinkError, Unreachable
from ajs.dispatch.protocol import Heard, Request, Unheard, build
from ajs.moment import Moment

NOON = datetime(2026, 8, 11, 12, 0, tzinfo=UTC)
TOMB_MARGIN = 60
PATIENCE_S = 20.0
"""How long something that must come is waited for; nothing depends on how long it takes."""


@dataclass
class FakeJob:
    """What the agent has of one attempt."""

    not_after: int
    boot: str
    began: int
    claimed: bool = False
    barred: bool = False
    code: int | None = None
    signal: int = 0
    killed: bool = False
    runner: bool = True
    there: bool = False
    out: bytes = b""
    err: bytes = b""


@dataclass
class FakeAgent:
    """One agent; everything it is asked and everything it really started is written down."""

    address: str = "10.0.0.5"
    port: int = 22
    key: str = "SHA256:five"
    epoch: str = "e1"
    boot: str = "b1"
    init: int = 25
    up: int = 5000
    clock_ahead: timedelta = timedelta()
    refuses: str = ""
    missing: str = "-"
    stuck: bool = False
    """Whether a start takes the lock and nothing more."""
    helpers: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, FakeJob] = field(default_factory=dict)
    tombs: dict[str, tuple[str, int]] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """The request lines that came, in order."""
    acked_results: Counter[str] = field(default_factory=Counter)
    on_end: Callable[[str], object] = lambda _: None
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what happens there --

    def end(self, name: str, code: int = 0, out: bytes = b"", err: bytes = b"") -> None:
        """Let a job end."""
        with self.lock:
            job = self.jobs[name]
            job.code, job.out, job.err = code, job.out + out, job.err + err
        self.on_end(name)

    def reboot(self, boot: str = "b2", *, uptime: int = 10) -> None:
        """Start the machine anew; what had ended is still there."""
        with self.lock:
            self.boot, self.up, self.init = boot, uptime, self.init + 1

    def forget(self, epoch: str = "e2") -> None:
        """Lose the job folder, which is made anew."""
        with self.lock:
            self.epoch = epoch
            self.jobs.clear()
            self.tombs.clear()

    def verbs(self) -> list[str]:
        """The requests that came, without what every conversation has."""
        with self.lock:
            return [" ".join(line.split(" ")[:2]) for line in self.heard]

    # -- what it says --

    def converse(self, stdin: bytes, nonce: str, upto: int | None = None) -> bytes:
        """Do what the requests say and return the answers; ``upto`` cuts stdin off after so many bytes."""
        with self.lock:
            lines = [f"begin 1 {self.epoch} {self.boot} {self.up}".encode()]
            rest, count = stdin[:upto], 0
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                words = line.decode().split(" ")
                self.heard.append(line.decode())
                count += 1
                if words[0] == "start":
                    size = int(words[7]) + int(words[9])
                    payload, rest = rest[: int(words[7])], rest[size:]
                    if sha256(payload).hexdigest() != words[8]:
                        lines.append(f"mismatch {words[1]}".encode())
                        break
                lines += self._answer(words)
            lines.append(f"end {count}".encode())
        marker = nonce.encode() + b" "
        return b"".join(
            line[1:] + b"\n" if line.startswith(b"\0") else marker + line + b"\n" for line in lines
        )

    def ask(self, requests: Sequence[Request], upto: int | None = None) -> Heard | Unheard:
        """What the manager hears of the answers."""
        return answers.parse(self.converse(build(requests), "nonce123", upto), "nonce123", requests)

    def _answer(self, words: list[str]) -> list[bytes]:
        match words:
            case ["list"]:
                return self._list()
            case ["fetch", name, stream, offset, most]:
                return self._fetch(name, stream, int(offset), int(most))
            case ["kill", name]:
                return [f"survivors {name} 0".encode(), self._kill(name).encode()]
            case _:
                return [self._line(words).encode()]

    def _line(self, words: list[str]) -> str:
        match words:
            case ["hello"]:
                clock = int((NOON + self.clock_ahead).timestamp())
                return f"hello {self.address} {self.port} {self.init} {clock} 9 web {self.missing}"
            case ["state", name]:
                return self._state(name)
            case ["start", name, epoch, boot, not_after, *_]:
                return self._start(name, epoch, boot, int(not_after))
            case ["ack", name]:
                return self._ack(name)
            case _:
                raise AssertionError(words)

    def _word(self, name: str) -> str:
        job = self.jobs.get(name)
        if name in self.tombs:
            return "tomb"
        if job is None:
            return "absent"
        if job.code is not None or job.signal:
            return "ended"
        if job.claimed:
            return "claimed"
        return "running" if job.boot == self.boot and job.runner else "lost"

    def _state(self, name: str) -> str:
        word = self._word(name)
        job = self.jobs.get(name)
        began = int(NOON.timestamp())
        if job is None or word in {"tomb", "absent"}:
            return f"{word} {name}"
        match word:
            case "ended":
                outcome = f"signalled {job.signal}" if job.signal else f"exited {job.code}"
                killed = int(job.killed)
                sizes = f"{len(job.out)} {len(job.err)}"
                return f"ended {name} {outcome} 0 {killed} {began} {began + 1} {sizes} 0 0"
            case "claimed":
                return f"claimed {name} {self.up - job.began} {'barred' if job.barred else 'open'}"
            case "running":
                return f"running {name} 11 12 {began}"
            case _:
                pass
        why = "runner" if job.boot == self.boot else "boot"
        return f"lost {name} {why} {'there' if job.there and why == 'runner' else 'gone'} 12"

    def _list(self) -> list[bytes]:
        gone = [
            name
            for name, (boot, not_after) in self.tombs.items()
            if boot != self.boot or self.up > not_after + TOMB_MARGIN
        ]
        for name in gone:
            del self.tombs[name]
        said = [self._state(name).encode() for name in self.jobs if name not in self.tombs]
        return [*said, f"listed {len(said)}".encode()]

    def _start(self, name: str, epoch: str, boot: str, not_after: int) -> str:
        if epoch != self.epoch:
            return f"other {name} epoch"
        if self._word(name) != "absent":
            return self._state(name)
        if boot != self.boot:
            return f"other {name} boot"
        if self.up > not_after:
            return f"expired {name}"
        if self.refuses:
            return f"refused {name} {self.refuses}"
        self.jobs[name] = FakeJob(not_after, self.boot, self.up, claimed=self.stuck)
        if not self.stuck:
            self.starts.append(name)
        return self._state(name)

    def _kill(self, name: str) -> str:
        job = self.jobs.get(name)
        word = self._word(name)
        if job is not None and word == "claimed":
            job.barred = True
        said = self._state(name)
        if job is not None and word == "running":
            job.killed, job.signal = True, 15
            self.on_end(name)
        elif job is not None and word == "lost":
            job.there = False
        return said

    def _fetch(self, name: str, stream: str, offset: int, most: int) -> list[bytes]:
        job = self.jobs.get(name)
        if job is None or name in self.tombs:
            return [self._state(name).encode()]
        whole = job.out if stream == "out" else job.err
        part = whole[offset : offset + most]
        head = f"data {name} {stream} {offset} {len(part)} {len(whole)}"
        return [head.encode(), b"\0" + part]

    def _ack(self, name: str) -> str:
        word = self._word(name)
        if word == "tomb":
            return f"acked {name}"
        if word in {"ended", "lost"} or (word == "claimed" and self.jobs[name].barred):
            job = self.jobs.pop(name)
            self.tombs[name] = (job.boot, job.not_after)
            self.acked_results[name] += 1
            return f"acked {name}"
        return self._state(name)


# -- time --


class FakeTimer:
    """A clock and stopwatch that stand still until they are told to go on."""

    def __init__(self) -> None:
        self.passed_s = 100.0

    def now(self) -> Moment:
        at = NOON + timedelta(seconds=self.passed_s - 100.0)
        return Moment(at.replace(tzinfo=None), at)

    def elapsed_s(self) -> float:
        return self.passed_s


# -- links --


class FakeStream:
    """The events of an agent as they come."""

    def __init__(self, link: FakeLink) -> None:
        self._link = link
        self._news = threading.Condition()
        self._pieces: list[bytes] = []
        self._closed = False

    def push(self, piece: bytes) -> None:
        with self._news:
            self._pieces.append(piece)
            self._news.notify_all()

    def close(self) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._pieces or self._closed)
                if not self._pieces:
                    if self._link.ended is not None:
                        raise self._link.ended
                    return
                piece = self._pieces.pop(0)
            yield piece


class FakeLink:
    """A link to a fake agent; ``cut`` ends it as a lost connection does."""

    def __init__(self, links: FakeLinks, agent: FakeAgent, relay: str) -> None:
        self.links, self.agent, self.relay = links, agent, relay
        self.streams: list[FakeStream] = []
        self.ended: LinkError | None = None
        self.calls = 0
        self.cuts: list[str] = []
        """What happens to the next calls: "before" nothing arrives, "after" the answer is lost."""

    @property
    def far_side(self) -> FarSide:
        return FarSide(address=self.agent.address, fingerprint=self.agent.key, key_id=None)

    def call(
        self, command: str, stdin: bytes = b"", *, deadline_s: float, max_output: int = 0
    ) -> Reply:
        self.calls += 1
        self.links.wait_at(f"call {self.agent.address}", self)
        fate = self.cuts.pop(0) if self.cuts else ""
        if fate == "before":
            self.cut()
        if self.ended is not None:
            raise self.ended
        reply = self._reply(command, stdin)
        if fate == "after":
            self.cut()
        self.links.notify()
        if self.ended is not None:
            raise self.ended
        return reply

    def _reply(self, command: str, stdin: bytes) -> Reply:
        if "ajs-install" in command:
            nonce, name = command.split(" ")[-2:]
            self.agent.helpers[name] = stdin
            return Reply(f"{nonce} install installed\n{nonce} end 1\n".encode(), b"", 0)
        found = re.fullmatch(r"exec /bin/sh \S+/bin/([0-9a-f]+)\.sh \S+ (\w+)", command)
        assert found is not None, command
        if found[1] not in self.agent.helpers:
            return Reply(b"", b"sh: cannot open it", 127)
        return Reply(self.agent.converse(stdin, found[2]), b"", 0)

    def stream(self, command: str, *, deadline_s: float) -> FakeStream:
        if self.ended is not None:
            raise self.ended
        stream = FakeStream(self)
        self.streams.append(stream)
        return stream

    def cut(self, cause: str = "the connection was lost", hop: str = "") -> None:
        self.ended = self.ended or Closed(hop or f"agent {self.agent.address}", cause, "again")
        for stream in self.streams:
            stream.close()
        self.links.notify()

    def close(self) -> None:
        self.cut("it was closed")


class FakeLinks:
    """Opens links to fake agents: at their own address, or behind balancers that turn from one to the next."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.agents: dict[tuple[str, int], FakeAgent] = {}
        self.balancers: dict[tuple[str, int], list[FakeAgent]] = {}
        self.down: set[str] = set()
        """The hosts that nobody reaches, relay agents among them."""
        self.held: set[str] = set()
        """Where whoever comes waits until it is let go: "open HOST", "call HOST"."""
        self.waiting: Counter[str] = Counter()
        self.opened: list[tuple[str, str]] = []
        self.links: list[FakeLink] = []
        self.asked_at: dict[str, int] = {}

    def notify(self) -> None:
        with self.news:
            self.news.notify_all()

    def wait_at(self, gate: str, link: FakeLink | None = None) -> None:
        """Wait as long as this gate is held, or until the link is cut."""
        with self.news:
            if gate in self.held:
                self.waiting[gate] += 1
                self.news.notify_all()
                free = lambda: gate not in self.held or (link is not None and link.ended)
                assert self.news.wait_for(free, PATIENCE_S), f"nobody opened {gate}"
                self.waiting[gate] -= 1

    def let_go(self, gate: str) -> None:
        with self.news:
            self.held.discard(gate)
            self.news.notify_all()

    def open(
        self,
        route: Route,
        *,
        now: datetime,
        deadline_s: float,
        on_death: Callable[[LinkError], None] | None = None,
    ) -> FakeLink:
        target, relay = route.target, "" if route.relay is None else route.relay.name
        with self.news:
            self.opened.append((relay, target.host))
            self.news.notify_all()
        self.wait_at(f"open {target.host}")
        with self.news:
            if route.relay is not None and relay in self.down:
                raise Unreachable(f"relay {route.relay.label}", "nobody answers", "start it")
            if target.host in self.down:
                raise Unreachable(f"agent {target.label}", "nobody answers", "start it")
            turn = self.balancers.get((target.host, target.port))
            if turn is not None:
                agent = turn[self.asked_at.get(target.host, 0) % len(turn)]
                self.asked_at[target.host] = self.asked_at.get(target.host, 0) + 1
            elif (target.host, target.port) in self.agents:
                agent = self.agents[target.host, target.port]
            else:
                raise Unreachable(f"agent {target.label}", "nobody answers", "start it")
            link = FakeLink(self, agent, relay)
            self.links.append(link)
            self.news.notify_all()
        return link

    def living(self) -> list[FakeLink]:
        """The links that live."""
        return [link for link in self.links if link.ended is None]

    def event(self, name: str) -> None:
        """Tell all who follow the events that a job has ended."""
        for link in self.living():
            for stream in link.streams:
                stream.push(f"ended {name}\n".encode())
