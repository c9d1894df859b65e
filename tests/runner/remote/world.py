"""RemotePlaces with real threads over fake links, a clock that tests move, and ways to wait for what must come."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ajs.actions import AckAttempt, AskAgain, KillAttempt, Send, StartAttempt, StoreResult
from ajs.agents import (
    Agent,
    AgentGroup,
    AgentIdentity,
    Agents,
    Destination,
    Member,
    RemotePlace,
    Trust,
)
from ajs.attempts import AttemptKey
from ajs.decide import Observed
from ajs.dispatch.fetched import Fetched
from ajs.fleet import Way
from ajs.lifecycle import LiveGeneration, Status, UnitRun
from ajs.model import Job, Jobnet
from ajs.runner.remote.books import Payload
from ajs.runner.remote.courier import Courier
from ajs.runner.remote.desk import Desk
from ajs.runner.remote.places import RemotePlaces
from ajs.runner.remote.relays import Relays
from tests.runner.remote.fakes import NOON, PATIENCE_S, FakeAgent, FakeLinks, FakeTimer
from tests.runner.remote.test_books import said

TYPE = b"ssh-ed25519"
HOST_KEY = (
    "ssh-ed25519 " + base64.b64encode(len(TYPE).to_bytes(4, "big") + TYPE + bytes(36)).decode()
)
TRUST = Trust(host_keys=(HOST_KEY,))
BALANCER = "192.0.2.1"
DEFINED = Agents(
    agents=tuple(
        Agent(name=name, host=f"192.0.2.{number}", user="ajs", trust=TRUST)
        for number, name in enumerate(("AGT1", "AGT2"), 7)
    ),
    groups=(AgentGroup(name="GRP", members=(Member("AGT1", 16), Member("AGT2", 8))),),
    destinations=(Destination(name="LB1", host=BALANCER, user="ajs", trust=TRUST),),
)
WAY = Way("LB1", "GRP")


class World:
    """Agents behind one balancer, reached through AGT1 and, when it cannot be used, AGT2."""

    def __init__(self, folder: Path, count: int = 1) -> None:
        self.links = FakeLinks()
        self.timer = FakeTimer()
        self.agents = [
            FakeAgent(address=f"10.0.0.{n}", key=f"SHA256:{n}", epoch=f"e{n}", boot=f"b{n}")
            for n in range(1, count + 1)
        ]
        for agent in self.agents:
            self.links.agents[agent.address, agent.port] = agent
            agent.on_end = self.links.event
        self.links.balancers[BALANCER, 22] = list(self.agents)
        self.desk = Desk(
            links=self.links,
            clock=self.timer,
            relays=Relays(self.timer),
            fetched=Fetched(folder),
            wake=self.links.notify,
            agents=DEFINED,
            helper=b"the helper",
        )
        self.places = RemotePlaces(self.desk, lambda *_: Payload(launch=b"exec true\n"))
        self.seen: list[Observed] = []

    # -- the manager's side --

    def identity(self, agent: FakeAgent | None = None) -> AgentIdentity:
        one = agent or self.agents[0]
        return AgentIdentity(
            "LB1", one.address, one.port, one.key, one.boot, str(one.init), one.epoch
        )

    def send(
        self,
        kind: type,
        path: str = "j",
        *,
        agent: FakeAgent | None = None,
        to: AgentIdentity | None = None,
        relay: str = "AGT1",
        status: Status = Status.EXECWAIT,
    ) -> None:
        """Hand an action about an attempt to the places; its name is its path."""
        place = RemotePlace(to or self.identity(agent), "GRP").text
        key = AttemptKey(1, path, 1)
        job = Job(name=path)
        action: Send
        if kind is StartAttempt:
            action = StartAttempt(key, place, job, relay)
        else:
            assert kind in {AskAgain, KillAttempt, StoreResult, AckAttempt}
            action = kind(key, place, relay)
        live = LiveGeneration(
            id=1,
            root_path="/sales/root",
            execution_id="@A1",
            exec_date=NOON.date(),
            definition_hash="",
            definition=Jobnet(name="root", units=(job,)),
            units={path: UnitRun(path=path, status=status)},
            version=1,
        )
        self.places.send(action, path, live, NOON)

    def told(self) -> list[str]:
        """All that was told so far, as ``path: what``."""
        self.seen += self.places.answers(NOON)
        return [f"{one.key.path}: {said(one.what)}" for one in self.seen]

    def hears(self, *expected: str) -> None:
        """Wait for exactly this to be told, in this order for each attempt."""
        self.until(lambda: len(self.told()) >= len(expected), f"{expected}, not {self.told()}")
        assert sorted(self.told()) == sorted(expected)
        self.seen.clear()

    def seek(self, *ways: Way) -> None:
        self.places.seek(frozenset(ways), self.desk.agents)

    def courier(self, agent: FakeAgent | None = None) -> Courier:
        return self.places._couriers[self.identity(agent)]

    def usable(self) -> list[str]:
        return [c.agent.address for c in self.places.met().agents if not c.trouble]

    # -- waiting --

    def until(self, fact: Callable[[], object], what: object = "") -> None:
        """Wait until something is so; that it never becomes so is an error."""
        with self.links.news:
            for _ in range(int(PATIENCE_S / 0.02)):
                if fact():
                    return
                # Whatever happens wakes us; what nobody tells of is found soon.
                self.links.news.wait(0.02)
        raise AssertionError(f"it never came to be: {what}")

    def pass_by(self, seconds: float) -> None:
        """Let time pass, for everybody."""
        self.timer.passed_s += seconds
        for agent in self.agents:
            agent.up += int(seconds)
        self.nudge()

    def nudge(self) -> None:
        """Have all who wait look at the clock."""
        workers: list[Any] = [*self.places._all(), *self.places._scouts.values()]
        for worker in workers:
            with worker._news:
                worker._news.notify_all()

    def quiet(self, agent: FakeAgent, calls: int) -> bool:
        return len(agent.heard) == calls


def threads() -> set[threading.Thread]:
    return {
        t
        for t in threading.enumerate()
        if t.name.startswith(("courier", "scout", "listener")) and t.is_alive()
    }


@contextmanager
def world(folder: Path, count: int = 1) -> Iterator[World]:
    """A world whose threads have all ended afterwards."""
    before = threads()
    it = World(folder, count)
    try:
        yield it
    finally:
        it.links.held.clear()
        it.links.notify()
        it.places.close()
        it.until(lambda: not threads() - before, "the end of all threads")
