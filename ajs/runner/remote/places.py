"""Agents as places where attempts run: what the manager sends goes to couriers, what they hear comes back.

Nothing here waits for the network. Nothing is known here alone either: a manager that starts anew asks every place that
stands with an attempt, and finds the agents again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from datetime import datetime

from ajs import attempts
from ajs.actions import AckAttempt, AskAgain, KillAttempt, Send, StartAttempt, StoreResult
from ajs.agents import AgentIdentity, Agents, remote_place
from ajs.attempts import AttemptKey
from ajs.decide import Observed
from ajs.dispatch.link import Link
from ajs.dispatch.protocol import Heard, Introduction
from ajs.fleet import Met, Way
from ajs.lifecycle import LiveGeneration, Status
from ajs.model import Job
from ajs.runner.remote.books import Payload
from ajs.runner.remote.courier import Courier
from ajs.runner.remote.desk import Desk
from ajs.runner.remote.scout import Scout

CLOSE_S = 2.0
"""How long the end of all links is waited for."""

MakePayload = Callable[[AttemptKey, Job, LiveGeneration, AgentIdentity], Payload]
"""Makes what is sent to an agent for the start of a job; raises ValueError when that cannot be."""


class RemotePlaces:
    """The agents behind all destinations."""

    def __init__(self, desk: Desk, make_payload: MakePayload) -> None:
        self._desk = desk
        self._make_payload = make_payload
        self._lock = threading.Lock()
        self._couriers: dict[AgentIdentity, Courier] = {}
        self._scouts: dict[Way, Scout] = {}
        self._closing = False

    def close(self) -> None:
        """Let go of all links; jobs run on, and their results wait."""
        with self._lock:
            # Together with the look at what is there: a courier that began after it would never be told to stop.
            self._closing = True
            workers: list[Scout | Courier] = [*self._scouts.values(), *self._couriers.values()]
        for worker in workers:
            worker.stop()
        # Whoever is just opening a link ends when that is over, or with the process: it does nothing more.
        at_s = self._desk.clock.elapsed_s() + CLOSE_S
        for worker in workers:
            worker.join(max(0.0, at_s - self._desk.clock.elapsed_s()))

    # -- the manager's side, see ports.Places --

    def send(
        self, action: Send, name: str, generation: LiveGeneration | None, now: datetime
    ) -> None:
        """Hand an action to the courier of its agent."""
        place = remote_place(action.place)
        if place is None:
            raise ValueError(f"{action.place!r} is no place on an agent")
        payload, begun = None, False
        match action:
            case StartAttempt(key=key, job=job):
                if generation is None:
                    raise ValueError(f"attempt {name} of a run that has ended is to be started")
                try:
                    payload = self._make_payload(key, job, generation, place.agent)
                except ValueError as error:
                    self._desk.tell([Observed(key, attempts.FailedToStart(str(error)))], "")
                    return
            case AskAgain(key=key):
                run = None if generation is None else generation.units[key.path]
                begun = run is None or run.status is Status.RUNNING
            case KillAttempt() | StoreResult() | AckAttempt():
                pass
        while courier := self._courier(place.agent, place.relay):
            if courier.take(action, name, payload, begun=begun):
                return
            # It has ended just now, and another one takes its place.

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what couriers were told."""
        found = []
        while True:
            try:
                found.append(self._desk.told.get_nowait())
            except queue.Empty:
                return tuple(found)

    def next_at(self) -> datetime | None:
        """Return None: whoever has something to tell wakes the manager."""
        return None

    def woken(self, names: Iterable[bytes]) -> None:
        """Look at attempts at once, and fetch what they wrote: somebody reads it."""
        said = [name.decode("ascii", "replace") for name in names]
        for courier in self._all():
            courier.look_at(said, follow=True)

    def seek(self, ways: frozenset[Way], agents: Agents) -> None:
        """Look for agents on these ways."""
        self._desk.agents = agents
        for way in ways - self._scouts.keys():
            scout = self._scouts[way] = Scout(way, self._desk, self._meet, self._known)
            scout.start()
        for way, scout in list(self._scouts.items()):
            if scout.ended:
                del self._scouts[way]
            else:
                scout.want(wanted=way in ways)

    def met(self) -> Met:
        """Return what is known of relays and agents now."""
        contacts = sorted(courier.contact for courier in self._all())
        searches = {way: scout.trouble for way, scout in self._scouts.items() if scout.trouble}
        return Met(agents=tuple(contacts), relays=self._desk.relays.troubles(), searches=searches)

    # -- couriers --

    def _all(self) -> list[Courier]:
        with self._lock:
            for agent, courier in list(self._couriers.items()):
                if courier.ended:
                    del self._couriers[agent]
            return list(self._couriers.values())

    def _known(self, destination: str) -> int:
        return sum(c.contact.agent.destination == destination for c in self._all())

    def _courier(self, agent: AgentIdentity, relay: str) -> Courier | None:
        """Return the courier of an agent, a new one when it has none; None when all are to end."""
        with self._lock:
            if self._closing:
                return None
            courier = self._couriers.get(agent)
            if courier is None or courier.ended:
                courier = self._couriers[agent] = Courier(agent, relay, self._desk)
                courier.start()
            return courier

    def _meet(
        self,
        agent: AgentIdentity,
        way: str,
        relay: str,
        link: Link,
        heard: Heard,
        said: Introduction,
    ) -> bool:
        """Give an agent that a scout has met a courier with its link, unless it has one that works."""
        while courier := self._courier(agent, way):
            if courier.linked:
                return False
            if courier.adopt(relay, link, heard, said):
                return True
        return False
