"""What the cloud consists of: hosts, each with a name, a folder and a port of loopback."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

LOOPBACK = "127.0.0.1"
USER = "ajs"
"""The user to log in as, on all of them; commands run as whoever started the cloud."""


class Kind(StrEnum):
    """What a host is there for."""

    RELAY = "relay"
    LOAD_BALANCER = "load balancer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Pool:
    """A load balancer with the agents behind it."""

    name: str
    department: str
    agents: tuple[str, ...]


RELAYS = {"AGT1": 16, "AGT2": 15}
"""The relays with their priorities: the first one is used as long as it answers."""
RELAY_GROUP = "RELAYS"
POOLS = (
    Pool("LB1", "sales", ("LB1/agent-1", "LB1/agent-2")),
    Pool("LB2", "general affairs", ("LB2/agent-1", "LB2/agent-2")),
)


@dataclass(frozen=True, slots=True)
class Host:
    """One host; its folder lies in that of the cloud under its name."""

    name: str
    kind: Kind
    folder: str
    port: int

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    def file(self, name: str) -> str:
        """Return the path of a file in its folder."""
        return os.path.join(self.folder, name)


def names() -> dict[str, Kind]:
    """Return all hosts with what they are for."""
    return {
        **dict.fromkeys(RELAYS, Kind.RELAY),
        **{pool.name: Kind.LOAD_BALANCER for pool in POOLS},
        **{agent: Kind.AGENT for pool in POOLS for agent in pool.agents},
    }
