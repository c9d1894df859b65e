"""Agents, agent groups and destinations of all texts together, and whether the names exist that others use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ajs.agents import (
    LIMIT,
    SSH_PORT,
    Agent,
    AgentDefinition,
    AgentGroup,
    AgentKind,
    Agents,
    Destination,
    Member,
)
from ajs.definition.agent_schema import (
    AGENT_GROUP_RECORD,
    AGENT_GROUPS,
    AGENT_PORT,
    AGENT_RECORD,
    AGENTS,
    DESTINATION_HOST,
    DESTINATION_LIMIT,
    DESTINATION_RECORD,
    DESTINATIONS,
    HOST,
    JOB_FOLDER,
    KEY,
    LIMIT_FIELD,
    MEMBERS,
    PORT,
    TRUST,
    USER,
    NamedNodes,
)
from ajs.definition.kinds import Field, Placed, Record, Spot, Values
from ajs.definition.problems import Problems, meant, shown
from ajs.definition.text_schema import COMMENT
from ajs.errors import Place

Build = Callable[[str, Values], AgentDefinition | None]
T = TypeVar("T", bound=AgentDefinition)


@dataclass(slots=True)
class AgentsReading:
    """What has been read so far, and which names were used; ``stored`` is what there is besides."""

    problems: Problems
    stored: Agents
    found: dict[str, AgentDefinition] = field(default_factory=dict)
    named: dict[str, tuple[AgentKind, Place]] = field(default_factory=dict)
    used: list[tuple[Placed[str], Collection[AgentKind], Spot]] = field(default_factory=list)

    def definitions(self) -> Agents:
        """Return all that was read, in the order of the names."""
        return Agents(self._all_of(Agent), self._all_of(AgentGroup), self._all_of(Destination))

    def _all_of(self, kind: type[T]) -> tuple[T, ...]:
        return tuple(one for _, one in sorted(self.found.items()) if isinstance(one, kind))

    def file(self, values: Values) -> None:
        """Read the agents, agent groups and destinations of one file."""
        for key, kind, record, build in _READ:
            for name, node in values.get(key, ()):
                spot = Spot(self.problems, name.value, key=f"{kind.text} {shown(name.value)}")
                self._name(name, kind, spot)
                said = record.values(node, spot)
                if said is None:
                    continue
                if kind is AgentKind.AGENT_GROUP:
                    self._members(said, spot.at(MEMBERS.key))
                one = build(name.value, said)
                if one is not None:
                    self.found[name.value] = one

    def _name(self, name: Placed[str], kind: AgentKind, spot: Spot) -> None:
        """Note a name that stands for something else already."""
        first, place = self.named.setdefault(name.value, (kind, name.place))
        if place != name.place:
            spot.refuse(
                name.place,
                f"{shown(name.value)} is defined twice"
                if first is kind
                else f"{shown(name.value)} is {first.one} and {kind.one}",
                hint=f"the first stands at {place}; rename or remove one",
                value=name.value,
            )

    def _members(self, values: Values, spot: Spot) -> None:
        """Take note of the agents in a group; note one that stands there twice."""
        seen: set[str] = set()
        for member in values.get(MEMBERS, ()):
            name = member.value.agent
            if name in seen:
                spot.refuse(
                    member.place,
                    f"members names {shown(name)} twice",
                    hint="remove one of them",
                    value=name,
                )
            seen.add(name)
            self.use(Placed(name, member.place), {AgentKind.AGENT}, spot)

    def use(self, name: Placed[str], kinds: Collection[AgentKind], spot: Spot) -> None:
        """Take note that a name is used where something of these kinds is wanted; ``spot`` is at the key."""
        self.used.append((name, kinds, spot))

    def check(self) -> None:
        """Note every name that is stored as something else, and every used one that nothing fitting has."""
        stored = self.stored.kinds()
        for name, (kind, place) in self.named.items():
            was = stored.get(name, kind)
            if was is not kind:
                self.problems.add(
                    place,
                    f"{shown(name)} is stored as {was.one} and cannot become {kind.one}",
                    hint="give the new one another name",
                    unit=name,
                    value=name,
                )
        self._check_used(stored | {name: kind for name, (kind, _) in self.named.items()})

    def _check_used(self, known: Mapping[str, AgentKind]) -> None:
        """Note every used name that nothing has, or something of another kind."""
        for name, kinds, spot in self.used:
            kind = known.get(name.value)
            if kind in kinds:
                continue
            wanted = " or ".join(one.text for one in AgentKind if one in kinds)
            fitting = [other for other, has in known.items() if has in kinds]
            spot.refuse(
                name.place,
                f"{spot.key} names {shown(name.value)}, and there is no such {wanted}"
                if kind is None
                else f"{spot.key} names {shown(name.value)}, which is {kind.one} and no {wanted}",
                hint=meant(self.problems.nearest(name.value, fitting)) or _where(kinds),
                value=name.value,
            )


def _where(kinds: Collection[AgentKind]) -> str:
    """Return what to do about a name that nothing has."""
    keys = " or ".join(f"{key.key}:" for key, kind, _, _ in _READ if kind in kinds)
    return f"define it under {keys}, in any file given to ajsdefine"


def _agent(name: str, values: Values) -> Agent | None:
    """Return an agent, or None when something that it cannot do without is missing or wrong."""
    host, user, trust = values.get(HOST), values.get(USER), values.get(TRUST)
    if host is None or user is None or trust is None:
        return None
    return Agent(
        name=name,
        comment=values.get(COMMENT, ""),
        host=host,
        port=values.get(PORT, SSH_PORT),
        user=user,
        key=values.get(KEY, ""),
        trust=trust,
        limit=values.get(LIMIT_FIELD, LIMIT),
    )


def _agent_group(name: str, values: Values) -> AgentGroup:
    """Return an agent group."""
    members: tuple[Member, ...] = tuple(placed.value for placed in values.get(MEMBERS, ()))
    return AgentGroup(name=name, comment=values.get(COMMENT, ""), members=members)


def _destination(name: str, values: Values) -> Destination | None:
    """Return a destination, or None when something that it cannot do without is missing or wrong."""
    host, user, trust = values.get(DESTINATION_HOST), values.get(USER), values.get(TRUST)
    if host is None or user is None or trust is None:
        return None
    return Destination(
        name=name,
        comment=values.get(COMMENT, ""),
        host=host,
        port=values.get(PORT, SSH_PORT),
        agent_port=values.get(AGENT_PORT),
        user=user,
        key=values.get(KEY, ""),
        trust=trust,
        limit=values.get(DESTINATION_LIMIT, LIMIT),
        job_folder=values.get(JOB_FOLDER, ""),
    )


_READ: tuple[tuple[Field[NamedNodes], AgentKind, Record, Build], ...] = (
    (AGENTS, AgentKind.AGENT, AGENT_RECORD, _agent),
    (AGENT_GROUPS, AgentKind.AGENT_GROUP, AGENT_GROUP_RECORD, _agent_group),
    (DESTINATIONS, AgentKind.DESTINATION, DESTINATION_RECORD, _destination),
)
