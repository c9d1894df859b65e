"""What is known of relays and agents right now, and who gets the next flexible job.

The shell looks for agents and keeps links to them; what it finds is told here as values. Choosing is pure: the manager
and ``ajs why`` ask the same function, and get the same reason where there is nobody to choose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ajs.agents import AgentIdentity, Agents, Member, RemotePlace, remote_place
from ajs.causes import Cause, Why

DIRECT = ""
"""The relay of a job that names none: its agents are reached without one."""


class Way(NamedTuple):
    """The way to the agents behind a destination: through a relay agent or group, or directly."""

    destination: str
    relay: str


class Contact(NamedTuple):
    """An agent that has been met; ``trouble`` says why it cannot be used now, "" when it can."""

    agent: AgentIdentity
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What the shell has found out: agents met, relays that cannot be used, searches that find nobody.

    ``relays`` and ``searches`` say in words what is wrong, by relay agent and by way.
    """

    agents: tuple[Contact, ...] = ()
    relays: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[Way, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many attempts take a slot: at each agent, and through each relay agent."""

    agents: Mapping[AgentIdentity, int] = field(default_factory=dict)
    relays: Mapping[str, int] = field(default_factory=dict)


NOBODY_MET = Met()
NO_LOAD = Load()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where an attempt goes, and through which relay agent it is sent first."""

    place: RemotePlace
    relay: str


def choose(defined: Agents, met: Met, load: Load, way: Way) -> Chosen | Cause:
    """Return the agent and the relay agent for the next job on this way, or why it has to wait.

    Of relay agents in a group the highest priority with a free slot, of several the one least used; of agents the
    least used one (execution.md 2.5). One that cannot be reached is left out.
    """
    limit = next((d.limit for d in defined.destinations if d.name == way.destination), None)
    if limit is None:
        return Cause(Why.NO_DESTINATION, value=way.destination)
    relay = _relay(defined, met, load, way.relay)
    if isinstance(relay, Cause):
        return relay
    found = [c for c in met.agents if c.agent.destination == way.destination]
    usable = [c.agent for c in found if not c.trouble]
    if not usable:
        trouble = met.searches.get(way, "") or next((c.trouble for c in found), "")
        return Cause(
            Why.NO_AGENT, value=way.destination, limit=trouble or "none has been found yet"
        )
    agent = min(usable, key=lambda one: (load.agents.get(one, 0), one))
    if load.agents.get(agent, 0) >= limit:
        return Cause(Why.AGENTS_FULL, value=way.destination, limit=str(limit * len(usable)))
    return Chosen(RemotePlace(agent, way.relay), relay)


def members(defined: Agents, relay: str) -> tuple[Member, ...]:
    """Return the relay agents that a name stands for: of a group all, of an agent that one; () for an unknown name."""
    for group in defined.groups:
        if group.name == relay:
            return group.members
    return tuple(Member(agent.name) for agent in defined.agents if agent.name == relay)


def by_preference(
    candidates: Iterable[Member], limits: Mapping[str, int], load: Mapping[str, int]
) -> list[str]:
    """Return relay agents, the one to take first: highest priority, then lowest rate of use, then by name."""

    def rank(member: Member) -> tuple[int, float, str]:
        used = load.get(member.agent, 0) / max(limits[member.agent], 1)
        return (-member.priority, used, member.agent)

    return [member.agent for member in sorted(candidates, key=rank)]


def _relay(defined: Agents, met: Met, load: Load, relay: str) -> str | Cause:
    if relay == DIRECT:
        return DIRECT
    limits = {agent.name: agent.limit for agent in defined.agents}
    named = [member for member in members(defined, relay) if member.agent in limits]
    if not named:
        return Cause(Why.NO_RELAY_AGENT, value=relay)
    reached = [member for member in named if not met.relays.get(member.agent)]
    if not reached:
        said = "; ".join(dict.fromkeys(met.relays[member.agent] for member in named))
        return Cause(Why.RELAYS_DOWN, value=relay, limit=said)
    free = [m for m in reached if load.relays.get(m.agent, 0) < limits[m.agent]]
    if not free:
        most = sum(limits[member.agent] for member in reached)
        return Cause(Why.RELAYS_FULL, value=relay, limit=str(most))
    return by_preference(free, limits, load.relays)[0]


class Slots:
    """Where the next jobs can go: slots of this machine, of agents and of relay agents, as they are taken.

    ``limit`` and ``busy`` are those of this machine.
    """

    def __init__(self, limit: int | None, busy: int, load: Load, defined: Agents, met: Met) -> None:
        self._limit = limit
        self._busy = busy
        self._agents = Counter(load.agents)
        self._relays = Counter(load.relays)
        self._load = Load(agents=self._agents, relays=self._relays)
        self._defined = defined
        self._met = met

    def take(self, way: Way | None) -> tuple[str, str] | Cause:
        """Return place and relay agent for the next job, its slot being taken; or why it has to wait.

        ``way`` is None for a job of this machine, whose place is "".
        """
        if way is not None:
            found = choose(self._defined, self._met, self._load, way)
            if isinstance(found, Cause):
                return found
            self.count(found.place.text, found.relay)
            return found.place.text, found.relay
        if self._limit is not None and self._busy >= self._limit:
            return Cause(Why.NO_SLOT, value=str(self._limit))
        self._busy += 1
        return "", ""

    def count(self, place: str, relay: str) -> None:
        """Take a slot for an attempt that has its place."""
        remote = remote_place(place)
        if remote is None:
            self._busy += 1
            return
        self._agents[remote.agent] += 1
        self._relays[relay] += 1
