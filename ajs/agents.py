"""Where flexible jobs run and the way there: agents, agent groups, destinations, as they are defined.

An agent is a host that the manager knows by name: a relay agent, through which others are reached, or an execution
agent. Agents behind a destination have no names: whoever answers there is one, if it can prove to be (``Trust``).

Everything here is checked by the reader in ``definition`` before it is made; nothing inside re-checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

NAME_BYTES = 255
"""Longest name of an agent, agent group or destination in bytes of UTF-8 (execution.md 2.2)."""
PRIORITIES = (1, 16)
"""The lowest and the highest priority of an agent in its group (execution.md 2.5)."""
SSH_PORT = 22
LIMIT = 5
"""How many jobs run on one agent at once when nothing is said (execution.md 2.3)."""


class AgentKind(Enum):
    """What a name stands for; the value is stored."""

    AGENT = "agent"
    AGENT_GROUP = "agent_group"
    DESTINATION = "destination"

    @property
    def text(self) -> str:
        """The kind as it is called."""
        return self.value.replace("_", " ")

    @property
    def one(self) -> str:
        """One of its kind, in a sentence."""
        return f"an {self.text}" if self.text[0] == "a" else f"a {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How a host proves that it is the right one: by one of some host keys, or by a certificate for its host key.

    ``host_keys`` and ``host_ca`` are public keys as OpenSSH writes them, ``ssh-ed25519 AAAA...``. A certificate counts
    when a key in ``host_ca`` signed it for one of the ``principals``. At least one of the two ways is there.
    """

    host_keys: tuple[str, ...] = ()
    host_ca: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A relay agent or execution agent.

    ``user`` logs in with the private key in the file ``key``, a path on the manager's machine that is absolute or
    begins with ``~``; "" stands for the keys of the manager's ssh-agent. ``limit`` is how many jobs it takes at once.
    """

    name: str
    comment: str = ""
    host: str
    port: int = SSH_PORT
    user: str
    key: str = ""
    trust: Trust
    limit: int = LIMIT


@dataclass(frozen=True, slots=True)
class Member:
    """An agent in a group; those of higher priority are tried first."""

    agent: str
    priority: int = PRIORITIES[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGroup:
    """Several agents under one name, of which one is chosen; members in the order written."""

    name: str
    comment: str = ""
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What ``destination:`` of a flexible job names: where its destination agents are found.

    ``host`` and ``port`` are those of a load balancer or of a single host. ``agent_port`` is the port at which an agent
    is dialled at its own address; None: at the port that it reports. ``limit`` counts for each agent. ``job_folder`` is
    where the folders of jobs lie on the agent; "" is the usual place there. The rest is as in ``Agent``.
    """

    name: str
    comment: str = ""
    host: str
    port: int = SSH_PORT
    agent_port: int | None = None
    user: str
    key: str = ""
    trust: Trust
    limit: int = LIMIT
    job_folder: str = ""


AgentDefinition = Agent | AgentGroup | Destination


def kind_of(definition: AgentDefinition) -> AgentKind:
    """Return what a definition defines."""
    match definition:
        case Agent():
            return AgentKind.AGENT
        case AgentGroup():
            return AgentKind.AGENT_GROUP
        case Destination():
            return AgentKind.DESTINATION


@dataclass(frozen=True, slots=True)
class Agents:
    """All agents, agent groups and destinations of one scheduler service or one set of texts, each by name.

    A name stands for one thing only, whatever its kind.
    """

    agents: tuple[Agent, ...] = ()
    groups: tuple[AgentGroup, ...] = ()
    destinations: tuple[Destination, ...] = ()

    def __iter__(self) -> Iterator[AgentDefinition]:
        """Yield everything: agents, groups, destinations."""
        yield from self.agents
        yield from self.groups
        yield from self.destinations

    def kinds(self) -> dict[str, AgentKind]:
        """Return what each name stands for."""
        return {one.name: kind_of(one) for one in self}


RELAYS = frozenset({AgentKind.AGENT, AgentKind.AGENT_GROUP})
"""What ``relay:`` of a flexible job may name."""
