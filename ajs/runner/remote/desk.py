"""What scouts and couriers have in common, and what they say to the manager."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from ajs.agents import Agents, Destination
from ajs.decide import Observed
from ajs.dispatch.fetched import Fetched
from ajs.dispatch.launching import digest
from ajs.dispatch.link import Links
from ajs.ports import Clock, Stopwatch
from ajs.runner.remote.relays import Relays

HELPER = Path(__file__).parents[2] / "dispatch" / "agent.sh"


class Timer(Clock, Stopwatch, Protocol):
    """Tells the time and how much of it has passed."""


@dataclass(slots=True)
class Desk:
    """The links, the clock, the relays and definitions, and the way back to the manager.

    ``wake`` makes the manager look for what was told. Used by several threads: what changes, ``agents``, is replaced as
    a whole.
    """

    links: Links
    clock: Timer
    relays: Relays
    fetched: Fetched
    wake: Callable[[], object]
    agents: Agents = field(default_factory=Agents)
    helper: bytes = field(default_factory=HELPER.read_bytes)
    told: queue.SimpleQueue[Observed] = field(default_factory=queue.SimpleQueue)

    @property
    def helper_digest(self) -> str:
        """The name of the helper on agents."""
        return digest(self.helper)

    def tell(self, seen: Iterable[Observed], relay: str) -> None:
        """Tell the manager what was observed through a relay agent."""
        for one in seen:
            self.told.put(replace(one, relay=relay))
        self.wake()

    def destination(self, name: str) -> Destination | None:
        """Return a destination as it is defined now."""
        return next((d for d in self.agents.destinations if d.name == name), None)
