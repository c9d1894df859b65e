"""Public fakes for tests of ajs and of what is built on it: a clock that jumps, machines that run no program.

``FakeMachine`` stands for everything behind dispatch: the way to a place, the place, and its own records. It keeps the
contract of the actions (``actions.py``): an attempt starts once, a watch reports until there is something to decide,
whatever is not answered in time is reported as no answer. On the way it may drop, delay and double what is said.
``FakeFleet`` is that machine and agents beside it, each such a machine too, which restart, vanish and are replaced.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

from ajs.actions import AckAttempt, AskAgain, KillAttempt, Send, StartAttempt, StoreResult
from ajs.agents import AgentIdentity, Agents, RemotePlace, remote_place
from ajs.attempts import (
    Absent,
    Acked,
    AttemptKey,
    Ended,
    FailedToStart,
    Lost,
    NoAnswer,
    Observation,
    Result,
    Running,
    Stored,
)
from ajs.decide import Observed
from ajs.fleet import DIRECT, Contact, Met, Way, members
from ajs.moment import Moment

NO_ANSWER_AFTER = timedelta(seconds=15)


class FakeClock:
    """A clock that stands still until it is told to go on; it never goes back."""

    def __init__(self, wall: datetime, zone: str = "UTC") -> None:
        self.zone = ZoneInfo(zone)
        self.utc = wall.replace(tzinfo=self.zone).astimezone(UTC)

    def now(self) -> Moment:
        """Return the present moment."""
        return Moment(self.utc.astimezone(self.zone).replace(tzinfo=None), self.utc)

    def advance(self, by: timedelta) -> Moment:
        """Go on by so much time, and return the new moment."""
        self.utc += max(by, timedelta())
        return self.now()

    def jump_to(self, utc: datetime) -> Moment:
        """Go on to this instant, unless it is past, and return the new moment."""
        self.utc = max(self.utc, utc)
        return self.now()

    def jump_to_wall(self, wall: datetime) -> Moment:
        """Go on to this wall-clock time, unless it is past, and return the new moment."""
        return self.jump_to(wall.replace(tzinfo=self.zone).astimezone(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRun:
    """How a job goes: how long it takes and how it ends; ``fails`` says why it cannot be started."""

    lasts: timedelta = timedelta()
    return_code: int | None = 0
    signal: int | None = None
    timed_out: bool = False
    fails: str = ""


class Runs(Protocol):
    """What tells how an attempt goes."""

    def __call__(self, key: AttemptKey) -> FakeRun:
        """Return how this attempt goes."""


def runs_by_path(table: Mapping[str, FakeRun]) -> Runs:
    """Return what lets every attempt go as the table says for its path; others take no time and end normally."""
    return lambda key: table.get(key.path, FakeRun())


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often, of 1, a message is dropped or doubled, and how much at most each one is delayed."""

    drop: float = 0
    double: float = 0
    delay: timedelta = timedelta()


@dataclass(slots=True)
class _Record:
    """What the machine itself knows of one attempt; it keeps it for ever, so nothing starts twice."""

    run: FakeRun
    started: datetime
    result: Result | None = None
    lost: str = ""

    def end_if_due(self, at: datetime) -> None:
        """Let the job end by itself if it has run as long as it lasts."""
        ends = self.started + self.run.lasts
        if self.result is None and not self.run.fails and not self.lost and ends <= at:
            self.result = Result(
                return_code=self.run.return_code,
                signal=self.run.signal,
                timed_out=self.run.timed_out,
                started=self.started,
                ended=ends,
            )


@dataclass(order=True, slots=True)
class _Message:
    at: datetime
    serial: int
    to_machine: Send | None = field(compare=False, default=None)
    report: AttemptKey | None = field(compare=False, default=None)
    answer: Observed | None = field(compare=False, default=None)


class FakeMachine:
    """A place where attempts run, and the unsure way there; with the same seed it always does the same.

    ``starts`` is the machine's own list of what it really started: attempt and UTC instant, in order; ``ends`` says
    when each of them stops running.
    """

    def __init__(self, runs: Runs, *, faults: Faults | None = None, seed: int = 0) -> None:
        self.runs = runs
        self.faults = faults or Faults()
        self.starts: list[tuple[AttemptKey, datetime]] = []
        self.ends: dict[AttemptKey, datetime] = {}
        self._random = Random(seed)  # noqa: S311 - a repeatable test, no secret
        self._records: dict[AttemptKey, _Record] = {}
        self._messages: list[_Message] = []
        self._serial = 0
        self._dead_until: datetime | None = None
        self._closed = ""

    # -- the manager's side --

    def send(self, action: Send, now: datetime) -> None:
        """Take one action on its way; it may get lost, come late, or come twice."""
        if self._random.random() < self.faults.drop:
            self._no_answer(action.key, now)
            return
        for _ in range(self._copies()):
            self._post(now + self._delay(), to_machine=action)

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what has come back by now, in the order in which it came."""
        came = []
        while self._messages and self._messages[0].at <= now:
            message = heapq.heappop(self._messages)
            if message.to_machine is not None:
                self._arrives(message.to_machine, message.at)
            elif message.report is not None:
                self._report(message.report, message.at)
            elif message.answer is not None:
                came.append(message.answer)
        return tuple(came)

    def next_at(self) -> datetime | None:
        """Return the UTC instant at which something happens next, None when nothing is under way."""
        return self._messages[0].at if self._messages else None

    def cut(self) -> None:
        """Lose every message under way, as when the manager dies; what runs here runs on."""
        self._messages.clear()

    # -- the machine's side --

    def die(self, now: datetime, back: datetime) -> None:
        """Let the machine stop at once and restart later: what ran is lost, what had ended is still known."""
        self._dead_until = back
        for key, record in self._records.items():
            record.end_if_due(now)
            if record.result is None and not record.run.fails:
                record.lost = "the machine was restarted"
                self.ends[key] = now

    def close(self, why: str, *, gone: bool = False) -> None:
        """From now on let nothing begin that has not begun; with ``gone`` nobody knows any more what there was."""
        self._closed = why
        for record in self._records.values():
            if gone and not record.run.fails:
                record.lost = why

    def keep_silent(self, key: AttemptKey, now: datetime) -> None:
        """Let what was asked about an attempt go unanswered."""
        self._no_answer(key, now)

    def fall_silent(self, now: datetime) -> None:
        """Lose every message under way; nobody gets an answer about any attempt that was here."""
        under_way = {m.to_machine.key for m in self._messages if m.to_machine is not None}
        self._messages.clear()
        for key in [*self._records, *(under_way - self._records.keys())]:
            self._no_answer(key, now)

    def record(self, key: AttemptKey) -> Result | None:
        """Return how the machine knows an attempt to have ended, None when it does not."""
        found = self._records.get(key)
        return None if found is None else found.result

    def _arrives(self, action: Send, at: datetime) -> None:
        key = action.key
        if self._dead_until is not None and at < self._dead_until:
            self._no_answer(key, at)
            return
        match action:
            case StartAttempt():
                if key not in self._records and not self._closed:
                    self._records[key] = self._begin(key, at)
                self._report(key, at)
            case AskAgain():
                self._report(key, at)
            case KillAttempt():
                self._kill(key, at)
            case StoreResult():
                self._reply(key, Stored(), at)
            case AckAttempt():
                self._reply(key, Acked(), at)

    def _begin(self, key: AttemptKey, at: datetime) -> _Record:
        run = self.runs(key)
        if not run.fails:
            self.starts.append((key, at))
            self.ends[key] = at + run.lasts
        return _Record(run, at)

    def _kill(self, key: AttemptKey, at: datetime) -> None:
        record = self._records.get(key)
        if record is None or record.run.fails or record.lost:
            return
        record.end_if_due(at)
        if record.result is None:
            record.result = Result(signal=15, started=record.started, ended=at)
            self.ends[key] = at
            self._report(key, at)

    def _report(self, key: AttemptKey, at: datetime) -> None:
        """Say what is known of an attempt, and once more when it ends."""
        record = self._records.get(key)
        if self._dead_until is not None and at < self._dead_until:
            self._no_answer(key, at)
        elif record is None:
            self._reply(key, Lost(self._closed) if self._closed else Absent(), at)
        else:
            record.end_if_due(at)
            self._reply(key, _known(record), at)
            if isinstance(_known(record), Running):
                self._post(record.started + record.run.lasts, report=key)

    # -- the way --

    def _reply(self, key: AttemptKey, what: Observation, at: datetime) -> None:
        if self._random.random() < self.faults.drop:
            self._no_answer(key, at)
            return
        for _ in range(self._copies()):
            self._post(at + self._delay(), answer=Observed(key, what))

    def _no_answer(self, key: AttemptKey, at: datetime) -> None:
        self._post(at + NO_ANSWER_AFTER, answer=Observed(key, NoAnswer(at)))

    def _copies(self) -> int:
        return 2 if self._random.random() < self.faults.double else 1

    def _delay(self) -> timedelta:
        return self._random.random() * self.faults.delay

    def _post(
        self,
        at: datetime,
        *,
        to_machine: Send | None = None,
        report: AttemptKey | None = None,
        answer: Observed | None = None,
    ) -> None:
        self._serial += 1
        message = _Message(at, self._serial, to_machine, report, answer)
        heapq.heappush(self._messages, message)


def _known(record: _Record) -> Observation:
    if record.run.fails:
        return FailedToStart(record.run.fails)
    if record.lost:
        return Lost(record.lost)
    if record.result is not None:
        return Ended(record.result)
    return Running(record.started)


class FakeFleet:
    """This machine and agents behind destinations, each a ``FakeMachine``, as one thing behind dispatch.

    An agent is met once agents of its destination are sought. ``relays_down`` says what is wrong, by relay agent;
    ``silent`` are the agents that nobody gets an answer from for now.
    """

    def __init__(
        self, runs: Runs, defined: Agents, *, faults: Faults | None = None, seed: int = 0
    ) -> None:
        self.here = FakeMachine(runs, faults=faults, seed=seed)
        self.relays_down: dict[str, str] = {}
        self.silent: set[AgentIdentity] = set()
        self._runs = runs
        self._defined = defined
        self._faults = faults
        self._seed = seed
        self._agents: dict[AgentIdentity, FakeMachine] = {}
        self._usable: set[AgentIdentity] = set()
        self._sought: set[str] = set()
        self._through: dict[AttemptKey, str] = {}
        self._told = Met()

    # -- the fleet --

    @property
    def agents(self) -> list[AgentIdentity]:
        """The agents that are there now."""
        return sorted(self._usable)

    def add(self, agent: AgentIdentity) -> None:
        """Put an agent behind its destination."""
        if agent not in self._agents:
            self._seed += 1
            self._agents[agent] = FakeMachine(self._runs, faults=self._faults, seed=self._seed)
        self._usable.add(agent)

    def reboot(self, agent: AgentIdentity, now: datetime, after: AgentIdentity) -> None:
        """Start an agent anew: what ran is lost, what had ended is known, and for new jobs it is another agent."""
        self._agents[agent].die(now, now)
        self._agents[agent].close("the agent was restarted and has no record of it")
        self._usable.discard(agent)
        self.add(after)

    def replace(self, agent: AgentIdentity, now: datetime, by: AgentIdentity) -> None:
        """Put another agent in the place of one that is gone with all that it knew, which is found out."""
        self._agents[agent].die(now, now)
        self._agents[agent].close("the agent is gone: its address is another host's now", gone=True)
        self._usable.discard(agent)
        self.silent.discard(agent)
        self.add(by)

    def take_away(self, agent: AgentIdentity) -> None:
        """Let nobody find an agent any more; what runs there goes on."""
        self._usable.discard(agent)

    def silence(self, agent: AgentIdentity, now: datetime) -> None:
        """Let nothing come through to an agent or from it; what runs there goes on."""
        self.silent.add(agent)
        self._agents[agent].fall_silent(now)

    @property
    def starts(self) -> list[tuple[AttemptKey, datetime]]:
        """What was really started anywhere, in order."""
        found = [start for machine in self._machines() for start in machine.starts]
        return sorted(found, key=lambda start: start[1])

    @property
    def ends(self) -> dict[AttemptKey, datetime]:
        """When what was started has ended, or will end."""
        return {key: at for machine in self._machines() for key, at in machine.ends.items()}

    def started_on(self, agent: AgentIdentity) -> list[AttemptKey]:
        """Return what an agent has started."""
        return [key for key, _ in self._agents[agent].starts]

    def record(self, key: AttemptKey) -> Result | None:
        """Return how the place of an attempt knows it to have ended, None when it does not."""
        found = (machine.record(key) for machine in self._machines())
        return next((result for result in found if result is not None), None)

    def _machines(self) -> list[FakeMachine]:
        return [self.here, *self._agents.values()]

    # -- the manager's side --

    def send(self, action: Send, now: datetime) -> None:
        """Take one action on its way to its place, through a relay agent that works."""
        place = remote_place(action.place)
        if place is None:
            self.here.send(action, now)
            return
        machine = self._agents[place.agent]
        relay = self._relay(place, action.relay)
        if relay is None or place.agent in self.silent:
            machine.keep_silent(action.key, now)
            return
        self._through[action.key] = relay
        machine.send(action, now)

    def _relay(self, place: RemotePlace, first: str) -> str | None:
        if place.relay == DIRECT:
            return DIRECT
        names = [first, *(member.agent for member in members(self._defined, place.relay))]
        return next((name for name in names if name not in self.relays_down), None)

    def answers(self, now: datetime) -> tuple[Observed, ...]:
        """Return what has come back by now."""
        found = list(self.here.answers(now))
        for machine in self._agents.values():
            for seen in machine.answers(now):
                silence = isinstance(seen.what, NoAnswer)
                relay = "" if silence else self._through.get(seen.key, "")
                found.append(replace(seen, relay=relay))
        return tuple(found)

    def seek(self, ways: frozenset[Way], agents: Agents) -> None:
        """Look for agents on these ways."""
        self._defined = agents
        self._sought |= {way.destination for way in ways}

    def met(self) -> Met:
        """Return what is known of relays and agents now."""
        self._told = self._met()
        return self._told

    def _met(self) -> Met:
        contacts = [
            Contact(agent, "no answer" if agent in self.silent else "")
            for agent in self.agents
            if agent.destination in self._sought
        ]
        return Met(agents=tuple(contacts), relays=dict(self.relays_down))

    def next_at(self) -> datetime | None:
        """Return the UTC instant at which something happens next, None when nothing is under way.

        It is long past when what is known of the fleet has changed.
        """
        if self._met() != self._told:
            return datetime.min.replace(tzinfo=UTC)
        times = [machine.next_at() for machine in self._machines()]
        return min((at for at in times if at is not None), default=None)

    def cut(self) -> None:
        """Lose every message under way, as when the manager dies; it has met nobody then."""
        self._sought.clear()
        for machine in self._machines():
            machine.cut()
