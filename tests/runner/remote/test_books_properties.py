"""Books against a model of the agent, over a way that loses, cuts, doubles and delays: one start, one result, once."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ajs import attempts
from ajs.actions import (
    AckAttempt,
    AskAgain,
    KillAttempt,
    Send,
    StartAttempt,
    StoreResult,
    closes,
)
from ajs.attempts import TAKES_SLOT, Attempt, AttemptKey, AttemptState, placed, queued
from ajs.decide import Observed
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.messages import Stream
from ajs.dispatch.protocol import Heard, Request, Start, build
from ajs.model import Job
from ajs.runner.remote.books import Books
from tests.runner.remote.fakes import NOON, FakeAgent
from tests.runner.remote.test_books import AGENT, PAYLOAD, PLACE

FATES = ["whole"] * 6 + ["nothing arrives", "answer lost", "cut", "doubled", "delayed"]
TURNS = 60
OUTPUT = bytes(range(256)) * 3


class World:
    """A manager of a few attempts, its books, the way, and the agent."""

    def __init__(self, folder: Path, random: Random, *, crashes: bool) -> None:
        self.random = random
        self.crashes = crashes
        self.agent = FakeAgent()
        self.fetched = Fetched(folder)
        self.now_s = 0.0
        self.rebooted = False
        self.attempts: dict[str, Attempt] = {}
        for count in range(random.randint(1, 5)):
            key = AttemptKey(1, f"j{count}", 1)
            self.attempts[f"a-{count}"] = placed(queued(key), PLACE, NOON, "AGT1")
        self.names = {a.key: name for name, a in self.attempts.items()}
        self.turn = 0
        self.comes = {name: random.randint(0, TURNS - 20) for name in self.attempts}
        self.asked: set[str] = set()
        self.told: Counter[tuple[str, str]] = Counter()
        self.delayed: list[list[Request]] = []
        self.started: set[str] = set()
        self.kills: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """A manager that starts anew: it knows the attempts, not what was asked."""
        self.books = Books(AGENT, self.fetched)
        self.asked.clear()

    # -- the manager --

    def manage(self) -> None:
        """Send what decide would."""
        self.turn += 1
        for name, attempt in self.attempts.items():
            if self.turn < self.comes[name]:
                continue
            for action in self.wanted(name, attempt):
                if action.id not in self.asked:
                    self.asked.add(action.id)
                    payload = PAYLOAD if isinstance(action, StartAttempt) else None
                    begun = attempt.started is not None
                    self.books.take(action, name, payload, begun=begun)

    def wanted(self, name: str, attempt: Attempt) -> list[Send]:
        key = attempt.key
        match attempt.state:
            case AttemptState.PLACED:
                if AskAgain(key, PLACE).id in self.asked:
                    return []
                return [StartAttempt(key, PLACE, Job(name="j"), "AGT1")]
            case AttemptState.ENDED:
                return [StoreResult(key, PLACE)]
            case AttemptState.STORED:
                return [AckAttempt(key, PLACE)]
            case state if state in TAKES_SLOT:
                wanted: list[Send] = []
                if StartAttempt.id_of(key) not in self.asked:
                    wanted.append(AskAgain(key, PLACE))
                if name in self.kills and attempt.started is not None:
                    wanted.append(KillAttempt(key, PLACE))
                return wanted
            case _:
                return []

    def hear(self, seen: list[Observed]) -> None:
        for one in seen:
            name = self.names[one.key]
            before = self.attempts[name]
            after = attempts.observe(before, one.what, NOON)
            self.asked -= closes(one.key, one.what)
            if after.state is not before.state:
                self.told[name, after.state.name] += 1
            if after.state is AttemptState.STORED is not before.state and before.result is not None:
                self.check_stored(name)
            self.attempts[name] = after

    def check_stored(self, name: str) -> None:
        """What is told to be stored is here, whole, and the agent still had it until then."""
        job = self.agent.jobs.get(name)
        if job is not None:
            assert self.fetched.output(name, Stream.OUT, 0, 1 << 20) == job.out
            assert self.fetched.output(name, Stream.ERR, 0, 1 << 20) == job.err

    # -- the way --

    def talk(self, fate: str) -> None:
        asked = self.books.requests(self.now_s, self.agent.up, poll=self.random.random() < 0.5)
        self.books.sends(asked)
        if not asked:
            return
        requests = [request for _, request in asked]
        assert not (self.books.reborn and any(isinstance(r, Start) for r in requests))
        upto = None
        match fate:
            case "nothing arrives":
                return
            case "delayed":
                self.delayed.append(requests)
                return
            case "doubled":
                self.ask(requests)
            case "cut":
                upto = self.random.randint(0, len(build(requests)))
            case _:
                pass
        heard = self.ask(requests, upto)
        if fate in {"answer lost", "cut"} and self.random.random() < 0.7:
            return
        assert isinstance(heard, Heard), heard
        if heard.agent.boot_id != AGENT.boot_id:
            self.books.restarted()
        self.hear(self.books.heard(asked, heard.answers, self.now_s))

    def ask(self, requests: list[Request], upto: int | None = None):
        """Let the agent act; what it acks must be safe here."""
        before = set(self.agent.tombs)
        results = {n: (j.out, j.code) for n, j in self.agent.jobs.items()}
        heard = self.agent.ask(requests, upto)
        for name in set(self.agent.tombs) - before:
            out, code = results[name]
            if code is not None:
                assert self.told[name, "STORED"], f"{name} was acked before it was stored"
                assert self.fetched.output(name, Stream.OUT, 0, 1 << 20) == out
        return heard

    # -- the world --

    def happen(self) -> None:
        random = self.random
        match random.choice(["", "", "end", "end", "time", "time", "late", "odd", "odd"]):
            case "end":
                going = [n for n, j in self.agent.jobs.items() if self.agent._word(n) == "running"]
                if going:
                    out = OUTPUT[: random.randint(0, len(OUTPUT))]
                    self.agent.end(random.choice(going), random.choice([0, 3]), out, out[:5])
            case "time":
                seconds = random.choice([1, 1, 5, 20, 30, 1000])
                if seconds > 60:
                    self.arrive_late()
                self.now_s += seconds
                self.agent.up += seconds
            case "late":
                self.arrive_late()
            case "odd":
                self.odd()
            case _:
                pass

    def odd(self) -> None:
        random = self.random
        match random.choice(["silence", "kill", "crash", "refuse", "refuse", "reboot", "look"]):
            case "silence":
                self.hear(self.books.silent(NOON))
            case "kill":
                self.kills.add(random.choice(list(self.attempts)))
            case "crash" if self.crashes:
                self.begin()
            case "refuse" if not self.crashes:
                self.agent.refuses = "" if self.agent.refuses else "disk full"
            case "reboot" if not self.rebooted and random.random() < 0.5:
                self.rebooted = True
                self.agent.reboot()
            case "look":
                self.books.look_at(random.choice(list(self.attempts)), follow=True)
            case _:
                pass

    def arrive_late(self) -> None:
        while self.delayed:
            self.ask(self.delayed.pop(self.random.randrange(len(self.delayed))))

    def finish(self) -> None:
        """All ends, and the way is good: then all comes to an end here too."""
        self.agent.refuses = ""
        for _ in range(200):
            self.arrive_late()
            for name in list(self.agent.jobs):
                if self.agent._word(name) == "running":
                    self.agent.end(name, 0, b"late")
            self.manage()
            self.talk("whole")
            self.now_s += 5
            self.agent.up += 5
            if all(a.state.name in {"ACKED", "LOST"} for a in self.attempts.values()):
                return
        raise AssertionError({n: a.state for n, a in self.attempts.items()})


@given(st.randoms(use_true_random=False), st.booleans())
def test_one_start_and_one_result_whatever_the_way_does(random, crashes):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder, "fetched"), random, crashes=crashes)
        for _ in range(TURNS):
            world.manage()
            world.talk(random.choice(FATES))
            world.happen()
        world.finish()
        check(world)


def check(world: World) -> None:
    starts = Counter(world.agent.starts)
    assert all(count == 1 for count in starts.values()), starts
    for name, attempt in world.attempts.items():
        # One ending each, stored once and acked once.
        assert world.told[name, "ENDED"] + world.told[name, "LOST"] == 1
        assert world.told[name, "STORED"] == world.told[name, "ACKED"]
        assert world.agent.acked_results[name] <= 1
        if attempt.state is AttemptState.LOST:
            assert world.rebooted, f"{name} is lost, and the agent never was: {attempt.why}"
        elif attempt.result is not None:
            assert name in starts
            assert world.agent.acked_results[name] == 1
        else:
            # It failed to start: then it never did.
            assert name not in starts, attempt.why
    # Nothing is left over at the agent that it would keep for ever.
    lost = {n for n, a in world.attempts.items() if a.state is AttemptState.LOST}
    assert set(world.agent.jobs) <= lost
    assert world.books.idle
